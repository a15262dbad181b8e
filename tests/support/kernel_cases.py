# SPDX-License-Identifier: Apache-2.0
"""Inputs for the kernels of each pass: every kernel and dtype, every tail, what is rare; as small as they can be."""

import math
import pickle
import pkgutil
import re
from importlib import import_module

import torch

from fastmetrics import passes
from fastmetrics.passes.binary import cutoffs
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.pairs import STATES, Parameters
from fastmetrics.passes.row_pairs import COSINE, JS, JS_LOG, KL, KL_LOG
from fastmetrics.passes.token_rows import ELSEWHERE, SKIPPED
from fastmetrics.passes.values import DROP, KEEP, REPLACE
from tests.support.case_inputs import SCORES, asked, eighths, rare, sums_of, weights_of
from tests.support.emulator import worker
from tests.support.group_cases import amounts_cases, groups_cases
from tests.support.passes import binary_inputs, mask, multiclass_states, pairs_states, zeros
from tests.support.score_cases import (
    calibration_cases,
    calibration_rows_cases,
    large_calibration_cases,
    large_calibration_rows_cases,
    large_proper_scores_cases,
    large_proper_scores_rows_cases,
    proper_scores_cases,
    proper_scores_rows_cases,
    score_keys_cases,
    score_keys_rows_cases,
    scores_cases,
    scores_kept_cases,
    scores_rows_cases,
    with_rows,
)

MULTICLASS_STATES = ("confusion", "counts", "ranks", "rank_histogram")


def multiclass(preds, target, which, c, samplewise=False, k=3, **options):
    """which: confusion m, counts c or their sums t, ranks r, histogram of ranks h, faults f."""
    confusion, counts, ranks, faults = multiclass_states(which, c, min(c, k), target.shape[0] if samplewise else None)
    if "t" in which:
        counts = torch.randint(0, 9, (1, 3))
    return "multiclass_", {
        "preds": preds,
        "target": target,
        "confusion": confusion,
        "counts": counts,
        "ranks": ranks,
        "rank_histogram": torch.randint(0, 9, (c,)) if "h" in which else None,
        "faults": faults,
        "num_classes": c,
        **asked(options),
    }


def multiclass_cases():
    # labels: wide loads of each type with tails, what is strided, the same label for all, one beyond the range
    for dtype, n in ((torch.int64, 4099), (torch.int32, 9001), (torch.uint8, 40_001), (torch.int16, 700)):
        for c, which in ((5, "mcf"), (70, "cf")):
            preds, target = (torch.randint(0, c + 1, (n,)).to(dtype) for _ in range(2))
            yield multiclass(preds, target, which, c, ignore=1, valid=mask((n,), "cpu") if c == 5 else None)
        # ignored labels that 32 bits, or 8 without a sign, do not hold
        yield multiclass(preds, target, "mf", 5, ignore=2**32 + 3)
        yield multiclass(preds, torch.where(target == 0, 255, target).to(dtype), "mf", 5, ignore=-1)
        target[torch.rand(n) < 0.9] = 2
        yield multiclass(target[1:], target[1:], "mf", 70)
        # pairs, counts or the diagonal of a great matrix in shared memory, with and without a mask
        for c, which in ((5, "mf"), (90, "cf"), (200, "mf"), (200, "mcf")):
            many = 40_001 if dtype is torch.uint8 or c > 100 else 9001
            preds, target = (torch.randint(0, min(c + 1, 256), (many,)).to(dtype) for _ in range(2))
            target = torch.where(torch.rand(many) < 0.5, preds, target)
            yield multiclass(preds, target, which, c, ignore=3)
            yield multiclass(preds, target, which, c, ignore=-1, valid=mask((many,), "cpu"))
    square = torch.randint(-1, 6, (8, 6, 10))
    yield multiclass(square.transpose(0, 2), square.flip(0).transpose(0, 2), "cf", 5, samplewise=True)
    yield multiclass(square[:, :4], square[:, 2:], "mcf", 5, valid=mask((10, 6, 8), "cpu").transpose(0, 2)[:, 2:])
    yield multiclass(torch.randint(0, 2, (3,)).bool(), torch.randint(0, 3, (3,)).to(torch.uint16), "mf", 2)
    # the whole square of the largest confusion matrix that shared memory takes, and one that it does not
    for c in (40, 200):
        yield multiclass(torch.randint(0, c, (7000,)), torch.randint(0, c, (7000,)), "mcf", c)
    # sums over all classes: wide loads of each type with tails, masks and strides
    for dtype, n in ((torch.int64, 9001), (torch.int32, 9001), (torch.uint8, 40_001), (torch.int16, 700)):
        for c, valid in ((5, None), (150, mask((n,), "cpu"))):
            preds, target = (torch.randint(0, c + 1, (n,)).to(dtype) for _ in range(2))
            target = torch.where(torch.rand(n) < 0.5, preds, target)
            yield multiclass(preds, target, "tf", c, ignore=1, valid=valid)
            yield multiclass(preds[1:], target[1:], "t", c + 1)
            yield multiclass(preds[::2], target[::2], "tf", c, ignore=2)


def multiclass_scores(dtype, c, n):
    """Dense rows with all that may be asked of them, and all that is rare."""
    scores = rare((torch.randn(n, c) * 2).round() / 2 if c < 50 else torch.randn(n, c)).to(dtype)
    for which, ignore in (("mcrf", None), ("cf", 0), ("rhf", -1)):
        if c < 1000 or which != "mcrf":
            valid = mask((n,), "cpu") if which == "rhf" else None
            yield multiclass(scores, torch.randint(-2, c + 2, (n,)), which, c, ignore=ignore, valid=valid)
    yield multiclass(scores, torch.randint(-2, c + 2, (n,)), "tf", c, ignore=0)


def multiclass_tiles_cases():
    # of an odd and an even length
    for dtype in SCORES:
        for c, n in ((3, 700), (6, 640)):
            yield from multiclass_scores(dtype, c, n)
    # more rows than the blocks of one multiprocessor have at a time
    for c, n in ((3, 8500), (4, 8500)):
        yield multiclass(torch.randn(n, c), torch.randint(0, c, (n,)), "crhf", c)
    target = torch.full((90,), 3)
    target[::7] = 2**32 + 3  # whose lower half is a class
    yield multiclass(torch.full((90, 4), -math.inf), target, "mcrf", 4)


