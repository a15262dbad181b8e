# SPDX-License-Identifier: Apache-2.0
"""Brier score and log loss."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask, MultilabelTask, TaskMetric
from fastmetrics.classification.calibration import ClassScores
from fastmetrics.classification.family import Family
from fastmetrics.formulas.calibration import average_of_columns
from fastmetrics.statistics.base import Inputs
from fastmetrics.statistics.proper_scores import ProperScoreStatistics

AVERAGES = ("micro", "macro", "none", None)


class BrierScore(Family):
    r"""Brier score: the mean squared difference of probabilities and what is so; NaN without samples.

    .. math:: \frac1N \sum_i (p_i - y_i)^2 \qquad \frac1N \sum_i \sum_c (p_{ic} - [y_i = c])^2

    The first is that of binary samples and of labels, in [0, 1]; the second that of class scores, in [0, 2], as
    scikit-learn has it. All is computed in float64: the relative error is about 1e-15 before the value is rounded.
    Gradients flow through ``forward`` and the functional form. Source: Brier, Verification of forecasts expressed in
    terms of probability, Monthly Weather Review, 1950.
    """

    constants = {"sum_name": "brier", "is_differentiable": True, "higher_is_better": False}
    defaults = {"average": "macro"}
    example = {
        "binary": {"": "0.0905"},
        "multiclass": {"": "0.6363"},
        "multilabel": {"": "0.2254", "average=None": "[0.1325, 0.3125, 0.2313]"},
        "family": {"": "0.6363"},
    }


class LogLoss(Family):
    r"""Log loss: the mean negative logarithm of the probability of what is so, in nats; NaN without samples.

    .. math:: -\frac1N \sum_i \log p_i(y_i)

    Probabilities are clipped to [eps, 1 - eps] of their dtype, as scikit-learn does. The loss of logits is computed
    without their probabilities and has no such bound: that of a target whose logit is -inf is inf. All is computed in
    float64: the relative error is about 1e-15 before the value is rounded. Gradients flow through ``forward`` and the
    functional form. Source: Good, Rational decisions, Journal of the Royal Statistical Society, 1952.
    """

    constants = {"sum_name": "log_loss", "is_differentiable": True, "higher_is_better": False}
    defaults = {"average": "macro"}
    example = {
        "binary": {"": "0.3497"},
        "multiclass": {"": "1.2496"},
        "multilabel": {"": "0.6387", "average=None": "[0.4428, 0.8370, 0.6365]"},
        "family": {"": "1.2496"},
    }


class _Mean(TaskMetric):
    """A mean of scores of samples.

    Inputs:
        weights: what a sample counts instead of 1: of the shape of ``target`` or of its first dimensions, of any real
            dtype, finite and at least 0.

    Raises:
        RuntimeError: inputs on different devices; targets out of range, or scores that are no probabilities, which are
            not counted: at once on the CPU, and at ``compute`` or ``forward`` on other devices.
    """

    plot_upper_bound: float | None = None
    sum_name: ClassVar[str]
    average: str | None = "micro"

    def _start(
        self, columns: int, ignore_index: int | None, validate_args: bool, logits: bool | None, **kwargs: Any
    ) -> None:
        """The constructor."""
        arguments.logits(logits)
        statistics = ProperScoreStatistics(
            self.task_name,
            columns,
            names=(self.sum_name,),
            logits=logits,
            ignore_index=ignore_index,
            validate=validate_args,
        )
        TaskMetric.__init__(self, statistics, ignore_index, validate_args, **kwargs)
        self.logits = logits

    def formula(self, count: Tensor, brier: Tensor | None = None, log_loss: Tensor | None = None) -> Tensor:
        """The mean; NaN without samples."""
        total = log_loss if brier is None else brier
        assert total is not None
        if self.average == "micro":
            value = total.sum() / count.sum()
        else:
            value = average_of_columns(total / count, count, self.average)
        return value.to(self._dtype)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return inputs[0].dtype


class _BinaryMean(_Mean, BinaryTask):
    """A mean of scores of binary samples.

    Inputs:
        preds: probabilities or logits ``[N, ...]`` of a floating type.
        target: 0/1 labels of the same shape.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, of the dtype of the scores.
    """

    example_batch = "torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1])"

    def __init__(
        self,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(1, ignore_index, validate_args, logits, **kwargs)


class _MulticlassMean(_Mean, ClassScores):
    """A mean of scores of samples with class scores.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, of the dtype of the scores.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
        self._start(num_classes, ignore_index, validate_args, logits, **kwargs)
        self.num_classes = num_classes


class _MultilabelMean(_Mean, MultilabelTask):
    """A mean of scores of labels.

    Args:
        average: ``micro`` is the mean over all elements; ``macro`` that over labels that have samples; ``none`` or None
            gives a value for each label.

    Inputs:
        preds: probabilities or logits ``[N, L, ...]`` of a floating type.
        target: 0/1 labels of the same shape.

    Returns:
        ``()``, or ``(L,)`` without an average, of the metric's dtype (``set_dtype``); from the function, of the dtype
        of the scores.
    """

    example_batch = "torch.tensor([[0.75, 0.25, 0.35], [0.45, 0.75, 0.20]]), torch.tensor([[1, 0, 1], [0, 0, 0]])"

    def __init__(
        self,
        num_labels: int,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.one_of("average", average, AVERAGES)
        self._start(num_labels, ignore_index, validate_args, logits, **kwargs)
        self.num_labels = num_labels
        self.average = average


class BinaryBrierScore(_BinaryMean, family=BrierScore):
    """Brier score of probabilities of the class 1."""


class MulticlassBrierScore(_MulticlassMean, family=BrierScore):
    """Brier score of class probabilities, summed over classes."""


class MultilabelBrierScore(_MultilabelMean, family=BrierScore):
    """Brier score of the probabilities of each label, averaged."""


class BinaryLogLoss(_BinaryMean, family=LogLoss):
    """Log loss of probabilities of the class 1."""


class MulticlassLogLoss(_MulticlassMean, family=LogLoss):
    """Log loss of class probabilities."""


class MultilabelLogLoss(_MultilabelMean, family=LogLoss):
    """Log loss of the probabilities of each label, averaged."""
