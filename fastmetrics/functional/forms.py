# SPDX-License-Identifier: Apache-2.0
"""The functional form of a metric: its value for one batch.

A function is made from a class: its arguments are those of the class's ``inputs`` and ``__init__``, its value is that
of ``evaluate``, and its docstring says what the class says.
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastmetrics import docstrings
from fastmetrics.classification.family import Choice, Family, choice, choose, document, no_task, signature, taken_by
from fastmetrics.functional.evaluation import Options, apply, as_operator, by_group, metric, scalar
from fastmetrics.functional.source import REQUIRED, write
from fastmetrics.metric import StatisticMetric

Function = Callable[..., Any]

PER_SAMPLE = ("weights", "valid")  # see StatisticMetric.inputs
OF_GROUPS = {
    "groups": "integers, of the shape of the target or of its first dimensions, or a dictionary of several slicings: a"
    " value is returned for each group then, with a first dimension of ``num_groups``; NaN without samples.",
    "num_groups": "how many groups there are; of several slicings, a dictionary.",
}
KEYWORD_ONLY, POSITIONAL = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD


def functional(
    cls: type[StatisticMetric],
    name: str | None = None,
    first: Sequence[str] = (),
    without: Collection[str] = (),
    value: Callable[..., Tensor] | None = None,
    operator: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> Function:
    """The function ``name(*inputs, *options, *, weights, valid)``: the value of ``cls(*options)`` for one batch.

    ``weights`` of samples are called ``sample_weights`` where the metric itself has an argument ``weights``.

    Args:
        cls: the metric; the first arguments of the function are those of its ``inputs``, but for ``weights`` and
            ``valid``.
        name: of the function; that of the class, with underscores, if none is given.
        first: the arguments of the class that come first; the others follow in the order of the class.
        without: the arguments and inputs of the class that the function lacks.
        value: what gives the value, from a tuple of the options, the inputs, and ``weights`` and ``valid``; by default
            ``evaluate`` of the class. What its docstring says goes before what the class says.
        operator: whether the function, which returns a float32 scalar, is one operator of a traced graph, since sizes
            in it depend on values.
        defaults: those of arguments, where they are not those of the class.
    """
    name = snake_case(cls.__name__) if name is None else name
    of_class = [
        p.replace(default=(defaults or {}).get(p.name, p.default))
        for p in docstrings.signature(cls).parameters.values()
        if p.kind != p.VAR_KEYWORD
    ]
    ranks = {argument: rank for rank, argument in enumerate(first)}
    options = [p for p in of_class if p.name not in without]
    options.sort(key=lambda p: (p.kind, ranks.get(p.name, len(ranks))))  # a stable sort
    taken = tuple(p.name for p in options)
    read = {p.name: p for p in docstrings.signature(cls.inputs).parameters.values() if p.name not in ("self", *without)}
    inputs = [p for each, p in read.items() if each not in PER_SAMPLE]
    late = {each: f"sample_{each}" if each in taken else each for each in PER_SAMPLE if each in read}
    keywords = [inspect.Parameter(key, KEYWORD_ONLY, default=None, annotation="Tensor | None") for key in late.values()]
    groupable = value is None and not operator and "valid" in read and "groups" not in read
    if groupable:
        keywords += [inspect.Parameter(key, KEYWORD_ONLY, default=None, annotation="Any") for key in OF_GROUPS]
    returns = docstrings.signature(cls.formula).return_annotation
    common = inspect.Signature([*inputs, *options, *keywords], return_annotation=returns)

    known: dict[str, Any] = {"metric": metric, "scalar": scalar, "apply": apply, "value": value}
    known["by_group"] = by_group
    known.update(cls=cls, name=name, names=taken)
    given = f"({''.join(f'{option}, ' for option in taken)})"
    batch = "".join(f"{p.name}, " for p in inputs)
    if operator:
        as_operator(name, partial(_evaluate, cls, name, taken) if value is None else value)
        called = f"scalar(name, {given}, ({batch}), {', '.join(late.values())})"
    elif value is not None:
        called = f"apply(value, {given}, {batch}{', '.join(late.values())})"
    else:
        of_samples = ", ".join(f"{each}={key}" for each, key in late.items())
        called = f"metric(cls, name, names, {given}).evaluate({batch}{of_samples})"
        if groupable:
            sliced = f"by_group(cls, name, names, {given}, groups, num_groups, ({batch}), {of_samples})"
            called = f"{called} if groups is None else {sliced}"
    function = write(namespace_of(cls), name, common, called, known)
    _document(cls, function, late, value)
    return function


def _evaluate(
    cls: type[StatisticMetric], name: str, names: tuple[str, ...], options: Options, *batch: Tensor | None
) -> Tensor:
    return metric(cls, name, names, options).evaluate(*batch)  # type: ignore[no-any-return]


def of_family(family: type[Family], first: Sequence[str] = ()) -> list[Function]:
    """The functions of a family: of each of its tasks, ``<task>_<name>``, and ``name`` that chooses by ``task``.

    Args:
        family: the family.
        first: as in :func:`functional`.
    """
    name = snake_case(family.__name__)
    tasks = {
        task: functional(cls, f"{task}_{name}", first, family.function_lacks, defaults=family.function_defaults)
        for task, cls in family.tasks.items()
    }
    returns = docstrings.signature(next(iter(tasks.values()))).return_annotation
    common = signature(tasks, family.defaults, ("preds", "target"), family.function_first, returns, family.lacks)
    given = ", ".join(f"{option!r}: {option}" for option in taken_by(tasks, family.function_first, family.lacks))
    called = f"of_task(name, choices, task, (preds, target), {{{given}}}, kwargs)"
    choices = {task: choice(task, function, family.lacks) for task, function in tasks.items()}
    known = {"of_task": _of_task, "name": name, "choices": choices}
    function = write(namespace_of(family), name, common, called, known, may_lack="task")
    document(family, function, common, tasks)
    return [*tasks.values(), function]


def of_columns(pair: Function, symmetric: bool, example: str) -> Function:
    """The function ``<name>_matrix(matrix, *options)``: the values of ``pair`` for all pairs of columns.

    Args:
        pair: takes two variables, the options, and ``weights`` and ``valid``.
        symmetric: whether the order of the variables does not matter.
        example: what is printed for the matrix ``[[0, 0, 1], [1, 1, 0], [2, 2, 0], [0, 1, 1]]``.
    """
    name = f"{pair.__name__}_matrix"
    options = [p for p in list(docstrings.signature(pair).parameters.values())[2:] if p.name not in PER_SAMPLE]
    common = inspect.Signature(
        [inspect.Parameter("matrix", POSITIONAL, annotation="Tensor"), *options], return_annotation="Tensor"
    )
    called = f"apply(of_columns, (pair, symmetric, {', '.join(p.name for p in options)}), matrix)"
    known = {"apply": apply, "of_columns": _of_columns, "pair": pair, "symmetric": symmetric}
    function = write(pair.__module__, name, common, called, known)
    stated = docstrings.of(pair)
    if pair.__doc__ is not None:
        explained = {"matrix": "``[N, V]``, a variable in each column.", **stated.sections["Args"]}
        sections = {
            "Args": {each: explained[each] for each in docstrings.parameters(function)},
            "Returns": {"": "float32 ``(V, V)``, row ``preds``, column ``target``; ones on the diagonal."},
            "Raises": stated.sections["Raises"],
            "Example": {
                "": ">>> import torch\n"
                f">>> from {pair.__module__} import {name}\n"
                f">>> {name}(torch.tensor([[0, 0, 1], [1, 1, 0], [2, 2, 0], [0, 1, 1]]))\n"
                f"{docstrings.printed(example)}"
            },
        }
        prose = f"The value of :func:`~{pair.__module__}.{pair.__name__}` for each pair of columns."
        function.__doc__ = str(docstrings.Docstring(prose, sections))
    return function


def _of_columns(options: Options, matrix: Tensor) -> Tensor:
    pair, symmetric, *of_pair = options
    variables = matrix.shape[1]
    values = torch.ones(variables, variables, device=matrix.device)
    for i, j in itertools.permutations(range(variables), 2):
        if symmetric and i > j:
            values[i, j] = values[j, i]
        else:
            values[i, j] = pair(matrix[:, i], matrix[:, j], *of_pair)
    return values


def publish(module: str, functions: Iterable[Function]) -> None:
    """Make functions the public attributes of a module, which is where they are pickled from."""
    found = {function.__name__: function for function in functions}
    for function in found.values():
        function.__module__ = module
    vars(sys.modules[module]).update(found, __all__=sorted(found))


def namespace_of(cls: type) -> str:
    """The module of the function of a class."""
    return docstrings.public_module(cls).replace(".", ".functional.", 1)


def snake_case(name: str) -> str:
    """What the function of a class is called."""
    for words, written in _WORDS.items():
        name = name.replace(words, written)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


# Parts of names that functions of torchmetrics write in another way.
_WORDS = {"LogAUC": "Logauc", "CorrCoef": "Corrcoef", "FBeta": "Fbeta", "IoU": "Iou", "GroupStat": "GroupsStat"}


def _of_task(
    name: str,
    choices: Mapping[str, Choice],
    task: Any,
    batch: tuple[Tensor, ...],
    options: dict[str, Any],
    keywords: dict[str, Any],
) -> Any:
    if task is REQUIRED:
        raise no_task(name, "missing a required argument: 'task'", choices)
    function, options = choose(name, choices, task, options)
    return function(*batch, **options, **keywords)


def _document(cls: type[StatisticMetric], function: Any, late: Mapping[str, str], value: Any) -> None:
    """Give the function of a class a docstring: what the class says of its arguments, value and errors."""
    if cls.__doc__ is None:
        return
    own, stated = docstrings.parse(value and value.__doc__), docstrings.of(cls)
    called = f"It is the value of :class:`~{docstrings.public_module(cls)}.{cls.__name__}` for one batch."
    prose = "\n\n".join(filter(None, (stated.summary, called, own.prose, stated.details)))
    inputs = dict.fromkeys(docstrings.parameters(cls.inputs), "see above.")
    for method in (StatisticMetric.inputs, cls.inputs):
        inputs.update(docstrings.parse(method.__doc__).sections.get("Args", {}))
    inputs.update({**stated.sections.get("Inputs", {}), **own.sections.get("Inputs", {})})
    explained = {late.get(name, name): text.replace("see the metric", "see above") for name, text in inputs.items()}
    explained.update({**OF_GROUPS, **stated.sections.get("Args", {})})
    sections = {section: dict(entries) for section, entries in stated.sections.items() if section != "Inputs"}
    sections["Args"] = {name: explained[name] for name in docstrings.parameters(function) if name in explained}
    example = docstrings.example(cls, function, f"{function.__name__}({{batch}}, {{options}})")
    sections["Example"] = dict(own.sections.get("Example") or example or sections["Example"])
    function._docstring = docstrings.Docstring(prose, sections)
    names = {**vars(sys.modules[docstrings.public_module(cls)]), **vars(sys.modules[cls.__module__])}
    function.__doc__ = docstrings.with_full_names(str(function._docstring), names)