def multiclass_score_rows_cases():
    for dtype in SCORES:
        # two lanes, half a warp on cards of several and of one multiprocessor, a warp and a block for a row
        for c, n in ((30, 900), (41, 300), (41, 70), (300, 19), (4100, 3)):
            yield from multiclass_scores(dtype, c, n)
        # rows that start anywhere
        yield multiclass(rare(torch.randn(40, 45)).to(dtype)[::2, 1:42], torch.randint(0, 41, (20,)), "crf", 41)
        yield multiclass(rare(torch.randn(900, 13)).to(dtype)[:, 1:12], torch.randint(-1, 12, (900,)), "mcf", 11)
    # more rows than the blocks of one multiprocessor have at a time
    for c, n in ((70, 900), (600, 70), (4100, 20)):
        yield multiclass(torch.randn(n, c), torch.randint(0, c, (n,)), "crhf", c)
    last = torch.randn(2, 6, 5, 7).contiguous(memory_format=torch.channels_last)
    yield multiclass(last, torch.randint(0, 6, (2, 5, 7)), "mrf", 6)


def multiclass_planes_cases():
    for dtype in SCORES:
        # one class after another far apart
        yield multiclass(rare(torch.randn(33, 90)).to(dtype).t(), torch.randint(0, 33, (90,)), "mcrf", 33)
        # images: neighbouring pixels in wide loads, and where they cannot be
        for height, width in ((12, 32), (5, 7)):
            image = rare((torch.randn(2, 6, height, width) * 2).round()).to(dtype)
            target = torch.randint(-1, 7, (2, height, width))
            valid = mask((2, height, width), "cpu")
            yield multiclass(image, target, "mcrhf", 6, ignore=-1)
            yield multiclass(image, target, "crf", 6, samplewise=True, valid=valid)
            yield multiclass(image, target, "cf", 6, samplewise=True)
            yield multiclass(image, target.to(torch.int32), "cf", 6, valid=valid)
            yield multiclass(image, target, "tf", 6, ignore=2, valid=valid)


def multiclass_weighted(preds, target, *args, weights=None, **options):
    """weights: drawn if None."""
    _, given = multiclass(preds, target, *args, **options)
    states = {name: None if given[name] is None else given[name].double() for name in MULTICLASS_STATES}
    weights = eighths(target.shape) if weights is None else weights
    return "multiclass_", {**given, **states, "weights": weights}


def multiclass_weighted_cases():
    # labels: cells in shared memory and too many for it, several rounds, one label for most samples, a mask, strides
    for dtype, c, which in ((torch.int64, 5, "mcf"), (torch.uint8, 40, "mcf"), (torch.int32, 70, "cf")):
        preds, target = (torch.randint(0, c + 1, (9001,)).to(dtype) for _ in range(2))
        yield multiclass_weighted(preds, target, which, c, ignore=1, valid=mask((9001,), "cpu") if c == 5 else None)
        target[torch.rand(9001) < 0.9] = 2
        yield multiclass_weighted(target, target.long(), "m", c)
    yield multiclass_weighted(torch.randint(0, 200, (700,)), torch.randint(0, 200, (700,)), "mcf", 200)
    square, weights = torch.randint(-1, 6, (8, 6, 10)), eighths((6, 8)).t()[:, :, None].expand(8, 6, 10)
    yield multiclass_weighted(square, square.flip(0), "mcf", 5, weights=weights)
    turned = [x.transpose(0, 2) for x in (square, square.flip(0), weights)]
    yield multiclass_weighted(*turned[:2], "cf", 5, samplewise=True, weights=turned[2])
    yield multiclass_weighted(square, square.flip(1), "cf", 5, weights=zeros(8, 6, 10, dtype=torch.float64))
    yield multiclass_weighted(square, square.flip(0), "tf", 5, ignore=1, weights=weights)
    yield multiclass_weighted(torch.randint(0, 200, (9001,)), torch.randint(0, 200, (9001,)), "t", 200)
    # scores: a thread, two lanes and a warp for a row; more rows than the blocks of one multiprocessor have at a time
    for dtype in SCORES:
        for c, n in ((3, 4500), (16, 75), (70, 900), (300, 60)):
            scores = rare((torch.randn(n, c) * 2).round() / 2 if c < 20 else torch.randn(n, c)).to(dtype)
            target = torch.randint(-2, c + 2, (n,))
            yield multiclass_weighted(scores, target, "mcrhf" if c < 20 else "crhf", c, valid=mask((n,), "cpu"))
            yield multiclass_weighted(scores, target, "mcf", c, ignore=0)
            yield multiclass_weighted(scores, target, "tf", c, ignore=1)
        scores = rare(torch.randn(40, 85)).to(dtype)[::2, 1:82]  # rows that start anywhere
        yield multiclass_weighted(scores, torch.randint(0, 81, (20,)), "crf", 81)
        image = rare((torch.randn(2, 6, 12, 32) * 2).round()).to(dtype)
        target, valid = torch.randint(-1, 7, (2, 12, 32)), mask((2, 12, 32), "cpu")
        yield multiclass_weighted(image, target, "mcrhf", 6, ignore=-1)
        yield multiclass_weighted(image, target, "crf", 6, samplewise=True, valid=valid)
        yield multiclass_weighted(image, target.to(torch.int32), "cf", 6, valid=valid)


def binary(preds, target, multilabel=False, decide=True, samplewise=False, faults=True, **options):
    labels = target.shape[1] if multilabel else 1
    cut = cutoffs(0.3, preds.dtype) if preds.is_floating_point() else (0.0, 0.0)
    return "binary_", {
        "preds": preds,
        "target": target,
        "counts": torch.randint(0, 9, (*((target.shape[0],) if samplewise else ()), labels, 4)),
        "faults": zeros(FAULTS) if faults else None,
        "probability_cutoff": cut[0],
        "logit_cutoff": cut[1],
        "ignored_decide": decide,
        **asked(options),
    }


def binary_cases():
    for dtype in (*SCORES, torch.int64, torch.uint8):
        for shape, multilabel in (((4096,), False), ((4099,), False), ((70, 3), True), ((9, 5, 32), True)):
            for kind, ignore in (("prob", None), ("logit", 3), ("nan", -1)):
                target = torch.randint(-1, 4, shape)
                valid = mask(shape, "cpu") if kind == "logit" else None
                preds = binary_inputs(shape, dtype, kind)
                yield binary(preds, target, multilabel, decide=kind != "nan", ignore=ignore, valid=valid)
        # every index of dimension 0 by itself: less than a warp of elements, and more
        for shape in ((300, 3, 4), (20, 2, 50)):
            preds = binary_inputs(shape, dtype, "logit")
            yield binary(preds, torch.randint(0, 3, shape), True, samplewise=True, valid=mask(shape, "cpu"))
            yield binary(preds.transpose(0, 2), torch.randint(0, 2, shape).transpose(0, 2), True, faults=False)
    # those of channels that are last
    shape = 7, 50, 3
    preds, target = torch.rand(shape).transpose(1, 2), torch.randint(-1, 2, shape).transpose(1, 2)
    yield binary(preds, target, True)
    # more labels, of indices that are apart, than the last block chooses for
    for kind in ("prob", "logit"):
        yield binary(binary_inputs((400, 3), torch.float32, kind), torch.randint(0, 3, (400, 3)), True, samplewise=True)
        yield binary(binary_inputs((9, 1100), torch.float32, kind), torch.randint(0, 3, (9, 1100)), True)
    turned = torch.rand(33, 3, 400).transpose(0, 2), torch.randint(0, 2, (33, 3, 400)).transpose(0, 2)
    yield binary(*turned, True, samplewise=True)
    # more labels than a block has threads
    yield binary(torch.rand(6, 300), torch.randint(0, 2, (6, 300)).to(torch.int8), True)
    yield binary(torch.rand(1), torch.zeros(1, dtype=torch.bool))


