# SPDX-License-Identifier: Apache-2.0
"""Hinge loss."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.errors import mean_error
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import HingeStatistics

MODES = ("crammer-singer", "one-vs-all")


class _HingeLoss(StatisticMetric):
    """Sums are float64; values have the metric's dtype (``set_dtype``), those of a function the dtype of the scores."""

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(
        self, statistics: HingeStatistics, squared: bool, ignore_index: int | None, validate_args: bool, **kwargs: Any
    ) -> None:
        if validate_args:
            if not isinstance(squared, bool):
                raise ValueError(f"Expected argument `squared` to be an bool but got {squared}")
            arguments.ignore_index(ignore_index)
        super().__init__(statistics, **kwargs)
        self.squared = squared
        self.ignore_index = ignore_index
        self.validate_args = validate_args

    def formula(self, hinge: Tensor, count: Tensor) -> Tensor:
        """The mean; NaN without samples."""
        return mean_error(hinge, count).to(self._dtype)

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch in the dtype of the scores."""
        statistics, batch = self._for_function(args, kwargs)
        return self.formula(**self._states_of(statistics, batch)).to(batch[0][0].dtype)


class BinaryHingeLoss(_HingeLoss):
    r"""Mean hinge loss, :math:`\max(0, 1 - y \hat{y})` with :math:`y` 1 or -1, of binary scores.

    Args:
        squared: whether losses are squared.
        ignore_index: samples with this target are skipped.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` are scores of a floating type, ``target`` is 0/1, of one shape ``(N, ...)``. If any score of a batch lies
    outside [0, 1], all are logits and their sigmoid is taken. Everything is computed in float64: the relative error of
    the value is about 1e-15 before it is rounded. Gradients flow through ``forward`` and the functional form.

    Raises:
        ValueError: arguments that do not fit, or labels instead of scores.
        RuntimeError: different shapes, or targets other than 0 and 1.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryHingeLoss
        >>> from fastmetrics.functional.classification import binary_hinge_loss
        >>> preds, target = torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1])
        >>> BinaryHingeLoss()(preds, target)
        tensor(0.6900)
        >>> binary_hinge_loss(preds, target, squared=True)
        tensor(0.6905)
    """

    def __init__(
        self,
        squared: bool = False,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        statistics = HingeStatistics(squared=squared, ignore_index=ignore_index, validate=validate_args)
        super().__init__(statistics, squared, ignore_index, validate_args, **kwargs)


class MulticlassHingeLoss(_HingeLoss):
    r"""Mean hinge loss, :math:`\max(0, 1 - \hat{y}_y + \max_{i \ne y} \hat{y}_i)`, of class scores; or one a class.

    Args:
        num_classes: C.
        squared: whether losses are squared.
        multiclass_mode: ``crammer-singer`` is the loss above; ``one-vs-all`` takes each class against all others, as
            :class:`BinaryHingeLoss` does, and gives a value for each, (C,).
        ignore_index: samples with this target are skipped.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` are scores ``(N, C, ...)`` of a floating type, ``target`` is ``(N, ...)``. If any score of a batch lies
    outside [0, 1], all are logits and their softmax is taken. Numeric error and gradients are those of
    :class:`BinaryHingeLoss`.

    Raises:
        ValueError: arguments or shapes that do not fit, or labels instead of scores.
        RuntimeError: targets that are no class.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassHingeLoss
        >>> from fastmetrics.functional.classification import multiclass_hinge_loss
        >>> preds = torch.tensor([[0.25, 0.20, 0.55], [0.55, 0.05, 0.40], [0.10, 0.30, 0.60], [0.90, 0.05, 0.05]])
        >>> target = torch.tensor([0, 1, 2, 0])
        >>> MulticlassHingeLoss(num_classes=3)(preds, target)
        tensor(0.9125)
        >>> multiclass_hinge_loss(preds, target, num_classes=3, multiclass_mode="one-vs-all")
        tensor([0.8750, 1.1250, 1.1000])
    """

    plot_legend_name = "Class"

    def __init__(
        self,
        num_classes: int,
        squared: bool = False,
        multiclass_mode: str = "crammer-singer",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
            arguments.one_of("multiclass_mode", multiclass_mode, MODES)
        statistics = HingeStatistics(
            num_classes,
            squared=squared,
            one_vs_all=multiclass_mode == "one-vs-all",
            ignore_index=ignore_index,
            validate=validate_args,
        )
        super().__init__(statistics, squared, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes
        self.multiclass_mode = multiclass_mode


HINGE = ("num_classes", "squared", "multiclass_mode", "ignore_index", "validate_args")


class HingeLoss(TaskMetric, names=HINGE):
    """Hinge loss of binary or multiclass scores.

    Example:
        >>> import torch
        >>> from fastmetrics import HingeLoss
        >>> HingeLoss(task="binary")(torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1]))
        tensor(0.6900)
    """

    tasks = {"binary": BinaryHingeLoss, "multiclass": MulticlassHingeLoss}
