# SPDX-License-Identifier: Apache-2.0
"""Rank correlations against SciPy and torchmetrics, and their operators against the bodies."""

import math

import pytest
import torch
import torchmetrics.functional.regression as their_functions
import torchmetrics.regression as theirs
from scipy import stats

import fastmetrics.regression as ours
from fastmetrics import functional
from fastmetrics.formulas.rank_correlation import (
    average_ranks,
    average_ranks_body,
    kendall,
    pair_order,
    pair_order_body,
    spearman,
)

pytestmark = pytest.mark.filterwarnings("ignore:Metric `SpearmanCorrcoef`")

DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int8,
    torch.uint8,
)


def columns(n, d, dtype, seed=0):
    """One with few ties and one with many; zeros of both signs are tied."""
    torch.manual_seed(seed)
    x, y = torch.randn(n, d) * 100, (torch.randn(n, d) * 2).round()
    x[: n // 10], y[n // 2 :] = 0.0, (x[n // 2 :] / 50).round()
    x[: n // 20] = -0.0
    return (x % 120).to(dtype), (y % 120).to(dtype) if dtype == torch.uint8 else y.to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operators(device, dtype):
    for n, d in ((0, 2), (1, 1), (2, 1), (3, 2), (64, 1), (65, 3), (1000, 2)):
        x, y = (v.to(device) for v in columns(n, d, dtype))
        assert torch.equal(average_ranks(x), average_ranks_body(x))
        assert torch.equal(pair_order(x, y), pair_order_body(x, y))
    strided = x.flip(0).T.contiguous().T[::3]
    assert torch.equal(average_ranks(strided), average_ranks(strided.contiguous()))
    assert torch.equal(pair_order(strided, y[::3]), pair_order(strided.contiguous(), y[::3].contiguous()))
    if dtype.is_floating_point:
        special = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, math.nan], device=device).to(dtype)[:, None]
        for ranks in (average_ranks, average_ranks_body):
            assert ranks(special).flatten().tolist() == [5.5, 4.0, 1.0, 2.5, 2.5, 5.5]
        assert torch.equal(pair_order(special, special.flip(0)), pair_order_body(special, special.flip(0)))


def test_operators_by_hand():
    x, y = torch.tensor([[1.0], [2.0], [2.0], [3.0]]), torch.tensor([[1.0], [3.0], [2.0], [2.0]])
    # pairs: (0,1) (0,2) (0,3) agree, (1,2) is tied in x, (1,3) disagrees, (2,3) is tied in y
    assert pair_order(x, y).tolist() == [[2, 4, 1, 1, 0, 0, 18, 18, 3, 3]]
    assert average_ranks(x).flatten().tolist() == [1, 2.5, 2.5, 4]


def test_opcheck():
    pytest.importorskip("expecttest")  # opcheck needs it
    x, y = columns(20, 2, torch.float32)
    torch.library.opcheck(torch.ops.fastmetrics.average_ranks.default, (x,))
    torch.library.opcheck(torch.ops.fastmetrics.pair_order.default, (x, y))


