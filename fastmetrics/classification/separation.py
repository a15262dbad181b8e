# SPDX-License-Identifier: Apache-2.0
"""How far scores of positives and negatives lie apart: the Gini coefficient and the Kolmogorov-Smirnov statistic."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassArea, MultilabelArea
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves, operating_points
from fastmetrics.formulas.curve_table import Classes, Points, Sorted


class GiniCoefficient(Family):
    r"""The Gini coefficient of scores, also Somers' D: how much more often a positive has the higher score.

    .. math:: 2 \, AUROC - 1

    It is 1 if all positives score higher, 0 for scores that say nothing, and negative for scores that are turned
    around. Without positives, or without negatives, it is 0, with a warning.
    """

    defaults = {"average": "macro"}
    constants = {"plot_lower_bound": -1.0}
    ordered = True
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "1.", "average=None": "[1., 1., 1.]"},
        "multilabel": {"average=None": "[0.2500, 0.0000, 0.6667]"},
    }


class _Gini(AreaMetric):
    def of_sorted(self, found: Sorted) -> Tensor:
        return _of_area(curves.area(found), found)

    def of_points(self, points: Points) -> Tensor:
        return _of_area(curves.binned_area(points), points)


def _of_area(area: Tensor, of: Classes) -> Tensor:
    return (2 * area - 1) * ((of.positives > 0) & (of.negatives > 0))


class BinaryGiniCoefficient(_Gini, BinaryCurve, family=GiniCoefficient):
    """The Gini coefficient of binary scores.

    Returns:
        float32 ``()``, in [-1, 1].
    """


class MulticlassGiniCoefficient(_Gini, MulticlassArea, family=GiniCoefficient):
    """The Gini coefficient of each class against all others, averaged."""


class MultilabelGiniCoefficient(_Gini, MultilabelArea, family=GiniCoefficient):
    """The Gini coefficient of each label, averaged."""


class KolmogorovSmirnov(Family):
    r"""The Kolmogorov-Smirnov statistic: the greatest distance of the distributions of positive and negative scores.

    .. math:: \max_t |TPR(t) - FPR(t)|

    It is 1 if a threshold parts the classes. Without positives, or without negatives, it is 0, without ``thresholds``
    with a warning. Given ``thresholds`` it is the greatest distance at one of them.
    """

    defaults = {"average": "macro"}
    ordered = True
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "1.", "average=None": "[1., 1., 1.]"},
        "multilabel": {"average=None": "[0.5000, 0.5000, 0.6667]"},
    }


class _Distance(AreaMetric):
    def of_sorted(self, found: Sorted) -> Tensor:
        return operating_points.separation(found.points())

    def of_points(self, points: Points) -> Tensor:
        return operating_points.separation(points)


class BinaryKolmogorovSmirnov(_Distance, BinaryCurve, family=KolmogorovSmirnov):
    """The Kolmogorov-Smirnov statistic of binary scores.

    Returns:
        float32 ``()``, in [0, 1].
    """


class MulticlassKolmogorovSmirnov(_Distance, MulticlassArea, family=KolmogorovSmirnov):
    """The Kolmogorov-Smirnov statistic of each class against all others, averaged."""


class MultilabelKolmogorovSmirnov(_Distance, MultilabelArea, family=KolmogorovSmirnov):
    """The Kolmogorov-Smirnov statistic of each label, averaged."""
