# SPDX-License-Identifier: Apache-2.0
"""The statistics of groups of samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.transforms import like_inputs
from fastmetrics.passes.groups import Slicings, as_passes_take, count_groups_, place_groups_
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, Inputs, States, Statistics

MOST_BYTES = 10**9  # of states, unless more is asked for


class Grouped(Statistics):
    """Other statistics, a row of them for each group of samples: ``[S, *shape]``.

    What belongs to each sample of dimension 0 where statistics are samplewise belongs to each group here. The inputs
    are those of the other statistics and then the groups of each slicing. ``group_samples`` int64 [S] are the samples
    of each group, an element of ``groups`` each.

    Args:
        base: the other statistics.
        num_groups: the name of each slicing and how many groups it has; their rows lie one after another.
        max_state_bytes: the most that the states may take.

    Attributes:
        rows: S.

    Raises:
        ValueError: the statistics are the samples themselves, or belong to them; states would take too much.
    """

    def __init__(self, base: Statistics, num_groups: Mapping[str, int], max_state_bytes: int = MOST_BYTES) -> None:
        self.base = base
        self.num_groups = dict(num_groups)
        self.max_state_bytes = max_state_bytes
        self.rows = sum(self.num_groups.values())
        self.validate = base.validates_groups
        for name in ("weights_in_place", "reductions", "size_from_data", "sized", "size", "size_name", "wrong_size"):
            setattr(self, name, getattr(base, name))
        if base.size_from_data:
            self.sized_by = base.sized_by
        self.shapes = {name: ((self.rows, *shape), dtype) for name, (shape, dtype) in base.shapes.items()}
        self.shapes[GROUP_SAMPLES] = ((self.rows,), torch.int64)
        self._require_room()

    def _require_room(self) -> None:
        if self.base.samplewise or not self.base.by_groups:
            raise ValueError(f"`num_groups` needs statistics of a fixed size. {self.base.instead_of_groups}")
        if self.state_bytes > self.max_state_bytes:
            raise ValueError(
                f"The states of {self.rows} groups take {self.state_bytes} bytes, more than"
                f" max_state_bytes={self.max_state_bytes}. Ask for fewer groups, or give a greater `max_state_bytes`."
            )

    @property
    def state_bytes(self) -> int:
        """Bytes of the states; weighted samples take as many again where they are counted apart."""
        return sum(math.prod(shape) * dtype.itemsize for shape, dtype in self.shapes.values())

    def slicings(self) -> Iterator[tuple[str, slice]]:
        """The name of each slicing, and where its rows are."""
        first = 0
        for name, number in self.num_groups.items():
            yield name, slice(first, first + number)
            first += number

    def overall(self, states: States) -> dict[str, Tensor]:
        """The statistics of all samples, those that ``states`` has; each is in one group of the first slicing."""
        first = next(self.slicings())[1]
        return {
            name: together(states[name][first], self.reductions.get(name))
            for name in self.base.shapes
            if name in states
        }

    def like(self, base: Statistics) -> Grouped:
        """Other statistics of the same groups."""
        return self if base is self.base else Grouped(base, self.num_groups, self.max_state_bytes)

    @property
    def title(self) -> str:
        """See the base."""
        return f"{self.base.title} by {' and '.join(map(str, self.num_groups.values()))} groups"

    @property
    def plain(self) -> Statistics:
        """The statistics of one group."""
        return self.base

    def samples(self, inputs: Inputs) -> Inputs:
        """The inputs without the groups."""
        return inputs[: -len(self.num_groups)]

    def _groups(self, inputs: Inputs) -> list[Tensor]:
        """The groups of each slicing; those of ``[N]`` samples may come as ``[N, 1]``."""
        dims = self.samples(inputs)[-1].dim()
        found = []
        for given in inputs[-len(self.num_groups) :]:
            groups = given
            while groups.dim() > dims and groups.shape[-1] == 1:
                groups = groups.squeeze(-1)
            found.append(groups)
        return found

    def union(self, other: Statistics) -> Statistics | None:
        """Of the same groups, what one pass can fill for both."""
        if not isinstance(other, Grouped) or list(self.num_groups.items()) != list(other.num_groups.items()):
            return None
        base = self.base.union(other.base)
        if base is None or self.validate != other.validate:
            return None
        most = max(self.max_state_bytes, other.max_state_bytes)
        return Grouped(base, self.num_groups, max(most, self.state_bytes + other.state_bytes))

    def unsized(self) -> Statistics:
        """See the base."""
        return self.like(self.base.unsized())

    def fitted(self, inputs: Inputs) -> Statistics:
        """See the base."""
        return self.like(self.base.fitted(self.samples(inputs)))

    def resized(self, size: int) -> Statistics:
        """See the base."""
        return self.like(self.base.resized(size))

    def size_of(self, states: Mapping[str, Any]) -> int:
        """See the base."""
        state = states[self.sized_by[0]]
        whole = isinstance(state, Tensor) and state.dim() == len(self.shapes[self.sized_by[0]][0])
        return self.base.size_of({self.sized_by[0]: state[0]}) if whole else 0

    def view(self, name: str, state: Tensor) -> Tensor:
        """See the base."""
        return state if name == GROUP_SAMPLES else self.base.view(name, state)

    def exactly(self, name: str, state: Tensor) -> Tensor:
        """See the base."""
        return state if name == GROUP_SAMPLES else self.base.exactly(name, state)

    def fits(self, name: str, state: Tensor) -> bool:
        """See the base."""
        if name == GROUP_SAMPLES:
            return super().fits(name, state)
        return state.dim() > 0 and len(state) == self.rows and self.base.fits(name, state[0])

    @property
    def starts_at_zero(self) -> bool:
        """See the base."""
        return self.base.starts_at_zero

    def zeros(
        self, device: torch.device | None, samples: int | None = None, weighted: bool = False
    ) -> dict[str, Tensor]:
        """Empty statistics."""
        states = self.base.zeros(device, self.rows, weighted)
        states[GROUP_SAMPLES] = torch.zeros(self.rows, dtype=torch.float64 if weighted else torch.int64, device=device)
        return states

    def may_fault(self, weights: Tensor | None) -> bool:
        """Groups may be out of range."""
        return self.validate

    def check(self, inputs: Inputs) -> None:
        """As of the other statistics; ``ValueError`` if groups are no integers or of another shape."""
        samples = self.samples(inputs)
        self.base.check(samples)
        for groups in self._groups(inputs):
            if groups.is_floating_point() or groups.is_complex():
                raise ValueError(f"Expected `groups` to be integers, but got {groups.dtype}.")
            self.base.per_sample("groups", groups, samples)

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """As of the other statistics."""
        return self.base.per_sample(name, values, self.samples(inputs))

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to the rows of its groups."""
        inputs, weights, valid = batch
        samples, groups = self.samples(inputs), self._groups(inputs)
        faults = states.get("faults")
        dims = max(one.dim() for one in groups)
        most = next(one for one in groups if one.dim() == dims)
        shape = self.base.per_sample("groups", most, samples).shape
        of_base = {name: states[name] for name in self.base.shapes}
        if self.base.validate and "faults" in states:
            of_base["faults"] = states["faults"]
        in_pass = weights is None and dims == len(shape) and self.base.counts_groups(samples)
        to: Tensor | Slicings
        if len(groups) == 1:
            to = groups[0].unsqueeze(0)
        elif samples[-1].is_cpu and self.base.reads_slicings(samples):
            to = Slicings([_of_shape(one, most.shape) for one in groups], [*self.num_groups.values()])
        else:
            to, faults = self._placed(groups, most.shape, valid, faults), None
        if in_pass:
            of_base[GROUP_SAMPLES] = states[GROUP_SAMPLES]
        else:
            first, *others = as_passes_take(to, most.shape)
            count_groups_(first, _of_elements(valid, dims), states[GROUP_SAMPLES], faults, *others)
        if isinstance(to, Slicings):
            to = to._replace(groups=[_of_shape(one, shape) for one in to.groups])
        else:
            to = _of_shape(to, (len(to), *shape))
        self.base.add(of_base, (samples, weights, valid), to)

    def _placed(
        self, groups: list[Tensor], shape: Sequence[int], valid: Tensor | None, faults: Tensor | None
    ) -> Tensor:
        """int32 [K, *shape]: the rows of each sample; -1 for one with any group out of range."""
        kept = _of_elements(valid, len(shape))
        rows = torch.empty((len(groups), *shape), dtype=torch.int32, device=groups[0].device)
        rows = like_inputs(rows, *groups, kept)
        for place, (one, (_, where)) in enumerate(zip(groups, self.slicings(), strict=True)):
            place_groups_(_of_shape(one, shape), kept, rows, faults, place, where.start, where.stop - where.start)
        return rows

    def merge(self, states: States, batch: States) -> None:
        """See the base."""
        self.base.merge(states, {name: value for name, value in batch.items() if name != GROUP_SAMPLES})
        states[GROUP_SAMPLES].add_(batch[GROUP_SAMPLES])

    def explain_faults(self, faults: list[int]) -> str | None:
        """Say what the other statistics would, and which groups were out of range."""
        found = [self.base.explain_faults(faults)]
        if faults[6]:
            ranges = [
                f"[0, {number - 1}]" + (f" for {name!r}" if len(self.num_groups) > 1 else "")
                for name, number in self.num_groups.items()
            ]
            found.append(
                f"expected `groups` in {' and in '.join(ranges)}, but {faults[6]} lay outside, the first is {faults[7]}"
            )
        return "; ".join(filter(None, found)) or None


def _of_shape(groups: Tensor, shape: Sequence[int]) -> Tensor:
    """Groups of the first dimensions as those of each element."""
    if groups.dim() == len(shape):
        return groups
    return groups.reshape(*groups.shape, *(1 for _ in shape[groups.dim() :])).expand(shape)


def _of_elements(valid: Tensor | None, dims: int) -> Tensor | None:
    """A mask of samples of which each is an index of the first ``dims`` dimensions: any of its elements is valid."""
    return valid if valid is None or valid.dim() <= dims else valid.flatten(dims).any(-1)


def together(rows: Tensor, reduce: Callable[[Tensor], Tensor] | None) -> Tensor:
    """Statistics of groups [S, *shape] as those of all samples, in a tree of merges; summed without a reduction."""
    if reduce is None:
        return rows.sum(0)
    while rows.shape[0] > 1:
        half = rows.shape[0] // 2
        rows = torch.cat([reduce(torch.stack([rows[:half], rows[half : 2 * half]])), rows[2 * half :]])
    return rows[0]
