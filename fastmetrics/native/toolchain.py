# SPDX-License-Identifier: Apache-2.0
"""The C++ compiler, ninja and nvcc: which there are, and how torch.utils.cpp_extension finds them."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from fastmetrics.native.parameters import archs, cuda_home


class BuildError(RuntimeError):
    """Why a library cannot be built, and what to do about it."""


def compiler_command() -> list[str]:
    """The C++ compiler's command: ``CXX``, which may start with a launcher as in ``ccache g++``, else ``c++``."""
    return shlex.split(os.environ.get("CXX", "")) or ["c++"]


def compiler() -> str | None:
    """The program that :func:`compiler_command` starts, if it is there."""
    return shutil.which(compiler_command()[0])


def compiler_version() -> str:
    """What the compiler says; empty without one."""
    found = compiler()
    if found is None:
        return ""
    command = [found, *compiler_command()[1:], "-dumpfullversion", "-dumpversion"]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout.strip()


def ninja() -> str | None:
    """The build tool: the ``ninja`` package's, else the one on the path."""
    try:
        import ninja as package
    except ImportError:
        return shutil.which("ninja")
    return shutil.which("ninja", path=package.BIN_DIR) or shutil.which("ninja")


def missing(device: str) -> str | None:
    """What the build of the library of a device lacks on this machine, and what to do about it; None if nothing."""
    if compiler() is None:
        return f"no C++ compiler: {compiler_command()[0]} was not found. Install g++ or clang++, or set CXX."
    if ninja() is None:
        return "no ninja: install it with `pip install ninja`"
    return missing_cuda() if device == "cuda" else None


def missing_cuda() -> str | None:
    """What of CUDA the build lacks, and what to do about it; None if nothing."""
    if cuda_home() is None:
        return "no nvcc: install the CUDA toolkit, or set CUDA_HOME to it"
    if torch.version.cuda is None:
        return "torch was built without CUDA; install a CUDA build of torch"
    return None


def cpp_extension() -> Any:
    """The module of torch, which warns when it is imported that there is no GPU, also of a build for the CPU."""
    logger = logging.getLogger("torch.utils.cpp_extension")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        from torch.utils import cpp_extension as module
    finally:
        logger.setLevel(level)
    return module


@contextmanager
def known_to_torch(folder: Path) -> Iterator[None]:
    """Let torch.utils.cpp_extension build with these tools.

    It looks for ninja on the path, takes ``CXX`` for the name of one program, fails without a GPU unless it is told
    the architectures, and guesses a wrong CUDA toolkit where nvcc is a wrapper. Its check of the compiler's ABI does
    not matter here: of torch the libraries use C functions alone.

    Args:
        folder: to write programs into.
    """
    found, command = ninja(), compiler_command()
    assert found is not None
    path = [str(Path(found).parent), os.environ.get("PATH", os.defpath)]
    variables = {"CXX": command[0], "TORCH_DONT_CHECK_COMPILER_ABI": "1"}
    if shlex.join(command) != command[0]:
        program = folder / "fastmetrics-c++"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        program.chmod(0o755)
        path.insert(0, str(folder))
        variables |= {"CXX": program.name, "TORCH_NO_COMPILER_WRAPPER": "1"}
    home = None
    if torch.version.cuda is not None:
        home = cuda_home()
        variables["TORCH_CUDA_ARCH_LIST"] = archs()
    with (
        replaced(os.environ, PATH=os.pathsep.join(path), **variables),
        replaced(vars(cpp_extension()), CUDA_HOME=home),
    ):
        yield


@contextmanager
def replaced(values: MutableMapping[str, Any], **others: Any) -> Iterator[None]:
    """Put others in the place of some values for a while."""
    before = {name: values.get(name) for name in others}
    values.update(others)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
