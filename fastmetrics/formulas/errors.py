# SPDX-License-Identifier: Apache-2.0
"""Means of error sums."""

from __future__ import annotations

from torch import Tensor


def mean_error(error: Tensor, count: Tensor) -> Tensor:
    """The error sum float64 [D] over the number of pairs: [D], or [] for one output; NaN without pairs."""
    mean = error / count
    return mean.squeeze(0) if mean.numel() == 1 else mean
