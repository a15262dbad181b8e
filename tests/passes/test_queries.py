# SPDX-License-Identifier: Apache-2.0
"""The passes of retrieval: kernels and bodies say the same, whatever the sizes, types, layouts and bad values."""

import pytest
import torch

from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.queries import (
    MEASURES,
    TIES,
    Asked,
    Measured,
    Rankings,
    keep_documents_,
    keep_documents_body,
    query_sums_,
    query_sums_body,
    query_values_body,
    rows_of,
)

# up to 256 documents are ordered by counting, from 4096 on by radix; 4096 are read at a time
SHAPES = [(0, 4), (3, 0), (1, 1), (7, 5), (40, 33), (5, 257), (2, 5000), (900, 20)]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]


CURVES = ("precision", "adaptive_precision", "recall", "curve_precision", "adaptive_curve_precision", "curve_recall")
# every measure at some numbers of documents, some of those at each of the first few, and many numbers of a sum
ALL = (
    *(Asked(measure, (0, 1, 3, 10)) for measure in MEASURES),
    *(Asked(measure, tuple(range(1, 9))) for measure in CURVES),
    *(Asked(measure, (2, 5, 3, 0, 4, 200)) for measure in MEASURES),
)


# of which the relevant documents alone are looked at, if they are few
GAINS = (Asked("normalized_dcg", (0, 1, 3, 10, 200, 2)),)


def rows(asked=ALL):
    return rows_of(asked, torch.device("cpu"))


def close(found, expected, what=""):
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9, msg=lambda text: f"{what}: {text}")


def batch(shape, dtype, grades, generator, rounded):
    """Scores with NaN among them, relevance with -1 among it, a mask, and weights with -1 among them."""
    preds = torch.randn(shape, generator=generator).to(dtype)
    if rounded:
        preds = preds.round()
    preds[torch.rand(shape, generator=generator) < 0.02] = torch.nan
    target = torch.randint(-1, grades, shape, generator=generator)
    valid = torch.rand(shape, generator=generator) < 0.8
    weights = torch.randint(-1, 4, shape[:1], generator=generator).double().unsqueeze(1).expand(shape)
    return preds, target, valid, weights


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("asked", [ALL, GAINS], ids=["all", "gains"])
def test_sums(shape, dtype, asked):
    generator = torch.Generator().manual_seed(sum(shape))
    for case, grades in enumerate((2, 5, 60)):
        preds, target, valid, weights = batch(shape, dtype, grades, generator, rounded=case == 1)
        if asked is GAINS:
            target *= torch.rand(shape, generator=generator) < 0.4
        target = target.to((torch.int64, torch.float64, torch.int16)[case])
        masks = (None, None) if case == 0 else (valid, weights)
        numbers = torch.randint(-3, 3, (preds.numel(),), generator=generator)
        for indexes in (None, numbers):
            how = Measured(TIES[(case + len(preds)) % 4], case == 1, (1.0, 0.5)[case % 2])
            sums = []
            for function in (query_sums_, query_sums_body):
                made = [torch.zeros(size, dtype=torch.float64) for size in (len(rows(asked)[0]), 3)]
                faults = torch.zeros(FAULTS, dtype=torch.int64)
                given = preds, target, indexes, *masks, *rows(asked), *made, faults
                function(*given, *how.options, -1, case == 2, case == 0)
                sums.append((*made, faults))
            assert torch.equal(sums[0][2], sums[1][2])
            for found, expected in zip(*sums, strict=True):
                close(found, expected, f"{grades} {how}")


