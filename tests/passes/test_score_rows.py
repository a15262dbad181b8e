# SPDX-License-Identifier: Apache-2.0
"""Histograms of scores by rows: by the kernels and by the bodies."""

from functools import partial

import pytest
import torch

from bench.counts import memory
from fastmetrics.classification import BinaryAUROC
from fastmetrics.passes import count_scores_rows_, score_histogram_rows_
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.score_keys import count_scores_rows_body, number_of_keys
from fastmetrics.passes.scores import PROBABILITIES, logit_cuts, score_histogram_rows_body

GIVEN = (0.0, 0.25, 0.3, 0.99, 1.0)


def runs_of(preds, s, thresholds, bits):
    """Each pass and its body, the shape of its state, and what comes before and behind the states."""
    columns = preds.shape[1] if preds.dim() > 1 else 1
    cuts = torch.tensor(GIVEN) if thresholds is None else torch.linspace(0, 1, thresholds)
    cuts = cuts.double()
    before = cuts, logit_cuts(cuts, preds.dtype)
    shape = (s, columns, len(cuts) + 1, 2)
    yield (score_histogram_rows_, score_histogram_rows_body), lambda _: shape, before, (thresholds is not None,)
    if preds.dtype != torch.float64:
        keys = lambda logits: (s, columns, number_of_keys(bits, logits == PROBABILITIES), 2)  # noqa: E731
        yield (count_scores_rows_, count_scores_rows_body), keys, (), (bits,)


def compare(preds, target, rows, s, *, thresholds=None, bits=6, valid=None, weights=None, ignore=None, of_labels=False):
    """What the kernels add, which is what the bodies add."""
    found, in_columns = [], preds.dim() > 1
    for logits in (-1, 0, 1):
        for runs, shape, before, middle in runs_of(preds, s, thresholds, bits):
            options = in_columns, logits, ignore or 0, ignore is not None, of_labels
            all_states = []
            for run in runs:
                dtype = torch.int64 if weights is None else torch.float64
                states = torch.ones(shape(logits), dtype=dtype), torch.zeros(FAULTS, dtype=torch.int64)
                run(preds, target, rows, valid, weights, *before, *states, *middle, *options)
                all_states.append(states)
            for one, other in zip(*all_states, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
            found.append(all_states[0])
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize(("n", "s"), [(1, 3), (700, 2), (700, 900), (20_000, 5), (20_000, 700)])
def test_samples(n, s, dtype):
    """Few rows have several sets of cells, more have one, and where samples are fewer they go to the state at once."""
    generator = torch.Generator().manual_seed(n + s)
    rows = torch.randint(-1, s + 1, (2, n), generator=generator)
    valid, weights = torch.rand(n, generator=generator) > 0.3, torch.rand(n, generator=generator).double() - 0.01
    logits = torch.randn(n, 3, generator=generator)
    classes, labels = torch.randint(-1, 4, (2, n), generator=generator)
    for scores in (logits.to(dtype), logits.softmax(1).to(dtype)):
        compare(scores, classes, rows, s, thresholds=9, valid=valid, ignore=-1)
        compare(scores[:, 0], labels, rows[:1].int(), s)
        compare(scores[:, 1], labels.int(), rows[1:], s, thresholds=50, bits=10, weights=weights, ignore=2)


@pytest.mark.parametrize("shape", [(900, 3), (70, 5, 11)])
def test_labels(shape):
    """Groups of samples, of labels, and of every element, in any layout."""
    generator = torch.Generator().manual_seed(0)
    scores, target = torch.rand(shape, generator=generator), torch.randint(0, 2, shape, generator=generator)
    weights, valid = torch.rand(shape, generator=generator).double(), torch.rand(shape, generator=generator) > 0.2
    elements = torch.randint(-1, 6, (2, *shape), generator=generator)
    of_samples, of_labels = elements[:, :, :1], elements[:, :1]
    for given in (of_samples, of_labels, elements):
        rows = given[(slice(None),) * 3 + (slice(1),) * (len(shape) - 2)].expand(2, *shape)
        compare(scores, target, rows, 5, thresholds=7, of_labels=True)
        compare(scores, target, rows, 5000, of_labels=True, weights=weights, valid=valid, ignore=1)
        turned, of_turned = (x.transpose(-1, -2).contiguous().transpose(-1, -2) for x in (scores, rows))
        compare(turned[::2], target[::2], of_turned[:, ::2], 5, thresholds=7, of_labels=True)
        compare(scores[:0], target[:0], rows[:, :0], 5, of_labels=True)


def test_images():
    generator = torch.Generator().manual_seed(1)
    scores, target = torch.randn(30, 4, 5, 6, generator=generator), torch.randint(0, 4, (30, 5, 6), generator=generator)
    rows = torch.randint(0, 7, (1, 30, 1, 1), generator=generator).expand(1, 30, 5, 6)
    compare(scores, target, rows, 7, thresholds=5)
    compare(scores.half().contiguous(memory_format=torch.channels_last), target, rows, 7, thresholds=5)
    one = compare(scores, target, rows[:0], 7)
    assert all((states[0] == 1).all() for states in one)  # without slicings nothing is added


def test_threads_change_nothing():
    generator = torch.Generator().manual_seed(0)
    n, threads, found = 100_000, torch.get_num_threads(), []
    scores, target = torch.rand(n, generator=generator), torch.randint(0, 2, (n,), generator=generator)
    rows = torch.randint(0, 50, (1, n), generator=generator)
    weights = torch.rand(n, generator=generator, dtype=torch.float64)
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            found.append(compare(scores, target, rows, 50, thresholds=20, weights=weights))
        finally:
            torch.set_num_threads(threads)
    for one, other in zip(*found, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_operators():
    scores, target, rows = torch.rand(6), torch.randint(0, 2, (6,)), torch.randint(0, 3, (1, 6))
    faults, cuts = torch.zeros(FAULTS, dtype=torch.int64), torch.linspace(0, 1, 5).double()
    options = False, -1, 0, False, False
    histogram = None, None, cuts, cuts, torch.zeros(3, 1, 6, 2, dtype=torch.int64), faults, True, *options
    counts = None, None, torch.zeros(3, 1, 64, 2, dtype=torch.int64), faults, 6, *options
    operators = torch.ops.fastmetrics
    for run, operator, state, rest in (
        (score_histogram_rows_, operators.score_histogram_rows_, 4, histogram),
        (count_scores_rows_, operators.count_scores_rows_, 2, counts),
    ):
        torch.library.opcheck(operator.default, (scores, target, rows, *rest))
        for wrong in (rows[:, :5], rows.float(), rows[0]):
            with pytest.raises(RuntimeError, match="rows must"):
                run(scores, target, wrong, *rest)
        with pytest.raises(RuntimeError, match="of each row"):
            run(scores, target, rows, *rest[:state], rest[state][:, :, 1:].contiguous(), *rest[state + 1 :])


def test_no_memory_for_a_sample():
    n = 400_000
    scores, target, rows = torch.rand(n), torch.randint(0, 2, (n,)), torch.randint(0, 9, (n,))
    metric = BinaryAUROC(thresholds=20, num_groups=9)
    metric.update(scores, target, groups=rows)
    assert memory(partial(metric.update, scores, target, groups=rows), "cpu") < 10**4
