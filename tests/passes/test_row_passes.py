# SPDX-License-Identifier: Apache-2.0
"""The operators on rows of scores against their pure-torch bodies."""

import math
import random

import pytest
import torch

from fastmetrics import native
from fastmetrics.passes import calibration_, exact_match_, hinge_, proper_scores_, ranking_
from fastmetrics.passes.binary import cutoffs
from fastmetrics.passes.calibration import calibration_body
from fastmetrics.passes.exact_match import exact_match_body
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.hinge import hinge_body
from fastmetrics.passes.proper_scores import proper_scores_body
from fastmetrics.passes.ranking import order_keys, ranking_body
from fastmetrics.statistics.calibration import fine_edges

SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
BODIES = {
    hinge_: hinge_body,
    calibration_: calibration_body,
    proper_scores_: proper_scores_body,
    ranking_: ranking_body,
    exact_match_: exact_match_body,
}


def layouts(rows, scores):
    """The same kind of batch in every memory layout: rows of scores, further dimensions behind them."""
    yield torch.randn(rows, scores)
    yield torch.randn(scores, rows).t()
    yield torch.randn(2 * rows, 3 * scores)[::2, ::3]
    yield torch.randn(min(rows, 9), scores, 5, 3)
    yield torch.randn(min(rows, 9), scores, 5, 3).contiguous(memory_format=torch.channels_last)
    yield torch.randn(3, 5, min(rows, 9), scores).permute(2, 3, 1, 0)


def spoiled(scores):
    """With ties, NaN, infinities and both zeros."""
    scores = (scores * 4).round() / 4
    chance = torch.rand(scores.shape)
    for low, value in ((0.0, math.nan), (0.01, math.inf), (0.02, -math.inf), (0.03, -0.0), (0.05, 0.0)):
        scores[(chance > low) & (chance < low + 0.01)] = value
    return scores


def compare(operator, inputs, weights, states, options):
    """The operator adds to the states what the body adds; counts and faults are equal to the bit."""
    faults = torch.zeros(FAULTS, dtype=torch.int64, device=inputs[0].device)
    ours = [None if s is None else s.clone() for s in states] + [faults]
    expected = [None if s is None else s.clone() for s in ours]
    operator(*inputs, weights, *ours, *options)
    BODIES[operator](*inputs, weights, *expected, *options)
    for mine, other in zip(ours, expected, strict=True):
        if mine is not None:
            torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-12, equal_nan=True)
    return ours


def masks_and_weights(target, rows):
    """No mask and no weights; masks of elements and of samples; weights some of which are out of range."""
    yield None, None
    device = target.device
    per_sample = (torch.rand(target.shape[:1], device=device) < 0.7).view(-1, *(1 for _ in target.shape[1:]))
    weights = torch.rand(rows, dtype=torch.float64, device=device) * 3
    yield per_sample.expand(target.shape), weights
    weights = weights.clone()
    weights.view(-1)[:4] = torch.tensor([-1.0, math.nan, math.inf, 0.0], device=device)[: weights.numel()]
    yield torch.rand(target.shape, device=device) < 0.7, weights


def count_of(weights, *shape):
    dtype = torch.int64 if weights is None else torch.float64
    return torch.full(shape, 3, dtype=dtype)


# Each test draws some of all combinations of layout, values, mask and options; over its parameters all of them occur.


@pytest.mark.parametrize("dtype", SCORES, ids=str)
@pytest.mark.parametrize("c", [0, 2, 10, 70])
def test_hinge(device, c, dtype):
    torch.manual_seed(c)
    pick = random.Random(f"{c} {dtype}")
    for drawn in (*layouts(1, max(c, 1)), *layouts(300, max(c, 1))):
        kind = pick.choice(("probabilities", "logits", "last", "spoiled"))
        scores = {"logits": lambda x: x, "spoiled": spoiled}.get(kind, torch.sigmoid)(drawn).to(dtype)
        preds = (scores if c else scores[:, 0]).to(device)
        if kind == "last":  # makes logits of all others
            preds.select(0, -1).fill_(2)
        shape = (preds.shape[0], *preds.shape[2:]) if c else preds.shape
        target = torch.randint(-1, max(c, 2) + 1, shape, device=device)
        valid, weights = pick.choice(list(masks_and_weights(target, shape)))
        for squared, one_vs_all, ignore in ((False, bool(c), None), (True, False, pick.choice((0, -1)))):
            hinge = torch.full((c if one_vs_all else 1,), 3.0, dtype=torch.float64, device=device)
            states = [hinge, count_of(weights).to(device)]
            options = (squared, one_vs_all, ignore or 0, ignore is not None)
            compare(hinge_, (preds, target, valid), weights, states, options)


