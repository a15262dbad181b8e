# SPDX-License-Identifier: Apache-2.0
"""Statistics of real numbers."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from fastmetrics.passes import values_, values_rows_
from fastmetrics.passes.groups import Rows, as_passes_take
from fastmetrics.passes.values import DROP, KEEP, REPLACE
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, rows_in_parts


def least(stacked: Tensor) -> Tensor:
    """The least of ``[ranks]``; NaN if any is."""
    return stacked.amin(0)


def greatest(stacked: Tensor) -> Tensor:
    """The greatest of ``[ranks]``; NaN if any is."""
    return stacked.amax(0)


def explain_nans(faults: list[int]) -> str | None:
    """Say how many NaNs a record of faults holds, or None if there are none."""
    return f"Encountered `nan` values in tensor, {faults[2]} of them" if faults[2] else None


class ValuesStatistics(Statistics):
    """Sum, weight, least and greatest of values; see :func:`fastmetrics.passes.values.values_body`.

    Args:
        names: the statistics wanted, float64 [] each: ``sum_value`` and ``weight`` start at 0, ``min_value`` at
            infinity, ``max_value`` at its negative.
        nan_strategy: ``error`` and ``warn`` drop NaN and record it, ``ignore`` drops it, ``disable`` keeps it, a float
            takes its place.
    """

    weights_in_place = True
    lacks_joint = (
        "`intervals=True` keeps the second moments of a mean; sums grow with the data, and extremes have none."
    )

    def __init__(self, *names: str, nan_strategy: str | float) -> None:
        self.shapes = dict.fromkeys(names, ((), torch.float64))
        self.reductions = {
            name: reduce for name, reduce in (("min_value", least), ("max_value", greatest)) if name in names
        }
        self.validate = nan_strategy in ("error", "warn")
        replaced = not isinstance(nan_strategy, str)
        self.nans = REPLACE if replaced else KEEP if nan_strategy == "disable" else DROP
        self.replacement = float(nan_strategy) if replaced else 0.0

    @property
    def validates_groups(self) -> bool:
        """Always; ``validate`` is about NaN."""
        return True

    def zeros(
        self, device: torch.device | None, samples: int | None = None, weighted: bool = False
    ) -> dict[str, Tensor]:
        """The statistics of no values."""
        states = super().zeros(device, samples, weighted)
        for name, start in (("min_value", torch.inf), ("max_value", -torch.inf)):
            if name in states:
                states[name].fill_(start)
        return states

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` if the values are not real."""
        if inputs[0].is_complex():
            raise ValueError(f"Expected real values, but got {inputs[0].dtype}.")

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """Weights broadcast to the shape of the values, and may have any real value."""
        if name != "weights":
            return super().per_sample(name, values, inputs)
        if values.is_complex():
            raise ValueError(f"Expected `weight` to be real, but got {values.dtype}.")
        if values.device != inputs[0].device:
            raise RuntimeError(f"Expected `weight` to be on {inputs[0].device} as `value` is, but got {values.device}.")
        return torch.broadcast_to(values, inputs[0].shape)

    def reads_slicings(self, inputs: Inputs) -> bool:
        """Where it is read once."""
        return "squares" not in self.shapes

    def add(self, states: States, batch: Batch, rows: Rows | None = None) -> None:
        """Read the batch once, and again for intervals, and add it to ``states``, or to some rows of them."""
        inputs, weights, valid = batch
        wanted = self.shapes
        to = (
            states["sum_value"] if "sum_value" in wanted else None,
            states["weight"] if "weight" in wanted else None,
            states["min_value"] if "min_value" in wanted else None,
            states["max_value"] if "max_value" in wanted else None,
            states.get("faults") if self.validate else None,
            self.nans,
            self.replacement,
        )
        first: Tensor | None = None
        if rows is None:
            values_(inputs[0], weights, valid, *to)
        else:
            first, *others = as_passes_take(rows, inputs[0].shape)
            values_rows_(inputs[0].detach(), first, weights, valid, *to, None, *others)
        if "squares" in wanted:
            self._add_squares(states["squares"], inputs[0], weights, valid, first)

    def for_intervals(self) -> ValuesStatistics:
        """With ``squares`` [3], if a mean is asked for: sums of w² x², w² x and w² of values x of weight w."""
        if not {"sum_value", "weight"} <= self.shapes.keys():
            return self
        other = copy.copy(self)
        other.shapes = {**self.shapes, "squares": ((3,), torch.float64)}
        return other

    def _add_squares(
        self, squares: Tensor, value: Tensor, weights: Tensor | None, valid: Tensor | None, rows: Tensor | None
    ) -> None:
        """Read the batch again, for intervals."""
        sums = squares if rows is None else squares.t().contiguous().t()
        second, first, zeroth = sums.unbind(-1)
        rest = None, None, None, self.nans
        kept = value.numel() // max(1, len(value)) if value.dim() else 1
        for ((part,), amounts, counted), of_part in rows_in_parts(kept, rows, ((value.detach(),), weights, valid)):
            squared = None if amounts is None else amounts.double().square()
            add, where = (values_, ()) if rows is None else (values_rows_, (of_part,))
            add(part, *where, squared, counted, first, zeroth, *rest, self.replacement)
            add(part.double().square(), *where, squared, counted, second, None, *rest, self.replacement**2)
        if rows is not None:
            squares.copy_(sums)

    def merge(self, states: States, batch: States) -> None:
        """Add sums, and keep the least and the greatest, in place."""
        for name, value in batch.items():
            if name == "min_value":
                torch.minimum(states[name], value, out=states[name])
            elif name == "max_value":
                torch.maximum(states[name], value, out=states[name])
            else:
                states[name].add_(value)

    def explain_faults(self, faults: list[int]) -> str | None:
        """Say how many NaNs there were."""
        return explain_nans(faults)
