# SPDX-License-Identifier: Apache-2.0
"""Docstrings: every argument is explained, what is joined is complete, and every reference leads somewhere."""

import contextlib
import importlib
import inspect
import pkgutil
import re
import sys
import types

import pytest
import torch

import fastmetrics
from fastmetrics import docstrings, functional
from fastmetrics.classification import BinaryFBetaScore, CohenKappa
from fastmetrics.classification.base import BinaryRatio
from fastmetrics.docstrings import Docstring, Documented, join, parse
from fastmetrics.retrieval import RetrievalMRR

CLASSES = ("aggregation", "classification", "clustering", "nominal", "regression", "segmentation", "shape", "wrappers")
FUNCTIONS = ("classification", "clustering", "nominal", "pairwise", "regression", "segmentation", "shape")


def public_classes():
    for namespace in CLASSES:
        module = importlib.import_module(f"fastmetrics.{namespace}")
        yield from (pytest.param(getattr(module, name), id=f"{namespace}.{name}") for name in vars(module)["__all__"])


def public_functions():
    for namespace in FUNCTIONS:
        module = getattr(functional, namespace)
        yield from (pytest.param(getattr(module, name), id=f"{namespace}.{name}") for name in vars(module)["__all__"])


@pytest.mark.parametrize("cls", public_classes())
def test_every_argument_of_a_class_is_explained(cls):
    explained = parse(cls.__doc__).sections["Args"]
    assert set(explained) == set(inspect.signature(cls).parameters)
    assert all(explained.values())


@pytest.mark.parametrize("function", public_functions())
def test_every_argument_of_a_function_is_explained(function):
    explained = parse(function.__doc__).sections["Args"]
    assert set(explained) == set(inspect.signature(function).parameters)
    assert all(explained.values())


@pytest.mark.parametrize("cls", [case for case in public_classes() if issubclass(case.values[0], Documented)])
def test_inputs_results_and_errors_of_a_class_are_explained(cls):
    sections = parse(cls.__doc__).sections
    assert set(sections["Inputs"]) == set(inspect.signature(cls.inputs).parameters) - {"self"}
    assert {"ValueError", "RuntimeError"} <= set(sections["Raises"])
    assert sections["Returns"][""]
    assert ">>> " in sections["Example"][""]


OTHERS = ("nominal", "regression", "segmentation")


@pytest.mark.parametrize("cls", [case for case in public_classes() if case.id.startswith(OTHERS)])
def test_errors_are_explained_there_or_where_a_class_says(cls):
    text = cls.__doc__
    while "Raises:\n" not in text:
        said = re.search(r"errors[^.]* (?:are|is) those\s+of\s+:class:`~?([\w.]+)`", text)
        assert said, cls
        text = getattr(importlib.import_module(docstrings.public_module(cls)), said[1].rpartition(".")[2]).__doc__


@pytest.mark.parametrize("function", public_functions())
def test_functions_say_how_they_are_called(function):
    example = parse(function.__doc__).sections["Example"][""]
    assert f">>> {function.__name__}(" in example
    assert function.__name__ in example.partition("import ")[2]


def test_help_explains_what_the_bases_take(capsys):
    help(BinaryFBetaScore)
    shown = capsys.readouterr().out
    for text in (
        "beta: above 0",
        "threshold: in [0, 1]",
        "logits: whether",
        "preds: float scores",
        ">>> BinaryFBetaScore(b",
    ):
        assert text in shown
    assert shown.index("Args:") < shown.index("Inputs:") < shown.index("Raises:") < shown.index("Example:")


