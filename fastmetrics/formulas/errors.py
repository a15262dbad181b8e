# SPDX-License-Identifier: Apache-2.0
"""Formulas of sums of errors."""

from __future__ import annotations

import torch
from torch import Tensor


def one_or_all(values: Tensor) -> Tensor:
    """[D], or [] for one output."""
    return values.squeeze(0) if values.numel() == 1 else values


def mean_error(error: Tensor, count: Tensor) -> Tensor:
    """The error sum float64 [D] divided by the weight of the pairs: [D], or [] for one output; NaN without pairs."""
    return one_or_all(error / count)


def relative_error(absolute_error: Tensor, absolute_target: Tensor, least: float) -> Tensor:
    """The absolute errors [D] divided by the absolute targets [D], or by ``least`` if it is greater: [D], or []."""
    return one_or_all(absolute_error / absolute_target.clamp(min=least))


def norm(powered_error: Tensor, p: float) -> Tensor:
    """The p-norm of the errors from the sum of their p-th powers [D]: [D], or []."""
    return one_or_all(powered_error.pow(1 / p))


def critical_success_index(events: Tensor) -> Tensor:
    """Hits divided by the sum of hits, misses and false alarms ``[..., 3]``: ``[...]``; 0 without any."""
    hits, total = events[..., 0], events.sum(-1)
    return torch.where(total == 0, 0.0, hits / total)