@pytest.mark.parametrize("dtype", SCORES, ids=str)
@pytest.mark.parametrize("labels", [1, 2, 7, 33, 300, 2000])
def test_ranking(device, labels, dtype):
    torch.manual_seed(labels)
    pick = random.Random(f"{labels} {dtype}")
    for drawn in (*layouts(1, labels), *layouts(40 if labels < 100 else 8, labels)):
        preds = (pick.choice((spoiled, lambda x: x))(drawn)).to(dtype).to(device)
        target = (torch.rand(preds.shape, device=device) < 0.3).long()
        target[:2] = torch.tensor([0, 1], device=device).view(2, *(1 for _ in preds.shape[1:]))[: len(preds)]
        wrong = torch.rand(preds.shape, device=device) < 0.1 / labels
        target[wrong] = torch.randint(-1, 4, (int(wrong.sum()),), device=device)
        valid, weights = pick.choice(list(masks_and_weights(target, (preds.shape[0], *preds.shape[2:]))))
        sums = [torch.full((), 3.0, dtype=torch.float64, device=device) for _ in range(3)]
        for asked, ignore in (((True, True, True), None), pick.choice((((True, False, False), 0), ((0, 1, 1), -1)))):
            states = [s if wanted else None for s, wanted in zip(sums, asked, strict=True)]
            states.append(count_of(weights).to(device))
            compare(ranking_, (preds, target, valid), weights, states, (ignore or 0, ignore is not None))


@pytest.mark.parametrize("dtype", [*SCORES, torch.int64, torch.uint8], ids=str)
@pytest.mark.parametrize("c", [0, 3, 40])
def test_exact_match(device, c, dtype):
    torch.manual_seed(c)
    pick = random.Random(f"{c} {dtype}")
    labels = 3
    for drawn in (*layouts(1, c or labels), *layouts(300, c or labels)):
        kind = pick.choice(("probabilities", "logits", "last"))
        scores = drawn if kind == "logits" else drawn.sigmoid()
        if kind == "last":
            scores.select(0, -1).fill_(math.nan)
        decided = scores.argmax(1) if c else (scores > (0 if kind == "logits" else 0.5)).long()
        target = torch.where(torch.rand(decided.shape) < 0.9, decided, torch.randint(0, c or 2, decided.shape))
        wrong = torch.rand(decided.shape) < 0.02
        target[wrong] = torch.randint(-2, 9, (int(wrong.sum()),))
        preds = scores if dtype.is_floating_point else decided + (torch.rand(decided.shape) < 0.01)
        preds, target = preds.to(dtype).to(device), target.to(device)
        rows = target.shape[:1] if c else (target.shape[0], *target.shape[2:])
        cut = cutoffs(0.3, dtype) if dtype.is_floating_point and not c else (0.0, 0.0)
        valid, weights = pick.choice(list(masks_and_weights(target, rows)))
        for samplewise, ignore in ((False, pick.choice((None, 1))), (True, pick.choice((None, -1)))):
            shape = target.shape[:1] if samplewise else ()
            states = [count_of(weights, *shape).to(device), count_of(weights, *shape).to(device)]
            options = (c, *cut, ignore or 0, ignore is not None)
            compare(exact_match_, (preds, target, valid), weights, states, options)


@pytest.mark.parametrize("places", [1, 7, 8, 9, 20, 255, 300, 1000])
def test_exact_match_of_rows_of_any_length(device, places):
    # rows that end within a block of places, with it, and after it
    torch.manual_seed(places)
    rows = 3000 // places
    right = torch.rand(rows, 1) < 0.5
    labels = torch.randint(0, 2, (rows, places))
    target = torch.where(right | (torch.rand(rows, places) < 1 - 1 / places), labels, 1 - labels)
    wrong = torch.rand(rows, places) < 0.2 / places
    target[wrong] = torch.randint(-2, 5, (int(wrong.sum()),))
    valid = (torch.rand(rows, places) < 0.7) & (torch.rand(rows, 1) < 0.9)
    weights = torch.rand(rows, dtype=torch.float64)
    scores = labels + torch.rand(rows, places) / 10
    for c, preds in ((0, labels), (2, labels), (0, scores), (2, torch.stack([1 - scores, scores], 1))):
        cut = cutoffs(0.5, torch.float32) if preds.is_floating_point() and not c else (0.0, 0.0)
        for given, mask, ignore in ((None, None, None), (None, None, -1), (None, valid, -1), (weights, valid, 1)):
            states = [count_of(given).to(device), count_of(given).to(device)]
            inputs = [None if x is None else x.to(device) for x in (preds, target, mask)]
            amount = None if given is None else given.to(device)
            options = (c, *cut, ignore or 0, ignore is not None)
            compare(exact_match_, inputs, amount, states, options)


