# SPDX-License-Identifier: Apache-2.0
"""Intervals of metrics of decisions: proportions, and bootstraps from tables."""

import numpy as np
import pytest
import torch
from scipy import stats

from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryF1Score,
    BinaryPrecision,
    BinaryRecall,
    BinarySpecificity,
    MulticlassAccuracy,
    MulticlassCohenKappa,
    MulticlassConfusionMatrix,
    MulticlassExactMatch,
    MulticlassF1Score,
    MulticlassHammingDistance,
    MulticlassMatthewsCorrCoef,
    MulticlassRecall,
    MulticlassSpecificity,
    MultilabelF1Score,
    MultilabelPrecision,
    TopKAccuracy,
)

C = 5


def labels(n=400, seed=0, c=C):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, c, (n,), generator=generator)
    shifted = (target + torch.randint(1, 3, (n,), generator=generator)) % c
    return torch.where(torch.rand(n, generator=generator) < 0.7, target, shifted), target


def decisions(n=300, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, generator=generator)
    return scores, (torch.rand(n, generator=generator) < scores).long()


def filled(metric, batch):
    metric.update(*batch)
    return metric


def of_scipy(successes, trials, level, method):
    found = stats.binomtest(int(successes), int(trials)).proportion_ci(level, method=method)
    return found.low, found.high


@pytest.mark.parametrize("method", ["wilson", "exact"])
def test_binary_shares_are_proportions(method):
    scores, target = decisions()
    positive, actual = scores > 0.5, target == 1
    expected = {
        BinaryAccuracy: (positive == actual, torch.ones_like(actual)),
        BinaryPrecision: (positive & actual, positive),
        BinaryRecall: (positive & actual, actual),
        BinarySpecificity: (~positive & ~actual, ~actual),
    }
    for kind, (successes, trials) in expected.items():
        ends = filled(kind(), (scores, target)).interval(0.9, method)
        assert [end.item() for end in ends] == pytest.approx(
            of_scipy(successes.sum(), trials.sum(), 0.9, method), rel=1e-6
        )


@pytest.mark.parametrize(
    ("right", "of", "wilson", "exact"),
    [
        (7, 10, (0.39677814746114537, 0.8922087325936989), (0.3475471499400027, 0.9332604888222655)),
        (0, 25, (0.0, 0.13319225093904855), (0.0, 0.13718517153071255)),
        (480, 500, (0.9390264041651492, 0.9739592026102227), (0.9388973906117553, 0.9753986879144546)),
    ],
)
def test_shares_are_those_of_statsmodels(right, of, wilson, exact):
    """``proportion_confint`` of statsmodels 0.15.0, with ``method="wilson"`` and ``"beta"``, gave these."""
    target = (torch.arange(of) < right).long()
    metric = filled(BinaryAccuracy(), (torch.ones_like(target), target))
    for method, expected in (("wilson", wilson), ("exact", exact)):
        assert [end.item() for end in metric.interval(method=method)] == pytest.approx(expected, rel=1e-6)


#: What the functions of ``confidenceinterval`` 1.0.5 gave for the labels below, with ``method="wilson"``.
CONFIDENCEINTERVAL = {
    BinaryAccuracy: (0.7379908648282967, 0.8756969964398578),
    BinaryPrecision: (0.7077471971890396, 0.9080005462038102),
    BinaryRecall: (0.6479398895432649, 0.8615810950103779),
    BinarySpecificity: (0.7502543407837413, 0.922980516652793),
    ours.BinaryNegativePredictiveValue: (0.695808877745558, 0.8829482608358841),
}


def test_binary_shares_are_those_of_confidenceinterval():
    generator = np.random.default_rng(5)
    target = generator.integers(0, 2, 120)
    preds = np.where(generator.random(120) < 0.8, target, 1 - target)
    for kind, expected in CONFIDENCEINTERVAL.items():
        ends = filled(kind(), (torch.tensor(preds), torch.tensor(target))).interval()
        assert [end.item() for end in ends] == pytest.approx(expected, abs=1e-6)


