# SPDX-License-Identifier: Apache-2.0
"""Metrics that are read together and share their states.

A :class:`Group` is metrics that read their input in the same way: one pass a batch fills the union of their
statistics, and the states of each are views of those. A :class:`~fastmetrics.pool.Pool` is the groups of a collection,
with the states of all in one buffer per dtype and reduction.

A member that is changed by itself (updated, reset, moved, loaded) leaves its group with a copy of its states, so that
the others never see it; its pool is then stale, and the collection makes a new one when it is next used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fastmetrics.distributed import Part
from fastmetrics.family import KEYWORDS
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import Inputs

if TYPE_CHECKING:
    from fastmetrics.pool import Pool


class Group(StatisticMetric):
    """Metrics that read their input in the same way, as one metric without a value.

    Args:
        statistics: the union of theirs.
        members: at least one; the first reads the arguments of an update for all.
    """

    def __init__(self, statistics: Statistics, members: Sequence[StatisticMetric]) -> None:
        first = members[0]
        with torch.device("meta"):  # the pool has the memory
            super().__init__(statistics, **{name: getattr(first, name) for name in KEYWORDS})
        own = self.__dict__
        own.update(_device=first.device, _to_sync=first._to_sync, inputs=first.inputs)
        own["_update_signature"] = first._update_signature
        own["_update_count"], own["_traced"] = first._update_count, first._traced
        own["_filled"] = any(member._filled for member in members)
        self.pool: Pool
        self.members = list(members)
        self.left: list[StatisticMetric] = []
        self.parted = False  # whether any has left for another reason than its reset
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
        mine["_statistics"] = member._statistics.within(own["_statistics"])
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

    def release(self, member: StatisticMetric, emptied: bool) -> None:
        """A member has taken its states away. When all have, each by its own reset, they come back."""
        self.members = [other for other in self.members if other is not member]
        self.left.append(member)
        self.parted |= not emptied
        self.pool.stale = True
        if not (self.members or self.parted or any(other.update_called or other._filled for other in self.left)):
            self.reset()
            self.members, self.left = self.left, []
            for other in self.members:
                self.bind(other)
            self.pool.stale = self.pool.split or any(group.left for group in self.pool.groups)
        self._list_members()

    def _accept(self, inputs: Inputs) -> None:
        for accept in self.__dict__["_accepts"]:
            accept(inputs)

    def _prepare(self, inputs: Inputs) -> None:
        for prepare in self.__dict__["_prepares"]:
            prepare(inputs)

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
        for kept, hook in (("_accepts", "_accept"), ("_prepares", "_prepare")):
            base = getattr(StatisticMetric, hook)
            own[kept] = [getattr(member, hook) for member in self.members if getattr(type(member), hook) is not base]
        own["_calls"] = []
        for member in self.members:
            mine = member._statistics
            views = [(name, None if shapes[name] == shape else mine.view) for name, shape in mine.shapes.items()]
            own["_calls"].append((member, member.__dict__, views))


def raise_all(records: Iterable[tuple[StatisticMetric, Tensor | None]]) -> None:
    """One error for all faults, which are forgotten then."""
    found = []
    for metric, faults in records:
        if faults is not None:
            try:
                metric._raise_faults(faults)
            except (RuntimeError, ValueError) as error:
                found.append(str(error))
    if found:
        raise RuntimeError("\n".join(found))
