# SPDX-License-Identifier: Apache-2.0
"""The record of faults: how many values of a batch were out of range, and the first of them.

Its twin for the kernels is ``csrc/common/faults.h``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native import operators, transforms

# The length of a faults tensor, int64:
#   [0] how many targets were out of range      [1] the first of them
#   [2] how many predictions were out of range  [3] the first of them
#   [4] how many weights were out of range      [5] the bits of the first of them
#   [6] how many groups were out of range       [7] the first of them
#   [8:15] scratch of the kernels, zero between calls
FAULTS = 15
KINDS = (0, 2, 4, 6)  # where the counts are

#: Whether a record is known to be empty without waiting for a device.
is_zero = operators.is_zero


def record_faults(faults: Tensor | None, offset: int, bad: Tensor, values: Tensor) -> None:
    """Add the values marked by ``bad`` to ``faults``, keeping the first one ever seen.

    Args:
        faults: int64 [FAULTS], or None to record nothing.
        offset: 0 for targets, 2 for predictions, 4 for weights, 6 for groups.
        bad: bool, any shape; logical order is batch order.
        values: same shape as ``bad``.
    """
    if faults is None or bad.numel() == 0:
        return
    if transforms.active():  # one record serves all samples of vmap
        bad, values = (transforms.samples(transforms.like_inputs(v, bad, values)) for v in (bad, values))
    bad = bad.reshape(-1)
    number = bad.sum()
    if operators.eager_on_cpu(number) and is_zero(number):
        return
    order = torch.arange(bad.numel(), device=bad.device)
    first = torch.where(bad, order, bad.numel() - 1).amin().reshape(1)
    # small unsigned integers have no index_select
    values = values if values.dtype == torch.float64 else values.to(torch.int64)
    value = values.reshape(-1).index_select(0, first).view(torch.int64)
    fresh = (faults[offset] == 0) & (number > 0)
    faults[offset + 1 : offset + 2] = torch.where(fresh, value, faults[offset + 1 : offset + 2])
    faults[offset] += number


def bad_weights(faults: Tensor | None, weights: Tensor, counted: Tensor) -> Tensor:
    """Where a weight is negative, infinite or NaN, among the ``counted``; they go to ``faults``."""
    bad = counted & ~((weights >= 0) & (weights < torch.inf))
    record_faults(faults, 4, bad, weights)
    return bad


def merge_faults(stacked: Tensor) -> Tensor:
    """Reduce ``[ranks, FAULTS]`` to one record: counts add up, the first value is that of the lowest rank with one."""
    merged = torch.zeros_like(stacked[0])
    for offset in KINDS:
        counts = stacked[:, offset]
        merged[offset] = counts.sum()
        merged[offset + 1] = stacked.index_select(0, (counts > 0).to(torch.uint8).argmax().reshape(1))[0, offset + 1]
    return merged


def holds_any(record: list[int]) -> bool:
    """Whether a record, as integers, has any fault."""
    return any(record[offset] for offset in KINDS)


def on_host(record: Tensor) -> list[int]:
    """A record as integers; it waits for the device."""
    return list(transforms.samples(record).tolist())
