# SPDX-License-Identifier: Apache-2.0
"""The states of a collection: all groups in one buffer per dtype and reduction, and one meeting of processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from fastmetrics.distributed import Part
from fastmetrics.family import Family, join, same_history, same_world, shareable
from fastmetrics.group import Group, raise_all
from fastmetrics.lifecycle import moving
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.passes.faults import FAULTS, is_zero

Entry = tuple[Group, str, tuple[int, ...]]  # a state of a group, and its shape


class Slot:
    """One buffer, and the states that lie in it.

    Args:
        entries: (group, name, shape) in the order of the buffer.
        buffer: 1D; its present values are those of empty states.
    """

    def __init__(self, entries: list[Entry], buffer: Tensor, zero: bool) -> None:
        self.entries = entries
        self.buffer = buffer
        self._start = None if zero else buffer.clone()
        self.place()

    def place(self) -> None:
        """Give the groups their parts."""
        parts = self.buffer.split([math.prod(shape) for *_, shape in self.entries])
        for (group, name, shape), part in zip(self.entries, parts, strict=True):
            group.__dict__[name] = part.view(shape)

    def empty(self) -> None:
        """One fill."""
        if self._start is None:
            self.buffer.zero_()
        else:
            self.buffer.copy_(self._start)

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move the buffer, if ``fn`` does."""
        buffer = fn(self.buffer)
        if buffer is not self.buffer:
            with torch.inference_mode(False):
                self.buffer = buffer.clone() if buffer.is_inference() else buffer
                self._start = None if self._start is None else self._start.to(buffer.device)
            self.place()


