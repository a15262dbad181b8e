# SPDX-License-Identifier: Apache-2.0
"""Histograms of scores, kept scores and their sort: the kernels give what their bodies give."""

import itertools

import pytest
import torch

from fastmetrics.formulas.curve_table import (
    Sorted,
    curve_points_body,
    order_scores,
    sum_precisions_body,
    walk_scores_body,
)
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.score_keys import (
    count_scores_,
    count_scores_body,
    number_of_keys,
    score_keys,
    scores_of_keys,
    single_scores,
)
from fastmetrics.passes.scores import (
    EITHER,
    LOGITS,
    PROBABILITIES,
    keep_scores_,
    keep_scores_body,
    logit_cuts,
    score_histogram_,
    score_histogram_body,
)

C = 5
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
TASKS = ("binary", "multiclass", "multilabel")


def batches(task, n):
    """Scores and targets in several layouts, with values out of range and not."""
    for dtype, wide, strided in itertools.product(DTYPES, (False, True), (False, True)):
        if strided and dtype not in (torch.float16, torch.float32):
            continue
        shape = (n, C, 2) if strided else (n, C)
        scores = torch.randn(shape).mul(3) if wide else torch.rand(shape)
        scores = scores.to(dtype)
        if wide and dtype.itemsize > 2:
            scores.view(-1)[:4] = torch.tensor([-800.0, 800, torch.inf, -torch.inf], dtype=dtype)[: scores.numel()]
        target = torch.randint(-1, 3, shape)
        if task == "binary":
            scores, target = scores[:, 0], target[:, 0]
        elif task == "multiclass":
            target = torch.randint(-1, C + 1, (n, *shape[2:]))
        yield scores, target, torch.rand(target.shape) < 0.9


def options_of(task):
    for logits, ignore in itertools.product((EITHER, PROBABILITIES, LOGITS), (False, True)):
        yield task != "binary", logits, -1, ignore, task == "multilabel"


@pytest.mark.parametrize("n", [1, 600])
@pytest.mark.parametrize("task", TASKS)
def test_histograms(task, n):
    for scores, target, valid in batches(task, n):
        for of, uniform in ((torch.linspace(0, 1, 17), True), (torch.tensor([0.1, 0.5, 0.50001]), False)):
            cuts = of.double()
            for options, weights in itertools.product(options_of(task), (None, torch.rand(target.shape).double())):
                dtype = torch.int64 if weights is None else torch.float64
                columns = 1 if task == "binary" else C
                made = []
                for call in (score_histogram_, score_histogram_body):
                    histogram = torch.zeros(columns, len(cuts) + 1, 2, dtype=dtype)
                    faults = torch.zeros(FAULTS, dtype=torch.int64)
                    of_logits = logit_cuts(cuts, scores.dtype)
                    call(scores, target, valid, weights, cuts, of_logits, histogram, faults, uniform, *options)
                    made.append((histogram, faults))
                (histogram, faults), (expected, of_body) = made
                torch.testing.assert_close(histogram, expected, rtol=1e-12, atol=0)
                assert torch.equal(faults, of_body)


def around(values):
    """Each value and the numbers next to it, at hostile places besides, in a random order."""
    beside = [torch.nextafter(values, values.new_full((), to)) for to in (-torch.inf, torch.inf)]
    tiny = torch.finfo(values.dtype).tiny
    odd = [0.0, -0.0, 1.0, torch.nan, torch.inf, -torch.inf, tiny, -tiny, tiny / 2, -0.5, 1.5, 0.5]
    halves = values[:-1] + values.diff() / 2
    found = torch.cat([values, *beside, halves, values.new_tensor(odd)])
    return found[torch.randperm(len(found))]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("number", [1, 2, 3, 9, 200, 1001, 65537, 3_000_000])
