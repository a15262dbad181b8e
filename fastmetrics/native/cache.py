# SPDX-License-Identifier: Apache-2.0
"""Where libraries that were built on first use are kept, and under which names.

A library is named by the hash of everything that made it: what it was built from, and where. The first part is sources,
flags, torch and CUDA; the second the compiler, and the CPU or GPUs that the code is for. A machine that can build has
what it would build, or nothing. One that lacks a tool takes any library with the right first part that runs there, such
as one that came with an image.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from pathlib import Path

import torch

from fastmetrics.native import toolchain
from fastmetrics.native.parameters import Library, archs, cpu_flags, python_headers
from fastmetrics.native.prebuilt import Candidate, candidate
from fastmetrics.native.toolchain import BuildError


def folder() -> Path:
    """``FASTMETRICS_CACHE``, else ``fastmetrics`` in the user's cache folder."""
    own = os.environ.get("FASTMETRICS_CACHE")
    if own:
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastmetrics"
    except RuntimeError:  # a user without a home, as in some containers
        return _spare_folder()


def _spare_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"fastmetrics-{os.getuid()}"


def writable_folder() -> tuple[Path, str | None]:
    """The cache folder, or one of this user among the temporary files, with the reason, if the first cannot be used."""
    usual = folder()
    try:
        usual.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=usual):
            return usual, None
    except OSError as error:
        spare = _spare_folder()
        spare.mkdir(mode=0o700, exist_ok=True)
        if spare.stat().st_uid != os.getuid():
            raise BuildError(f"{usual} cannot be written ({error}) and {spare} belongs to another user") from error
        return spare, f"{usual} cannot be written ({error.strerror}), using {spare}; or set FASTMETRICS_CACHE"


def key(made: Library) -> str:
    """The name of everything that decides what a library is."""
    facts: list[object] = [toolchain.compiler_command(), toolchain.compiler_version(), bool(python_headers())]
    if made.device == "cuda":
        facts.append(archs())
    elif made.isa == "native":
        facts.append(sorted(cpu_flags()))
    return f"{_content(made)}-{_hash(json.dumps(facts).encode())}"


def _content(made: Library) -> str:
    files = [Path(path) for path in [*made.sources, *made.headers]]
    facts: list[object] = [
        made.cflags,
        made.nvcc_flags,
        made.ldflags,
        made.libraries,
        torch.__version__,
        platform.machine(),
    ]
    if made.device == "cuda":
        facts.append(torch.version.cuda)
    parts = [part for file in files for part in (file.name.encode(), file.read_bytes())]
    return _hash(*parts, json.dumps(facts).encode())


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def path(made: Library, where: Path) -> Path:
    """Where a library is, or will be, in the cache folder ``where``."""
    return where / key(made) / f"{made.name}.so"


def candidates(made: Library, where: Path) -> list[Candidate]:
    """The libraries in the cache folder ``where`` that serve ``made``, or that would on another machine."""
    if toolchain.missing(made.device) is None:
        found = [path(made, where)]
    else:
        found = sorted(where.glob(f"{_content(made)}-*/{made.name}.so"))
    return [candidate(library) for library in found if os.path.isfile(library)]  # False where it may not be read
