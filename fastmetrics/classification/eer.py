# SPDX-License-Identifier: Apache-2.0
"""The equal error rate."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.classification.curves import BinaryCurve, CurveMetric, MulticlassWholeCurve, MultilabelWholeCurve
from fastmetrics.classification.family import Family
from fastmetrics.classification.roc import Rates
from fastmetrics.formulas import curves, operating_points


class EER(Family):
    """The equal error rate: the mean of the false positive and the false negative rate where they differ least.

    Of two points that differ as much it is the first one on the ROC curve; differences are those of float32 rates, as
    in torchmetrics. A rate without samples is as in :class:`~fastmetrics.classification.ROC`.
    """

    defaults = {"average": None}
    ordered = True
    example = {
        "binary": {"": "0.3333", "thresholds=5": "0.3333"},
        "multiclass": {"": "[0., 0., 0.]", 'average="micro"': "0.1875"},
        "multilabel": {"": "[0.5000, 0.5000, 0.1667]"},
        "family": {'average="macro"': "0."},
    }


class _EqualErrorRate(Rates):
    def formula(self, **states: Tensor) -> Tensor:  # type: ignore[override]
        """The rates."""
        points = self._table(**states)
        if self.average == "macro":
            fpr, tpr, _ = curves.mean_curve(*self._three(points, torch.float64), descending=True)
            return operating_points.equal_error_rate(fpr, tpr).float()
        values = operating_points.equal_error_rates(points).float()
        return values[0] if self.task_name == "binary" or self.micro else values

    def plot(self, val: Any = None, ax: Any = None) -> Any:  # type: ignore[override]
        """Draw ``val`` (a value or a sequence of them), or the present value."""
        return CurveMetric.plot(self, val, ax)


class BinaryEER(_EqualErrorRate, BinaryCurve, family=EER):
    """The equal error rate of binary scores.

    Returns:
        float32 ``()``.
    """


class MulticlassEER(_EqualErrorRate, MulticlassWholeCurve, family=EER):
    """The equal error rate of each class against all others.

    Args:
        average: None gives a value for each class; ``micro`` takes one curve of the scores of all classes, ``macro``
            the mean of the curves, interpolated where any of them has a point.

    Returns:
        float32 ``(C,)``, or ``()`` with an average.
    """


class MultilabelEER(_EqualErrorRate, MultilabelWholeCurve, family=EER):
    """The equal error rate of each label.

    Returns:
        float32 ``(L,)``.
    """
