# SPDX-License-Identifier: Apache-2.0
"""Confusion matrices, row = target, column = prediction."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.plot import plot_confusion_matrix

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import confusion as formulas


class _Heatmap:
    compute: Any

    def plot(
        self,
        val: Tensor | None = None,
        ax: Any = None,
        add_text: bool = True,
        labels: list[str] | None = None,
        cmap: Any = None,
    ) -> Any:
        """Draw ``val``, or the present value, as a heat map; see ``torchmetrics.utilities.plot``."""
        val = self.compute() if val is None else val
        return plot_confusion_matrix(val, ax=ax, add_text=add_text, labels=labels, cmap=cmap)


class BinaryConfusionMatrix(_Heatmap, BinaryConfusion):
    """Confusion matrix [2, 2] of binary decisions: int64, or float32 shares with ``normalize``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryConfusionMatrix
        >>> from fastmetrics.functional.classification import binary_confusion_matrix
        >>> preds, target = torch.tensor([0.35, 0.85, 0.48, 0.01]), torch.tensor([1, 1, 0, 0])
        >>> BinaryConfusionMatrix()(preds, target)
        tensor([[2, 0],
                [1, 1]])
        >>> binary_confusion_matrix(preds, target, normalize="true")
        tensor([[1.0000, 0.0000],
                [0.5000, 0.5000]])
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("normalize", normalize, arguments.NORMALIZATIONS)
        super().__init__(threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.normalize = normalize

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return formulas.normalized(formulas.of_labels(counts.squeeze(-2)), self.normalize)


class MulticlassConfusionMatrix(_Heatmap, MulticlassConfusion):
    """Confusion matrix [C, C]: int64, or float32 shares with ``normalize``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassConfusionMatrix
        >>> from fastmetrics.functional.classification import multiclass_confusion_matrix
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassConfusionMatrix(num_classes=3)(preds, target)
        tensor([[1, 1, 0],
                [0, 1, 0],
                [0, 0, 1]])
        >>> multiclass_confusion_matrix(preds, target, num_classes=3, normalize="true")
        tensor([[0.5000, 0.5000, 0.0000],
                [0.0000, 1.0000, 0.0000],
                [0.0000, 0.0000, 1.0000]])
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("normalize", normalize, arguments.NORMALIZATIONS)
        super().__init__(num_classes, ignore_index, validate_args, confusion=True, **kwargs)
        self.normalize = normalize

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return formulas.normalized(confusion, self.normalize)


class MultilabelConfusionMatrix(_Heatmap, MultilabelConfusion):
    """Confusion matrix [L, 2, 2] of each label: int64, or float32 shares with ``normalize``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelConfusionMatrix
        >>> from fastmetrics.functional.classification import multilabel_confusion_matrix
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelConfusionMatrix(num_labels=3)(preds, target)
        tensor([[[1, 0],
                 [0, 1]],
        <BLANKLINE>
                [[1, 0],
                 [1, 0]],
        <BLANKLINE>
                [[0, 1],
                 [0, 1]]])
        >>> multilabel_confusion_matrix(preds, target, num_labels=3, normalize="all")[0]
        tensor([[0.5000, 0.0000],
                [0.0000, 0.5000]])
    """

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("normalize", normalize, arguments.NORMALIZATIONS)
        super().__init__(num_labels, threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.normalize = normalize

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return formulas.normalized(formulas.of_labels(counts), self.normalize)


class ConfusionMatrix(TaskMetric):
    """Confusion matrix of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import ConfusionMatrix
        >>> ConfusionMatrix(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor([[1, 1, 0],
                [0, 1, 0],
                [0, 0, 1]])
    """

    tasks = {
        "binary": BinaryConfusionMatrix,
        "multiclass": MulticlassConfusionMatrix,
        "multilabel": MultilabelConfusionMatrix,
    }