@pytest.mark.parametrize("n", [0, 1, 7, 50, 400, 12000])
@pytest.mark.parametrize("ties", TIES)
def test_values_of_sorted_documents(n, ties):
    generator = torch.Generator().manual_seed(n)
    for case, queries in enumerate((1, max(1, n // 5), max(1, n // 300))):
        indexes = torch.randint(0, queries, (n,), generator=generator) * 2**61 - 2**62
        preds, target, *_ = (value[0] for value in batch((1, n), torch.float32, 4, generator, rounded=case == 1))
        target = target.clamp(min=0).float()
        if case == 2:
            indexes = indexes.sort().values
        kernel, body = Rankings(indexes, preds, target), Rankings(indexes, preds, target, True)
        for name in ("ids", "starts", "scores", "relevance"):
            assert torch.equal(getattr(kernel, name), getattr(body, name))
        how = Measured(ties, case == 2, (1.0, 0.3)[case % 2])
        found, totals = kernel.values(ALL, how)
        expected = torch.empty(len(body.ids), len(rows()[0]), dtype=torch.float64)
        of_body = torch.empty_like(totals)
        query_values_body(body.scores, body.relevance, body.starts, *rows(), expected, of_body, *how.options)
        close(totals, of_body)
        for asked, values, other in zip(ALL, found, expected.split([len(each.ks) for each in ALL], 1), strict=True):
            close(values, other, asked)


def test_numbers_up_to_that_of_the_greatest_query():
    rankings = Rankings(torch.tensor([3, 3, 1, 3]), torch.rand(4), torch.tensor([1.0, 0.0, 1.0, 1.0]))
    given = Asked("curve_recall", ()), Asked("recall")
    sized = rankings.sized(given)
    assert [each.ks for each in sized] == [(1, 2, 3), (0,)]
    (curve, recall), _ = rankings.values(sized, Measured())
    assert torch.equal(curve[:, -1:], recall)
    sums, counts = rankings.sums(sized, Measured(), torch.tensor([1.0, 3.0]).double())
    assert sums[2:].tolist() == [4, 4]
    assert counts.tolist() == [4, 0, 1]
    none = Rankings(torch.empty(0, dtype=torch.int64), torch.empty(0), torch.empty(0))
    assert none.sized(given)[0].ks == ()


def test_layouts():
    generator = torch.Generator().manual_seed(0)
    preds, target, valid, weights = batch((6, 10), torch.float32, 2, generator, rounded=False)
    columns = [value.t().contiguous().t() for value in (preds, target, valid)]
    rows = preds[::2, ::2], target[::2, ::2], valid[::2, ::2], weights[::2, ::2]
    for given in ((*columns, weights), rows):
        found = []
        for function in (keep_documents_, keep_documents_body):
            scores, relevance = (torch.empty(given[0].numel()) for _ in range(2))
            function(*given, scores, relevance, None, -1, True, True)
            found.append((scores, relevance))
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other, equal_nan=True, rtol=0, atol=0)


def test_the_same_bits_for_any_number_of_threads():
    preds, target = torch.rand(3000, 40), torch.randint(0, 2, (3000, 40))
    found, threads = [], torch.get_num_threads()
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            sums, counts = (torch.zeros(size, dtype=torch.float64) for size in (len(rows()[0]), 3))
            query_sums_(
                preds, target, None, None, None, *rows(), sums, counts, None, *Measured().options, 0, False, True
            )
            found.append(sums)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_the_operators_are_well_formed():
    ops = torch.ops.fastmetrics
    preds, target = torch.rand(3, 4), torch.randint(0, 2, (3, 4))
    asked = rows_of((Asked("recall", (0, 2)), Asked("auroc")), torch.device("cpu"))
    scores, relevance = torch.empty(12), torch.empty(12)
    torch.library.opcheck(
        ops.keep_documents_.default, (preds, target, None, None, scores, relevance, None, 0, False, True)
    )
    sums, counts = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    given = preds, target, None, None, None, *asked, sums, counts, None
    torch.library.opcheck(ops.query_sums_.default, (*given, *Measured().options, 0, False, True))
    starts, values = torch.tensor([0, 5, 12]), torch.empty(2, 3, dtype=torch.float64)
    totals = torch.empty(2, 2, dtype=torch.float64)
    sorted_scores = preds.flatten().sort(descending=True).values
    given = sorted_scores, target.flatten().float(), starts, *asked, values, totals
    torch.library.opcheck(ops.query_values_.default, (*given, *Measured().options))
    indexes = torch.tensor([0, 1, 2]).repeat(4)
    made = [torch.empty(12, dtype=torch.int64), torch.empty(13, dtype=torch.int64), torch.empty(12), torch.empty(12)]
    counts = torch.zeros(2, dtype=torch.int64)
    # the parts of the results that hold nothing are any memory
    torch.library.opcheck(
        ops.sort_queries_.default,
        (indexes, preds.flatten(), target.flatten().float(), *made, counts),
        test_utils=("test_schema", "test_faketensor"),
    )
    options = *given[5:], *Measured().options
    for wrong, match in (
        ((asked[0], torch.ones(3)), "ks must be int64"),
        ((asked[0], -asked[1]), "ks must be at least 0"),
        ((asked[0] + 5, asked[1]), "measures must be numbers of those that there are"),
        ((asked[0][:2], asked[1]), "ks must be int64"),
    ):
        with pytest.raises(RuntimeError, match=match):
            ops.query_values_(*given[:3], *wrong, *options)
    with pytest.raises(RuntimeError, match="starts must ascend"):
        ops.query_values_(*given[:2], torch.tensor([0, 50]), *asked, *options)
