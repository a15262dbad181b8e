# SPDX-License-Identifier: Apache-2.0
"""The groups of several slicings, which the kernels read where they are: as their rows do, to the bit."""

from functools import partial

import pytest
import torch

from bench.counts import memory
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryBrierScore,
    BinaryCalibrationError,
    BinaryHingeLoss,
)
from fastmetrics.passes import (
    binary_,
    calibration_rows_,
    count_scores_rows_,
    multiclass_,
    proper_scores_rows_,
    score_histogram_rows_,
)
from fastmetrics.passes.binary import binary_body, cutoffs
from fastmetrics.passes.calibration import calibration_rows_body
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.groups import count_groups_, count_groups_body, place_groups_body, rows_of_slicings
from fastmetrics.passes.multiclass import multiclass_body
from fastmetrics.passes.proper_scores import proper_scores_rows_body
from fastmetrics.passes.score_keys import count_scores_rows_body, number_of_keys
from fastmetrics.passes.scores import logit_cuts, score_histogram_rows_body

BODIES = {
    "binary_": binary_body,
    "multiclass_": multiclass_body,
    "calibration_rows_": calibration_rows_body,
    "proper_scores_rows_": proper_scores_rows_body,
    "score_histogram_rows_": score_histogram_rows_body,
    "count_scores_rows_": count_scores_rows_body,
    "count_groups_": count_groups_body,
}
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
CUTS = torch.linspace(0, 1, 9).double()


def drawn(sizes, shape, generator, outside=(0,)):
    """Groups of each slicing, some of them out of range in those that are named."""
    return [
        torch.randint(-(k in outside), size + (k in outside), shape, generator=generator)
        for k, size in enumerate(sizes)
    ]


def placed(groups, sizes, valid):
    rows = torch.zeros((len(groups), *groups[0].shape), dtype=torch.int32)
    faults, start = torch.zeros(FAULTS, dtype=torch.int64), 0
    for k, (of, size) in enumerate(zip(groups, sizes, strict=True)):
        place_groups_body(of, valid, rows, faults, k, start, size)
        start += size
    return rows, faults


def runs_of(preds, target, s, *, valid=None, weights=None, ignore=None, columns=None):
    """Each pass that adds to S rows of its states: name, whether it counts the samples, and run(rows, ...).

    It returns the states and the faults. columns: of labels, or of classes with bins of their own.
    """
    count = torch.int64 if weights is None else torch.float64
    ignored = ignore or 0, ignore is not None
    multiclass, scores = preds.dim() > target.dim(), preds.is_floating_point()
    labels = 1 if multiclass or columns is None else columns

    def run_of(operator, before, states, middle, behind, wants_samples=False):
        def run(rows, *slicings, call=operator):
            made = [None if state is None else torch.ones(state[0], dtype=state[1]) for state in states]
            faults = torch.zeros(FAULTS, dtype=torch.int64)
            samples = torch.zeros(s, dtype=torch.int64) if wants_samples else None
            if operator in (binary_, multiclass_):
                call(preds, target, valid, *made, faults, *middle, weights, rows, samples, *slicings)
            elif operator is count_groups_:
                call(rows, valid, *made, faults, *slicings)
            else:
                call(preds, target, rows, valid, weights, *before, *made, faults, *middle, *behind, samples, *slicings)
            return [state for state in (*made, samples) if state is not None], faults

        return run

    sums = torch.float64
    yield "count_groups_", True, run_of(count_groups_, (), [((s,), count)], (), ())
    if multiclass:
        c = preds.shape[1]
        states = [((s, c, c), count), ((s, c, 3), count), ((s, c, 2, 2), count)]
        histogram = torch.ones(s, c, dtype=count)
        for wanted in (weights is None, False) if weights is None else (False,):
            options = c, *ignored, histogram.clone()
            yield "multiclass_", wanted, run_of(multiclass_, (), states, options, (), wanted)
    else:
        cut = cutoffs(0.4, preds.dtype) if scores else (0.0, 0.0)
        for wanted in (True, False) if weights is None else (False,):
            options = *cut, *ignored, True
            yield "binary_", wanted, run_of(binary_, (), [((s, labels, 4), count)], options, (), wanted)
    if not scores:
        return
    for logits, wanted in ((-1, weights is None), (1, False), (0, weights is None)):
        bins = (s, *((columns,) if columns else ()), 9)
        states = [(bins, count), (bins, sums), (bins, count)]
        yield "calibration_rows_", wanted, run_of(calibration_rows_, (CUTS,), states, (logits,), ignored, wanted)
        states = [((s, labels), sums), ((s, labels), sums), ((s, labels), count)]
        options = logits, 1e-7, labels > 1
        yield "proper_scores_rows_", wanted, run_of(proper_scores_rows_, (), states, options, ignored, wanted)
        of_scores = preds.shape[1] if multiclass else columns or 1
        behind = multiclass or bool(columns), logits, *ignored, False
        before, states = (CUTS, logit_cuts(CUTS, preds.dtype)), [((s, of_scores, 10, 2), count)]
        yield "score_histogram_rows_", wanted, run_of(score_histogram_rows_, before, states, (True,), behind, wanted)
        states = [((s, of_scores, number_of_keys(6, logits == 0), 2), count)]
        yield "count_scores_rows_", wanted, run_of(count_scores_rows_, (), states, (6,), behind, wanted)


