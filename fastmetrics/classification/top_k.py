# SPDX-License-Identifier: Apache-2.0
"""Metrics of the rank that the target has among the scores of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import MulticlassTask
from fastmetrics.formulas.counts import of_top_k
from fastmetrics.formulas.ranks import mean_reciprocal_rank, mean_reciprocal_rank_of_classes, top_k_shares
from fastmetrics.formulas.ratios import DROP_ABSENT, DROP_UNTARGETED, RECALL, average_ratio
from fastmetrics.intervals import SharesOfValue
from fastmetrics.statistics import MulticlassStatistics


class _Ranked(MulticlassTask):
    """A metric of the ranks of targets.

    Inputs:
        preds: float scores ``[N, C, ...]``. Of equal scores the lower class comes first, and NaN comes before all.
    """

    example_batch = (
        "torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25], [0.2, 0.5, 0.3]]),"
        " torch.tensor([0, 0, 1, 2])"
    )


class TopKAccuracy(_Ranked):
    """The share of targets among the k greatest scores, for every k from one read of the scores.

    It is ``MulticlassAccuracy(top_k=k)`` for each k.

    Args:
        k: an integer, or several; each in [1, C].
        average: ``micro`` is the share of all samples, from a histogram of ranks of size C; ``macro`` is the mean over
            the classes that occur, ``weighted`` their mean by how often they are the target, ``none`` or None gives a
            value for each class; these need counts of size C times the greatest k.

    Returns:
        float32: ``()`` for one k, ``(K,)`` for a sequence of K; without an average ``(C,)`` or ``(K, C)``.
    """

    plot_legend_name = "k"
    example = {"k=(1, 2, 3)": "[0.2500, 0.7500, 1.0000]", "k=2, average=None": "[0.5000, 1.0000, 1.0000]"}

    def __init__(
        self,
        num_classes: int,
        k: int | Sequence[int] = 1,
        average: str | None = "micro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        ks = (k,) if isinstance(k, int) else tuple(k)
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
            if not ks:
                raise ValueError("Expected argument `k` to name at least one k, but it is empty")
            for each in ks:
                arguments.top_k(each, num_classes, name="k")
            arguments.one_of("average", average, arguments.AVERAGES)
        together = average == "micro"
        statistics = MulticlassStatistics(
            num_classes,
            counts=not together,
            top_k=1 if together else max(ks),
            rank_histogram=together,
            ignore_index=ignore_index,
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes
        self.k = k
        self.average = average

    def formula(
        self, rank_histogram: Tensor | None = None, counts: Tensor | None = None, ranks: Tensor | None = None
    ) -> Tensor:
        """From int64 [C], or [C, 3] and [C, K, 2]."""
        ks = (self.k,) if isinstance(self.k, int) else tuple(self.k)
        if rank_histogram is not None:
            values = top_k_shares(rank_histogram, ks)
        else:
            assert counts is not None
            values = torch.stack([self._averaged(counts, ranks, k) for k in ks])
        return values.squeeze(0) if isinstance(self.k, int) else values

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        ks = (self.k,) if isinstance(self.k, int) else tuple(self.k)
        if "rank_histogram" in self._statistics.shapes:
            within = states["rank_histogram"].cumsum(0)
            hits, samples = torch.stack([within[k - 1] for k in ks]), within[-1]
        elif self.each_row:
            counts, ranks = states["counts"], states.get("ranks")
            tables = [counts if ranks is None else of_top_k(counts, ranks, k) for k in ks]
            hits, samples = torch.stack([table[:, 0] for table in tables]), counts[:, 2]
        else:
            return None
        return (hits.squeeze(0) if isinstance(self.k, int) else hits, samples), None

    def _averaged(self, counts: Tensor, ranks: Tensor | None, k: int) -> Tensor:
        table = counts if ranks is None else of_top_k(counts, ranks, k)
        return average_ratio(RECALL, table, self.average, drop=DROP_UNTARGETED if k > 1 else DROP_ABSENT)


class MeanReciprocalRank(_Ranked):
    r"""The mean of 1 / rank of the target among the scores, :math:`\frac1N \sum_i \frac1{r_i}`; 1 is the best rank.

    Sums are of exact counts: of each rank, and with another average than ``micro`` of each rank of each class.

    Args:
        average: ``micro`` is the mean over all samples, from a histogram of ranks of size C; ``macro`` is the mean over
            the classes that occur, ``weighted`` their mean by how often they are the target, ``none`` or None gives a
            value for each class, 0 for one that does not occur; these need counts of size C times C.

    Returns:
        float32 ``()``, 0 without samples; without an average ``(C,)``.
    """

    plot_legend_name = None
    example = {"": "0.5833", 'average="macro"': "0.5556", "average=None": "[0.6667, 0.5000, 0.5000]"}

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        average: str | None = "micro",
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
            arguments.one_of("average", average, arguments.AVERAGES)
        together = average == "micro"
        statistics = MulticlassStatistics(
            num_classes,
            counts=not together,
            top_k=1 if together else num_classes,
            rank_histogram=together,
            ignore_index=ignore_index,
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes
        self.average = average

    def formula(
        self, rank_histogram: Tensor | None = None, counts: Tensor | None = None, ranks: Tensor | None = None
    ) -> Tensor:
        """From int64 [C], or [C, 3] and [C, C, 2]."""
        if rank_histogram is not None:
            return mean_reciprocal_rank(rank_histogram)
        assert ranks is not None
        return mean_reciprocal_rank_of_classes(ranks[..., 0], self.average)