def test_the_share_of_all_is_near_that_of_confidenceinterval():
    """Its ``f1_score`` of all classes together has a normal interval, by Takahashi et al., 2022."""
    generator = np.random.default_rng(5)
    generator.integers(0, 2, 120), generator.random(120)
    target = generator.integers(0, 4, 600)
    preds = np.where(generator.random(600) < 0.7, target, generator.integers(0, 4, 600))
    metric = filled(MulticlassF1Score(4, average="micro"), (torch.tensor(preds), torch.tensor(target)))
    assert [end.item() for end in metric.interval()] == pytest.approx((0.7310737, 0.7989263), abs=0.003)


def test_shares_of_each_class_and_of_all_are_proportions():
    preds, target = labels()
    low, high = filled(MulticlassRecall(C, average=None), (preds, target)).interval()
    for c in range(C):
        expected = of_scipy(((preds == c) & (target == c)).sum(), (target == c).sum(), 0.95, "wilson")
        assert (low[c].item(), high[c].item()) == pytest.approx(expected, rel=1e-6)
    right, n = (preds == target).sum(), len(target)
    low, high = of_scipy(right, n, 0.95, "wilson")
    of_all = {
        MulticlassAccuracy: (low, high),
        MulticlassF1Score: (low, high),
        MulticlassHammingDistance: (1 - high, 1 - low),
        MulticlassSpecificity: tuple(1 - (1 - end) / (C - 1) for end in (low, high)),
    }
    for kind, expected in of_all.items():
        for size in (C, None):  # no number of classes is known, or needed
            if size is None and kind is MulticlassSpecificity:
                continue
            ends = filled(kind(size, average="micro"), (preds, target)).interval()
            assert [end.item() for end in ends] == pytest.approx(expected, rel=1e-6)


def test_top_k_and_exact_matches_are_proportions():
    generator = torch.Generator().manual_seed(0)
    scores, target = torch.randn(200, C, generator=generator), torch.randint(0, C, (200,), generator=generator)
    hits = (scores.topk(2).indices == target.unsqueeze(1)).any(1)
    expected = of_scipy(hits.sum(), 200, 0.95, "wilson")
    for metric in (TopKAccuracy(C, k=2), MulticlassAccuracy(C, top_k=2, average="micro")):
        assert [end.item() for end in filled(metric, (scores, target)).interval()] == pytest.approx(expected, rel=1e-6)
    low, high = filled(TopKAccuracy(C, k=(1, 2), average=None), (scores, target)).interval()
    assert low.shape == high.shape == (2, C)
    of_class = of_scipy(hits[target == 3].sum(), (target == 3).sum(), 0.95, "wilson")
    assert (low[1, 3].item(), high[1, 3].item()) == pytest.approx(of_class, rel=1e-6)
    preds, target = (values.reshape(100, 4) for values in labels())
    rows = (preds == target).all(1).sum()
    ends = filled(MulticlassExactMatch(C), (preds, target)).interval(0.9, "exact")
    assert [end.item() for end in ends] == pytest.approx(of_scipy(rows, 100, 0.9, "exact"), rel=1e-6)


def test_samples_have_intervals_of_their_own():
    preds, target = (values.reshape(4, 100) for values in labels())
    low, high = filled(MulticlassRecall(C, average="micro", multidim_average="samplewise"), (preds, target)).interval()
    for i in range(4):
        alone = filled(MulticlassRecall(C, average="micro"), (preds[i], target[i])).interval()
        assert (low[i], high[i]) == alone


def resampled(metric, preds, target, draws=1500):
    """The percentile interval of samples that are drawn, one after the other."""
    generator = torch.Generator().manual_seed(9)
    values = []
    for _ in range(draws):
        drawn = torch.randint(0, len(target), (len(target),), generator=generator)
        metric.reset()
        metric.update(preds[drawn], target[drawn])
        values.append(metric.compute().double())
    return torch.stack(values).quantile(torch.tensor([0.025, 0.975]).double(), dim=0)


