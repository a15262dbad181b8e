# SPDX-License-Identifier: Apache-2.0
"""Statistics of pairs of real numbers."""

from __future__ import annotations

import struct
from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import pairs_
from fastmetrics.passes.pairs import MERGES, STATES, Parameters, add_statistics, statistics_of
from fastmetrics.statistics.base import Inputs, States, Statistics, same_device


class PairsStatistics(Statistics):
    """Weight of the pairs, and what is asked for of them; see :func:`fastmetrics.passes.pairs.pairs_body`.

    Every option but the first asks for the statistic of its name, float64 [D] or [D, k]; ``count`` is always there.

    Args:
        num_outputs: D. One output reads every element of any shape; more read ``[N, D]``.
        moments: count, means and centred second moments.
        extremes: least and greatest target.
        squared_error: its sum, as the rest.
        absolute_error: likewise.
        squared_log_error: likewise.
        percentage_error: likewise.
        symmetric_percentage_error: likewise.
        absolute_target: likewise.
        log_cosh_error: likewise.
        powered_error: the exponent.
        deviance: the power of the Tweedie distribution.
        events: the threshold from which on there is an event.
        samplewise: dimension 0 is kept apart, whatever its size is; for ``events``.

    Attributes:
        asked: name -> option, of what was asked for. Statistics of what several metrics ask of the same inputs have
            the options of all of them, if none of those is given two values.
    """

    weights_in_place = True

    def __init__(
        self,
        num_outputs: int = 1,
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
        given = locals()
        self.samplewise = samplewise
        self.parameters = Parameters(powered_error or 1.0, deviance or 0.0)
        self._events = events
        self._thresholds: dict[torch.dtype, float] = {}
        self.asked = {n: given[n] for n in STATES if n != "count" and given[n] is not None and given[n] is not False}
        self._names = ("count", *self.asked)
        self.fit(num_outputs)

    def fit(self, num_outputs: int) -> None:
        """Be the statistics of so many outputs."""
        self.num_outputs = num_outputs
        leading = () if self.samplewise else (num_outputs,)
        self.shapes = {name: ((*leading, *STATES[name]), torch.float64) for name in self._names}
        self.reductions = {name: merge for name, merge in MERGES.items() if name in self.shapes}
        self._slots = [name if name in self.shapes else None for name in STATES]

    @property
    def key(self) -> Any:
        """The outputs, and whether samples are kept apart; what is asked for may be different."""
        return self.num_outputs, self.samplewise, self.validate

    def union(self, other: Statistics) -> Statistics | None:
        """What either asks for, unless one option has two values."""
        if not isinstance(other, PairsStatistics) or other.key != self.key:
            return None
        if any(other.asked.get(name, value) != value for name, value in self.asked.items()):
            return None
        return PairsStatistics(self.num_outputs, samplewise=self.samplewise, **{**self.asked, **other.asked})

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
        num_outputs, parameters = self.num_outputs, self.parameters
        if self.samplewise:  # what is kept apart is another output
            num_outputs = inputs[0].shape[0]
            inputs = tuple(values.unsqueeze(1).movedim(0, -1) for values in inputs)
            weights, valid = (None if v is None else v.unsqueeze(1).movedim(0, -1) for v in (weights, valid))
        if self._events is not None:
            parameters = self._with_thresholds(inputs)
        slots = [None if name is None else states[name] for name in self._slots]
        pairs_(*inputs, weights, valid, *slots, states.get("faults"), num_outputs, *parameters)

    def merge(self, states: States, batch: States) -> None:
        """Add the statistics of a batch to ``states``, in place."""
        add_statistics(states, batch)

    def differentiable(
        self, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> dict[str, Tensor] | None:
        """The statistics of one batch, in operations that keep the graph.

        Raises:
            RuntimeError: a weight is out of range.
            ValueError: a value is outside of the domain of the deviance.
        """
        if self._events is not None:
            return None
        domain = "deviance" in self.shapes
        faults = self.no_faults(inputs[0].device) if domain or weights is not None else None
        preds, target = inputs
        batch = statistics_of(preds, target, weights, valid, self._names, faults, self.num_outputs, self.parameters)
        if faults is not None and (found := self.explain_faults(faults.tolist())) is not None:
            raise (ValueError if domain else RuntimeError)(found)
        return batch

    def _with_thresholds(self, inputs: Inputs) -> Parameters:
        """The parameters with the threshold as a tensor of each dtype is compared with it."""
        found = []
        for dtype in (values.dtype for values in inputs):
            if dtype not in self._thresholds:
                rounded = torch.tensor(self._events, dtype=dtype if dtype.is_floating_point else None)
                self._thresholds[dtype] = rounded.item()
            found.append(self._thresholds[dtype])
        return self.parameters._replace(preds_threshold=found[0], target_threshold=found[1])

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say what was outside of the domain of the deviance."""
        (value,) = struct.unpack("d", struct.pack("q", first))
        power = self.parameters.power
        rule = "greater than 0" if which == "preds" or power >= 2 else "at least 0"
        return f"for power={power}, expected `{which}` to be {rule}, but {count} were not, the first is {value}"
