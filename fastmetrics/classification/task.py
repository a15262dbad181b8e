# SPDX-License-Identifier: Apache-2.0
"""``Accuracy(task=...)`` and its kind: one name for the metrics of three tasks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from torchmetrics.utilities.enums import ClassificationTask

from fastmetrics.metric import Metric

_DEFAULTS: dict[str, Any] = {
    "threshold": 0.5,
    "num_classes": None,
    "num_labels": None,
    "average": "micro",
    "normalize": None,
    "multidim_average": "global",
    "top_k": 1,
    "ignore_index": None,
    "validate_args": True,
    "zero_division": 0,
    "squared": False,
    "multiclass_mode": "crammer-singer",
}
_SIZES = {"binary": (), "multiclass": ("num_classes", "top_k"), "multilabel": ("num_labels",)}

COUNTS = (
    "threshold",
    "num_classes",
    "num_labels",
    "average",
    "multidim_average",
    "top_k",
    "ignore_index",
    "validate_args",
)
COUNTS_ZERO_DIVISION = (*COUNTS, "zero_division")
CONFUSION = ("threshold", "num_classes", "num_labels", "normalize", "ignore_index", "validate_args")


def signature(names: tuple[str, ...], *leading: str, keywords: bool = False) -> inspect.Signature:
    """``leading`` without defaults, ``names`` with theirs, and any keyword if ``keywords``."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(name, kind) for name in leading]
        + [inspect.Parameter(name, kind, default=_DEFAULTS[name]) for name in names]
        + [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)] * keywords
    )


def choose(
    tasks: dict[str, Callable[..., Any]], common: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call the one of ``tasks`` that the argument ``task`` names, with the arguments that it takes.

    Raises:
        ValueError: an unknown task, or a size of the task (``num_classes``, ``top_k``, ``num_labels``) that is no int.
    """
    bound = common.bind(*args, **kwargs)
    bound.apply_defaults()
    options = dict(bound.arguments)
    extra = options.pop("kwargs", {})
    name = str(ClassificationTask.from_str(options.pop("task")).value)
    if name not in tasks:
        raise ValueError(f"Invalid task: expected one of {list(tasks)}, but got {name}.")
    accepted = inspect.signature(tasks[name]).parameters
    for size in _SIZES[name]:
        if size in accepted and not isinstance(options[size], int):
            raise ValueError(f"`{size}` is expected to be `int` but `{type(options[size])}` was passed.")
    return tasks[name](**{key: value for key, value in options.items() if key in accepted}, **extra)


class TaskMetric(Metric):
    """Base of the wrappers: constructing one gives the metric of the task."""

    tasks: ClassVar[dict[str, Callable[..., Any]]]
    common: ClassVar[inspect.Signature]

    def __init_subclass__(cls, names: tuple[str, ...] = COUNTS, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.common = cls.__signature__ = signature(names, "task", keywords=True)  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """The metric of ``task``."""
        return choose(cls.tasks, cls.common, args, kwargs)

    def update(self, *_: Any, **__: Any) -> None:
        """Wrappers have no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")

    def compute(self) -> Any:
        """Wrappers have no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")
