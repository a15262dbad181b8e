# SPDX-License-Identifier: Apache-2.0
"""Inputs for the kernels of each pass: every kernel and dtype, every tail, what is rare; as small as they can be."""

import math
import pickle
import re
from importlib import import_module

import torch
from emulator import worker
from test_passes import binary_inputs, multiclass_states, zeros

from fastmetrics.passes import FAULTS
from fastmetrics.passes.binary import cutoffs

SCORES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def rare(scores):
    """Replace a few of the scores by what is not a number, infinite, or zero of either sign."""
    chance = torch.rand(scores.shape)
    for low, value in ((0.0, math.nan), (0.02, math.inf), (0.04, -math.inf), (0.06, -0.0), (0.08, 0.0)):
        scores[(chance > low) & (chance < low + 0.02)] = value
    return scores


def multiclass(preds, target, which, c, ignore=None, samplewise=False, k=3):
    confusion, counts, ranks, faults = multiclass_states(which, c, min(c, k), target.shape[0] if samplewise else None)
    return "multiclass_", {
        "preds": preds,
        "target": target,
        "confusion": confusion,
        "counts": counts,
        "ranks": ranks,
        "faults": faults,
        "num_classes": c,
        "ignore_index": 0 if ignore is None else ignore,
        "has_ignore_index": ignore is not None,
    }


def multiclass_cases():
    # labels: wide loads of each type with tails, what is strided, the same label for all, one beyond the range
    for dtype, n in ((torch.int64, 4099), (torch.int32, 9001), (torch.uint8, 40_001), (torch.int16, 700)):
        for c, which in ((5, "mcf"), (70, "cf")):
            preds, target = (torch.randint(0, c + 1, (n,)).to(dtype) for _ in range(2))
            yield multiclass(preds, target, which, c, ignore=1)
        target[torch.rand(n) < 0.9] = 2
        yield multiclass(target[1:], target[1:], "mf", 70)
    square = torch.randint(-1, 6, (8, 6, 10))
    yield multiclass(square.transpose(0, 2), square.flip(0).transpose(0, 2), "cf", 5, samplewise=True)
    yield multiclass(square[:, :4], square[:, 2:], "mcf", 5)
    yield multiclass(torch.randint(0, 2, (3,)).bool(), torch.randint(0, 3, (3,)).to(torch.uint16), "mf", 2)
    # the whole square of the largest confusion matrix that shared memory takes, and one that it does not
    for c in (40, 200):
        yield multiclass(torch.randint(0, c, (7000,)), torch.randint(0, c, (7000,)), "mcf", c)
    # scores: a tile, 8 lanes, a warp and a block for a row
    for dtype in SCORES:
        for c, n in ((3, 700), (16, 75), (70, 65), (300, 19), (4100, 3)):
            scores = rare((torch.randn(n, c) * 2).round() / 2 if c < 20 else torch.randn(n, c)).to(dtype)
            for which, ignore in (("mcrf", None), ("cf", 0), ("rf", -1)):
                if c < 1000 or which != "mcrf":
                    yield multiclass(scores, torch.randint(-2, c + 2, (n,)), which, c, ignore)
        # rows that start anywhere, and one class after another far apart
        yield multiclass(rare(torch.randn(40, 45)).to(dtype)[::2, 1:42], torch.randint(0, 41, (20,)), "crf", 41)
        yield multiclass(rare(torch.randn(33, 90)).to(dtype).t(), torch.randint(0, 33, (90,)), "mcrf", 33)
        # images: neighbouring pixels in wide loads, and where they cannot be
        for height, width in ((12, 32), (5, 7)):
            image = rare((torch.randn(2, 6, height, width) * 2).round()).to(dtype)
            target = torch.randint(-1, 7, (2, height, width))
            yield multiclass(image, target, "mcrf", 6, ignore=-1)
            yield multiclass(image, target, "crf", 6, samplewise=True)
            yield multiclass(image, target.to(torch.int32), "cf", 6)
    # more rows than the blocks of one multiprocessor have at a time
    for c, n in ((3, 4500), (40, 600), (4100, 20)):
        yield multiclass(torch.randn(n, c), torch.randint(0, c, (n,)), "crf", c)
    last = torch.randn(2, 6, 5, 7).contiguous(memory_format=torch.channels_last)
    yield multiclass(last, torch.randint(0, 6, (2, 5, 7)), "mrf", 6)
    yield multiclass(torch.full((90, 4), -math.inf), torch.full((90,), 3), "mcrf", 4)


