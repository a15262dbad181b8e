# SPDX-License-Identifier: Apache-2.0
"""Functions that are written at run time.

A function with ``*args`` would bind them itself; one whose source is compiled, as dataclasses do for ``__init__``, lets
Python do that, with its errors and its speed, and can be traced by ``torch.compile``.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any

REQUIRED = inspect.Parameter.empty


def write(
    module: str,
    name: str,
    common: inspect.Signature,
    value: str,
    known: dict[str, Any],
    may_lack: str = "",
) -> Callable[..., Any]:
    """``def name(...): return value``.

    Args:
        module: of the function.
        name: of the function.
        common: its signature.
        value: an expression of its parameters and of what is ``known``.
        known: names of the expression.
        may_lack: a parameter without a default; it, and those behind it that have none, are ``REQUIRED`` in a call
            without them.
    """
    parameters: list[str] = []
    lacking = False
    for p in common.parameters.values():
        if p.kind == p.KEYWORD_ONLY and "*" not in parameters:
            parameters.append("*")
        lacking = lacking or p.name == may_lack
        default = f"={p.default!r}" if p.default is not REQUIRED else "=REQUIRED" if lacking else ""
        parameters.append(f"**{p.name}" if p.kind == p.VAR_KEYWORD else f"{p.name}{default}")
    source = (
        f"def create(REQUIRED, {', '.join(known)}):\n"
        f"    def {name}({', '.join(parameters)}):\n"
        f"        return {value}\n"
        f"    return {name}\n"
    )
    file = f"<fastmetrics {name}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file  # for tracebacks
    scope: dict[str, Any] = {}
    exec(compile(source, file, "exec"), scope)
    function: Callable[..., Any] = scope["create"](REQUIRED, **known)
    function.__module__, function.__qualname__ = module, name
    function.__signature__ = common  # type: ignore[attr-defined]
    return function
