# SPDX-License-Identifier: Apache-2.0
"""Intervals of groups are those of each group's samples, and that of a metric with groups is that of all of them."""

import inspect
import warnings
from functools import partial

import pytest
import torch
from torch.utils import _pytree as pytree

from fastmetrics import MeanMetric, MetricCollection, intervals
from fastmetrics.classification import (
    BinaryF1Score,
    BinaryFairness,
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)
from fastmetrics.regression import MeanSquaredError, R2Score
from fastmetrics.wrappers import PairedComparison
from tests.support.cases import C, cases

G, DRAWS = 4, 30  # the last group has no samples


def kept_by_group(kind, options):
    asked = kind(**options)._reader.asked
    return not asked.samplewise and asked.by_groups


grouped = pytest.mark.parametrize(
    ("kind", "options", "batch"), [case for case in cases() if kept_by_group(*case.values[:2])]
)


def drawn(n, seed, number=G - 1):
    return torch.randint(0, number, (n,), generator=torch.Generator().manual_seed(seed))


def filled(kind, options, batches):
    metric = kind(**options)
    for inputs, keywords in batches:
        metric.update(*inputs, **keywords)
    return metric


def close(got, expected):
    torch.testing.assert_close(got, expected, equal_nan=True)


def outcome(interval):
    """Both ends, or the error in place of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.stack(interval())
        except (ValueError, RuntimeError) as error:
            return type(error)


@grouped
def test_intervals_of_groups_are_those_of_their_samples(kind, options, batch):
    inputs = [batch(seed) for seed in range(6)]
    groups = [drawn(len(one[0]), seed) for seed, one in enumerate(inputs)]
    metric = filled(
        kind,
        {**options, "num_groups": G},
        [(one, {"groups": of}) for one, of in zip(inputs, groups, strict=True)],
    )
    whole = filled(kind, options, [(one, {}) for one in inputs])
    alone = [
        filled(
            kind,
            options,
            [(tuple(v[of == g] for v in one), {}) for one, of in zip(inputs, groups, strict=True) if (of == g).any()],
        )
        for g in range(G - 1)
    ]
    for method in (None, *whole._interval_methods(whole._reader.part().finals(torch.device("cpu")))):
        asked = {"method": method, "draws": DRAWS, "seed": 3}
        expected = outcome(lambda asked=asked: whole.interval(**asked))
        got = outcome(lambda asked=asked: metric.interval(**asked))
        found = outcome(lambda asked=asked: metric.interval_by_group(**asked))
        if not isinstance(expected, torch.Tensor):
            assert got is found is expected
            continue
        same(got, expected)
        assert found.shape == (2, G, *expected.shape[1:])
        assert found[:, -1].isnan().all()
        for g, one in enumerate(alone):
            of_one = outcome(lambda one=one, asked=asked: one.interval(**asked))
            if isinstance(of_one, torch.Tensor):  # an error alone is undefined here, and does not hide the others
                same(found[:, g], of_one)


def same(got, expected):
    torch.testing.assert_close(got, expected, rtol=2e-6, atol=1e-6, equal_nan=True)


def labels(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, C, (n,), generator=generator)
    return torch.where(torch.rand(n, generator=generator) < 0.7, target, (target + 1) % C), target


def test_worst_groups_have_the_intervals_of_their_values():
    preds, target = labels(300)
    groups = {"country": drawn(300, 1), "device": drawn(300, 2, 2)}
    metric = MulticlassF1Score(C, intervals=True, num_groups={"country": G, "device": 2})
    metric.update(preds, target, groups=groups)
    values, ends = metric.by_group(), metric.interval_by_group(0.9, draws=50, seed=1)
    found = metric.worst_groups(2, level=0.9, draws=50, seed=1)
    for name, (low, high) in ends.items():
        worst = found[name]
        assert torch.equal(worst.values, values[name][worst.groups])
        assert torch.equal(worst.interval[0], low[worst.groups])
        assert torch.equal(worst.interval[1], high[worst.groups])
        assert (low[worst.groups] < worst.values).all()
        assert (worst.values < high[worst.groups]).all()
    assert metric.worst_groups(1)["device"].interval is None
    margins = metric.worst_groups(1, level=0.9, method="margins", draws=50)["country"]
    assert not torch.equal(margins.interval[0], found["country"].interval[0][:1])
    empty = MulticlassF1Score(C, average="micro", num_groups=G)
    with pytest.warns(UserWarning, match="before the ``update``"):
        assert empty.worst_groups(2, level=0.9).interval[0].numel() == 0


def test_the_worst_groups_and_intervals_of_a_collection_are_those_of_its_metrics():
    preds, target = labels(300)
    kinds = {
        "f1": MulticlassF1Score(C, intervals=True, num_groups=G),
        "accuracy": MulticlassAccuracy(C, average="micro", num_groups=G),
    }
    collection = MetricCollection({name: metric.clone() for name, metric in kinds.items()}, prefix="val_")
    collection.update(preds, target, groups=drawn(300, 1))
    worst, ends = collection.worst_groups(2, level=0.9, draws=50, seed=1), collection.interval(0.9, draws=50, seed=1)
    assert set(worst) == set(ends) == {"val_f1", "val_accuracy"}
    for name, metric in kinds.items():
        metric.update(preds, target, groups=drawn(300, 1))
        pytree.tree_map(close, worst[f"val_{name}"], metric.worst_groups(2, level=0.9, draws=50, seed=1))
        pytree.tree_map(close, ends[f"val_{name}"], metric.interval(0.9, draws=50, seed=1))


def test_a_metric_of_a_collection_that_has_none_is_named():
    collection = MetricCollection([MulticlassF1Score(C, num_groups=G), MulticlassConfusionMatrix(C, num_groups=G)])
    collection.update(*labels(60), groups=drawn(60, 1))
    with pytest.raises(ValueError, match="MulticlassConfusionMatrix has several values for a group"):
        collection.worst_groups(1)
    assert collection["MulticlassF1Score"].worst_groups(1).values.shape == (1,)
    collection = MetricCollection([MulticlassF1Score(C), MulticlassAccuracy(C, average="micro")])
    collection.update(*labels(60))
    with pytest.raises(ValueError, match="MulticlassF1Score: its states do not decide this interval"):
        collection.interval()
    assert collection["MulticlassAccuracy"].interval()[0] > 0


@pytest.mark.parametrize(
    ("kind", "options", "method"),
    [
        (MulticlassF1Score, {"num_classes": C}, "bootstrap"),
        (MulticlassF1Score, {"num_classes": C}, "margins"),
        (MulticlassF1Score, {"num_classes": C, "average": None}, "bootstrap"),
        (BinaryF1Score, {}, "bootstrap"),
    ],
)
def test_a_draw_does_not_depend_on_what_is_drawn_with_it(kind, options, method, monkeypatch):
    preds, target = labels(400)
    if kind is BinaryF1Score:
        preds, target = preds % 2, target % 2
    metric = kind(**options, intervals=True, num_groups=9)
    metric.update(preds, target, groups=drawn(400, 1, 8))
    expected = torch.stack(metric.interval_by_group(method=method, draws=70))
    assert expected[:, :8].isfinite().all()
    threads = torch.get_num_threads()
    for numbers, values, count in ((1, 1, 1), (100, 150, 2), (10_000, 300, 3)):
        monkeypatch.setattr(intervals, "AT_ONCE", numbers)
        monkeypatch.setattr(intervals, "VALUES_AT_ONCE", values)
        torch.set_num_threads(count)
        found = torch.stack(metric.interval_by_group(method=method, draws=70))
        torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    torch.set_num_threads(threads)


def test_collections_share_what_intervals_of_groups_need():
    preds, target = labels(300)
    groups = drawn(300, 1)
    collection = MetricCollection(
        {
            "f1": MulticlassF1Score(C, num_groups=G),
            "confusion": MulticlassConfusionMatrix(C, num_groups=G),
            "whole": MulticlassAccuracy(C, average="micro"),
        }
    )
    collection.update(preds, target, groups=groups)
    alone = MulticlassF1Score(C, intervals=True, num_groups=G)
    alone.update(preds, target, groups=groups)
    found = collection.interval_by_group(0.9, "bootstrap", draws=50)
    assert found.keys() == {"f1", "confusion"}
    same(torch.stack(found["f1"]), torch.stack(alone.interval_by_group(0.9, "bootstrap", draws=50)))
    worst = collection["f1"].worst_groups(2, level=0.9, method="bootstrap", draws=50)
    same(torch.stack(worst.interval), torch.stack(alone.worst_groups(2, level=0.9, draws=50).interval))
    same(torch.stack(collection["f1"].interval(0.9, draws=50)), torch.stack(alone.interval(0.9, draws=50)))


@grouped
def test_weighted_samples_have_an_interval_or_an_error_that_says_what_would_do(kind, options, batch):
    metric = kind(**{**options, "intervals": True}, num_groups=G)
    if "weights" not in inspect.signature(metric.inputs).parameters:
        pytest.skip("the metric has no weights")
    inputs = batch(0)
    n = len(inputs[0])
    metric.update(*inputs, groups=drawn(n, 0), weights=0.5 + torch.rand(n))
    before, counted = metric.compute(), metric.group_counts()
    for asked in (metric.interval, metric.interval_by_group):
        said, ends = "", None
        try:
            ends = asked(draws=DRAWS)
        except ValueError as error:
            said = str(error)
        if ends is None:
            assert type(metric).__name__ in said
            assert "clusters" in said or "resample them" in said
        else:
            assert not (ends[0] > ends[1]).any()
    after = metric.compute()  # nothing is lost
    pytree.tree_map(partial(torch.testing.assert_close, rtol=0, atol=0, equal_nan=True), after, before)
    assert torch.equal(metric.group_counts(), counted)


def test_what_intervals_of_groups_refuse():
    preds, target = labels(60)
    with pytest.raises(ValueError, match="has no groups: construct it"):
        MulticlassAccuracy(C).interval_by_group()
    metric = MulticlassAccuracy(C, average="micro", num_groups=G)
    metric.update(preds, target, groups=drawn(60, 0))
    for wrong in ({"level": 1.0}, {"draws": 0}, {"method": "jackknife"}):
        with pytest.raises(ValueError, match=r"level|draws|method"):
            metric.interval_by_group(**wrong)
        with pytest.raises(ValueError, match=r"level|draws|method"):
            metric.worst_groups(1, **{"level": 0.9, **wrong})
    metric.update(preds, target, groups=drawn(60, 0), weights=torch.rand(60))
    for asked in (metric.interval, metric.interval_by_group):
        with pytest.raises(ValueError, match="no interval of weighted samples"):
            asked()
    without = MulticlassF1Score(C, num_groups=G)
    without.update(preds, target, groups=drawn(60, 0))
    with pytest.raises(ValueError, match="keeps the confusion matrix"):
        without.interval_by_group()
    fairness = BinaryFairness(2)
    fairness.update(torch.rand(60), target % 2, drawn(60, 0, 2))
    for asked in (fairness.interval, fairness.interval_by_group):
        with pytest.raises(ValueError, match="no interval"):
            asked()
    with pytest.raises(ValueError, match="take 2088 bytes, more than max_state_bytes=1000"):
        MulticlassF1Score(C, intervals=True, num_groups=9, max_state_bytes=1000)


def test_no_group_and_no_sample_are_nan():
    metric = BinaryF1Score(num_groups=G)
    with pytest.warns(UserWarning, match="before the ``update``"):
        low, high = metric.interval_by_group(draws=20)
    assert low.shape == high.shape == (G,)
    assert torch.stack([low, high]).isnan().all()


def test_values_of_pairs_and_of_two_models_are_those_of_all_groups():
    preds, target = labels(200)
    first, groups = preds, drawn(200, 3)
    other = torch.where(torch.rand(200) < 0.9, first, target)
    by_group = PairedComparison(MulticlassF1Score(C), num_groups=G)
    by_group.update(first, other, target, groups=groups)
    whole = PairedComparison(MulticlassF1Score(C))
    whole.update(first, other, target)
    same(torch.stack(by_group.values()), torch.stack(whole.values()))
    assert by_group.mcnemar() == whole.mcnemar()


@pytest.mark.parametrize(("kind", "options"), [(MeanMetric, {}), (MeanSquaredError, {"num_outputs": 2}), (R2Score, {})])
def test_weighted_means_have_the_intervals_of_their_groups(kind, options):
    generator = torch.Generator().manual_seed(0)
    shape = (200, 2) if options else (200,)
    inputs = [50 + torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2)]
    inputs, weights = inputs[: 1 if kind is MeanMetric else 2], torch.rand(200, generator=generator).double()
    groups, valid = {"country": drawn(200, 1), "device": drawn(200, 2, 2)}, torch.rand(200, generator=generator) < 0.8
    keywords = {"weight" if kind is MeanMetric else "weights": weights}
    metric = kind(intervals=True, num_groups={"country": G, "device": 2}, **options)
    for part in (slice(0, 90), slice(90, None)):
        some = {name: value[part] for name, value in keywords.items()}
        metric.update(
            *(value[part] for value in inputs),
            groups={name: value[part] for name, value in groups.items()},
            valid=valid[part],
            **some,
        )
    found = metric.interval_by_group()
    for name, of in groups.items():
        for group in of.unique().tolist():
            mine = (of == group) & valid
            alone = kind(intervals=True, **options)
            alone.update(*(value[mine] for value in inputs), **{name: value[mine] for name, value in keywords.items()})
            same(torch.stack(found[name])[:, group], torch.stack(alone.interval()))


def test_inference_mode_gives_the_same():
    preds, target = labels(100)
    found = []
    for mode in (False, True):
        with torch.inference_mode(mode):
            counts, pairs = MulticlassF1Score(C, intervals=True, num_groups=G), R2Score(intervals=True, num_groups=G)
            counts.update(preds, target, groups=drawn(100, 0))
            pairs.update(preds + target / 3, target, groups=drawn(100, 0))
            ends = [metric.interval_by_group(draws=20) for metric in (counts, pairs)]
            ends += [metric.interval(clusters="groups", draws=20) for metric in (counts, pairs)]
            found.append([torch.stack(one) for one in ends])
    for one, other in zip(*found, strict=True):
        same(other.clone(), one)
