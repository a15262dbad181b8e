# SPDX-License-Identifier: Apache-2.0
"""Metrics that are read together and share their states.

A :class:`Group` is metrics that read their input in the same way: one pass a batch fills the union of their
statistics, and the states of each are views of those. A :class:`Pool` is the groups of a collection, with the states of
all in one buffer per dtype and reduction.

A member that is changed by itself (updated, reset, moved, loaded) leaves its group with a copy of its states, so that
the others never see it; its pool is then stale, and the collection makes a new one when it is next used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor
from torch.nn import Module

from fastmetrics.distributed import Part
from fastmetrics.lifecycle import moving
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.passes import FAULTS
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import same

_KEYWORDS = ("compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn")


class Group(StatisticMetric):
    """Metrics that read their input in the same way, as one metric without a value.

    Args:
        statistics: the union of theirs.
        members: at least one; the first reads the arguments of an update for all.
    """

    def __init__(self, statistics: Statistics, members: Sequence[StatisticMetric]) -> None:
        first = members[0]
        with torch.device("meta"):  # the pool has the memory
            super().__init__(statistics, **{name: getattr(first, name) for name in _KEYWORDS})
        own = self.__dict__
        own.update(_device=first.device, _to_sync=first._to_sync, inputs=first.inputs)
        own["_update_signature"] = first._update_signature
        own["_update_count"], own["_traced"] = first._update_count, first._traced
        own["_filled"] = any(member._filled for member in members)
        self.pool: Pool
        self.members = list(members)
        self.left: list[StatisticMetric] = []
        self.moves = False
        self._list_members()

    def formula(self, **statistics: Tensor) -> Any:
        """A group has none."""
        raise NotImplementedError("A group has no value; its members have.")

    def _label(self) -> str:
        return ", ".join(dict.fromkeys(member._label() for member in self.members))

    def bind(self, member: StatisticMetric) -> None:
        """Make the states of a member views of those of the group."""
        own, mine = self.__dict__, member.__dict__
        for name in member._statistics.shapes:
            mine[name] = self._view(member, name, own[name])
        mine["faults"] = own["faults"]
        mine["_group"], mine["_home"] = self, self.pool
        mine["_update_count"], mine["_traced"] = own["_update_count"], own["_traced"]
        if own["_twins"]:
            self._bind_twins(member)

    def _bind_twins(self, member: StatisticMetric) -> None:
        own = self.__dict__
        twins = {name: self._view(member, name, own[own["_twins"][name]]) for name in member._statistics.shapes}
        if member._twins:
            member.__dict__.update({member._twins[name]: twin for name, twin in twins.items()})
        else:
            member._add_twins(twins)

    @staticmethod
    def _view(member: StatisticMetric, name: str, state: Any) -> Any:
        return state if isinstance(state, list) else member._statistics.view(name, state)

    def release(self, member: StatisticMetric) -> None:
        """A member has taken its states away. When all have, each by its own reset, they come back."""
        self.members = [other for other in self.members if other is not member]
        self.left.append(member)
        self.pool.stale = True
        if not self.members and not any(other.update_called or other._filled for other in self.left):
            self.reset()
            self.members, self.left = self.left, []
            for other in self.members:
                self.bind(other)
            self.pool.stale = self.pool.split or any(group.left for group in self.pool.groups)
        self._list_members()

    def _count_update(self, own: dict[str, Any]) -> None:
        super()._count_update(own)
        count, traced = own["_update_count"], own["_traced"]
        for mine in own["_owns"]:
            mine["_computed"] = mine["_whole"] = None
            mine["_update_count"] = count
            mine["_traced"] = traced

    def _forget(self, own: dict[str, Any]) -> None:
        super()._forget(own)
        for member in self.members:
            member._forget(member.__dict__)

    def _empty(self, own: dict[str, Any], names: Any) -> None:
        super()._empty(own, names)
        if self._statistics.samplewise:
            for member in self.members:
                self.bind(member)

    def _open_twins(self) -> None:
        self.pool.open_twins()

    def values(self, part: Part) -> dict[int, Any]:
        """The value of each member from the states of a batch, by the id of the member."""
        final = {name: part.final(name, self._device) for name in part.statistics.shapes}
        found = {}
        for member, own, views in self.__dict__["_calls"]:
            states = {name: final[name] if of is None else of(name, final[name]) for name, of in views}
            found[id(member)] = own["_forward_cache"] = member.formula(**states)
        return found

    def _list_members(self) -> None:
        """Keep what the hot path needs of the members."""
        own, shapes = self.__dict__, self._statistics.shapes
        own["_owns"] = [member.__dict__ for member in self.members]
        own["_calls"] = []
        for member in self.members:
            mine = member._statistics
            views = [(name, None if shapes[name] == shape else mine.view) for name, shape in mine.shapes.items()]
            own["_calls"].append((member, member.__dict__, views))


def _raise_all(records: Iterable[tuple[StatisticMetric, Tensor | None]]) -> None:
    """One error for all faults, which are forgotten then."""
    found = []
    for metric, faults in records:
        if faults is not None:
            try:
                metric._raise_faults(faults)
            except RuntimeError as error:
                found.append(str(error))
    if found:
        raise RuntimeError("\n".join(found))


class Slot:
    """One buffer, and the states that lie in it.

    Args:
        entries: (group, name, shape) in the order of the buffer.
        buffer: 1D; its present values are those of empty states.
    """

    def __init__(self, entries: list[tuple[Group, str, tuple[int, ...]]], buffer: Tensor, zero: bool) -> None:
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
        metrics: whose plain ones (see :func:`shareable`) form groups; they keep what they have counted.
        share: False keeps every metric apart.
        replaces: the pool that they are in now; one that is in another takes its states out of that.
    """

    def __init__(self, metrics: Sequence[Module], share: bool = True, replaces: Pool | None = None) -> None:
        self.stale = False
        self._all_at_once = False
        self.split = False  # whether metrics are apart only because they have seen other data
        families: list[Family] = []
        for metric in metrics:
            if shareable(metric) and not any(metric is one for family in families for one in family.members):
                if metric._group is not None and metric._group.pool is not replaces:
                    metric._leave()
                _join(families, metric, share)
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
            for metric in family.members:
                _join(own, metric, share, _same_history)
            self.split |= len(own) > 1
            parted += own
        return parted

    def _allocate(self) -> None:
        wanted: dict[tuple[torch.device, torch.dtype, bool], list[tuple[Group, str, tuple[int, ...]]]] = {}
        records: dict[tuple[torch.device, torch.dtype, bool], list[tuple[Group, str, tuple[int, ...]]]] = {}
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
        entries: dict[torch.device, list[tuple[Group, str, tuple[int, ...]]]] = {}
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
        """The batch as each group reads it; raises, before anything is counted, if its metadata is wrong."""
        if not kwargs:
            return [group._check(*group.inputs(*args)) for group in self.groups]
        return [group._check(*group.inputs(*args, **group._filter_kwargs(**kwargs))) for group in self.groups]

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
            same = [group for group in together if _meet(group, together[0])]
            together = [group for group in together if not _meet(group, same[0])]
            reduced = same[0]._reduce([whole[id(group)] for group in same])
            whole.update(zip(map(id, same), reduced, strict=True))
        _raise_all((group, whole[id(group)].faults) for group in self.groups)
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
        families = [family for family in self.families if family.first._to_sync and _meet(family.first, first)]
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
        for member in members:
            own = member.__dict__
            wanted = own["_computed"] is None and own["_whole"] is None and own["_to_sync"] and not own["_is_synced"]
            if wanted and member.distributed_available_fn():
                self._meet(member)
        records: list[tuple[StatisticMetric, Tensor]] = []
        for member in members:
            faults = member.__dict__["faults"] if member._whole is None else member._whole.faults
            if faults is not None and not any(faults is other for _, other in records):
                records.append((member._group or member, faults))
        _raise_all(records)
        self._all_at_once = True
        try:
            yield
        finally:
            self._all_at_once = False

    def raise_faults(self, device: str | None = None) -> None:
        """Raise what was wrong with the values of the input, on all devices or on one kind."""
        for faults in self._records:
            if (device is None or faults.device.type == device) and any(faults.tolist()):
                _raise_all((group, group.faults) for group in self.groups)

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