JOINT = [
    MulticlassF1Score(C),
    MulticlassF1Score(C, average="weighted"),
    MulticlassCohenKappa(C),
    MulticlassCohenKappa(C, weights="quadratic"),
    MulticlassMatthewsCorrCoef(C),
    MulticlassConfusionMatrix(C, normalize="true"),
    ours.MulticlassJaccardIndex(C),
    ours.MulticlassGeometricMeanScore(C),
]


@pytest.mark.parametrize("metric", JOINT, ids=lambda metric: type(metric).__name__)
def test_the_bootstrap_of_the_table_is_that_of_the_samples(metric):
    preds, target = labels(150)
    collection = MetricCollection({"metric": metric.clone(), "confusion": MulticlassConfusionMatrix(C)})
    collection.update(preds, target)
    low, high = collection["metric"].interval(draws=20_000)
    expected = resampled(metric.clone(), preds, target)
    width = (expected[1] - expected[0]).clamp(min=1e-3)
    assert ((low - expected[0]).abs() < 0.12 * width).all()
    assert ((high - expected[1]).abs() < 0.12 * width).all()


def test_a_table_that_is_kept_is_that_of_a_collection():
    batch = labels()
    alone = filled(MulticlassF1Score(C, intervals=True), batch)
    collection = MetricCollection([MulticlassF1Score(C), MulticlassConfusionMatrix(C)])
    collection.update(*batch)
    assert alone.interval() == collection["MulticlassF1Score"].interval()
    assert alone.compute() == filled(MulticlassF1Score(C), batch).compute()
    assert alone(*batch) == filled(MulticlassF1Score(C), batch).compute()
    assert alone.evaluate(*batch) == filled(MulticlassF1Score(C), batch).compute()
    together = MetricCollection({"a": MulticlassF1Score(C, intervals=True), "b": MulticlassRecall(C)})
    together.update(*batch)
    assert together.compute()["a"] == filled(MulticlassF1Score(C), batch).compute()
    assert together["b"].interval() == filled(MulticlassRecall(C, intervals=True), batch).interval()


def test_counts_of_one_label_or_class_need_no_table():
    scores, target = decisions()
    low, high = filled(BinaryF1Score(), (scores, target)).interval(draws=20_000)
    expected = resampled(BinaryF1Score(), scores, target)
    assert (low.item(), high.item()) == pytest.approx(expected.tolist(), abs=0.01)
    preds, target = labels()
    each = filled(MulticlassF1Score(C, average=None), (preds, target)).interval()
    joint = filled(MulticlassF1Score(C, average=None, intervals=True), (preds, target)).interval()
    for end, other in zip(each, joint, strict=True):
        torch.testing.assert_close(end, other, rtol=0, atol=0.01)
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(200, 3, generator=generator), torch.randint(0, 2, (200, 3), generator=generator)
    low, high = filled(MultilabelF1Score(3, average=None), batch).interval()
    alone = filled(BinaryF1Score(), (batch[0][:, 1], batch[1][:, 1])).interval()
    assert (low[1].item(), high[1].item()) == pytest.approx([end.item() for end in alone], abs=0.01)


def test_margins_are_an_approximation_by_name():
    batch = labels(2000)
    metric = filled(MulticlassF1Score(C), batch)
    with pytest.raises(ValueError, match=r"MulticlassF1Score: .* `intervals=True` .* `method='margins'`"):
        metric.interval()
    exact = filled(MulticlassF1Score(C, intervals=True), batch).interval()
    for end, other in zip(metric.interval(method="margins"), exact, strict=True):
        torch.testing.assert_close(end, other, rtol=0, atol=0.002)
    generator = torch.Generator().manual_seed(0)
    labelled = torch.rand(200, 3, generator=generator), torch.randint(0, 2, (200, 3), generator=generator)
    for kind in (MultilabelF1Score, MultilabelPrecision):
        of_labels = filled(kind(3, average="micro"), labelled)
        with pytest.raises(ValueError, match="average=None"):
            of_labels.interval()
        low, high = of_labels.interval(method="margins")
        assert low < of_labels.compute() < high