def binary_wide_cases():
    # neighbours, of each type of targets
    for dtype in SCORES:
        for target_dtype in (torch.int64, torch.int32, torch.int8, torch.uint8, torch.bool):
            for kind, least, ignore in (("prob", 0, None), ("logit", -1, None), ("nan", 0, 3), ("prob", 0, 2)):
                target = torch.randint(least, 4 if kind == "nan" else 3 if ignore else 2, (9001,)).to(target_dtype)
                if kind == "prob" and ignore is None:
                    target = target.clamp(0, 1)
                preds = binary_inputs((9001,), dtype, kind)
                preds[::50] = -0.0
                yield binary(preds, target, False, decide=kind != "nan", ignore=ignore)
    yield binary(torch.rand(20_000), torch.ones(20_000, dtype=torch.int64))
    # lines of a sample's own, of labels, and parts of longer ones
    for dtype in SCORES:
        yield from binary_of_lines(dtype, (2, 3, 2304), torch.int32)
    long = torch.rand(2, 2, 4096), torch.randint(-1, 2, (2, 2, 4096))
    yield binary(long[0][..., :2100], long[1][..., :2100], True)
    yield binary(long[0][..., :2100], long[1][..., :2100], True, samplewise=True, ignore=-1)


def binary_labels_cases():
    # neighbours of several labels, whose number and that of a pack have or have not a common divisor
    for dtype in SCORES:
        for labels, target_dtype in (
            (2, torch.int64),
            (3, torch.int32),
            (6, torch.uint8),
            (20, torch.int8),
            (256, torch.bool),
        ):
            for kind, least, ignore in (("prob", 0, None), ("logit", -1, None), ("nan", 0, 3), ("prob", 0, 2)):
                shape = 9001 // labels, labels
                target = torch.randint(least, 4 if kind == "nan" else 3 if ignore else 2, shape).to(target_dtype)
                if kind == "prob" and ignore is None:
                    target = target.clamp(0, 1)
                yield binary(binary_inputs(shape, dtype, kind), target, True, decide=kind != "nan", ignore=ignore)


def binary_of_lines(dtype, shape, target_dtype, together=True):
    """Lines of each sample and label, apart and also together."""
    for kind, ignore in (("prob", None), ("logit", 3), ("nan", -1)):
        target = torch.randint(0, 4 if kind == "logit" else 2, shape).to(target_dtype)
        target.view(-1)[::97] = 255 if kind == "nan" else 0
        preds = binary_inputs(shape, dtype, kind)
        yield binary(preds, target, True, samplewise=True, decide=kind != "nan", ignore=ignore)
        if together:
            yield binary(preds, target, True, ignore=ignore)


def binary_lines_cases():
    for dtype in SCORES:
        # few lines, which a warp has each, and many, in more than a round of the blocks
        for shape, target_dtype in (((9, 3, 8), torch.int64), ((70, 1, 43), torch.uint8), ((5, 2, 20), torch.int32)):
            yield from binary_of_lines(dtype, shape, target_dtype)
            yield from binary_of_lines(dtype, (300, 3, shape[2]), target_dtype, together=False)
    # those of labels that are apart
    preds, target = torch.rand(3, 700, 12).transpose(0, 1), torch.randint(-1, 2, (3, 700, 12)).transpose(0, 1)
    yield binary(preds, target, True, samplewise=True)


def many_binary_lines_cases():
    """Lines whose totals take more memory than a stream keeps."""
    yield binary(torch.rand(11_003, 8), torch.randint(0, 2, (11_003, 8)), samplewise=True)


def weighted(preds, target, *args, weights=None, **options):
    """weights: drawn if None."""
    _, given = binary(preds, target, *args, **options)
    weights = eighths(target.shape) if weights is None else weights
    return "binary_", {**given, "weights": weights, "counts": given["counts"].double()}


def groups(preds, target, of, num_groups, multilabel=False, **options):
    """of: the group of each sample, or those of several slicings."""
    _, given = binary(preds, target, multilabel, **options)
    rows = of if of.dim() > target.dim() else of[None]
    counts = sums_of(options.get("weights"), num_groups, target.shape[1] if multilabel else 1, 4)
    samples = torch.randint(0, 9, (num_groups,)) if options.get("weights") is None and num_groups != 9 else None
    return "binary_", {**given, "rows": rows, "counts": counts, "samples": samples}


def binary_cells_cases():
    # two rounds of the blocks of a multiprocessor; cells in as many replicas as there are threads, in some and in one,
    # and more than shared memory, or the batch, has room for
    for dtype in (*SCORES, torch.int64):
        for n, count in ((20_001, 1), (4099, 9), (40_000, 500), (600, 5000)):
            preds, target = binary_inputs((n,), dtype, "logit" if count == 9 else "prob"), torch.randint(-1, 3, (n,))
            of, valid = torch.randint(-1, count + 1, (n,)), mask((n,), "cpu")
            yield groups(preds, target, of, count, ignore=2 if count == 9 else None, valid=valid)
            if n < 40_000:
                yield groups(preds, target, of, count, ignore=-1, weights=eighths((n,)))
        for shape, multilabel in (((9001,), False), ((1500, 3), True), ((9, 5, 32), True)):
            for kind, ignore in (("prob", None), ("logit", 3), ("nan", -1)):
                preds, target = binary_inputs(shape, dtype, kind), torch.randint(-1, 4, shape)
                valid = mask(shape, "cpu") if kind == "logit" else None
                yield weighted(preds, target, multilabel, decide=kind != "nan", ignore=ignore, valid=valid)
        # every index of dimension 0 by itself, and what is strided
        for shape, multilabel in (((300, 3, 4), True), ((4, 5000), False)):
            preds, target = binary_inputs(shape, dtype, "logit"), torch.randint(0, 3, shape)
            yield weighted(preds, target, multilabel, samplewise=True, valid=mask(shape, "cpu"))
            turned = [x.transpose(0, -1) for x in (preds, target, eighths(shape))]
            yield weighted(*turned[:2], multilabel, weights=turned[2], faults=False)
            of = torch.randint(0, 5, (shape[-1], *(1 for _ in shape[1:]))).expand(turned[0].shape)
            yield groups(*turned[:2], of, 5, multilabel, valid=mask(tuple(of.shape), "cpu"))
            several = torch.randint(-1, 6, (3, *shape))
            yield groups(preds, target, several, 5, multilabel, ignore=1, valid=mask(shape, "cpu"))
            yield groups(preds, target, several[:2], 5, multilabel, weights=eighths(shape))
    # one group or one label for all, labels of other types
    n = 5000
    for dtype in (torch.bool, torch.uint8, torch.int32):
        of, target = torch.full((n,), 1).to(dtype), torch.randint(0, 2, (n,)).to(dtype)
        yield groups(target, target.flip(0), of, 2, faults=False)
        yield weighted(target, target.flip(0), weights=torch.full((1,), 0.5, dtype=torch.float64).expand(n))
    # one bad label before all bad groups, which are named first; nothing at all
    preds, target, of = (torch.ones(70, dtype=torch.int64) for _ in range(3))
    preds[3], of[[40, 60]] = 7, torch.tensor([-5, 9])
    yield groups(preds, target, of, 2)
    yield groups(preds[:0], target[:0], of[:0], 2)
    for shape in ((0, 3), (3, 0)):
        yield weighted(torch.rand(shape), torch.ones(shape).bool(), True)


