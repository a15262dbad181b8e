# SPDX-License-Identifier: Apache-2.0
"""Builds the Python module that runs the CUDA kernels on the CPU, in ``build/emulator``.

The sources of the CUDA library are compiled as they are, by g++, against the headers of ``include``. Ninja compiles
again what has changed. A variant is

* ``checked``: every load and store goes through the checks of memory.cpp,
* ``asan``: AddressSanitizer and UndefinedBehaviorSanitizer,
* ``tsan``: ThreadSanitizer, to which every thread of a block is a thread,
* or ``checked`` with a changed source, see :class:`Change`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pybind11
from filelock import FileLock

from fastmetrics.native.parameters import WHOLE, library, source_root
from fastmetrics.native.toolchain import ninja
from tests.support import ROOT

HERE = Path(__file__).resolve().parent
OUT = ROOT / "build" / "emulator"
GCC = shutil.which("g++") if sys.platform == "linux" else None

_COMMON = "-std=c++17 -fPIC -fvisibility=hidden -fno-extern-tls-init -Wall -Wno-unknown-pragmas"
_CHECKS = "-fsanitize=thread,bounds"
_ALIGNMENT = "-fsanitize=alignment"  # takes a third of the time of a compilation
# of the kernels, of the emulator, of the link
_FLAGS = {
    "checked": (f"-O1 -g1 {_CHECKS} {_ALIGNMENT}", "-O2 -g1 -DEMULATOR_CHECKED", ""),
    "asan": (
        "-O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -DEMULATOR_ASAN",
        "-O2 -g1 -DEMULATOR_ASAN",
        "-fsanitize=address,undefined",
    ),
    "tsan": ("-O1 -g1 -fsanitize=thread -DEMULATOR_TSAN", "-O2 -g1 -DEMULATOR_TSAN", "-fsanitize=thread"),
}


@dataclass(frozen=True)
class Change:
    """A change of one source: ``old``, which must be there once, becomes ``new``."""

    name: str
    path: str  # under csrc
    old: str
    new: str
    launchers: tuple[str, ...]  # that include the file, or are it
    variant: str = "checked"
    alignment: bool = True  # whether addresses are checked for it; of the variant "checked"

    def write(self, folder: Path) -> Path:
        """Write the changed file under ``folder``; raises ValueError where the source has become another."""
        text = (source_root() / self.path).read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.path} has {text.count(self.old)} times, not once: {self.old}")
        path = folder / self.path
        for other in folder.rglob("*"):  # that a change of this name was in before
            if other != path and other.suffix in (".h", ".cuh", ".cu"):
                other.unlink()
        changed = text.replace(self.old, self.new)
        if not path.is_file() or path.read_text() != changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(changed)
        return path


def launchers() -> list[str]:
    """The sources that launch kernels, without their ending: ``pairs`` of ``passes/pairs_cuda.cu``."""
    return sorted(path.name.removesuffix("_cuda.cu") for path in (source_root() / "passes").glob("*_cuda.cu"))


def kernels_of(launcher: str) -> set[str]:
    """The kernels that the compiled source has, which are those that it launches, with template arguments."""
    command = ["nm", "--demangle", "--defined-only", OUT / "checked" / f"{launcher}_cuda.cu.o"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("fastmetrics::", "")
    return set(re.findall(r"^\w+ \w (?:void )?(\w+_kernel(?:<[^()]*>)?)\(", output, re.MULTILINE))


class _Ninja:
    def __init__(self) -> None:
        self.lines = [
            "rule compile",
            f"  command = {GCC} {_COMMON} $flags -MMD -MF $out.d -c $in -o $out",
            "  depfile = $out.d",
            "  deps = gcc",
            "rule link",
            f"  command = {GCC} -shared $flags $in -o $out",
        ]

    def compile(self, source: Path, to: str, flags: str) -> str:
        self.lines += [f"build {to}: compile {source}", f"  flags = {flags}"]
        return to

    def link(self, objects: list[str], to: str, flags: str) -> None:
        self.lines += [f"build {to}: link {' '.join(objects)}", f"  flags = {flags}"]


def _objects(graph: _Ninja, variant: str) -> dict[str, str]:
    """Objects of a variant, by source name."""
    of_kernels, of_emulator, _ = _FLAGS[variant]
    include = f"-I{HERE / 'include'} -I{source_root()} -isystem {sysconfig.get_paths()['include']}"
    objects = {}
    sources = [Path(source) for source in sorted(library("cuda", WHOLE).sources)]
    for source in [*sources, HERE / "probe.cu", HERE / "probe.cpp"]:
        flags = f"{of_kernels} -x c++ -include device.h" if source.suffix == ".cu" else "-O1"
        objects[source.name] = graph.compile(source, f"{variant}/{source.name}.o", f"{flags} {include}")
    for name in ("runtime.cpp", "memory.cpp"):
        objects[name] = graph.compile(HERE / name, f"{variant}/{name}.o", f"{of_emulator} {include}")
    objects["module.cpp"] = "module.o"
    return objects


def build(variants: tuple[str, ...] = ("checked",), changes: tuple[Change, ...] = ()) -> dict[str, Path]:
    """Build the modules of the variants and changes, two compilers at a time; their paths by name."""
    OUT.mkdir(parents=True, exist_ok=True)
    with FileLock(OUT / "lock"):
        graph = _Ninja()
        include = f"-I{HERE / 'include'} -I{source_root()} -I{pybind11.get_include()}"
        include += f" -isystem {sysconfig.get_paths()['include']}"
        graph.compile(HERE / "module.cpp", "module.o", f"-O1 {include}")
        built = {}
        objects = {variant: _objects(graph, variant) for variant in _FLAGS}
        for variant in _FLAGS:
            graph.link(list(objects[variant].values()), f"{variant}/emulated.so", _FLAGS[variant][2])
        for change in changes:
            folder = OUT / "changed" / change.name
            changed = change.write(folder)
            of_change = dict(objects[change.variant])
            of_kernels = _FLAGS[change.variant][0]
            if change.variant == "checked":  # quick to compile, for something that runs once
                of_kernels = f"-O0 -fno-exceptions {_CHECKS} {_ALIGNMENT if change.alignment else ''}"
            flags = f"{of_kernels} -x c++ -include device.h -I{folder} -I{HERE / 'include'} -I{source_root()}"
            for name in change.launchers:
                source = source_root() / "passes" / f"{name}_cuda.cu"
                if changed.name == source.name:
                    source = changed
                to = f"changed/{change.name}/{source.name}.o"
                of_change[source.name] = graph.compile(source, to, flags)
            # what is changed comes first: of the functions that several sources have, the first are taken
            compiled = [to for to in of_change.values() if to.startswith("changed/")]
            others = [to for to in of_change.values() if to not in compiled]
            graph.link([*compiled, *others], f"changed/{change.name}/emulated.so", _FLAGS[change.variant][2])
            built[change.name] = OUT / "changed" / change.name / "emulated.so"
        built |= {variant: OUT / variant / "emulated.so" for variant in variants}
        (OUT / "build.ninja").write_text("\n".join(graph.lines) + "\n")
        targets = [str(path.relative_to(OUT)) for path in built.values()]
        done = subprocess.run(
            [str(ninja()), "-C", str(OUT), "-j2", *targets], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
    return built


def load(path: Path) -> ModuleType:
    """Import a module that was built."""
    loader = importlib.machinery.ExtensionFileLoader("emulated", str(path))
    spec = importlib.util.spec_from_file_location("emulated", path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def source_line(path: Path, offset: int) -> str:
    """Function and line of an address in a module; empty where nothing tells."""
    tool = shutil.which("addr2line")
    if tool is None or offset == 0:
        return ""
    output = subprocess.run(
        [tool, "-e", str(path), "-s", "-i", hex(offset - 1)], capture_output=True, text=True, check=False
    )
    return " <- ".join(output.stdout.split("\n")[:3])


def can_sanitize(variant: str) -> bool:
    """Whether the compiler has the library of a sanitizer."""
    return Path(_library_of(variant)).is_absolute()


def _library_of(variant: str) -> str:
    command = [GCC, f"-print-file-name=lib{variant}.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def work(path: Path, cases: Path, variant: str = "checked", orders: tuple[str, ...] = ()):
    """Run worker.py on a module of a variant."""
    command = [sys.executable, "-I", str(HERE / "worker.py"), str(path), str(cases), *orders]
    environment = {**os.environ, "PYTHONMALLOC": "malloc"}  # every buffer by itself
    if variant != "checked":
        environment |= {
            "LD_PRELOAD": _library_of(variant),
            "ASAN_OPTIONS": "detect_leaks=0",
            # the emulator's own memmove is no access of a kernel
            "TSAN_OPTIONS": "halt_on_error=1 ignore_interceptors_accesses=1",
        }
    if variant == "tsan":  # which does not know every place where a kernel may map memory
        command = ["setarch", "-R", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=900)
