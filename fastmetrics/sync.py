# SPDX-License-Identifier: Apache-2.0
"""The states of many processes become one, in one collective per reduction and dtype.

Sums of int64 come first, as every metric has some and all processes know their size. They carry a table with a row for
each process, the header, which says what the others have to know to take part in the rest: who has seen weighted
samples, how long the lists are, and which values were out of range. So no process waits for one that does not come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from fastmetrics.accumulator import Part
from fastmetrics.passes.faults import FAULTS, merge_faults
from fastmetrics.reader import Reader, part_of, whole_of
from fastmetrics.statistics import Statistics

_FAULT_FIELDS = 8  # the part of a record of faults that is not scratch
_DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)

Gather = Callable[..., Sequence[Tensor]]


class _Collectives:
    """Sums and gathers by ``torch.distributed``."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._world, self._rank = dist.get_world_size(group), dist.get_rank(group)

    def sum(self, flat: Tensor) -> Tensor:
        """The sum of ``[n]`` over processes."""
        total = flat.detach().clone()
        dist.all_reduce(total, group=self._group)
        # what a process adds itself keeps its graph
        return total + (flat - flat.detach()) if flat.requires_grad else total

    def sum_and_table(self, flat: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of ``[n]``, and the rows of all processes ``[ranks, k]``."""
        table = row.new_zeros(self._world, len(row))
        table[self._rank] = row
        total = self.sum(torch.cat([flat, table.reshape(-1)]))
        return total[: len(flat)], total[len(flat) :].reshape(table.shape)

    def gather(self, flat: Tensor, sizes: list[int]) -> Sequence[Tensor]:
        """``[n]`` of each process; ``sizes`` says how long each is."""
        padded = flat.new_zeros(max(sizes))
        padded[: len(flat)] = flat
        gathered = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(gathered, padded, group=self._group)
        return [one[:size] for one, size in zip(gathered, sizes, strict=True)]


class _Gathers:
    """The same by a function of the user, which gathers."""

    def __init__(self, gather: Gather, group: Any) -> None:
        self._gather, self._group = gather, group

    def sum(self, flat: Tensor) -> Tensor:
        """The sum of ``[n]`` over processes."""
        return torch.stack(list(self._gather(flat, group=self._group))).sum(0)

    def sum_and_table(self, flat: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of ``[n]``, and the rows of all processes ``[ranks, k]``."""
        both = torch.stack(list(self._gather(torch.cat([flat, row]), group=self._group)))
        return both[:, : len(flat)].sum(0), both[:, len(flat) :]

    def gather(self, flat: Tensor, sizes: list[int]) -> Sequence[Tensor]:
        """``[n]`` of each process."""
        return self._gather(flat, group=self._group)


def all_processes(
    parts: Sequence[Part], device: torch.device, group: Any = None, gather: Gather | None = None, fallback: bool = False
) -> list[Part]:
    """Reduce the states of all processes; the local ones stay as they are.

    Args:
        parts: the same on all processes but for their values, the lengths of lists, whether there are twins, and
            sizes that the first batch fixes: a process without data takes the size of the others.
        device: where the states of the result are.
        group: the processes; None for all.
        gather: ``gather(tensor, group=...)`` gives the tensors of all processes, in place of ``torch.distributed``.
        fallback: this process has its states in other parts, and these only have the right shapes; all ranks are to
            reduce metric by metric.

    Returns:
        A part for each: new tensors, and one tensor in place of a list. Nothing if any process said ``fallback``.

    Raises:
        RuntimeError: processes have data of different sizes; on all of them.
    """
    # torchmetrics' own function adds a barrier and a gather of sizes to every tensor
    world = _Collectives(group) if gather in (None, gather_all_tensors) else _Gathers(gather, group)
    reduced = [Part(part.statistics, {}, {}, None) for part in parts]
    both = list(zip(parts, reduced, strict=True))
    sums: dict[torch.dtype, list[_Entry]] = {torch.int64: []}
    joined: list[_Entry] = []

    def enter(part: Part, result: Part) -> None:
        for name in part.statistics.shapes:
            state = part.states[name]
            if part.statistics.samplewise:
                state = part.final(name, device).to(device)
                header.extend([len(state), _DTYPES.index(state.dtype)])
            merged = part.statistics.samplewise or name in part.statistics.reductions
            where = joined if merged else sums.setdefault(state.dtype, [])
            where.append(_Entry(part.statistics, name, state, result.states, []))

    header = [int(fallback)]
    sizes = []
    for part, result in both:
        header.append(len(part.twins))
        if part.statistics.size_from_data:
            sizes.append(part.statistics.size_with_data(part.states).to(device))
        else:
            enter(part, result)

    faults = [part.faults[:_FAULT_FIELDS].to(device) for part in parts if part.faults is not None]
    row = torch.cat([torch.tensor(header, dtype=torch.int64, device=device), *sizes, *faults])
    counts = sums.pop(torch.int64)
    total, table = world.sum_and_table(_flat(counts, row), row)
    _spread(counts, total)
    numbers = len(header) + len(sizes)
    records = iter(table[:, numbers:].split(_FAULT_FIELDS, 1))
    columns = list(zip(*table[:, :numbers].tolist(), strict=True))  # for each field, the values of all processes
    fields, sizes_of_all = iter(columns[: len(header)]), iter(columns[len(header) :])

    if any(next(fields)):
        return []
    for i, (part, _) in enumerate(both):
        if part.statistics.size_from_data:
            part = part.resized(_agreed(next(sizes_of_all), part.statistics), device)  # noqa: PLW2901
            reduced[i] = reduced[i]._replace(statistics=part.statistics)
            both[i] = part, reduced[i]
            enter(part, reduced[i])
    for i, (part, result) in enumerate(both):
        if part.faults is not None:
            record = merge_faults(next(records))
            reduced[i] = result._replace(faults=torch.cat([record, record.new_zeros(FAULTS - _FAULT_FIELDS)]))
        if any(next(fields)):
            zeros = {} if part.twins else part.statistics.zeros(device, weighted=True)
            for name, twin in {**zeros, **part.twins}.items():
                sums.setdefault(twin.dtype, []).append(_Entry(part.statistics, name, twin, result.twins, []))
        if part.statistics.samplewise:
            for entry in joined:
                if entry.to is result.states:
                    entry.lengths.extend(zip(next(fields), next(fields), strict=True))

    for dtype in sorted(sums, key=_DTYPES.index):
        _spread(sums[dtype], world.sum(_flat(sums[dtype], row)))
    if joined:
        _join(joined, world, len(table))
    return reduced


def _agreed(sizes: tuple[int, ...], statistics: Statistics) -> int:
    """The size of all processes; it is 0 or less where there is no data, see ``Statistics.size_with_data``."""
    known = {size for size in sizes if size > 0}
    if len(known) > 1:
        named = ", ".join(str(max(0, size)) for size in sizes)
        raise RuntimeError(f"Processes have data of different numbers of {statistics.size_name}: {named}.")
    return max(known) if known else max(1, *(-size for size in sizes))


class _Entry(NamedTuple):
    """A state of this process, and where that of all goes; of a list, its length and dtype on each process."""

    statistics: Statistics
    name: str
    state: Tensor
    to: dict[str, Any]
    lengths: list[tuple[int, int]]


def _flat(entries: list[_Entry], row: Tensor) -> Tensor:
    flat = [entry.state.reshape(-1) for entry in entries]
    return torch.cat(flat) if flat else row[:0]


def _spread(entries: list[_Entry], total: Tensor) -> None:
    for entry, value in zip(entries, total.split([entry.state.numel() for entry in entries]), strict=True):
        entry.to[entry.name] = value.reshape(entry.state.shape)


def _join(entries: list[_Entry], world: _Collectives | _Gathers, ranks: int) -> None:
    """Gather the states that are not added, whatever their dtypes, as bytes; and concatenate or merge them."""
    flat = torch.cat([entry.state.detach().contiguous().reshape(-1).view(torch.uint8) for entry in entries])
    layouts = [[_layout(entry, rank) for entry in entries] for rank in range(ranks)]
    sizes = [[math.prod(shape) * dtype.itemsize for shape, dtype in layout] for layout in layouts]
    gathered = world.gather(flat, [sum(of_rank) for of_rank in sizes])
    found = []
    for joined, of_rank, layout in zip(gathered, sizes, layouts, strict=True):
        pieces = zip(joined.split(of_rank), layout, strict=True)
        found.append([piece.clone().view(dtype).reshape(shape) for piece, (shape, dtype) in pieces])
    for entry, values in zip(entries, zip(*found, strict=True), strict=True):
        if entry.statistics.samplewise:
            filled = [value for value in values if len(value)]
            entry.to[entry.name] = torch.cat(filled) if filled else values[0]
        else:
            entry.to[entry.name] = entry.statistics.reductions[entry.name](torch.stack(values))


def _layout(entry: _Entry, rank: int) -> tuple[tuple[int, ...], torch.dtype]:
    shape = tuple(entry.state.shape)
    if not entry.statistics.samplewise:
        return shape, entry.state.dtype
    length, dtype = entry.lengths[rank]
    return (length, *shape[1:]), _DTYPES[dtype]


class World(NamedTuple):
    """Which processes meet, and how.

    Attributes:
        device: where the reduced states are.
        group: the processes; None for all.
        gather: a function of the user that gathers; None for ``torch.distributed``.
    """

    device: torch.device
    group: Any = None
    gather: Gather | None = None

    def reduce(self, parts: Sequence[Part], fallback: bool = False) -> list[Part]:
        """See :func:`all_processes`."""
        return all_processes(parts, self.device, self.group, self.gather, fallback)


class Seat(NamedTuple):
    """Readers whose states are reduced as one, whatever they have seen.

    Attributes:
        statistics: the union of what they ask for, before the first batch fixed any size.
        readers: at least one.
        world: with whom they meet.
    """

    statistics: Statistics
    readers: list[Reader]
    world: World

    def empty(self) -> Part:
        """A part of the right shapes."""
        device = self.world.device
        states: dict[str, Any] = dict(self.statistics.zeros(device))
        if self.statistics.samplewise:
            states = {name: [] for name in states}
        return Part(self.statistics, states, {}, self.statistics.no_faults(device))

    def part(self) -> Part | None:
        """The states, if all readers see the same accumulator."""
        accumulator = self.readers[0].accumulator
        together = all(reader.accumulator is accumulator and not reader.was_emptied for reader in self.readers)
        return accumulator.part() if together and accumulator.arena is not None else None


class Meeting:
    """Readers whose processes meet together, once for all of them.

    Every rank issues the same collectives, even if readers left their accumulator on some ranks.

    Args:
        seats: in the same order on all ranks.
    """

    def __init__(self, seats: Iterable[Seat]) -> None:
        self._seats = {id(reader): (seat, reader) for seat in seats for reader in seat.readers}

    def part(self, reader: Reader, remembered: bool = True) -> Part:
        """The states of a reader over all processes.

        Args:
            reader: of this meeting.
            remembered: whether those of the last meeting will do, if nothing was added since.
        """
        return self.parts([reader], remembered)[0]

    def parts(self, readers: Sequence[Reader], remembered: bool = True) -> list[Part]:
        """The same of several readers; processes of one world meet once."""
        met: list[World] = []
        found = []
        for reader in readers:
            world = self._seats[id(reader)][0].world
            reduced = reader.reduced
            if world not in met and not (remembered and reduced and reduced[0] == reader.current().version):
                self._meet(world)
                met.append(world)
            assert reader.reduced is not None
            found.append(reader.reduced[1])
        return found

    def whole(self, reader: Reader, remembered: bool = True) -> Part:
        """The same, with the states of other readers of the accumulator, unless some rank has left those."""
        self.part(reader, remembered)
        assert reader.reduced is not None
        return reader.reduced[2]

    def _meet(self, world: World) -> None:
        seats = [*{id(seat): seat for seat, _ in self._seats.values() if seat.world == world}.values()]
        parts, fallback = [], False
        for seat in seats:
            part = seat.part()
            fallback |= part is None
            parts.append(seat.empty() if part is None else part)
        reduced = world.reduce(parts, fallback)
        readers = [reader for seat in seats for reader in seat.readers]
        versions = [reader.current().version for reader in readers]
        if not reduced:
            found = world.reduce([reader.part() for reader in readers])
            wholes = found
        else:
            asked = [
                (reader.asked.sized_like(part.statistics), part)
                for seat, part in zip(seats, reduced, strict=True)
                for reader in seat.readers
            ]
            found = [part_of(*each) for each in asked]
            wholes = [whole_of(*each) for each in asked]
        for reader, version, part, whole in zip(readers, versions, found, wholes, strict=True):
            reader.reduced = version, part, whole
