# SPDX-License-Identifier: Apache-2.0
"""The CUDA sources compile; no kernel spills registers, or needs more of them than before.

Here for the oldest architecture, the newest and one between; ``make kernel-resources`` compiles for all of them.
"""

import re
from pathlib import Path

import pytest
from torch.utils.cpp_extension import include_paths

from fastmetrics.native.parameters import DEFAULT_ARCHS, cuda_home
from fastmetrics.native.toolchain import compiler
from tests.support.kernel_resources import ARCHITECTURES, CUDA, MADE, SOURCES, compile_kernels, kept, resources, run

# Compilers of one release differ by a few.
MOST_REGISTERS_MORE = 8
CHECKED = ("75", "90", "120")

pytestmark = pytest.mark.skipif(cuda_home() is None, reason="no CUDA toolkit")


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda s: Path(s).stem)
def test_kernels_compile_without_spills(source):
    messages = compile_kernels(source, CHECKED)
    kernels = re.findall(r"Compiling entry function '(\w+)' for 'sm_(\d+)'", messages)
    assert {arch for _, arch in kernels} == set(CHECKED)
    assert "warning" not in messages, messages
    found = resources(messages)
    assert len(found) == len(kernels)
    before = kept().get(Path(source).name, {})
    assert {kernel for kernel, _ in found} == before.keys(), "other kernels: run make kernel-resources"
    for kernel, (registers, shared) in before.items():
        for arch, most in zip(ARCHITECTURES, registers, strict=True):
            if arch not in CHECKED:
                continue
            used, of_block = found[kernel, arch]
            assert used <= most + MOST_REGISTERS_MORE, f"{kernel} on sm_{arch}: {used} registers, {most} before"
            assert of_block <= shared, f"{kernel} on sm_{arch}: {of_block} bytes shared, {shared} before"


@pytest.mark.slow
@pytest.mark.parametrize("source", [s for s in CUDA if s.endswith(".cpp")], ids=lambda s: Path(s).stem)
def test_registrations_compile_with_the_headers_of_any_torch(source):
    includes = [f"-I{path}" for path in MADE.include_dirs]
    system = [arg for path in [*include_paths(), f"{cuda_home()}/include"] for arg in ("-isystem", path)]
    run([compiler(), *MADE.cflags, "-Werror", "-fsyntax-only", *includes, *system, source])


def test_default_architectures_are_those_of_the_table():
    assert {arch.removesuffix("+PTX").replace(".", "") for arch in DEFAULT_ARCHS} == set(ARCHITECTURES)
