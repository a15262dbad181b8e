# SPDX-License-Identifier: Apache-2.0
"""What the kernels need of a multiprocessor, from the CUDA compiler; ``make kernel-resources`` keeps it in docs.

The table is docs/kernel_resources.md. tests/kernels/test_cuda_sources.py compiles the same and compares.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fastmetrics.native.parameters import PARTS, cuda_home, library
from tests.support import ROOT

ARCHITECTURES = ("75", "80", "86", "89", "90", "100", "120")
MADE = library("cuda")
CUDA = sorted(source for part in PARTS for source in library("cuda", part).sources)
SOURCES = [source for source in CUDA if source.endswith(".cu")]
TABLE = ROOT / "docs" / "kernel_resources.md"

# (kernel, architecture) -> (registers of a thread, bytes of static shared memory of a block)
Resources = dict[tuple[str, str], tuple[int, int]]


def run(command: list[str]) -> str:
    """What a command says; an AssertionError with it if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def compile_kernels(source: str, archs: tuple[str, ...] = ARCHITECTURES, to: tuple[str, ...] = ()) -> str:
    """Compile a source for some architectures; what the assembler says about each kernel, none of which may spill.

    ``to``: flags that say what the compiler writes, and where; an object that is thrown away if there are none.
    """
    generated = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in archs]
    includes = [f"-I{path}" for path in MADE.include_dirs]
    command = [f"{cuda_home()}/bin/nvcc", *MADE.nvcc_flags, *generated, "--threads", "2", "-Xptxas", "-v", *includes]
    with tempfile.TemporaryDirectory() as folder:
        messages = run([*command, source, *(to or ("-c", "-o", f"{folder}/x.o"))])
    spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", messages)
    assert len(spills) >= messages.count("Compiling entry function")
    assert {bytes_ for spill in spills for bytes_ in spill} == {"0"}, messages
    return messages


def names_of(mangled: list[str]) -> list[str]:
    """The names of kernels with their template arguments, without what tells nothing."""
    names = run(["c++filt", *mangled]).splitlines() if mangled else []
    return [re.sub(r"^void |fastmetrics::|\(anonymous namespace\)::|\(.*", "", name) for name in names]


def resources(messages: str) -> Resources:
    """Registers and shared memory of each kernel from what the assembler said."""
    entry = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'.*?Used (\d+) registers([^\n]*)", re.DOTALL)
    found = entry.findall(messages)
    result: Resources = {}
    for kernel, (_, arch, registers, rest) in zip(names_of([name for name, *_ in found]), found, strict=True):
        shared = re.search(r"(\d+) bytes smem", rest)
        result[kernel, arch] = (int(registers), int(shared[1]) if shared else 0)
    return result


def table(of_source: dict[str, Resources]) -> str:
    """The page docs/kernel_resources.md."""
    version = run([f"{cuda_home()}/bin/nvcc", "--version"])
    release = re.search(r"release ([\d.]+)", version)
    lines = [
        "# Registers and shared memory of the kernels",
        "",
        "Written by `make kernel-resources`, compared by `tests/kernels/test_cuda_sources.py`: the same kernels, no",
        "more static shared memory, at most 8 registers more. None spills, and none has a stack frame. Shared memory",
        "of the launch is not counted.",
        "",
        f"Compiler: nvcc {release[1] if release else '?'}. Columns: registers of a thread, by architecture; bytes of",
        "static shared memory of a block, the most of any architecture.",
    ]
    for source, found in of_source.items():
        lines += ["", f"## {source}", "", "| kernel | " + " | ".join(f"sm_{a}" for a in ARCHITECTURES) + " | shared |"]
        lines += ["| --- |" + " ---: |" * (len(ARCHITECTURES) + 1)]
        for kernel in sorted({kernel for kernel, _ in found}):
            row = [found[kernel, a] for a in ARCHITECTURES]
            registers = " | ".join(str(r) for r, _ in row)
            lines.append(f"| `{kernel}` | {registers} | {max(shared for _, shared in row)} |")
    return "\n".join(lines) + "\n"


def kept() -> dict[str, dict[str, tuple[list[int], int]]]:
    """By source and kernel, the table as it is kept: registers by architecture, and shared memory."""
    found: dict[str, dict[str, tuple[list[int], int]]] = {}
    source = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            source = line[3:]
            found[source] = {}
        elif line.startswith("| `"):
            kernel, *numbers = (part.strip() for part in line.strip("|").split(" | "))
            *registers, shared = (int(n) for n in numbers)
            found[source][kernel.strip("`")] = (registers, shared)
    return found


def main() -> None:
    """Write the table."""
    assert shutil.which("c++filt"), "needs c++filt"
    assert cuda_home(), "needs nvcc"
    TABLE.write_text(table({Path(s).name: resources(compile_kernels(s)) for s in SOURCES}))


if __name__ == "__main__":
    main()
