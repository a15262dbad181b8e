# SPDX-License-Identifier: Apache-2.0
"""Formulas of bins of probabilities."""

from __future__ import annotations

import torch
from torch import Tensor


def calibration_gaps(counts: Tensor, confidences: Tensor, hits: Tensor) -> Tensor:
    """The share of hits less the mean confidence of each bin, float64 [..., B]; 0 in an empty bin."""
    return torch.where(counts > 0, (hits - confidences) / counts, 0.0)


def calibration_error(counts: Tensor, confidences: Tensor, hits: Tensor, norm: str) -> Tensor:
    """The norm of the gaps of bins [..., B], weighed by their samples: float64 [...].

    Without samples that is NaN for ``l1`` and 0 for ``l2`` and ``max``, as in torchmetrics.
    """
    gaps = calibration_gaps(counts, confidences, hits).abs()
    if norm == "max":
        return gaps.amax(-1)
    total = counts.sum(-1)
    if norm == "l2":
        return torch.where(total > 0, (gaps.square() * counts).sum(-1) / total, 0.0).sqrt()
    return (gaps * counts).sum(-1) / total


def of_equal_mass(n_bins: int, counts: Tensor, confidences: Tensor, hits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Neighbouring bins [B] made one, so that the ``n_bins`` that are left, float64 each, have about equal counts.

    A bin goes where the middle of its samples belongs, and is never cut.
    """
    amount = counts.double()
    middle = amount.cumsum(0) - amount / 2
    group = (middle * n_bins / amount.sum()).nan_to_num().floor().clamp(0, n_bins - 1).to(torch.int64)
    zeros = amount.new_zeros(n_bins)
    a, b, c = (zeros.index_add(0, group, values.double()) for values in (amount, confidences, hits))
    return a, b, c


def reliability(counts: Tensor, confidences: Tensor, hits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The share of hits, the mean confidence and the samples of each bin, float64; NaN twice in an empty bin."""
    amount = counts.double()
    return hits / amount, confidences / amount, amount


def average_of_columns(values: Tensor, amount: Tensor, average: str | None) -> Tensor:
    """The mean [] of the values [C] of columns that have an ``amount`` for ``macro``, else all of them.

    Without any amount the mean is that of all values.
    """
    if average != "macro":
        return values
    there = (amount > 0) | (amount <= 0).all()
    return torch.where(there, values, 0.0).sum(-1) / there.sum(-1)
