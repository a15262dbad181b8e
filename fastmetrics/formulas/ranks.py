# SPDX-License-Identifier: Apache-2.0
"""Formulas of histograms of ranks: how many targets have rank 0 (the greatest score), 1 …; int64 or float64 [C]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def top_k_shares(rank_histogram: Tensor, ks: Sequence[int]) -> Tensor:
    """The share of ranks below each k, float32 [len(ks)]; 0 without samples."""
    within = rank_histogram.cumsum(0)
    total = within[-1]
    hits = torch.stack([within[k - 1] for k in ks]).double()
    return torch.where(total == 0, 0.0, hits / total).float()


def mean_reciprocal_rank(rank_histogram: Tensor) -> Tensor:
    """The mean of 1 / (rank + 1), float32 []; 0 without samples."""
    return _mean_reciprocal_ranks(rank_histogram).float()


def mean_reciprocal_rank_of_classes(rank_histograms: Tensor, average: str | None) -> Tensor:
    """The same of the targets of each class, averaged over those that occur; 0 if none does.

    Args:
        rank_histograms: [C, C], row = target.
        average: ``macro``, ``weighted`` by their number of targets, or ``none`` or None: float32 [C].
    """
    values = _mean_reciprocal_ranks(rank_histograms)
    if average in ("none", None):
        return values.float()
    targets = rank_histograms.sum(-1).double()
    weights = (targets > 0).double() if average == "macro" else targets
    total = weights.sum()
    return torch.where(total == 0, 0.0, (values * weights).sum() / total).float()


def _mean_reciprocal_ranks(rank_histograms: Tensor) -> Tensor:
    """Of histograms [..., C], float64 [...]; 0 without samples."""
    counts = rank_histograms.double()
    total = counts.sum(-1)
    rank = torch.arange(1, counts.shape[-1] + 1, dtype=torch.float64, device=counts.device)
    return torch.where(total == 0, 0.0, (counts / rank).sum(-1) / total)
