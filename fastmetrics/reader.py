# SPDX-License-Identifier: Apache-2.0
"""What one metric sees of an accumulator, alone or together with others.

Sharing is copy-on-write: a reader that is to be changed by itself takes a copy first, and the accumulator counts one
reader less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat, dim_zero_sum

from fastmetrics.accumulator import TWIN, Accumulator, Part
from fastmetrics.passes.faults import merge_faults
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import Inputs


class Reader:
    """What one metric sees of an accumulator.

    Args:
        accumulator: with the statistics that the metric asks for.

    Attributes:
        asked: the statistics of the metric.
        reduced: the version of the accumulator, the states that are asked for over all processes, and all states of it.
    """

    __slots__ = ("_emptied_in", "accumulator", "asked", "reduced")

    reduced: tuple[int, Part, Part] | None

    def __init__(self, accumulator: Accumulator) -> None:
        self.accumulator = accumulator
        accumulator.readers += 1
        self.asked = accumulator.statistics
        self._emptied_in = -1
        self.reduced = None

    @property
    def was_emptied(self) -> bool:
        """Whether it was reset while the others were not: its states are empty, whatever the accumulator has."""
        accumulator = self.accumulator
        return accumulator.emptied > 0 and self._emptied_in == accumulator.epoch

    def own(self) -> Accumulator:
        """The accumulator, for a change that no other reader is to see."""
        accumulator = self.accumulator
        if accumulator.arena is None:
            return accumulator
        if self.was_emptied:
            mine = Accumulator(self.asked, accumulator.device, accumulator.lists_on_cpu)
            mine.row = accumulator.row
            if accumulator.twins:
                mine.weighted()
            accumulator.emptied -= 1
        else:
            mine = accumulator.copy_of(self.asked)
            accumulator.readers -= 1
        self.accumulator = mine
        self._emptied_in = -1
        mine.readers = 1
        return mine

    def current(self) -> Accumulator:
        """The accumulator, for a look at its states."""
        accumulator = self.accumulator
        return self.own() if accumulator.emptied and self._emptied_in == accumulator.epoch else accumulator

    def bind(self, accumulator: Accumulator) -> None:
        """Read another accumulator, which has the union of what several readers ask for, and the same content."""
        before = self.accumulator
        if self.was_emptied:
            before.emptied -= 1
        else:
            before.readers -= 1
        self.accumulator = accumulator
        self._emptied_in = -1
        accumulator.readers += 1
        self.asked = self.asked.sized_like(accumulator.statistics)

    def check_size(self, inputs: Inputs, label: Callable[[], str]) -> None:
        """Raise if there is data of another size than that of a batch. Changes nothing.

        Raises:
            RuntimeError, ValueError: there is; see ``Statistics.wrong_size``.
        """
        asked, accumulator = self.asked, self.accumulator
        if asked.fitted(inputs).size == asked.size or not accumulator.updated or self.was_emptied:
            return
        if accumulator.traced or accumulator.has_data():
            raise asked.wrong_size(
                f"{label()} has data, of a number of {asked.size_name}, {asked.size}, that inputs of shape"
                f" {tuple(inputs[0].shape)} do not have. Call `reset` before."
            )

    def fit(self, inputs: Inputs) -> bool:
        """Take the size of a batch that was checked; whether states that were shared had to be left for it."""
        fitted = self.asked.fitted(inputs)
        if fitted is self.asked:
            return False
        shared = self.accumulator.arena is not None
        if not shared:
            self.accumulator.resize(fitted)
        elif fitted.size != self.asked.size:
            self.own().resize(fitted)
        else:
            shared = False
        self.asked = fitted
        return shared

    def reset(self) -> None:
        """Empty the states that this reader sees, in place.

        Shared ones are emptied once all readers want it. One that looks at them before has empty ones of its own.
        """
        accumulator = self.accumulator
        self.reduced = None
        if accumulator.arena is None:
            accumulator.clear()
        elif accumulator.updated and not self.was_emptied:
            self._emptied_in = accumulator.epoch
            accumulator.readers -= 1
            accumulator.emptied += 1
            if accumulator.readers == 0:
                accumulator.clear()

    def put(self, name: str, value: Any) -> None:
        """Replace a state that :meth:`takes` has; somebody else may go on using the new one."""
        self.own().put(name, value, foreign=True)
        self.asked = self.accumulator.statistics

    def merge(self, incoming: Mapping[str, Any]) -> None:
        """Add states by their names; see :meth:`Accumulator.merge`."""
        self.own().merge(incoming)
        self.asked = self.accumulator.statistics

    def load(self, states: Mapping[str, Any]) -> dict[str, str]:
        """Take states of a checkpoint that :meth:`takes` has, by their names; see :meth:`Accumulator.load`."""
        wrong = self.own().load(states)
        self.asked = self.accumulator.statistics
        return wrong

    def part(self) -> Part:
        """The states."""
        accumulator = self.current()
        part = accumulator.part()
        return part if accumulator.statistics is self.asked else part_of(self.asked, part)

    def has(self, name: str) -> bool:
        """Whether there is a state of that name."""
        if name.startswith(TWIN):
            return name.removeprefix(TWIN) in self.asked.shapes and bool(self.accumulator.twins)
        return name in self.asked.shapes or (name == "faults" and self.accumulator.faults is not None)

    def takes(self, name: str) -> bool:
        """Whether a state of that name may be put here, which is there already or that of weighted samples."""
        asked = self.asked
        twin = asked.keeps_twins and name.startswith(TWIN) and name.removeprefix(TWIN) in asked.shapes
        return twin or self.has(name)

    def declared(self) -> dict[str, tuple[Any, Callable[[Tensor], Tensor]]]:
        """Default and reduction of all states, by name; a default of zeros takes no memory."""
        accumulator, asked = self.accumulator, self.asked
        found: dict[str, tuple[Any, Callable[[Tensor], Tensor]]] = {}
        for name, (shape, dtype) in asked.shapes.items():
            default: Any = [] if asked.samplewise else accumulator.starts.get(name, _zeros(shape, dtype))
            reduction = dim_zero_cat if asked.samplewise else asked.reductions.get(name, dim_zero_sum)
            found[name] = default, reduction
        if accumulator.faults is not None:
            found["faults"] = _zeros(tuple(accumulator.faults.shape), torch.int64), merge_faults
        if accumulator.twins:
            for name, (shape, _) in asked.shapes.items():
                found[TWIN + name] = _zeros(shape, torch.float64), dim_zero_sum
        return found

    def state(self, name: str) -> Any:
        """A state, by its name."""
        accumulator = self.current()
        if name == "faults":
            return accumulator.faults
        of = accumulator.twins if name.startswith(TWIN) else accumulator.states
        name = name.removeprefix(TWIN)
        accumulator.room = None  # whoever gets a list may keep its tensors
        state = of[name]
        if isinstance(state, list) or accumulator.statistics is self.asked:
            return state
        return self.asked.view(name, state)

    def __getstate__(self) -> tuple[Statistics, Accumulator]:
        """What it reads, in memory of its own."""
        accumulator = self.current()
        if accumulator.statistics is not self.asked:
            accumulator = accumulator.copy_of(self.asked)
        return self.asked, accumulator

    def __setstate__(self, state: tuple[Statistics, Accumulator]) -> None:
        """A reader of its own."""
        self.__init__(state[1])  # type: ignore[misc]
        self.asked = state[0]

    def __deepcopy__(self, memo: dict[int, Any]) -> Reader:
        """A reader of a copy."""
        other = Reader(self.current().copy_of(self.asked))
        other.asked = self.asked
        return other


def _zeros(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.zeros((), dtype=dtype).expand(shape)


def part_of(asked: Statistics, part: Part) -> Part:
    """The states that ``asked`` are of those of a union."""
    exactly, names = asked.exactly, asked.shapes
    states = {
        name: state if isinstance(state := part.states[name], list) else exactly(name, state)
        for name in names
        if name in part.states
    }
    twins = {name: exactly(name, part.twins[name]) for name in names if name in part.twins}
    return Part(asked, states, twins, part.faults)


def whole_of(asked: Statistics, part: Part) -> Part:
    """The states of a union, those that are ``asked`` for as they are asked for."""
    own = part_of(asked, part)
    return Part(asked, {**part.states, **own.states}, {**part.twins, **own.twins}, part.faults)
