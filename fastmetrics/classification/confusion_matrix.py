# SPDX-License-Identifier: Apache-2.0
"""Confusion matrices, row = target, column = prediction."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.plot import plot_confusion_matrix

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas import confusion as formulas


class ConfusionMatrix(Family):
    """Confusion matrix: how often each class was predicted for each target; row = target, column = prediction."""

    constants = dict.fromkeys(("higher_is_better", "plot_lower_bound", "plot_upper_bound", "plot_legend_name"))
    example = {
        "binary": {"": "[[2, 1], [1, 2]]", 'normalize="true"': "[[0.6667, 0.3333], [0.3333, 0.6667]]"},
        "multiclass": {
            "": "[[1, 1, 0], [0, 1, 0], [0, 0, 1]]",
            'normalize="true"': "[[0.5000, 0.5000, 0.0000], [0.0000, 1.0000, 0.0000], [0.0000, 0.0000, 1.0000]]",
        },
        "multilabel": {"": "[[[1, 0], [0, 1]], [[1, 0], [1, 0]], [[0, 1], [0, 1]]]"},
    }


class _Matrix(TaskMetric):
    """A confusion matrix.

    Args:
        normalize: ``true`` divides by the sums of rows, ``pred`` by those of columns, ``all`` by the sum; ``none`` or
            None counts. A class without samples gives zeros, and a warning.
    """

    def __init__(self, *args: Any, normalize: str | None, **kwargs: Any) -> None:
        arguments.one_of("normalize", normalize, arguments.NORMALIZATIONS)
        super().__init__(*args, **kwargs)
        self.normalize = normalize

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


class BinaryConfusionMatrix(_Matrix, BinaryConfusion, family=ConfusionMatrix):
    """Confusion matrix of binary decisions.

    Returns:
        ``(2, 2)``: int64, or float32 shares with ``normalize``.
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
        super().__init__(threshold, ignore_index, validate_args, normalize=normalize, logits=logits, **kwargs)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return formulas.normalized(formulas.of_labels(counts.squeeze(-2)), self.normalize)


class MulticlassConfusionMatrix(_Matrix, MulticlassConfusion, family=ConfusionMatrix):
    """Confusion matrix of several classes.

    Returns:
        ``(C, C)``: int64, or float32 shares with ``normalize``.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, ignore_index, validate_args, normalize=normalize, confusion=True, **kwargs)

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return formulas.normalized(confusion, self.normalize)


class MultilabelConfusionMatrix(_Matrix, MultilabelConfusion, family=ConfusionMatrix):
    """Confusion matrix of each label.

    Returns:
        ``(L, 2, 2)``: int64, or float32 shares with ``normalize``.
    """

    each_row = True

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
        options = (threshold, ignore_index, validate_args)
        super().__init__(num_labels, *options, normalize=normalize, logits=logits, **kwargs)

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return formulas.normalized(formulas.of_labels(counts), self.normalize)
