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

from fastmetrics.classification.task import TaskMetric, choose, names_of, signature
from fastmetrics.metric import StatisticMetric

PER_SAMPLE = ("weights", "valid")  # see StatisticMetric.inputs

# torchmetrics' functions have some arguments in another order than its classes.
_ORDER = (
    "beta",
    "num_groups",
    "task",
    "num_classes",
    "k",
    "num_labels",
    "threshold",
    "average",
    "top_k",
    "multidim_average",
    "normalize",
    "weights",
    "squared",
    "multiclass_mode",
    "ignore_index",
    "validate_args",
    "zero_division",
)


@lru_cache(maxsize=512)
def _metric(cls: type[StatisticMetric], typed: tuple[tuple[str, type, Any], ...]) -> StatisticMetric:
    metric = cls(**{name: value for name, _, value in typed})
    return metric.set_dtype(torch.float64)  # `evaluate` rounds to the dtype of its inputs, and only once


def _order(cls: type[StatisticMetric], without: tuple[str, ...]) -> list[inspect.Parameter]:
    """The parameters of a metric as those of its function."""
    of_class = [p for p in inspect.signature(cls).parameters.values() if p.kind != inspect.Parameter.VAR_KEYWORD]
    taken = [p for p in of_class if p.name not in without]
    return sorted(
        taken, key=lambda p: (p.kind, _ORDER.index(p.name) if p.name in _ORDER else len(_ORDER))
    )  # a stable sort


def functional(
    cls: type[StatisticMetric], name: str, *order: str, without: tuple[str, ...] = ()
) -> Callable[..., Tensor]:
    """``name(*inputs, *order, *, weights, valid)``: the value of ``cls(**order)`` for one batch.

    ``weights`` of samples are called ``sample_weights`` where the metric itself has an argument ``weights``.

    Args:
        cls: the metric; the first arguments of the function are those of its ``inputs``, but for ``weights`` and
            ``valid``.
        name: of the function.
        order: its other arguments; those of the class in torchmetrics' order if none is named. Defaults are those of
            the class.
        without: arguments of the class that the function lacks, if ``order`` is empty.
    """
    of_class = inspect.signature(cls).parameters
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    options_of = [of_class[argument].replace(kind=kind) for argument in order] or _order(cls, without)
    own = {parameter.name for parameter in options_of}
    inputs = [
        p.replace(kind=kind, annotation=Tensor)
        for p in list(inspect.signature(cls.inputs).parameters.values())[1:]
        if p.name not in PER_SAMPLE
    ]
    per_sample = {f"sample_{what}" if what in own else what: what for what in PER_SAMPLE}
    keywords = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in per_sample]
    returned = inspect.signature(cls.formula).return_annotation
    common = inspect.Signature([*inputs, *options_of, *keywords], return_annotation=returned)
    bind = common.bind
    leading = [p.name for p in inputs]

    def function(*args: Any, **kwargs: Any) -> Tensor:
        options = bind(*args, **kwargs).arguments
        batch = [options.pop(given) for given in leading]
        of_samples = {what: options.pop(key) for key, what in per_sample.items() if key in options}
        options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
        # 1, True and 1.0 are equal but not the same argument, so the type is part of the key
        metric = _metric(cls, tuple((key, type(value), value) for key, value in options.items()))
        return metric.evaluate(*batch, **of_samples)  # type: ignore[no-any-return]

    return _named(function, name, common, f"The value of :class:`~fastmetrics.{cls.__name__}` for one batch.", cls)


def task_functional(
    name: str,
    names: tuple[str, ...] | None = None,
    defaults: dict[str, Any] | None = None,
    **tasks: Callable[..., Tensor],
) -> Callable[..., Tensor]:
    """``name(preds, target, task, *names, **keywords)``: calls the function of the task."""
    names = names_of(tasks) if names is None else names
    common = signature(names, "preds", "target", "task", keywords=True, defaults=defaults)

    def function(*args: Any, **kwargs: Any) -> Tensor:
        return choose(tasks, common, args, kwargs)  # type: ignore[no-any-return]

    called = ", ".join(f":func:`{task.__name__}`" for task in tasks.values())
    doc = f"One of {called}, as ``task`` says; ``kwargs`` are what they take by keyword alone."
    return _named(function, name, common, doc, None)


def task_forms(
    wrapper: type[TaskMetric], name: str, without: tuple[str, ...] = ()
) -> tuple[Callable[..., Tensor], ...]:
    """The functions of a family: of each of its tasks, called ``<task>_<name>``, and ``name`` that chooses.

    Args:
        wrapper: the family.
        name: of the function.
        without: arguments of the classes that the functions lack.
    """
    tasks = {task: functional(cls, f"{task}_{name}", without=without) for task, cls in wrapper.tasks.items()}
    return (*tasks.values(), task_functional(name, defaults=wrapper.defaults, **tasks))  # type: ignore[arg-type]


def _named(
    function: Callable[..., Tensor], name: str, common: inspect.Signature, doc: str, cls: type | None
) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__signature__ = common  # type: ignore[attr-defined]
    function.__doc__ = doc if cls is None else f"{doc}\n\n    {inspect.getdoc(cls)}"
    return function