def pairs(preds, target, which=tuple(STATES), outputs=1, **options):
    """which: the statistics that are asked for."""
    *states, faults = pairs_states(outputs)
    states = {name: state for name, state in zip(STATES, states, strict=True) if name in which}
    for name in states.keys() - {"moments", "extremes"}:
        states[name] += 2
    parameters = {"p": 1.0, "power": 0.0, "preds_threshold": 0.5, "target_threshold": 0.25}
    given = {"preds": preds, "target": target, **states, "faults": faults, "num_outputs": outputs}
    return "pairs_", given | parameters | options


def pairs_cases():
    # what loops over neighbours have, with and without moments
    simple = ("count", "moments", "squared_error", "absolute_error")
    for dtype in SCORES:
        for n in (1, 1023, 20_005):
            yield pairs((torch.randn(n) + 100).to(dtype), torch.randn(n).to(dtype), simple)
            yield pairs(torch.randn(n).to(dtype), torch.randn(n).to(dtype), ("count", "absolute_error"))
        x, y = (torch.randn(2050).to(dtype)[1:] for _ in range(2))  # not aligned
        yield pairs(x, y, ("squared_error",))
        yield pairs(x, y, simple)
        # all there is, of one output and of some side by side
        for shape, outputs in (((2500,), 1), ((700, 3), 3)):
            x, y = (torch.rand(shape).to(dtype) for _ in range(2))
            yield pairs(x, y, outputs=outputs, weights=weights_of(shape), p=3.0, power=1.5)
    # the domains of the deviances, with and without weights and masks
    for power in (-1.0, 0.0, 1.0, 2.0, 3.0):
        x, y = torch.randn(300).exp(), torch.randn(300).exp()
        for values in (x, y):
            values[torch.rand(300) < 0.05] = 0.0
            values[torch.rand(300) < 0.02] = -1.0
        yield pairs(x, y, ("deviance", "powered_error"), power=power, p=1.0 + (power == 2.0))
        weights, valid = weights_of(300), mask((300,), "cpu")
        yield pairs(x, y, ("deviance", "events"), power=power, weights=weights, valid=valid)
    # bad weights in several blocks, the first of them not in block 0
    weights = weights_of(9001)
    weights[:300] = 1.0
    yield pairs(torch.randn(9001), torch.randn(9001), ("count",), weights=weights)
    # outputs: more than a block has threads, some that are far apart, few after another
    for base, outputs in ((torch.randn(9, 300), 300), (torch.randn(20, 70).t(), 20), (torch.randn(3, 5, 9, 4), 4)):
        y = torch.rand(base.shape)
        weights, valid = weights_of(base.shape), mask(base.shape, "cpu")
        yield pairs(base, y.half(), ("count", "moments", "extremes", "log_cosh_error"), outputs)
        yield pairs(base, y, ("moments", "extremes", "squared_error"), outputs, weights=weights, valid=valid)
    yield pairs(torch.randn(2, 4500).t(), torch.rand(2, 4500).t(), ("count", "moments"), 2)
    # outputs whose parts are added by a few trees, and by a kernel of its own
    for n in (40, 80):
        yield pairs(torch.randn(n, 130), torch.rand(n, 130), ("count", "moments"), 130, weights=weights_of((n, 130)))
    for dtype in (torch.int64, torch.uint64, torch.bool, torch.int8):
        yield pairs(torch.randint(0, 2, (500,)).to(dtype), torch.randint(0, 99, (500,)).to(torch.uint8))
    yield pairs(rare(torch.randn(7, 9, 5)).permute(2, 0, 1), rare(torch.rand(5, 7, 9)), ("moments", "extremes"))
    # the operator of few statistics
    for dtype, options in ((torch.float32, {}), (torch.float64, {"weights": weights_of(700)})):
        operator, given = pairs(torch.randn(700).to(dtype), torch.randn(700).to(dtype), simple, **options)
        yield f"simple_{operator}", {name: value for name, value in given.items() if name not in Parameters._fields}


def pairs_rows(preds, target, which=tuple(STATES), outputs=1, rows=None, size=4, slicings=1, **options):
    given = pairs(preds, target, which, outputs, **options)
    return with_rows(given, rows, size, slicings, *STATES)


def one_each(shape, slicings=1):
    """A row of its own for each element and slicing, so that no order of the additions gives other bits."""
    n = math.prod(shape)
    return torch.stack([torch.randperm(n).reshape(shape) + k * n for k in range(slicings)])


def whole(*shape, offset=0):
    """Eighths, whose sums and those of their products are exact."""
    return torch.randint(-16, 17, shape) / 8 + offset


