# SPDX-License-Identifier: Apache-2.0
"""How relevant labels rank among all labels of a sample."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import MultilabelTask
from fastmetrics.statistics import RankingStatistics
from fastmetrics.statistics.base import Inputs


class _Ranking(MultilabelTask):
    """The mean of a measure of samples.

    Args:
        ignore_index: labels with this target are left out of their sample.

    Inputs:
        preds: scores ``[N, L, ...]`` of a floating type, probabilities or logits; only their order matters, NaN is the
            greatest. Further dimensions are samples too.
        target: 0/1 labels of the same shape. A sample with another value, or without any valid label, is not counted.
        weights: what a sample counts instead of 1, one for all of its labels: ``[N, ...]`` or ``[N]``, of any real
            dtype, finite and at least 0.

    Returns:
        float32 ``()`` (or what ``set_dtype`` says), NaN without samples; computed in float64.
    """

    example_batch = "torch.tensor([[0.9, 0.4, 0.7], [0.2, 0.8, 0.1]]), torch.tensor([[1, 1, 0], [0, 1, 0]])"

    #: The statistic whose mean over samples is the value.
    measure: ClassVar[str]

    def __init__(
        self, num_labels: int, ignore_index: int | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
        asked = {self.measure: True}
        statistics = RankingStatistics(num_labels, ignore_index=ignore_index, validate=validate_args, **asked)
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_labels = num_labels

    def formula(self, count: Tensor, **measures: Tensor) -> Tensor:
        """The mean."""
        return (measures[self.measure] / count).to(self._dtype)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return torch.float32


class MultilabelCoverageError(_Ranking):
    """How far to go down the ranked labels to cover all relevant ones, averaged over samples.

    The best value is the mean number of relevant labels. A sample without relevant labels counts 0; labels with equal
    scores are covered together. Sums are exact up to 2^53 labels.

    Source: Tsoumakas, Katakis, Vlahavas, Mining multi-label data, 2010.
    """

    higher_is_better = False
    measure = "coverage"
    example = {"": "2."}


class MultilabelRankingAveragePrecision(_Ranking):
    """Label ranking average precision: of the labels ranked no lower than a relevant one, the share of relevant ones.

    It is averaged over the relevant labels of a sample and then over samples; the best value is 1. A sample without
    relevant labels counts 1; labels with equal scores have the same rank.

    Source: Tsoumakas, Katakis, Vlahavas, Mining multi-label data, 2010.
    """

    measure = "average_precision"
    example = {"": "0.9167"}


class MultilabelRankingLoss(_Ranking):
    """The share of the pairs of a relevant and an irrelevant label that are in the wrong order, averaged over samples.

    The best value is 0. A sample without such pairs counts 0. Of a pair with equal scores, the label of the higher
    index comes first.

    Source: Tsoumakas, Katakis, Vlahavas, Mining multi-label data, 2010.
    """

    higher_is_better = False
    measure = "ranking_loss"
    example = {"": "0.2500"}
