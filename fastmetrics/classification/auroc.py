# SPDX-License-Identifier: Apache-2.0
"""The area under the ROC curve."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassArea, MultilabelArea
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
from fastmetrics.formulas.curve_table import Points, Sorted


class AUROC(Family):
    """The area under the curve of true over false positive rates: how often a positive has a higher score.

    Ties count half. Without positives, or without negatives, it is 0, with a warning. The relative error is about 1e-15
    before the value is rounded.
    """

    defaults = {"average": "macro"}
    ordered = True
    example = {
        "binary": {"": "0.6667", "thresholds=5": "0.5556"},
        "multiclass": {"": "1.", "average=None": "[1., 1., 1.]"},
        "multilabel": {"": "0.6528", "average=None": "[0.6250, 0.5000, 0.8333]"},
        "family": {"": "1."},
    }


class _Area(AreaMetric):
    bounded = True

    def of_sorted(self, found: Sorted) -> tuple[Tensor, Tensor]:
        areas = found.areas()
        return curves.area(areas), areas[:, 0]

    def of_points(self, points: Points) -> Tensor:
        return curves.binned_area(points)


class BinaryAUROC(_Area, BinaryCurve, family=AUROC):
    """The area under the ROC curve of binary scores.

    Args:
        max_fpr: the greatest false positive rate: the area up to it, standardised by McClish's correction to 0.5 for
            scores that say nothing. None, or 1, takes all of the curve.

    Returns:
        float32 ``()``.
    """

    def __init__(
        self,
        max_fpr: float | None = None,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args and max_fpr is not None and not (isinstance(max_fpr, float) and 0 < max_fpr <= 1):
            raise ValueError(f"Arguments `max_fpr` should be a float in range (0, 1], but got: {max_fpr}")
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self.max_fpr = max_fpr
        self.bounded = max_fpr is None or max_fpr == 1

    def formula(
        self, histogram: Tensor | None = None, scores: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The area."""
        if self.max_fpr is None or self.max_fpr == 1:
            return super().formula(histogram, scores, labels)
        if histogram is not None:
            fpr, tpr = (rate.flip(0) for rate in curves.rates(self._points(histogram), True))
        else:
            assert scores is not None
            points = self._sorted(scores, labels).points()
            fpr, tpr = (_from_zero(rate) for rate in curves.rates(points, False))
        return curves.partial_area(fpr, tpr, self.max_fpr).float()


def _from_zero(rate: Tensor) -> Tensor:
    return torch.cat([rate.new_zeros(1), rate])


class MulticlassAUROC(_Area, MulticlassArea, family=AUROC):
    """The area under the ROC curve of each class against all others, averaged."""


class MultilabelAUROC(_Area, MultilabelArea, family=AUROC):
    """The area under the ROC curve of each label, averaged."""
