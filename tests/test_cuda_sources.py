# SPDX-License-Identifier: Apache-2.0
"""The CUDA sources compile for every architecture, and no kernel spills registers."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
from torch.utils.cpp_extension import include_paths

from fastmetrics.native.builder import compiler, gencode
from fastmetrics.native.parameters import cuda_home, library

ARCHITECTURES = ("75", "80", "86", "89", "90", "100", "120")
MADE = library("cuda")

pytestmark = pytest.mark.skipif(cuda_home() is None, reason="no CUDA toolkit")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("source", [s for s in MADE.sources if s.endswith(".cu")], ids=lambda s: Path(s).stem)
def test_kernels_compile_without_spills(source, tmp_path):
    archs = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    includes = [f"-I{path}" for path in MADE.include_dirs]
    command = [f"{cuda_home()}/bin/nvcc", *MADE.nvcc_flags, *archs, "--threads", "2", "-Xptxas", "-v", *includes]
    said = run([*command, "-c", source, "-o", str(tmp_path / "x.o")])
    kernels = re.findall(r"Compiling entry function '(\w+)' for 'sm_(\d+)'", said)
    assert {arch for _, arch in kernels} == set(ARCHITECTURES)
    spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", said)
    assert len(spills) >= len(kernels)
    assert {bytes_ for spill in spills for bytes_ in spill} == {"0"}
    assert "warning" not in said, said


@pytest.mark.parametrize("source", [s for s in MADE.sources if s.endswith(".cpp")], ids=lambda s: Path(s).stem)
def test_registrations_compile_with_the_headers_of_any_torch(source, tmp_path):
    includes = [f"-I{path}" for path in MADE.include_dirs]
    system = [arg for path in [*include_paths(), f"{cuda_home()}/include"] for arg in ("-isystem", path)]
    run([compiler(), *MADE.cflags, "-Werror", "-O0", *includes, *system, "-c", source, "-o", str(tmp_path / "x.o")])


def test_default_architectures_are_those_that_are_checked(monkeypatch):
    monkeypatch.delenv("TORCH_CUDA_ARCH_LIST", raising=False)
    if not torch.cuda.is_available():
        assert {re.search(r"sm_(\d+)", flag)[1] for flag in gencode() if "sm_" in flag} == set(ARCHITECTURES)
