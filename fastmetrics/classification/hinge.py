# SPDX-License-Identifier: Apache-2.0
"""Hinge loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask, MulticlassTask, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas.errors import mean_error
from fastmetrics.statistics import HingeStatistics
from fastmetrics.statistics.base import Inputs

MODES = ("crammer-singer", "one-vs-all")


class HingeLoss(Family):
    """Hinge loss of scores, a mean over samples; NaN without any.

    If any score of a batch lies outside [0, 1], all are logits, and their sigmoid or softmax is taken. Everything is
    computed in float64: the relative error of the value is about 1e-15 before it is rounded. Gradients flow through
    ``forward`` and the functional form.
    """

    constants = {"is_differentiable": True, "higher_is_better": False}
    example = {
        "binary": {"": "0.6900", "squared=True": "0.6905"},
        "multiclass": {"": "0.9125", 'multiclass_mode="one-vs-all"': "[0.8750, 1.1250, 1.1000]"},
    }


class _HingeLoss(TaskMetric):
    """A mean of hinge losses.

    Args:
        squared: whether losses are squared.
    """

    def __init__(
        self, statistics: HingeStatistics, squared: bool, ignore_index: int | None, validate_args: bool, **kwargs: Any
    ) -> None:
        if validate_args and not isinstance(squared, bool):
            raise ValueError(f"Expected argument `squared` to be an bool but got {squared}")
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.squared = squared

    def formula(self, hinge: Tensor, count: Tensor) -> Tensor:
        """The mean; NaN without samples."""
        return mean_error(hinge, count).to(self._dtype)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return inputs[0].dtype


class BinaryHingeLoss(_HingeLoss, BinaryTask, family=HingeLoss):
    r"""Mean hinge loss, :math:`\max(0, 1 - y \hat{y})` with :math:`y` 1 or -1, of binary scores.

    Inputs:
        preds: scores ``[N, ...]`` of a floating type.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, of the dtype of the scores.
    """

    example_batch = "torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1])"

    def __init__(
        self,
        squared: bool = False,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        statistics = HingeStatistics(squared=squared, ignore_index=ignore_index, validate=validate_args)
        super().__init__(statistics, squared, ignore_index, validate_args, **kwargs)


class MulticlassHingeLoss(_HingeLoss, MulticlassTask, family=HingeLoss):
    r"""Mean hinge loss, :math:`\max(0, 1 - \hat{y}_y + \max_{i \ne y} \hat{y}_i)`, of class scores; or one a class.

    Args:
        multiclass_mode: ``crammer-singer`` is the loss above; ``one-vs-all`` takes each class against all others, as
            :class:`~fastmetrics.classification.BinaryHingeLoss` does, and gives a value for each.

    Inputs:
        preds: scores ``[N, C, ...]`` of a floating type.

    Returns:
        ``()``, or ``(C,)`` one-vs-all, of the metric's dtype (``set_dtype``); from the function, of the dtype of the
        scores.
    """

    example_batch = (
        "torch.tensor([[0.25, 0.20, 0.55], [0.55, 0.05, 0.40], [0.10, 0.30, 0.60], [0.90, 0.05, 0.05]]),"
        " torch.tensor([0, 1, 2, 0])"
    )

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