def test_a_score_next_to_a_threshold(number, dtype):
    thresholds = torch.linspace(0, 1, number)
    some = thresholds if number < 1 << 20 else thresholds[torch.randint(0, number, (1000,))].sort().values
    scores = around(some.to(dtype))
    target = torch.randint(0, 2, scores.shape)
    cuts = thresholds.double()
    histogram = torch.zeros(1, number + 1, 2, dtype=torch.int64)
    options = False, PROBABILITIES, -1, False, False
    score_histogram_(scores, target, None, None, cuts, cuts, histogram, None, True, *options)
    reached = torch.searchsorted(cuts, scores.double().nan_to_num(nan=-1.0, posinf=2.0, neginf=-1.0), right=True)
    expected = torch.bincount(2 * reached + target, minlength=2 * number + 2).view(1, -1, 2)
    assert torch.equal(histogram, expected)
    few = scores[:7].repeat(5)  # a batch that has one of them alone, several times
    histogram.zero_()
    score_histogram_(few, target[:7].repeat(5), None, None, cuts, cuts, histogram, None, True, *options)
    expected = torch.bincount((2 * reached + target)[:7].repeat(5), minlength=2 * number + 2).view(1, -1, 2)
    assert torch.equal(histogram, expected)


def scores_in_runs(shape, cuts, dtype):
    """Runs of scores between thresholds, next to them, at both ends, and out of range, which change within a tile."""
    between = torch.rand(shape)
    next_to = torch.nextafter(cuts[torch.randint(0, len(cuts), shape)].float(), torch.randint(0, 2, shape).float())
    kinds = torch.stack([between, next_to, between.round(), 3 * between - 1, between.mul(torch.nan)])
    kind = torch.randint(0, 2 * len(kinds), (-(-shape[0] // 37), 1))
    kind = torch.where(kind < len(kinds), kind, 0)  # half of them between thresholds
    of_row = kind.repeat_interleave(37, 0)[: shape[0]]
    return kinds.gather(0, of_row.expand(shape).unsqueeze(0))[0].to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7, 16, 33])
@pytest.mark.parametrize("task", TASKS)
def test_scores_that_are_counted_in_tiles(task, columns, dtype):
    """Whole tiles and parts of them; what is left out of them; scores that are logits, which the last one says."""
    columns = 1 if task == "binary" else columns
    cuts = torch.linspace(0, 1, 21).double()
    for n in (21 * 2, 128, 600, 3000):
        scores = scores_in_runs((n, columns), cuts, dtype)
        labels = torch.randint(-1, columns, (n,)) if task == "multiclass" else torch.randint(-1, 2, (n, columns))
        counted = (labels >= 0) & (torch.rand(labels.shape) < 0.9)
        positive = torch.nn.functional.one_hot(labels.clamp(min=0), columns) if task == "multiclass" else labels
        counts = counted.unsqueeze(1).expand(n, columns) if task == "multiclass" else counted
        reached = torch.searchsorted(cuts, scores.double().nan_to_num(nan=-1.0), right=True)
        cell = (torch.arange(columns) * len(cuts) + torch.arange(columns) + reached) * 2 + positive
        expected = torch.bincount(cell[counts], minlength=columns * 2 * (len(cuts) + 1)).view(columns, -1, 2)
        of_task = task == "multilabel"
        if task == "binary":
            scores, labels, counted = scores[:, 0], labels[:, 0], counted[:, 0]
        histogram = torch.zeros_like(expected)
        options = task != "binary", PROBABILITIES, -1, True, of_task
        score_histogram_(scores, labels, counted, None, cuts, cuts, histogram, None, True, *options)
        assert torch.equal(histogram, expected)

        scores = scores.nan_to_num(nan=0.5).clamp(0, 1)
        for late, label, valid in (
            (0, 0, True),
            (n // 3, 0, False),
            (n // 3, -1, True),
            (n // 2, 0, True),
            (n - 1, 0, True),
        ):
            if late > 0:
                scores[late], labels[late], counted[late] = 1.5, label, valid
            made = []
            for call in (score_histogram_, score_histogram_body):
                made.append(torch.zeros_like(expected))
                options = task != "binary", EITHER, -1, True, of_task
                call(scores, labels, counted, None, cuts, logit_cuts(cuts, dtype), made[-1], None, True, *options)
            assert torch.equal(made[0].sum(1), made[1].sum(1))
            # two softmaxes that differ by their rounding may lie on both sides of a threshold
            some = 2 if task == "multiclass" and late >= n // 2 else 0
            assert (made[0] - made[1]).cumsum(1).abs().max() <= some


def some_weights(target):
    """Weights of which some are 0, and one is out of range."""
    weights = torch.randint(0, 5, target.shape).double() / 4
    weights.view(-1)[-1] = -1
    return weights


def kept(call, scores, target, valid, options, labels, weights=None):
    columns = C if options[0] else 1
    found = torch.zeros(scores.numel() // columns, columns, dtype=scores.dtype)
    signs = torch.zeros(found.shape, dtype=torch.int8) if labels else None
    faults = torch.zeros(FAULTS, dtype=torch.int64)
    call(scores, target, valid, weights, found, signs, faults, 0, *options)
    return found, signs, faults


@pytest.mark.parametrize("n", [1, 600])
@pytest.mark.parametrize("task", TASKS)
def test_kept_scores_and_their_sort(task, n):
    for scores, target, valid in batches(task, n):
        for i, (options, labels) in enumerate(itertools.product(options_of(task), (False, True))):
            if options[1] == PROBABILITIES and not labels:
                continue
            given = scores, target, valid, options, labels, some_weights(target) if i % 3 else None
            found, signs, faults = kept(keep_scores_, *given)
            expected, of_body, faults_of_body = kept(keep_scores_body, *given)
            assert torch.equal(faults, faults_of_body)
            assert torch.equal(found.isnan(), expected.isnan())
            known, of = expected.double().abs().nan_to_num(), torch.finfo(scores.dtype)
            # a softmax loses what the difference of two logits does: half a unit of it
            units = 4 + known.clamp(min=of.tiny).log().abs() / 2 if task == "multiclass" else 4
            wrong = (found.double().abs().nan_to_num() - known).abs()
            assert (wrong <= units * of.eps * known + of.tiny).all()
            if labels:
                assert torch.equal(signs, of_body)
            counted = ~found.isnan()
            assert torch.equal(torch.signbit(found)[counted], torch.signbit(expected)[counted])

            made = Sorted(found, signs)
            samples, columns = found.shape
            values = torch.empty(columns, samples, dtype=found.dtype)
            of_values = torch.empty(columns, samples, dtype=torch.uint8) if labels else None
            counts = torch.zeros(columns, 2, dtype=torch.int64)
            order_scores(found, signs, values, of_values, counts)
            blocks = torch.zeros(columns, -(-samples // 1024) + 1, 2, dtype=torch.int64)
            areas, sums = torch.zeros(columns, 3, dtype=torch.float64), torch.zeros(columns, dtype=torch.float64)
            walk_scores_body(values, of_values, counts, blocks, areas, False)
            assert torch.equal(made._sorted[2], counts)
            assert torch.equal(made._sorted[3], blocks)
            assert torch.equal(made.areas(), areas)
            sum_precisions_body(values, of_values, counts, blocks, sums)
            torch.testing.assert_close(made.precisions(), sums, rtol=1e-12, atol=0)
            points = made.points()
            thresholds = torch.empty(len(points.tp), dtype=found.dtype)
            tp, fp = torch.empty_like(points.tp), torch.empty_like(points.fp)
            curve_points_body(values, of_values, counts, counts, thresholds, tp, fp)
            assert torch.equal(points.tp, tp)
            assert torch.equal(points.fp, fp)
            assert torch.equal(points.thresholds, thresholds)


def skewed(kind, n, dtype):
    """Probabilities, of which many are equal, or lie closely together, or are NaN."""
    if kind == "uniform":
        scores = torch.rand(n)
    elif kind == "saturated":
        scores = torch.randn(n, dtype=torch.float64).mul(12).sigmoid()
    elif kind == "few":
        scores = torch.randint(0, 4, (n,)) / 3
    elif kind == "equal":
        scores = torch.full((n,), 0.7)
    else:
        scores = torch.rand(n).sub(0.5).mul(80).exp2()  # of any size
        scores[::5] = torch.inf
        scores[1::5] = 0.0
    scores = torch.where(torch.rand(n) < 0.5, scores, -scores).to(dtype)
    scores[torch.rand(n) < 0.1] = torch.nan
    return scores


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["uniform", "saturated", "few", "equal", "any"])
def test_the_sort_of_any_distribution(kind, dtype):
    for n, columns in ((47, 3), (5000, 1), (70_001, 3), (600_003, 1)):
        scores = torch.stack([skewed(kind, n, dtype) for _ in range(columns)], 1)
        found = Sorted(scores)
        points = found.points()
        start = 0
        for c in range(columns):
            counted = scores[:, c][~scores[:, c].isnan()]
            values = found._sorted[0][c, : len(counted)]
            assert found._sorted[2][c, 0] == len(counted)
            assert torch.equal(values.abs(), counted.abs().sort(descending=True).values)
            distinct, inverse = counted.abs().unique(return_inverse=True)
            size = int(found._sorted[2][c, 1])
            assert torch.equal(points.thresholds[start : start + size], distinct.flip(0))
            positives = torch.zeros(size, dtype=torch.int64).index_add(0, inverse, (~counted.signbit()).long())
            assert torch.equal(points.tp[start : start + size], positives.flip(0).cumsum(0))
            assert torch.equal((points.tp + points.fp)[start : start + size], inverse.bincount().flip(0).cumsum(0))
            start += size
        assert start == len(points.tp)


@pytest.mark.parametrize("kind", ["uniform", "saturated", "few", "equal", "any"])
def test_a_column_that_any_number_of_threads_share(kind):
    scores = skewed(kind, 300_001, torch.float32)[:, None]
    threads = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2, 3, 7):
            torch.set_num_threads(number)
            found.append(Sorted(scores))
    finally:
        torch.set_num_threads(threads)
    values, _, counts, blocks = found[0]._sorted
    for other in found[1:]:
        m = counts[0, 0]
        assert torch.equal(other._sorted[0][:, :m].view(torch.int32), values[:, :m].view(torch.int32))
        assert torch.equal(other._sorted[2], counts)
        assert torch.equal(other._sorted[3], blocks)
        assert torch.equal(other.areas(), found[0].areas())
        assert torch.equal(other.precisions(), found[0].precisions())


@pytest.mark.parametrize("n", [1, 600, 5000])
@pytest.mark.parametrize("task", TASKS)
def test_counts_of_keys_are_those_of_kept_scores(task, n):
    for scores, target, valid in batches(task, n):
        if scores.dtype == torch.float64:
            continue
        scores[3::7] = torch.nan
        for i, (options, bits) in enumerate(itertools.product(options_of(task), (0, 6, 12))):
            if bits == 0 and scores.dtype.itemsize > 2:
                continue
            signed = options[1] == PROBABILITIES
            weights, dtype = (some_weights(target), torch.float64) if i % 2 else (None, torch.int64)
            for count, keep in ((count_scores_, keep_scores_), (count_scores_body, keep_scores_body)):
                counts = torch.zeros(1 if task == "binary" else C, number_of_keys(bits, signed), 2, dtype=dtype)
                faults = torch.zeros(FAULTS, dtype=torch.int64)
                count(scores, target, valid, weights, counts, faults, bits, *options)
                found, labels, of_kept = kept(keep, scores, target, valid, options, True, weights)
                assert torch.equal(faults, of_kept)
                for c in range(len(counts)):
                    some = (labels[:, c] >= 0) & ~found[:, c].isnan()
                    cells = 2 * score_keys(found[some, c], bits, signed) + labels[some, c]
                    amounts = None
                    if weights is not None:
                        amounts = weights.movedim(1, -1).reshape(-1, C)[:, c] if task == "multilabel" else weights
                        amounts = amounts.reshape(-1)[some]
                    assert torch.equal(counts[c].view(-1), cells.bincount(amounts, counts[c].numel()))


@pytest.mark.parametrize("bits", [6, 8, 20, 24])
def test_keys_have_the_order_of_the_scores(bits):
    generator = torch.Generator().manual_seed(bits)
    small = torch.rand(4000, generator=generator, dtype=torch.float64).mul(100).neg().exp2()
    scores = torch.cat([small, 1 - small, torch.rand(4000, generator=generator), torch.tensor([0.0, 0.5, 1.0])]).float()
    scores = scores.sort().values
    keys = score_keys(scores, bits, False)
    assert (keys.diff() >= 0).all()
    assert keys.min() >= 0
    assert keys.max() < 1 << bits
    least = scores_of_keys(bits, False, torch.device("cpu"))
    assert (least[keys] <= scores).all()
    assert torch.equal(score_keys(least[keys], bits, False), keys)
    below = torch.nextafter(least[keys], torch.tensor(-1.0)).clamp(min=0)
    assert ((score_keys(below, bits, False) < keys) | (least[keys] == 0)).all()
    above = torch.nextafter(least[keys], torch.tensor(2.0)).clamp(max=1)
    alone = (score_keys(above, bits, False) > keys) | (least[keys] == 1)
    assert torch.equal(single_scores(bits, torch.device("cpu"))[keys], alone)
    for value in (0.0, 1.0):  # which are alone
        assert (scores[keys == score_keys(torch.tensor(value), bits, False)] == value).all()


def test_keys_of_16_bits_are_the_scores():
    for signed in (False, True):
        values = scores_of_keys(0, signed, torch.device("cpu"))
        for dtype in (torch.bfloat16, torch.float16):
            bits = torch.arange(1 << 16).to(torch.uint16).view(torch.int16)
            scores = bits.view(dtype)
            scores = scores[~scores.isnan()] if signed else scores[(scores >= 0) & (scores <= 1)]
            keys = score_keys(scores, 0, signed)
            assert torch.equal(values[keys], scores.float())
            order = scores.float().argsort(stable=True)
            assert (keys[order].diff() >= 0).all()


def test_cuts_of_logits_are_those_of_the_sigmoid():
    cuts = torch.tensor([0.0, 1e-30, 0.1, 0.5, 0.9, 1.0, 2.0], dtype=torch.float64)
    for dtype in DTYPES:
        logits = torch.randn(4000, dtype=torch.float64).mul(8).to(dtype)
        reached = logits.sigmoid().double().unsqueeze(1) >= cuts
        assert torch.equal(logits.double().unsqueeze(1) >= logit_cuts(cuts, dtype), reached)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("logits", [EITHER, PROBABILITIES])
def test_many_scores_of_16_bits_in_a_line(dtype, logits):
    """With and without what a quick loop leaves to others: NaN, logits, targets out of range; other strides."""
    n = 1 << 18
    generator = torch.Generator().manual_seed(11)
    scores = torch.rand(n, generator=generator).to(dtype)
    scores[:6] = torch.tensor([0.0, -0.0, 1.0, 1.0, 6e-8, 0.5])
    if logits == PROBABILITIES:
        scores[::3] *= -3
        scores[6:8] = torch.tensor([torch.inf, -torch.inf])
    target = torch.randint(0, 2, (n,), generator=generator)
    valid = torch.rand(n, generator=generator) < 0.9
    bad = {"": None, "nan": (scores, torch.nan), "logit": (scores, 1.5), "target": (target, 2), "ignored": (target, -1)}
    for what, change in bad.items():
        before = None
        if change is not None:
            values, value = change
            before = values[-9].clone()
            values[-9] = value
        for some_valid, of in ((None, target), (valid, target.byte() if what == "" else target)):
            options = False, logits, -1, what == "ignored", False
            apart = torch.stack([scores, scores], 1)[:, 0]
            # sigmoids of both are not the same bits everywhere
            body = count_scores_ if logits == EITHER and what in ("nan", "logit") else count_scores_body
            made = []
            for call, given in ((count_scores_, scores), (count_scores_, apart), (body, apart)):
                counts = torch.ones(1, number_of_keys(0, logits == PROBABILITIES), 2, dtype=torch.int64)
                faults = torch.zeros(FAULTS, dtype=torch.int64)
                call(given, of, some_valid, None, counts, faults, 0, *options)
                made.append((counts, faults))
            for counts, faults in made[1:]:
                assert torch.equal(counts, made[0][0]), what
                assert torch.equal(faults, made[0][1]), what
        if before is not None:
            values[-9] = before
    strided = torch.stack([target, target], 1)[:, 0]
    expected, found = (torch.zeros(1, number_of_keys(0, logits == PROBABILITIES), 2, dtype=torch.int64) for _ in "ab")
    count_scores_(scores, strided, None, None, found, None, 0, False, logits, 0, False, False)
    count_scores_body(scores, target, None, None, expected, None, 0, False, logits, 0, False, False)
    assert torch.equal(found, expected)
