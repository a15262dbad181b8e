# SPDX-License-Identifier: Apache-2.0
"""Writes the ``.pyi`` files of the modules whose names are made at run time, for type checkers and editors.

``make stubs`` runs it. The stubs are committed; a test compares them with what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from fastmetrics import docstrings
from fastmetrics.classification.family import Family

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    "fastmetrics",
    "fastmetrics.classification",
    "fastmetrics.clustering",
    "fastmetrics.functional",
    "fastmetrics.functional.classification",
    "fastmetrics.functional.clustering",
    "fastmetrics.functional.nominal",
    "fastmetrics.functional.regression",
    "fastmetrics.functional.retrieval",
    "fastmetrics.functional.segmentation",
    "fastmetrics.functional.text",
    "fastmetrics.regression",
    "fastmetrics.retrieval",
    "fastmetrics.text",
)
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from collections.abc import Sequence
from typing import Any, Literal, overload

from torch import Tensor
"""


def stubs() -> dict[Path, str]:
    """The stubs, by their paths."""
    found = {}
    for name in MODULES:
        module = importlib.import_module(name)
        assert module.__file__ is not None
        found[Path(module.__file__).with_suffix(".pyi")] = formatted(stub(module))
    return found


def stub(module: ModuleType) -> str:
    """The stub of a module, not yet formatted: what it defines, and imports of what else it has."""
    imports, defined = defaultdict(list), []
    names = vars(module)["__all__"]
    for name in names:
        value = getattr(module, name)
        if inspect.ismodule(value):
            imports[value.__name__.rpartition(".")[0]].append(name)
        elif isinstance(value, type) and issubclass(value, Family) and module.__name__ == "fastmetrics.classification":
            defined.append(family(value))
        elif inspect.isfunction(value) and value.__module__ == module.__name__:
            defined.append(function(value))
        else:
            public = docstrings.public_module(value)
            imports[value.__module__ if public == module.__name__ else public].append(name)
    if defined and module.__name__ == "fastmetrics.classification":
        imports["fastmetrics.classification.family"].append("Family")
    lines = [f"from {source} import {', '.join(names)}" for source, names in imports.items()]
    lines.append(f"\n__all__ = {names!r}")
    if "__version__" in vars(module):
        lines.append("__version__: str\n")
    if "__getattr__" in vars(module):
        lines.append("def __getattr__(name: str) -> Any: ...\n")
    return "\n".join([HEAD, *lines, *defined])


def family(cls: type[Family]) -> str:
    """The class, with a constructor for each task."""
    lines = [f"class {cls.__name__}(Family):", f"    {summary(cls)}"]
    _, *common, keywords = inspect.signature(cls).parameters.values()
    for task, member in cls.tasks.items():
        late = [p for p in inspect.signature(member).parameters.values() if p.kind == p.KEYWORD_ONLY]
        given = ", ".join(["cls", f"task: Literal[{task!r}]", *arguments([*common, *late, keywords])])
        lines += [
            "    @overload",
            "    def __new__(  # type: ignore[misc]",
            f"        {given},",
            f"    ) -> {member.__name__}: ...",
        ]
    return "\n".join(lines)


def function(made: Any) -> str:
    """A function without its body."""
    common = inspect.signature(made)
    given = ", ".join(arguments(common.parameters.values()))
    return f"def {made.__name__}({given}) -> {common.return_annotation}:\n    {summary(made)}"


def arguments(parameters: Iterable[inspect.Parameter]) -> list[str]:
    """Parameters as they are written."""
    written = []
    for p in parameters:
        if p.kind == p.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        stars = "**" if p.kind == p.VAR_KEYWORD else ""
        default = "" if p.default is p.empty else f" = {p.default!r}"
        written.append(f"{stars}{p.name}: {p.annotation}{default}")
    return written


def summary(value: Any) -> str:
    """The first line of a docstring, as one."""
    line = docstrings.parse(value.__doc__).summary
    return f'{"r" if chr(92) in line else ""}"""{line}"""'


def formatted(source: str) -> str:
    """As ``ruff`` formats a stub, without the imports that it does not use."""
    for command in (["check", "--quiet", "--fix"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", "stub.pyi", "-"]
        done = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True, cwd=ROOT)
        source = done.stdout
    return source


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
