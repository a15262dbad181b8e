# SPDX-License-Identifier: Apache-2.0
"""Average precision."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassCurve, MultilabelCurve
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
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
        "family": {"": "1."},
    }


class _Steps(AreaMetric):
    def of_sorted(self, found: Sorted) -> tuple[Tensor, Tensor]:
        areas = found.areas(precision=True)
        return curves.average_precision(areas, self.absent), areas[:, 0]

    def of_points(self, points: Points) -> Tensor:
        return curves.binned_average_precision(points)


class BinaryAveragePrecision(_Steps, BinaryCurve, family=AveragePrecision):
    """Average precision of binary scores.

    Returns:
        float32 ``()``.
    """

    average = "macro"  # of one


class MulticlassAveragePrecision(_Steps, MulticlassCurve, family=AveragePrecision):
    """Average precision of each class against all others, averaged.

    Args:
        average: ``macro`` is the mean over classes; ``weighted`` weighs classes by how often they are the target;
            ``none`` or None gives a value for each class.

    Returns:
        float32 ``()``, or ``(C,)`` without an average.
    """

    def __init__(
        self,
        num_classes: int,
        average: str | None = "macro",
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        averages = ("macro", "weighted", "none", None)
        self._start(num_classes, average, averages, thresholds, ignore_index, validate_args, logits, **kwargs)


class MultilabelAveragePrecision(_Steps, MultilabelCurve, family=AveragePrecision):
    """Average precision of each label, averaged.

    Args:
        average: ``micro`` makes one curve of all labels; ``macro`` is the mean over labels; ``weighted`` weighs labels
            by how often they are positive; ``none`` or None gives a value for each label.

    Returns:
        float32 ``()``, or ``(L,)`` without an average.
    """

    def __init__(
        self,
        num_labels: int,
        average: str | None = "macro",
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        averages = ("micro", "macro", "weighted", "none", None)
        self._start(num_labels, average, averages, thresholds, ignore_index, validate_args, logits, **kwargs)
        self.micro = average == "micro"
