# SPDX-License-Identifier: Apache-2.0
"""Statistics of a figure that each row has."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from fastmetrics.formulas.crps import crps
from fastmetrics.passes import row_pairs, values_
from fastmetrics.passes.faults import bad_weights
from fastmetrics.passes.row_pairs import row_pairs_body
from fastmetrics.passes.values import KEEP
from fastmetrics.statistics.base import Inputs, States, Statistics, in_parts, same_device


class _RowStatistics(Statistics):
    """The sum ``measures`` of a figure and the number ``total`` of rows, or their weight, float64 [] each.

    Args:
        samplewise: keep the figure of each row instead, ``measures`` float64 [N]; NaN for one that is not valid.
    """

    weights_in_place = True

    def __init__(self, samplewise: bool) -> None:
        self.samplewise = samplewise
        self.shapes = dict.fromkeys(("measures",) if samplewise else ("measures", "total"), ((), torch.float64))

    @abstractmethod
    def figures(self, inputs: Inputs) -> Tensor:
        """The figure of each row, float64 [N], without a graph."""

    def kept(self, inputs: Inputs) -> int:
        """How many numbers :meth:`figures` keeps of a row."""
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

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``."""
        if self.samplewise:
            figures = self.figures(inputs)
            states["measures"].copy_(figures if valid is None else torch.where(valid, figures, torch.nan))
            return
        for rows in in_parts(self.kept(inputs), inputs, weights, valid):
            self._add_rows(states, *rows)

    def _add_rows(self, states: States, inputs: Inputs, weights: Tensor | None, valid: Tensor | None) -> None:
        figures = self.figures(inputs)
        if weights is not None:
            counted = torch.ones_like(weights, dtype=torch.bool) if valid is None else valid
            weights = torch.where(bad_weights(states.get("faults"), weights, counted), 0.0, weights)
        values_(figures, weights, valid, states["measures"], states["total"], None, None, None, KEEP, 0.0)

    def differentiable(
        self, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The sums of one batch, in operations that keep the graph."""
        if valid is not None:  # what is not valid must not reach the gradient
            inputs = tuple(torch.where(valid.reshape(-1, *(1,) * (v.dim() - 1)), v, 1) for v in inputs)
        figures = self.graph(inputs)
        if self.samplewise:
            return {"measures": figures if valid is None else torch.where(valid, figures, torch.nan)}
        weights = torch.ones_like(figures) if weights is None else weights
        weights = weights if valid is None else torch.where(valid, weights, 0.0)
        return {"measures": (weights * figures).sum(), "total": weights.sum()}


class RowStatistics(_RowStatistics):
    """Of two rows of numbers; see :func:`fastmetrics.passes.row_pairs.row_pairs_body`.

    Args:
        figure: which one.
        names: what messages call the inputs.
        samplewise: keep the figure of each row, float64 [N], instead of sums.
    """

    def __init__(self, figure: int, names: tuple[str, str], samplewise: bool) -> None:
        super().__init__(samplewise)
        self.figure = figure
        self.names = names

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, ``ValueError`` if they are not ``(N, D)`` or real."""
        preds, target = inputs
        if preds.shape != target.shape:
            raise RuntimeError(
                "Predictions and targets are expected to have the same shape, but got"
                f" {tuple(preds.shape)} and {tuple(target.shape)}."
            )
        x, y = self.names
        if preds.dim() != 2:
            raise ValueError(f"Expected `{x}` and `{y}` to be 2D tensors, (N, D), but got {tuple(preds.shape)}.")
        if preds.is_complex() or target.is_complex():
            raise ValueError(f"Expected real tensors, but got `{x}` {preds.dtype} and `{y}` {target.dtype}.")
        same_device(preds, target)

    def figures(self, inputs: Inputs) -> Tensor:
        """By the pass."""
        preds, target = inputs
        figures: Tensor = row_pairs(preds.detach(), target.detach(), self.figure)
        return figures

    def graph(self, inputs: Inputs) -> Tensor:
        """By the body of the pass."""
        preds, target = inputs
        return row_pairs_body(preds, target, self.figure)


class EnsembleStatistics(_RowStatistics):
    """Of an ensemble of predictions and a target; see :func:`fastmetrics.formulas.crps.crps`."""

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
            raise RuntimeError(
                "Predictions and targets are expected to have the same shape, but got"
                f" {tuple(preds.shape[:1])} and {tuple(target.shape)}."
            )
        if preds.shape[1] < 2:
            raise ValueError(f"CRPS requires at least 2 ensemble members, but you provided {tuple(preds.shape)}.")
        if preds.is_complex() or target.is_complex():
            raise ValueError(f"Expected real tensors, but got `preds` {preds.dtype} and `target` {target.dtype}.")
        same_device(preds, target)

    def figures(self, inputs: Inputs) -> Tensor:
        """By the formula."""
        preds, target = (value.detach() for value in inputs)
        return crps(preds, target)

    def kept(self, inputs: Inputs) -> int:
        """The members of an ensemble, which are sorted."""
        return inputs[0].shape[1]

    def graph(self, inputs: Inputs) -> Tensor:
        """The same formula."""
        return crps(*inputs)
