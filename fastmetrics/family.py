# SPDX-License-Identifier: Apache-2.0
"""Which metrics can be read together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

import torch
from torch.nn import Module

from fastmetrics.distributed import Part
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import same

KEYWORDS = ("compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn")


def shareable(metric: Module) -> TypeGuard[StatisticMetric]:
    """Whether the states of a metric are those of its statistics, and its methods mean what they mean in the base."""
    return (
        isinstance(metric, StatisticMetric)
        and metric._standard()
        and type(metric).forward is StatisticMetric.forward
        and type(metric)._states_of is StatisticMetric._states_of
        and not metric._is_synced
        and set(metric._defaults) <= metric._ours()
    )


def _reading(metric: StatisticMetric) -> tuple[Any, ...]:
    """What has to be equal, besides the statistics, for metrics to be read together."""
    options = type(metric).inputs_options
    read = (id(metric),) if options is None else tuple(getattr(metric, name) for name in options)
    keywords = tuple(getattr(metric, name) for name in KEYWORDS)
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


def join(
    families: list[Family],
    metric: StatisticMetric,
    share: bool,
    alike: Callable[[StatisticMetric, StatisticMetric], bool] | None = None,
) -> None:
    """Add a metric to those that it is read together with, or open a new family.

    Args:
        families: those that are there.
        metric: to be added.
        share: False opens a new one.
        alike: what the first of a family and the metric must be; None for families that depend on no data.
    """
    asks = metric._statistics.before_data() if alike is None else metric._statistics
    for i, (statistics, members) in enumerate(families if share else []):
        if same(_reading(members[0]), _reading(metric)) and (alike is None or alike(members[0], metric)):
            union = statistics.union(asks)
            if union is not None:
                members.append(metric)
                families[i] = Family(union, members)
                return
    families.append(Family(asks, [metric]))


def same_world(one: StatisticMetric, other: StatisticMetric) -> bool:
    """Whether both speak to the same processes in the same way."""
    return all(getattr(one, name) == getattr(other, name) for name in ("process_group", "dist_sync_fn", "device"))


def same_history(one: StatisticMetric, other: StatisticMetric) -> bool:
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