def same(found, expected, name):
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other), name


def compare(preds, target, groups, sizes, **options):
    """Of groups where they are what rows say, and the faults of both; returns what passes there were."""
    rows, bad = placed(groups, sizes, options.get("valid"))
    known = []
    for name, counts, run in runs_of(preds, target, sum(sizes), **options):
        states, faults = run(groups[0].unsqueeze(0), groups[1:], [*sizes])
        if len(groups) > 1:
            expected, of_rows = run(rows)
            if name == "count_groups_":
                of_rows[6:8] = 0  # where it says that samples are left out
            assert torch.equal(faults, of_rows + (bad if counts else 0)), name
        else:
            expected, of_rows = run(groups[0].unsqueeze(0))
            assert torch.equal(faults, of_rows), name
        same(states, expected, name)
        by_body, of_body = run(groups[0].unsqueeze(0), groups[1:], [*sizes], call=BODIES[name])
        assert torch.equal(faults, of_body), name
        for one, other in zip(states, by_body, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9, msg=name)
        known.append(name)
    return known


@pytest.mark.parametrize("sizes", [(7,), (200, 4), (3, 1, 2, 5, 4), (900, 30), (2,) * 18])
@pytest.mark.parametrize("n", [0, 1, 700, 40_000])
def test_samples(n, sizes):
    generator = torch.Generator().manual_seed(n + len(sizes))
    valid = torch.rand(n, generator=generator) > 0.3
    weights = torch.rand(n, generator=generator, dtype=torch.float64) - 0.01
    scores, logits = torch.rand(n, generator=generator), torch.randn(n, 3, generator=generator)
    labels, classes = torch.randint(-1, 3, (2, n), generator=generator)
    for outside in ((), (0,), (len(sizes) - 1,), (0, 1)):
        groups = drawn(sizes, (n,), generator, outside)
        compare(scores, labels, groups, sizes, valid=valid, ignore=-1)
        found = compare(logits, classes, groups, sizes)
        assert len(set(found)) == 6
    compare(logits[:, 0], labels, groups, sizes, weights=weights)
    compare(logits.softmax(1), classes, groups, sizes, valid=valid, weights=weights, ignore=2, columns=3)
    compare((scores > 0.5).long(), labels, groups, sizes, valid=valid)


@pytest.mark.parametrize("dtype", [*INTEGERS, torch.bool])
def test_groups_of_any_type_and_layout(dtype):
    generator = torch.Generator().manual_seed(0)
    n, sizes = 900, (2, 2, 2)
    scores, target = torch.rand(n, generator=generator), torch.randint(0, 2, (n,), generator=generator)
    wide = torch.randint(0, 2, (3, 2 * n), generator=generator).to(dtype)
    groups = [wide[0, ::2], wide[1].flip(0)[:n], wide[2, :n]]
    compare(scores, target, groups, sizes)
    compare(scores, target, [groups[0], groups[1].int(), groups[2].long()], sizes)
    compare(scores, target, [groups[0][:1].expand(n), *groups[1:]], sizes)


