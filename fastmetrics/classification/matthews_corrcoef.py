# SPDX-License-Identifier: Apache-2.0
"""The correlation coefficient of Matthews."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion, Score
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.confusion import matthews_corrcoef


class BinaryMatthewsCorrCoef(Score, BinaryConfusion):
    r"""Matthews' coefficient, :math:`\frac{TP \cdot TN - FP \cdot FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}`.

    It is float32 ``()``. See :func:`fastmetrics.formulas.confusion.matthews_corrcoef` for where it is undefined.

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

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return matthews_corrcoef(counts)


class MulticlassMatthewsCorrCoef(Score, MulticlassConfusion):
    """Matthews' coefficient of any number of classes, in memory that is linear in their number: float32 ``()``.

    It is the correlation of the one-hot labels and targets, 0 if either are all of one class. See
    :func:`fastmetrics.formulas.confusion.matthews_corrcoef` for that of two classes.

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
        self, num_classes: int, ignore_index: int | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(num_classes, ignore_index, validate_args, **kwargs)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [C, 3]."""
        return matthews_corrcoef(counts)


class MultilabelMatthewsCorrCoef(Score, MultilabelConfusion):
    """Matthews' coefficient of the decisions on all labels together, as torchmetrics has it: float32 ``()``.

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

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return matthews_corrcoef(counts)


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
