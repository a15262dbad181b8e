# SPDX-License-Identifier: Apache-2.0
"""The CPU loops know no torch: ``loops.cpp`` compares them with scalar references, also for another processor."""

import shutil
import subprocess
from pathlib import Path

import pytest

from fastmetrics.native import parameters, toolchain
from tests.support import ROOT

PROGRAM = ROOT / "tests" / "support" / "loops.cpp"
ARM_COMPILER, ARM_EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
REGISTRATION = "operators_cpu.cpp"  # how the names of files end that register operators


def loops():
    sources = sorted({source for part in parameters.PARTS for source in parameters.library("cpu", part).sources})
    return [source for source in sources if not source.endswith(REGISTRATION)]


def compile_and_run(compiler, isa, before, folder):
    made = parameters.library("cpu", isa=isa)
    flags = [flag for flag in made.cflags if flag not in ("-O3", "-fPIC")]
    command = [*compiler, "-O1", *flags, *(f"-I{path}" for path in made.include_dirs)]
    objects = []
    for source in [*loops(), str(PROGRAM)]:
        objects.append(str(folder / f"{Path(source).stem}.o"))
        subprocess.run([*command, "-c", source, "-o", objects[-1]], check=True)
    program = folder / "loops"
    subprocess.run([*compiler, *objects, "-static", *made.ldflags, "-o", str(program)], check=True)
    done = subprocess.run([*before, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 failed\n"), done.stdout


def test_loops_include_no_torch():
    for source in loops():
        flags = [f"-I{path}" for path in parameters.library("cpu").include_dirs]
        done = subprocess.run(
            [*toolchain.compiler_command(), "-std=c++17", "-MM", *flags, source],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "stable.h" not in done.stdout, source


@pytest.mark.skipif(toolchain.compiler() is None, reason="no C++ compiler")
@pytest.mark.slow
def test_loops_of_this_machine(tmp_path):
    compile_and_run(toolchain.compiler_command(), "native", [], tmp_path)


@pytest.mark.skipif(shutil.which(ARM_COMPILER) is None, reason=f"no {ARM_COMPILER}")
@pytest.mark.skipif(shutil.which(ARM_EMULATOR) is None, reason=f"no {ARM_EMULATOR}")
@pytest.mark.slow
def test_loops_of_arm(tmp_path):
    compile_and_run([ARM_COMPILER], "generic", [ARM_EMULATOR], tmp_path)
