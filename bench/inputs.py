# SPDX-License-Identifier: Apache-2.0
"""What the workloads read: random batches that are the same in every run on one kind of device."""

import functools
from dataclasses import dataclass, replace

import torch


@functools.lru_cache(maxsize=1)  # rows of one input lie side by side in the table
def batch_of(inputs, device, scale=1.0):
    """The batch for a share of the samples."""
    generator = torch.Generator(device).manual_seed(0)
    return inputs.make(generator, scale)


def count(n, scale):
    """A share of the samples or of a side, but no fewer than a small batch has."""
    return max(min(n, 32), int(n * scale))


def scaled(shape, scale):
    """``[N, C, ...]`` with about a share of the samples. Less than one image is a smaller image."""
    if len(shape) == 2:
        return (count(shape[0], scale), shape[1])
    images = shape[0] * scale
    side = min(1.0, images) ** (1 / (len(shape) - 2))
    return (max(1, int(images)), shape[1], *(count(size, side) for size in shape[2:]))


def common(shape, share, generator):
    """Which samples are of the one class that has ``share`` of all."""
    return torch.rand(shape, generator=generator, device=generator.device) < share


@dataclass(frozen=True)
class Labels:
    """Int64 labels and targets ``[N]``; ``share`` of the samples are of one class."""

    n: int
    classes: int
    share: float = 0.0

    def make(self, generator, scale):
        n, at = count(self.n, scale), generator.device
        preds, target = (torch.randint(0, self.classes, (n,), generator=generator, device=at) for _ in range(2))
        if self.share:
            one_class = common((n,), self.share, generator)
            preds[one_class], target[one_class] = 1, 1
        return preds, target

    def two(self):
        return replace(self, n=2)


@dataclass(frozen=True)
class Agreeing(Labels):
    """Int64 labels and targets ``[N]``; ``share`` of the labels are right."""

    def make(self, generator, scale):
        n, at = count(self.n, scale), generator.device
        preds, target = (torch.randint(0, self.classes, (n,), generator=generator, device=at) for _ in range(2))
        return torch.where(torch.rand(n, generator=generator, device=at) < self.share, target, preds), target


def groups_of(groups, samples, generator):
    """The groups of samples, of each of several slicings; none for 0."""
    each = groups if isinstance(groups, tuple) else (groups,) if groups else ()
    return [torch.randint(0, g, (samples,), generator=generator, device=generator.device) for g in each]


@dataclass(frozen=True)
class Scores:
    """Logits ``[N, C, ...]`` and targets; ``share`` of the samples are of one class and found so.

    Or the probabilities of such logits; and the groups of samples, if any, of each slicing if there are several.
    """

    shape: tuple
    dtype: torch.dtype = torch.float32
    share: float = 0.0
    probabilities: bool = False
    groups: int | tuple = 0

    def make(self, generator, scale):
        shape, at = scaled(self.shape, scale), generator.device
        preds = torch.randn(shape, generator=generator, device=at).to(self.dtype)
        target = torch.randint(0, shape[1], (shape[0], *shape[2:]), generator=generator, device=at)
        if self.share:
            one_class = common(target.shape, self.share, generator)
            preds[:, 1] += 12 * one_class.to(self.dtype)
            target[one_class] = 1
        batch = preds.softmax(1) if self.probabilities else preds, target
        return *batch, *groups_of(self.groups, shape[0], generator)

    def two(self):
        return replace(self, shape=(2, self.shape[1], *(1 for _ in self.shape[2:])))


@dataclass(frozen=True)
class Hidden:
    """Hidden states ``[N, D]``, the weights of a vocabulary ``[V, D]`` and targets ``[N]``."""

    tokens: int
    size: int
    vocabulary: int

    def make(self, generator, scale):
        at = {"generator": generator, "device": generator.device}
        n = count(self.tokens, scale)
        hidden, weight = torch.randn(n, self.size, **at), torch.randn(self.vocabulary, self.size, **at)
        return hidden, weight / self.size**0.5, torch.randint(0, self.vocabulary, (n,), **at)

    def two(self):
        return replace(self, tokens=2)


