# SPDX-License-Identifier: Apache-2.0
"""``Accuracy(task=...)`` and its kind: one name for the metrics of three tasks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torchmetrics.utilities.enums import ClassificationTask

from fastmetrics.metric import Metric, StatisticMetric

# The arguments of the wrappers, in the order in which torchmetrics has them; a wrapper takes those of its tasks.
_DEFAULTS: dict[str, Any] = {
    "beta": 1.0,
    "threshold": 0.5,
    "num_classes": None,
    "num_labels": None,
    "average": "micro",
    "normalize": None,
    "weights": None,
    "multidim_average": "global",
    "top_k": 1,
    "ignore_index": None,
    "validate_args": True,
    "zero_division": 0,
    "squared": False,
    "multiclass_mode": "crammer-singer",
}
_SIZES = {"binary": (), "multiclass": ("num_classes", "top_k"), "multilabel": ("num_labels",)}


def names_of(tasks: Mapping[str, Callable[..., Any]]) -> tuple[str, ...]:
    """The arguments that any of the tasks takes by position."""
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    taken = {
        name
        for task in tasks.values()
        for name, parameter in inspect.signature(task).parameters.items()
        if parameter.kind != keyword_only
    }
    return tuple(name for name in _DEFAULTS if name in taken)


def signature(
    names: tuple[str, ...], *leading: str, keywords: bool = False, defaults: dict[str, Any] | None = None
) -> inspect.Signature:
    """``leading`` without defaults, ``names`` with theirs, and any keyword if ``keywords``."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    known = {**_DEFAULTS, **(defaults or {})}
    return inspect.Signature(
        [inspect.Parameter(name, kind) for name in leading]
        + [inspect.Parameter(name, kind, default=known[name]) for name in names]
        + [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)] * keywords
    )


def choose(
    tasks: Mapping[str, Callable[..., Any]], common: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call the one of ``tasks`` that the argument ``task`` names, with the arguments that it takes.

    Raises:
        ValueError: an unknown task, one that has no such metric, or a size of the task (``num_classes``, ``top_k``,
            ``num_labels``) that is no int.
    """
    bound = common.bind(*args, **kwargs)
    bound.apply_defaults()
    options = dict(bound.arguments)
    extra = options.pop("kwargs", {})
    name = str(ClassificationTask.from_str(options.pop("task")).value)
    if name not in tasks:
        raise ValueError(f"Expected argument `task` to be one of {tuple(tasks)}, but got {name}.")
    accepted = inspect.signature(tasks[name]).parameters
    for size in _SIZES[name]:
        if size in accepted and not isinstance(options[size], int):
            raise ValueError(f"`{size}` is expected to be `int` but `{type(options[size])}` was passed.")
    return tasks[name](**{key: value for key, value in options.items() if key in accepted}, **extra)


class TaskMetric(Metric):
    """Base of the wrappers: constructing one gives the metric of the task.

    A subclass states its ``tasks``. Its arguments are those of the tasks, in torchmetrics' order, and any that a task
    takes by keyword alone; ``names`` are given where torchmetrics has others, ``defaults`` where it has other defaults.
    """

    tasks: ClassVar[dict[str, type[StatisticMetric]]]
    common: ClassVar[inspect.Signature]
    defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, names: tuple[str, ...] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = names_of(cls.tasks) if names is None else names
        cls.common = cls.__signature__ = signature(names, "task", keywords=True, defaults=cls.defaults)  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """The metric of ``task``."""
        return choose(cls.tasks, cls.common, args, kwargs)

    def update(self, *_: Any, **__: Any) -> None:
        """Wrappers have no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")

    def compute(self) -> Any:
        """Wrappers have no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")
