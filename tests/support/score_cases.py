# SPDX-License-Identifier: Apache-2.0
"""Inputs for the kernels of what scores decide and of probabilities; see kernel_cases.py."""

import math
from functools import partial

import torch

from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.score_keys import number_of_keys, score_keys
from fastmetrics.passes.scores import EITHER, LOGITS, PROBABILITIES, logit_cuts
from tests.support.case_inputs import SCORES, asked, eighths, rare, sums_of, weights_of
from tests.support.passes import mask, zeros


def settled(logits, place, softmax):
    """Logits, but 0 where rounding on the way to a probability could change the bin that ``place`` gives it."""
    p = logits.double().softmax(1) if softmax else logits.double().sigmoid()
    low, high = (place((p * (1 + change)).to(logits.dtype)) for change in (-1e-6, 1e-6))
    same = (low == high) | p.isnan()
    return torch.where(same.all(1, keepdim=True) if softmax else same, logits, 0)


def of_scores(operator, preds, target, state, in_columns=False, decide=False, **options):
    """The arguments that the passes of scores share; the state has ``C * bins`` rows of a negative and a positive."""
    given = {"preds": preds, "target": target, "faults": zeros(FAULTS), "in_columns": in_columns}
    return operator, {"logits": EITHER, **given, **state, "ignored_decide": decide, **asked(options)}


def histogram(preds, target, cuts, in_columns=False, weights=None, **options):
    """cuts: how many uniform ones, or a list."""
    uniform = isinstance(cuts, int)
    found = torch.linspace(0, 1, cuts).double() if uniform else torch.tensor(cuts, dtype=torch.float64)
    shape = preds.shape[1] if in_columns else 1, len(found) + 1, 2
    state = {
        "cuts": found,
        "logit_cuts": logit_cuts(found, preds.dtype),
        "histogram": torch.randint(0, 9, shape) if weights is None else zeros(*shape, dtype=torch.float64),
        "weights": weights,
        "uniform": uniform,
    }
    return of_scores("score_histogram_", preds, target, state, in_columns, **options)


def in_bins(cuts):
    return lambda p: torch.searchsorted(torch.tensor(cuts, dtype=torch.float64), p.double().contiguous(), right=True)


