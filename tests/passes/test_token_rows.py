# SPDX-License-Identifier: Apache-2.0
"""The token rows pass against its pure-torch body and exact logarithms."""

import itertools
import math

import mpmath
import pytest
import torch

from fastmetrics.passes import token_rows
from fastmetrics.passes.token_rows import ELSEWHERE, SKIPPED, TokenValues, token_rows_body

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
GREATEST, SUM, WEIGHTED, OWN, RANK = range(5)


def logits_of(n, v, dtype, device="cpu"):
    torch.manual_seed(n + v)
    return (torch.randn(n, v) * 5).to(dtype).to(device), torch.randint(0, v, (n,), device=device)


def compare(logits, target, entropy=True, rank=True, own=None):
    found, body = (f(logits, target, entropy, rank, own) for f in (token_rows, token_rows_body))
    exact = logits.dtype == torch.float64
    for row in (GREATEST, OWN, RANK):
        torch.testing.assert_close(found[row], body[row], rtol=0, atol=0, equal_nan=True)
    rtol = 1e-14 if exact else 1e-6
    torch.testing.assert_close(found[SUM], body[SUM], rtol=rtol, atol=0, equal_nan=True)
    # the least exponential of the kernel is not quite 0
    atol = 1e-290 if exact else 1e-6
    torch.testing.assert_close(found[WEIGHTED], body[WEIGHTED], rtol=rtol, atol=atol, equal_nan=True)
    return found


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("asked", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_rows(device, dtype, asked):
    # less than the lanes, a whole number of them, around a block and more than two
    for n, v in ((0, 4), (1, 1), (5, 3), (4, 16), (7, 100), (3, 4095), (2, 4096), (2, 4097), (2, 9001)):
        logits, target = logits_of(n, v, dtype, device)
        compare(logits, target, *asked)
        if n > 1:
            logits[0, : v // 2] = -math.inf
            target[1] = SKIPPED if n % 2 else v
            logits[-1] = logits[-1, 0]  # ties
            compare(logits, target, *asked)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_layouts(device, dtype):
    logits, target = logits_of(6, 5000, dtype, device)
    compare(logits.T.contiguous().T, target)
    compare(logits[:, ::3], target % 1600)
    compare(logits[::2], target[:3])
    compare(logits[:1].expand(6, -1), target)
    compare(logits.view(2, 3, 5000), target)
    compare(logits.view(2, 3, 5000)[:, :-1], target[:4])
    compare(logits.view(2, 3, 5000).transpose(0, 1), target)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_targets_that_are_elsewhere(device, dtype):
    """Ranks of parts add up to that of the whole, with ties on both sides, NaN, inf and -inf."""
    for v, cuts in ((9, (0, 2, 5, 9)), (9001, (0, 10, 4500, 9001))):
        logits, target = logits_of(64, v, dtype, device)
        logits = logits.round()
        logits[3, 0] = logits[4, v - 1] = math.nan
        logits[5, 1], logits[6, target[6]] = math.inf, math.nan
        logits[7, : v // 2] = logits[8, target[8]] = logits[9] = -math.inf
        whole = TokenValues(*token_rows_body(logits, target, True, True, None))
        rank, own = torch.zeros_like(whole.rank), whole.own
        for first, last in itertools.pairwise(cuts):
            place = torch.where(target < first, ELSEWHERE, target - first)
            found = TokenValues(*compare(logits[:, first:last].contiguous(), place, own=own))
            here = (target >= first) & (target < last)
            assert torch.equal(found.own[here].nan_to_num(), own[here].nan_to_num())
            assert (found.own[~here] == -math.inf).all()
            rank += found.rank
            unknown = TokenValues(*compare(logits[:, first:last], place))
            assert not unknown.rank[~here].any()
        assert torch.equal(rank, whole.rank)
    place[0] = SKIPPED
    assert compare(logits[:, first:last], place, own=own)[RANK, 0] == 0


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_logits_that_grow(device, dtype):
    """The greatest logit of those before is the reference, unless one is greater by more than that is good for."""
    for step in (0.5, 1.9, 2.1, 30.0):
        logits, target = logits_of(3, 20_000, dtype, device)
        logits = (logits / 5 + torch.arange(20_000, device=device) // 4000 * step).to(dtype)
        compare(logits, target)
        compare(logits.flip(1), target)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_has_no_softmax(device, dtype):
    for v in (5, 9001):
        for bad in (math.nan, math.inf):
            for place in (0, v // 2, v - 1):
                logits, target = logits_of(3, v, dtype, device)
                logits[1, place] = bad
                found = TokenValues(*compare(logits, target))
                assert found.sum.isnan().tolist() == [False, True, False]
        logits[1] = -math.inf
        found = TokenValues(*compare(logits, target))
        assert found.greatest[1] == found.own[1] == -math.inf
        assert found.sum[1] == 0


def test_sums_against_exact_ones():
    torch.manual_seed(0)
    for dtype, rel in ((torch.float64, 1e-14), (torch.float32, 1e-6)):
        for scale in (1e-3, 1.0, 30.0, 300.0):
            logits = (torch.randn(4, 300, dtype=torch.float64) * scale).to(dtype)
            found = TokenValues(*token_rows(logits, torch.zeros(4, dtype=torch.int64), True, False, None))
            for i, row in enumerate(logits.tolist()):
                terms = [(mpmath.exp(mpmath.mpf(x) - max(row)), mpmath.mpf(x) - max(row)) for x in row]
                assert mpmath.almosteq(found.sum[i].item(), sum(e for e, _ in terms), rel_eps=rel)
                weighted = sum(e * x for e, x in terms)
                assert mpmath.almosteq(found.weighted[i].item(), weighted, rel_eps=rel, abs_eps=rel)


def test_opcheck(device):
    pytest.importorskip("expecttest")  # opcheck needs it
    logits, target = logits_of(5, 40, torch.float32, device)
    torch.library.opcheck(torch.ops.fastmetrics.token_rows.default, (logits, target, True, True, None))
    for wrong in ((logits.long(), target), (logits, target.int()), (logits, target[:2])):
        with pytest.raises(RuntimeError):
            token_rows(*wrong, True, True, None)
