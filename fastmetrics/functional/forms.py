# SPDX-License-Identifier: Apache-2.0
"""The functional form of a metric: its value for one batch.

A function is a metric class and the order of its arguments; the class holds the statistics and the formula, and a
metric with given options is built once and kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from fastmetrics.classification.task import choose, signature
from fastmetrics.metric import StatisticMetric

PER_SAMPLE = ("weights", "valid")  # see StatisticMetric.inputs


@lru_cache(maxsize=512)
def _metric(cls: type[StatisticMetric], typed: tuple[tuple[str, type, Any], ...]) -> StatisticMetric:
    metric = cls(**{name: value for name, _, value in typed})
    return metric.set_dtype(torch.float64)  # `evaluate` rounds to the dtype of its inputs, and only once


def _per_sample() -> list[inspect.Parameter]:
    return [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in PER_SAMPLE]


def functional(cls: type[StatisticMetric], name: str, *order: str) -> Callable[..., Tensor]:
    """``name(*inputs, *order, *, weights, valid)``: the value of ``cls(**order)`` for one batch.

    The inputs are those arguments of ``cls.inputs`` that have no default: ``preds`` and ``target`` as a rule.

    Args:
        cls: the metric.
        name: of the function.
        order: its arguments after the inputs; defaults are those of the class.
    """
    of_class = inspect.signature(cls.__init__).parameters
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = inspect.signature(cls.inputs).parameters
    inputs = [name for name, p in given.items() if name != "self" and p.default is inspect.Parameter.empty]
    common = inspect.Signature(
        [inspect.Parameter(name, kind, annotation=Tensor) for name in inputs]
        + [of_class[argument].replace(kind=kind) for argument in order]
        + _per_sample(),
        return_annotation=Tensor,
    )
    bind = common.bind

    def function(*args: Any, **kwargs: Any) -> Tensor:
        options = bind(*args, **kwargs).arguments
        batch = [options.pop(name) for name in inputs]
        per_sample = {name: options.pop(name) for name in PER_SAMPLE if name in options}
        # 1, True and 1.0 are equal but not the same argument, so the type is part of the key
        metric = _metric(cls, tuple((key, type(value), value) for key, value in options.items()))
        return metric.evaluate(*batch, **per_sample)  # type: ignore[no-any-return]

    return _named(function, name, common, f"The value of :class:`~fastmetrics.{cls.__name__}` for one batch.", cls)


def task_functional(name: str, names: tuple[str, ...], **tasks: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``name(preds, target, task, *names)``: calls the function of the task."""
    common = signature(names, "preds", "target", "task")
    common = common.replace(parameters=[*common.parameters.values(), *_per_sample()])

    def function(*args: Any, **kwargs: Any) -> Tensor:
        return choose(tasks, common, args, kwargs)  # type: ignore[no-any-return]

    called = ", ".join(f":func:`{task.__name__}`" for task in tasks.values())
    return _named(function, name, common, f"One of {called}, as ``task`` says.", None)


def _named(
    function: Callable[..., Tensor], name: str, common: inspect.Signature, doc: str, cls: type | None
) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__signature__ = common  # type: ignore[attr-defined]
    function.__doc__ = doc if cls is None else f"{doc}\n\n    {inspect.getdoc(cls)}"
    return function
