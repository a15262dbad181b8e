# SPDX-License-Identifier: Apache-2.0
"""The correlation coefficient of Matthews."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion, Score
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.confusion import matthews_corrcoef


def _checked(undefined: float | None) -> float | None:
    if undefined is not None:
        arguments.zero_one_or_nan("undefined", undefined)
    return undefined


class BinaryMatthewsCorrCoef(Score, BinaryConfusion):
    r"""Matthews' coefficient, :math:`\frac{TP \cdot TN - FP \cdot FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}`.

    It is float32 ``()``.

    Args:
        undefined: the value where it is undefined, because all targets or all predictions are of one class: 0 as in
            scikit-learn, 1 or NaN. None takes that of torchmetrics, which depends on how many labels are right; see
            :func:`fastmetrics.formulas.confusion.matthews_corrcoef`.

    The other arguments are those of :class:`~fastmetrics.classification.base.BinaryConfusion`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryMatthewsCorrCoef
        >>> from fastmetrics.functional.classification import binary_matthews_corrcoef
        >>> preds, target = torch.tensor([0.35, 0.85, 0.48, 0.01]), torch.tensor([1, 1, 0, 0])
        >>> BinaryMatthewsCorrCoef()(preds, target)
        tensor(0.5774)
        >>> binary_matthews_corrcoef(preds, target)
        tensor(0.5774)
    """

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
        super().__init__(threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.undefined = _checked(undefined)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return matthews_corrcoef(counts, self.undefined)


class MulticlassMatthewsCorrCoef(Score, MulticlassConfusion):
    """Matthews' coefficient of any number of classes, in memory that is linear in their number: float32 ``()``.

    It is the correlation of the one-hot labels and targets. Arguments are those of
    :class:`~fastmetrics.classification.base.MulticlassConfusion`, and ``undefined`` as in
    :class:`BinaryMatthewsCorrCoef`; None is 0 for more than two classes.

    Source: Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassMatthewsCorrCoef
        >>> from fastmetrics.functional.classification import multiclass_matthews_corrcoef
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassMatthewsCorrCoef(num_classes=3)(preds, target)
        tensor(0.7000)
        >>> multiclass_matthews_corrcoef(preds, target, num_classes=3)
        tensor(0.7000)
    """

    plot_legend_name = "Class"

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, ignore_index, validate_args, **kwargs)
        self.undefined = _checked(undefined)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [C, 3]."""
        return matthews_corrcoef(counts, self.undefined)


class MultilabelMatthewsCorrCoef(Score, MultilabelConfusion):
    """Matthews' coefficient of the decisions on all labels together, as torchmetrics has it: float32 ``()``.

    Arguments are those of :class:`~fastmetrics.classification.base.MultilabelConfusion`, and ``undefined`` as in
    :class:`BinaryMatthewsCorrCoef`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelMatthewsCorrCoef
        >>> from fastmetrics.functional.classification import multilabel_matthews_corrcoef
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelMatthewsCorrCoef(num_labels=3)(preds, target)
        tensor(0.3333)
        >>> multilabel_matthews_corrcoef(preds, target, num_labels=3)
        tensor(0.3333)
    """

    plot_legend_name = "Label"

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
        super().__init__(num_labels, threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.undefined = _checked(undefined)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return matthews_corrcoef(counts, self.undefined)


class MatthewsCorrCoef(TaskMetric):
    """Matthews' coefficient of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import MatthewsCorrCoef
        >>> MatthewsCorrCoef(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.7000)
    """

    tasks = {
        "binary": BinaryMatthewsCorrCoef,
        "multiclass": MulticlassMatthewsCorrCoef,
        "multilabel": MultilabelMatthewsCorrCoef,
    }
