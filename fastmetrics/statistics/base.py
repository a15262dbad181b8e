# SPDX-License-Identifier: Apache-2.0
"""What all statistics share."""

from __future__ import annotations

import copy
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native import transforms
from fastmetrics.passes.faults import FAULTS
from fastmetrics.statistics.resampling import Resampling
from fastmetrics.statistics.room import Room

States = Mapping[str, Tensor]
Call = tuple[Callable[..., Any], tuple[Any, ...]]  # a function of fastmetrics.passes and its arguments
Inputs = tuple[Tensor, ...]  # what a pass reads, the target last
Batch = tuple[Inputs, Tensor | None, Tensor | None]  # inputs, weights and mask of their samples
#: States as numbers that add up, and what makes states of sums of them.
Terms = tuple[dict[str, Tensor], Callable[[States], dict[str, Tensor]]]
GROUP_SAMPLES = "group_samples"  # the state that has the samples of each group
AT_ONCE = 1 << 20  # numbers that may be kept beside the statistics while a batch is read


class Statistics(ABC):
    """The statistics of one kind of input that a metric needs.

    Attributes:
        shapes: name -> (shape, dtype) of each statistic for one sample group.
        reductions: name -> how the statistics of processes, or of batches, stacked to ``[ranks, *shape]``, become one;
            those that are not named here are summed.
        samplewise: whether each sample of dimension 0 has its own statistics, a row of ``[N, *shape]``.
        validate: whether values out of range are recorded and raised. They are never counted.
        weights_in_place: whether weighted samples go to the statistics themselves, which are float64 then. Otherwise
            they go to float64 twins of them, so that what has no weights is counted exactly.
        size_from_data: whether the first batch fixes a size, as that of the outputs. A subclass that says so has
            ``size``, which is 1 until then, names the statistics in ``sized_by``, calls :meth:`_start` when it is
            constructed, and defines :meth:`_set_size` and :meth:`size_in`.
        sized: whether a batch has fixed it.
        sized_by: two statistics: dimension 0 of the first is the size, and the second is not zero once there is data.
        size_name: what a size counts.
        wrong_size: the error if there is data of another size.
        lacks_joint: why there is no :meth:`resampling`, and what would do.
        adds_by_call: whether :meth:`add` does what :meth:`call` says, where that says something; a class that has
            neither does as its base.
        by_groups: whether they can be kept for groups of samples.
        instead_of_groups: what an error says of statistics that cannot be kept by groups.
    """

    shapes: dict[str, tuple[tuple[int, ...], torch.dtype]]
    reductions: Mapping[str, Callable[[Tensor], Tensor]] = {}
    samplewise: bool = False
    validate: bool = True
    weights_in_place: bool = False
    size_from_data: bool = False
    sized: bool = True
    size: int = 1
    sized_by: tuple[str, str]
    size_name: str = "outputs"
    wrong_size: type[Exception] = RuntimeError
    lacks_joint: str = "They are not the cells of a table, nor sums of them."
    adds_by_call: bool = False
    by_groups: bool = True
    instead_of_groups: str = (
        "This metric has a value for each sample, as `multidim_average='samplewise'`, `keep_sequence_dim` and"
        " `reduction='none'` ask for; give an option that has one for all."
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in vars(cls):
            cls.adds_by_call = True
        elif "add" in vars(cls):
            cls.adds_by_call = False

    @property
    def key(self) -> Any:
        """What decides how a batch is read: one pass serves all statistics of one class with equal keys.

        None, unless a subclass says otherwise: then only statistics with the same options are read in one pass. A key
        holds every option that changes what is counted, but not which statistics are asked for. :meth:`add` then has
        to add to those that are in ``states``, and shapes may differ in sizes only, as that of ``ranks`` does with
        ``top_k``: the smaller one is the beginning of the greater one.
        """
        return None

    def options_but(self, *asked: str) -> dict[str, Any]:
        """Every attribute but ``shapes`` and the ``asked`` ones: those that say what is asked for, and caches."""
        return {name: value for name, value in vars(self).items() if name != "shapes" and name not in asked}

    @property
    def title(self) -> str:
        """What they are called where a collection is explained."""
        return type(self).__name__

    @property
    def plain(self) -> Statistics:
        """What a formula reads: of statistics of groups, those of one group."""
        return self

    def samples(self, inputs: Inputs) -> Inputs:
        """The inputs of :attr:`plain`."""
        return inputs

    @property
    def validates_groups(self) -> bool:
        """Whether groups out of range are recorded and raised. They are never counted."""
        return self.validate

    @property
    def starts_at_zero(self) -> bool:
        """Whether empty statistics are zeros."""
        return type(self).zeros is Statistics.zeros

    @property
    def keeps_twins(self) -> bool:
        """Whether weighted samples go to float64 twins."""
        return not (self.weights_in_place or self.samplewise)

    def union(self, other: Statistics) -> Statistics | None:
        """What one pass can fill for both, or None if they read a batch in different ways."""
        if type(self) is not type(other):
            return None
        mine, theirs = self.key, other.key
        if mine is None:
            return self if theirs is None and same(vars(self), vars(other)) else None
        if not same(mine, theirs):
            return None
        both = copy.copy(self)
        both.shapes = dict(self.shapes)
        for name, (shape, dtype) in other.shapes.items():
            present = self.shapes.get(name, (shape, dtype))[0]
            both.shapes[name] = (tuple(map(max, present, shape)), dtype)
        return both._joined(other)

    def _joined(self, other: Any) -> Statistics | None:
        """What :meth:`union` makes of a copy of these statistics that has the shapes of both; None if it cannot be."""
        return self

    def _start(self, size: int | None) -> None:
        """Take a size, or None for that of the first batch; a part of a constructor."""
        self.size_from_data = size is None
        self.sized = size is not None
        self._set_size(size or 1)

    def _set_size(self, size: int) -> None:
        """Take a size."""
        raise NotImplementedError(f"The data does not fix a size of {type(self).__name__}.")

    def size_in(self, inputs: Inputs) -> int:
        """The size of a batch, which :meth:`check` accepted."""
        raise NotImplementedError(f"The data does not fix a size of {type(self).__name__}.")

    def unsized(self) -> Statistics:
        """These statistics before the first batch fixed a size: what all processes have, whatever they have seen."""
        if not self.size_from_data:
            return self
        other = self.resized(1)
        other.sized = False
        return other

    def fitted(self, inputs: Inputs) -> Statistics:
        """These statistics at the size of a batch; themselves if they have it."""
        if not self.size_from_data:
            return self
        size = self.size_in(inputs)
        return self if self.sized and size == self.size else self.resized(size)

    def resized(self, size: int) -> Statistics:
        """The same statistics of another size."""
        other = copy.copy(self)
        other.sized = True
        other._set_size(size)
        return other

    def sized_like(self, union: Statistics) -> Statistics:
        """These statistics at the size of a :meth:`union`."""
        return self.resized(union.size) if self.size_from_data and union.size != self.size else self

    def size_of(self, states: Mapping[str, Any]) -> int:
        """The size of ``states``; 0 if they have none."""
        state, dims = states[self.sized_by[0]], len(self.shapes[self.sized_by[0]][0])
        return state.shape[0] if isinstance(state, Tensor) and state.dim() == dims else 0

    def size_with_data(self, states: Mapping[str, Any]) -> Tensor:
        """int64 [1]: the size of ``states``, negative if they hold no data, 0 if no batch fixed it; without waiting."""
        size = self.size_of(states)
        filled = (states[self.sized_by[1]] != 0).any().reshape(1)
        return torch.where(filled, size, -size if self.sized else 0)

    def fits(self, name: str, state: Tensor) -> bool:
        """Whether a state that comes from elsewhere, or one batch of a samplewise one, has what is asked for.

        It has the right shape, or :meth:`exactly` gives it.
        """
        return tuple(state.shape[self.samplewise :]) == self.shapes[name][0]

    def view(self, name: str, state: Tensor) -> Tensor:
        """The part of the statistic ``name`` of a :meth:`union` that these statistics ask for; no copy."""
        shape = self.shapes[name][0]
        if tuple(state.shape[state.dim() - len(shape) :]) == shape:
            return state
        for dim, size in enumerate(shape, state.dim() - len(shape)):
            state = state.narrow(dim, 0, size)
        return state

    def exactly(self, name: str, state: Tensor) -> Tensor:
        """The same in the shape that these statistics ask for: a formula may also do with what :meth:`view` gives."""
        return self.view(name, state)

    def has_weights(self, states: Mapping[str, Any]) -> bool:
        """Whether ``states`` themselves, and not their twins, are of samples with weights."""
        return False

    def zeros(
        self, device: torch.device | None, samples: int | None = None, weighted: bool = False
    ) -> dict[str, Tensor]:
        """Empty statistics; with ``samples``, one set for each; ``weighted``, float64."""
        zeros = torch.zeros
        if weighted:
            leading = () if samples is None else (samples,)
            return {
                name: zeros((*leading, *shape), dtype=torch.float64, device=device)
                for name, (shape, _) in self.shapes.items()
            }
        if samples is None:
            return {name: zeros(shape, dtype=dtype, device=device) for name, (shape, dtype) in self.shapes.items()}
        return {
            name: zeros((samples, *shape), dtype=dtype, device=device) for name, (shape, dtype) in self.shapes.items()
        }

    def no_faults(self, device: torch.device | None) -> Tensor | None:
        """An empty record of faults, or None if values are not validated."""
        return torch.zeros(FAULTS, dtype=torch.int64, device=device) if self.validate else None

    def may_fault(self, weights: Tensor | None) -> bool:
        """Whether a batch can have values out of range."""
        return self.validate

    @abstractmethod
    def check(self, inputs: Inputs) -> None:
        """Raise if the metadata of the batch is wrong. Reads no values."""

    def add(self, states: States, batch: Batch, rows: Any = None) -> None:
        """Read the batch once and add it to ``states`` (and to ``states["faults"]``, if there).

        Args:
            states: name -> statistic.
            batch: inputs that :meth:`check` accepted, and what :meth:`per_sample` made of weights and mask. The
                statistics are float64 with weights.
            rows: given where ``states`` have one more dimension, in front: integers ``[K, *shape]``, the K rows that
                each sample is added to, of the shape that :meth:`per_sample` gives ``groups``. A sample whose row lies
                outside of [0, S) is not counted. Without them, states of one more dimension have a row for each index
                of dimension 0, as those of a samplewise batch do. Only statistics that are ``by_groups`` take any.
                Where :meth:`reads_slicings` says so, also :class:`fastmetrics.passes.groups.Slicings`.
        """
        found = self.call(states, batch, rows)
        if found is None:
            self._add_otherwise(states, batch, rows)
        else:
            function, arguments = found
            function(*arguments)

    def _add_otherwise(self, states: States, batch: Batch, rows: Any) -> None:
        """What :meth:`add` does where :meth:`call` says None."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `add` nor `call`")

    def call(self, states: States, batch: Batch, rows: Any = None) -> Call | None:
        """What :meth:`add` does, where that is one call of a pass; None where there is more to do.

        What it says of a batch without weights and mask holds for all batches of the same metadata, but for the inputs.
        """
        return None

    def reads_slicings(self, inputs: Inputs) -> bool:
        """Whether :meth:`add` takes the groups of several slicings where they are, on the CPU, instead of rows."""
        return False

    def counts_groups(self, inputs: Inputs) -> bool:
        """Whether :meth:`add` with rows also counts the samples of groups, to ``states["group_samples"]`` int64 [S].

        It is given where a row is that of an element of the target and there are no weights.
        """
        return False

    def of_batch(self, batch: Batch, faults: Tensor | None, like: States | None = None) -> dict[str, Tensor]:
        """The statistics of one batch, read once.

        Args:
            batch: that of :meth:`add`.
            faults: to which those of the batch are added.
            like: statistics of the same shapes and dtypes that begin with zeros; it takes less time to have some.
        """
        inputs, weights, valid = batch
        if like is not None:
            states = {name: torch.zeros_like(like[name]) for name in self.shapes}
        else:
            samples = inputs[0].shape[0] if self.samplewise else None
            states = self.zeros(inputs[0].device, samples, weights is not None and not self.weights_in_place)
        if transforms.active():
            states = {name: transforms.like_inputs(state, *inputs, weights, valid) for name, state in states.items()}
        self.add(states if faults is None else {**states, "faults": faults}, batch)
        return states

    def for_intervals(self) -> Statistics:
        """These statistics and what the intervals of their metrics need beside; themselves if that is nothing."""
        return self

    def resampling(self, states: States, names: Sequence[str], how: str = "joint") -> Resampling | None:
        """How rows of states of as many samples, drawn with replacement, are made; None if they do not decide it.

        Args:
            states: ``[G, *shape]``, G rows that are resampled each by itself, without weights; those that others have
                asked for beside are among them.
            names: which of them are wanted.
            how: ``joint``; ``rows``, where each row of the states has a value of its own, so that it does not matter
                how they go together; ``margins`` takes what the states do not decide for independent.
        """
        return None

    def terms(self, states: States) -> Terms | None:
        """Rows of some of the states, ``[S, *shape]``, as numbers that add up over rows; None if there are none."""
        return None if self.reductions.keys() & states.keys() else (dict(states), dict)

    def merge(self, states: States, batch: States) -> None:
        """Add the statistics of a batch to ``states``, in place."""
        reductions = self.reductions
        for name, value in batch.items():
            if name in reductions:
                states[name].copy_(reductions[name](torch.stack([states[name], value])))
            else:
                states[name].add_(value)

    def extend(self, room: Room | None, states: Mapping[str, Any], batch: Batch, faults: Tensor | None) -> Room | None:
        """Append a small batch to the last tensors of the lists, where there is room behind them.

        Args:
            room: what the last small batch was appended to, if no one has seen or changed the lists since.
            states: lists of samples.
            batch: what :meth:`of_batch` would be given.
            faults: see there.

        Returns:
            The room where the batch is now; None if it was not appended.
        """
        return None

    def extend_again(self, batch: Batch, faults: Tensor | None) -> Callable[..., bool] | None:
        """What appends inputs like those of a batch without weights and mask, or None.

        It takes a room, if there is one, and the inputs. Where it says False it has done nothing: they are not alike,
        or there is no room for them.
        """
        return None

    def tidy(self, states: Mapping[str, list[Tensor]]) -> None:
        """Make lists of samples shorter, or smaller, after a batch was appended; other tensors take their place."""
        return None

    def finals(self, states: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The statistics as a formula takes them, from whole ones."""
        return states

    def differentiable(self, batch: Batch) -> dict[str, Tensor] | None:
        """The statistics of a batch in operations that keep the graph, or None if they have no gradient."""
        return None

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """``weights`` or ``valid`` as the passes take them: the shape of the target (a view), float64 or bool.

        Raises:
            ValueError: the shape is not that of the target or of its first dimensions; a mask that is not bool;
                weights that are complex.
            RuntimeError: another device than that of the target.
        """
        target = inputs[-1]
        shape = tuple(target.shape)
        dims = values.dim()
        if tuple(values.shape) != shape[:dims]:
            raise ValueError(
                f"Expected `{name}` to have the shape of `target`, {shape}, or of its first dimensions, but got"
                f" {tuple(values.shape)}."
            )
        if name == "valid" and values.dtype != torch.bool:
            raise ValueError(f"Expected `valid` to be a bool mask, but got {values.dtype}.")
        if values.is_complex():
            raise ValueError(f"Expected `{name}` to be real, but got {values.dtype}.")
        if values.device != target.device:
            raise RuntimeError(f"Expected `{name}` to be on {target.device} as `target` is, but got {values.device}.")
        if name == "weights":
            values = values.detach().double()
        return values.reshape(*values.shape, *(1 for _ in shape[dims:])).expand(shape)

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say what was wrong with ``count`` values of ``which`` ("target" or "preds")."""
        return f"`{which}` had {count} values out of range, the first is {first}"

    def explain_faults(self, faults: list[int]) -> str | None:
        """Say what a record of faults holds, or None if it is empty."""
        bad_targets, first_target, bad_preds, first_preds, bad_weights, bits = faults[:6]
        found = [self.explain_fault("target", bad_targets, first_target)] if bad_targets else []
        found += [self.explain_fault("preds", bad_preds, first_preds)] if bad_preds else []
        if bad_weights:
            (first,) = struct.unpack("d", struct.pack("q", bits))
            found.append(f"expected finite `weights` of at least 0, but {bad_weights} were not, the first is {first}")
        return "; ".join(found) or None


def in_parts(kept: int, batch: Batch) -> Iterator[Batch]:
    """The batch of :meth:`Statistics.add`, some rows at a time.

    For statistics that keep something of each row while they read it, so that this does not grow with the batch.

    Args:
        kept: numbers that are kept of a row, an index of dimension 0; there are never more than ``AT_ONCE``, unless one
            row has as many.
        batch: of the same number of rows in all that it has.
    """
    inputs, weights, valid = batch
    rows = inputs[0].shape[0] if inputs[0].dim() else 1
    at_once = max(1, AT_ONCE // kept) if kept else rows
    if rows <= at_once:
        yield batch
        return
    for first in range(0, rows, at_once):
        some = slice(first, first + at_once)
        yield (
            tuple(value[some] for value in inputs),
            None if weights is None else weights[some],
            None if valid is None else valid[some],
        )


def rows_in_parts(kept: int, rows: Tensor | None, batch: Batch) -> Iterator[tuple[Batch, Any]]:
    """:func:`in_parts`, with the rows of states for each part, ``[K, N, ...]`` or None."""
    if rows is None:
        for part in in_parts(kept, batch):
            yield part, None
        return
    inputs, weights, valid = batch
    for some, amounts, counted in in_parts(kept + len(rows), ((*inputs, rows.movedim(0, -1)), weights, valid)):
        yield (some[:-1], amounts, counted), some[-1].movedim(-1, 0)


def same(mine: Any, other: Any) -> bool:
    """Whether two options are the same, in type and value."""
    if type(mine) is not type(other):
        return False
    if isinstance(mine, Tensor):
        return mine is other
    if isinstance(mine, dict):
        return mine.keys() == other.keys() and all(same(mine[name], other[name]) for name in mine)
    if isinstance(mine, (list, tuple)):
        return len(mine) == len(other) and all(map(same, mine, other))
    return bool(mine == other)


NO_LABEL = torch.iinfo(torch.int64).min  # no class, and nothing that anyone ignores


def as_labels(values: Tensor) -> Tensor:
    """Labels that came as floats, as int64; one that is no integer becomes ``NO_LABEL``."""
    if not values.is_floating_point():
        return values
    labels = values.to(torch.int64)
    return torch.where(labels == values, labels, NO_LABEL)


def at_least_1d(values: Tensor | None) -> Tensor | None:
    """A single value as a batch of one."""
    return values.reshape(1) if values is not None and values.dim() == 0 else values


def as_batch(batch: Batch, rows: Any) -> tuple[Batch, Any]:
    """``preds`` and ``target`` of a single sample, and its rows, as a batch of one; others as they are."""
    (preds, target), weights, valid = batch
    if target.dim() > 0:
        return batch, rows
    rows = rows.unsqueeze(-1) if isinstance(rows, Tensor) else rows  # groups have dimensions
    return ((preds.reshape(1), target.reshape(1)), at_least_1d(weights), at_least_1d(valid)), rows


def shown(label: int) -> str:
    """How a message shows a label."""
    return "no integer" if label == NO_LABEL else str(label)


def different_shapes(preds: Sequence[int], target: Sequence[int]) -> RuntimeError:
    """The error, as torchmetrics has it, if the inputs have not the same shape."""
    got = f"{tuple(preds)} and {tuple(target)}"
    return RuntimeError(f"Predictions and targets are expected to have the same shape, but got {got}.")


def real_on_one_device(preds: Tensor, target: Tensor, x: str = "preds", y: str = "target") -> None:
    """Raise ``ValueError`` if inputs are complex, ``RuntimeError`` on different devices."""
    if preds.is_complex() or target.is_complex():
        raise ValueError(f"Expected real tensors, but got `{x}` {preds.dtype} and `{y}` {target.dtype}.")
    same_device(preds, target)


def same_device(preds: Tensor, target: Tensor) -> None:
    """Raise as torchmetrics does if the inputs live on different devices."""
    if preds.device != target.device:
        raise RuntimeError(
            f"Expected `preds` and `target` to be on the same device, but got {preds.device} and {target.device}."
        )
