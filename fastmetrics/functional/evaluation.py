# SPDX-License-Identifier: Apache-2.0
"""How a function gets its value from a metric, called as it is or traced by ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics.classification.family import named
from fastmetrics.metric import StatisticMetric
from fastmetrics.native.operators import constant_in_graphs, define
from fastmetrics.native.transforms import each_sample

Options = tuple[Any, ...]


def metric(cls: type[StatisticMetric], name: str, names: tuple[str, ...], options: Options) -> StatisticMetric:
    """``cls`` with these options, built once and kept.

    Args:
        cls: the class.
        name: of the function that asks, for messages.
        names: those of the options.
        options: the arguments of the class.
    """
    if is_compiling():
        return getattr(_traced, _trace(cls, name, names, *_constants(options)))  # type: ignore[no-any-return]
    return _build(cls, name, names, *(tuple(option) if isinstance(option, list) else option for option in options))


def by_group(
    cls: type[StatisticMetric],
    name: str,
    names: tuple[str, ...],
    options: Options,
    groups: Any,
    num_groups: Any,
    batch: tuple[Any, ...],
    **of_samples: Tensor | None,
) -> Any:
    """The value of each group of a batch.

    Args:
        cls: this and the next three are those of :func:`metric`.
        name: see there.
        names: see there.
        options: see there.
        groups: of each sample, or a dictionary of them.
        num_groups: how many there are, or a dictionary of them.
        batch: the inputs.
        of_samples: weights and mask, by the names that the class has for them.

    Raises:
        ValueError: no ``num_groups``.
    """
    if num_groups is None:
        raise ValueError(f"{name}: `groups` need `num_groups`, the number of groups.")
    if isinstance(num_groups, int):
        of_groups = metric(cls, name, (*names, "num_groups"), (*options, num_groups))
    else:
        with named(name):
            of_groups = cls(**dict(zip(names, options, strict=True)), num_groups=num_groups).set_dtype(torch.float64)
    return of_groups.evaluate_by_group(*batch, groups=groups, **of_samples)


@lru_cache(maxsize=512, typed=True)  # 1, True and 1.0 are equal but not the same argument
def _build(cls: type[StatisticMetric], name: str, names: tuple[str, ...], *options: Any) -> StatisticMetric:
    with named(name):
        built = cls(**dict(zip(names, options, strict=True)))
    return built.set_dtype(torch.float64)  # `evaluate` rounds to the dtype of its inputs, and only once


# The metrics of traced functions. A graph refers to an object by the attribute that it is, and is traced again only if
# that changes; a cache as above is not looked at while tracing.
_traced = SimpleNamespace()


@constant_in_graphs
def _trace(cls: type[StatisticMetric], name: str, names: tuple[str, ...], *options: Any) -> str:
    """The name of a metric in ``_traced``; this is called while a function is traced, and not traced itself."""
    built = _build(cls, name, names, *options)
    attribute = f"{name}_{id(built)}"
    setattr(_traced, attribute, built)
    return attribute


def _constants(options: Options) -> Options:
    """The same, as constants of a trace, which may have made variables of the numbers that a function is given."""
    return tuple(
        [_constants(tuple(each)) if isinstance(each, (tuple, list)) else next(iter({each})) for each in options]
    )


def apply(value: Callable[..., Any], options: Options, *tensors: Tensor | None) -> Any:
    """``value(options, *tensors)``, of what looks at the values of the tensors."""
    return each_sample(partial(value, options), *tensors)


# Functions whose work is one operator in a graph, since sizes in it depend on values: what gives their scalar, and the
# options of their calls in graphs.
_scalars: dict[str, Callable[..., Tensor]] = {}
_options: dict[str, Options] = {}


def as_operator(name: str, value: Callable[..., Tensor]) -> None:
    """Let :func:`scalar` call ``value(options, *inputs, weights, valid)``, which returns a float32 scalar."""
    _scalars[name] = value


def scalar(
    name: str, options: Options, inputs: tuple[Tensor, ...], weights: Tensor | None, valid: Tensor | None
) -> Tensor:
    """What a function that was given to :func:`as_operator` returns; one operator if it is traced."""
    if is_compiling():
        first, *others = inputs
        return _scalar(first, others, weights, valid, name, _keep(*_constants(options)))  # type: ignore[no-any-return]
    return apply(_scalars[name], options, *inputs, weights, valid)  # type: ignore[no-any-return]


@constant_in_graphs
def _keep(*options: Any) -> str:
    """The name of options in ``_options``."""
    _options[repr(options)] = options
    return repr(options)


def _scalar_body(
    first: Tensor, others: list[Tensor], weights: Tensor | None, valid: Tensor | None, name: str, options: str
) -> Tensor:
    return _scalars[name](_options[options], first, *others, weights, valid)


def _fake(first: Tensor, *_: Any) -> Tensor:
    return first.new_empty((), dtype=torch.float32)


_scalar = define(
    "scalar(Tensor first, Tensor[] others, Tensor? weights, Tensor? valid, str name, str options) -> Tensor",
    _scalar_body,
    _fake,
    kernels=(),
)
