# SPDX-License-Identifier: Apache-2.0
"""How often intervals hold the true value, in simulations of which the true value is known from many samples."""

import pytest
import torch

from fastmetrics import MeanMetric
from fastmetrics.classification import (
    BinaryAUROC,
    BinaryAveragePrecision,
    BinaryF1Score,
    BinaryMatthewsCorrCoef,
    MulticlassAccuracy,
    MulticlassCohenKappa,
    MulticlassF1Score,
    MultilabelAUROC,
)
from fastmetrics.formulas import intervals
from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError, PearsonCorrCoef, R2Score
from fastmetrics.wrappers import PairedComparison

NOMINAL, LEAST, MOST = 0.95, 0.935, 0.965


def binary(n, generator):
    target = (torch.rand(n, generator=generator) < 0.35).long()
    return ((torch.randn(n, generator=generator) + 1.3 * target - 0.8) / 6 + 0.5).clamp(0, 1), target


def classes(n, generator, c=6):
    shares = torch.tensor([0.3, 0.25, 0.18, 0.12, 0.1, 0.05])
    target = torch.multinomial(shares, n, replacement=True, generator=generator)
    wrong = torch.where(torch.rand(n, generator=generator) < 0.6, (target + 1) % c, (target + 2) % c)
    return torch.where(torch.rand(n, generator=generator) < 0.75, target, wrong), target


def labels(n, generator):
    target = (torch.rand(n, 3, generator=generator) < 0.4).long()
    common = torch.randn(n, 1, generator=generator)
    return (torch.randn(n, 3, generator=generator) + common + 1.5 * target).sigmoid(), target


def pairs(n, generator):
    target = torch.randn(n, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, generator=generator, dtype=torch.float64)
    return 0.7 * target + 0.2 + 0.6 * noise, target


def values(n, generator):
    return (torch.rand(n, generator=generator, dtype=torch.float64).square(),)


def models(n, generator):
    first, target = classes(n, generator)
    other = torch.randint(0, 6, (n,), generator=generator)
    return first, torch.where(torch.rand(n, generator=generator) < 0.85, first, other), target


CASES = {
    "wilson": (lambda: MulticlassAccuracy(6, average="micro"), {}, classes, 400),
    "binary F1": (BinaryF1Score, {"draws": 500}, binary, 400),
    "binary MCC": (BinaryMatthewsCorrCoef, {"draws": 500}, binary, 400),
    "macro F1": (lambda: MulticlassF1Score(6, intervals=True), {"draws": 500}, classes, 800),
    "macro F1, margins": (lambda: MulticlassF1Score(6), {"draws": 500, "method": "margins"}, classes, 800),
    "kappa": (lambda: MulticlassCohenKappa(6, intervals=True), {"draws": 500}, classes, 800),
    "AUROC": (BinaryAUROC, {}, binary, 300),
    "AUROC of a histogram": (lambda: BinaryAUROC(thresholds=200), {}, binary, 300),
    "macro AUROC": (lambda: MultilabelAUROC(3), {}, labels, 300),
    "average precision": (BinaryAveragePrecision, {"draws": 500}, binary, 500),
    "MSE": (lambda: MeanSquaredError(intervals=True), {}, pairs, 500),
    "RMSE": (lambda: MeanSquaredError(squared=False, intervals=True), {}, pairs, 500),
    "MAE": (lambda: MeanAbsoluteError(intervals=True), {}, pairs, 500),
    "R2": (lambda: R2Score(intervals=True), {}, pairs, 2000),
    "Pearson": (PearsonCorrCoef, {}, pairs, 100),
    "Pearson, delta": (lambda: PearsonCorrCoef(intervals=True), {"method": "delta"}, pairs, 2000),
    "mean": (lambda: MeanMetric(intervals=True), {}, values, 200),
    "difference of macro F1": (lambda: PairedComparison(MulticlassF1Score(6)), {"draws": 500}, models, 600),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_nominal_95_per_cent_hold_93_and_a_half_to_96_and_a_half(name):
    kind, options, batch, n = CASES[name]
    generator = torch.Generator().manual_seed(2024)
    metric = kind()
    metric.update(*batch(1_000_000, generator))
    true = metric.compute()
    repeats, held = 1200, 0
    for seed in range(repeats):
        metric.reset()
        metric.update(*batch(n, generator))
        low, high = metric.interval(NOMINAL, **({**options, "seed": seed} if options else options))
        held += bool(low <= true <= high)
    assert LEAST <= held / repeats <= MOST


@pytest.mark.parametrize(("share", "trials"), [(0.5, 50), (0.2, 100), (0.9, 200), (0.99, 1000)])
def test_proportions_hold_what_they_say(share, trials):
    """Wilson's interval about as often as it says, in the mean over shares nearby; the exact one at least as often."""
    generator = torch.Generator().manual_seed(0)
    shares = share + (torch.rand(20_000, generator=generator, dtype=torch.float64) - 0.5) * 0.02 * (1 - share)
    successes = torch.binomial(torch.full_like(shares, trials), shares, generator=generator)
    low, high = intervals.wilson(successes, torch.tensor(trials), NOMINAL)
    assert LEAST <= ((low <= shares) & (shares <= high)).double().mean() <= MOST
    low, high = intervals.clopper_pearson(successes, torch.tensor(trials), NOMINAL)
    assert ((low <= shares) & (shares <= high)).double().mean() >= NOMINAL - 0.004
