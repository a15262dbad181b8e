# SPDX-License-Identifier: Apache-2.0
"""The emulator itself, on the small kernels of probe.cu: what operations mean, and what is reported."""

import pytest
import torch

from tests.support.emulator import build

pytestmark = [pytest.mark.slow, pytest.mark.skipif(build.GCC is None, reason="no g++")]

LANES = range(32)
EVEN, ODD = 0x55555555, 0xAAAAAAAA


@pytest.fixture(params=["forward", "reverse", "random"])
def module(request, emulated):
    emulated.schedule(request.param, seed=3)
    emulated.card(4, 65536, 65536)
    return emulated


MEANING = {
    "shfl": [30 for _ in LANES],
    "shfl of 8": [lane // 8 * 8 + 2 for lane in LANES],
    "shfl_up of 16": [lane if lane % 16 == 0 else lane - 1 for lane in LANES],
    "shfl_down": [lane + 2 if lane < 30 else lane for lane in LANES],
    "shfl_xor": [lane ^ 5 for lane in LANES],
    "reduce of two masks": [240 if lane % 2 == 0 else 31 for lane in LANES],
    "ballot": [sum(1 << lane for lane in range(0, 32, 3)) for _ in LANES],
    "match_any": [0xFF << (lane // 8 * 8) for lane in LANES],
    "match_all": [(EVEN if lane % 2 == 0 else ODD) * 10 + 1 for lane in LANES],
    "any, all": [2 for _ in LANES],
    "syncthreads_count, and, or": [8 * 5 * 4 + 2 for _ in LANES],
}


@pytest.mark.parametrize("what", MEANING)
def test_operations_of_a_warp(module, what):
    out = torch.zeros(256, dtype=torch.int64)
    module.warp_probe(out, list(MEANING).index(what))
    assert out.view(8, 32).tolist() == [MEANING[what]] * 8


REPORTS = {
    "half a block at a barrier": "divergent barrier: not all threads",
    "two barriers": "divergent barrier: thread .* is at __syncthreads at probe.cu",
    "a lane outside the mask": "lane 15 reads lane 16, which does not take part",
    "two operations": "mismatched warp operations",
    "a lane that left": "reads lane 5, which does not take part",
    "waiting for each other": "divergent barrier: not all|deadlock",
    "a word too far": r"shared memory overrun: .* 4 bytes at shared \+ 1024, which has 1024",
    "dynamic memory unwritten": "uninitialised: .* at shared",
    "another warp's word": "race: .* at values|uninitialised: .* at values",
    "all write one word": r"race: .* writes 4 bytes at shared \+ 0",
    "blocks write one word": r"race: .* bytes at argument 0 \+ 0",
    "atomic beside plain": r"race: .* (writes|changes atomically) 4 bytes at values \+ 0",
    "an odd address": "unaligned: .* needs a multiple of 8",
    "a state's end": "out of bounds: .* writes 8 bytes",
}


@pytest.mark.parametrize("what", REPORTS)
def test_what_is_undefined_is_reported(module, what):
    with pytest.raises(RuntimeError, match=REPORTS[what]):
        module.wrong_probe(torch.zeros(256, dtype=torch.int64), list(REPORTS).index(what))


def test_a_barrier_of_a_warp_orders_its_lanes_only(module):
    out = torch.zeros(256, dtype=torch.int64)
    module.wrong_probe(out, 14)
    assert out.tolist() == [thread ^ 1 for thread in range(256)]
    with pytest.raises(RuntimeError, match=r"(race|uninitialised): .* at values"):
        module.wrong_probe(out, 15)


# What is there of 1 + thread: what was waited for, and what was there before.
LANDED = {
    "a group that is waited for": lambda thread: (1 + thread) * 1000 - 2,
    "nothing is waited for": lambda thread: -1002,
    "a copy in no group": lambda thread: -1002,
    "all groups but the last": lambda thread: (1 + thread) * 1000 - 2,
    "all groups but the only one": lambda thread: -1002,
    "a neighbour's, behind a barrier": lambda thread: 1 + (thread ^ 1),
}
NOT_IN_ORDER = {
    "a neighbour's, without a barrier": "race: .* at values",
    "over what a neighbour writes": "race: .* has begun to copy 8 bytes at values|race: .* writes 8 bytes at values",
    "read by a neighbour on its way": r"race: .* at values",
    "6 bytes": "__pipeline_memcpy_async at probe.cu:.*: 6 bytes, of 4, 8 and 16",
    "16 bytes from an odd place": "unaligned: ",
}


@pytest.mark.parametrize("what", [*LANDED, *NOT_IN_ORDER])
def test_copies_land_when_their_group_is_waited_for(module, what):
    out, given = torch.zeros(256, dtype=torch.int64), torch.arange(1, 257)
    number = [*LANDED, *NOT_IN_ORDER].index(what)
    if what in LANDED:
        module.copy_probe(out, given, number)
        assert out.tolist() == [LANDED[what](thread) for thread in range(256)]
    else:
        with pytest.raises(RuntimeError, match=NOT_IN_ORDER[what]):
            module.copy_probe(out, given, number)


@pytest.mark.parametrize("fences", range(4))
def test_fences_order_blocks(module, fences):
    out, finished, total = (torch.zeros(n, dtype=torch.int64) for n in (5, 1, 1))
    if fences == 3:
        module.last_probe(out, finished, total, fences)
        assert total.item() == 15
    else:
        with pytest.raises(RuntimeError, match=r"race: .* of another block writes"):
            module.last_probe(out, finished, total, fences)


def test_launches_that_no_card_takes_are_refused(module):
    module.card(4, 1023, 65536)
    with pytest.raises(RuntimeError, match="launch with 1024 bytes of dynamic and 1024 of static shared memory"):
        module.wrong_probe(torch.zeros(256, dtype=torch.int64), 14)


def test_an_argument_of_another_type_is_refused(module):
    with pytest.raises(RuntimeError, match="variant"):
        module.wrong_probe(torch.zeros(256, dtype=torch.int64), 1.0)
    with pytest.raises(ValueError, match="wrong number of arguments"):
        module.wrong_probe(torch.zeros(256, dtype=torch.int64))
