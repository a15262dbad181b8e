# SPDX-License-Identifier: Apache-2.0
"""Statistics of ensembles of predictions."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.statistics.base import Inputs, different_shapes, real_on_one_device
from fastmetrics.statistics.rows import RowValues


class EnsembleStatistics(RowValues):
    """The continuous ranked probability score of each row, an ensemble of predictions and a target."""

    def __init__(self) -> None:
        super().__init__(samplewise=False)

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on batch sizes or devices that differ, ``ValueError`` on wrong shapes and dtypes."""
        preds, target = inputs
        if preds.dim() != 2 or target.dim() != 1:
            raise ValueError(
                "Expected `preds` of shape (N, M) and `target` of shape (N,), but got"
                f" {tuple(preds.shape)} and {tuple(target.shape)}."
            )
        if preds.shape[0] != target.shape[0]:
            raise different_shapes(preds.shape[:1], target.shape)
        if preds.shape[1] < 2:
            raise ValueError(f"CRPS requires at least 2 ensemble members, but you provided {tuple(preds.shape)}.")
        real_on_one_device(preds, target)

    def row_values(self, inputs: Inputs) -> Tensor:
        """By :func:`crps`."""
        preds, target = (value.detach() for value in inputs)
        return crps(preds, target)

    def kept(self, inputs: Inputs) -> int:
        """The members of an ensemble, which are sorted."""
        return inputs[0].shape[1]

    def graph(self, inputs: Inputs) -> Tensor:
        """By the same function."""
        return crps(*inputs)


def crps(preds: Tensor, target: Tensor) -> Tensor:
    """The continuous ranked probability score of each ensemble.

    It is the mean distance of the members from the target, less half the mean distance between members. The members
    sorted, the sum of all distances between them is a weighted sum of each: O(M log M) time and O(M) memory a row.

    Args:
        preds: of any real dtype, [N, M].
        target: of any real dtype, [N].

    Returns:
        float64 [N].
    """
    members = preds.shape[1]
    # distances do not change when the target moves to zero, and little is lost where all values are far from it
    distance = preds.sort(1).values.double() - target.double().unsqueeze(1)
    place = torch.arange(members, dtype=torch.float64, device=preds.device)
    return distance.abs().mean(1) - (distance * (2 * place - members + 1)).sum(1) / members**2
