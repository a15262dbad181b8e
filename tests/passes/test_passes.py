# SPDX-License-Identifier: Apache-2.0
"""The operators against their pure-torch bodies, and both against hand-written tables."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmetrics import native
from fastmetrics.formulas import ratios
from fastmetrics.native.operators import define
from fastmetrics.passes import binary_, multiclass_, pairs_
from fastmetrics.passes.binary import binary_body, cutoffs
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.multiclass import multiclass_body
from fastmetrics.passes.pairs import SIMPLE_STATES, STATES, pairs_body, simple_pairs_body
from tests.support.passes import binary_inputs, mask, multiclass_states, pairs_states, zeros

SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
LABELS = (
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint16,
    torch.uint32,
    torch.uint64,
)
COUNTS = {"m": "confusion", "c": "counts", "r": "ranks", "f": "faults"}


def equal(ours, theirs):
    assert [None if x is None else x.tolist() for x in ours] == [None if x is None else x.tolist() for x in theirs]


def compare_multiclass(preds, target, which, c, k, ignore, samplewise=False, valid=None):
    states = multiclass_states(which, c, k, target.shape[0] if samplewise else None, preds.device)
    histogram = torch.randint(0, 9, (c,), device=preds.device) if "h" in which else None
    expected = [None if s is None else s.clone() for s in (*states, histogram)]
    options = (c, 0 if ignore is None else ignore, ignore is not None)
    multiclass_(preds, target, valid, *states, *options, histogram)
    multiclass_body(preds, target, valid, *expected[:-1], *options, expected[-1])
    equal([*states, histogram], expected)


def layouts(n, c, dtype):
    """Scores of n samples (or images) of c classes, in every memory layout."""
    yield torch.randn(n, c)
    yield torch.randn(c, n).t()
    yield torch.randn(n, 2 * c)[:, ::2]
    yield torch.randn(2 * n, c + 3)[::2, 1 : c + 1]
    if n <= 7:
        yield torch.randn(n, c, 20)
        yield torch.randn(n, c, 9, 15)
        yield torch.randn(n, c, 9, 15).contiguous(memory_format=torch.channels_last)
        yield torch.randn(n, 2 * c, 9, 30)[:, ::2, :, ::2]
        yield torch.randn(1, c, 9, 1).expand(n, c, 9, 15)
        yield torch.randn(n, c, 3, 4, 5).permute(0, 1, 4, 2, 3)


@pytest.mark.parametrize("dtype", SCORES, ids=str)
@pytest.mark.parametrize("c", [2, 3, 10, 16, 17, 40, 64, 65, 100, 130, pytest.param(1000, marks=pytest.mark.slow)])
def test_scores(device, c, dtype):
    torch.manual_seed(c)
    for n in (1, 7, 300):
        for drawn in layouts(n, c, dtype):
            scores = ((drawn * 2).round() / 2 if c < 20 else drawn).to(dtype).to(device)  # few classes: ties
            if scores.dim() < 5 and 0 not in scores.stride():
                chance = torch.rand(scores.shape, device=device)
                for low, value in ((0.0, math.nan), (0.02, math.inf), (0.04, -math.inf), (0.06, -0.0), (0.08, 0.0)):
                    scores[(chance > low) & (chance < low + 0.02)] = value
            shape = (scores.shape[0], *scores.shape[2:])
            target = torch.randint(-2, c + 2, shape, device=device)
            for which, ignore in (("mcrhf", -1), ("c", 0), ("m", None), ("rf", None), ("h", 1)):
                compare_multiclass(scores, target, which, c, min(c, 3), ignore)
                if len(shape) > 1 and not {"m", "h"} & set(which):
                    compare_multiclass(scores, target, which, c, min(c, 3), ignore, samplewise=True)


@pytest.mark.parametrize("preds_dtype", LABELS, ids=str)
def test_labels(device, preds_dtype):
    torch.manual_seed(0)
    for target_dtype, c, n in itertools.product(LABELS, (2, 10, 100, 300), (1, 5000)):
        preds = torch.randint(0, min(c + 3, 120), (n,)).to(preds_dtype).to(device)
        target = torch.randint(0, min(c + 3, 120), (n,)).to(target_dtype).to(device)
        compare_multiclass(preds, target, "mcf", c, 1, None)
        compare_multiclass(preds, target, "cf", c, 1, 1)
    square = torch.randint(0, 5, (8, 6, 10)).to(preds_dtype).to(device)
    compare_multiclass(square.transpose(0, 2), square.flip(0).transpose(0, 2), "cf", 5, 1, None, samplewise=True)


def compare_totals(preds, target, c, ignore=None, valid=None, weights=None, rows=None):
    """Sums of the counts over all classes against the body, and both against the counts that the pass gives."""
    lead = () if rows is None else (4,)
    dtype = torch.int64 if weights is None else torch.float64
    found = []
    for add, classes in ((multiclass_, 1), (multiclass_body, 1), (multiclass_, c)):
        counts = zeros(*lead, classes, 3, device=preds.device, dtype=dtype)
        faults = zeros(FAULTS, device=preds.device)
        samples = None if rows is None or weights is not None else zeros(4, device=preds.device)
        options = (c, 0 if ignore is None else ignore, ignore is not None)
        add(preds, target, valid, None, counts, None, faults, *options, None, weights, rows, samples)
        found.append([counts.sum(-2), faults, samples])
    for other in found[1:]:
        torch.testing.assert_close(found[0], other, rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", LABELS, ids=str)
def test_full_steps_of_totals(device, dtype):
    torch.manual_seed(0)
    for c, n, bad in itertools.product((2, 100, 300), (1, 64, 5001, 70_000), (0, 2)):
        preds = torch.randint(0, min(c + bad, 120), (n,)).to(device)
        target = torch.where(torch.rand(n, device=device) < 0.6, preds, preds.flip(0)).to(dtype)
        for other in {dtype, torch.int64, torch.uint8}:
            for ignore in (None, 1, 119):
                compare_totals(preds.to(other), target, c, ignore)
    valid = mask((70_000,), device)
    compare_totals(preds.to(dtype), target, 100, 1, valid)
    compare_totals(preds.to(dtype)[:-1:3], target[1::3], 100, 1, valid[:-1:3])
    compare_totals(preds.to(dtype).view(7, -1).t(), target.view(-1, 7), 100)
    compare_totals(preds.to(dtype)[1:], target[:-1], 70_000)


def test_full_steps_of_totals_of_scores_weights_and_rows(device):
    torch.manual_seed(0)
    for dtype, c in itertools.product(SCORES, (3, 10, 70, 1000)):
        scores, target = torch.randn(301, c).to(dtype).to(device), torch.randint(-1, c + 1, (301,), device=device)
        for labels in (target, target.int(), target.clamp(0, 99).to(torch.uint8)):
            compare_totals(scores, labels, c, 1)
        compare_totals(scores.view(7, 43, c).transpose(1, 2), target.view(7, 43), c, -1, mask((7, 43), device))
    labels, weights = torch.randint(-1, 6, (5000,), device=device), torch.rand(5000, dtype=torch.float64, device=device)
    target, rows = labels.roll(3), torch.randint(-1, 5, (2, 5000), device=device)
    weights[::17] = 0.0
    for extra in ((None, None), (weights, None), (None, rows), (None, rows[:1]), (weights, rows)):
        compare_totals(labels, target, 5, 2, None, *extra)
        compare_totals(labels, target.int(), 5, -1, mask((5000,), device), *extra)
    # more samples of a group than a cell of 16 bits can count, and more groups than samples
    many = [values.repeat(90) for values in (labels, target)]
    compare_totals(*many, 5, 2, None, None, rows[:1].repeat(1, 90))
    compare_totals(labels[:3], target[:3], 5, None, None, None, rows[:, :3])


def test_totals_are_counted_alone():
    labels = torch.zeros(4, dtype=torch.int64)
    scores = torch.zeros(4, 3)
    for which, lead in (("m", ()), ("r", ()), ("", (4,))):
        confusion, _, ranks, _ = multiclass_states(which, 3, 2)
        counts, preds = zeros(*lead, 1, 3), scores if which == "r" else labels
        with pytest.raises(RuntimeError, match="sums of the counts over all classes are counted alone"):
            multiclass_(preds, labels, None, confusion, counts, ranks, None, 3, 0, False)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32], ids=str)
def test_an_ignored_label_that_the_type_does_not_have(device, dtype):
    labels = torch.tensor([0, 1, 2, 1], device=device, dtype=dtype)
    for ignore in (2 ** torch.iinfo(dtype).bits + 1, -(2 ** torch.iinfo(dtype).bits) + 1):
        for which in ("cf", "mcf"):
            compare_multiclass(labels, labels, which, 3, 1, ignore)
        counts = zeros(3, 3, device=device)
        multiclass_body(labels, labels, None, None, counts, None, None, 3, ignore, True)
        assert counts[:, 0].tolist() == [1, 2, 1]


@pytest.mark.parametrize("n", [64, 4096, 5000, 1_024_000])
def test_full_steps_of_labels_and_the_rest(device, n):
    # several samples are counted at a time: their number may leave none over, in one thread or in each
    labels = torch.arange(n, device=device) % 5
    compare_multiclass(labels, labels.flip(0), "cf", 5, 1, None)
    target = labels.flip(0)
    target[::7], target[3::11] = -1, 9
    compare_multiclass(torch.randn(n, 5, device=device), target, "mf", 5, 1, -1)


def test_one_label_for_most_samples(device):
    torch.manual_seed(0)
    for c, share in itertools.product((3, 10, 100, 200), (0.5, 0.9, 1.0)):
        target = torch.randint(0, c, (50_000,), device=device)
        preds = torch.randint(0, c, (50_000,), device=device)
        common = torch.rand(50_000, device=device) < share
        target[common], preds[common] = 1, 2
        compare_multiclass(preds, target, "mcf", c, 1, None)


def test_pairs_of_many_classes(device):
    # 300 pairs of 150 classes that no byte can count, with a common pair that changes on the way; 3000 and 100,000
    # classes, whose tables are larger than the batch; and samples that each have counts of their own
    torch.manual_seed(0)
    target = torch.randint(0, 3, (200_000,), device=device) * 49
    preds = torch.randint(0, 100, (200_000,), device=device)
    target[50_000:60_000], preds[50_000:60_000] = 3, 3
    target[70_000:90_000], preds[70_000:90_000] = 7, 8
    target[::997], preds[::998] = -1, 150
    target[-1] = 149
    for c, which, ignore in ((150, "mcf", None), (150, "m", 3), (150, "cf", -1)):
        compare_multiclass(preds, target, which, c, 1, ignore)
        compare_multiclass(preds.int()[3:], target.short()[3:], which, c, 1, ignore)
    valid = mask(target.shape, device)
    compare_multiclass(preds, target, "mcf", 150, 1, None, valid=valid)
    compare_multiclass(preds, target * 20, "mcf", 3000, 1, 0)
    compare_multiclass(preds, target * 500, "cf", 100_000, 1, 0)
    compare_multiclass(preds.view(4, -1), target.view(4, -1), "cf", 150, 1, None, True)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint64, torch.int32], ids=str)
def test_extreme_labels_are_not_counted(device, dtype):
    info = torch.iinfo(dtype)
    values = [info.min, info.max, 3, 2, -1 if info.min else info.max - 1, 0]
    target = torch.tensor(values, dtype=dtype, device=device)
    preds = torch.tensor([0, 0, 0, 0, 0, 7], dtype=dtype, device=device)
    confusion, faults = zeros(3, 3, device=device), zeros(FAULTS, device=device)
    multiclass_(preds, target, None, confusion, None, None, faults, 3, 0, False)
    assert confusion.tolist() == [[info.min == 0, 0, 0], [0, 0, 0], [1, 0, 0]]
    wrong = [v for v in values if not 0 <= v < 3]
    assert faults.tolist()[0] == len(wrong)
    assert faults.tolist()[1] == (wrong[0] if wrong[0] < 2**63 else wrong[0] - 2**64)
    assert faults.tolist()[2:] == [1, 7] + [0] * (FAULTS - 4)


def test_orientation_and_ranks(device):
    scores = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0.1], [0.3, 0.1, 0.3], [math.nan, 9.0, 1.0]], device=device)
    target = torch.tensor([2, 1, 2, 1], device=device)
    confusion, counts, ranks = zeros(3, 3, device=device), zeros(3, 3, device=device), zeros(3, 2, 2, device=device)
    multiclass_(scores, target, None, confusion, counts, ranks, None, 3, 0, False)
    assert confusion.tolist() == [[0, 0, 0], [2, 0, 0], [1, 1, 0]]
    assert counts.tolist() == [[0, 3, 0], [0, 1, 2], [0, 0, 2]]
    # every target comes second: after a greater score, after an equal one of a lower class, after a NaN
    assert ranks[:, :, 0].tolist() == [[0, 0], [0, 2], [0, 2]]
    assert ranks[:, :, 1].tolist() == [[0, 3], [0, 1], [0, 0]]


def test_nothing_to_count(device):
    for shape in ((0, 3), (0, 3, 4), (2, 3, 0)):
        states = multiclass_states("mcrf", 3, 2, device=device)
        before = [s.clone() for s in states]
        target = torch.zeros((shape[0], *shape[2:]), dtype=torch.int64, device=device)
        multiclass_(torch.zeros(shape, device=device), target, None, *states, 3, 0, False)
        equal(states, before)
    target = torch.full((50,), 7, device=device)
    compare_multiclass(torch.randn(50, 3, device=device), target, "mcrf", 3, 2, 7)


def test_many_classes_need_no_square(device):
    c = 200_000
    preds, target = (torch.randint(0, c, (3000,), device=device) for _ in range(2))
    compare_multiclass(preds, target, "cf", c, 1, None)
    scores = torch.randn(20, c, device=device)
    compare_multiclass(scores, torch.randint(0, c, (20,), device=device), "crf", c, 3, None)


def test_counts_pass_32_bits(device):
    confusion = torch.tensor([[2**31 - 1, 2**32 - 1], [2**24, 2**53]], device=device)
    labels = torch.tensor([0, 0, 1, 1], device=device)
    multiclass_(torch.tensor([0, 1, 0, 1], device=device), labels, None, confusion, None, None, None, 2, 0, False)
    assert confusion.tolist() == [[2**31, 2**32], [2**24 + 1, 2**53 + 1]]


def test_private_cells_are_widened_in_time():
    # more of one cell than 16 bits hold, without being most of its block
    n = 3_000_000
    labels = torch.arange(n) % 9
    labels[::9] = 0
    confusion = zeros(9, 9)
    multiclass_(labels, labels, None, confusion, None, None, None, 9, 0, False)
    assert confusion.diagonal().tolist() == labels.bincount().tolist()


@pytest.mark.parametrize("ignore", [None, 8])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32], ids=str)
def test_bytes_are_written_down_when_they_wrap(dtype, ignore):
    # more often than is remembered at once, the last time while what was set aside is counted; right and wrong labels
    n, c = 1_000_003, 200
    target = (torch.arange(n) % 9).to(dtype)
    preds = torch.where(torch.arange(n) % 4 == 0, target + 100, target)
    compare_multiclass(preds, target, "cf", c, 1, ignore)
    compare_multiclass(preds, target, "mf", c, 1, ignore)
    compare_multiclass(preds, target, "mcf", c, 1, ignore)


@pytest.mark.slow
@pytest.mark.parametrize("samplewise", [False, True])
@pytest.mark.parametrize("ignore", [None, 1])
def test_valid_and_weighted_samples(device, samplewise, ignore):
    torch.manual_seed(0)
    c, k = 5, 3
    which = "crf" if samplewise else "mcrf"
    for shape in ((300, c), (40, c, 7, 9), (70_000, c)):
        if samplewise and len(shape) == 2:
            continue
        scores = torch.randn(shape, device=device)
        target = torch.randint(-1, c + 1, (shape[0], *shape[2:]), device=device)
        per_element = mask(target.shape, device)
        per_sample = mask(shape[:1], device).view(-1, *(1 for _ in shape[2:])).expand(target.shape)
        for valid in (None, per_element, per_sample, torch.zeros_like(per_element)):
            compare_multiclass(scores, target, which, c, k, ignore, samplewise, valid)
            compare_multiclass(scores.argmax(1) - 1, target, which.replace("r", ""), c, 1, ignore, samplewise, valid)
            compare_weighted(scores, target, which, c, k, ignore, samplewise, valid)
            compare_weighted(scores.argmax(1) - 1, target, which.replace("r", ""), c, 1, ignore, samplewise, valid)


def compare_weighted(preds, target, which, c, k, ignore, samplewise, valid):
    weights = torch.rand(target.shape, dtype=torch.float64, device=target.device) * 3
    weights.view(-1)[:4] = torch.tensor([-1.0, math.nan, math.inf, 0.0], device=target.device)
    states = multiclass_states(which, c, k, target.shape[0] if samplewise else None, target.device)
    states = [None if s is None else s.double() for s in states[:3]] + states[3:]
    expected = [None if s is None else s.clone() for s in states]
    options = (c, 0 if ignore is None else ignore, ignore is not None)
    for run, to in ((multiclass_, states), (multiclass_body, expected)):
        run(preds, target, valid, *to, *options, None, weights)
    if target.is_cuda:
        torch.testing.assert_close(states[:3], expected[:3], rtol=1e-12, atol=0)
    else:
        equal(states[:3], expected[:3])  # both add in the order of the samples
    equal(states[3:], expected[3:])


def test_weights_and_valid_of_long_rows(device):
    torch.manual_seed(0)
    for dtype, c in itertools.product((torch.float32, torch.float16, torch.bfloat16, torch.float64), (70, 300)):
        scores = torch.randn(500, c + 1, device=device).to(dtype)[:, 1:]
        target, valid = torch.randint(-1, c + 1, (500,), device=device), mask((500,), device)
        for which, samples in (("mcrf", scores), ("cf", scores.contiguous()), ("mf", scores.t().contiguous().t())):
            compare_weighted(samples, target, which, c, 3, 0, False, valid)


def test_a_weight_of_two_is_a_sample_twice(device):
    torch.manual_seed(0)
    scores, target = torch.randn(50, 4, device=device), torch.randint(0, 4, (50,), device=device)
    times = torch.randint(0, 3, (50,), device=device)
    weighted = [s.double() for s in (zeros(4, 4, device=device), zeros(4, 3, device=device))]
    multiclass_(scores, target, None, *weighted, None, None, 4, 0, False, None, times.double())
    repeated = zeros(4, 4, device=device), zeros(4, 3, device=device)
    again = scores.repeat_interleave(times, 0), target.repeat_interleave(times)
    multiclass_(*again, None, *repeated, None, None, 4, 0, False)
    assert [s.tolist() for s in weighted] == [s.tolist() for s in repeated]


def test_weighted_binary(device):
    torch.manual_seed(0)
    for shape, multilabel in (((70_000,), False), ((7, 9, 5), False), ((600, 20), True), ((40, 3, 50), True)):
        for kind, samplewise, decide in itertools.product(("prob", "logit", "label"), (False, True), (False, True)):
            preds = torch.randint(0, 2, shape) if kind == "label" else binary_inputs(shape, torch.float32, kind)
            preds, target = preds.to(device), torch.randint(-1, 3, shape, device=device)
            weights = torch.rand(shape, dtype=torch.float64, device=device)
            weights.view(-1)[:3] = torch.tensor([-1.0, math.nan, math.inf], device=device)
            labels = shape[1] if multilabel else 1
            lead = (shape[0],) if samplewise else ()
            counts, faults = zeros(*lead, labels, 4, dtype=torch.float64, device=device), zeros(FAULTS, device=device)
            expected = [counts.clone(), faults.clone()]
            options = (*cutoffs(0.3, torch.float32), -1, True, decide, weights)
            valid = mask(shape[:1], device).view(-1, *(1 for _ in shape[1:])).expand(shape)
            binary_(preds, target, valid, counts, faults, *options)
            binary_body(preds, target, valid, *expected, *options)
            torch.testing.assert_close([counts], expected[:1], rtol=1e-13, atol=0)
            equal([faults], expected[1:])


@pytest.mark.parametrize("dtype", [*SCORES, torch.int64, torch.uint8, torch.bool], ids=str)
def test_binary(device, dtype):
    torch.manual_seed(0)
    shapes = (((1,), False), ((0,), False), ((70_000,), False), ((7, 9, 5), False), ((50, 3), True))
    shapes += (((600, 20), True), ((40, 3, 50), True), ((6, 9, 4, 5), True), ((0, 4), True))
    for (shape, multilabel), kind, strided in itertools.product(shapes, ("prob", "logit", "nan"), (False, True)):
        preds = binary_inputs(shape, dtype, kind).to(device)
        target = torch.randint(-1, 4, shape, device=device)
        if strided and len(shape) > 1:
            preds = preds.transpose(0, -1).contiguous().transpose(0, -1)
            target = target.transpose(0, 1).contiguous().transpose(0, 1)
        labels = shape[1] if multilabel else 1
        choices = ((None, True, False), (-1, False, False), (3, True, False), (0, False, True), (-1, True, True))
        for ignore, decide, samplewise in choices:
            if samplewise and shape == (70_000,):
                continue
            lead = (shape[0],) if samplewise else ()
            counts = torch.randint(0, 9, (*lead, labels, 4), device=device)
            faults = zeros(FAULTS, device=device)
            expected = [counts.clone(), faults.clone()]
            cut = cutoffs(0.3, dtype) if dtype.is_floating_point else (0.0, 0.0)
            options = (*cut, 0 if ignore is None else ignore, ignore is not None, decide)
            valid = None if ignore is None else mask(shape[:1], device).view(-1, *(1 for _ in shape[1:])).expand(shape)
            if ignore == 3:
                valid = mask(shape, device)
            binary_(preds, target, valid, counts, faults, *options)
            binary_body(preds, target, valid, *expected, *options)
            equal([counts, faults], expected)


def test_binary_by_hand(device):
    probabilities = torch.tensor([0.2, 0.5, 0.51, 0.9], device=device)
    target = torch.tensor([0, 1, 1, 0], device=device)
    counts = zeros(1, 4, device=device)
    binary_(probabilities, target, None, counts, None, *cutoffs(0.5, torch.float32), 0, False, True)
    assert counts.tolist() == [[1, 1, 1, 1]]
    # one score above 1 makes all of them logits, unless it is ignored and does not decide
    scores, target = torch.cat([probabilities, probabilities.new_tensor([1.5])]), target.new_tensor([0, 1, 1, 0, 7])
    for decide, expected in ((True, [[2, 2, 0, 0]]), (False, [[1, 1, 1, 1]])):
        counts = zeros(1, 4, device=device)
        binary_(scores, target, None, counts, None, *cutoffs(0.5, torch.float32), 7, True, decide)
        assert counts.tolist() == expected


@pytest.mark.parametrize("threshold", [0.0, 1e-5, 0.1, 0.3, 0.5, 0.7, 0.999, 1.0])
def test_cutoffs_are_the_sigmoid(threshold):
    bits = torch.arange(-(2**15), 2**15).to(torch.int16)
    for dtype in SCORES:
        x = bits.view(dtype) if dtype.itemsize == 2 else torch.randn(200_000, dtype=dtype) * 10
        x = x[~x.isnan()]
        probability, logit = cutoffs(threshold, dtype)
        assert torch.equal(x.sigmoid() > threshold, x.double() > logit)
        assert torch.equal(x > threshold, x.double() > probability)


def test_threads_change_no_bit():
    torch.manual_seed(0)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.manual_seed(0)
            torch.set_num_threads(threads)
            x, y = torch.randn(500_001), torch.randn(500_001)
            pairs = pairs_states(1)
            pairs_(x.abs(), y.abs(), None, None, *pairs, 1, 3.0, 0.0, 0.5, 0.5)
            scores, target = torch.randn(20_000, 30), torch.randint(-3, 33, (20_000,))
            states = multiclass_states("mcrf", 30, 5)
            multiclass_(scores, target, None, *states, 30, 0, False)
            counts = zeros(1, 4)
            binary_(x, target.new_ones(()).expand(500_001), None, counts, None, 0.5, 0.0, 0, False, True)
            found.append([[s.tolist() for s in [*pairs, *states]], counts.tolist()])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_split_in_any_order_is_the_same(data):
    c = data.draw(st.integers(2, 6))
    n = data.draw(st.integers(1, 40))
    labels = st.lists(st.integers(-1, c), min_size=n, max_size=n)
    preds, target = torch.tensor(data.draw(labels)), torch.tensor(data.draw(labels))
    order = torch.tensor(data.draw(st.permutations(range(n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    full, parts = (([zeros(c, c), zeros(c, 3), None, zeros(FAULTS)]) for _ in range(2))
    multiclass_(preds, target, None, *full, c, 0, False)
    for begin, end in itertools.pairwise([0, *cuts, n]):
        picked = order[begin:end]
        multiclass_(preds[picked], target[picked], None, *parts, c, 0, False)
    equal(parts[:3], full[:3])
    assert parts[3][[0, 2]].tolist() == full[3][[0, 2]].tolist()


SIMPLE = (*SIMPLE_STATES, "faults")

SAMPLES = {
    "multiclass_": lambda d: (
        torch.randn(9, 4, device=d),
        torch.randint(0, 5, (9,), device=d),
        mask((9,), d),
        *multiclass_states("mcrf", 4, 2, device=d),
        4,
        1,
        True,
        zeros(4, device=d),
    ),
    "multiclass_ with weights": lambda d: (
        torch.randn(9, 4, device=d),
        torch.randint(0, 5, (9,), device=d),
        mask((9,), d),
        *(s.double() for s in multiclass_states("mcr", 4, 2, device=d)[:3]),
        zeros(FAULTS, device=d),
        4,
        1,
        True,
        zeros(4, dtype=torch.float64, device=d),
        torch.rand(9, dtype=torch.float64, device=d),
    ),
    "binary_": lambda d: (
        torch.randn(9, 3, device=d),
        torch.randint(0, 2, (9, 3), device=d),
        mask((9, 3), d),
        zeros(3, 4, device=d),
        zeros(FAULTS, device=d),
        *cutoffs(0.3, torch.float32),
        1,
        True,
        False,
    ),
    "binary_ with weights": lambda d: (
        torch.randn(9, 3, device=d),
        torch.randint(0, 2, (9, 3), device=d),
        mask((9, 3), d),
        zeros(3, 4, dtype=torch.float64, device=d),
        zeros(FAULTS, device=d),
        *cutoffs(0.3, torch.float32),
        1,
        True,
        False,
        torch.rand(9, 3, dtype=torch.float64, device=d),
    ),
    "pairs_": lambda d: (
        torch.rand(9, 3, device=d) - 0.1,
        torch.rand(9, 3, device=d),
        torch.rand(9, 3, dtype=torch.float64, device=d),
        mask((9, 3), d),
        *pairs_states(3, d),
        3,
        2.5,
        1.5,
        0.4,
        0.6,
    ),
    "simple_pairs_": lambda d: (
        torch.rand(9, 3, device=d) - 0.1,
        torch.rand(9, 3, device=d),
        torch.rand(9, 3, dtype=torch.float64, device=d),
        mask((9, 3), d),
        *(state for name, state in zip((*STATES, "faults"), pairs_states(3, d), strict=True) if name in SIMPLE),
        3,
    ),
    "average_ratio": lambda d: (
        torch.randint(0, 9, (2, 4, 3), device=d),
        ratios._coefficients(ratios.PRECISION),
        2,
        1.0,
        1,
        3,
        0.5,
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_opcheck(device, name):
    pytest.importorskip("expecttest")  # opcheck needs it
    operator = getattr(torch.ops.fastmetrics, name.split()[0]).default
    torch.library.opcheck(operator, SAMPLES[name](device))
    if device == "cpu":  # as on a machine that has no native library
        body = {
            "multiclass_": multiclass_body,
            "binary_": binary_body,
            "pairs_": pairs_body,
            "simple_pairs_": simple_pairs_body,
        }
        body["average_ratio"] = ratios.average_ratio_body
        args = SAMPLES[name](device)
        again = [a.clone() if isinstance(a, torch.Tensor) else a for a in args]
        torch.testing.assert_close(operator(*args), body[name.split()[0]](*again))
        torch.testing.assert_close(args, tuple(again))


@pytest.mark.parametrize("name", SAMPLES)
def test_fullgraph_with_changing_batches(device, name):
    operator = getattr(torch.ops.fastmetrics, name.split()[0]).default
    torch.compiler.reset()

    @torch.compile(fullgraph=True, dynamic=True, backend="aot_eager")
    def step(*args):
        return operator(*args)

    for rows in (9, 5, 3):
        args = SAMPLES[name](device)
        batch = {"average_ratio": 0, "pairs_": 4, "simple_pairs_": 4}.get(name, 3)
        weights = len(args) - 1 if "weights" in name else None
        args = tuple(a[:rows] if i < batch or i == weights else a for i, a in enumerate(args))
        again = tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in args)
        torch.testing.assert_close(step(*args), operator(*again))
        torch.testing.assert_close(args, again)


def test_average_ratio(device):
    torch.manual_seed(0)
    for shape in ((5, 3), (4, 7, 3), (1, 4), (2, 3, 6, 4), (0, 5, 3)):
        table = torch.randint(0, 4, shape, device=device)
        options = itertools.product(
            (ratios.PRECISION, ratios.SPECIFICITY, ratios.AGREEMENT, ratios.fbeta(0.5)),
            range(4),
            (0.0, 1.0),
            range(3),
            ((-1, 0.0), (0, math.nan)),
        )
        for ratio, average, zero_division, drop, rest in options:
            args = (table, ratios._coefficients(ratio), average, zero_division, drop, *rest)
            ours, expected = ratios._average_ratio(*args), ratios.average_ratio_body(*args)
            torch.testing.assert_close(ours, expected, equal_nan=True)
            as_floats = ratios._average_ratio(table.double(), *args[1:])
            torch.testing.assert_close(as_floats, ours, rtol=0, atol=0, equal_nan=True)


def test_native_kernels_are_registered(device):
    if native.mode() == "off":
        pytest.skip("FASTMETRICS_NATIVE=off")
    for name in ("multiclass_", "binary_", "pairs_", "simple_pairs_"):
        assert torch._C._dispatch_has_kernel_for_dispatch_key(f"fastmetrics::{name}", device.upper())


def test_wrong_states_are_refused():
    scores, target = torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)
    for confusion in (zeros(3, 4), zeros(3, 3, dtype=torch.int32), zeros(3, 6)[:, ::2], zeros(2, 2)):
        with pytest.raises(RuntimeError, match=r"confusion|int64"):
            multiclass_(scores, target, None, confusion, None, None, None, 3, 0, False)
    with pytest.raises(RuntimeError):
        multiclass_(scores, target[:3], None, zeros(3, 3), None, None, None, 3, 0, False)
    with pytest.raises(RuntimeError):
        multiclass_(scores, target, None, zeros(4, 4), None, None, None, 4, 0, False)
    with pytest.raises(RuntimeError):
        pairs_(scores, scores[:2], None, None, *pairs_states(1), 1, 1.0, 0.0, 0.0, 0.0)
    wrong = [zeros(1, dtype=torch.float64), zeros(1, 5, dtype=torch.float64), *[None] * 12]
    with pytest.raises(RuntimeError, match="moments"):
        pairs_(scores, scores, None, None, *wrong, 1, 1.0, 0.0, 0.0, 0.0)
    with pytest.raises(RuntimeError):
        binary_(scores, target, None, zeros(1, 4), None, 0.5, 0.0, 0, False, True)


def test_a_library_that_lacks_a_kernel_leaves_the_body(monkeypatch):
    monkeypatch.setattr(native, "load", lambda *library: True)
    double = define("doubled_(Tensor(a!) values) -> ()", lambda values: values.mul_(2) and None, lambda values: None)
    values = torch.ones(1)
    double(values)
    assert values.item() == 2
