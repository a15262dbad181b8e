# SPDX-License-Identifier: Apache-2.0
"""Statistics of a value of each row."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from fastmetrics.passes import row_pairs, values_, values_rows_
from fastmetrics.passes.faults import bad_weights
from fastmetrics.passes.row_pairs import row_figures
from fastmetrics.passes.values import KEEP
from fastmetrics.statistics.base import (
    Batch,
    Inputs,
    States,
    Statistics,
    different_shapes,
    real_on_one_device,
    rows_in_parts,
)


class RowValues(Statistics):
    """The sum ``measures`` of the values of rows, and the number ``total`` of rows, or their weight, float64 [] each.

    Args:
        samplewise: keep the value of each row instead, ``measures`` float64 [N]; NaN for one that is not valid.
    """

    weights_in_place = True

    def __init__(self, samplewise: bool) -> None:
        self.samplewise = samplewise
        self.shapes = dict.fromkeys(("measures",) if samplewise else ("measures", "total"), ((), torch.float64))

    @abstractmethod
    def row_values(self, inputs: Inputs) -> Tensor:
        """The value of each row, float64 [N], without a graph."""

    def kept(self, inputs: Inputs) -> int:
        """How many numbers :meth:`row_values` keeps of a row."""
        return 1

    @abstractmethod
    def graph(self, inputs: Inputs) -> Tensor:
        """The same, in operations that keep the graph."""

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A sample is a row: the shape is ``(N,)``."""
        if self.samplewise and name == "weights":
            raise ValueError("Weights have no meaning without a reduction.")
        target = inputs[-1]
        return super().per_sample(name, values, (target.new_empty(()).expand(target.shape[:1]),))

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        inputs, _, valid = batch
        if self.samplewise:
            row_values = self.row_values(inputs)
            states["measures"].copy_(row_values if valid is None else torch.where(valid, row_values, torch.nan))
            return
        kept = self.kept(inputs) + (0 if rows is None else 8)
        for part, of_part in rows_in_parts(kept, rows, batch):
            self._add_some(states, part, of_part)

    def _add_some(self, states: States, batch: Batch, rows: Tensor | None) -> None:
        inputs, weights, valid = batch
        row_values = self.row_values(inputs)
        if weights is not None:
            counted = torch.ones_like(weights, dtype=torch.bool) if valid is None else valid
            weights = torch.where(bad_weights(states.get("faults"), weights, counted), 0.0, weights)
        add, where = (values_, ()) if rows is None else (values_rows_, (rows,))
        add(row_values, *where, weights, valid, states["measures"], states["total"], None, None, None, KEEP, 0.0)

    def differentiable(self, batch: Batch) -> dict[str, Tensor] | None:
        """The sums of one batch, in operations that keep the graph."""
        inputs, weights, valid = batch
        if valid is not None:  # what is not valid must not reach the gradient
            inputs = tuple(torch.where(valid.reshape(-1, *(1,) * (v.dim() - 1)), v, 1) for v in inputs)
        row_values = self.graph(inputs)
        if self.samplewise:
            return {"measures": row_values if valid is None else torch.where(valid, row_values, torch.nan)}
        weights = torch.ones_like(row_values) if weights is None else weights
        weights = weights if valid is None else torch.where(valid, weights, 0.0)
        return {"measures": (weights * row_values).sum(), "total": weights.sum()}


class RowStatistics(RowValues):
    """Of two rows of numbers; see :func:`fastmetrics.passes.row_pairs.row_figures`.

    Args:
        kind: which value.
        names: what messages call the inputs.
        samplewise: keep the value of each row, float64 [N], instead of sums.
    """

    def __init__(self, kind: int, names: tuple[str, str], samplewise: bool) -> None:
        super().__init__(samplewise)
        self.kind = kind
        self.names = names

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, ``ValueError`` if they are not ``(N, D)`` or real."""
        preds, target = inputs
        if preds.shape != target.shape:
            raise different_shapes(preds.shape, target.shape)
        x, y = self.names
        if preds.dim() != 2:
            raise ValueError(f"Expected `{x}` and `{y}` to be 2D tensors, (N, D), but got {tuple(preds.shape)}.")
        real_on_one_device(preds, target, x, y)

    def row_values(self, inputs: Inputs) -> Tensor:
        """By the pass."""
        preds, target = inputs
        row_values: Tensor = row_pairs(preds.detach(), target.detach(), self.kind)
        return row_values

    def graph(self, inputs: Inputs) -> Tensor:
        """By the body of the pass."""
        preds, target = inputs
        return row_figures(preds, target, self.kind)
