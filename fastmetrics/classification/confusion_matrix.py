# SPDX-License-Identifier: Apache-2.0
"""Confusion matrices, row = target, column = prediction."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.plot import plot_confusion_matrix

from fastmetrics import arguments
from fastmetrics.classification.task import CONFUSION, TaskMetric
from fastmetrics.formulas import confusion as formulas
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import BinaryStatistics, MulticlassStatistics
from fastmetrics.statistics.base import Statistics


class _ConfusionMatrix(StatisticMetric):
    is_differentiable = False

    def __init__(
        self,
        statistics: Statistics,
        normalize: str | None,
        ignore_index: int | None,
        validate_args: bool,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.ignore_index(ignore_index)
        arguments.one_of("normalize", normalize, arguments.NORMALIZATIONS)
        super().__init__(statistics, **kwargs)
        self.normalize = normalize
        self.ignore_index = ignore_index
        self.validate_args = validate_args

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


class BinaryConfusionMatrix(_ConfusionMatrix):
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
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
        # ignored elements are dropped before scores are read as probabilities or logits, as torchmetrics does here
        statistics = BinaryStatistics(
            threshold=threshold, ignore_index=ignore_index, ignored_decide=False, validate=validate_args
        )
        super().__init__(statistics, normalize, ignore_index, validate_args, **kwargs)
        self.threshold = threshold

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return formulas.normalized(formulas.of_labels(counts.squeeze(-2)), self.normalize)


class MulticlassConfusionMatrix(_ConfusionMatrix):
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
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
        statistics = MulticlassStatistics(
            num_classes, confusion=True, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, normalize, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return formulas.normalized(confusion, self.normalize)


class MultilabelConfusionMatrix(_ConfusionMatrix):
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
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.threshold(threshold)
        statistics = BinaryStatistics(
            num_labels, threshold=threshold, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, normalize, ignore_index, validate_args, **kwargs)
        self.num_labels = num_labels
        self.threshold = threshold

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return formulas.normalized(formulas.of_labels(counts), self.normalize)


class ConfusionMatrix(TaskMetric, names=CONFUSION):
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
