# SPDX-License-Identifier: Apache-2.0
"""How relevant labels rank among all labels of a sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import RankingStatistics


class _Ranking(StatisticMetric):
    """The mean of one figure of the rows; which one is the name of its statistic."""

    is_differentiable = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    plot_legend_name = "Label"

    def __init__(
        self, num_labels: int, ignore_index: int | None, validate_args: bool, asked: dict[str, bool], **kwargs: Any
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.ignore_index(ignore_index)
        super().__init__(
            RankingStatistics(num_labels, ignore_index=ignore_index, validate=validate_args, **asked), **kwargs
        )
        self.num_labels = num_labels
        self.ignore_index = ignore_index
        self.validate_args = validate_args

    def _mean(self, figure: Tensor, count: Tensor) -> Tensor:
        return (figure / count).to(self._dtype)  # NaN without rows

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch, float32."""
        value: Tensor = super().evaluate(*args, **kwargs)
        return value.to(torch.float32)


class MultilabelCoverageError(_Ranking):
    """How far to go down the ranked labels to cover all relevant ones, averaged over samples.

    The best value is the mean number of relevant labels. A sample without relevant labels counts 0; ties are gone down
    together.

    Args:
        num_labels: L.
        ignore_index: labels with this target are left out of their sample.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` are scores ``(N, L, ...)`` of a floating type, probabilities or logits; only their order matters, NaN is
    the greatest. ``target`` is 0/1 of the same shape. Further dimensions are samples of their own. Sums are float64,
    exact up to 2^53 labels; the value is float32 (or what ``set_dtype`` says). Weights are one for all labels of a
    sample, ``(N, ...)`` or ``(N,)``. A sample with a target out of range, or without any valid label, is not counted.

    Raises:
        ValueError: arguments or sizes that do not fit, or labels instead of scores.
        RuntimeError: different shapes, or targets other than 0 and 1.

    Source: Tsoumakas, Katakis, Vlahavas, Mining multi-label data, 2010.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelCoverageError
        >>> from fastmetrics.functional.classification import multilabel_coverage_error
        >>> preds, target = torch.tensor([[0.9, 0.4, 0.7], [0.2, 0.8, 0.1]]), torch.tensor([[1, 1, 0], [0, 1, 0]])
        >>> MultilabelCoverageError(num_labels=3)(preds, target)
        tensor(2.)
        >>> multilabel_coverage_error(preds, target, num_labels=3)
        tensor(2.)
    """

    higher_is_better = False

    def __init__(
        self, num_labels: int, ignore_index: int | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(num_labels, ignore_index, validate_args, {"coverage": True}, **kwargs)

    def formula(self, coverage: Tensor, count: Tensor) -> Tensor:
        """The mean."""
        return self._mean(coverage, count)


class MultilabelRankingAveragePrecision(_Ranking):
    """Label ranking average precision: of the labels ranked no lower than a relevant one, the share of relevant ones.

    It is averaged over the relevant labels of a sample and then over samples; the best value is 1. A sample without
    relevant labels counts 1; ties rank together.

    Args:
        num_labels: L.
        ignore_index: labels with this target are left out of their sample.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs, weights, errors and source are those of :class:`MultilabelCoverageError`. The relative error of the value is
    about 1e-15 before it is rounded to float32.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelRankingAveragePrecision
        >>> from fastmetrics.functional.classification import multilabel_ranking_average_precision
        >>> preds, target = torch.tensor([[0.9, 0.4, 0.7], [0.2, 0.8, 0.1]]), torch.tensor([[1, 1, 0], [0, 1, 0]])
        >>> MultilabelRankingAveragePrecision(num_labels=3)(preds, target)
        tensor(0.9167)
        >>> multilabel_ranking_average_precision(preds, target, num_labels=3)
        tensor(0.9167)
    """

    higher_is_better = True

    def __init__(
        self, num_labels: int, ignore_index: int | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(num_labels, ignore_index, validate_args, {"average_precision": True}, **kwargs)

    def formula(self, average_precision: Tensor, count: Tensor) -> Tensor:
        """The mean."""
        return self._mean(average_precision, count)


class MultilabelRankingLoss(_Ranking):
    """The share of the pairs of a relevant and an irrelevant label that are in the wrong order, averaged over samples.

    The best value is 0. A sample without such pairs counts 0. Of a pair with equal scores, the label of the higher
    index comes first.

    Args:
        num_labels: L.
        ignore_index: labels with this target are left out of their sample.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs, weights, errors and source are those of :class:`MultilabelCoverageError`. The relative error of the value is
    about 1e-15 before it is rounded to float32.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelRankingLoss
        >>> from fastmetrics.functional.classification import multilabel_ranking_loss
        >>> preds, target = torch.tensor([[0.9, 0.4, 0.7], [0.2, 0.8, 0.1]]), torch.tensor([[1, 1, 0], [0, 1, 0]])
        >>> MultilabelRankingLoss(num_labels=3)(preds, target)
        tensor(0.2500)
        >>> multilabel_ranking_loss(preds, target, num_labels=3)
        tensor(0.2500)
    """

    higher_is_better = False

    def __init__(
        self, num_labels: int, ignore_index: int | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(num_labels, ignore_index, validate_args, {"ranking_loss": True}, **kwargs)

    def formula(self, ranking_loss: Tensor, count: Tensor) -> Tensor:
        """The mean."""
        return self._mean(ranking_loss, count)