def pairs_rows_cases():
    simple = ("count", "moments", "squared_error", "absolute_error")
    # so many pairs a row that their means are exact, whichever of them is the pilot; one row in four is out of range
    for dtype in SCORES:
        for n, s in ((1, 4), (1024, 4), (1024, 512), *(((4096, 4), (8192, 4096)) if dtype == torch.float32 else ())):
            x, y, rows = whole(n, offset=100).to(dtype), whole(n).to(dtype), one_each((n,), 2) % s
            size = s - s // 4
            yield pairs_rows(x, y, simple, rows=rows[:1], size=size)
            yield pairs_rows(x, y, ("moments", "extremes"), rows=rows, size=size)
            yield pairs_rows(x, y, ("count", "absolute_error"), rows=rows, size=size, valid=mask((n,), "cpu"))
        yield pairs_rows(x, y, ("count", "squared_error"), weights=eighths(x.shape), slicings=2)
        yield pairs_rows(rare(torch.randn(300)).to(dtype), rare(torch.rand(300)), ("extremes",), size=9, slicings=2)
        # all there is, of one output and of some side by side
        for shape, outputs in (((900,), 1), ((200, 3), 3), ((40,), 1)):
            x, y = (torch.rand(shape).to(dtype) for _ in range(2))
            some = {"p": 3.0, "power": 1.5, "rows": one_each(shape, 2), "size": 1500}
            yield pairs_rows(x, y, outputs=outputs, weights=weights_of(shape), **some)
            yield pairs_rows(x, y, outputs=outputs, valid=mask(shape, "cpu"), **some)
    # far from 0, with hardly any spread, and the state elsewhere
    x, y, rows = whole(4096, offset=2.0**30), whole(4096, offset=-(2.0**30)), one_each((4096,)) % 4
    operator, given = pairs_rows(x.double(), y.double(), ("count", "moments"), rows=rows)
    yield operator, given
    held = torch.tensor([4.0, -5.0, 7.0, 2.0, 2.5, 0.5], dtype=torch.float64).expand(4, 1, 6).contiguous()
    yield operator, {**given, "moments": held}
    # the domains of the deviances, with and without weights and masks
    for power in (-1.0, 0.0, 1.0, 2.0, 3.0):
        x, y = torch.randn(300).exp(), torch.randn(300).exp()
        for value in (x, y):
            value[torch.rand(300) < 0.05] = 0.0
            value[torch.rand(300) < 0.02] = -1.0
        some = {"power": power, "rows": one_each((300,), 2), "size": 590}
        yield pairs_rows(x, y, ("deviance", "powered_error"), p=1.0 + (power == 2.0), **some)
        yield pairs_rows(x, y, ("deviance", "events"), weights=weights_of(300), valid=mask((300,), "cpu"), **some)
    # bad weights in several blocks, the first of them not in block 0
    weights = eighths(9001)
    weights[:300] = 1.0
    yield pairs_rows(torch.randn(9001), torch.randn(9001), ("count", "events"), weights=weights)
    # outputs that are far apart, and few after another; rows of neighbours, and of any strides and types
    for base, outputs in ((torch.randn(9, 300), 300), (torch.randn(20, 70).t(), 20), (torch.randn(3, 5, 9, 4), 4)):
        y, rows = torch.rand(base.shape), one_each(base.shape[:-1], 2).unsqueeze(-1).repeat_interleave(outputs, -1)
        weights, valid = weights_of(base.shape), mask(base.shape, "cpu")
        some = {"rows": rows, "size": rows[..., 0].numel() - 5}
        yield pairs_rows(base, y.half(), ("count", "moments", "extremes", "log_cosh_error"), outputs, **some)
        some |= {"weights": weights, "valid": valid}
        yield pairs_rows(base, y, ("moments", "extremes", "squared_error"), outputs, **some)
    x, y = whole(4, 4, 8, 4), whole(4, 4, 8, 4)
    of_image = torch.tensor([[0, 3, 1, 9], [2, 2, 0, 3]], dtype=torch.uint8).reshape(2, 4, 1, 1, 1)
    yield pairs_rows(x, y, ("count", "moments"), 4, rows=of_image.expand(2, 4, 4, 8, 4))
    x, y = whole(64, 32).t(), whole(64, 32).t()
    turned = (one_each((64, 32), 2) % 8).to(torch.int8).transpose(1, 2)
    yield pairs_rows(x, y, ("count", "moments"), rows=turned, size=7)
    for dtype in (torch.int64, torch.uint64, torch.bool, torch.int8):
        x, y = torch.randint(0, 2, (500,)).to(dtype), torch.randint(0, 99, (500,)).to(torch.uint8)
        yield pairs_rows(x, y, ("count", "absolute_target", "powered_error", "extremes"), p=2.0)
        yield pairs_rows(x, y, rows=one_each((500,)), size=500)
    # what is not finite
    yield pairs_rows(rare(torch.randn(700)), rare(torch.rand(700)), ("moments",), rows=one_each((700,)), size=699)
    for value in (math.inf, -math.inf, math.nan):
        x = whole(64)
        x[5] = value
        yield pairs_rows(x, whole(64), ("count", "moments"), rows=torch.arange(64).unsqueeze(0) % 8)
    # one row many times over, none, and no pairs
    many = torch.ones(256, 1, dtype=torch.int64).expand(256, 64)
    yield pairs_rows(whole(64), whole(64), simple, rows=many)
    yield pairs_rows(torch.randn(70), torch.rand(70), slicings=0)
    yield pairs_rows(torch.randn(0), torch.rand(0))


def values(given, nans=KEEP, **options):
    sums = {name: zeros(dtype=torch.float64) + 0.5 for name in ("sum", "weight", "minimum", "maximum")}
    return "values_", {"values": given, **sums, "faults": zeros(FAULTS), "nans": nans, "replacement": 2.5, **options}


def values_cases():
    for dtype in SCORES:
        for n, nans in ((1, KEEP), (1023, DROP), (20_005, REPLACE)):
            yield values(rare(torch.randn(n)).to(dtype), nans)
            yield values(torch.randn(n).to(dtype), nans)
        yield values(rare(torch.randn(2050)).to(dtype)[1:], DROP)  # not aligned
        finite = torch.randn(1023)
        finite[::50] = math.nan
        yield values(finite.to(dtype), DROP)
        weights = rare(torch.rand(700)).to(dtype)
        for nans in (KEEP, DROP, REPLACE):
            yield values(rare(torch.randn(700)).to(dtype), nans, weights=weights, valid=mask((700,), "cpu"))
    yield values(torch.randn(700), sum=None, maximum=None, faults=None)
    yield values(torch.randint(0, 99, (5, 7, 200)).transpose(0, 2), minimum=None, weights=torch.rand(200, 7, 5).half())
    yield values(torch.randint(0, 99, (30,)).bool(), valid=mask((1, 30), "cpu").t()[:, 0])


def values_rows(given, *args, rows=None, size=4, slicings=1, **options):
    operator, made = values(given, *args, **options)
    names = [name for name in ("sum", "weight", "minimum", "maximum") if made[name] is not None]
    operator, made = with_rows((operator, {"target": given, **made}), rows, size, slicings, *names)
    del made["target"]
    return operator, made


