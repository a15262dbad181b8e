# SPDX-License-Identifier: Apache-2.0
"""Docstrings of which each part is written once.

A docstring is prose and sections: ``Args``, ``Inputs`` (the arguments of ``update``), ``Returns``, ``Raises`` and
``Example``. A class states what is its own. The rest of its sections comes from its bases and is joined to its
``__doc__``, where ``help``, Sphinx and doctest look.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, TypeVar

T = TypeVar("T")

Value = str | tuple[str, ...]  # of an example, see :func:`printed`
SECTIONS = ("Args", "Inputs", "Returns", "Raises", "Example")
_ENTRIES = ("Args", "Inputs", "Raises")  # sections of entries, `name: text`
_ENTRY = re.compile(r"(\w+): ?(.*)")


class Docstring(NamedTuple):
    """The parts of a docstring.

    Attributes:
        prose: what is outside of the sections.
        sections: the text of each entry, by section and name; the name is empty in a section without entries.
    """

    prose: str
    sections: Mapping[str, Mapping[str, str]]

    @property
    def summary(self) -> str:
        """The first line."""
        return self.prose.partition("\n")[0]

    @property
    def details(self) -> str:
        """The prose after the first line."""
        return self.prose.partition("\n")[2].strip()

    def __str__(self) -> str:
        parts = [self.prose]
        for section in SECTIONS:
            entries = self.sections.get(section, {})
            lines = [f"{name}: {text}" if name else text for name, text in entries.items()]
            if lines:
                parts.append(f"{section}:\n    " + "\n".join(lines).replace("\n", "\n    ").replace("\n    \n", "\n\n"))
        return "\n\n".join(part for part in parts if part)


@lru_cache(maxsize=1024)
def parse(text: str | None) -> Docstring:
    """The parts of a docstring; of None, no parts."""
    prose: list[str] = []
    sections: dict[str, dict[str, list[str]]] = {}
    section, name = "", ""
    for line in inspect.cleandoc(text or "").splitlines():
        if line.endswith(":") and line[:-1] in SECTIONS:
            section, name = line[:-1], ""
            sections[section] = {}
        elif not section or (line and not line.startswith(" ")):
            section = ""
            prose.append(line)
        else:
            content = line[4:]
            entry = _ENTRY.fullmatch(content) if section in _ENTRIES else None
            if entry:
                name, content = entry.groups()
            sections[section].setdefault(name, []).append(content)
    joined = {
        section: {name: "\n".join(lines).rstrip() for name, lines in entries.items()}
        for section, entries in sections.items()
    }
    return Docstring(re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip(), joined)


def join(docstrings: Iterable[Docstring], wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    """The sections of several docstrings, whose entries are those of the first that has them.

    Args:
        docstrings: of which later ones are of more general things.
        wanted: names of the entries of a section, in their order; a section that is not named has all that there are.
    """
    stated = list(docstrings)
    sections: dict[str, dict[str, str]] = {}
    for section in SECTIONS:
        found: dict[str, str] = {}
        for docstring in reversed(stated):
            found.update(docstring.sections.get(section, {}))
        names = wanted.get(section, found)
        sections[section] = {name: found[name] for name in names if name in found}
    return sections


class Documented:
    """A class whose subclasses are documented by what their bases and their family say; see :func:`documented`."""

    example_batch: ClassVar[str | tuple[str, ...]]
    example_options: ClassVar[str] = ""
    example: ClassVar[Mapping[str, Value]] = {}

    def __init_subclass__(cls, details: str = "", **kwargs: Any) -> None:
        """``details`` is prose that follows that of the class."""
        super().__init_subclass__(**kwargs)
        _complete(cls, (), details)


def documented(*like: type) -> Callable[[type[T]], type[T]]:
    """Join to the docstring of a class what it leaves out: from its bases, and from classes that are like it.

    A class states its example by attributes: ``example_batch`` is an expression of its first two inputs, or a tuple of
    one for each of the first inputs; ``example_options`` is the argument that a call needs at least; ``example`` has
    the values as they are printed, without ``tensor()``, by the further options of the call. A class without a
    docstring stays without.

    Args:
        like: classes that have a method ``inputs``, as the class itself has.
    """

    def decorate(cls: type[T]) -> type[T]:
        _complete(cls, like)
        return cls

    return decorate


def _complete(cls: Any, like: Iterable[Any], details: str = "") -> None:
    if cls.__doc__ is None:
        return
    own = parse(cls.__doc__)
    bases = [base for base in cls.__mro__[1:] if base.__module__.partition(".")[0] == __package__]
    general = [vars(base).get("_stated") or parse(base.__doc__) for base in bases] + [of(other) for other in like]
    wanted = {"Args": list(inspect.signature(cls).parameters), "Inputs": parameters(cls.inputs)}
    sections = join([own, *general], wanted)
    for other in like:
        cls.example_batch = vars(cls).get("example_batch") or other.example_batch
    sections["Example"] = dict(
        own.sections.get("Example", example(cls, cls, f"{cls.__name__}({{options}})({{batch}})"))
    )
    cls._stated = own
    cls._docstring = Docstring("\n\n".join(filter(None, (own.prose, details))), sections)
    cls.__doc__ = str(cls._docstring)


def example(cls: Any, called: Any, pattern: str, values: Mapping[str, Value] | None = None) -> dict[str, str]:
    """The section that shows an example; empty for a class that states none.

    Args:
        cls: the class that states it.
        called: the class, or a function of it.
        pattern: a call of that, with ``{options}`` and ``{batch}``.
        values: as ``cls.example``, which is the default.
    """
    values = vars(cls).get("example", {}) if values is None else values
    if not values:
        return {}
    given, names = cls.example_batch, parameters(cls.inputs)
    names = names[:2] if isinstance(given, str) else names[: len(given)]
    batch = ", ".join(names)
    lines = ["import torch", f"from {public_module(called)} import {called.__name__}"]
    lines += [f"{batch} = {given}"] if isinstance(given, str) else map(" = ".join, zip(names, given, strict=True))
    text = "".join(f">>> {line}\n" for line in lines)
    needed = getattr(cls, "example_options", "")
    if needed.partition("=")[0] not in inspect.signature(called).parameters:
        needed = ""
    for more, value in values.items():
        options = ", ".join(filter(None, (needed, more)))
        call = pattern.format(batch=batch, options=options).replace(", )", ")")
        text += f">>> {call}\n{printed(value)}\n"
    return {"": text.rstrip()}


def export(package: str) -> None:
    """Make classes public names of a package, and its ``__all__``: those of its modules that show an example.

    All metrics do, and what they have in common does not.
    """
    names = vars(sys.modules[package])
    modules = [value for value in names.values() if isinstance(value, ModuleType)]
    found = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and of(value).sections.get("Example")
    }
    names.update(found, __all__=sorted(found))


def of(obj: Any) -> Docstring:
    """The docstring of a class or function."""
    found: Docstring = vars(obj).get("_docstring") or parse(obj.__doc__)
    return found


@lru_cache(maxsize=1024)
def signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a class, function or method, looked up once."""
    return inspect.signature(function)


def parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters of a class, function or method, without ``self``."""
    return [name for name in signature(function).parameters if name != "self"]


def public_module(obj: Any) -> str:
    """Where users find a class, or a function."""
    package, _, rest = obj.__module__.partition(".")
    if package != __package__ or not isinstance(obj, type):
        return str(obj.__module__)
    return f"{package}.{rest.partition('.')[0]}"


def printed(value: Value) -> str:
    """``[[1, 2], [3, 4]]`` as torch prints a tensor of it, and a tuple of such values as a tuple of tensors."""
    if isinstance(value, tuple):
        return f"({', '.join(map(printed, value))})"
    rows = 6 + len(value) - len(value.lstrip("["))
    value = value.replace("]], [[", f"]],\n<BLANKLINE>\n{' ' * 8}[[").replace("], [", f"],\n{' ' * rows}[")
    return f"tensor({value})"


def with_full_names(text: str, names: Mapping[str, Any]) -> str:
    """The text of a docstring for another module: classes that it names shortly, as ``names`` has them, in full."""

    def full(found: re.Match[str]) -> str:
        cls = names.get(found[1])
        return f":class:`~{public_module(cls)}.{found[1]}`" if isinstance(cls, type) else found[0]

    return re.sub(r":class:`(\w+)`", full, text)
