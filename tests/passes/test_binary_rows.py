# SPDX-License-Identifier: Apache-2.0
"""The binary pass over elements of given rows: the kernel and the operator against the body."""

import math

import pytest
import torch

from fastmetrics.passes import binary_
from fastmetrics.passes.binary import binary_body, cutoffs
from fastmetrics.passes.faults import FAULTS

SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
LABELS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint64)


def compare(preds, target, groups, num_groups, valid=None, weights=None, ignore=None):
    dtype = torch.int64 if weights is None else torch.float64
    counts = torch.randint(0, 9, (num_groups, 1, 4), device=preds.device).to(dtype)
    faults = torch.zeros(FAULTS, dtype=torch.int64, device=preds.device)
    expected = counts.clone(), faults.clone()
    edges = cutoffs(0.3, preds.dtype) if preds.is_floating_point() else (0.0, 0.0)
    options = (*edges, 0 if ignore is None else ignore, ignore is not None, True, weights, groups.unsqueeze(0))
    binary_(preds, target, valid, counts, faults, *options)
    binary_body(preds, target, valid, *expected, *options)
    torch.testing.assert_close(counts, expected[0], rtol=1e-12, atol=1e-9 if weights is not None else 0)
    assert faults[:6].tolist() == expected[1][:6].tolist()
    return counts, faults


def drawn(n, dtype, logits, device):
    scores = torch.randn(n, device=device) if logits else torch.rand(n, device=device)
    if not dtype.is_floating_point:
        return torch.randint(0, 2, (n,), device=device).to(dtype)
    return scores.to(dtype)


@pytest.mark.parametrize("n", [1, 5, 1023, 1025, 40_000, 200_000])
@pytest.mark.parametrize("logits", [False, True])
def test_scores(device, n, logits):
    torch.manual_seed(n)
    for dtype in SCORES if n < 2000 else SCORES[:2]:
        preds = drawn(n, dtype, logits, device)
        target = torch.randint(-1, 3, (n,), device=device)
        groups = torch.randint(-1, 6, (n,), device=device)
        valid = torch.rand(n, device=device) < 0.7
        weights = torch.rand(n, device=device, dtype=torch.float64) + 1
        weights[::7] = torch.tensor([-1.0, math.nan, math.inf, 0.0], dtype=torch.float64)[torch.arange(n)[::7] % 4]
        for num_groups in (1, 4):
            compare(preds, target, groups, num_groups)
            compare(preds, target, groups, num_groups, valid, ignore=-1)
            compare(preds, target, groups, num_groups, None, weights, ignore=1)
            compare(preds, target, groups, num_groups, valid, weights)


def test_ignored_scores_decide_and_invalid_ones_do_not(device):
    preds = torch.tensor([0.4, 5.0, 0.2], device=device)  # as probabilities, or as logits because of the second
    groups = torch.zeros(3, dtype=torch.int64, device=device)
    target = torch.tensor([1, -1, 1], device=device)
    for scores in (preds, preds * math.nan):
        compare(scores, target, groups, 1, ignore=-1)
        compare(scores, target, groups, 1, target >= 0, ignore=-1)
    zeros = [torch.zeros(1, 1, 4, dtype=torch.int64, device=device) for _ in range(2)]
    options = (*cutoffs(0.3, torch.float32), -1, True, True, None, groups.unsqueeze(0))
    binary_(preds, target, None, zeros[0], None, *options)
    binary_(preds, target, target >= 0, zeros[1], None, *options)
    assert zeros[0].tolist() == [[[2, 0, 0, 0]]]  # sigmoid(0.2) > 0.3
    assert zeros[1].tolist() == [[[1, 0, 0, 1]]]


@pytest.mark.parametrize("dtype", LABELS, ids=str)
def test_labels_and_faults(device, dtype):
    torch.manual_seed(0)
    n = 3000
    top = 2 if dtype == torch.bool else 4
    for other in (torch.int64, dtype):
        preds, target = (torch.randint(0, top, (n,), device=device).to(t) for t in (dtype, other))
        groups = torch.randint(0, 5, (n,), device=device).to(dtype)
        compare(preds, target, groups, 3)
        compare(preds, target, groups, 3, ignore=1)
        preds, groups = preds.clone(), groups.clone()
        preds[:10], groups[10:] = 1, 0
        compare(preds, target, groups, 300)


def test_layouts(device):
    torch.manual_seed(0)
    preds = torch.rand(6, 10, 8, device=device)
    target = torch.randint(0, 2, (8, 10, 6), device=device)
    groups = torch.randint(0, 3, (6,), device=device)
    valid = torch.rand(6, 20, 8, device=device) < 0.5
    weights = torch.rand(1, 10, 1, device=device, dtype=torch.float64).expand(6, 10, 8)
    compare(preds, target.permute(2, 1, 0), groups.reshape(6, 1, 1).expand(6, 10, 8), 3, valid[:, ::2], weights)
    compare(preds[::2, :, 1::3], target.permute(2, 1, 0)[::2, :, 1::3], torch.zeros_like(preds[::2, :, 1::3]).long(), 1)
    empty = preds[:0], target.permute(2, 1, 0)[:0], groups.reshape(6, 1, 1).expand(6, 10, 8)[:0]
    _, faults = compare(*empty, 3)
    assert not faults.any()
    row = groups.reshape(6, 1, 1).expand(6, 10, 8)[0, 0]
    compare(preds[0, 0], target.permute(2, 1, 0)[0, 0], row, 3)


def test_the_same_bits_for_any_number_of_threads():
    torch.manual_seed(0)
    n = 300_000
    batch = torch.rand(n), torch.randint(0, 2, (n,)), torch.randint(0, 7, (n,))
    weights, found, threads = torch.rand(n, dtype=torch.float64), [], torch.get_num_threads()
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        counts = torch.zeros(7, 1, 4, dtype=torch.float64)
        preds, target, groups = batch
        options = (*cutoffs(0.5, torch.float32), 0, False, True, weights, groups.unsqueeze(0))
        binary_(preds, target, None, counts, None, *options)
        found.append(counts)
    torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def sample(device, rows=9):
    torch.manual_seed(0)
    return (
        torch.rand(rows, 3, device=device),
        torch.randint(0, 3, (rows, 3), device=device),
        torch.rand(rows, 3, device=device) < 0.7,
        torch.zeros(4, 1, 4, dtype=torch.float64, device=device),
        torch.zeros(FAULTS, dtype=torch.int64, device=device),
        *cutoffs(0.3, torch.float32),
        2,
        True,
        True,
        torch.rand(rows, 3, device=device, dtype=torch.float64),
        torch.randint(0, 5, (1, rows, 3), device=device),
    )


def test_opcheck_and_fullgraph(device):
    torch.compiler.reset()
    step = torch.compile(binary_, fullgraph=True, dynamic=True, backend="aot_eager")
    for rows in (9, 5, 3):
        args, again = sample(device, rows), sample(device, rows)
        step(*args)
        binary_(*again)
        torch.testing.assert_close(args, again)
        assert args[3].any()
    pytest.importorskip("expecttest")  # opcheck needs it
    torch.library.opcheck(torch.ops.fastmetrics.binary_.default, sample(device))
