# SPDX-License-Identifier: Apache-2.0
"""Values of groups of samples: how a metric takes its groups, and gives a value for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from fastmetrics.native.transforms import without_looking
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, States
from fastmetrics.statistics.grouped import Grouped

AT_ONCE = 1 << 24  # numbers of states whose values are formed at once


class WorstGroups(NamedTuple):
    """The groups of a slicing whose values are worst, the worst first.

    Attributes:
        groups: int64 [n].
        values: [n].
        counts: int64 [n], their samples.
        interval: the lower and the upper ends [n] of the values, or None.
    """

    groups: Tensor
    values: Tensor
    counts: Tensor
    interval: tuple[Tensor, Tensor] | None = None


class Slicing:
    """The slicings that a metric was constructed with.

    Args:
        num_groups: how many groups there are, or the same of several slicings by their names.
        inputs: the signature of what reads the arguments of an update.

    Attributes:
        num_groups: by name; ``groups`` is that of the only one.
        single: whether there is one slicing, without a name.
        in_inputs: whether it is read as the other inputs are.

    Raises:
        ValueError: no integer of at least 1, or no dictionary of them.
    """

    def __init__(self, num_groups: int | Mapping[str, int], inputs: inspect.Signature) -> None:
        self.in_inputs = "groups" in inputs.parameters
        self.single = not isinstance(num_groups, Mapping)
        named: dict[str, Any] = dict(num_groups) if isinstance(num_groups, Mapping) else {"groups": num_groups}
        for name, number in named.items():
            if not isinstance(number, int) or isinstance(number, bool) or number < 1 or not isinstance(name, str):
                raise ValueError(
                    "Expected argument `num_groups` to be an int larger than 0, or a dictionary from names to such,"
                    f" but got {num_groups}"
                )
        if not named:
            raise ValueError("Expected argument `num_groups` to name at least one slicing, but got {}.")
        self.num_groups: dict[str, int] = named

    def tensors(self, groups: Any, label: str) -> tuple[Tensor, ...]:
        """The groups of a batch, those of each slicing.

        Raises:
            TypeError: no groups, or no tensors.
            ValueError: other slicings.
        """
        if self.single:
            given = {"groups": groups}
        elif isinstance(groups, Mapping):
            given = {name: groups[name] for name in self.num_groups if name in groups}
        else:
            raise TypeError(
                f"{label}: expected `groups` to be a dictionary with {', '.join(map(repr, self.num_groups))},"
                f" but got {type(groups).__name__}."
            )
        for name in self.num_groups:
            if name not in given:
                raise ValueError(f"{label}: expected `groups` to have {name!r}, but it has only {[*groups]}.")
            if not isinstance(given[name], Tensor):
                raise TypeError(
                    f"{label}: constructed with `num_groups`, it expects {self._named(name)} to be a tensor of"
                    f" integers, but got {type(given[name]).__name__}."
                )
        return tuple(given.values())

    def _named(self, name: str) -> str:
        return "`groups`" if self.single else f"`groups[{name!r}]`"

    def spread(self, values: dict[str, Any]) -> Any:
        """What is returned of the slicings: of a single one without its name."""
        return values["groups"] if self.single else values

    def signature(self, of: inspect.Signature) -> inspect.Signature:
        """The signature of an update, with ``groups`` if it has none."""
        if "groups" in of.parameters:
            return of
        kind = inspect.Parameter.KEYWORD_ONLY
        groups = inspect.Parameter("groups", kind, annotation="Any")
        return of.replace(parameters=[*of.parameters.values(), groups])


def with_groups(batch: Batch, groups: tuple[Tensor, ...]) -> Batch:
    """A batch with its groups, as the statistics of groups take it."""
    inputs, weights, valid = batch
    return (*inputs, *groups), weights, valid


def values_by_group(
    formula: Callable[..., Any], statistics: Grouped, states: States, one_by_one: bool
) -> dict[str, Any]:
    """The value of each group of each slicing, ``[G, *value]``; NaN for a group without samples.

    Args:
        formula: of the statistics of one group.
        statistics: what the states are.
        states: by name, ``[S, *shape]``; those that the formula takes.
        one_by_one: whether the formula looks at its values, so that groups follow one another.
    """
    found = {}
    for name, where in statistics.slicings():
        rows = {state: states[state][where] for state in statistics.base.shapes if state in states}
        seen = states[GROUP_SAMPLES][where] > 0
        with without_looking():
            values = each_row(formula, rows, one_by_one)
        found[name] = pytree.tree_map(partial(_or_nan, seen), values)
    return found


def each_row(formula: Callable[..., Any], rows: Mapping[str, Tensor], one_by_one: bool) -> Any:
    """``formula`` of each row of its statistics, stacked."""
    number = next(iter(rows.values())).shape[0]
    if one_by_one:
        each = [formula(**{name: state[row] for name, state in rows.items()}) for row in range(number)]
        return pytree.tree_map(lambda *values: torch.stack(values), *each)
    numbers = max(state[0].numel() for state in rows.values()) if number else 1

    def value(states: dict[str, Tensor]) -> Any:
        return formula(**states)

    return torch.vmap(value, chunk_size=max(1, AT_ONCE // max(1, numbers)))(dict(rows))


def _or_nan(seen: Tensor, value: Tensor) -> Tensor:
    """NaN for groups that were not seen; integers have none and stay as they are."""
    if not value.is_floating_point():
        return value
    return torch.where(seen.reshape(-1, *(1 for _ in value.shape[1:])), value, torch.nan)


def worst(values: Any, counts: Tensor, n: int, higher_is_better: bool | None, label: str) -> WorstGroups:
    """The ``n`` groups of the worst values; those without a value, NaN, are left out. It waits for the device.

    Raises:
        ValueError: a group has several values; what is better is not known; ``n`` is no positive integer.
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"Expected argument `n` to be a positive integer, but got {n}.")
    if not isinstance(values, Tensor) or values.dim() != 1:
        raise ValueError(f"{label} has several values for a group: choose from `by_group()`.")
    if higher_is_better is None:
        raise ValueError(f"{label} does not say whether higher values are better: sort `by_group()`.")
    known = (~values.isnan()).nonzero()[:, 0]
    order = values[known].argsort(descending=not higher_is_better, stable=True)
    groups = known[order[:n]]
    return WorstGroups(groups, values[groups], counts[groups])
