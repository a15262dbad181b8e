# SPDX-License-Identifier: Apache-2.0
"""Families: a metric for several tasks, what its classes share, and the name that constructs the one of a task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from fastmetrics import docstrings
from fastmetrics.classification.base import TaskMetric
from fastmetrics.formulas.ratios import Combination, Ratio
from fastmetrics.metric import Metric

# The arguments of the families in torchmetrics' order; a family takes those of its classes.
_DEFAULTS: dict[str, Any] = {
    "min_precision": inspect.Parameter.empty,
    "min_recall": inspect.Parameter.empty,
    "min_sensitivity": inspect.Parameter.empty,
    "min_specificity": inspect.Parameter.empty,
    "criterion": None,
    "beta": 1.0,
    "costs": None,
    "threshold": 0.5,
    "thresholds": None,
    "n_bins": 15,
    "norm": "l1",
    "fpr_range": (0.001, 0.1),
    "num_classes": None,
    "num_labels": None,
    "average": "micro",
    "max_fpr": None,
    "normalize": None,
    "weights": None,
    "multidim_average": "global",
    "top_k": 1,
    "squared": False,
    "multiclass_mode": "crammer-singer",
    "ignore_index": None,
    "validate_args": True,
    "zero_division": 0,
}
_SIZES = {"binary": (), "multiclass": ("num_classes", "top_k"), "multilabel": ("num_labels",)}


class Family(Metric):
    """A metric for several tasks; constructing one gives the metric of a task.

    A subclass states in its docstring what the metric is, and as attributes what its classes have in common. A class
    joins the family with ``family=`` in its statement; what it states itself is kept. The arguments of the family are
    those of its classes, in torchmetrics' order.
    """

    tasks: ClassVar[dict[str, type[TaskMetric]]] = {}
    #: The score of one class, for classes such as :class:`~fastmetrics.classification.base.BinaryRatio`.
    ratio: ClassVar[Ratio | Combination | None] = None
    #: More attributes of the classes, such as ``higher_is_better``.
    constants: ClassVar[dict[str, Any]] = {}
    #: Defaults of arguments, where they are not those of most families.
    defaults: ClassVar[dict[str, Any]] = {}
    #: Arguments that its classes have, and neither it nor its function.
    lacks: ClassVar[tuple[str, ...]] = ()
    #: Whether the functions of the tasks take their arguments in the order of the classes.
    ordered: ClassVar[bool] = False
    #: Arguments that the functions lack, and those that come first in the function of the family.
    function_lacks: ClassVar[tuple[str, ...]] = ()
    function_first: ClassVar[tuple[str, ...]] = ()
    #: Defaults of the functions of the tasks, where they are not those of the classes.
    function_defaults: ClassVar[dict[str, Any]] = {}
    #: Those of the classes, by task; and of the family with the task multiclass, by "family", if they are others than
    #: those of that class. See :func:`~fastmetrics.docstrings.documented`.
    example: ClassVar[Mapping[str, Mapping[str, docstrings.Value]]] = {}

    _choices: ClassVar[dict[str, Choice]] = {}
    _stated: ClassVar[docstrings.Docstring]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.tasks, cls._choices = dict(cls.tasks), dict(cls._choices)
        cls._stated = docstrings.parse(cls.__doc__)

    @classmethod
    def details(cls) -> str:
        """What its docstring says after the first line, which is true of its classes too."""
        return cls._stated.details

    @classmethod
    def share(cls, member: type[TaskMetric]) -> None:
        """Give a class what the family states and it does not."""
        stated = cls.constants if cls.ratio is None else {"ratio": cls.ratio, **cls.constants}
        for name, value in stated.items():
            if name not in vars(member):
                setattr(member, name, value)
        if "example" not in vars(member) and member.task_name in cls.example:
            member.example = cls.example[member.task_name]

    @classmethod
    def add(cls, member: type[TaskMetric]) -> None:
        """Make a class that of its task, and take its arguments."""
        task = member.task_name
        cls.tasks[task], cls._choices[task] = member, choice(task, member, cls.lacks)
        common = signature(cls.tasks, cls.defaults, lacks=cls.lacks)
        cls.__signature__ = common  # type: ignore[attr-defined]
        document(cls, cls, common, cls.tasks)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """The metric of ``task``."""
        name = cls.__name__
        try:
            bound = inspect.signature(cls).bind_partial(*args, **kwargs)
        except TypeError as error:
            raise no_task(name, str(error), cls.tasks) from None
        if "task" not in bound.arguments:
            raise no_task(name, "missing a required argument: 'task'", cls.tasks)
        bound.apply_defaults()
        options = dict(bound.arguments)
        keywords = options.pop("kwargs", {})
        task, options = choose(name, cls._choices, options.pop("task"), options)
        with named(name):
            return task(**options, **keywords)

    def update(self, *_: Any, **__: Any) -> None:
        """A family has no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")

    def compute(self) -> Any:
        """A family has no state."""
        raise NotImplementedError(f"Use the task specific metric that {type(self).__name__}(task=...) returns.")


