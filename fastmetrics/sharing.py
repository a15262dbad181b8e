# SPDX-License-Identifier: Apache-2.0
"""Which metrics are read together, and how a batch reaches all of them in one pass.

Metrics that read their input in the same way form a :class:`Group`: one accumulator is filled with the union of what
they ask for. A :class:`Plan` is the groups of a collection. A member that is changed by itself takes a copy of what it
shares; its group has a reader less then, and the collection makes a new plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor
from torch.nn import Module
from torchmetrics.wrappers import ClasswiseWrapper

from fastmetrics import host, tensors
from fastmetrics.accumulator import Accumulator, Part
from fastmetrics.arena import Arena
from fastmetrics.checks import require_dense
from fastmetrics.metric import StatisticMetric, per_sample, taken
from fastmetrics.native.operators import metadata
from fastmetrics.passes.faults import holds_any, is_zero
from fastmetrics.reader import Reader
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import Batch, same
from fastmetrics.sync import Meeting, Seat, World

_KEYWORDS = ("compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn")


def inner(module: Module) -> Module:
    """The metric whose states a member of a collection has: itself, or the one that it gives the values of."""
    if type(module) is ClasswiseWrapper:
        return module.metric
    return module


def shareable(metric: Module) -> TypeGuard[StatisticMetric]:
    """Whether the states of a metric are those of its statistics, and its methods those of the base."""
    return (
        isinstance(metric, StatisticMetric)
        and metric._standard()
        and type(metric).forward is StatisticMetric.forward
        and not metric._is_synced
        and not metric._added()
    )


def _reading(metric: StatisticMetric) -> tuple[Any, ...]:
    """What has to be equal, besides the statistics, for metrics to be read together."""
    options = type(metric).inputs_options
    read = (id(metric),) if options is None else tuple(getattr(metric, name) for name in options)
    keywords = tuple(getattr(metric, name) for name in _KEYWORDS)
    return type(metric).inputs, read, metric._to_sync, metric.device, keywords


#: The names of states that a formula takes, and how it sees a union of them, where that is not as they are.
_Views = list[tuple[str, Callable[[str, Tensor], Tensor] | None]]


class _Family(NamedTuple):
    """Metrics that read their input in the same way, and the union of their statistics."""

    statistics: Statistics
    members: list[StatisticMetric]

    @property
    def readers(self) -> list[Reader]:
        return [member._reader for member in self.members]


def _join(
    families: list[_Family],
    metric: StatisticMetric,
    share: bool,
    alike: Callable[[StatisticMetric, StatisticMetric], bool] | None = None,
) -> None:
    """Add a metric to those that it is read together with, or open a new family.

    Args:
        families: those that are there.
        metric: to be added.
        share: False opens a new one.
        alike: what each of a family and the metric must be; None for families that depend on no data. To ask one of
            them is not enough: they may differ in states that it does not have.
    """
    asked = metric._reader.asked
    asks = asked.unsized() if alike is None else asked
    for i, (statistics, members) in enumerate(families if share else []):
        if same(_reading(members[0]), _reading(metric)) and (
            alike is None or all(alike(member, metric) for member in members)
        ):
            union = statistics.union(asks)
            if union is not None:
                members.append(metric)
                families[i] = _Family(union, members)
                return
    families.append(_Family(asks, [metric]))


def _same_history(one: StatisticMetric, other: StatisticMetric) -> bool:
    """Whether both have seen the same data, so that their statistics may go on as one."""
    mine, theirs = one._reader.current(), other._reader.current()
    if mine is theirs:
        return True
    if (mine.count, mine.traced, mine.loaded) != (theirs.count, theirs.traced, theirs.loaded):
        return False
    return not mine.updated or _same_content(one._reader.part(), other._reader.part())


def _same_content(one: Part, other: Part) -> bool:
    """Whether states that both have are equal, as far as both have them; others each has by itself."""
    if bool(one.twins) != bool(other.twins):
        return False
    pairs: list[tuple[Any, Any]] = []
    for mine, theirs in ((one.states, other.states), (one.twins, other.twins)):
        for name in mine.keys() & theirs.keys():
            a, b = ([s] if isinstance(s, Tensor) else s for s in (mine[name], theirs[name]))
            if len(a) != len(b):
                return False
            pairs += (_alike(name, one.statistics, x, other.statistics, y) for x, y in zip(a, b, strict=True))
    if one.faults is not None and other.faults is not None:
        pairs.append((one.faults, other.faults))
    for x, y in pairs:
        part = tuple(slice(size) for size in map(min, x.shape, y.shape))
        if x.is_meta or not torch.equal(x[part], y[part]):
            return False
    return True


def _alike(name: str, mine: Statistics, x: Tensor, others: Statistics, y: Tensor) -> tuple[Tensor, Tensor]:
    """Two states in the shape of the one that asks for less, where it can be told."""
    if mine.fits(name, y):
        return x, mine.exactly(name, y)
    return (others.exactly(name, x), y) if others.fits(name, x) else (x, y)


class Group:
    """Metrics that are filled by one pass.

    Args:
        statistics: the union of theirs.
        members: at least one; the first reads the arguments of an update for all.
    """

    __slots__ = (
        "_accepts",
        "_calls",
        "_views",
        "accumulator",
        "filter_kwargs",
        "first",
        "inputs",
        "members",
        "readers",
    )

    def __init__(self, statistics: Statistics, members: Sequence[StatisticMetric]) -> None:
        self.members = list(members)
        self.first = first = self.members[0]
        self.readers = [member._reader for member in self.members]
        self.inputs, self.filter_kwargs = first.inputs, first._filter_kwargs
        self.accumulator = Accumulator(statistics, first.device, first.compute_on_cpu)

    def fill(self) -> None:
        """Take what the members have counted, and let them read it here."""
        accumulator = self.accumulator
        sources: dict[int, tuple[Accumulator, set[str]]] = {}
        for reader in self.readers:
            source = reader.current()
            # what a source has beside that may be of another history than the states that are taken elsewhere
            sources.setdefault(id(source), (source, set()))[1].update(reader.asked.shapes)
        for source, names in sources.values():
            if source.twins:
                accumulator.weighted()
            if source.updated:
                accumulator.copy_from(source, names)
            accumulator.row = accumulator.row or source.row
        for reader in self.readers:
            reader.bind(accumulator)
        hook = StatisticMetric._accept
        self._accepts = [member for member in self.members if type(member)._accept is not hook]
        self._calls = []
        known: list[_Views] = []  # members that see the same states share them
        for member in self.members:
            asked = member._reader.asked
            shapes = accumulator.statistics.shapes
            wanted = {name: asked.shapes[name] for name in member._names_of_formula()}
            views: _Views = [(name, None if shapes[name] == shape else asked.view) for name, shape in wanted.items()]
            if views not in known:
                known.append(views)
            self._calls.append((member, member._formula(), known.index(views)))
        self._views = known

    @property
    def complete(self) -> bool:
        """Whether all members read what is counted here."""
        return self.accumulator.readers == len(self.members)

    def label(self) -> str:
        """How messages call the members."""
        return ", ".join(dict.fromkeys(member._label() for member in self.members))

    def check(self, batch: Batch, traced: bool) -> tuple[Batch, bool]:
        """The batch as the statistics take it, and whether one like it was checked before; raises if it is wrong."""
        inputs, weights, valid = batch
        accumulator = self.accumulator
        checked = None if traced else accumulator.checked
        known = checked is not None and checked == metadata(*inputs)
        if not known:
            require_dense(self.first._label(), self.first._update_signature, inputs)
            for member in self._accepts:
                asked = member._reader.asked
                member._accept(asked.samples(inputs), asked.plain)
            accumulator.check(inputs, self.label)
        if weights is not None or valid is not None:
            weights, valid = per_sample(accumulator.statistics, batch)
        if not known:
            for reader in self.readers:
                if reader.asked.size_from_data:
                    reader.check_size(inputs, self.label)
        return (inputs, weights, valid), known

    def fit(self, batch: Batch, traced: bool) -> bool:
        """Get ready for a batch of another kind; whether members have left because of its size."""
        inputs = batch[0]
        left = [reader for reader in self.readers if reader.asked.size_from_data and reader.fit(inputs)]
        for reader in left:
            reader.accumulator.note(inputs)
        self.accumulator.note(inputs)
        if not traced:
            self.accumulator.checked, self.accumulator.again = metadata(*inputs), None
        return bool(left)

    def add(self, batch: Batch, traced: bool) -> None:
        """Add a batch that was checked."""
        self._count(batch, traced)
        self.accumulator.add(batch)

    def add_and_keep(self, batch: Batch, traced: bool) -> Part:
        """The same, and return its own statistics."""
        self._count(batch, traced)
        return self.accumulator.add_and_keep(batch, traced)

    def _count(self, batch: Batch, traced: bool) -> None:
        accumulator = self.accumulator
        if batch[1] is not None and accumulator.lacks_twins:
            accumulator.weighted()
        if traced:
            accumulator.counted_in_trace()
        else:
            accumulator.counted()

    def without_value(self, found: dict[int, Any]) -> list[StatisticMetric]:
        """The members whose value is not known yet; those that are known go to ``found``, by the ids of the members."""
        version = self.accumulator.version
        wanted = []
        for member in self.members:
            if member._computed is not None and member._computed_version == version:
                found[id(member)] = member._computed
            elif member._is_synced:
                found[id(member)] = member.compute()
            else:
                member._warn_unless_updated()
                wanted.append(member)
        return wanted

    def values(self, part: Part) -> dict[int, Any]:
        """The value of each member from the union of statistics, by the id of the member."""
        finals = part.finals(self.accumulator.device)
        seen = [
            {name: finals[name] if view is None else view(name, finals[name]) for name, view in views if name in finals}
            for views in self._views
        ]
        found = {}
        for member, formula, number in self._calls:
            states = seen[number]
            found[id(member)] = tensors.unaliased(formula(**states), states.values())
        return found


class Plan:
    """The groups of a collection and their memory.

    Args:
        modules: metrics and what is around them; those that are :func:`shareable` form groups, and keep what they have
            counted.
        share: False keeps every metric by itself.
        replaces: the plan that they are in now; one that is in another takes its states out of that.

    Attributes:
        split: whether metrics are by themselves only because they have seen other data, or were synced.
        grouped: ids of the modules whose metric is in a group.
    """

    def __init__(self, modules: Sequence[Module], share: bool = True, replaces: Plan | None = None) -> None:
        self.arena: Arena
        self.grouped: set[int] = set()
        self.split = False
        families: list[_Family] = []
        self._families = families
        members: set[int] = set()
        for module in modules:
            metric = inner(module)
            if not shareable(metric):
                self.split |= isinstance(metric, StatisticMetric) and metric._is_synced
                continue
            self.grouped.add(id(module))
            if id(metric) in members:
                continue
            members.add(id(metric))
            if replaces is None or metric._reader.accumulator.arena is not replaces.arena:
                metric._reader.own()
            _join(families, metric, share)
        self.groups = [Group(family.statistics, family.members) for family in self._of_one_history(families, share)]
        self.arena = Arena([group.accumulator for group in self.groups])
        for group in self.groups:
            group.fill()
        self._list_states()
        self._meet()

    def _meet(self) -> None:
        """Have the processes of all members meet together."""
        self.meeting = Meeting(
            [
                Seat(family.statistics, family.readers, _world(family.members[0]))
                for family in self._families
                if family.members[0]._to_sync
            ]
        )
        for family in self._families:
            for metric in family.members:
                metric._meeting = self.meeting

    def _of_one_history(self, families: list[_Family], share: bool) -> list[_Family]:
        """The families, parted where members have seen other data."""
        parted: list[_Family] = []
        for family in families:
            own: list[_Family] = []
            fitting: list[_Family] = []  # sizes that the first batch fixed may differ, whatever the history
            for metric in family.members:
                _join(own, metric, share, _same_history)
                _join(fitting, metric, share, lambda one, other: True)
            self.split |= len(own) > len(fitting)
            parted += own
        return parted

    @property
    def stale(self) -> bool:
        """Whether a member has left its group."""
        for group in self.groups:  # noqa: SIM110 a generator takes twice as long, at every update
            if group.accumulator.readers != len(group.readers):
                return True
        return False

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any], traced: bool) -> list[Batch]:
        """The batch as each group reads it; raises, before anything is changed, if its metadata is wrong.

        The plan is stale afterwards if members have left because their states do not fit the batch.
        """
        batches, kinds = [], []
        for group in self.groups:
            read = group.first._read(args, group.filter_kwargs(**kwargs) if kwargs else kwargs)
            batch, known = group.check(read, traced)
            batches.append(batch)
            if not known:
                kinds.append((group, batch))
        for group, batch in kinds:
            group.fit(batch, traced)
        return batches

    def require_unsynced(self) -> None:
        """Raise if a member has the states of all processes."""
        for group in self.groups:
            for member in group.members:
                member._require_unsynced()

    def update(self, batches: list[Batch], traced: bool) -> None:
        """Add a batch to all states."""
        twins = self._has_twins()
        for group, batch in zip(self.groups, batches, strict=True):
            group.add(batch, traced)
        self._list_twins(twins)
        if not traced:
            self.raise_faults("cpu")

    def forward(self, batches: list[Batch], traced: bool) -> dict[int, Any]:
        """Add a batch to all states, and its value for each member, by the id of the member."""
        twins = self._has_twins()
        parts = [group.add_and_keep(batch, traced) for group, batch in zip(self.groups, batches, strict=True)]
        self._list_twins(twins)
        stepwise = [i for i, g in enumerate(self.groups) if g.first.dist_sync_on_step]
        if stepwise and self.groups[stepwise[0]].first.distributed_available_fn():
            self._reduce_step(parts, stepwise)
        asked = [_Asked(group, part, group.values) for group, part in zip(self.groups, parts, strict=True)]
        found = self._values(asked, checked=not traced)
        for group in self.groups:
            for member in group.members:
                member.__dict__["_forward_cache"] = found[id(member)]
        return found

    def _reduce_step(self, parts: list[Part], stepwise: list[int]) -> None:
        """Replace the statistics of one batch by those of all processes."""
        while stepwise:
            world = _world(self.groups[stepwise[0]].first)
            met = [i for i in stepwise if _world(self.groups[i].first) == world]
            stepwise = [i for i in stepwise if i not in met]
            for i, part in zip(met, world.reduce([parts[i] for i in met]), strict=True):
                parts[i] = part

    def _has_twins(self) -> bool:
        return any(buffer.twins for buffer in self.arena.buffers)

    def _list_twins(self, before: bool) -> None:
        """Tell the members of states that weighted samples have brought."""
        if self._has_twins() != before:
            self._list_states()

    def _list_states(self) -> None:
        for group in self.groups:
            for member in group.members:
                member._list_states()

    def compute(self) -> dict[int, Any]:
        """The value of each member over all batches and processes, by its id.

        Processes meet once for all members, and what was wrong on any of them is raised in one error.
        """
        found: dict[int, Any] = {}
        local: list[Group] = []
        reduced: list[tuple[Group, StatisticMetric]] = []
        for group in self.groups:
            wanted = group.without_value(found)
            if wanted and group.first._to_sync and group.first.distributed_available_fn():
                reduced += [(group, member) for member in wanted]
            elif wanted:
                local.append(group)
        remembered = all(member.compute_with_cache for _, member in reduced)
        parts = self.meeting.parts([member._reader for _, member in reduced], remembered)
        asked = [
            _Asked(group, part, partial(_value_of, member))
            for (group, member), part in zip(reduced, parts, strict=True)
        ]
        asked += [_Asked(group, group.accumulator.part(), group.values) for group in local]
        values = self._values(asked)
        for group in self.groups:
            for member in group.members:
                if id(member) in values and id(member) not in found:
                    found[id(member)] = member._remember(values[id(member)], group.accumulator.version)
        return found

    def _values(self, asked: Sequence[_Asked], checked: bool = True) -> dict[int, Any]:
        """The values of members from states, by their ids.

        Args:
            asked: the states, and what gives the values.
            checked: whether what was wrong with values of the input is raised before, in one error for all.
        """
        parts = [part for _, part, _ in asked]
        device = host.device_to_wait_for(parts) if checked else None
        if device is not None:
            return self._values_after_wait(asked, device)
        if checked:
            self._raise([(group, part.faults, None) for group, part, _ in asked])
        found: dict[int, Any] = {}
        for _, part, values in asked:
            found.update(values(part))
        return found

    def _values_after_wait(self, asked: Sequence[_Asked], device: torch.device) -> dict[int, Any]:
        """The same where one has to wait for a device: small states come to the host."""
        movable = [not any(map(host.holds_tensors, group.members)) for group, _, _ in asked]
        copies = host.copies([part for _, part, _ in asked], movable, device)
        self._raise([(group, part.faults, copy) for (group, part, _), copy in zip(asked, copies, strict=True)])
        far: dict[int, Any] = {}
        near: dict[int, Any] = {}
        for (_, part, values), copy in zip(asked, copies, strict=True):
            if copy is None or copy.part is None:
                far.update(values(part))
            else:
                near.update(values(copy.part))
        far.update(host.moved(near, device))
        return far

    def reset(self) -> None:
        """Empty all states in place."""
        for group in self.groups:
            for member in group.members:
                if member._is_synced:
                    member._give_back()
                member.__dict__.update(_forward_cache=None, _computed=None)
        self.arena.clear()

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move all states to where ``fn`` moves a tensor."""
        self.arena.move(tensors.moving(fn))
        self._meet()

    def local_values(self) -> dict[int, Any]:
        """The value of each member on this process, by its id."""
        return {id(m): m._value_of(m._reader.part()) for group in self.groups for m in group.members}

    def take_faults(self) -> list[tuple[Tensor, Callable[[Tensor], None]]]:
        """The records of faults, which are cleared, and what raises what a record holds."""
        return [
            (taken(group.accumulator.faults), partial(_raise, group))
            for group in self.groups
            if group.accumulator.faults is not None
        ]

    def raise_faults(self, device: str | None = None) -> None:
        """Raise what was wrong with the values of the input, on all devices or on one type of them."""
        if self.arena.faulty(device):
            self._raise([(group, group.accumulator.faults, None) for group in self.groups])

    def _raise(self, records: Sequence[tuple[Group, Tensor | None, host.Copy | None]]) -> None:
        """One error for all faults of groups, which are cleared; there may be copies of the records on the host."""
        found = []
        seen: set[int] = set()  # states of several metrics have one record
        for group, faults, copy in records:
            if faults is not None and id(faults) not in seen and not is_zero(faults):
                seen.add(id(faults))
                try:
                    _raise(group, faults, copy)
                except (RuntimeError, ValueError) as error:
                    found.append(str(error))
        if found:
            raise RuntimeError("\n".join(found))


def _world(metric: StatisticMetric) -> World:
    """With whom the processes of a metric meet."""
    return World(metric._reader.accumulator.device, metric.process_group, metric.dist_sync_fn)


class _Asked(NamedTuple):
    """States of a group, and what gives the values of some members from them, by the ids of the members."""

    group: Group
    part: Part
    values: Callable[[Part], dict[int, Any]]


def _value_of(member: StatisticMetric, part: Part) -> dict[int, Any]:
    """The value of a member alone."""
    return {id(member): member._value_of(part)}


def _raise(group: Group, faults: Tensor, copy: host.Copy | None = None) -> None:
    """Raise what a record of a group holds, and clear it."""
    counts = (faults if copy is None else copy.faults).tolist()
    if holds_any(counts):
        faults.zero_()
        if group.accumulator.faults is not None:
            group.accumulator.faults.zero_()
        group.first._report(counts, group.label())


def outer(module: Module, values: dict[int, Any]) -> Any:
    """The value of a member of a collection from the one of its :func:`inner` metric."""
    if type(module) is ClasswiseWrapper:
        return module._convert_output(values[id(module.metric)])
    return values[id(module)]
