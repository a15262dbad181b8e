# SPDX-License-Identifier: Apache-2.0
"""Metrics by groups: predictions and targets are followed by the groups of their samples, of each slicing."""

from dataclasses import dataclass

import torch

from bench.specs import Many, One


@dataclass(frozen=True)
class Sliced:
    """Metrics by groups, whose value is that of each group.

    Ours keeps the groups itself. A library that has none keeps a copy of the metrics for each group.

    Attributes:
        members: the metric, or the collection.
        groups: how many; 0 leaves the groups out of account. Of several slicings a tuple, which only ours has.
        clusters: whether an interval is that of all samples with groups as clusters; else there is one of each group.
    """

    members: Many | One
    groups: int | tuple
    clusters: bool = False

    def build(self, library, unchecked=False, **common):
        if library == "fastmetrics" and self.groups:
            several = isinstance(self.groups, tuple)
            num_groups = {f"slicing {i}": g for i, g in enumerate(self.groups)} if several else self.groups
            return _ByGroup(self.members.build(library, unchecked, num_groups=num_groups, **common), self)
        metrics = self.members.build(library, unchecked, **common)
        if metrics is None:
            return None
        return _Copies(metrics, self.groups) if self.groups else _Whole(metrics)


class _Whole:
    def __init__(self, metrics):
        self.metrics = metrics

    def to(self, device):
        self.metrics.to(device)
        return self

    def reset(self):
        self.metrics.reset()

    def update(self, *batch):
        self.metrics.update(*batch[:2])

    def compute(self):
        return self.metrics.compute()


class _ByGroup(_Whole):
    def __init__(self, metrics, spec):
        super().__init__(metrics)
        self.spec = spec

    def update(self, preds, target, *groups):
        several = isinstance(self.spec.groups, tuple)
        given = {f"slicing {i}": of_each for i, of_each in enumerate(groups)} if several else groups[0]
        self.metrics.update(preds, target, groups=given)

    def interval(self):
        return self.metrics.interval(clusters="groups") if self.spec.clusters else self.metrics.interval_by_group()

    def compute(self):
        return self.metrics.by_group()


class _Copies(_Whole):
    """A copy of a collection for each group that there is, which gets its samples."""

    def __init__(self, metrics, groups):
        super().__init__(metrics)
        self.groups = groups
        self.copies = {}

    def reset(self):
        for copy in self.copies.values():
            copy.reset()

    def update(self, *batch):
        *inputs, groups = batch
        sizes = groups.bincount(minlength=self.groups).tolist()
        order = groups.argsort()
        for group, part in enumerate(zip(*(value[order].split(sizes) for value in inputs), strict=True)):
            if sizes[group]:
                if group not in self.copies:
                    self.copies[group] = self.metrics.clone()
                self.copies[group].update(*part)

    def compute(self):
        values = {group: copy.compute() for group, copy in self.copies.items()}
        found = {}
        for key, one in next(iter(values.values())).items():
            absent = torch.full_like(one, torch.nan) if one.is_floating_point() else torch.zeros_like(one)
            found[key] = torch.stack([values[g][key] if g in values else absent for g in range(self.groups)])
        return found
