# SPDX-License-Identifier: Apache-2.0
"""Metrics by groups: after preds and target, a batch has the groups of each slicing."""

from dataclasses import dataclass

import torch

from bench.specs import Many, One


@dataclass(frozen=True)
class Sliced:
    """Metrics by groups, whose value and interval are those of each group.

    Ours keeps the groups itself. A library that has none keeps a copy of the metrics for each group.

    Attributes:
        members: a metric or a collection.
        groups: how many each slicing has; none of them leaves groups out of account.
        clusters: whether the interval is of all samples, the groups of the first slicing being resampled.
    """

    members: One | Many
    groups: tuple = ()
    clusters: bool = False

    def build(self, library, unchecked=False, **common):
        if library == "fastmetrics" and self.groups:
            num_groups = {str(place): number for place, number in enumerate(self.groups)}
            members = self.members.build(library, unchecked, num_groups=num_groups, **common)
            return _ByGroup(members, self.clusters)
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

    def update(self, preds, target, *slicings):
        self.metrics.update(preds, target)

    def compute(self):
        return self.metrics.compute()


class _ByGroup(_Whole):
    def __init__(self, metrics, clusters):
        super().__init__(metrics)
        self.clusters = clusters

    def update(self, preds, target, *slicings):
        self.metrics.update(preds, target, groups={str(place): groups for place, groups in enumerate(slicings)})

    def compute(self):
        return self.metrics.by_group()

    def interval(self):
        return self.metrics.interval(clusters="0") if self.clusters else self.metrics.interval_by_group()


class _Copies(_Whole):
    """A copy of a collection for each group of each slicing that there is, which gets its samples."""

    def __init__(self, metrics, groups):
        super().__init__(metrics)
        self.groups = groups
        self.copies = [{} for _ in groups]

    def reset(self):
        for copies in self.copies:
            for copy in copies.values():
                copy.reset()

    def update(self, preds, target, *slicings):
        for copies, groups, number in zip(self.copies, slicings, self.groups, strict=True):
            sizes = groups.bincount(minlength=number).tolist()
            order = groups.argsort()
            parts = zip(preds[order].split(sizes), target[order].split(sizes), strict=True)
            for group, part in enumerate(parts):
                if sizes[group]:
                    if group not in copies:
                        copies[group] = self.metrics.clone()
                    copies[group].update(*part)

    def compute(self):
        found = {}
        for place, (copies, number) in enumerate(zip(self.copies, self.groups, strict=True)):
            values = {group: copy.compute() for group, copy in copies.items()}
            for key, one in next(iter(values.values())).items():
                absent = torch.full_like(one, torch.nan) if one.is_floating_point() else torch.zeros_like(one)
                of_each = torch.stack([values[g][key] if g in values else absent for g in range(number)])
                found.setdefault(key, {})[str(place)] = of_each
        return found