@pytest.mark.parametrize("shape", [(300, 3), (40, 5, 11), (1, 2, 3)])
def test_labels_and_places(shape):
    """Groups of samples, of labels, of places and of every element, each in one of the slicings."""
    generator = torch.Generator().manual_seed(1)
    sizes = (4, 3)
    scores, target = torch.rand(shape, generator=generator), torch.randint(0, 2, shape, generator=generator)
    weights, valid = torch.rand(shape, generator=generator).double(), torch.rand(shape, generator=generator) > 0.2
    elements = drawn(sizes, shape, generator, (0, 1))
    of_samples = [one[(slice(None), *(slice(1) for _ in shape[1:]))].expand(shape) for one in elements]
    of_labels = [one[:1].expand(shape) for one in elements]
    turned = [one.transpose(0, 1).contiguous().transpose(0, 1) for one in elements]
    for groups in ((elements[0], of_samples[1]), (of_samples[0], of_samples[1]), (of_labels[0], turned[1])):
        compare(scores, target, [*groups], sizes, columns=shape[1])
        compare(scores, target, [*groups], sizes, columns=shape[1], weights=weights, valid=valid, ignore=1)
        some = [one[::2] for one in groups]
        compare(scores[::2], target[::2], some, sizes, columns=shape[1], valid=valid[::2])


def test_images():
    generator = torch.Generator().manual_seed(1)
    scores, target = torch.randn(30, 4, 5, 6, generator=generator), torch.randint(0, 4, (30, 5, 6), generator=generator)
    groups = drawn((7, 3), (30, 5, 6), generator)
    groups[1] = groups[1][:, :1, :1].expand(30, 5, 6)
    compare(scores, target, groups, (7, 3))
    compare(scores.contiguous(memory_format=torch.channels_last), target, groups, (7, 3), columns=4)


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_change_nothing(weighted):
    generator = torch.Generator().manual_seed(0)
    n, sizes, threads, found = 150_000, (50, 4), torch.get_num_threads(), []
    scores, target = torch.rand(n, generator=generator), torch.randint(0, 2, (n,), generator=generator)
    logits, classes = torch.randn(n, 3, generator=generator), torch.randint(0, 3, (n,), generator=generator)
    groups = drawn(sizes, (n,), generator)
    weights = torch.rand(n, generator=generator, dtype=torch.float64) if weighted else None
    given = groups[0].unsqueeze(0), groups[1:], [*sizes]
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            runs = [*runs_of(scores, target, 54, weights=weights), *runs_of(logits, classes, 54, weights=weights)]
            found.append([(name, run(*given)) for name, _, run in runs])
        finally:
            torch.set_num_threads(threads)
    for (name, (states, faults)), (_, (others, of_others)) in zip(*found, strict=True):
        same((*states, faults), (*others, of_others), name)


def test_a_sample_that_one_slicing_leaves_out_counts_in_none():
    scores, target = torch.tensor([0.9, 0.8, 0.3, 0.6, 0.7]), torch.tensor([1, 1, 0, 0, 1])
    groups = [torch.tensor([0, 1, 2, -1, 2]), torch.tensor([0, 5, 0, 1, 1])]
    for name, counts, run in runs_of(scores, target, 5):
        (first, *others), faults = run(groups[0].unsqueeze(0), groups[1:], [3, 2])
        if counts:
            samples = first - 1 if name == "count_groups_" else others[-1]
            assert samples.tolist() == [1, 0, 2, 2, 1]
            assert faults[6:8].tolist() == [2, -1]
        if name in ("binary_", "score_histogram_rows_"):
            assert (first - 1).reshape(5, -1).sum(1).tolist() == [1, 0, 2, 2, 1]


