# SPDX-License-Identifier: Apache-2.0
"""Average precision."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassArea, MultilabelArea
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves, intervals
from fastmetrics.formulas.curve_table import Points, Sorted


class AveragePrecision(Family):
    """Average precision: the mean, over the positives, of the precision at their scores.

    It is the area under the steps of the precision-recall curve. Without positives it is 0, with a warning; that of a
    class that is never the target is NaN, and left out of averages. The relative error is about 1e-15 before the value
    is rounded.
    """

    defaults = {"average": "macro"}
    ordered = True
    example = {
        "binary": {"": "0.7556", "thresholds=5": "0.5556"},
        "multiclass": {"": "1.", "average=None": "[1., 1., 1.]"},
        "multilabel": {"": "0.7500", "average=None": "[0.7500, 0.5833, 0.9167]"},
    }


class _Steps(AreaMetric):
    bounded = True

    def of_sorted(self, found: Sorted) -> Tensor:
        return curves.average_precision(found, self.absent)

    def of_points(self, points: Points) -> Tensor:
        return curves.binned_average_precision(points)

    def of_groups(self, groups: Tensor) -> Tensor:
        return intervals.average_precision(groups[..., 1], groups[..., 0])


class BinaryAveragePrecision(_Steps, BinaryCurve, family=AveragePrecision):
    """Average precision of binary scores."""


class MulticlassAveragePrecision(_Steps, MulticlassArea, family=AveragePrecision):
    """Average precision of each class against all others, averaged."""


class MultilabelAveragePrecision(_Steps, MultilabelArea, family=AveragePrecision):
    """Average precision of each label, averaged."""