def values_rows_cases():
    for dtype in SCORES:
        for n, nans in ((1, KEEP), (1023, DROP), (9003, REPLACE)):
            given = whole(n).to(dtype)
            given[::50] = math.nan if nans != KEEP else -0.0
            yield values_rows(given, nans)
            yield values_rows(given, nans, size=900, slicings=2)
            yield values_rows(rare(torch.randn(n)).to(dtype), nans, sum=None)
            yield values_rows(rare(torch.randn(n)).to(dtype), nans, rows=one_each((n,), 2), size=2 * n - 1)
        weights = eighths((700,))
        for nans in (KEEP, DROP, REPLACE):
            some = {"valid": mask((700,), "cpu"), "slicings": 2}
            yield values_rows(whole(700).to(dtype), nans, weights=weights.nan_to_num(0.5, 2.0), **some)
            if nans != KEEP:
                yield values_rows(whole(700).to(dtype), nans, weights=weights.nan_to_num(math.nan, 2.0), **some)
        yield values_rows(rare(torch.randn(300)).to(dtype), KEEP, size=150, sum=None, weight=None)
    yield values_rows(whole(700), sum=None, maximum=None, faults=None)
    yield values_rows(whole(700), weight=None, minimum=None, size=90)
    yield values_rows(torch.randn(700), sum=None, weight=None, slicings=3)
    yield values_rows(whole(700), minimum=None, maximum=None)
    # on either side of 0, so that no order but that of numbers is right
    signs = torch.tensor([-0.0, 0.0, -1.0, 1.0, -2.0, -math.inf, 3.0, math.inf]).repeat(40)
    yield values_rows(signs, size=30, sum=None)
    image = torch.randint(0, 99, (5, 7, 200)).transpose(0, 2)
    of_image = torch.randint(-1, 5, (2, 200, 1, 1), dtype=torch.int16).expand(2, 200, 7, 5)
    weights = torch.randint(0, 9, (200, 7, 5)).half() / 8
    yield values_rows(image, minimum=None, weights=weights, rows=of_image)
    yield values_rows(torch.randint(0, 99, (30,)).bool(), valid=mask((1, 30), "cpu").t()[:, 0])
    many = torch.ones(300, 1, dtype=torch.int64).expand(300, 70)
    yield values_rows(whole(70), rows=many)
    yield values_rows(whole(70), slicings=0)
    yield values_rows(whole(0))


def row_pairs_cases():
    for types in (*((dtype, dtype) for dtype in SCORES), (torch.float32, torch.float64), (torch.int64, torch.uint8)):
        for figure in (COSINE, KL, KL_LOG, JS, JS_LOG):
            # a part of a warp, more than a warp, and more rows than the blocks of one multiprocessor have at a time
            for rows, columns in ((3, 5), (70, 40)):
                x, y = (torch.rand(rows, columns) + 0.1 for _ in range(2))
                if figure in (KL_LOG, JS_LOG):
                    x, y = x.log_softmax(1), y.log_softmax(1)
                    x[1, :2] = -math.inf
                elif figure == COSINE:
                    x, y = x - 0.6, rare(y)
                if not types[0].is_floating_point:
                    x, y = x.exp() * 4, y.exp() * 4
                x[-1] = 0
                given = {"preds": x.to(types[0]), "target": y.to(types[1]), "figure": figure}
                yield "row_pairs", given
        yield "row_pairs", given | {"preds": given["preds"].t().contiguous().t(), "target": given["target"].flip(0)}


def hinge(preds, target, classes=0, squared=False, one_vs_all=False, weights=None, **options):
    return "hinge_", {
        "preds": preds,
        "target": target,
        "weights": weights,
        "hinge": zeros(classes if one_vs_all else 1, dtype=torch.float64) + 3,
        "count": sums_of(weights),
        "faults": zeros(FAULTS),
        "squared": squared,
        "one_vs_all": one_vs_all,
        **asked(options),
    }


def hinge_cases():
    for dtype in SCORES:
        # a thread has a sample
        for scores in (torch.rand(700), rare(torch.randn(300))):
            shape = scores.shape
            yield hinge(scores.to(dtype), torch.randint(-1, 3, shape), ignore=0)
            yield hinge(scores.to(dtype), torch.randint(0, 3, shape), squared=True, weights=weights_of(shape))
        # a thread, and a warp, has a row; one class after another far apart
        for scores in (torch.rand(300, 3), torch.randn(80, 40), torch.randn(4, 20, 3, 5)):
            c, shape = scores.shape[1], (len(scores), *scores.shape[2:])
            target, valid = torch.randint(-1, c + 1, shape), mask(shape, "cpu")
            for one_vs_all in (False, True):
                yield hinge(scores.to(dtype), target, c, one_vs_all=one_vs_all, ignore=-1)
                yield hinge(scores.to(dtype), target, c, True, one_vs_all, weights_of(shape), valid=valid)
    yield hinge(torch.rand(700)[::7], torch.ones(100).bool(), squared=True)  # probabilities throughout
    for one_vs_all in (False, True):
        yield hinge(rare(torch.randn(60, 33)), torch.randint(0, 33, (60,)), 33, one_vs_all=one_vs_all)
        # logits because of one score, and more samples than a warp has lanes
        scores = torch.rand(600, 2)
        scores[-1, 1] = 2.0
        yield hinge(scores, torch.randint(0, 2, (600,)), 2, one_vs_all=one_vs_all)


def ranking(preds, target, which="apl", weights=None, **options):
    sums = ("coverage", "average_precision", "ranking_loss")
    return "ranking_", {
        "preds": preds,
        "target": target,
        "weights": weights,
        **{name: zeros(dtype=torch.float64) + 3 for name, letter in zip(sums, "apl", strict=True) if letter in which},
        "count": sums_of(weights),
        "faults": zeros(FAULTS),
        **asked(options),
    }


def ranking_cases():
    for dtype in (torch.float32, torch.float16, torch.float64):
        # a warp, and a block, has a row; ties
        for rows, labels in ((70, 1), (30, 7), (20, 40), (5, 300)):
            preds = rare((torch.randn(rows, labels) * 4).round() / 4).to(dtype)
            target = (torch.rand(rows, labels) < 0.3).long()
            yield ranking(preds, target)
            target[torch.rand(rows, labels) < 0.1 / labels] = 2
            weights, valid = weights_of((rows,)), mask((rows, labels), "cpu")
            yield ranking(preds, target, "ap", ignore=1 if labels < 9 else None, valid=valid)
            yield ranking(preds, target, "l", weights, ignore=0 if labels == 7 else -1, valid=valid)
        # a row of more labels than shared memory has room for on any card
        labels = 25_000 if dtype == torch.float64 else 45_000
        yield ranking(torch.randn(2, labels).to(dtype), (torch.rand(2, labels) < 1e-4).long())
    shape = (5, 6, 4, 3)
    yield ranking(torch.randn(shape).bfloat16().transpose(0, 3), torch.randint(0, 3, shape).transpose(0, 3))
    last, weights = torch.randn(shape).contiguous(memory_format=torch.channels_last), weights_of((5, 4, 3))
    yield ranking(last, torch.randint(0, 2, shape).bool(), "apl", weights, valid=mask(shape, "cpu"))


