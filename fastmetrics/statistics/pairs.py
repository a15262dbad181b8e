# SPDX-License-Identifier: Apache-2.0
"""Statistics of pairs of real numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import pairs_
from fastmetrics.statistics.base import Inputs, States, Statistics, same_device


class PairsStatistics(Statistics):
    """Number of pairs and sums of their errors; see :func:`fastmetrics.passes.pairs.pairs_body`.

    Args:
        num_outputs: D. One output reads every element of any shape; more read ``[N, D]``.
        squared_error: ask for ``squared_error`` float64 [D].
        absolute_error: ask for ``absolute_error`` float64 [D].
    """

    validate = False  # every real number is in range

    def __init__(self, num_outputs: int = 1, *, squared_error: bool = False, absolute_error: bool = False) -> None:
        self.num_outputs = num_outputs
        self.shapes = {"count": ((), torch.int64)}
        if squared_error:
            self.shapes["squared_error"] = ((num_outputs,), torch.float64)
        if absolute_error:
            self.shapes["absolute_error"] = ((num_outputs,), torch.float64)

    @property
    def key(self) -> Any:
        """Every option but which statistics are asked for."""
        return self.options_but()

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, or if they are not ``[N, num_outputs]``."""
        preds, target = inputs
        if preds.shape != target.shape:
            raise RuntimeError(
                "Predictions and targets are expected to have the same shape, but got"
                f" {tuple(preds.shape)} and {tuple(target.shape)}."
            )
        if self.num_outputs > 1 and tuple(preds.shape[1:]) != (self.num_outputs,):
            raise RuntimeError(
                f"Expected inputs of shape (N, {self.num_outputs}) since num_outputs={self.num_outputs},"
                f" but got {tuple(preds.shape)}."
            )
        if preds.is_complex() or target.is_complex():
            raise ValueError(f"Expected real tensors, but got `preds` {preds.dtype} and `target` {target.dtype}.")
        same_device(preds, target)

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``."""
        preds, target = inputs
        if weights is not None or valid is not None:
            raise ValueError("Regression metrics take no `weights` and no `valid`.")
        pairs_(
            preds,
            target,
            states["count"],
            states.get("squared_error"),
            states.get("absolute_error"),
            self.num_outputs,
        )

    def differentiable(
        self, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The sums of one batch, in operations that keep the graph."""
        preds, target = inputs
        difference = (preds.double() - target.double()).reshape(-1, self.num_outputs)
        states = {"count": torch.tensor(difference.shape[0], device=preds.device)}
        if "squared_error" in self.shapes:
            states["squared_error"] = difference.square().sum(0)
        if "absolute_error" in self.shapes:
            states["absolute_error"] = difference.abs().sum(0)
        return states