def binary(preds, target, multilabel=False, ignore=None, decide=True, samplewise=False, faults=True):
    labels = target.shape[1] if multilabel else 1
    cut = cutoffs(0.3, preds.dtype) if preds.is_floating_point() else (0.0, 0.0)
    return "binary_", {
        "preds": preds,
        "target": target,
        "counts": torch.randint(0, 9, (*((target.shape[0],) if samplewise else ()), labels, 4)),
        "faults": zeros(FAULTS) if faults else None,
        "probability_cutoff": cut[0],
        "logit_cutoff": cut[1],
        "ignore_index": 0 if ignore is None else ignore,
        "has_ignore_index": ignore is not None,
        "multilabel": multilabel,
        "ignored_decide": decide,
    }


def binary_cases():
    for dtype in (*SCORES, torch.int64, torch.uint8):
        for shape, multilabel in (((4096,), False), ((4099,), False), ((70, 3), True), ((9, 5, 32), True)):
            for kind, ignore in (("prob", None), ("logit", 3), ("nan", -1)):
                target = torch.randint(-1, 4, shape)
                yield binary(binary_inputs(shape, dtype, kind), target, multilabel, ignore, decide=kind != "nan")
        # every index of dimension 0 apart: less than a warp of elements, and more
        for shape in ((300, 3, 4), (20, 2, 50)):
            preds = binary_inputs(shape, dtype, "logit")
            yield binary(preds, torch.randint(0, 3, shape), True, samplewise=True)
            yield binary(preds.transpose(0, 2), torch.randint(0, 2, shape).transpose(0, 2), True, faults=False)
    # more labels than a block has threads
    yield binary(torch.rand(6, 300), torch.randint(0, 2, (6, 300)).to(torch.int8), True)
    yield binary(torch.rand(20_000), torch.ones(20_000, dtype=torch.int64))
    yield binary(torch.rand(1), torch.zeros(1, dtype=torch.bool))


def pairs(preds, target, outputs=1, squared=True, absolute=True):
    return "pairs_", {
        "preds": preds,
        "target": target,
        "count": torch.tensor(3),
        "squared_error": zeros(outputs, dtype=torch.float64) + 2 if squared else None,
        "absolute_error": zeros(outputs, dtype=torch.float64) + 2 if absolute else None,
        "num_outputs": outputs,
    }


def pairs_cases():
    for dtype in SCORES:
        for n in (1, 1023, 8192, 40_005):
            yield pairs(torch.randn(n).to(dtype), torch.randn(n).to(dtype))
        yield pairs(torch.randn(2050).to(dtype)[1:], torch.randn(2050).to(dtype)[1:], squared=False)  # not aligned
        yield pairs(torch.randn(700, 3).to(dtype), torch.randn(700, 3), 3, absolute=False)
        yield pairs(torch.randn(300, 40).to(dtype).t(), torch.randn(40, 300), 300)
    for dtype in (torch.int64, torch.uint64, torch.bool, torch.int8):
        yield pairs(torch.randint(0, 2, (500,)).to(dtype), torch.randint(0, 99, (500,)).to(torch.uint8))
    yield pairs(torch.randn(7, 9, 5).permute(2, 0, 1), torch.randn(5, 7, 9))


CASES = {"binary": binary_cases, "multiclass": multiclass_cases, "pairs": pairs_cases}


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
    """What the arguments are after the pure-torch body has run on copies of them."""
    name = operator.removesuffix("_")
    args = clones(args)
    getattr(import_module(f"fastmetrics.passes.{name}"), f"{name}_body")(*args)
    return args


def of_pass(name, seed=0):
    """(operator, arguments, what they are after) of every case of a pass."""
    torch.manual_seed(seed)
    for operator, given in CASES[name]():
        args = arguments(operator, given)
        yield operator, args, expected(operator, args)


def encoded(cases):
    """Cases for emulator/worker.py."""
    found = []
    for operator, args, after in cases:
        pairs_of = [
            (worker.encode(a), worker.encode(b)[3]) if isinstance(a, torch.Tensor) else (a, a)
            for a, b in zip(args, after, strict=True)
        ]
        found.append((operator, [a for a, _ in pairs_of], [b for _, b in pairs_of]))
    return pickle.dumps(found)


def few(name, module):
    """Of the cases of a pass those that run a kernel that no case before them has run, whatever the types."""
    seen = set()
    for operator, args, after in of_pass(name):
        module.take_launches()
        getattr(module, operator)(*clones(args))
        ran = {
            re.sub(r"\b(float|double|Half|BFloat16|long|int|unsigned char)\b", "T", k)
            for k, *_ in module.take_launches()
        }
        if not ran <= seen:
            yield operator, args, after
        seen |= ran