@dataclass(frozen=True)
class Binary:
    """Probabilities or logits ``[N]`` or ``[N, L]``, 0/1 targets, of which a share is 1, and the groups, if any.

    Or with weights, float32 of the shape of the targets.
    """

    shape: tuple
    logits: bool = False
    dtype: torch.dtype = torch.float32
    share: float = 0.5
    groups: int | tuple = 0
    weighted: bool = False

    def make(self, generator, scale):
        shape, at = (count(self.shape[0], scale), *self.shape[1:]), generator.device
        draw = torch.randn if self.logits else torch.rand
        preds = draw(shape, generator=generator, device=at).to(self.dtype)
        batch = preds, common(shape, self.share, generator).long()
        if self.weighted:
            return *batch, torch.rand(shape, generator=generator, device=generator.device)
        return *batch, *groups_of(self.groups, shape[0], generator)

    def two(self):
        return replace(self, shape=(2, *self.shape[1:]))


@dataclass(frozen=True)
class Documents:
    """Scores ``[Q, D]`` and relevance, of which a share is 1; without ``rows``, ``[Q * D]`` and the queries."""

    queries: int
    documents: int
    rows: bool = False
    share: float = 0.2

    def make(self, generator, scale):
        shape, at = (count(self.queries, scale), self.documents), generator.device
        batch = torch.rand(shape, generator=generator, device=at), common(shape, self.share, generator).long()
        if self.rows:
            return batch
        queries = torch.arange(shape[0], device=at).repeat_interleave(self.documents)
        return *(value.flatten() for value in batch), queries

    def two(self):
        return replace(self, queries=2)


@dataclass(frozen=True)
class Pairs:
    """Predictions and targets ``[N]`` or ``[N, D]`` around ``offset``, which they resemble."""

    shape: tuple
    dtype: torch.dtype = torch.float32
    offset: float = 3.0

    def make(self, generator, scale):
        shape, at = (count(self.shape[0], scale), *self.shape[1:]), generator.device
        target = torch.randn(shape, generator=generator, device=at)
        preds = target + torch.randn(shape, generator=generator, device=at) / 2
        return (preds + self.offset).to(self.dtype), (target + self.offset).to(self.dtype)

    def two(self):
        return replace(self, shape=(2, *self.shape[1:]))


@dataclass(frozen=True)
class Ratings:
    """Int64 counts ``[N, K]``: how many raters put a subject into a category."""

    shape: tuple
    raters: int

    def make(self, generator, scale):
        n, categories = count(self.shape[0], scale), self.shape[1]
        given = torch.randint(0, categories, (n, self.raters), generator=generator, device=generator.device)
        counts = torch.zeros(n, categories, dtype=torch.int64, device=generator.device)
        return (counts.scatter_add_(1, given, torch.ones_like(given)),)

    def two(self):
        return replace(self, shape=(2, self.shape[1]))


@dataclass(frozen=True)
class Values:
    """Values ``[N]`` around 3, of which a share is NaN."""

    n: int
    nans: float = 0.0
    dtype: torch.dtype = torch.float32

    def make(self, generator, scale):
        n = count(self.n, scale)
        values = torch.randn(n, generator=generator, device=generator.device) + 3
        if self.nans:
            values[common((n,), self.nans, generator)] = torch.nan
        return (values.to(self.dtype),)

    def two(self):
        return replace(self, n=2, nans=0.0)


@dataclass(frozen=True)
class Discs:
    """Int64 labels of ``n`` square images and their targets: a disc of each class but 0, which is all around."""

    n: int
    size: int
    classes: int

    def make(self, generator, scale):
        n, at = max(1, int(self.n * scale)), generator.device
        found = []
        for _ in "pt":
            shape = (3, n, self.classes - 1, 1, 1)
            y, x, radius = torch.rand(shape, generator=generator, device=at) * self.size
            place = torch.arange(self.size, device=at)
            inside = (place[:, None] - y).square() + (place - x).square() <= (radius / 5 + 2).square()
            labels = torch.arange(1, self.classes, device=at)[:, None, None]
            images = torch.where(inside, labels, 0).amax(1)
            images[:, 0, : self.classes] = torch.arange(self.classes, device=at)  # no class is missing
            found.append(images)
        return tuple(found)

    def two(self):
        return replace(self, n=1, size=16)