def test_draws_are_reproducible():
    metric = filled(MulticlassF1Score(C, intervals=True), labels())
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first = metric.interval()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert metric.interval() == first
    assert metric.interval(seed=1) != first
    wider = metric.interval(0.99)
    assert wider[0] < first[0] < first[1] < wider[1]


def test_bad_arguments_name_the_rule_and_lose_nothing():
    metric = filled(MulticlassF1Score(C), labels())
    before = metric.compute()
    for level in (0, 1, 0.0, 1.0, -0.5, 95, "a", float("nan")):
        with pytest.raises(ValueError, match=r"`level` to be a float in \(0, 1\), but got"):
            metric.interval(level)
    for draws in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="`draws` to be a positive integer, but got"):
            metric.interval(draws=draws)
    with pytest.raises(ValueError, match=r"expected `method` to be one of .* but got 'delong'"):
        metric.interval(method="delong")
    with pytest.raises(ValueError, match="at most 4096 classes, but got 5000"):
        MulticlassF1Score(5000, intervals=True)
    with pytest.raises(ValueError, match="`samplewise`"):
        MulticlassF1Score(C, multidim_average="samplewise", intervals=True)
    with pytest.raises(ValueError, match="`intervals` to be a bool"):
        MulticlassF1Score(C, intervals=3)
    with pytest.raises(ValueError, match="BinaryFairness has no interval"):
        filled(ours.BinaryFairness(2), (*decisions(), torch.zeros(300, dtype=torch.int64))).interval()
    weighted = filled(BinaryAccuracy(), (*decisions(), torch.full((300,), 2.0)))
    with pytest.raises(ValueError, match="BinaryAccuracy: there is no interval of weighted samples"):
        weighted.interval()
    assert metric.compute() == before
    assert metric.update_count == 1


def test_values_out_of_range_are_raised_once_and_not_counted():
    metric = BinaryAccuracy()
    with pytest.raises(RuntimeError, match="BinaryAccuracy"):
        metric.update(torch.tensor([0.5, 0.9]), torch.tensor([1, 7]))
    assert not any(end.isnan() for end in metric.interval())


@pytest.mark.filterwarnings("error:The ``compute``")
def test_without_data_it_is_nan_with_the_warning_of_compute():
    for metric in (BinaryAccuracy(), BinaryF1Score(), MulticlassF1Score(C, intervals=True), ours.BinaryAUROC()):
        with pytest.warns(UserWarning, match="before the ``update``"):
            ends = metric.interval()
        assert all(end.isnan().all() for end in ends)


def test_states_with_a_table_live_as_others_do():
    batch = labels()
    metric = filled(MulticlassF1Score(C, intervals=True), batch)
    metric.persistent(True)
    other = MulticlassF1Score(C, intervals=True)
    other.persistent(True)
    other.load_state_dict(metric.state_dict())
    assert other.interval() == metric.interval() == metric.clone().interval()
    halves = [filled(MulticlassF1Score(C, intervals=True), [v[i::2] for v in batch]) for i in range(2)]
    halves[0].merge_state(halves[1])
    assert halves[0].interval() == metric.interval()
    metric.reset()
    assert metric.update_count == 0
    assert not metric.confusion.any()


def test_a_collection_gives_a_dict_of_pairs():
    collection = MetricCollection(
        {"acc": MulticlassAccuracy(C, average="micro"), "f1": MulticlassF1Score(C, intervals=True)}, prefix="val/"
    )
    collection.update(*labels())
    found = collection.interval(0.9, draws=500)
    assert found.keys() == {"val/acc", "val/f1"}
    assert found["val/acc"] == collection["acc"].interval(0.9)
    assert found["val/f1"] == collection["f1"].interval(0.9, draws=500)


def test_large_tables_are_drawn_in_parts():
    preds, target = labels(3000, c=100)
    low, high = filled(MulticlassF1Score(100, intervals=True), (preds, target)).interval()
    value = MulticlassF1Score(100)(preds, target)
    assert low < value < high
    assert np.isclose((high - low).item(), 2 * 1.96 * (0.3 * 0.7 / 3000) ** 0.5, rtol=0.3)
