# SPDX-License-Identifier: Apache-2.0
"""Formulas of bins of confidences."""

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
