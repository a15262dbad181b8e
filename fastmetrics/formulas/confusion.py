# SPDX-License-Identifier: Apache-2.0
"""Formulas of a confusion matrix, [..., C, C], row = target, column = prediction."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn


def normalized(confusion: Tensor, normalize: str | None) -> Tensor:
    """The matrix, or its shares as float32.

    Args:
        confusion: int64 [..., C, C].
        normalize: ``true`` divides by the row sums, ``pred`` by the column sums, ``all`` by the sum; None or ``none``
            returns a copy. A class without samples gives zeros, and a warning.
    """
    if normalize is None or normalize == "none":
        return confusion.clone()
    over: dict[str, tuple[int, ...]] = {"true": (-1,), "pred": (-2,), "all": (-2, -1)}
    shares = confusion / confusion.sum(over[normalize], keepdim=True)
    undefined = int(shares.isnan().sum())
    if undefined:
        rank_zero_warn(f"{undefined} NaN values found in confusion matrix have been replaced with zeros.")
    return torch.nan_to_num(shares, nan=0.0)


def of_labels(counts: Tensor) -> Tensor:
    """[..., 2, 2] from tp, fp, tn, fn [..., 4]."""
    tp, fp, tn, fn = counts.unbind(-1)
    return torch.stack([tn, fp, fn, tp], -1).reshape(*counts.shape[:-1], 2, 2)