@pytest.mark.parametrize("target_dtype", [torch.bool, torch.uint8, torch.int16, torch.int32, torch.uint64], ids=str)
def test_targets_of_any_type(device, target_dtype):
    torch.manual_seed(0)
    target = torch.randint(0, 2, (60, 4)).to(target_dtype).to(device)
    scores = torch.rand(60, 4, device=device)
    zero, none = torch.zeros((), dtype=torch.float64, device=device), torch.zeros((), dtype=torch.int64, device=device)
    compare(hinge_, (scores, target, None), None, [zero.view(1), none], (False, False, 0, True))
    compare(hinge_, (scores, target[:, 0], None), None, [zero.view(1), none], (False, False, 0, True))
    compare(ranking_, (scores, target, None), None, [zero, zero, zero, none], (0, False))
    compare(exact_match_, (scores, target, None), None, [none, none], (0, 0.5, 0.0, 0, False))
    compare(exact_match_, (scores, target[:, 0], None), None, [none, none], (4, 0.0, 0.0, 0, False))


def test_order_keys():
    for dtype in SCORES:
        x = torch.tensor([-math.inf, -3.0, -1e-7, 0.0, 2.5, math.inf, math.nan], dtype=dtype)
        keys = order_keys(x)
        assert keys.tolist() == sorted(set(keys.tolist()))
        assert order_keys(-x[3:4]) == keys[3]
        assert order_keys(-x[6:]) == keys[6]


def test_threads_change_no_bit():
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            scores, target = torch.randn(30_000, 12), torch.randint(0, 12, (30_000,))
            weights, relevant = torch.rand(30_000, dtype=torch.float64), torch.randint(0, 2, (30_000, 12))
            hinge, sums = torch.zeros(12, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
            hinge_(scores, target, None, weights, hinge, sums[0], None, True, True, 0, False)
            ranking_(scores, relevant, None, weights, sums[1], sums[2], sums[3], sums[4], None, 0, False)
            exact_match_(scores, target, None, weights, sums[5], sums[0], None, 12, 0.0, 0.0, 0, False)
            bins, scored = torch.zeros(3, 12, 16, dtype=torch.float64), torch.zeros(3, 1, dtype=torch.float64)
            calibration_(scores, target, None, weights, torch.linspace(0, 1, 16).double(), *bins, None, -1, 0, False)
            proper_scores_(scores, target, None, weights, *scored, None, -1, 1e-7, False, 0, False)
            found.append((hinge.tolist(), sums.tolist(), bins.tolist(), scored.tolist()))
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def samples(name, d):
    scores, binary = torch.randn(9, 4, device=d), torch.randint(0, 2, (9, 4), device=d)
    weights, valid = torch.rand(9, dtype=torch.float64, device=d), torch.rand(9, 4, device=d) < 0.8
    sums = [torch.zeros((), dtype=torch.float64, device=d) for _ in range(4)]
    faults = torch.zeros(FAULTS, dtype=torch.int64, device=d)
    if name == "hinge_":
        labels = torch.randint(0, 5, (9,), device=d)
        hinge = torch.zeros(4, dtype=torch.float64, device=d)
        return scores, labels, valid[:, 0], weights, hinge, sums[0], faults, True, True, 1, True
    if name == "ranking_":
        return scores, binary, valid, weights, *sums, faults, 1, True
    return scores, binary, valid, weights, *sums[:2], faults, 0, *cutoffs(0.3, torch.float32), 1, True


@pytest.mark.parametrize("name", ["hinge_", "ranking_", "exact_match_"])
def test_opcheck_and_fullgraph(device, name):
    operator = getattr(torch.ops.fastmetrics, name).default
    if native.mode() != "off":
        operator(*samples(name, device))
        assert torch._C._dispatch_has_kernel_for_dispatch_key(f"fastmetrics::{name}", device.upper())
    torch.compiler.reset()

    @torch.compile(fullgraph=True, dynamic=True, backend="aot_eager")
    def step(*args):
        return operator(*args)

    for rows in (9, 5, 3):
        args = tuple(a[:rows] if i < 4 else a for i, a in enumerate(samples(name, device)))
        again = tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in args)
        step(*args)
        operator(*again)
        torch.testing.assert_close(args, again, equal_nan=True)
    pytest.importorskip("expecttest")  # opcheck needs it
    torch.library.opcheck(operator, samples(name, device))


