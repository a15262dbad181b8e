# SPDX-License-Identifier: Apache-2.0
"""Inputs for the kernels over the groups of samples, and of amounts of theirs; see kernel_cases.py."""

import torch

from fastmetrics.passes.faults import FAULTS
from tests.support.passes import mask, zeros

TYPES = (torch.int64, torch.int32, torch.uint8, torch.int8, torch.bool)


def count_groups(rows, count, real=False, faults=True, **options):
    """rows: those of several slicings."""
    counts = torch.randint(0, 9, (count,), dtype=torch.float64 if real else torch.int64)
    return "count_groups_", {"rows": rows, "counts": counts, "faults": zeros(FAULTS) if faults else None, **options}


def place_groups(groups, size, slicings=1, slicing=0, start=0, faults=True, **options):
    """Rows of the slicings before this one are anything, and some of their samples have none."""
    rows = torch.randint(0, 99, (slicings, *groups.shape), dtype=torch.int32)
    rows[:, torch.rand(groups.shape) < 0.1] = -1
    given = {"groups": groups, "rows": rows, "slicing": slicing, "start": start, "size": size}
    return "place_groups_", {**given, "faults": zeros(FAULTS) if faults else None, **options}


def groups_cases():
    for dtype in TYPES:
        # rounds of four, and tails; a mask; what is strided
        for n in (1, 1023, 9001):
            least, most = (0, 2) if dtype == torch.bool else (0 if dtype == torch.uint8 else -1, 9)
            given, valid = torch.randint(least, most, (3, n)).to(dtype), mask((n,), "cpu")
            for real in (False, True):
                yield count_groups(given[:1], 7, real)
                yield count_groups(given, 7, real, valid=valid)
                yield count_groups(given[:2, ::3], 2, real, valid=mask((n,), "cpu")[::3])
            yield count_groups(given, 1, faults=False, valid=valid)
            yield place_groups(given[0], 7)
            yield place_groups(given[0], 7, 3, 2, 20, valid=valid)
            yield place_groups(given[0, ::2], 1, 2, 1, faults=False)
        # any layout, and a mask alone of it
        square = torch.randint(0, 2, (40, 60)).to(dtype)
        for of in (square.t(), square[:1].expand(40, 60).t(), square):
            valid = mask((40, 60), "cpu").t().contiguous().t() if of is square else None
            yield count_groups(of[None], 1, valid=valid)
            yield count_groups(torch.stack([of, of]).transpose(1, 2), 2, True)
            yield place_groups(of, 1, 2, 1, 3, valid=valid)
    # more groups than shared memory, or the batch, has room for
    for n, count in ((20_001, 500), (600, 5000), (40_000, 30_000)):
        many = torch.randint(-1, count + 1, (1, n))
        yield count_groups(many, count)
        yield count_groups(many.int(), count, True)
    # only the last slicing has groups out of range, one of which no 32 bits hold; only masked ones are
    of, valid = torch.zeros(2, 700, dtype=torch.int64), mask((700,), "cpu")
    of[1, [77, 500]] = torch.tensor([2**32, -5])
    yield count_groups(of, 3)
    yield place_groups(of[1], 3, 2, 1)
    of[1, ~valid] = 9
    of[1, valid] = 1
    yield count_groups(of, 3, valid=valid)
    yield place_groups(of[1], 3, valid=valid)
    yield count_groups(of[:, :0], 3)
    yield count_groups(of[:0], 3)
    yield place_groups(of[0, :0], 3)


def amounts(rows, count, numbers=1, real=False, cells=None):
    """rows: those of several slicings. Sums of the amounts are exact."""
    shape = (rows.shape[1],) if cells is not None else (rows.shape[1], numbers)
    given = torch.randint(-9, 9, shape)
    given = given.double() / 8 if real else given
    state = torch.randint(0, 9, (count, numbers)).to(given.dtype)
    return "add_amounts_", {"amounts": given, "rows": rows, "cells": cells, "state": state}


def amounts_cases():
    for dtype in TYPES:
        # rounds of four, and tails; what is strided
        for n in (1, 1023, 4500)[: 3 if dtype in TYPES[:2] else 2]:
            least, most = (0, 2) if dtype == torch.bool else (0 if dtype == torch.uint8 else -1, 9)
            rows, cells = torch.randint(least, most, (3, n)).to(dtype), torch.randint(-1, 6, (n,))
            for real in (False, True):
                yield amounts(rows[:1], 7, real=real)
                yield amounts(rows[:2, ::3], 7, 3, real)
                yield amounts(rows[:, ::2], 2, 5, real, cells[::2].contiguous())
    # more cells than shared memory, or the batch, has room for; whole numbers that no float has
    for n, count in ((5001, 500), (600, 5000)):
        many = torch.randint(-1, count + 1, (1, n))
        yield amounts(many, count, real=True)
        yield amounts(many.int(), count, 2)
    operator, given = amounts(torch.randint(0, 3, (1, 500)), 3)
    yield operator, {**given, "amounts": given["amounts"] + 2**60}
    of = torch.tensor([[0, 2**32, -5, 1]])
    yield amounts(of, 3)
    yield amounts(of[:, :0], 3)
    yield amounts(of[:0], 3, 2, True)