@pytest.mark.parametrize("n", [2, 3, 10, 300])
def test_scipy(n):
    for seed in range(3):
        x, y = (v.double() for v in columns(n, 2, torch.float32, seed))
        x[0], y[0] = 77.0, 77.0  # at least two different values
        for d in range(2):
            expected = stats.spearmanr(x[:, d], y[:, d]).statistic
            assert math.isclose(spearman(x, y)[d], expected, rel_tol=1e-12, abs_tol=1e-12)
            for variant in "bc":
                for alternative in ("two-sided", "less", "greater"):
                    if n == 2:
                        continue  # the variance of two samples with ties is 0 / 0
                    tau, p = kendall(x, y, variant, alternative)
                    expected = stats.kendalltau(
                        x[:, d], y[:, d], variant=variant, alternative=alternative, method="asymptotic"
                    )
                    assert math.isclose(tau[d], expected.statistic, rel_tol=1e-12, abs_tol=1e-12)
                    assert math.isclose(p[d], expected.pvalue, rel_tol=1e-9, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("SpearmanCorrCoef", "spearman_corrcoef", {}),
        ("KendallRankCorrCoef", "kendall_rank_corrcoef", {}),
        ("KendallRankCorrCoef", "kendall_rank_corrcoef", {"variant": "a", "t_test": True, "alternative": "less"}),
        ("KendallRankCorrCoef", "kendall_rank_corrcoef", {"variant": "b", "t_test": True, "alternative": "greater"}),
        ("KendallRankCorrCoef", "kendall_rank_corrcoef", {"variant": "c", "t_test": True}),
    ],
)
def test_torchmetrics(device, name, function, options):
    for outputs in (1, 3):
        mine, other = (getattr(m, name)(num_outputs=outputs, **options).to(device) for m in (ours, theirs))
        for seed in range(2):
            x, y = (v.to(device) for v in columns(40, outputs, torch.float32, seed))
            x, y = (x[:, 0], y[:, 0]) if outputs == 1 else (x, y)
            torch.testing.assert_close(mine(x, y), other(x, y), rtol=1e-5, atol=1e-6)
            value = getattr(functional, function)(x, y, **options)
            torch.testing.assert_close(value, getattr(their_functions, function)(x, y, **options), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(mine.compute(), other.compute(), rtol=1e-5, atol=1e-6)


def test_what_torchmetrics_rounds_or_ranks():
    x = torch.arange(100, dtype=torch.float64) * 1e-12 + 1.0
    metric, other = ours.SpearmanCorrCoef(), theirs.SpearmanCorrCoef()
    for m in (metric, other):
        m.update(x, x)
    assert metric.compute() == 1
    assert other.compute() == 0  # float32 makes all of them ties
    y = torch.arange(100_000.0)
    assert functional.kendall_rank_corrcoef(y, y) == 1  # theirs overflows int64 in its denominator
    for value in (torch.ones(5), torch.tensor([1.0, 2.0, math.nan, 3.0, 4.0])):
        expected = math.nan if value.isnan().any() else 0.0
        torch.testing.assert_close(
            functional.spearman_corrcoef(value, torch.arange(5.0)).item(), expected, equal_nan=True
        )
        assert functional.kendall_rank_corrcoef(value, torch.arange(5.0)).isnan()


def test_valid_and_memory_of_the_caller(device):
    x, y = (v.to(device) for v in columns(50, 2, torch.float32))
    valid = torch.arange(50, device=device) % 3 > 0
    for kind, function in (
        (ours.SpearmanCorrCoef, functional.spearman_corrcoef),
        (ours.KendallRankCorrCoef, functional.kendall_rank_corrcoef),
    ):
        metric = kind(num_outputs=2).to(device)
        expected = function(x[valid], y[valid])
        assert torch.equal(metric(x, y, valid=valid), expected)
        assert torch.equal(function(x, y, valid=valid), expected)
        preds = x.clone()
        metric.reset()
        metric.update(preds, y)
        preds.zero_()
        assert torch.equal(metric.compute(), function(x, y))
        with pytest.raises(ValueError, match="valid"):
            metric.update(x, y, valid=valid[:, None].expand(50, 2))
        with pytest.raises(TypeError):
            metric.update(x, y, weights=torch.ones(50))


def test_wrong_inputs_and_arguments():
    one, two = torch.randn(4), torch.randn(4, 2)
    for name in ("SpearmanCorrCoef", "KendallRankCorrCoef"):
        for outputs, batch in (
            (1, (one, two)),
            (1, (one, one[:3])),
            (1, (two, two)),
            (3, (two, two)),
            (2, (two[None], two[None])),
        ):
            kinds = []
            for module in (ours, theirs):
                with pytest.raises(Exception) as raised:
                    getattr(module, name)(num_outputs=outputs).update(*batch)
                kinds.append(raised.type)
            assert kinds[0] is kinds[1]
        for outputs in (0, 1.5):
            with pytest.raises(ValueError, match="num_outputs"):
                getattr(ours, name)(num_outputs=outputs)
    for module in (ours, theirs):
        with pytest.raises(TypeError, match="floating point"):
            module.SpearmanCorrCoef().update(one.long(), one.long())
        for wrong in ({"variant": "d"}, {"t_test": 1}, {"t_test": True, "alternative": None}):
            with pytest.raises(ValueError):
                module.KendallRankCorrCoef(**wrong)
        with pytest.raises(ValueError):
            module.KendallRankCorrCoef(t_test=True, alternative="more")
        with pytest.warns(UserWarning, match="will save all targets"):
            module.SpearmanCorrCoef()


def test_nothing_and_one_sample():
    for kind in (ours.SpearmanCorrCoef, ours.KendallRankCorrCoef):
        metric = kind()
        metric.update(torch.zeros(0), torch.zeros(0))
        assert metric.compute().isnan()
        metric.update(torch.ones(1), torch.ones(1))
        assert not metric.compute().isnan() or kind is ours.KendallRankCorrCoef
    tau, p = functional.kendall_rank_corrcoef(torch.zeros(0, 2), torch.zeros(0, 2), t_test=True)
    assert tau.shape == p.shape == (2,)
