# SPDX-License-Identifier: Apache-2.0
"""Samples that are drawn anew, with replacement, and what they add up to."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define

SCHEMA = "resample_(Tensor sizes, Tensor places, int seed, Tensor(a!) sums) -> ()"

# Constants of SplitMix64, as int64.
_STEP, _FIRST, _SECOND = (value - (1 << 64) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def resample_body(sizes: Tensor, places: Tensor, seed: int, sums: Tensor) -> None:
    """Draw samples with replacement and add each to its sums.

    Sample k of draw d is chosen by a hash of ``seed``, d and k, which is the same on every device and for any number of
    threads. These operations take some numbers for each sample of each draw while they run; the kernel does not.

    Args:
        sizes: int64 ``[D]``: how many samples each draw takes.
        places: int32 ``[P, n]``: the sums that each of n samples adds 1 to; those outside of [0, S) are none.
        seed: any int64.
        sums: float64 ``[D, S]``.

    Source of the hash: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014.
    """
    n, number = places.shape[1], sums.shape[1]
    if n == 0 or len(sizes) == 0:
        return
    draw = torch.arange(1, len(sizes) + 1, device=sizes.device)
    sample = torch.arange(1, int(sizes.max()) + 1, device=sizes.device)
    hashed = _mixed(_mixed(seed + draw * _STEP).unsqueeze(1) + sample * _STEP)
    share = _shifted(hashed, 11).double() * 2.0**-53
    chosen = (share * n).long().clamp(max=n - 1)
    drawn = sample <= sizes.unsqueeze(1)
    for place in places.long():
        mine = place[chosen]
        inside = drawn & (mine >= 0) & (mine < number)
        sums.scatter_add_(1, torch.where(inside, mine, 0), inside.double())


def _shifted(values: Tensor, bits: int) -> Tensor:
    """int64 shifted to the right, as unsigned numbers are."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(values: Tensor) -> Tensor:
    values = (values ^ _shifted(values, 30)) * _FIRST
    values = (values ^ _shifted(values, 27)) * _SECOND
    return values ^ _shifted(values, 31)


def _fake(sizes: Tensor, places: Tensor, seed: int, sums: Tensor) -> None:
    torch._check(sizes.dtype == torch.int64 and sizes.dim() == 1, lambda: "resample_: sizes must be int64 [D]")
    torch._check(places.dtype == torch.int32 and places.dim() == 2, lambda: "resample_: places must be int32 [P, n]")
    torch._check(sums.dtype == torch.float64 and sums.dim() == 2, lambda: "resample_: sums must be float64 [D, S]")


resample_ = define(SCHEMA, resample_body, _fake, ("cpu",))
