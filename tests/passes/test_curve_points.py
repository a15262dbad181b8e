# SPDX-License-Identifier: Apache-2.0
"""Curves and points of them that the operators make of sorted scores, against their bodies, bit for bit."""

import math

import pytest
import torch

from fastmetrics.formulas import operating_points as points_of
from fastmetrics.formulas.curve_table import Sorted, curve_points_body, walk_scores_body
from fastmetrics.formulas.curves import (
    precision_recall_curves,
    precision_recall_curves_body,
    roc_curves,
    roc_curves_body,
)

SEARCHES = [
    (search, least)
    for search in (points_of.SPECIFICITY, points_of.SENSITIVITY, points_of.RECALL, points_of.PRECISION)
    for least in (0.0, 0.3, 0.5, 0.77, 0.999, 1.0, 1.1)
] + [(points_of.EQUAL_ERRORS, 0.0)]


def scores_of(kind, n, dtype):
    """Probabilities whose signs are labels, in columns: of both, positives alone, negatives alone, and none."""
    scores = torch.rand(n, 5)
    if kind == "ties":
        scores = (scores * 7).floor() / 8
    elif kind == "equal":
        scores = torch.full_like(scores, 0.25)
    elif kind == "ends":
        scores = torch.where(scores < 0.4, 0.0, torch.where(scores > 0.6, 1.0, scores))
    label = torch.rand(n, 5) < scores * 0.8 + 0.1
    label[:, 1], label[:, 2] = True, False
    scores = torch.where(label, scores, -scores).to(dtype)
    scores[torch.rand(n, 5) < 0.1] = torch.nan
    scores[:, 3] = torch.nan
    return scores


def labelled(scores):
    """The same, with labels of their own; scores of any sign."""
    labels = torch.where(scores.isnan(), -1, (~scores.signbit()).to(torch.int8)).to(torch.int8)
    return scores.abs() - 0.5, labels


def same_bits(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(found.signbit(), expected.signbit()) or bool(found.isnan().any())


def compare(found):
    points = found.points()
    values, labels, counts, blocks = points.scores
    expected, areas = (counts.clone(), torch.empty_like(blocks)), torch.empty_like(found.areas())
    walk_scores_body(values, labels, *expected, areas, False)
    assert torch.equal(counts, expected[0])
    assert torch.equal(blocks, expected[1])
    assert torch.equal(found.areas(), areas)

    tables = values.new_empty(points.total), *(counts.new_empty(points.total) for _ in range(2))
    curve_points_body(values, labels, counts, blocks, *tables)
    for name, table in zip(("thresholds", "tp", "fp"), tables, strict=True):
        assert torch.equal(getattr(points, name), table)

    def written(body, found, *more):
        to = [torch.empty_like(torch.cat(columns)) for columns in found]
        body(values, labels, counts, blocks, *to, *more)
        for columns, expected in zip(found, to, strict=True):
            same_bits(torch.cat(columns), expected)

    if points.total:
        written(roc_curves_body, roc_curves(points, torch.float32))
        for absent in (1.0, math.nan):
            made = precision_recall_curves(points, torch.float32, absent)
            written(precision_recall_curves_body, made, absent)
    for search, least in SEARCHES:
        found = [torch.zeros(len(values), 2, dtype=torch.int64) for _ in range(2)]
        thresholds = [values.new_zeros(len(values)) for _ in range(2)]
        points_of.find_points_(*points.scores, found[0], thresholds[0], search, least)
        points_of.find_points_body(*points.scores, found[1], thresholds[1], search, least)
        assert torch.equal(*found), (search, least)
        same_bits(*thresholds)


@pytest.mark.filterwarnings("ignore:No ")
@pytest.mark.parametrize("kind", ["uniform", "ties", "equal", "ends"])
@pytest.mark.parametrize("n", [1, 3, 1023, 1024, 1025, 5000])
def test_operators_and_their_bodies(kind, n):
    torch.manual_seed(n)
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        scores = scores_of(kind, n, dtype)
        compare(Sorted(scores))
        compare(Sorted(*labelled(scores)))
        compare(Sorted(scores[:, 3:4].contiguous()))  # of none alone
        if n > 1000:
            compare(Sorted(scores[:, :1].contiguous()))


@pytest.mark.filterwarnings("ignore:No ")
@pytest.mark.parametrize(("n", "columns", "dtype"), [(900_001, 1, torch.float32), (200_003, 5, torch.float64)])
def test_curves_of_many_points_are_streamed(n, columns, dtype):
    torch.manual_seed(n)
    found = Sorted(scores_of("uniform", n, dtype)[:, :columns].contiguous())
    assert found.points().total * (8 + dtype.itemsize) > 8 << 20
    compare(found)


@pytest.mark.parametrize("kind", ["uniform", "ties"])
def test_columns_that_threads_share(kind):
    compare(Sorted(scores_of(kind, 200_000, torch.float32)[:, :1]))


def test_whole_numbers_that_are_no_floats():
    """Rates are quotients of doubles then."""
    n = (1 << 24) + 5001
    scores = torch.where(torch.arange(n) % 3 == 0, 0.5, -0.5)
    scores[-5000:] = torch.rand(5000).neg()
    points = Sorted(scores[:, None]).points()
    tp, fp = points.tp.double(), points.fp.double()
    (fpr,), (tpr,), _ = roc_curves(points, torch.float32)
    (precision,), (recall,), _ = precision_recall_curves(points, torch.float32)
    assert torch.equal(fpr[1:], (fp / fp[-1]).float())
    assert torch.equal(tpr[1:], (tp / tp[-1]).float())
    assert torch.equal(precision[:-1].flip(0), (tp / (tp + fp)).float())
    assert torch.equal(recall[:-1].flip(0), (tp / tp[-1]).float())
