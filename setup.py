# SPDX-License-Identifier: Apache-2.0
"""The package, with its sources; and the native libraries, if they are asked for ahead of time.

``pip install .`` installs the sources, which compile on first use. With ``FASTMETRICS_BUILD=1`` (and
``--no-build-isolation``, since the libraries are built against the torch that is installed) they are built now: the CPU
libraries once for each instruction set, the CUDA libraries if nvcc and a CUDA build of torch are there.
``FASTMETRICS_BUILD=cuda`` makes their absence an error. ``MAX_JOBS`` limits how many compilers run at a time.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import shutil
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
WANTED = os.environ.get("FASTMETRICS_BUILD") or "0"
PACKAGE = "fastmetrics.native.lib"  # where libraries are looked for


class BuildWithSources(build_py):
    """Copies ``csrc`` beside the loader."""

    def run(self) -> None:
        """Copy."""
        super().run()
        if self.editable_mode:
            return
        native = Path(self.build_lib) / "fastmetrics" / "native"
        for left_over in (native / "csrc", native / "lib"):  # of an earlier build in the same folder
            shutil.rmtree(left_over, ignore_errors=True)
        shutil.copytree(ROOT / "csrc", native / "csrc")


class WheelForEveryPython(bdist_wheel):
    """The libraries use of Python what all versions have, so their wheel is for each of them."""

    def get_tag(self) -> tuple[str, str, str]:
        """Python, ABI and platform."""
        return ("py3", "none", super().get_tag()[2])


def extensions(parameters: Any, toolchain: Any) -> tuple[list[Extension], type]:
    """Every library that this machine can build, with the parameters of the build on first use; and the command."""
    from torch.utils.cpp_extension import BuildExtension, CppExtension, CUDAExtension

    built_for = [("cpu", isa) for isa in parameters.ahead_of_time_isas()]
    if toolchain.missing_cuda() is None:
        built_for.append(("cuda", "generic"))
    made = [parameters.library(device, parameters.WHOLE, isa, ROOT / "csrc") for device, isa in built_for]
    stamps = {f"{PACKAGE}.{library.name}": parameters.stamp_of(library) for library in made}

    def extension(library: Any) -> Extension:
        made = (CUDAExtension if library.device == "cuda" else CppExtension)(
            f"{PACKAGE}.{library.name}",
            [os.path.relpath(source, ROOT) for source in library.sources],
            include_dirs=[*library.include_dirs],
            extra_compile_args={"cxx": library.cflags, "nvcc": library.nvcc_flags},
            extra_link_args=library.ldflags,
            py_limited_api=True,
        )
        made.libraries = [name for name in made.libraries if name != "cudart"] + library.libraries
        return made

    class BuildLibraries(BuildExtension):
        """Builds all libraries at once, each in a folder of its own: most of them have the same sources."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs, no_python_abi_suffix=True)

        def finalize_options(self) -> None:
            """Share the processors, unless there is a limit; an editable installation compiles on first use."""
            super().finalize_options()
            if self.editable_mode:
                self.extensions = []
            elif "MAX_JOBS" not in os.environ:
                self.parallel = len(self.extensions)
                os.environ["MAX_JOBS"] = str((os.cpu_count() or 1) // self.parallel + 1)

        def build_extensions(self) -> None:
            """Without the flags that Python itself was built with, such as those for a debugger."""
            del self.compiler.compiler_so[1:]
            usual = self.compiler.object_filenames

            def object_filenames(sources: list[str], *args: Any, **kwargs: Any) -> list[str]:
                """A CUDA source and a C++ source may have one name, as they may for cpp_extension.load."""
                names = usual(sources, *args, **kwargs)
                pairs = zip(sources, names, strict=True)
                return [f"{name[:-2]}.cuda.o" if source.endswith(".cu") else name for source, name in pairs]

            self.compiler.object_filenames = object_filenames
            super().build_extensions()

        def build_extension(self, ext: Extension) -> None:
            """Build a library, and say beside it what it is for."""
            print(f"building {ext.name}", flush=True)
            own = copy.copy(self)
            own.build_temp = os.path.join(self.build_temp, ext.name)
            super(BuildLibraries, own).build_extension(ext)
            stamp = Path(self.get_ext_fullpath(ext.name)).with_suffix(".json")
            stamp.write_text(json.dumps(stamps[ext.name], indent=1))

    return [extension(library) for library in made], BuildLibraries


def load_alone(name: str) -> types.ModuleType:
    """A module of ``fastmetrics/native`` without the package around it, whose dependencies may not be there yet."""
    for package, path in (("fastmetrics", ROOT / "fastmetrics"), ("fastmetrics.native", ROOT / "fastmetrics/native")):
        module = types.ModuleType(package)
        module.__path__ = [str(path)]
        sys.modules.setdefault(package, module)
    return importlib.import_module(f"fastmetrics.native.{name}")


def main() -> None:
    """Set up, with or without libraries."""
    commands: dict[str, type] = {"build_py": BuildWithSources, "bdist_wheel": WheelForEveryPython}
    if WANTED == "0":
        setup(cmdclass=commands)
        return
    if WANTED not in ("1", "cuda"):
        sys.exit(f"FASTMETRICS_BUILD must be 0, 1 or cuda, but is {WANTED!r}")
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("FASTMETRICS_BUILD needs the torch that will be used: install it and pass --no-build-isolation")
    toolchain = load_alone("toolchain")
    without_cuda = toolchain.missing_cuda()
    problem = (without_cuda if WANTED == "cuda" else None) or toolchain.missing("cpu")
    if problem is not None:
        sys.exit(f"FASTMETRICS_BUILD={WANTED}: {problem}")
    if without_cuda is not None:
        print(f"no CUDA library: {without_cuda}")
    with tempfile.TemporaryDirectory() as folder, toolchain.known_to_torch(Path(folder)):
        modules, command = extensions(load_alone("parameters"), toolchain)
        setup(cmdclass={**commands, "build_ext": command}, ext_modules=modules)


main()