def test_wrong_states_are_refused():
    for name, state in (("hinge_", 4), ("hinge_", 5), ("ranking_", 5), ("exact_match_", 4)):
        args = list(samples(name, "cpu"))
        for wrong in (args[state].float(), args[state].new_zeros(7)):
            with pytest.raises(RuntimeError):
                getattr(torch.ops.fastmetrics, name).default(*args[:state], wrong, *args[state + 1 :])
    for name in ("hinge_", "ranking_", "exact_match_"):
        args = samples(name, "cpu")
        for wrong in (args[3][:5], args[3].float(), args[3].unsqueeze(1)):
            with pytest.raises(RuntimeError):
                getattr(torch.ops.fastmetrics, name).default(*args[:3], wrong, *args[4:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_beyond_the_fast_exponential(dtype):
    preds = torch.tensor([-800.0, 3, 800, -1, 2, -5, 0, 1, torch.inf, -torch.inf], dtype=dtype)
    target = torch.tensor([0, 1, 1, 0, 0, 1, 1, 0, 1, 0])
    signs = 2 * target - 1
    expected = (1 - signs * preds.double().sigmoid()).clamp(min=0).mean()
    hinge, count = torch.zeros(1, dtype=torch.float64), torch.zeros((), dtype=torch.int64)
    hinge_(preds, target, None, None, hinge, count, None, False, False, 0, False)
    torch.testing.assert_close(hinge[0] / count, expected, rtol=1e-12, atol=0)


def scored_batches(c, dtype, device, labels=False):
    """Scores of c classes or labels, or of none, that are probabilities, logits or spoiled; their targets and masks."""
    pick = random.Random(f"{c} {dtype} {labels}")
    for drawn in (*layouts(1, max(c, 1)), *layouts(300, max(c, 1))):
        kind = pick.choice(("probabilities", "logits", "last", "spoiled", "far"))
        of_kind = {"logits": lambda x: x, "spoiled": spoiled, "far": lambda x: x * 2000}
        scores = of_kind.get(kind, torch.sigmoid)(drawn).to(dtype)
        preds = (scores if c else scores[:, 0]).to(device)
        if kind == "last":  # makes logits of all others
            preds.select(0, -1).fill_(2)
        rows = not labels and c
        shape = (preds.shape[0], *preds.shape[2:]) if rows else preds.shape
        target = torch.randint(-1, (max(c, 2) if rows else 2) + 1, shape, device=device)
        valid, weights = pick.choice(list(masks_and_weights(target, shape)))
        options = (pick.choice((-1, 0, 1)), pick.choice(((0, False), (0, True), (-1, True))))
        yield (preds, target, valid), weights, *options


@pytest.mark.parametrize("dtype", SCORES, ids=str)
@pytest.mark.parametrize("edges", ["even", "fine"])
@pytest.mark.parametrize("c", [0, 2, 10, 70])
def test_calibration(device, c, edges, dtype):
    torch.manual_seed(c)
    even = torch.linspace(0, 1, 16, dtype=torch.float32 if c else dtype).double()
    begins = (even if edges == "even" else torch.tensor(fine_edges(), dtype=torch.float64)).to(device)
    n = len(begins)
    for labels in (False, True)[: 1 + bool(c)]:
        for inputs, weights, logits, ignored in scored_batches(c, dtype, device, labels):
            shapes = ([(c, n)] if labels else [(n,), (c, n)]) if c else [(n,)]
            for shape in shapes:
                sums = torch.full(shape, 3.0, dtype=torch.float64, device=device)
                states = [count_of(weights, *shape).to(device), sums, count_of(weights, *shape).to(device)]
                compare(calibration_, inputs, weights, [begins, *states], (logits, *ignored))


@pytest.mark.parametrize("dtype", SCORES, ids=str)
@pytest.mark.parametrize("c", [0, 2, 10, 70])
def test_proper_scores(device, c, dtype):
    torch.manual_seed(c)
    for labels in (False, True)[: 1 + bool(c)]:
        shape = (c,) if labels else (1,)
        sums = [torch.full(shape, 3.0, dtype=torch.float64, device=device) for _ in range(2)]
        for inputs, weights, logits, ignored in scored_batches(c, dtype, device, labels):
            count = count_of(weights, *shape).to(device)
            options = (logits, torch.finfo(dtype).eps, labels, *ignored)
            for asked in ((True, True), (True, False), (False, True)):
                states = [s if wanted else None for s, wanted in zip(sums, asked, strict=True)]
                compare(proper_scores_, inputs, weights, [*states, count], options)
