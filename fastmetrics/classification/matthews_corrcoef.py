# SPDX-License-Identifier: Apache-2.0
"""The correlation coefficient of Matthews."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas.confusion import matthews_corrcoef


class MatthewsCorrCoef(Family):
    r"""Matthews' coefficient: the correlation of predictions and targets.

    .. math:: \frac{TP \cdot TN - FP \cdot FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}

    Source: Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.
    """

    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.7000"},
        "multilabel": {"": "0.3333"},
    }


class _Matthews(TaskMetric):
    """A correlation.

    Args:
        undefined: the value where it is undefined, because all targets or all predictions are of one class: 0 as in
            scikit-learn, 1 or NaN. None takes that of torchmetrics, which is 0 for more than two classes and else
            depends on how many labels are right; see :func:`fastmetrics.formulas.confusion.matthews_corrcoef`.

    Returns:
        float32 ``()``.
    """

    def __init__(self, *args: Any, undefined: float | None, **kwargs: Any) -> None:
        if undefined is not None:
            arguments.zero_one_or_nan("undefined", undefined)
        super().__init__(*args, **kwargs)
        self.undefined = undefined

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4], [C, 3] or [L, 4]."""
        return matthews_corrcoef(counts, self.undefined)


class BinaryMatthewsCorrCoef(_Matthews, BinaryConfusion, family=MatthewsCorrCoef):
    """Matthews' coefficient of binary decisions."""

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(threshold, ignore_index, validate_args, logits=logits, undefined=undefined, **kwargs)


class MulticlassMatthewsCorrCoef(_Matthews, MulticlassConfusion, family=MatthewsCorrCoef):
    """Matthews' coefficient of any number of classes, in memory that is linear in their number.

    It is the correlation of the one-hot labels and targets.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, ignore_index, validate_args, undefined=undefined, **kwargs)


class MultilabelMatthewsCorrCoef(_Matthews, MultilabelConfusion, family=MatthewsCorrCoef):
    """Matthews' coefficient of the decisions on all labels together, as torchmetrics has it."""

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> None:
        options = (threshold, ignore_index, validate_args)
        super().__init__(num_labels, *options, logits=logits, undefined=undefined, **kwargs)
