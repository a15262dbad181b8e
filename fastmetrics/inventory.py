# SPDX-License-Identifier: Apache-2.0
"""Which public names are implemented here, and which are torchmetrics' own: docs/surface.md."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torchmetrics

from fastmetrics import surface

INTRODUCTION = """\
# Names

`import fastmetrics as torchmetrics` works: fastmetrics has every public name and every module path of torchmetrics
{version}. What is listed as from fastmetrics is implemented here. The rest are torchmetrics' own classes and functions,
imported when they are first asked for, and no faster than there. An asterisk marks those for which torchmetrics needs
packages that it does not require.

A module below these namespaces, such as `fastmetrics.functional.classification.accuracy`, has the names that
torchmetrics has there, each from the library that it is from in the namespace.

`python -m fastmetrics surface` prints this page.
"""


@dataclass(frozen=True)
class Names:
    """The public names of a namespace, sorted."""

    namespace: str
    replaced: list[str]  # in torchmetrics too, implemented here
    added: list[str]  # not in torchmetrics
    theirs: list[str]
    optional: set[str]  # of `theirs`, those for which torchmetrics needs packages that it does not require


def page() -> str:
    """The page, in Markdown."""
    rows = [names(namespace) for namespace in sorted(namespaces())]
    lines = [INTRODUCTION.format(version=".".join(torchmetrics.__version__.split(".")[:2]))]
    lines += ["| namespace | from fastmetrics | from torchmetrics | only in fastmetrics |"]
    lines += ["| --- | --- | --- | --- |"]
    lines += [f"| `{r.namespace}` | {len(r.replaced)} | {len(r.theirs)} | {len(r.added)} |" for r in rows]
    for row in rows:
        lines += ["", f"## {row.namespace}"]
        theirs = [name + "\\*" * (name in row.optional) for name in row.theirs]
        parts = {"From fastmetrics": row.replaced, "From torchmetrics": theirs, "Only in fastmetrics": row.added}
        for title, listed in parts.items():
            if listed:
                text = f"{title}: {', '.join(listed)}."
                lines += ["", textwrap.fill(text, 120, break_on_hyphens=False, break_long_words=False)]
    return "\n".join(lines) + "\n"


def namespaces(package: str = surface.THEIRS) -> Iterator[str]:
    """The packages of torchmetrics, and the modules beside them that have no underscore, as modules of fastmetrics."""
    spec = surface.spec_of(package)
    assert spec is not None
    yield package.replace(surface.THEIRS, surface.OURS, 1)
    for module in pkgutil.iter_modules(spec.submodule_search_locations):
        name = f"{package}.{module.name}"
        if module.ispkg:
            yield from namespaces(name)
        elif package == surface.THEIRS and not module.name.startswith("_"):
            yield name.replace(surface.THEIRS, surface.OURS, 1)


def names(namespace: str) -> Names:
    """The names of a namespace by where they are from."""
    module = importlib.import_module(namespace)
    theirs = surface.counterpart(module)
    always, optional = offered(theirs.__name__)
    values = {name: getattr(module, name, None) for name in always | optional}
    found = {name for name, value in values.items() if not isinstance(value, ModuleType)}
    replaced = {name for name in found if values[name] is not getattr(theirs, name, None)}
    added = {name for name in own(module) if name not in values and not hasattr(theirs, name)}
    return Names(namespace, sorted(replaced), sorted(added), sorted(found - replaced), optional)


def offered(name: str) -> tuple[set[str], set[str]]:
    """What a module of torchmetrics offers: always, and if packages are installed that it does not require.

    That is what its source adds to ``__all__`` outside and inside of conditions; without ``__all__``, what it defines.
    """
    spec = surface.spec_of(name)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    always, conditional = exported(tree.body), [s for s in tree.body if isinstance(s, ast.If)]
    definitions = [s.name for s in tree.body if isinstance(s, (ast.ClassDef, ast.FunctionDef))]
    optional = {name for statement in conditional for name in exported(statement.body)}
    return always or {name for name in definitions if not name.startswith("_")}, optional


def exported(statements: list[ast.stmt]) -> set[str]:
    """The names that statements put into ``__all__``."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, (ast.Assign, ast.AugAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                found |= set(ast.literal_eval(statement.value))
    return found


def own(module: ModuleType) -> set[str]:
    """The public classes, functions and constants of a module of fastmetrics, without names that it passes on.

    Without ``__all__``, that is what it defines.
    """
    attributes = vars(module)
    if "__all__" in attributes:
        return {name for name in attributes["__all__"] if not isinstance(attributes[name], ModuleType)}
    found = set()
    for name, value in attributes.items():
        home = getattr(value, "__module__", None) or ""
        imported = home != module.__name__ and surface.attributes(home).get(name) is value
        if callable(value) and not name.startswith("_") and not imported:
            found.add(name)
    return found
