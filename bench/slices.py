# SPDX-License-Identifier: Apache-2.0
"""Metrics by groups: the last of a batch are the groups of its samples."""

from dataclasses import dataclass

import torch

from bench.specs import Many


@dataclass(frozen=True)
class Sliced:
    """A collection by groups, whose value is that of each group.

    Ours keeps the groups itself. A library that has none keeps a copy of the metrics for each group.

    Attributes:
        members: the collection.
        groups: how many; 0 leaves the groups out of account.
    """

    members: Many
    groups: int

    def build(self, library, unchecked=False, **common):
        if library == "fastmetrics" and self.groups:
            return _ByGroup(self.members.build(library, unchecked, num_groups=self.groups, **common))
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
        self.metrics.update(*batch[:-1])

    def compute(self):
        return self.metrics.compute()


class _ByGroup(_Whole):
    def update(self, *batch):
        self.metrics.update(*batch[:-1], groups=batch[-1])

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
