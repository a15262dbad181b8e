# SPDX-License-Identifier: Apache-2.0
"""Building a library on first use, by torch.utils.cpp_extension, once for all processes.

It is built in a folder of its own under a lock that the system releases if its holder dies, and moved into the cache in
one step: a build that was killed leaves nothing that a later process would wait for or load.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import tempfile
import time
from pathlib import Path

from fastmetrics.native import cache, progress, toolchain
from fastmetrics.native.parameters import Library, stamp_of
from fastmetrics.native.toolchain import BuildError

log = logging.getLogger("fastmetrics")

_LINES = 20  # of the compiler's errors


def build(made: Library, folder: Path, again: bool = False) -> tuple[Path, bool]:
    """Build the library into the cache unless another process has by then.

    Args:
        made: what to build.
        folder: a writable cache folder.
        again: build even if it is there, because what is there does not load.

    Returns:
        Its path, and whether this call built it.

    Raises:
        BuildError: with cause and cure.
    """
    if not made.sources:
        raise BuildError(f"the package has no sources of the {made.kernels}; reinstall it")
    problem = toolchain.missing(made.device)
    if problem is not None:
        raise BuildError(problem)
    path = cache.path(made, folder)
    place = path.parent
    with progress.locked(made, place):
        if path.is_file() and not again:
            return path, False
        for left_over in folder.glob(f"{place.name}.build-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f"{place.name}.build-", dir=folder))
        try:
            started = time.perf_counter()
            with progress.shown(made, work):
                built = compile_library(made, work, log_file=Path(f"{place}.log"))
            seconds = round(time.perf_counter() - started, 1)
            result = work / "result"
            result.mkdir()
            os.replace(built, result / path.name)
            stamp = json.dumps({**stamp_of(made), "seconds": seconds}, indent=1)
            (result / path.with_suffix(".json").name).write_text(stamp)
            shutil.rmtree(place, ignore_errors=True)
            os.replace(result, place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    log.info("built %s in %s s", path, seconds)
    return path, True


def compile_library(made: Library, work: Path, log_file: Path) -> Path:
    """Compile a library in an empty folder, and load it.

    Args:
        made: what to build.
        work: the folder.
        log_file: takes all that the tools write if they fail.

    Returns:
        The library in ``work``.

    Raises:
        BuildError: the compiler fails, or what it made does not load.
    """
    cpp_extension = toolchain.cpp_extension()
    try:
        # torch forgets to quote this path for the shell
        quoted = toolchain.replaced(vars(cpp_extension), TORCH_LIB_PATH=shlex.quote(cpp_extension.TORCH_LIB_PATH))
        with toolchain.known_to_torch(work), quoted:
            built = cpp_extension.load(
                made.name,
                made.sources,
                extra_cflags=made.cflags,
                extra_cuda_cflags=made.nvcc_flags,
                extra_ldflags=[*made.ldflags, *(f"-l{name}" for name in made.libraries)],
                extra_include_paths=made.include_dirs,
                build_directory=str(work),
                with_cuda=made.device == "cuda",
                is_python_module=False,
            )
    except (RuntimeError, UnicodeDecodeError) as error:  # torch expects UTF-8, a compiler may write otherwise
        output = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
        log_file.write_text(output)
        raise BuildError(f"the compiler failed:\n{_errors(output)}\nAll that it wrote is in {log_file}") from error
    except OSError as error:
        raise BuildError(f"what was built does not load: {error.__cause__ or error}") from error
    log_file.unlink(missing_ok=True)  # of an earlier attempt
    return Path(str(built))


def _errors(output: str) -> str:
    """What the compilers wrote from their first error on, without the commands that ninja repeats."""
    kept, command = [], False
    for line in output.splitlines():
        if not command and not re.match(r"(Error building extension .*?: )?\[\d+/\d+\] |FAILED: |ninja: ", line):
            kept.append(line)
        command = line.startswith("FAILED: ")  # it follows
    first = next((i for i, line in enumerate(kept) if "error" in line.lower()), len(kept) - _LINES)
    return "\n".join(kept[max(0, first - 2) :][:_LINES])
