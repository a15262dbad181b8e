# SPDX-License-Identifier: Apache-2.0
"""Formulas of a histogram of ranks: how many targets have rank 0 (the greatest score), 1 …; int64 or float64 [C]."""

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
    counts = rank_histogram.double()
    total = counts.sum()
    rank = torch.arange(1, counts.shape[0] + 1, dtype=torch.float64, device=counts.device)
    return torch.where(total == 0, 0.0, (counts / rank).sum() / total).float()
