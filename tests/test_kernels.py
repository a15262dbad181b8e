# SPDX-License-Identifier: Apache-2.0
"""The unchanged CUDA kernels, run on the CPU by the emulator of tests/emulator, against the pure-torch bodies."""

import pytest
import torch
from emulator import build
from kernel_cases import CASES, clones, of_pass

pytestmark = pytest.mark.skipif(build.GCC is None, reason="no g++")

# name, order of threads and blocks, multiprocessors, shared memory of a block and of a multiprocessor
RUNS = {
    "forward": ("forward", 4, 101376, 102400),
    "reverse": ("reverse", 1, 65536, 65536),  # the least of any card that is supported
    "random": ("random", 7, 232448, 233472),
}


@pytest.fixture(scope="session")
def emulated():
    path = build.build()["checked"]
    module = build.load(path)
    module.path = path
    return module


def call(module, operator, args):
    try:
        getattr(module, operator)(*args)
    except RuntimeError as error:
        raise AssertionError(f"{error}\n  {build.source_line(module.path, module.failed_at())}") from error


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", build.passes())
def test_kernels_give_what_the_body_gives(emulated, name, run):
    order, *card = RUNS[run]
    emulated.schedule(order, seed=1)
    emulated.card(*card)
    emulated.take_launches()
    assert name in CASES, f"kernel_cases.py has no cases for the kernels of the {name} pass"
    for number, (operator, args, expected) in enumerate(of_pass(name)):
        found = clones(args)
        call(emulated, operator, found)
        for ours, theirs in zip(found, expected, strict=True):
            if isinstance(ours, torch.Tensor):
                message = f"{operator} case {number}: "
                torch.testing.assert_close(
                    ours, theirs, rtol=1e-12, atol=0, equal_nan=True, msg=lambda m, of=message: of + m
                )
    ran = {kernel for kernel, *_ in emulated.take_launches()}
    there = {kernel for kernel in emulated.kernels() if kernel.partition("<")[0] in build.kernels_of(name)}
    assert ran == there, f"no case runs {there - ran}"
