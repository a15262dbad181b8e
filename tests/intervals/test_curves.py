# SPDX-License-Identifier: Apache-2.0
"""Intervals of areas under curves: DeLong's, and the bootstrap over scores or their histogram."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from fastmetrics.classification import (
    BinaryAUROC,
    BinaryAveragePrecision,
    BinaryROC,
    MulticlassAUROC,
    MulticlassAveragePrecision,
    MultilabelAUROC,
    curve_intervals,
)
from tests.formulas.test_intervals import delong_by_pairs

L = 3
Z = stats.norm.ppf(0.975)


def scores(n=200, seed=0, columns=(), steps=None):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 2, (n, *columns), generator=generator)
    found = ((torch.randn(n, *columns, generator=generator) + 1.2 * target - 0.6) / 4 + 0.5).clamp(0, 1)
    return (found if steps is None else (found * steps).round() / steps), target


def filled(metric, batch, **keywords):
    metric.update(*batch, **keywords)
    return metric


@pytest.mark.parametrize("logits", [None, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
@pytest.mark.parametrize("steps", [None, 5])
def test_areas_have_delongs_interval(logits, dtype, steps):
    preds, target = scores(steps=steps)
    preds = preds.to(dtype)
    area, error = delong_by_pairs(preds.numpy(), target.numpy())
    metric = BinaryAUROC(logits=logits)
    for part in torch.arange(200).split(60):
        metric.update(preds[part], target[part])
    low, high = metric.interval()
    assert (low.item(), high.item()) == pytest.approx((area - Z * error, min(1, area + Z * error)), rel=1e-6)
    assert metric.compute().item() == pytest.approx(roc_auc_score(target, preds), rel=1e-6)


def test_it_is_that_of_confidenceinterval():
    """``confidenceinterval.roc_auc_score`` 1.0.5 printed these for the same scores."""
    generator = np.random.default_rng(5)
    target = generator.integers(0, 2, 120)
    preds = np.round(generator.normal(size=120) * 0.2 + 0.4 + 0.2 * target, 2).clip(0, 1).astype(np.float64)
    low, high = filled(BinaryAUROC(), (torch.tensor(preds), torch.tensor(target))).interval()
    assert (low.item(), high.item()) == pytest.approx(CONFIDENCEINTERVAL, abs=1e-5)


CONFIDENCEINTERVAL = (0.691255857968231, 0.858173081851105)


def test_a_histogram_has_the_interval_of_its_bins():
    preds, target = scores(500)
    steps = (preds * 64).floor() / 64
    histogram = filled(BinaryAUROC(thresholds=[i / 64 for i in range(65)]), (preds, target))
    area, error = delong_by_pairs(steps.numpy(), target.numpy())
    low, high = histogram.interval()
    assert ((high - low) / 2 / Z).item() == pytest.approx(error, rel=1e-5)
    assert ((high + low) / 2).item() == pytest.approx(histogram.compute().item(), abs=1e-6)
    assert histogram.compute().item() == pytest.approx(area, abs=2e-3)  # its curve has no point above all scores


def test_each_column_has_its_own_and_their_mean_one_of_all():
    preds, target = scores(150, columns=(L,))
    preds = (preds + preds[:, :1]) / 2  # what a sample has for all columns goes together
    low, high = filled(MultilabelAUROC(L, average=None), (preds, target)).interval()
    for i in range(L):
        alone = filled(BinaryAUROC(), (preds[:, i], target[:, i])).interval()
        torch.testing.assert_close(torch.stack([low[i], high[i]]), torch.stack(alone))
    generator = np.random.default_rng(0)
    for average in ("macro", "micro", "weighted"):
        metric = filled(MultilabelAUROC(L, average=average), (preds, target))
        low, high = metric.interval()
        draws = [roc_auc_score(target[i], preds[i], average=average) for i in generator.integers(0, 150, (700, 150))]
        assert ((high - low) / 2 / Z).item() == pytest.approx(np.std(draws), rel=0.1)
        assert ((high + low) / 2).item() == pytest.approx(metric.compute().item(), abs=1e-5)


def test_classes_against_all_others():
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, L, (200,), generator=generator)
    preds = (torch.randn(200, L, generator=generator) + torch.nn.functional.one_hot(target)).softmax(1)
    low, high = filled(MulticlassAUROC(L), (preds, target)).interval()
    draws = []
    numbers = np.random.default_rng(0)
    for drawn in numbers.integers(0, 200, (700, 200)):
        draws.append(roc_auc_score(target[drawn], preds[drawn], average="macro", multi_class="ovr"))
    assert ((high - low) / 2 / Z).item() == pytest.approx(np.std(draws), rel=0.1)
    more = torch.cat([preds, preds[:9]]), torch.cat([target, torch.full((9,), -1)])
    ignoring = filled(MulticlassAUROC(L, ignore_index=-1), more)
    assert ignoring.interval() == (low, high)


def resampled(value, preds, target, draws=1500):
    numbers = np.random.default_rng(3)
    found = [value(target[i], preds[i]) for i in numbers.integers(0, len(target), (draws, len(target)))]
    return np.quantile(found, [0.025, 0.975])


@pytest.mark.parametrize("steps", [None, 7])
def test_average_precision_is_resampled(steps):
    preds, target = scores(steps=steps)
    low, high = filled(BinaryAveragePrecision(), (preds, target)).interval(draws=20_000)
    expected = resampled(average_precision_score, preds.numpy(), target.numpy())
    assert (low.item(), high.item()) == pytest.approx(expected.tolist(), abs=0.012)


@pytest.mark.parametrize(
    ("kind", "several"), [(BinaryAveragePrecision, MulticlassAveragePrecision), (BinaryAUROC, MulticlassAUROC)]
)
def test_histograms_are_resampled(kind, several):
    preds, target = scores(300)
    metric = filled(kind(thresholds=20), (preds, target))
    low, high = metric.interval(method="bootstrap", draws=4000)
    again, values = kind(thresholds=20), []
    generator = torch.Generator().manual_seed(1)
    for _ in range(1000):
        drawn = torch.randint(0, 300, (300,), generator=generator)
        again.reset()
        again.update(preds[drawn], target[drawn])
        values.append(again.compute())
    expected = torch.stack(values).quantile(torch.tensor([0.025, 0.975]))
    assert (low.item(), high.item()) == pytest.approx(expected.tolist(), abs=0.012)
    each = filled(several(2, average=None, thresholds=20), (torch.stack([1 - preds, preds], 1), target))
    low_of_each, high_of_each = each.interval(method="bootstrap", draws=4000)
    assert (low_of_each[1].item(), high_of_each[1].item()) == pytest.approx((low.item(), high.item()), abs=0.01)


def test_many_distinct_scores_are_resampled_in_groups(monkeypatch):
    batch = scores(3000)
    exact = filled(BinaryAveragePrecision(), batch)
    monkeypatch.setattr(curve_intervals, "GROUPS", 10_000)
    expected = exact.interval(draws=1000)
    monkeypatch.setattr(curve_intervals, "GROUPS", 256)
    for found, end in zip(exact.interval(draws=1000), expected, strict=True):
        assert found.item() == pytest.approx(end.item(), abs=0.003)


def test_others_say_what_would_do():
    preds, target = scores(columns=(L,))
    for metric, batch in (
        (MultilabelAUROC(L, thresholds=9), (preds, target)),
        (MulticlassAveragePrecision(2), (preds[:, :2], target[:, 0])),
        (BinaryAUROC(max_fpr=0.5), (preds[:, 0], target[:, 0])),
        (BinaryROC(), (preds[:, 0], target[:, 0])),
    ):
        with pytest.raises(ValueError, match=rf"{type(metric).__name__} has no interval with these options"):
            filled(metric, batch).interval()
        assert metric.update_count == 1


def test_few_samples_of_a_kind_have_none():
    low, high = filled(BinaryAUROC(), (torch.tensor([0.1, 0.9, 0.5]), torch.tensor([0, 1, 1]))).interval()
    assert low.isnan()
    assert high.isnan()
