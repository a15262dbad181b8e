# SPDX-License-Identifier: Apache-2.0
"""The package, with its sources; and the native libraries, if they are asked for ahead of time.

``pip install .`` installs the sources, which compile on first use. With ``FASTMETRICS_BUILD=1`` (and
``--no-build-isolation``, since the libraries are built against the torch that is installed) they are built now: the CPU
library once for each instruction set, the CUDA library if nvcc and a CUDA build of torch are there.
``FASTMETRICS_BUILD=cuda`` makes their absence an error.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

ROOT = Path(__file__).resolve().parent
WANTED = os.environ.get("FASTMETRICS_BUILD") or "0"


class BuildWithSources(build_py):
    """Copies ``csrc`` beside the loader, and builds the libraries if they are wanted."""

    def run(self) -> None:
        """Copy, and build."""
        super().run()
        if self.editable_mode:
            return
        native = Path(self.build_lib) / "fastmetrics" / "native"
        for left_over in (native / "csrc", native / "lib"):  # of an earlier build in the same folder
            shutil.rmtree(left_over, ignore_errors=True)
        shutil.copytree(ROOT / "csrc", native / "csrc")
        if WANTED != "0":
            build_libraries(native / "lib")


class BinaryDistribution(Distribution):
    """A wheel with libraries is for one platform."""

    def has_ext_modules(self) -> bool:
        """Whether libraries go into the wheel."""
        return WANTED != "0"


class WheelForEveryPython(bdist_wheel):
    """The libraries use of Python what all versions have, so their wheel is for each of them."""

    def get_tag(self) -> tuple[str, str, str]:
        """Python, ABI and platform."""
        return ("py3", "none", super().get_tag()[2])


def build_libraries(folder: Path) -> None:
    """Build every library that this machine can, with the parameters that the build on first use has."""
    if WANTED not in ("1", "cuda"):
        sys.exit(f"FASTMETRICS_BUILD must be 0, 1 or cuda, but is {WANTED!r}")
    sys.path.insert(0, str(ROOT))
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("FASTMETRICS_BUILD needs the torch that will be used: install it and pass --no-build-isolation")
    builder = load_alone("builder")
    parameters = sys.modules["fastmetrics.native.parameters"]

    wanted = [parameters.library("cpu", isa, ROOT / "csrc") for isa in parameters.ahead_of_time_isas()]
    cause = no_cuda(parameters)
    if cause is None:
        wanted.append(parameters.library("cuda", "generic", ROOT / "csrc"))
    elif WANTED == "cuda":
        sys.exit(f"FASTMETRICS_BUILD=cuda: {cause}")
    else:
        print(f"no CUDA library: {cause}")
    folder.mkdir(parents=True, exist_ok=True)
    for made in wanted:
        with tempfile.TemporaryDirectory() as work:
            print(f"building {made.name}", flush=True)
            try:
                builder.compile_library(made, Path(work))
            except builder.BuildError as error:
                sys.exit(f"{made.name}: {error}")
            shutil.copy2(Path(work) / f"{made.name}.so", folder)
        (folder / f"{made.name}.json").write_text(json.dumps(builder.stamp_of(made), indent=1))


def no_cuda(parameters: object) -> str | None:
    """Why the CUDA library cannot be built, or None."""
    import torch

    if parameters.cuda_home() is None:  # type: ignore[attr-defined]
        return "no nvcc: install the CUDA toolkit, or set CUDA_HOME to it"
    if torch.version.cuda is None:
        return "torch was built without CUDA; install a CUDA build of torch"
    return None


def load_alone(name: str) -> object:
    """A module of ``fastmetrics/native`` without the package around it, whose dependencies may not be there yet."""
    import importlib
    import types

    for package, path in (("fastmetrics", ROOT / "fastmetrics"), ("fastmetrics.native", ROOT / "fastmetrics/native")):
        module = types.ModuleType(package)
        module.__path__ = [str(path)]
        sys.modules[package] = module
    return importlib.import_module(f"fastmetrics.native.{name}")


setup(cmdclass={"build_py": BuildWithSources, "bdist_wheel": WheelForEveryPython}, distclass=BinaryDistribution)