def exact_match(preds, target, classes=0, samplewise=False, weights=None, **options):
    cut = cutoffs(0.3, preds.dtype) if preds.is_floating_point() and classes == 0 else (0.0, 0.0)
    shape = (len(target),) if samplewise else ()
    return "exact_match_", {
        "preds": preds,
        "target": target,
        "weights": weights,
        "matched": sums_of(weights, *shape),
        "count": sums_of(weights, *shape),
        "faults": zeros(FAULTS),
        "num_classes": classes,
        "probability_cutoff": cut[0],
        "logit_cutoff": cut[1],
        **asked(options),
    }


def exact_match_cases():
    def inputs(scores, classes, share=0.01):
        """Scores, what they say, and a target that mostly agrees; a few of the labels are wrong."""
        labels = scores.argmax(1) if classes else (scores > 0.3).long()
        target = torch.where(torch.rand(labels.shape) < share, torch.randint(-1, 4, labels.shape), labels)
        return labels + (torch.rand(labels.shape) < share) * 2, target

    for dtype in SCORES:
        # labels of a sample, by a thread and by a warp, of logits and probabilities
        for drawn in (torch.rand(300, 3), torch.randn(20, 40), torch.rand(5, 20, 7), torch.randn(30, 4, 3)):
            scores = drawn.to(dtype)
            labels, target = inputs(scores, 0)
            weights, valid = weights_of((len(target), *target.shape[2:])), mask(target.shape, "cpu")
            for samplewise in (False, True):
                yield exact_match(scores, target, samplewise=samplewise, ignore=-1)
                yield exact_match(labels, target, 0, samplewise, weights, valid=valid)
        # classes of the places of a sample
        for drawn in (torch.rand(60, 3, 5), torch.randn(20, 4, 6, 7)):
            scores, c = rare(drawn).to(dtype), drawn.shape[1]
            labels, target = inputs(scores, c)
            weights, valid = weights_of(target.shape[:1]), mask(target.shape, "cpu")
            for samplewise in (False, True):
                yield exact_match(scores, target, c, samplewise, weights, ignore=1, valid=valid)
                yield exact_match(labels.transpose(1, -1), target.transpose(1, -1), c, samplewise)
    # more indices that are apart than the last block adds
    scores = torch.randn(1100, 2)
    yield exact_match(scores, inputs(scores, 0)[1], samplewise=True)