def test_what_the_bodies_make_of_groups():
    generator = torch.Generator().manual_seed(3)
    groups, valid = drawn((5, 3, 2), (70, 2), generator, (0, 2)), torch.rand(70, 2, generator=generator) > 0.3
    for kept in (None, valid):
        faults = torch.zeros(FAULTS, dtype=torch.int64)
        rows = rows_of_slicings(groups[0].unsqueeze(0), groups[1:], [5, 3, 2], kept, faults)
        expected, bad = placed(groups, (5, 3, 2), kept)
        seen = torch.ones_like(valid) if kept is None else kept
        assert torch.equal(rows[:, seen], expected[:, seen].long())
        assert torch.equal(faults, bad)


@pytest.mark.parametrize("classes", [False, True])
def test_the_operators_keep_their_contract(classes):
    generator = torch.Generator().manual_seed(0)
    preds = torch.randn((6, 3) if classes else (6,), generator=generator)
    target = torch.randint(0, 2, (6,), generator=generator)
    first, other = drawn((3, 2), (6,), generator)
    rows, names = first.unsqueeze(0), set()
    for name, _, run in runs_of(preds, target, 5):
        operator = getattr(torch.ops.fastmetrics, name).default
        run(rows, [other], [3, 2], call=lambda *args, operator=operator: torch.library.opcheck(operator, args))
        states = run(rows, [other], [3, 2])  # directly, and by the dispatcher
        again = run(rows, [other], [3, 2], call=operator)
        same((*states[0], states[1]), (*again[0], again[1]), name)
        for given, message in (
            ((rows, [other], [3]), "size of each|size for each"),
            ((rows, [other], None), "size of each|size for each"),
            ((rows, [other], [3, 3]), "a row for each group"),
            ((rows, [other], [5, 0]), "from 1 to as many"),
            ((rows, [other], [6, -1]), "from 1 to as many"),
            ((rows, [other[:5]], [3, 2]), "shape of the samples"),
            ((rows, [other.float()], [3, 2]), "integers or bool"),
            ((torch.stack([first, first]), [other], [3, 2]), "those of one as rows|shape of the samples"),
        ):
            with pytest.raises(RuntimeError, match=message):
                run(*given)
        names.add(name)
    assert len(names) == 6


def test_no_memory_for_a_sample():
    n = 400_000
    scores, target = torch.rand(n), torch.randint(0, 2, (n,))
    sizes = {"country": 9, "device": 4}
    groups = {name: torch.randint(0, size, (n,)) for name, size in sizes.items()}
    weights = torch.rand(n, dtype=torch.float64)
    for kind, options in (
        (BinaryAccuracy, {}),
        (BinaryCalibrationError, {}),
        (BinaryBrierScore, {}),
        (BinaryAUROC, {"thresholds": 20}),
    ):
        metric = kind(**options, num_groups=sizes)
        for given in ({}, {"weights": weights}):
            metric.update(scores, target, groups=groups, **given)
            assert memory(partial(metric.update, scores, target, groups=groups, **given), "cpu") < 10**4


@pytest.mark.parametrize("grouped", [False, True])
def test_an_empty_batch_with_weights(grouped):
    none, labels = torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    more = {"groups": {"a": labels, "b": labels}} if grouped else {}
    for kind, options in (
        (BinaryAccuracy, {}),
        (BinaryCalibrationError, {}),
        (BinaryBrierScore, {}),
        (BinaryHingeLoss, {}),
        (BinaryAUROC, {"thresholds": 5}),
        (BinaryAUROC, {}),
    ):
        if grouped and kind is BinaryAUROC and not options:
            continue
        metric = kind(**options, **({"num_groups": {"a": 2, "b": 3}} if grouped else {}))
        metric.update(none, labels, weights=none, **more)
        metric.update(
            torch.tensor([0.3, 0.8]),
            torch.tensor([0, 1]),
            weights=torch.ones(2),
            **{name: dict.fromkeys("ab", torch.tensor([0, 1])) for name in more},
        )
        assert metric.compute().isfinite()