def document(
    family: type[Family], chooser: Any, common: inspect.Signature, tasks: Mapping[str, Callable[..., Any]]
) -> None:
    """Give a docstring to what chooses by ``task``: a family, or its function.

    Args:
        family: the family.
        chooser: the family, or its function.
        common: the signature of that.
        tasks: what it chooses from.
    """
    if family.__doc__ is None:
        return
    stated, name = family._stated, chooser.__name__
    constructs = chooser is family
    role, does = ("class", "constructs") if constructs else ("func", "calls")
    choices = ",\n".join(f":{role}:`~{docstrings.public_module(each)}.{each.__name__}`" for each in tasks.values())

    taken = {task: docstrings.of(each).sections.get("Args", {}) for task, each in tasks.items()}
    explained = {"task": f"one of {', '.join(f'``{task}``' for task in tasks)}."}
    for argument in common.parameters:
        takers = [task for task, arguments in taken.items() if argument in arguments]
        if takers:
            only = "" if len(takers) == len(tasks) else f"\n    For {' and '.join(takers)}."
            explained[argument] = taken[takers[0]][argument] + only
    explained.setdefault("kwargs", "what one of them takes by keyword alone.")

    shown = family.tasks.get("multiclass")
    task = 'task="multiclass", {options}'
    call = f"{name}({task})({{batch}})" if constructs else f"{name}({{batch}}, {task})"
    values = family.example.get("family", family.example.get("multiclass", {}))
    example = {} if shown is None else docstrings.example(shown, chooser, call, values)
    sections = {
        "Args": {argument: explained[argument] for argument in common.parameters if argument in explained},
        "Raises": {"TypeError": "no ``task``.", "ValueError": "another ``task``, or an argument that does not fit."},
        "Example": stated.sections.get("Example", example),
    }
    prose = f"{stated.prose}\n\n``{name}(task=...)`` {does} one of {choices}."
    chooser.__doc__ = str(docstrings.Docstring(prose, sections))


class Choice(NamedTuple):
    """What serves a task: a class or function, the arguments that it takes, and those of them that must be integers."""

    call: Callable[..., Any]
    accepted: tuple[str, ...]
    sizes: tuple[str, ...]


def choice(task: str, call: Callable[..., Any], lacks: Collection[str] = ()) -> Choice:
    """How a class or function serves a task; it is not given what the family ``lacks``."""
    accepted = tuple(taken_by({task: call}, lacks=lacks))
    return Choice(call, accepted, tuple(size for size in _SIZES[task] if size in accepted))


def choose(
    name: str, choices: Mapping[str, Choice], task: str, options: Mapping[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What serves a task, and those of the ``options`` that it takes; ``name`` is for messages.

    Raises:
        ValueError: a task that the family has not, or a size of the task (``num_classes``, ``top_k``, ``num_labels``)
            that is no int.
        TypeError: an argument without a default is missing.
    """
    found = choices.get(task.lower()) if isinstance(task, str) else None
    if found is None:
        raise ValueError(f"{name}: Expected argument `task` to be one of {tuple(choices)}, but got {task!r}.")
    call, accepted, sizes = found
    missing = inspect.Parameter.empty
    given = {argument: options.get(argument, missing) for argument in accepted}
    for argument, value in given.items():
        if value is missing:
            raise TypeError(f"{name}: missing a required argument: {argument!r}")
    for size in sizes:
        if not isinstance(given[size], int):
            raise ValueError(f"{name}: `{size}` is expected to be `int` but `{type(given[size])}` was passed.")
    return call, given


def no_task(name: str, error: str, tasks: Iterable[str]) -> TypeError:
    """The error of a call without ``task``."""
    return TypeError(f"{name}: {error}; expected `task` to be one of {', '.join(map(repr, tasks))}")


def general(names: Iterable[str]) -> list[str]:
    """Those of the names of classes that say no task."""
    return [name for name in names if not name.startswith(("Binary", "Multiclass", "Multilabel"))]


@contextmanager
def named(name: str) -> Iterator[None]:
    """Let errors about arguments begin with whose arguments they are."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.args = (f"{name}: {error}",)
        raise


def taken_by(
    tasks: Mapping[str, Callable[..., Any]], first: Sequence[str] = (), lacks: Collection[str] = ()
) -> dict[str, inspect.Parameter]:
    """The arguments that any of the tasks takes by position, as that takes them, ``first`` first, less ``lacks``."""
    every = [parameter for task in tasks.values() for parameter in docstrings.signature(task).parameters.values()]
    taken = {parameter.name: parameter for parameter in reversed(every) if parameter.kind != parameter.KEYWORD_ONLY}
    return {name: taken[name] for name in dict.fromkeys((*first, *_DEFAULTS)) if name in taken and name not in lacks}


def signature(
    tasks: Mapping[str, Callable[..., Any]],
    defaults: Mapping[str, Any],
    inputs: Sequence[str] = (),
    first: Sequence[str] = (),
    returns: Any = inspect.Signature.empty,
    lacks: Collection[str] = (),
) -> inspect.Signature:
    """That of what chooses by ``task``: ``(*inputs, task, *arguments, **kwargs)``.

    Args:
        tasks: what it chooses from.
        defaults: those that are not in ``_DEFAULTS``.
        inputs: tensors.
        first: the arguments that come first.
        returns: the annotation of the value.
        lacks: arguments that it does not take.
    """
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, annotation="Tensor") for name in inputs]
    literal = f"Literal[{', '.join(map(repr, tasks))}]"
    parameters.append(inspect.Parameter("task", kind, annotation=literal))
    for name, parameter in taken_by(tasks, first, lacks).items():
        default, annotation = {**_DEFAULTS, **defaults}[name], parameter.annotation
        if default is None and "None" not in annotation:
            annotation = f"{annotation} | None"
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD, annotation="Any"))
    return inspect.Signature(parameters, return_annotation=returns)