def scores_cases():
    some = [0.1, 0.25, 0.5, 0.7, 0.9]  # cuts of which none is a probability of equal classes

    def near_cuts(*shape):
        """Probabilities, many of which are a uniform cut or next to one."""
        p = torch.linspace(0, 1, 8)[torch.randint(0, 8, shape)]
        return torch.where(torch.rand(shape) < 0.5, torch.nextafter(p, torch.rand(shape)), p)

    for dtype in SCORES:
        n = 1100
        target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
        yield histogram(near_cuts(n).to(dtype), target, 8, ignore=-1)
        logits = settled(rare(torch.randn(n)).to(dtype), in_bins(some), False)
        yield histogram(logits, target.clamp(0, 1).to(torch.uint8), some)
        c = 20
        scores = settled(rare(torch.randn(90, c)).to(dtype), in_bins(some), True)
        yield histogram(scores, torch.randint(-2, c + 1, (90,)), some, True, ignore=-1)
        if dtype.itemsize == 2:
            continue
        for weights in (None, eighths((n,))):
            given = torch.tensor(some, dtype=dtype)[torch.randint(0, 5, (n,))]
            yield histogram(given, target, some, weights=weights, valid=valid, logits=PROBABILITIES)
            yield histogram(logits[:40], target[:40], 3000, weights=None if weights is None else weights[:40])
            yield histogram(logits, target, [0.5], weights=weights, valid=valid, logits=LOGITS, ignore=7)
        # labels, one after another and far apart
        several = near_cuts(300, 5, 2).to(dtype)
        target, valid = torch.randint(0, 3, (300, 5, 2)), mask((300, 5, 2), "cpu")
        yield histogram(several[..., 0], target[..., 0], 8, True, ignore=2)
        yield histogram(several, target, 8, True, valid=valid)
        yield histogram(several.transpose(0, 1), target.transpose(0, 1), 8, True, weights=eighths((5, 300, 2)))
        # classes: a thread, a warp, planes; in cells of shared memory and of the card
        for c, n in ((3, 400), (20, 90), (70, 9)):
            scores = settled(rare(torch.randn(n, c)).to(dtype), in_bins(some), True)
            target, valid = torch.randint(-2, c + 1, (n,)), mask((n,), "cpu")
            yield histogram(scores[::2], target[::2], some, True, logits=LOGITS, weights=eighths((n // 2 + n % 2,)))
            yield histogram(near_cuts(n, c).to(dtype), target, 8, True, valid=valid)
        yield histogram(near_cuts(n, c).to(dtype), target, 8, True, weights=eighths((n,)))
        image = settled(torch.randn(2, 4, 12, 5).to(dtype), in_bins(some), True)
        yield histogram(image, torch.randint(0, 5, (2, 12, 5)), some, True)
    # what says that all are logits comes last, so late that others look for it; or it is ignored
    scores, target = torch.rand(18_000), torch.randint(0, 2, (18_000,))
    scores[-3], target[-3], target[5] = 2.0, 4, 9
    yield histogram(settled(scores, in_bins(some), False), target, some)
    for decide in (False, True):
        yield histogram(settled(scores[-999:], in_bins(some), False), target[-999:], some, ignore=4, decide=decide)
    many, target = torch.rand(1100, 3), torch.randint(0, 3, (1100,))
    many[-1, 1], target[-1] = -1.0, -1
    for ignore in (None, -1):
        yield histogram(settled(many, in_bins(some), True), target, some, True, ignore=ignore)
    yield from lines(lambda preds, target, **given: histogram(preds, target, 8, **given), in_bins([0.1, 0.25, 0.9]))
    # a sum over many classes, and none
    yield histogram(torch.randn(5, 3000) * 4, torch.randint(0, 3000, (5,)), [1e-9, 0.9], True, logits=LOGITS)
    yield histogram(torch.rand(0, 3), torch.randint(0, 3, (0,)), some, True)


TARGETS = (torch.int64, torch.int32, torch.int8, torch.uint8, torch.bool)  # that come in wide loads


def lines(case, place, dtypes=SCORES):
    """Neighbours of each type of scores and targets: rounds of a block, tails, what is bad or ignored, and logits."""
    for dtype in dtypes:
        for n, target_dtype in zip((7, 4096, 4099, 9001, 1023), TARGETS, strict=True):
            target = torch.randint(0, 2, (n,))
            if target_dtype != torch.bool:
                target[torch.rand(n) < 0.01] = 3
            preds = torch.randint(0, 65, (n,)) / 64
            preds[::9] = -0.0
            yield case(preds.to(dtype), target.to(target_dtype))
            yield case(preds.to(dtype), target.to(target_dtype), ignore=3, logits=PROBABILITIES)
            yield case(preds.to(dtype), target.to(target_dtype), ignore=1)
            logits = settled((torch.randn(n) * 4).to(dtype), place, False)
            logits[-1] = 2.5  # at least this one says so
            if n != 4096:
                yield case(logits, target.to(target_dtype), ignore=3, decide=n == 9001)
    # one round, of which several blocks find what is bad
    preds, target = torch.randint(0, 65, (9001,)) / 64, torch.randint(0, 2, (9001,))
    target[::99] = 3
    yield case(preds.to(dtypes[0]), target, logits=PROBABILITIES)
    # only what is ignored lies outside
    preds, target = settled(torch.rand(4099).to(dtypes[0]), place, False), torch.randint(0, 2, (4099,))
    preds[[5, -1]], target[[5, -1]] = 7.0, 3
    for decide in (False, True):
        yield case(preds, target, ignore=3, decide=decide)


def counts_of(preds, target, bits, in_columns=False, logits=EITHER, weights=None, **options):
    shape = preds.shape[1] if in_columns else 1, number_of_keys(bits, logits == PROBABILITIES), 2
    counts = torch.randint(0, 9, shape) if weights is None else zeros(*shape, dtype=torch.float64)
    state = {"weights": weights, "counts": counts, "bits": bits}
    return of_scores("count_scores_", preds, target, state, in_columns, logits=logits, **options)


def score_keys_cases():
    for dtype, bits in ((torch.float16, 0), (torch.bfloat16, 0), (torch.bfloat16, 6), (torch.float32, 9)):
        target = torch.randint(-1, 3, (700,))
        near = torch.cat([torch.rand(300) * 2.0 ** -torch.randint(0, 30, (300,)), 1 - torch.rand(100) / 64])
        near = torch.cat([near, torch.tensor([0.0, -0.0, 1.0, 0.5])]).to(dtype)
        key = partial(score_keys, bits=bits, signed=False)
        yield counts_of(near, target[: len(near)], bits, ignore=-1, valid=mask(near.shape, "cpu"))
        for weights in (None, eighths((700,))):
            yield counts_of(rare(torch.randn(700)).to(dtype), target, bits, logits=PROBABILITIES, weights=weights)
        yield counts_of(settled(rare(torch.randn(700) * 4).to(dtype), key, False), target, bits, ignore=1)
        for weights in (None, eighths((60, 4, 3))):
            labels = torch.rand(60, 4, 3).to(dtype), torch.randint(0, 3, (60, 4, 3))
            yield counts_of(*labels, bits, True, weights=weights)
        for c in (3,) if bits == 0 else (3, 20):  # the cells of 16 bits are many
            logits = settled(rare(torch.randn(50, c) * 4).to(dtype), key, True)
            yield counts_of(logits, torch.randint(-1, c, (50,)), bits, True)
            for weights in (None, eighths((50,))):
                yield counts_of(torch.rand(50, c).to(dtype), torch.randint(0, c, (50,)), bits, True, weights=weights)
    # so many scores that a block has the keys of the greatest, which many of them have
    for dtype, bits in ((torch.float16, 0), (torch.bfloat16, 0), (torch.float32, 16)):
        sure, target = torch.rand(5000), torch.randint(0, 2, (5000,))
        sure[::3] = 1.0
        sure[1::6] = 1 - sure[1::6] / 256
        for weights in (None, eighths((5000,))):
            yield counts_of(sure.to(dtype), target, bits, weights=weights)
    # as many scores as the keys need, and one that is a logit among them
    probabilities, target = torch.rand(9000), torch.randint(0, 2, (9000,))
    target[17] = 5
    yield counts_of(probabilities, target, 9)
    probabilities[7777] = math.nan
    yield counts_of(settled(probabilities, partial(score_keys, bits=9, signed=False), False), target, 9)


def kept(preds, target, in_columns=False, first=0, labels=None, logits=EITHER, **options):
    """labels: whether there are any beside the scores; default: where those may have signs."""
    rows = first + preds.numel() // (preds.shape[1] if in_columns else 1), preds.shape[1] if in_columns else 1
    labels = logits == PROBABILITIES if labels is None else labels
    state = {
        "scores": torch.full(rows, 7.0, dtype=preds.dtype),
        "labels": torch.full(rows, 9, dtype=torch.int8) if labels else None,
        "weights": options.pop("weights", None),
        "first": first,
    }
    return of_scores("keep_scores_", preds, target, state, in_columns, logits=logits, **options)


def scores_kept_cases():
    def narrow(scores, softmax=False):
        """Of 16 bits what is sure to be rounded the same way, and no NaN, whose bits may be any."""
        if scores.dtype.itemsize == 2:
            scores = settled(scores.nan_to_num(3.0, 3.0, -3.0), lambda p: p, softmax)
        return scores

    yield from lines(lambda preds, target, **given: kept(narrow(preds), target, **given), lambda p: p.half())
    for dtype in SCORES:
        n = 1100
        target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
        probabilities, logits = torch.rand(n).to(dtype), narrow(rare(torch.randn(n)).to(dtype))
        probabilities[::7] = -0.0
        for scores in (probabilities, logits):
            yield kept(scores, target, ignore=-1, valid=valid)
            yield kept(scores, target, ignore=2, weights=eighths((n,)), decide=True)
            yield kept(scores, target.to(torch.int16), first=3, labels=True)
            yield kept(scores, target, labels=True, logits=LOGITS)
            yield kept(scores, target, logits=PROBABILITIES, weights=eighths((n,)))
        # a line that is written where nothing is aligned; labels beside it; one that is read so
        yield kept(probabilities, target.clamp(0, 1), first=3)
        yield kept(logits, target.clamp(0, 1), first=16, labels=True)
        yield kept(probabilities[1:], target[1:].clamp(0, 1))
        # labels: one after another, far apart, and all a line
        several = torch.rand(300, 5, 2).to(dtype)
        target, valid = torch.randint(0, 3, (300, 5, 2)), mask((300, 5, 2), "cpu")
        yield kept(several[..., 0], target[..., 0], True, ignore=2)
        yield kept(several, target, True, valid=valid)
        yield kept(several.transpose(0, 1), target.transpose(0, 1), True, weights=eighths((5, 300, 2)))
        flat = narrow((torch.randn(900, 5) * 2).to(dtype))
        yield kept(flat, torch.randint(-1, 3, (900, 5)), True, first=16, labels=True)
        # classes: a thread, a warp, planes
        for c, n in ((3, 400), (20, 90), (70, 9)):
            scores = narrow(rare(torch.randn(n, c)).to(dtype), True)
            target, valid = torch.randint(-2, c + 1, (n,)), mask((n,), "cpu")
            yield kept(scores, target, True, ignore=-1)
            yield kept(scores[::2], target[::2], True, logits=LOGITS, weights=eighths((n // 2 + n % 2,)))
            yield kept(torch.rand(n, c).to(dtype), target, True, valid=valid, labels=True, first=1)
            yield kept(scores, target, True, logits=PROBABILITIES)
        image = narrow(torch.randn(2, 4, 12, 5).to(dtype), True)
        yield kept(image, torch.randint(0, 5, (2, 12, 5)), True)
    # what says that all are logits comes last, so late that others look for it
    scores, target = torch.rand(18_000), torch.randint(0, 2, (18_000,))
    scores[-3], target[-3], target[5] = 2.0, 4, 9
    yield kept(scores, target)
    yield kept(scores[::2], target[::2])
    yield kept(scores[:0], target[:0])


def calibration(preds, target, edges=8, columns=0, weights=None, logits=EITHER, **options):
    """edges: how many even ones, or a list; columns: of the state, 0 for confidences."""
    found = torch.linspace(0, 1, edges) if isinstance(edges, int) else torch.tensor(edges)
    shape = (columns, len(found)) if columns else (len(found),)
    real = zeros(*shape, dtype=torch.float64)
    whole = [real.clone() if weights is not None else torch.randint(0, 9, shape) for _ in range(2)]
    given = {"preds": preds, "target": target, "weights": weights, "edges": found.double(), "logits": logits}
    states = {"counts": whole[0], "hits": whole[1], "confidences": real}
    return "calibration_", {**given, **states, "faults": zeros(FAULTS), **asked(options)}


def calibration_cases():
    uneven = [0.0, 0.1, 0.2, 0.95, 1.0]

    def simple(*shape):
        """Probabilities whose weighted sums are exact, some of them an edge."""
        return torch.randint(0, 9, shape) / 8

    for dtype in SCORES:
        n = 1100
        target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
        yield calibration(torch.rand(n).to(dtype), target, ignore=-1, valid=valid)
        yield calibration(rare(torch.randn(n)).to(dtype), target.to(torch.int32), uneven)
        for c in (3, 20):
            target = torch.randint(-1, c + 1, (150,))
            yield calibration(torch.rand(150, c).softmax(1).to(dtype), target, ignore=-1)
            yield calibration(rare((torch.randn(150, c) * 2).round()).to(dtype), target, uneven, logits=LOGITS)
    for c in (3, 20):
        target, valid = torch.randint(-1, c + 1, (150,)), mask((150,), "cpu")
        some = torch.where(torch.rand(150, c) < 0.1, 2.0, torch.rand(150, c))
        yield calibration(some, target, logits=PROBABILITIES)
        yield calibration(some, target, uneven, c)
        yield calibration(torch.rand(150, c), target, 2000, c, valid=valid)
        yield calibration(simple(150, c), target, columns=c, weights=eighths((150,)))
        yield calibration(simple(150, c), target, weights=eighths((150,)), ignore=1)
    yield calibration(torch.randn(2, 5, 4, 6), torch.randint(0, 5, (2, 4, 6)))
    labels, target = torch.rand(40, 4, 3), torch.randint(0, 3, (40, 4, 3))
    yield calibration(labels, target, 8, 4, valid=mask(target.shape, "cpu"))
    yield calibration(simple(40, 4, 3).transpose(0, 2), target.transpose(0, 2), 8, 4, eighths((3, 4, 40)))
    # the only score that says that all are logits comes last
    late = torch.rand(1100)
    late[-1] = 1.5
    yield calibration(late, torch.randint(0, 2, (1100,)))
    yield calibration(late[:0], torch.randint(0, 2, (0,)))


def with_rows(given, rows, size, slicings, *states):
    """The arguments of a pass over rows: the states have ``size`` of them; some of those of samples are out of range.

    rows: drawn if None.
    """
    operator, given = given
    target = given["target"]
    rows = torch.randint(-1, size + 1, (slicings, *target.shape)) if rows is None else rows
    repeated = {name: given[name].repeat(size, *(1 for _ in given[name].shape)) for name in states if name in given}
    return f"{operator.removesuffix('_')}_rows_", {**given, **repeated, "rows": rows}


def histogram_rows(preds, target, cuts, *args, rows=None, size=4, slicings=1, **options):
    return with_rows(histogram(preds, target, cuts, *args, **options), rows, size, slicings, "histogram")


def scores_rows_cases():
    some = [0.1, 0.25, 0.5, 0.7, 0.9]  # cuts of which none is a probability of equal classes
    for dtype in SCORES:
        n = 1100
        target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
        logits = settled(rare(torch.randn(n)).to(dtype), in_bins(some), False)
        yield histogram_rows(torch.randint(0, 9, (n,)).to(dtype) / 8, target, 8, ignore=-1, valid=valid)
        yield histogram_rows(logits, target.int(), some, slicings=2, ignore=-1)
        yield histogram_rows(logits, target, some, size=2, weights=eighths((n,)), logits=LOGITS)
        yield histogram_rows(torch.rand(n).to(dtype), target, 3000, weights=eighths((n,)), size=2)
        # cells of the card, beside a copy of the cuts
        yield histogram_rows(logits, target, some, size=300, slicings=2, valid=valid, weights=eighths((n,)))
        for c, n in ((3, 400), (20, 90)):
            scores = settled(rare(torch.randn(n, c)).to(dtype), in_bins(some), True)
            target, valid = torch.randint(-2, c + 1, (n,)), mask((n,), "cpu")
            yield histogram_rows(scores, target, some, True, slicings=3, ignore=-1)
            yield histogram_rows(torch.rand(n, c).to(dtype), target, 8, True, size=2, weights=eighths((n,)))
            yield histogram_rows(torch.rand(n, c).to(dtype), target, 8, True, size=90, valid=valid)
            yield histogram_rows(scores, target, some, True, size=90, weights=eighths((n,)), logits=LOGITS)
        # labels, one after another and far apart, whose rows are their own
        several, target = torch.rand(300, 5, 2).to(dtype), torch.randint(0, 3, (300, 5, 2))
        yield histogram_rows(several[..., 0], target[..., 0], 8, True, slicings=2, ignore=2)
        yield histogram_rows(several.transpose(0, 1), target.transpose(0, 1), 8, True, weights=eighths((5, 300, 2)))
    # rows of other types, one row for all neighbours, and any strides
    image, target = settled(torch.randn(5, 3, 4, 6), in_bins(some), True), torch.randint(0, 3, (5, 4, 6))
    of_image = torch.randint(0, 4, (2, 5, 1, 1), dtype=torch.uint8).expand(2, 5, 4, 6)
    yield histogram_rows(image, target, some, True, rows=of_image)
    labels, target = torch.rand(40, 4, 3), torch.randint(0, 3, (40, 4, 3))
    of_sample = torch.randint(-1, 5, (1, 40, 1, 1)).int().expand(1, 40, 4, 3)
    yield histogram_rows(labels, target, 8, True, rows=of_sample)
    turned = torch.randint(-2, 5, (3, 40, 4, 3)).to(torch.int8).transpose(1, 3)
    yield histogram_rows(labels.transpose(0, 2), target.transpose(0, 2), 8, True, eighths((3, 4, 40)), rows=turned)
    # what says that all are logits comes last, so late that others look for it; with cells of the first round and not
    late, target = torch.rand(18_000), torch.randint(0, 2, (18_000,))
    late[-3], target[-3], target[5] = 2.0, 4, 9
    for size in (4, 2000):
        yield histogram_rows(settled(late, in_bins(some), False), target, some, size=size)
        yield histogram_rows(late.clamp(max=1.0), target, some, size=size, slicings=2)
    # one row many times over, none, and no samples
    many = torch.ones(300, 1, dtype=torch.int64).expand(300, 70)
    yield histogram_rows(late[:70], target[:70], some, rows=many)
    yield histogram_rows(late[-70:].half(), target[-70:], some, slicings=0)
    yield histogram_rows(late[:0], target[:0], some)


def counts_rows(preds, target, bits, *args, rows=None, size=3, slicings=1, **options):
    return with_rows(counts_of(preds, target, bits, *args, **options), rows, size, slicings, "counts")


def score_keys_rows_cases():
    for dtype, bits in ((torch.float16, 0), (torch.bfloat16, 0), (torch.bfloat16, 6), (torch.float32, 9)):
        target, valid = torch.randint(-1, 3, (700,)), mask((700,), "cpu")
        key = partial(score_keys, bits=bits, signed=False)
        sure = torch.rand(700)
        sure[::3], sure[1::6] = 1.0, 1 - sure[1::6] / 256
        yield counts_rows(sure.to(dtype), target, bits, ignore=-1, valid=valid)
        yield counts_rows(sure.to(dtype), target, bits, weights=eighths((700,)), slicings=2)
        yield counts_rows(rare(torch.randn(700)).to(dtype), target, bits, logits=PROBABILITIES, size=2)
        yield counts_rows(settled(rare(torch.randn(700) * 4).to(dtype), key, False), target, bits, ignore=1)
        labels, target = torch.rand(60, 4, 3).to(dtype), torch.randint(0, 3, (60, 4, 3))
        yield counts_rows(labels, target, bits, True, slicings=2)
        for c in (3,) if bits == 0 else (3, 20):  # the cells of 16 bits are many
            logits = settled(rare(torch.randn(50, c) * 4).to(dtype), key, True)
            target = torch.randint(-1, c, (50,))
            yield counts_rows(logits, target, bits, True, size=2)
            yield counts_rows(torch.rand(50, c).to(dtype), target, bits, True, weights=eighths((50,)), size=2)
    # so few keys that a block has those of all rows, and the first round cells of its own
    near, target = torch.rand(9001), torch.randint(0, 2, (9001,))
    key = partial(score_keys, bits=6, signed=False)
    for weights in (None, eighths((9001,))):
        yield counts_rows(near, target, 6, weights=weights, slicings=2)
    near[-1], target[-5], near[7] = 1.5, 7, math.nan
    yield counts_rows(settled(near, key, False), target, 6)
    yield counts_rows(near[:0], target[:0], 6)


def calibration_rows(preds, target, *args, rows=None, size=4, slicings=1, **options):
    given = calibration(preds, target, *args, **options)
    return with_rows(given, rows, size, slicings, "counts", "confidences", "hits")


def calibration_rows_cases():
    def simple(*shape):
        return torch.randint(0, 9, shape) / 8

    for dtype in SCORES:
        n = 1100
        target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
        yield calibration_rows(torch.rand(n).to(dtype), target, ignore=-1, valid=valid)
        yield calibration_rows(rare(torch.randn(n)).to(dtype), target.int(), [0.0, 0.3, 1.0], slicings=2)
        yield calibration_rows(simple(n).to(dtype), target, weights=eighths((n,)), size=2)
    for c in (3, 20):
        n = 150
        target, valid = torch.randint(-1, c + 1, (n,)), mask((n,), "cpu")
        some = torch.where(torch.rand(n, c) < 0.1, 2.0, torch.rand(n, c))
        yield calibration_rows(torch.rand(n, c).softmax(1), target, ignore=-1, slicings=3)
        yield calibration_rows(rare((torch.randn(n, c) * 2).round()), target, logits=LOGITS, size=90)
        yield calibration_rows(some, target, 4, c, logits=PROBABILITIES, size=2, valid=valid)
        yield calibration_rows(torch.randn(n, c).half(), target, 9, c, slicings=2)
        yield calibration_rows(torch.rand(n, c), target, 2000, c, size=3)
        yield calibration_rows(simple(n, c), target, 5, c, eighths((n,)), size=2, slicings=2)
        yield calibration_rows(simple(n, c), target, weights=eighths((n,)), size=500)
    # rows of other types, one row for all neighbours, and any strides
    image, target = torch.randn(5, 3, 4, 6), torch.randint(0, 3, (5, 4, 6))
    of_image = torch.randint(0, 4, (2, 5, 1, 1), dtype=torch.uint8).expand(2, 5, 4, 6)
    yield calibration_rows(image, target, rows=of_image)
    yield calibration_rows(image, target, 8, 3, rows=of_image, valid=mask(target.shape, "cpu"))
    labels, target = torch.rand(40, 4, 3), torch.randint(0, 3, (40, 4, 3))
    yield calibration_rows(labels, target, 8, 4, rows=torch.randint(-1, 5, (1, 40, 1, 1)).int().expand(1, 40, 4, 3))
    turned = torch.randint(-2, 5, (3, 40, 4, 3)).to(torch.int8).transpose(1, 3)
    yield calibration_rows(
        simple(40, 4, 3).transpose(0, 2), target.transpose(0, 2), 8, 4, eighths((3, 4, 40)), rows=turned
    )
    # one row many times over
    yield calibration_rows(
        torch.rand(9), torch.ones(9).bool(), rows=torch.ones(300, 1, dtype=torch.int64).expand(300, 9)
    )
    # the only score that says that all are logits comes last
    late, target = torch.rand(1100), torch.randint(0, 2, (1100,))
    late[-1] = 1.5
    yield calibration_rows(late, target)
    yield calibration_rows(late, target, slicings=0)
    yield calibration_rows(late[:0], target[:0])


def proper_scores(preds, target, sums="bl", multilabel=False, weights=None, logits=EITHER, **options):
    """sums: b for Brier scores, l for log losses."""
    shape = (target.shape[1] if multilabel else 1,)
    states = {name: zeros(*shape, dtype=torch.float64) + 3 for name in ("brier", "log_loss") if name[0] in sums}
    given = {"preds": preds, "target": target, "weights": weights, **states, "count": sums_of(weights, *shape)}
    options = {"faults": zeros(FAULTS), "epsilon": torch.finfo(preds.dtype).eps, **asked(options)}
    return "proper_scores_", {**given, "logits": logits, "multilabel": multilabel, **options}


def proper_scores_cases():
    def some(*shape):
        """Probabilities, a few of which are 0 and 1."""
        return (torch.rand(shape) * 1.1 - 0.05).clamp(0, 1)

    for dtype in SCORES:
        for n in (1, 1100, 5003):
            target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
            logits = (torch.randn(n) * 3).to(dtype)
            yield proper_scores(some(n).to(dtype), target)
            yield proper_scores(logits, target, ignore=-1)
            yield proper_scores(logits, target, logits=PROBABILITIES, ignore=2)
            yield proper_scores(some(n).to(dtype), target, logits=LOGITS, sums="b")
            yield proper_scores(some(n).to(dtype), target.to(torch.int16), sums="l", valid=valid)
            yield proper_scores(rare(logits.clone())[:900], target[:900].to(torch.int32), ignore=-1)
            yield proper_scores(logits, target, weights=weights_of((n,)))
        # labels: some parts in a block, parts of several blocks, more samples side by side than a block has threads
        for shape in ((700, 3), (40, 100), (90, 300), (300, 4, 3), (3, 5, 700), (9, 1, 50)):
            target = torch.randint(-1, 3, shape)
            yield proper_scores(some(*shape).to(dtype), target, multilabel=True)
            yield proper_scores(torch.randn(shape).to(dtype), target, multilabel=True, ignore=-1, faults=None)
            weights, valid = weights_of(shape), mask(shape, "cpu")
            yield proper_scores(torch.randn(shape).to(dtype), target, "l", True, weights, valid=valid)
        # classes: a thread, a warp, planes
        for c, n in ((3, 700), (20, 150), (70, 40)):
            target, valid = torch.randint(-1, c + 1, (n,)), mask((n,), "cpu")
            probabilities = some(n, c).softmax(1).to(dtype)
            yield proper_scores(probabilities, target)
            yield proper_scores((torch.randn(n, c) * 3).to(dtype), target, ignore=-1, valid=valid)
            yield proper_scores(rare(torch.randn(n, c)).to(dtype), target, weights=weights_of((n,)), ignore=1)
            yield proper_scores(rare(torch.rand(n, c)).to(dtype), target, "b", logits=PROBABILITIES)
            yield proper_scores(probabilities[::2], target[::2].to(torch.uint8), "l", logits=LOGITS)
        yield proper_scores(torch.randn(2, 5, 4, 6).to(dtype), torch.randint(0, 5, (2, 4, 6)))
    turned = torch.rand(40, 4, 3).transpose(0, 2)
    yield proper_scores(turned, torch.randint(0, 2, turned.shape), multilabel=True)
    # an infinite loss of what weighs nothing
    weights = torch.tensor([0.0, 1.5], dtype=torch.float64)
    yield proper_scores(torch.tensor([-math.inf, 2.0]), torch.tensor([1, 1]), weights=weights)
    yield proper_scores(torch.tensor([[-math.inf, 2.0], [0.5, 3.0]]), torch.tensor([0, 1]), weights=weights)
    # the only score that says that all are logits comes last, so late that others look for it; or it does not count
    late, target = torch.rand(18_000), torch.randint(0, 2, (18_000,))
    late[-1] = 1.5
    yield proper_scores(late, target)
    target[-1] = 4
    yield proper_scores(late, target)
    yield proper_scores(late, target, ignore=4)
    classes = torch.rand(3000, 4)
    classes[-1, 2] = -0.5
    yield proper_scores(classes, torch.randint(0, 4, (3000,)))
    yield proper_scores(late[:0], target[:0])


def proper_scores_rows(preds, target, *args, rows=None, size=4, slicings=1, **options):
    given = proper_scores(preds, target, *args, **options)
    return with_rows(given, rows, size, slicings, "brier", "log_loss", "count")


def proper_scores_rows_cases():
    def one_each(target):
        """A row of its own for each element, so that no order of the additions gives other bits."""
        return torch.arange(target.numel()).reshape(1, *target.shape)

    for dtype in SCORES:
        for n in (1, 1100, 5003):
            target, valid = torch.randint(-1, 3, (n,)), mask((n,), "cpu")
            logits = (torch.randn(n) * 3).to(dtype)
            yield proper_scores_rows(torch.rand(n).to(dtype), target)
            yield proper_scores_rows(logits, target, slicings=2, ignore=-1)
            yield proper_scores_rows(logits, target, "b", size=2, logits=PROBABILITIES, valid=valid)
            yield proper_scores_rows(torch.rand(n).to(dtype), target.int(), "l", size=900, logits=LOGITS, faults=None)
            yield proper_scores_rows(rare(logits.clone()), target, ignore=-1, valid=valid)
        given = {"weights": weights_of((n,)), "rows": one_each(target), "size": n - 3}
        yield proper_scores_rows(logits, target, **given)
        # labels: some parts in a block, parts of several blocks, more samples side by side than a block has threads
        for shape in ((700, 3), (90, 300), (300, 4, 3), (3, 5, 700)):
            target, valid = torch.randint(-1, 3, shape), mask(shape, "cpu")
            yield proper_scores_rows(torch.rand(shape).to(dtype), target, multilabel=True, slicings=2)
            yield proper_scores_rows(torch.randn(shape).to(dtype), target, multilabel=True, size=50, valid=valid)
        # classes: a thread, a warp, planes
        for c, n in ((3, 700), (20, 150), (70, 40)):
            target, valid = torch.randint(-1, c + 1, (n,)), mask((n,), "cpu")
            yield proper_scores_rows(torch.rand(n, c).softmax(1).to(dtype), target, slicings=3)
            yield proper_scores_rows((torch.randn(n, c) * 3).to(dtype), target, ignore=-1, valid=valid)
            yield proper_scores_rows(rare(torch.rand(n, c)).to(dtype), target, "b", size=2, logits=PROBABILITIES)
            given = {"weights": weights_of((n,)), "rows": one_each(target), "size": n}
            yield proper_scores_rows(torch.randn(n, c).to(dtype), target, **given)
        image, target = torch.randn(2, 5, 4, 6).to(dtype), torch.randint(0, 5, (2, 4, 6))
        yield proper_scores_rows(image, target, rows=torch.tensor([[[[1]], [[3]]]]).byte().expand(1, 2, 4, 6))
    # sums of weights that are exact
    for shape, multilabel in (((4099,), False), ((60, 5, 7), True)):
        target, weights = torch.randint(0, 2, shape), eighths(shape)
        exact = torch.randint(0, 9, shape) / 8
        yield proper_scores_rows(exact, target, "b", multilabel, weights, size=2)
        yield proper_scores_rows(exact, target, "b", multilabel, weights, slicings=2, size=700)
    exact, weights = torch.randint(0, 9, (900, 4)) / 8, eighths((900,))
    yield proper_scores_rows(exact, torch.randint(0, 4, (900,)), "b", weights=weights)
    turned = torch.rand(40, 4, 3).transpose(0, 2)
    rows = torch.randint(0, 4, (40, 1, 3)).int().expand(40, 4, 3).transpose(0, 2)[None]
    yield proper_scores_rows(turned, torch.randint(0, 2, turned.shape), multilabel=True, rows=rows)
    # losses that have no parts, and those just below; what is infinite of what weighs nothing
    logits = torch.tensor([2.0**40, 2.0**32, 2.0**31, -(2.0**45), -(2.0**33), 3.0]).repeat(50)
    yield proper_scores_rows(logits, torch.tensor([0, 1]).repeat(150), size=2, slicings=2, logits=LOGITS)
    weights = torch.tensor([0.0, 1.5], dtype=torch.float64)
    rows = torch.zeros(1, 2, dtype=torch.int64)
    yield proper_scores_rows(torch.tensor([-math.inf, 2.0]), torch.tensor([1, 1]), weights=weights, rows=rows)
    # Brier scores of many classes that are all certain
    yield proper_scores_rows(torch.ones(70, 40), torch.full((70,), 3), "b", logits=PROBABILITIES)
    # the only score that says that all are logits comes last, so late that others look for it; or it does not count
    late, target = torch.rand(18_000), torch.randint(0, 2, (18_000,))
    late[-1] = 1.5
    yield proper_scores_rows(late, target)
    target[-1] = 4
    yield proper_scores_rows(late, target, size=1)
    classes = torch.rand(3000, 4)
    classes[-1, 2] = -0.5
    yield proper_scores_rows(classes, torch.randint(0, 4, (3000,)))
    # one row many times over, none, and no samples
    many = torch.ones(300, 1, dtype=torch.int64).expand(300, 70)
    yield proper_scores_rows(late[:70], target[:70], rows=many)
    yield proper_scores_rows(late[:70], target[:70], slicings=0)
    yield proper_scores_rows(late[:0], target[:0])


def large_calibration_cases():
    # more samples than the cells of a block may count
    yield calibration(torch.full((270_000,), 1 - 2**-24), torch.ones(270_000, dtype=torch.uint8), logits=PROBABILITIES)


def large_calibration_rows_cases():
    # likewise, because a row has each of them three times
    preds, target = torch.full((90_000,), 1 - 2**-24), torch.ones(90_000, dtype=torch.uint8)
    rows = torch.zeros(1, dtype=torch.uint8).expand(3, 90_000)
    yield calibration_rows(preds, target, rows=rows, size=1, logits=PROBABILITIES)


def large_proper_scores_cases():
    # more labels than the second stage has blocks; more samples side by side, and more rows, than all threads have
    yield proper_scores(torch.rand(2, 1030), torch.randint(0, 2, (2, 1030)), multilabel=True)
    yield proper_scores(torch.randn(1, 5, 60_000), torch.randint(-1, 2, (1, 5, 60_000)), multilabel=True)
    yield proper_scores(torch.randn(8300, 16), torch.randint(0, 16, (8300,)))
    yield proper_scores(torch.rand(8300, 16), torch.randint(0, 16, (8300,)))


def large_proper_scores_rows_cases():
    # more samples than the cells of a block may count, in a few slicings and in many
    for n, slicings in ((90_000, 3), (2100, 100)):
        rows, target = torch.zeros(1, dtype=torch.uint8).expand(slicings, n), torch.ones(n, dtype=torch.uint8)
        yield proper_scores_rows(torch.full((n,), 2.0**-24), target, rows=rows, size=1, logits=PROBABILITIES)