def token_rows_cases():
    def tokens(logits, entropy=True, rank=True, own=False, target=None):
        n, v = math.prod(logits.shape[:-1]), logits.shape[-1]
        if target is None:
            target = torch.randint(0, v, (n,))
            target[::3] = torch.tensor([v + 3, ELSEWHERE, SKIPPED]).repeat(n)[: len(target[::3])]
        mine = logits.flatten()[:n].double().contiguous() if own else None
        return "token_rows", {"logits": logits, "target": target, "entropy": entropy, "rank": rank, "own": mine}

    for dtype in SCORES:
        # a warp; a block, of odd rows; several blocks; without what costs more
        own = {"own": True}
        for n, v, given in ((19, 5, {}), (9, 300, own), (4, 5001, {"rank": False}), (3, 16_385, own)):
            logits = (torch.randn(n, v) * 4).to(dtype)
            yield tokens(logits, **given)
            yield tokens((logits * 2).round() / 2, False, own=True)
            logits[:, torch.rand(v) < 0.3] = -math.inf
            logits[n // 2, : v // 2] = -math.inf  # of a thread, or a block, that sees no others at first
            yield tokens(logits, v == 300, False)
        strange = torch.randn(60, 40)
        strange[::4], strange[1::4] = rare(strange[::4]), rare(strange[1::4])
        strange[7], strange[9, 3] = -math.inf, math.inf
        yield tokens(strange.to(dtype), target=torch.arange(60) % 44)
        # of any strides
        yield tokens(torch.randn(70, 6).to(dtype).t(), own=True)
        yield tokens(torch.randn(2, 9000, 3).to(dtype).transpose(1, 2))
        # the greatest comes last, far above the others
        late = torch.randn(2, 5000)
        late[0, -1], late[1, 4096] = 300.0, 90.0
        yield tokens(late.to(dtype))
    yield tokens(torch.randn(20, 2100))  # more rows than blocks
    yield tokens(torch.randn(3, 0), target=torch.tensor([-1, -2, 4]))


def multiclass_rows(preds, target, which, c, size=4, slicings=1, weights=None, samples=True, k=3, **options):
    """which: as of :func:`multiclass`; each statistic has ``size`` rows, and some rows of samples are out of range."""
    rows = torch.randint(-1, size + 1, (slicings, *target.shape))
    shapes = {"m": (c, c), "c": (c, 3), "t": (1, 3), "r": (c, min(c, k), 2), "h": (c,)}
    names = dict(zip("mcrht", (*MULTICLASS_STATES, "counts"), strict=True))
    states = {
        names[letter]: zeros(size, *shape, dtype=torch.int64 if weights is None else torch.float64)
        for letter, shape in shapes.items()
        if letter in which
    }
    if samples and weights is None:
        states["samples"] = torch.randint(0, 9, (size,))
    given = {"preds": preds, "target": target, "rows": rows, "weights": weights, "num_classes": c}
    return "multiclass_", {**given, **states, "faults": zeros(FAULTS) if "f" in which else None, **asked(options)}


def multiclass_rows_cases():
    for c, n in ((3, 1500), (20, 60)):
        labels, target, valid = torch.randint(-1, c + 1, (n,)), torch.randint(-1, c + 1, (n,)), mask((n,), "cpu")
        scores = rare((torch.randn(n, c) * 2).round())
        yield multiclass_rows(labels, target, "mcf", c)
        yield multiclass_rows(labels.int(), target, "cf", c, size=2, slicings=2, valid=valid, ignore=-1)
        yield multiclass_rows(labels, target, "mcf", c, weights=eighths((n,)), ignore=1)
        yield multiclass_rows(labels, target, "tf", c, size=2, slicings=2, valid=valid, ignore=-1)
        yield multiclass_rows(labels, target, "tf", c, size=90, weights=eighths((n,)), ignore=1)
        yield multiclass_rows(scores, target, "tf", c)
        yield multiclass_rows(scores, target, "mcrhf", c, size=2)
        yield multiclass_rows(scores.half(), target, "mcrh", c, size=90, slicings=3, valid=valid)  # more than the batch
        yield multiclass_rows(scores.double(), target, "rhf", c, size=2, weights=eighths((n,)))
    for dtype in SCORES:
        image = rare(torch.randn(2, 4, 6, 5)).to(dtype)
        yield multiclass_rows(image, torch.randint(-1, 5, (2, 6, 5)), "crhf", 4, samples=False)
    # several blocks, each with labels and groups out of range
    labels, target = torch.randint(-1, 4, (9001,)), torch.randint(-1, 4, (9001,))
    yield multiclass_rows(labels, target, "mcf", 3)
    yield multiclass_rows(labels, target, "cf", 3, weights=eighths((9001,)))
    yield multiclass_rows(torch.full((9, 17), -math.inf), torch.full((9,), 3), "mrf", 17)
    turned = torch.randint(0, 3, (6, 7)).t()
    yield multiclass_rows(turned, turned.flip(0), "mcf", 3, slicings=2)


def large_binary_wide_cases():
    # more long lines than the last block chooses for
    preds, target = torch.rand(1030, 2048), torch.randint(0, 2, (1030, 2048)).to(torch.uint8)
    preds[-1, -1] = 2.0
    yield binary(preds, target, False, samplewise=True)


def large_pairs_cases():
    # more outputs, and more parts of one, than the second stage has blocks and threads
    yield pairs(torch.randn(2, 1030), torch.rand(2, 1030), ("count", "moments"), 1030)
    yield pairs(torch.randn(1_060_000).half(), torch.zeros(1_060_000).half(), ("count", "absolute_error"))


def large_hinge_cases():
    # more classes than the second stage has blocks
    yield hinge(torch.rand(2, 1030), torch.randint(0, 1030, (2,)), 1030, one_vs_all=True)


def large_ranking_cases():
    # more rows than all blocks have at a time
    yield ranking(torch.randn(8200, 2), torch.randint(0, 2, (8200, 2)).to(torch.uint8))


def large_exact_match_cases():
    # likewise
    target = torch.randint(0, 2, (8200, 16), dtype=torch.uint8)
    yield exact_match(target ^ (torch.rand(target.shape) < 0.01), target)
    yield exact_match(target ^ (torch.rand(target.shape) < 0.01), target, samplewise=True)


CASES = {
    "binary": binary_cases,
    "binary_wide": binary_wide_cases,
    "binary_labels": binary_labels_cases,
    "binary_lines": binary_lines_cases,
    "many_binary_lines": many_binary_lines_cases,
    "binary_cells": binary_cells_cases,
    "multiclass": multiclass_cases,
    "multiclass_tiles": multiclass_tiles_cases,
    "multiclass_score_rows": multiclass_score_rows_cases,
    "multiclass_planes": multiclass_planes_cases,
    "multiclass_weighted": multiclass_weighted_cases,
    "pairs": pairs_cases,
    "pairs_rows": pairs_rows_cases,
    "values": values_cases,
    "values_rows": values_rows_cases,
    "row_pairs": row_pairs_cases,
    "hinge": hinge_cases,
    "ranking": ranking_cases,
    "exact_match": exact_match_cases,
    "scores": scores_cases,
    "scores_rows": scores_rows_cases,
    "score_keys": score_keys_cases,
    "score_keys_rows": score_keys_rows_cases,
    "scores_kept": scores_kept_cases,
    "calibration": calibration_cases,
    "calibration_rows": calibration_rows_cases,
    "proper_scores": proper_scores_cases,
    "proper_scores_rows": proper_scores_rows_cases,
    "token_rows": token_rows_cases,
    "multiclass_rows": multiclass_rows_cases,
    "groups": groups_cases,
    "amounts": amounts_cases,
}
# What takes long: not for sanitizers and planted bugs.
LARGE = {
    "binary_wide": large_binary_wide_cases,
    "pairs": large_pairs_cases,
    "hinge": large_hinge_cases,
    "ranking": large_ranking_cases,
    "exact_match": large_exact_match_cases,
    "calibration": large_calibration_cases,
    "calibration_rows": large_calibration_rows_cases,
    "proper_scores": large_proper_scores_cases,
    "proper_scores_rows": large_proper_scores_rows_cases,
}


def launcher(name):
    """The source that launches the kernels of a pass, as :func:`build.launchers` names it."""
    if name in ("hinge", "ranking", "exact_match"):
        return "rows"
    groups = ("calibration_rows", "proper_scores_rows", "scores_rows", "score_keys_rows")
    return name.removesuffix("_rows") if name in groups else name.removeprefix("many_")


def arguments(operator, given):
    """The arguments of an operator in order; an optional tensor that is not given is None."""
    schema = getattr(torch.ops.fastmetrics, operator).default._schema
    unknown = given.keys() - {a.name for a in schema.arguments}
    assert not unknown, unknown
    optional = {a.name: None for a in schema.arguments if isinstance(a.type, torch.OptionalType)}
    return [(optional | given)[a.name] for a in schema.arguments]


def clones(args):
    """Copies that lie as the tensors do: same strides, and as far from a multiple of 16 bytes."""

    def clone(a):
        if not isinstance(a, torch.Tensor):
            return a
        lies = worker.elements(a)
        memory = torch.empty(len(lies) + 32, dtype=a.dtype)
        begin = (a.data_ptr() - memory.data_ptr()) % 16 // a.itemsize
        memory[begin : begin + len(lies)] = lies
        return memory[begin : begin + len(lies)].as_strided(a.shape, a.stride())

    return [clone(a) for a in args]


def expected(operator, args):
    """What the arguments are after the pure-torch body has run on copies of them; then what it returns, if anything."""
    body = f"{operator.removesuffix('_')}_body"
    modules = [import_module(f"fastmetrics.passes.{module.name}") for module in pkgutil.iter_modules(passes.__path__)]
    [function] = {getattr(module, body) for module in modules if hasattr(module, body)}
    args = clones(args)
    result = function(*args)
    return args if result is None else [*args, result]


def of_pass(name, cases=CASES):
    """(operator, arguments, what :func:`expected` says) of every case of a pass."""
    torch.manual_seed(0)
    for operator, given in cases[name]():
        args = arguments(operator, given)
        yield operator, args, expected(operator, args)


def encoded(cases):
    """Cases for emulator/worker.py."""
    found = []
    for operator, args, after in cases:
        given, expected = (
            [worker.encode(a) if isinstance(a, torch.Tensor) else a for a in some] for some in (args, after)
        )
        found.append((operator, given, expected))
    return pickle.dumps(found)


def few(name, module):
    """Of the cases of a pass those that run a kernel that no case before them has run, whatever the types."""
    seen = set()
    for operator, args, after in of_pass(name):
        module.take_launches()
        getattr(module, operator)(*clones(args))
        ran = {
            re.sub(r"\b(float|double|Half|BFloat16|void|long|int|unsigned char)\b", "T", k)
            for k, *_ in module.take_launches()
        }
        if not ran <= seen:
            yield operator, args, after
        seen |= ran
