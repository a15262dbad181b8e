# SPDX-License-Identifier: Apache-2.0
"""Formulas of tp, fp, tn and fn of groups, int64 or float64 [G, 4]."""

from __future__ import annotations

import torch
from torch import Tensor


def rates(counts: Tensor) -> dict[str, Tensor]:
    """``group_<i>``: the shares of tp, fp, tn and fn in group i, float32 [4]; NaN for a group without samples."""
    shares = counts.double()
    shares = (shares / shares.sum(-1, keepdim=True)).float()
    return {f"group_{i}": shares[i].clone() for i in range(shares.shape[0])}


def demographic_parity(counts: Tensor) -> dict[str, Tensor]:
    """``DP_<a>_<b>``: the least rate of positive decisions, of group a, divided by the greatest, of group b."""
    tp, fp, _, _ = counts.unbind(-1)
    return _lowest_over_highest("DP", tp + fp, counts.sum(-1))


def equal_opportunity(counts: Tensor) -> dict[str, Tensor]:
    """``EO_<a>_<b>``: the least true positive rate, of group a, divided by the greatest, of group b."""
    tp, _, _, fn = counts.unbind(-1)
    return _lowest_over_highest("EO", tp, tp + fn)


def _lowest_over_highest(name: str, part: Tensor, whole: Tensor) -> dict[str, Tensor]:
    """The least rate divided by the greatest; a rate without samples is 0, and so is a ratio of zeros."""
    rate = torch.where(whole == 0, 0.0, part.double() / whole)
    low, high = int(rate.argmin()), int(rate.argmax())
    ratio = torch.where(rate[high] == 0, 0.0, rate[low] / rate[high])
    return {f"{name}_{low}_{high}": ratio.float()}
