# SPDX-License-Identifier: Apache-2.0
"""Formulas of intervals against scipy, statsmodels, and values that the package confidenceinterval printed."""

import numpy as np
import pytest
import torch
from scipy import special, stats

from fastmetrics.formulas import intervals

SHARES = [
    *((0, 10), (1, 10), (5, 10), (10, 10), (7, 33), (50, 100), (500, 1000), (999, 1000)),
    *((3, 10**6), (123_456, 10**6), (999_999, 10**6), (1_500, 10**8), (5 * 10**7, 10**8), (0, 1), (1, 1)),
]
SUCCESSES, TRIALS = (torch.tensor(column) for column in zip(*SHARES, strict=True))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_exact_intervals_are_quantiles_of_the_beta_distribution(level):
    low, high = intervals.clopper_pearson(SUCCESSES, TRIALS, level)
    k, n, tail = SUCCESSES.numpy(), TRIALS.numpy(), (1 - level) / 2
    expected_low = np.where(k == 0, 0.0, stats.beta.ppf(tail, np.maximum(k, 1), n - k + 1))
    expected_high = np.where(k == n, 1.0, stats.beta.ppf(1 - tail, k + 1, np.maximum(n - k, 1)))
    np.testing.assert_allclose(low.numpy(), expected_low, rtol=1e-8)
    np.testing.assert_allclose(high.numpy(), expected_high, rtol=1e-8)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_wilson_intervals_are_those_of_scipy(level):
    low, high = intervals.wilson(SUCCESSES, TRIALS, level)
    for i, (k, n) in enumerate(SHARES):
        expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")
        assert (low[i].item(), high[i].item()) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-15)


def test_proportions_are_those_of_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for method, interval in (("wilson", intervals.wilson), ("beta", intervals.clopper_pearson)):
        expected = proportion.proportion_confint(SUCCESSES.numpy(), TRIALS.numpy(), 0.1, method)
        for found, ends in zip(interval(SUCCESSES, TRIALS, 0.9), expected, strict=True):
            np.testing.assert_allclose(found.numpy(), ends, rtol=1e-8, atol=1e-12)


def test_without_trials_there_is_no_interval():
    for interval in (intervals.wilson, intervals.clopper_pearson):
        assert all(end.isnan().all() for end in interval(torch.tensor([0]), torch.tensor([0]), 0.95))


def test_intervals_keep_leading_dimensions():
    successes, trials = torch.arange(24).reshape(2, 3, 4), torch.tensor(30)
    for interval in (intervals.wilson, intervals.clopper_pearson):
        for end, flat in zip(interval(successes, trials, 0.95), interval(torch.arange(24), trials, 0.95), strict=True):
            torch.testing.assert_close(end, flat.reshape(2, 3, 4))


def test_the_incomplete_beta_function_is_that_of_scipy():
    sizes = torch.tensor([1.0, 2.0, 30.0, 900.0, 2000.0, 1e6, 3e7], dtype=torch.float64)
    a, b = (grid.reshape(-1) for grid in torch.meshgrid(sizes, sizes, indexing="ij"))
    mean = a / (a + b)
    for spreads in (-5, -1, 0, 0.5, 4):
        x = (mean + spreads * (mean * (1 - mean) / (a + b + 1)).sqrt()).clamp(1e-9, 1 - 1e-9)
        expected = special.betainc(a.numpy(), b.numpy(), x.numpy())
        np.testing.assert_allclose(intervals.incomplete_beta(a, b, x).numpy(), expected, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize(
    ("first", "second"), [(9, 3), (3, 9), (1, 0), (121, 59), (5, 5), (0, 40), (0, 0), (3000, 2900)]
)
def test_mcnemar_is_the_binomial_and_the_chi_squared_test(first, second):
    one, other = torch.tensor(first), torch.tensor(second)
    statistic, exact = intervals.mcnemar(one, other, exact=True)
    expected = stats.binomtest(min(first, second), first + second, 0.5).pvalue if first + second else 1.0
    assert exact.item() == pytest.approx(expected, rel=1e-8)
    assert statistic == min(first, second)
    statistic, p = intervals.mcnemar(one, other, exact=False)
    chi = max(abs(first - second) - 1, 0) ** 2 / max(first + second, 1)
    assert statistic.item() == pytest.approx(chi)
    assert p.item() == pytest.approx(stats.chi2.sf(chi, 1), rel=1e-9)


def test_mcnemar_is_that_of_statsmodels():
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for exact in (True, False):
        expected = tables.mcnemar([[10, 3], [9, 20]], exact=exact)
        statistic, p = intervals.mcnemar(torch.tensor(3), torch.tensor(9), exact)
        assert (statistic.item(), p.item()) == pytest.approx((expected.statistic, expected.pvalue))


def test_percentiles_are_quantiles_without_nans():
    values = torch.randn(1001, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values[::7, 1] = torch.nan
    values[:, 2] = torch.nan
    low, high = intervals.percentile(values, 0.9)
    expected = np.nanquantile(values[:, :2].numpy(), [0.05, 0.95], axis=0)
    np.testing.assert_allclose(torch.stack([low, high])[:, :2].numpy(), expected, rtol=1e-12)
    assert low[2].isnan()
    assert high[2].isnan()


def test_fisher_intervals_are_those_of_scipy():
    generator = np.random.default_rng(0)
    x = generator.normal(size=60)
    y = x + generator.normal(size=60)
    found = stats.pearsonr(x, y)
    expected = found.confidence_interval(0.9)
    ends = intervals.fisher(torch.tensor(found.statistic), torch.tensor(60.0).double(), 0.9)
    assert [end.item() for end in ends] == pytest.approx([expected.low, expected.high])
    assert all(end.isnan() for end in intervals.fisher(torch.tensor(0.5), torch.tensor(3.0), 0.9))
    assert [end.item() for end in intervals.fisher(torch.tensor(1.0), torch.tensor(9.0), 0.9)] == [1.0, 1.0]


def test_the_error_of_a_mean_is_that_of_scipy():
    terms = torch.rand(200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for weight in (1.0, 3.0):
        squares = torch.stack([terms.square().sum(), terms.sum(), torch.tensor(200.0).double()]) * weight**2
        error = intervals.error_of_mean(terms.mean(), torch.tensor(200 * weight).double(), squares)
        assert error.item() == pytest.approx(stats.sem(terms.numpy()), rel=1e-12)
    assert intervals.error_of_mean(*(torch.ones(n).squeeze().double() for n in (1, 1)), torch.ones(3).double()).isnan()


def delong_by_pairs(scores, labels):
    """The area and its standard error from all pairs."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative[None]).astype(float) + 0.5 * (positive[:, None] == negative[None])
    error = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    return wins.mean(), np.sqrt(error)


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_errors_of_areas_are_those_of_all_pairs(digits):
    generator = np.random.default_rng(digits)
    labels = generator.integers(0, 2, 300)
    scores = np.round(generator.normal(size=300) + labels, digits)
    values = np.unique(scores)[::-1]
    groups = [[((scores == v) & (labels == label)).sum() for v in values] for label in (1, 0)]
    area, error = intervals.area_error(*torch.tensor(groups))
    expected = delong_by_pairs(scores, labels)
    assert (area.item(), error.item()) == pytest.approx(expected, rel=1e-12)
    counted = torch.ones(300, dtype=torch.bool)
    share = intervals.area_placements(torch.tensor(scores), torch.tensor(labels == 1), counted)
    assert share.square().sum().sqrt().item() == pytest.approx(expected[1], rel=1e-12)