def everything():
    """Every documented module, class, function, method and property of the package, with its name."""
    for found in pkgutil.walk_packages(fastmetrics.__path__, "fastmetrics."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        yield found.name, module, module, None
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != found.name or not callable(value):
                continue
            yield f"{found.name}.{name}", value, module, value if isinstance(value, type) else None
            for member, inner in list(vars(value).items()) if isinstance(value, type) else ():
                if callable(inner) or isinstance(inner, property | classmethod | staticmethod):
                    yield f"{found.name}.{name}.{member}", inner, module, value


def has(start, parts):
    """Whether ``start.<parts>`` is something; an attribute may be declared only."""
    for i, part in enumerate(parts):
        if i == len(parts) - 1 and part in getattr(start, "__annotations__", {}):
            return True
        if not hasattr(start, part):
            return False
        start = getattr(start, part)
    return True


def leads_somewhere(target, module, cls):
    """Whether a reference names something: in full, or from the class, the module or the namespace that it is in."""
    parts = target.split(".")
    if parts[0] in ("fastmetrics", "torch", "torchmetrics"):
        for i in range(len(parts), 0, -1):
            with contextlib.suppress(ImportError):
                return has(importlib.import_module(".".join(parts[:i])), parts[i:])
    namespace = importlib.import_module(".".join(module.__name__.split(".")[:2]))
    return any(has(start, parts) for start in (cls, module, namespace))


def test_references_lead_somewhere():
    seen, lost = 0, []
    for name, value, module, cls in everything():
        for target in re.findall(r":(?:class|func|meth|mod|attr):`~?([\w.]+)`", value.__doc__ or ""):
            seen += 1
            lost += [(name, target)] * (not leads_somewhere(target, module, cls))
    assert not lost
    assert seen > 400


def test_parts_of_a_docstring():
    text = """The first line.

    More of it.

    Args:
        one: what
            it is.
        two: a list:

            - of things.

    .. math:: x

    Raises:
        ValueError: wrong.

    Example:
        >>> 1 + 1
        2
    """
    found = parse(text)
    assert found.summary == "The first line."
    assert found.details == "More of it.\n\n.. math:: x"
    assert found.sections["Args"] == {"one": "what\n    it is.", "two": "a list:\n\n    - of things."}
    assert found.sections["Raises"] == {"ValueError": "wrong."}
    assert found.sections["Example"] == {"": ">>> 1 + 1\n2"}
    assert parse(str(found)) == found
    assert parse(None) == parse("") == Docstring("", {})


def test_what_is_stated_first_is_kept():
    own = parse("Own.\n\nArgs:\n    b: of its own.")
    general = parse(
        "Base.\n\nArgs:\n    a: of the base.\n    b: of the base.\n    c: of the base.\nRaises:\n    E: why."
    )
    sections = join([own, general], {"Args": ("b", "a")})
    assert list(sections["Args"].items()) == [("b", "of its own."), ("a", "of the base.")]
    assert sections["Raises"] == {"E": "why."}


def test_a_class_of_a_user():
    class Plain(BinaryRatio):
        ratio = BinaryFBetaScore(2.0).ratio

    class Told(Plain):
        """A score of mine.

        Args:
            threshold: mine.
        """

    assert Plain.__doc__ is None
    assert parse(Told.__doc__).sections["Args"]["threshold"] == "mine."
    assert "logits" in parse(Told.__doc__).sections["Args"]
    assert "Example" not in parse(Told.__doc__).sections
    assert Told()(torch.tensor([1, 0]), torch.tensor([1, 0])) == 1


def test_a_package_exports_what_shows_an_example(monkeypatch):
    package, module = types.ModuleType("some"), types.ModuleType("some.metrics")
    example = "One.\n\nExample:\n    >>> 1\n    1\n"
    for name, text, home in (("Base", "One.", module), ("Shown", example, module), ("Imported", example, package)):
        vars(module)[name] = type(name, (), {"__doc__": text, "__module__": home.__name__})
    package.metrics = module
    monkeypatch.setitem(sys.modules, "some", package)
    docstrings.export("some")
    assert package.__all__ == ["Shown"]
    assert package.Shown is module.Shown
    assert not hasattr(package, "Base")


@pytest.mark.parametrize(
    "value", ["1", "[1, 2]", "[[1, 0], [0, 1]]", "[[[1, 0], [0, 1]], [[1, 1], [0, 2]]]", "[[True], [False]]"]
)
def test_values_are_printed_as_torch_does(value):
    assert docstrings.printed(value).replace("<BLANKLINE>", "") in (
        repr(torch.tensor(eval(value))),
        repr(torch.tensor(eval(value))).replace("[[ True]", "[[True]"),
    )


def test_tuples_of_values_are_printed_as_torch_does():
    values = "[0.5000, 1.0000]", "[[1, 0], [0, 1]]", "2"
    assert docstrings.printed(values) == repr(tuple(torch.tensor(eval(value)) for value in values))


def test_each_input_of_an_example_has_a_line():
    shown = docstrings.of(RetrievalMRR).sections["Example"][""].splitlines()
    assert [line.partition(" = ")[0] for line in shown[2:5]] == [">>> preds", ">>> target", ">>> indexes"]
    assert shown[5] == ">>> RetrievalMRR()(preds, target, indexes)"


def test_a_family_without_an_example_shows_that_of_its_multiclass_class():
    assert "family" not in CohenKappa.example
    shown = docstrings.of(CohenKappa).sections["Example"][""]
    for options, value in CohenKappa.example["multiclass"].items():
        assert f"{options})(preds, target)\n{docstrings.printed(value)}" in shown