def shareable(metric: Module) -> TypeGuard[StatisticMetric]:
    """Whether the states of a metric are those of its statistics, and its methods mean what they mean in the base."""
    return (
        isinstance(metric, StatisticMetric)
        and metric._standard()
        and type(metric).forward is StatisticMetric.forward
        and not metric._is_synced
        and set(metric._defaults) <= metric._ours()
    )


def _reading(metric: StatisticMetric) -> tuple[Any, ...]:
    """What has to be equal, besides the statistics, for metrics to be read together."""
    options = type(metric).inputs_options
    read = (id(metric),) if options is None else tuple(getattr(metric, name) for name in options)
    keywords = tuple(getattr(metric, name) for name in _KEYWORDS)
    return type(metric).inputs, read, metric._to_sync, metric.device, keywords


class Family(NamedTuple):
    """Metrics that read their input in the same way, whatever they have seen."""

    statistics: Statistics
    members: list[StatisticMetric]

    @property
    def first(self) -> StatisticMetric:
        """The one whose options are those of all."""
        return self.members[0]

    def nothing(self) -> Part:
        """States of the right shapes."""
        device = self.first.device
        empty: dict[str, Any] = dict(self.statistics.zeros(device))
        if self.statistics.samplewise:
            empty = {name: [] for name in empty}
        return Part(self.statistics, empty, {}, self.statistics.no_faults(device))


