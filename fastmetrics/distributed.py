# SPDX-License-Identifier: Apache-2.0
"""The states of many processes become one, in one collective per reduction and dtype.

Sums of int64 come first, as every metric has some and all processes know their size. They carry a table with a row for
each process, which tells what the others have to know to take part in the rest: who has seen weighted samples, how long
the lists are, and which values were out of range. So no process waits for one that does not come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DistributedSampler
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors

from fastmetrics.passes.faults import FAULTS, merge_faults
from fastmetrics.statistics import Statistics

_FAULTS_SAID = 6  # the part of a record of faults that is not scratch
_DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)

Gather = Callable[..., Sequence[Tensor]]


class Part(NamedTuple):
    """The states of one metric, or of metrics that share them.

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

    def with_outputs(self, outputs: int, device: torch.device) -> Part:
        """These states, or empty ones of so many outputs if they have others."""
        if all(state.shape[0] == outputs for state in self.states.values()):
            return self
        statistics = self.statistics.resized(outputs)
        return self._replace(statistics=statistics, states=dict(statistics.zeros(device)))

    def final(self, name: str, device: torch.device) -> Tensor:
        """One statistic as a formula takes it."""
        state = self.states[name]
        if isinstance(state, Tensor):
            twin = self.twins.get(name)
            return state if twin is None else state + twin
        if not state:
            shape, dtype = self.statistics.shapes[name]
            return torch.zeros((0, *shape), dtype=dtype, device=device)
        return dim_zero_cat(state)


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
        return [whole[:size] for whole, size in zip(gathered, sizes, strict=True)]


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
    parts: Sequence[Part], device: torch.device, group: Any = None, gather: Gather | None = None, apart: bool = False
) -> list[Part]:
    """Reduce the states of all processes; those of this one stay as they are.

    Args:
        parts: the same on all processes but for their values, the lengths of lists, whether there are twins, and
            outputs that the data told: a process without data takes those of the others.
        device: where the states of the result are.
        group: the processes; None for all.
        gather: ``gather(tensor, group=...)`` gives the tensors of all processes, in place of ``torch.distributed``.
        apart: this process has its states in other parts than these, which only have the right shapes.

    Returns:
        A part for each: new tensors, and one tensor in place of a list. Nothing if any process said ``apart``.

    Raises:
        RuntimeError: processes have data of different numbers of outputs; on all of them.
    """
    # torchmetrics' own function adds a barrier and a gather of sizes to every tensor
    world = _Collectives(group) if gather in (None, gather_all_tensors) else _Gathers(gather, group)
    reduced = [Part(part.statistics, {}, {}, None) for part in parts]
    both = list(zip(parts, reduced, strict=True))
    sums: dict[torch.dtype, list[_Entry]] = {torch.int64: []}
    joined: list[_Entry] = []

    def enter(part: Part, whole: Part) -> None:
        for name in part.statistics.shapes:
            state = part.states[name]
            if part.statistics.samplewise:
                state = part.final(name, device).to(device)
                said.extend([len(state), _DTYPES.index(state.dtype)])
            merged = part.statistics.samplewise or name in part.statistics.reductions
            where = joined if merged else sums.setdefault(state.dtype, [])
            where.append(_Entry(part.statistics, name, state, whole.states, []))

    said = [int(apart)]
    outputs = []
    for part, whole in both:
        said.append(len(part.twins))
        if part.statistics.outputs_from_data:
            outputs.append(part.statistics.outputs_with_data(part.states).to(device))
        else:
            enter(part, whole)

    faults = [part.faults[:_FAULTS_SAID].to(device) for part in parts if part.faults is not None]
    row = torch.cat([torch.tensor(said, dtype=torch.int64, device=device), *outputs, *faults])
    counts = sums.pop(torch.int64)
    total, table = world.sum_and_table(_flat(counts, row), row)
    _spread(counts, total)
    numbers = len(said) + len(outputs)
    records = iter(table[:, numbers:].split(_FAULTS_SAID, 1))
    columns = list(zip(*table[:, :numbers].tolist(), strict=True))  # for each number said, that of every process
    told, outputs_told = iter(columns[: len(said)]), iter(columns[len(said) :])

    if any(next(told)):
        return []
    for part, whole in both:
        if part.statistics.outputs_from_data:
            enter(part.with_outputs(_agreed(next(outputs_told)), device), whole)
    for i, (part, whole) in enumerate(both):
        if part.faults is not None:
            record = merge_faults(next(records))
            reduced[i] = whole._replace(faults=torch.cat([record, record.new_zeros(FAULTS - _FAULTS_SAID)]))
        if any(next(told)):
            zeros = {} if part.twins else part.statistics.zeros(device, weighted=True)
            for name, twin in {**zeros, **part.twins}.items():
                sums.setdefault(twin.dtype, []).append(_Entry(part.statistics, name, twin, whole.twins, []))
        if part.statistics.samplewise:
            for entry in joined:
                if entry.to is whole.states:
                    entry.lengths.extend(zip(next(told), next(told), strict=True))

    for dtype in sorted(sums, key=_DTYPES.index):
        _spread(sums[dtype], world.sum(_flat(sums[dtype], row)))
    if joined:
        _join(joined, world, len(table))
    return reduced


def _agreed(outputs: tuple[int, ...]) -> int:
    """The number of outputs of all processes; it is 0 where there is no data."""
    known = {number for number in outputs if number}
    if len(known) > 1:
        raise RuntimeError(f"Processes have data of different numbers of outputs: {', '.join(map(str, outputs))}.")
    return max(known, default=1)


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
    for whole, of_rank, layout in zip(gathered, sizes, layouts, strict=True):
        pieces = zip(whole.split(of_rank), layout, strict=True)
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


def valid_mask(
    sampler: DistributedSampler[Any],
    batch_idx: int | None = None,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Which samples of a ``DistributedSampler`` are not padding, as ``valid=`` takes it.

    The sampler gives every process equally many samples, and repeats some to make up the number. With this mask they
    are counted once, and the metric of all processes is that of one process that reads the data.

    Args:
        sampler: a ``torch.utils.data.DistributedSampler``, or one that deals samples out as it does.
        batch_idx: of the batch; None for all samples of this process.
        batch_size: of the loader; needed with ``batch_idx``.
        device: of the mask.

    Returns:
        bool ``[len(sampler)]``, or that of the batch.

    Raises:
        ValueError: ``batch_idx`` without ``batch_size``, or one that lies outside the sampler.

    Example:
        >>> from torch.utils.data import DistributedSampler
        >>> from fastmetrics.distributed import valid_mask
        >>> sampler = DistributedSampler(range(5), num_replicas=2, rank=1)
        >>> valid_mask(sampler)
        tensor([ True,  True, False])
        >>> valid_mask(sampler, batch_idx=1, batch_size=2)
        tensor([False])
    """
    first, last = 0, len(sampler)
    if batch_idx is not None:
        if batch_size is None:
            raise ValueError("Expected `batch_size` with `batch_idx`.")
        first, last = batch_idx * batch_size, min(last, (batch_idx + 1) * batch_size)
        if not 0 <= first < last:
            raise ValueError(f"Expected `batch_idx` of one of the {len(sampler)} samples, but got {batch_idx}.")
    place = torch.arange(first, last, device=device) * sampler.num_replicas + sampler.rank
    samples: int = len(sampler.dataset)  # type: ignore[arg-type]
    return place < samples
