# SPDX-License-Identifier: Apache-2.0
"""What holds the tensors: the statistics that batches have added up to.

An :class:`Accumulator` owns the states of some statistics and adds batches to them. It knows no metric, only how many
read it; see :mod:`fastmetrics.reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import count
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.compiler import is_compiling
from torch.utils.weak import WeakIdKeyDictionary
from torchmetrics.utilities.data import dim_zero_cat

from fastmetrics import tensors
from fastmetrics.native import operators
from fastmetrics.native.transforms import differentiated
from fastmetrics.passes.faults import merge_faults
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import Batch, Inputs
from fastmetrics.statistics.room import Room

TWIN = "weighted_"  # the state of the weighted samples of a statistic is called weighted_<statistic>

_versions = count(1)

# States that were put into an accumulator from outside, and may be those of another one as well: a compute group of
# torchmetrics gives all of its metrics the tensors of the first.
_foreign: WeakIdKeyDictionary = WeakIdKeyDictionary()


class Part(NamedTuple):
    """The states that one reader sees, of one process or reduced over many.

    Attributes:
        statistics: what they are.
        states: by name; samplewise ones are lists of tensors ``[n, *shape]``, or one such tensor.
        twins: float64 by name, of the weighted samples; empty if there were none.
        faults: int64 [FAULTS], or None.
    """

    statistics: Statistics
    states: dict[str, Any]
    twins: dict[str, Tensor]
    faults: Tensor | None

    def resized(self, size: int, device: torch.device) -> Part:
        """These states, or empty ones of that size if they have another."""
        if self.statistics.size_of(self.states) == size:
            return self
        statistics = self.statistics.resized(size)
        return self._replace(statistics=statistics, states=dict(statistics.zeros(device)))

    def final(self, name: str, device: torch.device) -> Tensor:
        """One whole statistic: with its twin added, or its list concatenated."""
        state = self.states.get(name, [])  # what a batch kept of itself may lack one
        if isinstance(state, Tensor):
            twin = self.twins.get(name)
            return state if twin is None else state + twin
        if not state:
            shape, dtype = self.statistics.shapes[name]
            return torch.zeros((0, *shape), dtype=dtype, device=device)
        # formulas write into nothing, so what is whole needs no copy
        return state[0][:] if len(state) == 1 and state[0].dim() > 0 else dim_zero_cat(state)

    def finals(self, device: torch.device) -> dict[str, Tensor]:
        """Every statistic as a formula takes it."""
        if not (self.twins or self.statistics.samplewise):
            return self.states
        return dict(self.statistics.finals({name: self.final(name, device) for name in self.statistics.shapes}))


class Memory(Protocol):
    """Where the states of several accumulators lie."""

    def open_twins(self) -> None:
        """Make room for the weighted samples of all of them."""


class Accumulator:
    """The states of some statistics.

    They are changed in place, so that their addresses stay: a captured CUDA graph relies on them.

    Args:
        statistics: what is counted.
        device: where.
        lists_on_cpu: whether what is kept of samples is moved to the CPU.

    Attributes:
        states: by name, and ``faults`` among them if values are validated.
        twins: the same for weighted samples; empty until there are some.
        count: updates since it was cleared; those in a compiled function are not counted.
        traced: whether a compiled update may have run since it was cleared.
        loaded: whether states may hold data that no update brought.
        epoch: how often it was cleared.
        readers: who see the present states.
        emptied: readers that were reset since it was last cleared, and have not looked at their states since.
        arena: where the states lie, if with those of others. Only then can there be more than one reader.
        checked: metadata of the last batch that passed all checks.
        again: adds inputs like those of the last batch, see :meth:`prepare`: it says True, or False if they are not
            alike, in which case it has done nothing. False if there is no such call, None if nobody has asked.
        row: shape of a row of the last kind of batch.
        float64_dims: the most dimensions of a float64 input since it was cleared; -1 without any.
    """

    __slots__ = (
        "_room",
        "_stale",
        "_version",
        "again",
        "arena",
        "checked",
        "count",
        "device",
        "emptied",
        "epoch",
        "faults",
        "float64_dims",
        "lists_on_cpu",
        "loaded",
        "readers",
        "row",
        "starts",
        "states",
        "statistics",
        "traced",
        "twins",
    )

    statistics: Statistics
    states: dict[str, Any]
    twins: dict[str, Any]
    starts: dict[str, Tensor]  # states that do not start at zero
    faults: Tensor | None
    arena: Memory | None
    checked: Hashable | None
    again: Callable[..., bool] | Literal[False] | None
    row: tuple[int, ...]
    float64_dims: int
    count: int

    def __init__(self, statistics: Statistics, device: torch.device, lists_on_cpu: bool = False) -> None:
        self.device = device
        self.lists_on_cpu = lists_on_cpu
        self.readers = self.emptied = self.epoch = 0
        self.arena = None
        self._room: Room | None = None
        self.row = ()
        self.faults = None
        self._allocate(statistics)
        self.forget()

    def _allocate(self, statistics: Statistics) -> None:
        """Empty states of these statistics."""
        self.statistics = statistics
        self.room = None
        self.twins = {}
        self.checked = self.again = None
        self.starts = {}
        with tensors.ordinary():
            if statistics.samplewise:
                self.states = {name: [] for name in statistics.shapes}
            else:
                self.states = dict(statistics.zeros(self.device))
                if not statistics.starts_at_zero:
                    starts = statistics.zeros(torch.device("cpu"))
                    self.starts = {name: start for name, start in starts.items() if bool(start.any())}
            if self.faults is None:
                self.faults = statistics.no_faults(self.device)
        if self.faults is not None:
            self.states["faults"] = self.faults

    @property
    def room(self) -> Room | None:
        """Where small batches of samples are added to the last tensors of the lists.

        Whoever sees or changes the lists sets it to None before, or no one knows what was added.
        """
        return self._room

    @room.setter
    def room(self, room: Room | None) -> None:
        if self._room is not None and self._room is not room:
            self._room.close()
        self._room = room

    # Checking.

    def check(self, inputs: Inputs, label: Callable[[], str], statistics: Statistics | None = None) -> None:
        """Raise if the metadata of a batch is wrong. Changes nothing.

        Args:
            inputs: of the batch.
            label: how messages call the metric.
            statistics: what one reader asks for, if the batch is for it alone.

        Raises:
            TypeError, ValueError, RuntimeError: see the statistics.
            RuntimeError: another device.
        """
        (statistics or self.statistics).check(inputs)
        device = inputs[0].device
        if device != self.device:
            raise RuntimeError(
                f"{label()} is on {self.device}, but its input is on {device}."
                f" Move the metric with `metric.to({str(device)!r})`."
            )

    @property
    def updated(self) -> bool:
        """Whether there may be data."""
        return self.traced or self.loaded or self.count > 0

    def has_data(self) -> bool:
        """Whether any sample was counted; it looks at the device."""
        return bool(self.statistics.size_with_data(self.states) > 0)

    def note(self, inputs: Inputs) -> None:
        """Remember of what kind a batch is that was checked."""
        if self.statistics.size_from_data:
            self.row = tuple(inputs[0].shape[1:])
        for value in inputs:
            if value.dtype == torch.float64:
                self.float64_dims = max(self.float64_dims, value.dim())

    def resize(self, statistics: Statistics) -> None:
        """Go on with statistics of another size, and empty states if that is not what they have."""
        if statistics.size == self.statistics.size:
            self.statistics = statistics
        else:
            twins = bool(self.twins)
            self._allocate(statistics)
            if twins:
                self.weighted()
        self._stale = True

    # Adding.

    def counted(self) -> None:
        """An update follows."""
        self.count += 1
        self._version = next(_versions)

    def counted_in_trace(self) -> None:
        """The same in a compiled function, where a counter would be a constant and each value a new compilation."""
        self.traced = self._stale = True

    @property
    def version(self) -> int:
        """A number that no other content of any accumulator has had."""
        if self._stale:
            self._version = next(_versions)
            self._stale = False
        return self._version

    def add(self, batch: Batch) -> None:
        """Add a batch that was checked."""
        statistics = self.statistics
        if statistics.samplewise:
            if not (self.lists_on_cpu or is_compiling()):
                self.room = statistics.extend(self.room, self.states, batch, self.faults)
                if self.room is not None:
                    return
            self._append(statistics.of_batch(batch, self.faults))
        else:
            statistics.add(self.states if batch[1] is None else self.weighted(), batch)

    def add_again(self, inputs: Inputs) -> bool:
        """Add inputs by what :meth:`prepare` has found; False if they are not alike, or there is no such call."""
        again, room = self.again, self._room
        if again and (again(*inputs) if room is None else again(room, *inputs)):
            self.count += 1
            self._version = next(_versions)
            return True
        return False

    def prepare(self, batch: Batch) -> None:
        """Find what adds inputs like those of a batch that was checked, and whose like came before.

        A metric that is updated by small batches takes its time for what is the same each time. Where the statistics
        add a batch by one call of a pass, that call is made of arguments that are known.
        """
        self.again = False
        if batch[1] is not None or batch[2] is not None or self.arena is not None:
            return
        if self.statistics.samplewise:
            self.again = (not self.lists_on_cpu and self.statistics.extend_again(batch, self.faults)) or False
        elif self.statistics.adds_by_call:
            self.again = self._call_again(batch) or False

    def _call_again(self, batch: Batch) -> Callable[..., bool] | None:
        inputs, states = batch[0], self.states
        call, same = self.statistics.call(states, batch), self.statistics.call(states, batch)
        if call is None or same is None:
            return None
        (function, arguments), (_, once_more) = call, same
        own, given = len(inputs), {id(state): name for name, state in states.items()}
        if any(a is not b for a, b in zip(arguments[:own], inputs, strict=True)):
            return None
        others = []
        for value, again in zip(arguments[own:], once_more[own:], strict=True):
            if isinstance(value, Tensor) and value is not again:  # made of this batch
                return None
            others.append(given.get(id(value), value))
        return operators.again(function, inputs, states, tuple(others))

    def add_and_keep(self, batch: Batch, traced: bool) -> Part:
        """Add a batch that was checked, in a compiled function or not, and return its own statistics."""
        statistics, weighted = self.statistics, batch[1] is not None
        like = None if statistics.samplewise or weighted or self.starts else self.states
        states, graph = of_batch(statistics, batch, self.faults, like)
        if statistics.samplewise:
            self._append(states)
        else:
            if not traced and _foreign.data:
                self._take_foreign()
            to = self.weighted() if weighted else self.states
            statistics.merge(to, {n: v.detach() for n, v in states.items()} if graph else states)
        if weighted and self.twins:
            return Part(statistics, statistics.zeros(self.device), states, self.faults)
        return Part(statistics, states, {}, self.faults)

    def _append(self, states: Mapping[str, Tensor]) -> None:
        self.room = None
        for name, value in states.items():
            kept = value.detach()
            self.states[name].append(kept.cpu() if self.lists_on_cpu else kept)
        if not is_compiling():
            self.statistics.tidy(self.states)

    def weighted(self) -> dict[str, Tensor]:
        """Where weighted samples are added to."""
        statistics = self.statistics
        if self.lacks_twins:
            if self.arena is not None:
                self.arena.open_twins()
            else:
                with tensors.ordinary():
                    self.set_twins(statistics.zeros(self.device, weighted=True))
        return self.twins or self.states

    @property
    def lacks_twins(self) -> bool:
        """Whether weighted samples need states that are not there yet."""
        return self.statistics.keeps_twins and not self.twins

    def set_twins(self, twins: dict[str, Tensor]) -> None:
        """Use these for weighted samples."""
        self.twins = twins
        if self.faults is not None:
            twins["faults"] = self.faults

    # States by the names under which a metric has them.

    def part(self) -> Part:
        """All states."""
        self.room = None
        states, twins, statistics = self.states, self.twins, self.statistics
        names = statistics.shapes
        return Part(
            statistics,
            {name: states[name] for name in names},
            {name: twins[name] for name in names} if twins else {},
            self.faults,
        )

    def by_name(self) -> dict[str, Any]:
        """All states."""
        self.room = None
        return {**self.states, **{TWIN + name: self.twins[name] for name in self.statistics.shapes if self.twins}}

    def explain(self) -> str:
        """What the statistics are, and how many bytes of states they take."""

        def kind(state: Any) -> str:
            return "list" if isinstance(state, list) else f"{str(state.dtype).removeprefix('torch.')} {[*state.shape]}"

        states = self.by_name()
        listed = ", ".join(f"{name} {kind(state)}" for name, state in states.items())
        found = [tensor for s in states.values() for tensor in (s if isinstance(s, list) else [s])]
        size = sum(tensor.numel() * tensor.itemsize for tensor in found)
        return f"{self.statistics.title}: {listed}; {size} bytes"

    def put(self, name: str, value: Any, foreign: bool = False) -> None:
        """Replace a state.

        Args:
            name: of the state.
            value: of any shape.
            foreign: whether somebody else may go on using it.
        """
        self.room = None
        if isinstance(value, Tensor) and foreign:
            _foreign[value] = True
        if isinstance(value, list):
            value = list(value)
        if name.startswith(TWIN):
            self.weighted()[name.removeprefix(TWIN)] = value
        else:
            self.statistics = self._sized_as({name: value})
            self.states[name] = value
            if name == "faults":
                self.faults = value
                if self.twins:
                    self.twins["faults"] = value
        self.loaded = self._stale = True

    def _take_foreign(self) -> None:
        """Copy states that others may use: those add the same batch to theirs."""
        for name, state in self.by_name().items():
            if isinstance(state, Tensor) and state in _foreign:
                with tensors.ordinary():
                    self.put(name, state.clone())

    def merge(self, incoming: Mapping[str, Any], before: bool = True) -> None:
        """Add states by their names; all of them fit, or nothing changes.

        Args:
            incoming: what an accumulator of the same statistics has, or some dictionary; a record of faults and twins
                may be missing, and of statistics without data the size may be another.
            before: whether its samples come before those that are here.

        Raises:
            ValueError: a state is missing, or has another shape.
        """
        statistics = self.statistics
        for name in statistics.shapes:
            if name not in incoming:
                raise ValueError(f"Expected state variable {name} to be present in incoming state {incoming}")
        names: Iterable[str] = statistics.shapes
        sized = self._sized_as(incoming)
        if sized is not statistics:
            for name in sized.sized_by:
                self._require_fitting(sized, name, incoming[name])
            if not bool(sized.size_with_data(incoming) > 0):
                names = ()  # there is nothing to add, but for its faults
            elif not self.has_data():
                statistics = sized
        twins = [name for name in names if statistics.keeps_twins and TWIN + name in incoming]
        for key in (*names, *(TWIN + name for name in twins)):
            self._require_fitting(statistics, key, incoming[key])
        if statistics is not self.statistics:
            self.resize(statistics)
        if _foreign:
            self._take_foreign()
        self.room = None
        with tensors.ordinary(), torch.no_grad():
            for name in names:
                self._merge_one(self.states, name, incoming[name], before)
            for name in twins:
                self._merge_one(self.weighted(), name, incoming[TWIN + name], before)
            if self.faults is not None and "faults" in incoming:
                both = [incoming["faults"].to(self.device), self.faults]
                self.faults.copy_(merge_faults(torch.stack(both if before else both[::-1])))
        self.loaded = self._stale = True

    @staticmethod
    def _require_fitting(statistics: Statistics, key: str, value: Any) -> None:
        """Raise if a state that comes from elsewhere cannot be merged."""
        name = key.removeprefix(TWIN)
        shape = statistics.shapes[name][0]
        for one in value if isinstance(value, list) and statistics.samplewise else [value]:
            if not isinstance(one, Tensor) or not statistics.fits(name, one):
                got = tuple(one.shape) if isinstance(one, Tensor) else type(one).__name__
                raise ValueError(f"Expected state variable {key} of shape {shape}, but got {got} to merge.")

    def _sized_as(self, states: Mapping[str, Any]) -> Statistics:
        """The statistics at the size of states that come from elsewhere; as they are if those have none."""
        statistics = self.statistics
        if not statistics.size_from_data or statistics.sized_by[0] not in states:
            return statistics
        size = statistics.size_of(states)
        return statistics if size == 0 or (statistics.sized and size == statistics.size) else statistics.resized(size)

    def _merge_one(self, states: dict[str, Any], name: str, incoming: Any, before: bool) -> None:
        mine = states[name]
        if isinstance(mine, list):
            # copies, so that the memory of the other is not kept, nor changed from here
            incoming = incoming if isinstance(incoming, list) else [incoming]
            theirs = [
                value.detach().to(value.device if self.lists_on_cpu else self.device, copy=True) for value in incoming
            ]
            states[name] = theirs + mine if before else mine + theirs
            return
        incoming = self.statistics.exactly(name, incoming).to(mine)
        reduce = self.statistics.reductions.get(name)
        if reduce is None:
            mine.add_(incoming)
        else:
            mine.copy_(reduce(torch.stack([incoming, mine] if before else [mine, incoming])))

    def load(self, states: Mapping[str, Any]) -> dict[str, str]:
        """Take states of a checkpoint, by their names.

        Returns:
            What is wrong with those that do not fit, which are left as they are.
        """
        wrong = {}
        self.resize(self._sized_as(states))
        if _foreign:
            self._take_foreign()
        twins = any(name.startswith(TWIN) for name in states)
        with tensors.ordinary(), torch.no_grad():
            for twin in (self.weighted() if twins else self.twins).values():
                if twin is not self.faults:
                    twin.zero_()
            mine = self.by_name()
            for name, given in states.items():
                old, new = mine[name], self._as_asked(name, given)
                got, wanted = (list if isinstance(state, list) else tuple(state.shape) for state in (new, old))
                if got != wanted:
                    wrong[name] = f"the checkpoint has {got}, the metric {wanted}."
                elif isinstance(new, list):
                    self.states[name] = [value.to(self.device, copy=True) for value in new]
                else:
                    old.copy_(new)
        self.loaded = self._stale = True
        return wrong

    def _as_asked(self, name: str, state: Any) -> Any:
        """A state of a checkpoint, of which less may be asked for than it has."""
        statistics, of = self.statistics, name.removeprefix(TWIN)
        if not isinstance(state, Tensor) or of not in statistics.shapes or not statistics.fits(of, state):
            return state
        return statistics.exactly(of, state)

    def with_part(self, part: Part) -> Accumulator:
        """An accumulator of other states of the same statistics."""
        other = Accumulator(part.statistics, self.device, self.lists_on_cpu)
        names = part.statistics.shapes
        other.states |= {name: part.states[name] for name in names}
        if part.faults is not None:
            other.faults = other.states["faults"] = part.faults
        if part.twins:
            other.set_twins(dict(part.twins))
        other.count, other.traced, other.loaded = self.count, self.traced, self.loaded
        other.row, other.float64_dims = self.row, self.float64_dims
        return other

    # Emptying, moving, copying.

    def clear(self) -> None:
        """Empty the states, in place."""
        for name, state in self.states.items():
            if isinstance(state, list):
                self.states[name] = []
            elif name in self.starts:
                state.copy_(self.starts[name])
            else:
                state.zero_()
        for twin in self.twins.values():
            twin.zero_()
        self.forget()

    def forget(self) -> None:
        """Know that the states are empty; readers that waited for it see them again."""
        self.count = 0
        self.room = None
        self.traced = self.loaded = False
        self.epoch += 1
        self.readers += self.emptied
        self.emptied = 0
        self.float64_dims = -1
        self.checked = self.again = None
        self._version, self._stale = 0, True

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move the states to where ``fn`` moves a tensor."""
        self.room = None
        with tensors.ordinary():
            for states in (self.states, self.twins):
                for name, state in states.items():
                    if isinstance(state, list):
                        states[name] = [fn(value) for value in state]
                    elif name != "faults":
                        states[name] = tensors.as_ordinary(fn(state))
            if self.faults is not None:
                self.faults = self.states["faults"] = tensors.as_ordinary(fn(self.faults))
        self.moved(fn)

    def moved(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Know that the states were moved."""
        self.room = None
        device = fn(torch.empty(0, device=self.device)).device
        self._stale |= device != self.device  # what was reduced or computed is elsewhere
        self.device = device
        self.checked = self.again = None
        if self.twins:
            self.set_twins(self.twins)

    def copy_of(self, statistics: Statistics) -> Accumulator:
        """A copy of what ``statistics``, a part of these, ask for."""
        other = Accumulator(statistics, self.device, self.lists_on_cpu)
        other.copy_from(self)
        other.row = self.row
        return other

    def copy_from(self, source: Accumulator, names: Iterable[str] | None = None) -> None:
        """Take the content of an accumulator whose statistics are a union of these, or a part of them.

        Args:
            source: the accumulator.
            names: of the statistics to take; None for all that both have.
        """
        self.room = source.room = None
        exactly = self.statistics.exactly
        mine, theirs = self.statistics.shapes, source.statistics.shapes
        with tensors.ordinary(), torch.no_grad():
            for name in mine.keys() & theirs.keys() if names is None else names:
                pairs = [(self.states, source.states)]
                if source.twins:
                    pairs.append((self.weighted(), source.twins))
                for to, of in pairs:
                    if isinstance(of[name], list):
                        to[name] = list(of[name])
                    else:
                        _overlap(exactly, source.statistics.view, name, to, of)
            if self.faults is not None and source.faults is not None:
                self.faults.copy_(source.faults)
        self.count, self.traced, self.loaded = source.count, source.traced, source.loaded
        self.float64_dims, self.row = max(self.float64_dims, source.float64_dims), source.row
        self._version, self._stale = source.version, False
        self.checked = self.again = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but where the states lie; whoever gets it owns it."""
        self.room = None
        kept = ("statistics", "device", "lists_on_cpu", "count", "traced", "loaded", "row", "float64_dims")
        state = {name: getattr(self, name) for name in kept}
        state["states"] = tensors.frozen({name: self.states[name] for name in self.states})
        state["twins"] = tensors.frozen({name: self.twins[name] for name in self.statistics.shapes if self.twins})
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A new accumulator with that content."""
        self.__init__(state["statistics"], state["device"], state["lists_on_cpu"])  # type: ignore[misc]
        self.states = tensors.thawed(state["states"])
        self.faults = self.states.get("faults")
        twins = tensors.thawed(state["twins"])
        if twins:
            self.set_twins(twins)
        for name in ("count", "traced", "loaded", "row", "float64_dims"):
            setattr(self, name, state[name])


def _overlap(
    exactly: Callable[[str, Tensor], Tensor],
    view: Callable[[str, Tensor], Tensor],
    name: str,
    to: dict[str, Any],
    of: Mapping[str, Any],
) -> None:
    """Copy a state of a union to one of its parts, or the other way round as far as it has what the union asks for."""
    source, target = of[name], to[name]
    if source.shape == target.shape:
        target.copy_(source)
    elif source.numel() > target.numel():
        target.copy_(exactly(name, source))
    else:
        part = view(name, target)
        if part.shape == source.shape:
            part.copy_(source)


def of_batch(
    statistics: Statistics, batch: Batch, faults: Tensor | None, like: Mapping[str, Tensor] | None = None
) -> tuple[dict[str, Tensor], bool]:
    """The statistics of one batch, and whether they carry a graph; see :meth:`Statistics.of_batch`."""
    inputs, weights, valid = batch
    if type(statistics).differentiable is not Statistics.differentiable and differentiated(inputs):
        states = statistics.differentiable(batch)
        if states is not None:
            if statistics.may_fault(weights):  # the pass says what was out of range
                statistics.of_batch((tuple(value.detach() for value in inputs), weights, valid), faults)
            return states, True
    return statistics.of_batch(batch, faults, like), False