def _join(
    families: list[Family],
    metric: StatisticMetric,
    share: bool,
    alike: Callable[[StatisticMetric, StatisticMetric], bool] = lambda one, other: True,
) -> None:
    """Add a metric to those that it is read together with, or open a new family."""
    for i, (statistics, members) in enumerate(families if share else []):
        if same(_reading(members[0]), _reading(metric)) and alike(members[0], metric):
            union = statistics.union(metric._statistics)
            if union is not None:
                members.append(metric)
                families[i] = Family(union, members)
                return
    families.append(Family(metric._statistics, [metric]))


def _meet(one: StatisticMetric, other: StatisticMetric) -> bool:
    """Whether both speak to the same processes in the same way."""
    return all(getattr(one, name) == getattr(other, name) for name in ("process_group", "dist_sync_fn", "device"))


def _same_history(one: StatisticMetric, other: StatisticMetric) -> bool:
    """Whether both have seen the same data, so that their statistics may go on as one."""
    if one.update_count != other.update_count or one._traced != other._traced or one._filled != other._filled:
        return False
    if not (one.update_called or one._filled):
        return True
    mine, theirs = one._part(), other._part()
    pairs = [(mine.states, theirs.states), (mine.twins, theirs.twins)]
    return all(_same_states(one, other, *pair) for pair in pairs) and bool(mine.twins) == bool(theirs.twins)


def _same_states(one: StatisticMetric, other: StatisticMetric, mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    for name in mine.keys() & theirs.keys():
        a, b = mine[name], theirs[name]
        if isinstance(a, list) != isinstance(b, list):
            return False
        pairs = list(zip(a, b, strict=False)) if isinstance(a, list) else [(a, b)]
        if isinstance(a, list) and len(a) != len(b):
            return False
        for x, y in pairs:
            shape = tuple(map(min, x.shape, y.shape))
            part = tuple(slice(size) for size in shape)
            if x.is_meta or not torch.equal(x[part], y[part]):
                return False
    return True


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
