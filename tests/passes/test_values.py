# SPDX-License-Identifier: Apache-2.0
"""The values pass against its pure-torch body and exact sums."""

import math

import pytest
import torch

from fastmetrics import native
from fastmetrics.passes import values_
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.values import DROP, KEEP, REPLACE, values_body

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint64)


def states(device="cpu"):
    """Not empty, so that a kernel that overwrites instead of adding is seen."""
    sums = [torch.tensor(v, dtype=torch.float64, device=device) for v in (1.5, 2.0, 0.25, 0.5)]
    return [*sums, torch.ones(FAULTS, dtype=torch.int64, device=device)]


def compare(values, weights=None, valid=None, nans=KEEP, replacement=2.5, wanted=(0, 1, 2, 3, 4)):
    ours, expected = ([s if i in wanted else None for i, s in enumerate(states(values.device))] for _ in range(2))
    values_(values, weights, valid, *ours, nans, replacement)
    values_body(values, weights, valid, *expected, nans, replacement)
    torch.testing.assert_close(ours, expected, rtol=1e-13, atol=1e-12, equal_nan=True)


def special(values, share):
    """Some of the values are NaN or infinite."""
    chance = torch.rand(values.shape, device=values.device)
    values[chance < share] = math.nan
    values[(chance > 0.9) & (chance < 0.9 + share)] = -math.inf
    return values


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS], ids=str)
def test_values(device, dtype):
    torch.manual_seed(0)
    # nothing, less than the lanes, not a multiple of them, more than a chunk, many parts
    for n in (0, 1, 31, 33, 5000, 100_000):
        drawn = (torch.randn(n, device=device) * 3).abs().to(dtype)
        for share in (0.0, 1e-4, 0.1) if dtype.is_floating_point else (0.0,):
            values = special(drawn.clone(), share) if share else drawn
            for nans in (KEEP, DROP, REPLACE):
                compare(values, nans=nans)
            for wanted in ((0,), (1,), (2,), (3,), (2, 3, 4), (0, 4)) if n < 10_000 else ((3,), (0, 4)):
                compare(values, nans=DROP, wanted=wanted)


def test_layouts_weights_and_masks(device):
    torch.manual_seed(0)
    base = special(torch.randn(6, 50, 40, device=device), 0.05)
    for values in (base, base.transpose(0, 2), base[:, ::3, 1:], base[0, 0, 0], base.expand(2, 6, 50, 40), base[:, :0]):
        weights = special(torch.rand(values.shape, device=device), 0.05)
        valid = torch.rand(values.shape, device=device) < 0.6
        one = torch.tensor(0.5, device=device)
        for nans in (KEEP, DROP, REPLACE):
            compare(values, weights, nans=nans)
            compare(values, None, valid, nans)
            compare(values, weights.half(), valid, nans)
            compare(values, torch.broadcast_to(one, values.shape), valid, nans, wanted=(0, 1))
            compare(values.to(torch.bfloat16), (weights.nan_to_num(1, 1, 1) * 9).int(), valid, nans)


def test_sums_are_exact(device):
    one = torch.ones(1, device=device)
    total, weight, _, _, _ = states(device)
    total.zero_(), weight.zero_()
    for _ in range(10):  # 10^8 samples of 1.0; float32 sums, as torchmetrics keeps, stay at 2^24 = 16777216
        values_(one.expand(10_000_000), None, None, total, weight, None, None, None, DROP, 0.0)
    assert total.item() == weight.item() == 1e8
    torch.manual_seed(0)
    for dtype in FLOATS:
        values = (torch.randn(200_001, device=device) + 100).to(dtype)
        total.zero_()
        values_(values, None, None, total, None, None, None, None, DROP, 0.0)
        assert math.isclose(total.item(), math.fsum(values.double().tolist()), rel_tol=1e-14)


of_kernels = pytest.mark.skipif(native.mode() == "off", reason="what the kernels promise")


@of_kernels
def test_the_same_bits_for_any_number_of_threads():
    torch.manual_seed(0)
    values, weights = torch.randn(1_000_003) * torch.randn(1_000_003).exp(), torch.rand(1_000_003)
    found = []
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3, 2):
            torch.set_num_threads(count)
            for w in (None, weights):
                ours = states()
                values_(values, w, None, *ours, DROP, 0.0)
                found.append([s.tolist() for s in ours])
    finally:
        torch.set_num_threads(threads)
    assert all(one == found[i % 2] for i, one in enumerate(found))


def sample(device, n=40):
    values = torch.randn(n, 3, device=device)
    values[n // 2, 0] = math.nan
    return values, torch.rand(n, 3, device=device), torch.rand(n, 3, device=device) < 0.5


def test_opcheck_and_fullgraph(device):
    pytest.importorskip("expecttest")  # opcheck needs it
    torch.library.opcheck(torch.ops.fastmetrics.values_.default, (*sample(device), *states(device), DROP, 1.5))
    torch.compiler.reset()
    step = torch.compile(values_, fullgraph=True, dynamic=True, backend="aot_eager")
    for n in (40, 7, 12):
        batch, ours, expected = sample(device, n), states(device), states(device)
        step(*batch, *ours, REPLACE, 1.5)
        values_(*batch, *expected, REPLACE, 1.5)
        torch.testing.assert_close(ours, expected)


@of_kernels
def test_wrong_arguments_are_refused():
    values, good = torch.randn(4, 3), states()
    for weights, valid in (
        (torch.rand(4), None),
        (torch.rand(4, 2), None),
        (None, torch.ones(4, 3)),
        (None, torch.ones(3, dtype=torch.bool)),
    ):
        with pytest.raises(RuntimeError):
            values_(values, weights, valid, *good, DROP, 0.0)
    for wrong in (torch.tensor(0.0), torch.zeros(2, dtype=torch.float64)):
        for place in range(4):
            with pytest.raises(RuntimeError):
                values_(values, None, None, *good[:place], wrong, *good[place + 1 :], DROP, 0.0)
    with pytest.raises(RuntimeError):
        values_(values, None, None, *good[:4], torch.zeros(3, dtype=torch.int64), DROP, 0.0)
    assert [s.tolist() for s in good] == [s.tolist() for s in states()]


@of_kernels
def test_native_kernels_are_registered(device):
    names = ("values_", "row_pairs") + (("average_ranks", "pair_order") if device == "cpu" else ())
    for name in names:
        assert torch._C._dispatch_has_kernel_for_dispatch_key(f"fastmetrics::{name}", device.upper())
