# SPDX-License-Identifier: Apache-2.0
"""The unchanged CUDA kernels, run on the CPU by the emulator, against the pure-torch bodies."""

from itertools import chain

import pytest
import torch

from tests.support.emulator import build, worker
from tests.support.kernel_cases import CASES, LARGE, clones, launcher, of_pass

pytestmark = [pytest.mark.slow, pytest.mark.skipif(build.GCC is None, reason="no g++")]

# name, order of threads and blocks, multiprocessors, shared memory of a block and of a multiprocessor
RUNS = {
    "forward": ("forward", 4, 101376, 102400),
    "reverse": ("reverse", 1, 65536, 65536),  # the least of any card that is supported
    "random": ("random", 7, 232448, 233472),
}


def call(module, operator, args):
    """The arguments after the call, and what it returned if anything, as bytes."""
    try:
        result = getattr(module, operator)(*args)
    except RuntimeError as error:
        raise AssertionError(f"{error}\n  {build.source_line(module.path, module.failed_at())}") from error
    return args if result is None else [*args, result]


def compare(ours, theirs, case, most=worker.RELATIVE):
    if isinstance(ours, bytes):
        ours = torch.frombuffer(bytearray(ours), dtype=theirs.dtype).view_as(theirs)
    torch.testing.assert_close(ours, theirs, rtol=most, atol=worker.ABSOLUTE, equal_nan=True, msg=lambda m: case + m)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("source", build.launchers())
def test_kernels_give_what_the_body_gives(emulated, source, run):
    order, *card = RUNS[run]
    emulated.schedule(order, seed=1)
    emulated.card(*card)
    emulated.take_launches()
    names = [name for name in CASES if launcher(name) == source]
    assert names, f"kernel_cases.py has no cases for the kernels of {source}_cuda.cu"
    for name in names:
        large = of_pass(name, LARGE) if name in LARGE else ()
        for number, (operator, args, expected) in enumerate(chain(of_pass(name), large)):
            found = call(emulated, operator, clones(args))
            most = worker.relative(operator, str(args[0].dtype))
            for ours, theirs in zip(found, expected, strict=True):
                if isinstance(theirs, torch.Tensor):
                    compare(ours, theirs, f"{operator} case {number}: ", most)
    ran = {kernel for kernel, *_ in emulated.take_launches()}
    there = build.kernels_of(source)
    others = set().union(*(build.kernels_of(other) for other in build.launchers() if ran - there))
    assert there <= ran, f"no case runs {there - ran}"
    assert ran <= there | others, f"no source has {ran - there - others}"


def test_a_kernel_is_launched_by_one_source(emulated):
    names = [name for source in build.launchers() for name in build.kernels_of(source)]
    assert sorted(names) == [name for name in emulated.kernels() if not name.endswith("_probe_kernel")]
