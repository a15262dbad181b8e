# SPDX-License-Identifier: Apache-2.0
"""Intervals of sums and moments by the delta method, and of correlations."""

import numpy as np
import pytest
import torch
from scipy import stats

from fastmetrics import MeanMetric, MetricCollection, SumMetric, regression
from fastmetrics.regression import (
    ConcordanceCorrCoef,
    ExplainedVariance,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogError,
    MinkowskiDistance,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    RelativeSquaredError,
    SymmetricMeanAbsolutePercentageError,
    TweedieDevianceScore,
    WeightedMeanAbsolutePercentageError,
)

N = 250
METRICS = [
    (MeanSquaredError, {}),
    (MeanSquaredError, {"squared": False}),
    (MeanAbsoluteError, {}),
    (MeanSquaredLogError, {}),
    (LogCoshError, {}),
    (MeanAbsolutePercentageError, {}),
    (SymmetricMeanAbsolutePercentageError, {}),
    (WeightedMeanAbsolutePercentageError, {}),
    (NormalizedRootMeanSquaredError, {}),
    (NormalizedRootMeanSquaredError, {"normalization": "std"}),
    (RelativeSquaredError, {}),
    (RelativeSquaredError, {"squared": False}),
    (R2Score, {}),
    (R2Score, {"adjusted": 2}),
    (ExplainedVariance, {}),
    (PearsonCorrCoef, {}),
    (ConcordanceCorrCoef, {}),
    (TweedieDevianceScore, {"power": 0.0}),
    (TweedieDevianceScore, {"power": 1.5}),
]
every_metric = pytest.mark.parametrize(("kind", "options"), METRICS, ids=lambda value: getattr(value, "__name__", None))


