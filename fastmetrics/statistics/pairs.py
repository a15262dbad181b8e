# SPDX-License-Identifier: Apache-2.0
"""Statistics of pairs of real numbers."""

from __future__ import annotations

import copy
import math
import struct
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import constant_in_graphs
from fastmetrics.passes import pairs_, pairs_rows_, simple_pairs_
from fastmetrics.passes.groups import Rows, as_passes_take, within
from fastmetrics.passes.pair_squares import MONOMIALS, add_monomials_to_rows, merge_monomials, monomials_of, squares_of
from fastmetrics.passes.pairs import (
    ERRORS,
    MERGES,
    SIMPLE_STATES,
    STATES,
    Parameters,
    add_pairs_to_rows,
    add_statistics,
    moments_as_sums,
    statistics_of,
    sums_as_moments,
)
from fastmetrics.statistics.base import (
    Batch,
    Call,
    Inputs,
    States,
    Statistics,
    Terms,
    at_least_1d,
    different_shapes,
    in_parts,
    real_on_one_device,
    rows_in_parts,
)


class PairsStatistics(Statistics):
    """Weight of the pairs, and what is asked for of them; see :func:`fastmetrics.passes.pairs.pairs_body`.

    Every option but the first asks for the statistic of its name, float64 [D] or [D, k]; ``count`` is always there.

    Args:
        num_outputs: D. One output reads every element of any shape; more read ``[N, D]``. None lets the data tell:
            inputs are ``[N, ...]``, whose dimensions after the first are outputs. It is one until the first batch.
        moments: count, means and centred second moments.
        extremes: least and greatest target.
        squared_error: its sum.
        absolute_error: its sum.
        squared_log_error: the sum of the squared errors of ``log(1 + value)``.
        percentage_error: the sum of the absolute errors over the absolute targets.
        symmetric_percentage_error: the sum of the absolute errors over the sums of the absolute values.
        absolute_target: its sum.
        log_cosh_error: the sum of ``log(cosh(error))``.
        powered_error: the exponent.
        deviance: the power of the Tweedie distribution.
        events: the threshold from which on there is an event.
        samplewise: count each index of dimension 0, of any size, separately; for ``events``.

    Attributes:
        asked: name -> option, of what was asked for. Statistics of what several metrics ask of the same inputs have
            the options of all of them, if none of those is given two values.
        num_outputs: D.
        squares: whether second moments are kept for intervals: ``monomials`` [D, 17], if moments are asked for, or
            ``squares`` [D, K + 1, K + 1] of K sums of errors; see :mod:`fastmetrics.passes.pair_squares`.
    """

    weights_in_place = True
    sized_by = ("count", "count")
    squares = False
    lacks_joint = (
        "`intervals=True` keeps the second moments of what is summed, of which the delta method makes intervals: of"
        " metrics that do not grow with the data, are no function of extremes, and have a value for each output."
    )

    def __init__(
        self,
        num_outputs: int | None = 1,
        *,
        moments: bool = False,
        extremes: bool = False,
        squared_error: bool = False,
        absolute_error: bool = False,
        squared_log_error: bool = False,
        percentage_error: bool = False,
        symmetric_percentage_error: bool = False,
        absolute_target: bool = False,
        log_cosh_error: bool = False,
        powered_error: float | None = None,
        deviance: float | None = None,
        events: float | None = None,
        samplewise: bool = False,
    ) -> None:
        given: dict[str, Any] = {
            "moments": moments,
            "extremes": extremes,
            "squared_error": squared_error,
            "absolute_error": absolute_error,
            "squared_log_error": squared_log_error,
            "percentage_error": percentage_error,
            "symmetric_percentage_error": symmetric_percentage_error,
            "absolute_target": absolute_target,
            "log_cosh_error": log_cosh_error,
            "powered_error": powered_error,
            "deviance": deviance,
            "events": events,
        }
        self.samplewise = samplewise
        self.parameters = Parameters(powered_error or 1.0, deviance or 0.0)
        self._events = events
        self._thresholds: dict[torch.dtype, float] = {}
        self.asked = {n: given[n] for n in STATES if n != "count" and given[n] is not None and given[n] is not False}
        self._names = ("count", *self.asked)
        self._start(num_outputs)

    def _set_size(self, size: int) -> None:
        self.num_outputs = self.size = size
        leading = () if self.samplewise else (size,)
        self.shapes = {name: ((*leading, *STATES[name]), torch.float64) for name in self._names}
        if self.squares:
            terms = 1 + len(self.asked)
            kept = {"monomials": (MONOMIALS,)} if "moments" in self.asked else {"squares": (terms, terms)}
            self.shapes.update({name: ((*leading, *shape), torch.float64) for name, shape in kept.items()})
        merges = {**MERGES, "monomials": merge_monomials}
        own = {name: merge for name, merge in merges.items() if name in self.shapes}
        self.reductions = {**type(self).reductions, **own}
        self._simple = self.asked.keys() <= set(SIMPLE_STATES)

    def for_intervals(self) -> PairsStatistics:
        """With second moments, where the terms of all sums are known."""
        summed = {*ERRORS, "deviance"}
        moments = "moments" in self.asked and self.asked.keys() <= {"moments", "squared_error"}
        if self.samplewise or not (moments or (self.asked and self.asked.keys() <= summed)):
            return self
        other = copy.copy(self)
        other.squares = True
        other._set_size(self.num_outputs)
        return other

    def size_in(self, inputs: Inputs) -> int:
        """The dimensions of the inputs after the first are outputs."""
        return math.prod(inputs[0].shape[1:])

    def union(self, other: Statistics) -> Statistics | None:
        """What either asks for, unless one option has two values or both know their outputs, which are not the same.

        Outputs that the first batch fixes are those of the other statistics. A subclass shares with its equals only.
        """
        if type(self) is not PairsStatistics or type(other) is not PairsStatistics or self.squares or other.squares:
            return super().union(other)
        if self.samplewise != other.samplewise:
            return None
        if any(other.asked.get(name, value) != value for name, value in self.asked.items()):
            return None
        known = {statistics.num_outputs for statistics in (self, other) if statistics.sized}
        if len(known) > 1:
            return None
        from_data = self.size_from_data and other.size_from_data
        asked = {**self.asked, **other.asked}
        both = PairsStatistics(None if from_data else 1, samplewise=self.samplewise, **asked)
        return both.resized(*known) if known else both

    def view(self, name: str, state: Tensor) -> Tensor:
        """All of it: a union has the same outputs, and so have all processes together."""
        return state

    def may_fault(self, weights: Tensor | None) -> bool:
        """Weights can be out of range, and the values for a deviance."""
        return weights is not None or "deviance" in self.shapes

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, or if they are not ``[N, num_outputs]``."""
        preds, target = inputs
        if preds.shape != target.shape:
            raise different_shapes(preds.shape, target.shape)
        if self.num_outputs > 1 and not self.size_from_data and tuple(preds.shape[1:]) != (self.num_outputs,):
            raise RuntimeError(
                f"Expected inputs of shape (N, {self.num_outputs}) since num_outputs={self.num_outputs},"
                f" but got {tuple(preds.shape)}."
            )
        real_on_one_device(preds, target)

    def reads_slicings(self, inputs: Inputs) -> bool:
        """Where it is read once."""
        return not self.squares

    def call(self, states: States, batch: Batch, rows: Rows | None = None) -> Call | None:
        """The pass of pairs, where outputs are as they come and intervals ask for no more."""
        if rows is not None or self.samplewise or self.size_from_data or self.squares:
            return None
        return self._call(states, batch, self.num_outputs)

    def _call(self, states: States, batch: Batch, num_outputs: int) -> Call:
        (preds, target), weights, valid = batch
        wanted = self.shapes
        if self._simple:
            sums = [states[name] if name in wanted else None for name in SIMPLE_STATES]
            return simple_pairs_, (preds, target, weights, valid, *sums, states.get("faults"), num_outputs)
        parameters = self.parameters if self._events is None else self._with_thresholds(batch[0])
        slots = [states[name] if name in wanted else None for name in STATES]
        return pairs_, (preds, target, weights, valid, *slots, states.get("faults"), num_outputs, *parameters)

    def _add_otherwise(self, states: States, batch: Batch, rows: Rows | None) -> None:
        """The same of outputs that are to be found, and another read for intervals; or to rows of the states."""
        inputs, weights, valid = batch
        if rows is not None:
            self._add_rows(states, batch, rows)
            return
        num_outputs = self.num_outputs
        if self.samplewise:  # each index of dimension 0 is an output
            num_outputs = inputs[0].shape[0]
            inputs = tuple(values.unsqueeze(1).movedim(0, -1) for values in inputs)
            weights, valid = (None if v is None else v.unsqueeze(1).movedim(0, -1) for v in (weights, valid))
        elif self.size_from_data:
            inputs, weights, valid = self._as_outputs(batch)
        function, arguments = self._call(states, (inputs, weights, valid), num_outputs)
        function(*arguments)
        if self.squares:
            Statistics.merge(self, states, self._squares_of((inputs, weights, valid)))

    def _squares_of(self, batch: Batch) -> dict[str, Tensor]:
        """The second moments of a batch of outputs."""
        inputs = batch[0]
        name = "monomials" if "moments" in self.asked else "squares"
        shape, dtype = self.shapes[name]
        found = {name: torch.zeros(shape, dtype=dtype, device=inputs[0].device)}
        kept = (1 + len(self.asked)) * (inputs[0].numel() // max(1, len(inputs[0])) if inputs[0].dim() else 1)
        for (preds, target), amounts, counted in in_parts(kept, batch):
            given = preds, target, amounts, counted
            if name == "monomials":
                part = monomials_of(*given, self.num_outputs)
            else:
                part = squares_of(*given, self.asked, self.num_outputs, self.parameters)
            Statistics.merge(self, found, {name: part})
        return found

    def _add_rows(self, states: States, batch: Batch, rows: Rows) -> None:
        inputs, weights, valid = batch
        if inputs[0].dim() == 0:
            inputs = inputs[0].reshape(1), inputs[1].reshape(1)
            weights, valid = at_least_1d(weights), at_least_1d(valid)
        preds, target = (values.detach() for values in inputs)
        parameters = self.parameters if self._events is None else self._with_thresholds((preds, target))
        slots = [states[name] if name in self.shapes else None for name in STATES]
        first, *others = as_passes_take(rows, preds.shape)
        options = states.get("faults"), self.num_outputs, *parameters
        pairs_rows_(preds, target, first, weights, valid, *slots, *options, None, *others)
        if self.squares:
            self._add_squares_to_rows(states, ((preds, target), weights, valid), first)

    def _add_squares_to_rows(self, states: States, batch: Batch, rows: Tensor) -> None:
        """Read the batch again, for intervals."""
        d, preds = self.num_outputs, batch[0][0]
        name = "monomials" if "monomials" in self.shapes else "squares"
        kept = (math.prod(self.shapes[name][0][1:]) + 3) * preds.numel() // max(1, preds.shape[0])
        output = torch.arange(d, device=preds.device)
        for ((x, y), amounts, counted), of_some in rows_in_parts(kept, rows, batch):
            if x.numel() == 0:
                continue
            # each pair is an output of its own
            amount, mask = (None if v is None else v.reshape(1, -1) for v in (amounts, counted))
            given = x.reshape(1, -1), y.reshape(1, -1), amount, mask
            found = None if name == "monomials" else squares_of(*given, self.asked, x.numel(), self.parameters)
            for of_slicing in of_some:
                row, inside = within(of_slicing.reshape(-1, d), states[name].shape[0])
                place, inside = (row * d + output).reshape(-1), inside.reshape(-1)
                if found is None:
                    add_monomials_to_rows(states[name], place, inside, *given)
                else:
                    add_pairs_to_rows(states, place, inside, {name: found})

    def terms(self, states: States) -> Terms | None:
        """Moments as sums about the mean of all rows; extremes do not add up."""
        if "moments" not in states or "extremes" in states:
            return super().terms(states)
        moments = states["moments"]
        n = moments[..., :1]
        total = n.sum(0)
        centre = (n * moments[..., 1:3]).sum(0) / torch.where(total > 0, total, 1.0)

        def of_sums(sums: States) -> dict[str, Tensor]:
            return {**sums, "moments": sums_as_moments(sums["moments"], centre)}

        return {**states, "moments": moments_as_sums(moments, centre)}, of_sums

    def merge(self, states: States, batch: States) -> None:
        """Add the statistics of a batch to ``states``, in place."""
        if self.squares:
            super().merge(states, {name: value for name, value in batch.items() if name not in self._names})
            batch = {name: batch[name] for name in self._names}
        add_statistics(states, batch)

    def differentiable(self, batch: Batch) -> dict[str, Tensor] | None:
        """The statistics of one batch, in operations that keep the graph."""
        if self._events is not None:
            return None
        if self.size_from_data:
            batch = self._as_outputs(batch)
        (preds, target), weights, valid = batch
        found = statistics_of(preds, target, weights, valid, self._names, None, self.num_outputs, self.parameters)
        return {**found, **self._squares_of(batch)} if self.squares else found

    def _as_outputs(self, batch: Batch) -> Batch:
        """A batch ``[N, ...]`` as ``[N, D]``."""
        inputs, weights, valid = batch
        if inputs[0].dim() < 3:
            return batch
        weights, valid = (None if v is None else v.flatten(1) for v in (weights, valid))
        return tuple(values.flatten(1) for values in inputs), weights, valid

    def _with_thresholds(self, inputs: Inputs) -> Parameters:
        """The parameters with the threshold as a tensor of each dtype is compared with it."""
        found = []
        for dtype in (values.dtype for values in inputs):
            if dtype not in self._thresholds:
                self._thresholds[dtype] = _rounded(self._events, dtype)
            found.append(self._thresholds[dtype])
        return self.parameters._replace(preds_threshold=found[0], target_threshold=found[1])

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say what was outside of the domain of the deviance."""
        (value,) = struct.unpack("d", struct.pack("q", first))
        power = self.parameters.power
        rule = "greater than 0" if which == "preds" or power >= 2 else "at least 0"
        return f"for power={power}, expected `{which}` to be {rule}, but {count} were not, the first is {value}"


@constant_in_graphs
def _rounded(value: float | None, dtype: torch.dtype) -> float:
    """A number as a tensor of that dtype is compared with it."""
    rounded: float = torch.tensor(value, dtype=dtype if dtype.is_floating_point else None).item()
    return rounded
