# SPDX-License-Identifier: Apache-2.0
"""Cohen's kappa, the agreement beyond that of independent labels."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, Score
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.confusion import cohen_kappa, weighted_cohen_kappa

_WEIGHTS = ("linear", "quadratic", "none", None)


class BinaryCohenKappa(Score, BinaryConfusion):
    r"""Cohen's kappa, :math:`\frac{p_o - p_e}{1 - p_e}`, of binary decisions: float32 ``()``.

    Here :math:`p_o` is the share of equal labels and :math:`p_e` that of independent labels of the same frequencies.
    It is NaN if :math:`p_e` is 1, and without samples.

    Args:
        threshold: this and the others are those of :class:`~fastmetrics.classification.base.BinaryConfusion`.
        weights: ``linear``, ``quadratic``, ``none`` or None. Two labels are never farther apart than 1, so all of them
            are the same. The function calls weights of samples ``sample_weights``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryCohenKappa
        >>> from fastmetrics.functional.classification import binary_cohen_kappa
        >>> preds, target = torch.tensor([0.35, 0.85, 0.48, 0.01]), torch.tensor([1, 1, 0, 0])
        >>> BinaryCohenKappa()(preds, target)
        tensor(0.5000)
        >>> binary_cohen_kappa(preds, target)
        tensor(0.5000)
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("weights", weights, _WEIGHTS)
        super().__init__(threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.weights = weights

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return cohen_kappa(counts)


class MulticlassCohenKappa(Score, MulticlassConfusion):
    r"""Cohen's kappa, :math:`\frac{p_o - p_e}{1 - p_e}`: float32 ``()``.

    Here :math:`p_o` is the share of equal labels and :math:`p_e` that of independent labels of the same frequencies.
    It is NaN if :math:`p_e` is 1, and without samples. Without weights it needs memory in O(C); with them, the
    confusion matrix.

    Args:
        num_classes: this and the others are those of :class:`~fastmetrics.classification.base.MulticlassConfusion`.
        weights: how much a disagreement weighs: its distance (``linear``), the square of that (``quadratic``), or 1
            (``none`` or None). The function calls weights of samples ``sample_weights``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassCohenKappa
        >>> from fastmetrics.functional.classification import multiclass_cohen_kappa
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassCohenKappa(num_classes=3)(preds, target)
        tensor(0.6364)
        >>> multiclass_cohen_kappa(preds, target, num_classes=3, weights="quadratic")
        tensor(0.8000)
    """

    plot_legend_name = "Class"

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("weights", weights, _WEIGHTS)
        distance = weights in ("linear", "quadratic")
        super().__init__(num_classes, ignore_index, validate_args, confusion=distance, **kwargs)
        self.weights = weights

    def formula(self, counts: Tensor | None = None, confusion: Tensor | None = None) -> Tensor:
        """From int64 [C, 3], or with weights [C, C]."""
        if counts is not None:
            return cohen_kappa(counts)
        assert confusion is not None
        assert self.weights is not None
        return weighted_cohen_kappa(confusion, self.weights)


class CohenKappa(TaskMetric):
    """Cohen's kappa of binary or multiclass input.

    Example:
        >>> import torch
        >>> from fastmetrics import CohenKappa
        >>> CohenKappa(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.6364)
    """

    tasks = {"binary": BinaryCohenKappa, "multiclass": MulticlassCohenKappa}