def pairs(n=N, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = 4 + torch.randn(n, generator=generator, dtype=torch.float64)
    preds = 0.8 * target + 1.5 + 0.6 * torch.randn(n, generator=generator, dtype=torch.float64)
    return preds.abs() + 0.1, target.abs() + 0.1


def filled(metric, batch, **keywords):
    metric.set_dtype(torch.float64)
    metric.update(*batch, **keywords)
    return metric


def error_of(metric):
    low, high = metric.interval(0.95, "delta")
    return (high - low) / (2 * stats.norm.ppf(0.975))


def jackknifed(kind, options, preds, target):
    """The standard error from the values without each of the pairs."""
    values = []
    for i in range(len(preds)):
        kept = torch.arange(len(preds)) != i
        values.append(filled(kind(**options), (preds[kept], target[kept])).compute())
    values = torch.stack(values)
    return ((len(preds) - 1) / len(preds) * (values - values.mean()).square().sum()).sqrt()


@every_metric
def test_errors_are_those_of_the_jackknife(kind, options):
    preds, target = pairs()
    metric = kind(**options, intervals=True)
    metric.set_dtype(torch.float64)
    for part in torch.arange(N).split(70):
        metric.update(preds[part], target[part])
    torch.testing.assert_close(metric.compute(), filled(kind(**options), (preds, target)).compute())
    torch.testing.assert_close(error_of(metric), jackknifed(kind, options, preds, target), rtol=0.04, atol=0)


@every_metric
def test_parts_in_any_order_and_offsets_of_data_give_one_interval(kind, options):
    preds, target = pairs()
    whole = filled(kind(**options, intervals=True), (preds, target))
    halves = [filled(kind(**options, intervals=True), (preds[i::2], target[i::2])) for i in range(2)]
    halves[1].merge_state(halves[0])
    torch.testing.assert_close(error_of(halves[1]), error_of(whole), rtol=1e-9, atol=0)
    assert torch.equal(whole.forward(preds, target), filled(kind(**options), (preds, target)).compute())


def test_moments_are_centred():
    preds, target = pairs()
    for kind in (PearsonCorrCoef, R2Score, ConcordanceCorrCoef):
        expected = error_of(filled(kind(intervals=True), (preds, target)))
        metric = kind(intervals=True)
        metric.set_dtype(torch.float64)
        for part in torch.arange(N).split(70):
            metric.update(preds[part] + 1e6, target[part] + 1e6)
        torch.testing.assert_close(error_of(metric), expected, rtol=1e-6, atol=0)


@every_metric
def test_weights_are_not_more_samples(kind, options):
    preds, target = pairs()
    alone = error_of(filled(kind(**options, intervals=True), (preds, target)))
    if options.get("adjusted"):
        return  # it depends on the total weight
    weighted = filled(kind(**options, intervals=True), (preds, target), weights=torch.full((N,), 3.0))
    of_samples = kind is ConcordanceCorrCoef  # its variances have N - 1
    torch.testing.assert_close(error_of(weighted), alone, rtol=1e-3 if of_samples else 1e-6, atol=0)
    valid = torch.arange(N) % 3 > 0
    masked = filled(kind(**options, intervals=True), (preds, target), valid=valid)
    left = filled(kind(**options, intervals=True), (preds[valid], target[valid]))
    torch.testing.assert_close(error_of(masked), error_of(left), rtol=1e-9, atol=0)


def test_a_negative_share_of_the_variance_lies_within_its_interval():
    generator = torch.Generator().manual_seed(0)
    preds, target = torch.randn(2, 400, generator=generator)
    metric = filled(ExplainedVariance(intervals=True), (preds, target))
    low, high = metric.interval()
    assert low < metric.compute() < high < 0
    near = filled(R2Score(intervals=True), (preds - preds.mean(), target - target.mean())).interval()
    assert torch.allclose(torch.stack([low, high]), torch.stack(near), atol=0.01)


def test_each_output_has_an_interval_and_their_mean_has_none():
    preds, target = (values.reshape(-1, 2) for values in pairs())
    for kind, options in (
        (MeanSquaredError, {"num_outputs": 2}),
        (PearsonCorrCoef, {"num_outputs": 2}),
        (R2Score, {"multioutput": "raw_values"}),
    ):
        low, high = filled(kind(**options, intervals=True), (preds, target)).interval()
        assert low.shape == high.shape == (2,)
        one = {} if kind is R2Score else {"num_outputs": 1}
        alone = filled(kind(**one, intervals=True), (preds[:, 1], target[:, 1])).interval()
        torch.testing.assert_close(torch.stack([low[1], high[1]]), torch.stack(alone))
    with pytest.raises(ValueError, match="R2Score: there is no interval of a mean over 2 outputs"):
        filled(R2Score(intervals=True), (preds, target)).interval()


def test_correlations_have_the_interval_of_scipy():
    preds, target = pairs()
    expected = stats.pearsonr(preds.numpy(), target.numpy()).confidence_interval(0.9)
    low, high = filled(PearsonCorrCoef(), (preds, target)).interval(0.9)
    assert (low.item(), high.item()) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_means_have_the_standard_error_of_scipy():
    values = pairs()[0]
    metric = MeanMetric(intervals=True)
    metric.set_dtype(torch.float64)
    for part in values.split(60):
        metric.update(part)
    half = stats.norm.ppf(0.975) * stats.sem(values.numpy())
    low, high = metric.interval()
    assert (low.item(), high.item()) == pytest.approx((values.mean().item() - half, values.mean().item() + half))
    weights = torch.rand(N, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    metric.reset()
    metric.update(torch.cat([values, torch.tensor([torch.nan])]), torch.cat([weights, torch.ones(1)]))
    mean = np.average(values, weights=weights)
    error = np.sqrt((weights.numpy() ** 2 * (values.numpy() - mean) ** 2).sum()) / weights.sum().item()
    equal = (weights.sum() ** 2 / weights.square().sum()).item()
    low, high = metric.interval()
    assert ((high - low) / 2).item() == pytest.approx(stats.norm.ppf(0.975) * error * np.sqrt(equal / (equal - 1)))


def test_others_say_what_would_do():
    batch = pairs()
    for metric, message in (
        (MeanSquaredError(), "`intervals=True` keeps the second moments"),
        (R2Score(), "`intervals=True` keeps the second moments"),
        (MeanMetric(), "`intervals=True` keeps the second moments of a mean"),
        (SumMetric(intervals=True), "sums grow with the data"),
        (MinkowskiDistance(3, intervals=True), "do not grow with the data"),
        (NormalizedRootMeanSquaredError("range", intervals=True), "no function of extremes"),
        (NormalizedRootMeanSquaredError("l2", intervals=True), "do not grow with the data"),
        (regression.SpearmanCorrCoef(), "keep the samples and resample them"),
    ):
        given = batch[:1] if isinstance(metric, (MeanMetric, SumMetric)) else batch
        with pytest.raises(ValueError, match=rf"{type(metric).__name__} has no interval .*{message}"):
            filled(metric, given).interval()
        assert metric.update_count == 1


def test_gradients_still_flow():
    preds, target = pairs()
    preds.requires_grad_()
    metric = MeanSquaredError(intervals=True)
    metric.set_dtype(torch.float64)
    metric(preds, target).backward()
    torch.testing.assert_close(preds.grad, 2 * (preds - target).detach() / N)
    expected = filled(MeanSquaredError(intervals=True), (preds.detach(), target))
    torch.testing.assert_close(error_of(metric), error_of(expected))


def test_members_of_a_collection_have_their_own():
    batch = pairs()
    collection = MetricCollection({"mse": MeanSquaredError(intervals=True), "mae": MeanAbsoluteError(intervals=True)})
    collection.update(*batch)
    for name, (low, high) in collection.interval().items():
        assert low < collection[name].compute() < high