class Pool:
    """The groups of a collection and their memory.

    Args:
        metrics: those that are :func:`~fastmetrics.family.shareable` form groups, and keep what they have counted.
        share: False keeps every metric apart.
        replaces: the pool that they are in now; one that is in another takes its states out of that.
    """

    def __init__(self, metrics: Sequence[Module], share: bool = True, replaces: Pool | None = None) -> None:
        self.stale = False
        self._all_at_once = False  # whether faults have been raised, and processes have met, for all members
        self.split = False  # whether metrics are apart only because they have seen other data
        families: list[Family] = []
        for metric in metrics:
            if shareable(metric) and not any(metric is one for family in families for one in family.members):
                if metric._group is not None and metric._group.pool is not replaces:
                    metric._leave()
                join(families, metric, share)
        self.families = families
        self.groups = [Group(family.statistics, family.members) for family in self._of_one_history(share)]
        self.slots: list[Slot] = []
        with torch.inference_mode(False), torch.no_grad():
            self._allocate()
            if any(member._twins for group in self.groups for member in group.members):
                self.open_twins()
            for group in self.groups:
                group.pool = self
                if group.update_called or group._filled:
                    _copy_states(group)
                for member in group.members:
                    group.bind(member)

    def _of_one_history(self, share: bool) -> list[Family]:
        """The families, parted where members have seen other data."""
        parted: list[Family] = []
        for family in self.families:
            own: list[Family] = []
            fitting: list[Family] = []  # outputs that the data told may be others, whatever the history
            for metric in family.members:
                join(own, metric, share, same_history)
                join(fitting, metric, share, lambda one, other: True)
            self.split |= len(own) > len(fitting)
            parted += own
        return parted

    def _allocate(self) -> None:
        wanted: dict[tuple[torch.device, torch.dtype, bool], list[Entry]] = {}
        records: dict[tuple[torch.device, torch.dtype, bool], list[Entry]] = {}
        for group in self.groups:
            statistics, device = group._statistics, group.device
            for name, (shape, dtype) in statistics.shapes.items():
                if not statistics.samplewise:
                    merged = name in statistics.reductions
                    wanted.setdefault((device, dtype, merged), []).append((group, name, shape))
            if group.faults is not None:
                records.setdefault((device, torch.int64, False), []).append((group, "faults", (FAULTS,)))
        for key in dict.fromkeys([*wanted, *records]):
            device, dtype, _ = key
            entries = wanted.get(key, []) + records.get(key, [])
            size = sum(math.prod(shape) for *_, shape in entries)
            buffer = torch.zeros(size, dtype=dtype, device=device)
            zero = True
            at = 0
            for group, name, shape in entries:
                if name in group._starts:
                    buffer[at : at + math.prod(shape)] = group._starts[name].reshape(-1)
                    zero = False
                at += math.prod(shape)
            self.slots.append(Slot(entries, buffer, zero))
        self._find_records()

    def _find_records(self) -> None:
        """The faults of all groups of a device lie in a row, at the end of their buffer."""
        self._records: list[Tensor] = []
        for slot in self.slots:
            count = sum(name == "faults" for _, name, _ in slot.entries)
            if count:
                self._records.append(slot.buffer[-count * FAULTS :])

    def open_twins(self) -> None:
        """Make room for the weighted samples of all groups."""
        entries: dict[torch.device, list[Entry]] = {}
        opened = []
        for group in self.groups:
            statistics = group._statistics
            if not (group._twins or statistics.weights_in_place or statistics.samplewise):
                opened.append(group)
                for name, (shape, _) in statistics.shapes.items():
                    entries.setdefault(group.device, []).append((group, f"weighted_{name}", shape))
        for device, wanted in entries.items():
            size = sum(math.prod(shape) for *_, shape in wanted)
            with torch.inference_mode(False):
                self.slots.append(Slot(wanted, torch.zeros(size, dtype=torch.float64, device=device), zero=True))
        for group in opened:
            group._add_twins({name: group.__dict__[f"weighted_{name}"] for name in group._statistics.shapes})
            for member in group.members:
                if member.__dict__["_group"] is group:
                    group._bind_twins(member)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Batch]:
        """The batch as each group reads it; raises, before anything is counted, if its metadata is wrong.

        The pool is stale afterwards if a member has left because its states do not fit the batch.
        """
        if not kwargs:
            batches = [group._check(*group.inputs(*args)) for group in self.groups]
        else:
            batches = [group._check(*group.inputs(*args, **group._filter_kwargs(**kwargs))) for group in self.groups]
        for group, batch in zip(self.groups, batches, strict=True):
            group._settle(group.__dict__, batch[0])
        return batches

    def update(self, batches: list[Batch]) -> None:
        """Add a batch to all states."""
        for group, batch in zip(self.groups, batches, strict=True):
            own = group.__dict__
            group._count_update(own)
            group._add(own, batch)
        if not torch.compiler.is_compiling():
            self.raise_faults("cpu")

    def forward(self, batches: list[Batch]) -> dict[int, Any]:
        """Add a batch to all states, and its value for each member, by the id of the member."""
        states = []
        for group in self.groups:
            for mine in group.__dict__["_owns"]:
                group._require_unsynced(mine)
        for group, batch in zip(self.groups, batches, strict=True):
            own = group.__dict__
            group._count_update(own)
            states.append(group._add_and_keep(own, batch))
        parts = [
            group._part_of(of_batch, batch[1] is not None)
            for group, of_batch, batch in zip(self.groups, states, batches, strict=True)
        ]
        together = [group for group in self.groups if group.dist_sync_on_step and group.distributed_available_fn()]
        if together:
            parts = self._meet_on_step(parts, together)
        else:
            self.raise_faults()
        found: dict[int, Any] = {}
        for group, part in zip(self.groups, parts, strict=True):
            found.update(group.values(part))
        return found

    def _meet_on_step(self, parts: list[Part], together: list[Group]) -> list[Part]:
        whole = dict(zip(map(id, self.groups), parts, strict=True))
        while together:
            same = [group for group in together if same_world(group, together[0])]
            together = [group for group in together if not same_world(group, same[0])]
            reduced = same[0]._reduce([whole[id(group)] for group in same])
            whole.update(zip(map(id, same), reduced, strict=True))
        raise_all((group, whole[id(group)].faults) for group in self.groups)
        return list(whole.values())

    def whole(self, member: StatisticMetric) -> Part:
        """The states of a member over all processes, which meet once for all members.

        What the processes say to each other does not depend on which members have left their groups on which process.
        """
        own = member.__dict__
        if own["_whole"] is None or not (member.compute_with_cache or self._all_at_once):
            self._meet(member)
        return own["_whole"]  # type: ignore[no-any-return]

    def _meet(self, first: StatisticMetric) -> None:
        families = [family for family in self.families if family.first._to_sync and same_world(family.first, first)]
        parts, apart = [], False
        for family in families:
            group = family.first._group
            if group is not None and all(member._group is group for member in family.members):
                parts.append(group._part())
            else:
                parts.append(family.nothing())
                apart = True
        whole = first._reduce(parts, apart)
        if not whole:
            members = [member for family in families for member in family.members]
            for member, part in zip(members, first._reduce([m._part() for m in members]), strict=True):
                member.__dict__["_whole"] = part
            return
        for family, part in zip(families, whole, strict=True):
            for member in family.members:
                view, names = member._statistics.view, member._statistics.shapes
                states, twins = ({n: view(n, of[n]) for n in names if n in of} for of in (part.states, part.twins))
                member.__dict__["_whole"] = Part(member._statistics, states, twins, part.faults)

    @contextmanager
    def all_at_once(self) -> Iterator[None]:
        """Where the values of all members are asked for: processes meet before, and faults are raised together."""
        members = [member for family in self.families for member in family.members]
        for member in members:
            if not member.compute_with_cache:
                member.__dict__["_whole"] = None
        available: dict[int, bool] = {}  # what each function says; mostly all members have the same
        for member in members:
            own = member.__dict__
            if own["_computed"] is None and own["_whole"] is None and own["_to_sync"] and not own["_is_synced"]:
                fn = member.distributed_available_fn
                if id(fn) not in available:
                    available[id(fn)] = bool(fn())
                if available[id(fn)]:
                    self._meet(member)
        records: list[tuple[StatisticMetric, Tensor]] = []
        for member in members:
            faults = member.__dict__["faults"] if member._whole is None else member._whole.faults
            if faults is not None and not any(faults is other for _, other in records):
                records.append((member._group or member, faults))
        raise_all(records)
        self._all_at_once = True
        try:
            yield
        finally:
            self._all_at_once = False

    def raise_faults(self, device: str | None = None) -> None:
        """Raise what was wrong with the values of the input, on all devices or on one kind."""
        for faults in self._records:
            if is_zero(faults) or not (device is None or faults.device.type == device):
                continue
            if any(faults.tolist()):
                raise_all((group, group.faults) for group in self.groups)

    def reset(self) -> None:
        """Empty all states in place."""
        for slot in self.slots:
            slot.empty()
        for group in self.groups:
            group._forget(group.__dict__)
            if group._statistics.samplewise:
                group._empty(group.__dict__, group._statistics.shapes)

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move all states to where ``fn`` moves a tensor; the members have moved the rest of them."""
        fn = moving(fn)
        for slot in self.slots:
            slot.move(fn)
        for group in self.groups:
            own = group.__dict__
            own["_device"] = group.members[0].device
            for name, state in group._part().states.items():
                if isinstance(state, list):
                    own[name] = [fn(value) for value in state]
            for member in group.members:
                group.bind(member)
        self._find_records()


def _copy_states(group: Group) -> None:
    """Bring what the members have counted into the states of the group."""
    own = group.__dict__
    for member in group.members:
        part = member._part()
        for name, state in part.states.items():
            if isinstance(state, list):
                own[name] = state
            else:
                member._statistics.view(name, own[name]).copy_(state)
        for name, twin in part.twins.items():
            member._statistics.view(name, own[group._twins[name]]).copy_(twin)
        if part.faults is not None:
            own["faults"].copy_(part.faults)
