# SPDX-License-Identifier: Apache-2.0
"""What the pure-torch bodies of the passes share."""

from __future__ import annotations

import torch
from torch import Tensor

# The length of a faults tensor, int64:
#   [0] how many targets were out of range      [1] the first of them
#   [2] how many predictions were out of range  [3] the first of them
#   [4] how many weights were out of range      [5] the bits of the first of them
#   [6:13] scratch of the kernels, zero between calls
FAULTS = 13


def record_faults(faults: Tensor | None, offset: int, bad: Tensor, values: Tensor) -> None:
    """Add the values marked by ``bad`` to ``faults``, keeping the first one ever seen.

    Args:
        faults: int64 [FAULTS], or None to record nothing.
        offset: 0 for targets, 2 for predictions, 4 for weights.
        bad: bool, any shape; logical order is batch order.
        values: same shape as ``bad``.
    """
    if faults is None or bad.numel() == 0:
        return
    bad = bad.reshape(-1)
    order = torch.arange(bad.numel(), device=bad.device)
    first = torch.where(bad, order, bad.numel() - 1).amin().reshape(1)
    # small unsigned integers have no index_select
    values = values if values.dtype == torch.float64 else values.to(torch.int64)
    value = values.reshape(-1).index_select(0, first).view(torch.int64)
    fresh = (faults[offset] == 0) & bad.any()
    faults[offset + 1 : offset + 2] = torch.where(fresh, value, faults[offset + 1 : offset + 2])
    faults[offset] += bad.sum()


def add_at(state: Tensor, index: Tensor, weight: Tensor) -> None:
    """``state.view(-1)[index] += weight`` with repeated indices, without synchronising.

    Args:
        state: int64 or float64, contiguous.
        index: int64, any shape, in [0, state.numel()).
        weight: of any dtype, same shape: 0 leaves the state as it is.
    """
    state.view(-1).scatter_add_(0, index.reshape(-1), weight.reshape(-1).to(state.dtype))


def bad_weights(faults: Tensor | None, weights: Tensor, counted: Tensor) -> Tensor:
    """Where a weight is negative, infinite or NaN, among the ``counted``; they go to ``faults``."""
    bad = counted & ~((weights >= 0) & (weights < torch.inf))
    record_faults(faults, 4, bad, weights)
    return bad
