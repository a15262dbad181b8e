# SPDX-License-Identifier: Apache-2.0
"""Curves at all distinct scores of samples with weights."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from fastmetrics.classification.curves import CurveMetric
from fastmetrics.formulas.weighted_curves import WeightedScores, weighted_points_body

N, C = 300, 3
TASKS = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": C}}
NAMES = {
    "PrecisionRecallCurve": {},
    "ROC": {},
    "AUROC": {},
    "AveragePrecision": {},
    "LogAUC": {"fpr_range": (0.05, 0.7)},
    "EER": {},
    "RecallAtFixedPrecision": {"min_precision": 0.5},
    "PrecisionAtFixedRecall": {"min_recall": 0.5},
    "SensitivityAtSpecificity": {"min_specificity": 0.5},
    "SpecificityAtSensitivity": {"min_sensitivity": 0.5},
    "BestThreshold": {},
    "GiniCoefficient": {},
    "KolmogorovSmirnov": {},
    "CumulativeGains": {},
    "Lift": {},
}
pytestmark = pytest.mark.filterwarnings("ignore")


def batch(task, seed, n=N, dtype=torch.float32, steps=40):
    g = torch.Generator().manual_seed(seed)
    shape = (n,) if task == "Binary" else (n, C)
    scores = torch.randint(0, steps + 1, shape, generator=g) / steps
    scores = scores if task != "Multiclass" else (scores + 0.01) / (scores + 0.01).sum(1, keepdim=True)
    target = torch.randint(0, C if task == "Multiclass" else 2, (n,) if task == "Multiclass" else shape, generator=g)
    return scores.to(dtype), target


def metric_of(task, name, **more):
    return getattr(ours, task + name)(**TASKS[task], **NAMES[name], **more)


def tensors_of(value):
    return [value] if isinstance(value, torch.Tensor) else [v for one in value for v in tensors_of(one)]


def same(value, other, rtol=0.0):
    for a, b in zip(tensors_of(value), tensors_of(other), strict=True):
        torch.testing.assert_close(a, b, rtol=rtol, atol=0, equal_nan=True)


every_metric = pytest.mark.parametrize(("task", "name"), [(task, name) for task in TASKS for name in NAMES])


@every_metric
def test_whole_weights_repeat_samples(task, name):
    """And a weight of 0 leaves a sample out; scores of 16 bits, bins and one batch after the other included."""
    scores, target = batch(task, 1)
    times = torch.randint(0, 4, (N,), generator=torch.Generator().manual_seed(2))
    times[:10], target[:10] = 0, target[0]
    repeated = scores.repeat_interleave(times, 0), target.repeat_interleave(times, 0)
    for dtype, more in ((torch.float32, {}), (torch.bfloat16, {}), (torch.float32, {"bins": 64})):
        weighted, plain = (metric_of(task, name, logits=None, **more) for _ in range(2))
        for part in (slice(0, 100), slice(100, N)):
            weighted.update(scores[part].to(dtype), target[part], weights=times[part])
        plain.update(repeated[0].to(dtype), repeated[1])
        same(weighted.compute(), plain.compute(), 1e-6)


@every_metric
def test_weights_that_are_signed_scores(task, name):
    scores, target = batch(task, 3)
    times = weights_of(3).ceil().long()
    weighted, plain = (metric_of(task, name, logits=False) for _ in range(2))
    weighted.update(scores - 0.5, target, weights=times.to(torch.float16))
    plain.update(scores.repeat_interleave(times, 0) - 0.5, target.repeat_interleave(times, 0))
    same(weighted.compute(), plain.compute(), 1e-6)


def weights_of(seed, n=N, dtype=torch.float64):
    return torch.rand(n, dtype=dtype, generator=torch.Generator().manual_seed(seed)) * 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(3))
def test_areas_are_those_of_scikit_learn(dtype, seed):
    """To 1e-12, before they are rounded."""
    scores, target = batch("Binary", seed, dtype=dtype)
    weights = weights_of(seed)
    weights[::7] = 0
    found = WeightedScores(torch.where(target == 1, scores, -scores)[:, None], None, weights[:, None])
    positives, negatives, area = found.areas()[0]
    given = target.numpy(), scores.double().numpy()
    auroc = sklearn.roc_auc_score(*given, sample_weight=weights.numpy())
    precision = sklearn.average_precision_score(*given, sample_weight=weights.numpy())
    assert float(area / (positives * negatives)) == pytest.approx(auroc, rel=1e-12)
    assert float(found.precisions()[0] / positives) == pytest.approx(precision, rel=1e-12)
    points = found.points()
    fpr, tpr, thresholds = sklearn.roc_curve(*given, sample_weight=weights.numpy(), drop_intermediate=False)
    np.testing.assert_allclose((points.fp / negatives).numpy(), fpr[1:], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose((points.tp / positives).numpy(), tpr[1:], rtol=1e-12, atol=1e-15)
    assert np.array_equal(points.thresholds.double().numpy(), thresholds[1:])


def test_curves_are_those_of_scikit_learn():
    scores, target = batch("Binary", 4)
    weights = weights_of(4, dtype=torch.float32)
    given, of = (target.numpy(), scores.numpy()), {"sample_weight": weights.double().numpy()}
    precision, recall, thresholds = ours.BinaryPrecisionRecallCurve()(scores, target, weights=weights)
    expected = sklearn.precision_recall_curve(*given, **of)
    for mine, theirs in zip((precision, recall, thresholds), expected, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.astype(np.float32))
    part = ours.BinaryAUROC(max_fpr=0.3)(scores, target, weights=weights)
    assert float(part) == pytest.approx(sklearn.roc_auc_score(*given, max_fpr=0.3, **of), rel=1e-6)


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_averages_are_those_of_scikit_learn(average):
    scores, target = batch("Multilabel", 5)
    weights = weights_of(5)
    of = {"average": average, "sample_weight": weights.numpy()}
    for name, reference in (("AUROC", sklearn.roc_auc_score), ("AveragePrecision", sklearn.average_precision_score)):
        metric = getattr(ours, f"Multilabel{name}")(C, average=average)
        assert float(metric(scores, target, weights=weights)) == pytest.approx(
            reference(target.numpy(), scores.numpy(), **of), rel=1e-6
        )
    scores, target = batch("Multiclass", 5)
    if average != "micro":
        reference = sklearn.roc_auc_score(target, scores.double().softmax(1), multi_class="ovr", **of)
        found = ours.MulticlassAUROC(C, average=average, logits=True)(scores.double(), target, weights=weights)
        assert float(found) == pytest.approx(reference, rel=1e-6)


def test_weights_of_labels():
    """A weight of each sample and label; those of a column are those of its metric alone."""
    scores, target = batch("Multilabel", 6)
    weights = weights_of(6, N * C).reshape(N, C)
    found = ours.MultilabelAveragePrecision(C, average=None)(scores, target, weights=weights)
    for column, value in enumerate(found):
        alone = ours.BinaryAveragePrecision()
        assert value == alone(scores[:, column], target[:, column], weights=weights[:, column])


@st.composite
def batches(draw):
    found = []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(0, 12))
        scores = draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=n, max_size=n))
        target = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
        weights = draw(st.none() | st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=n, max_size=n))
        dtype = draw(st.sampled_from([torch.bfloat16, torch.float32, torch.float64]))
        weights = None if weights is None else torch.tensor(weights, dtype=draw(st.sampled_from([dtype, torch.double])))
        found.append((torch.tensor(scores, dtype=dtype), torch.tensor(target, dtype=torch.int64), weights))
    return found


@settings(max_examples=60, deadline=None)
@given(batches(), st.randoms(use_true_random=False))
def test_any_split_order_and_merge(parts, random):
    """With and without weights, in any dtype, is one batch of all with weights."""
    every = [torch.ones(len(s)) if w is None else w for s, _, w in parts]
    whole = ours.BinaryAveragePrecision()
    whole.update(
        torch.cat([s.double() for s, _, _ in parts]), torch.cat([t for _, t, _ in parts]), weights=torch.cat(every)
    )
    random.shuffle(parts)
    metrics = []
    for scores, target, weights in parts:
        if not metrics or random.random() < 0.5:
            metrics.append(ours.BinaryAveragePrecision())
        metrics[-1].update(scores, target, weights=weights)
    merged, *others = metrics
    for other in others:
        merged.merge_state(pickle.loads(pickle.dumps(other)))
    same(merged.compute(), whole.compute(), 1e-6)


def counted(monkeypatch, least=50):
    monkeypatch.setattr("fastmetrics.statistics.scores.MANY", least)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("logits", [None, False])
def test_many_scores_of_16_bits_are_added_up_by_value(task, logits, monkeypatch):
    counted(monkeypatch)
    metrics = {name: metric_of(task, name, logits=logits) for name in ("AUROC", "PrecisionRecallCurve")}
    collection, kept = MetricCollection(metrics), {name: pickle.loads(pickle.dumps(m)) for name, m in metrics.items()}
    seen = []
    for seed, (n, weighted, dtype) in enumerate(
        [
            (60, True, torch.bfloat16),
            (30, True, torch.float16),
            (70, False, torch.bfloat16),
            (40, True, torch.float16),
            (20, True, torch.float32),
            (10, False, torch.float32),
        ]
    ):
        scores, target = batch(task, seed, n, dtype, steps=8)
        weights = (weights_of(seed, n) * 4).ceil() / 4 if weighted else None
        collection.update(scores, target, weights=weights)
        seen.append((scores.float(), target, torch.ones(n) if weights is None else weights))
        if seed in (0, 2, 3, 5):
            for name, metric in kept.items():
                metric.reset()
                metric.update(
                    *(torch.cat([of[i] for of in seen]) for i in range(2)), weights=torch.cat([of[2] for of in seen])
                )
                value = collection.compute()[name]
                same([v.float() for v in tensors_of(value)], [v.float() for v in tensors_of(metric.compute())], 1e-6)
    states = collection["AUROC"].metric_state
    assert states["counts_weighted"][0].dtype == torch.float64
    assert sum(len(part) for part in states["scores_weighted"]) == 20
    assert len(states["sample_weights"]) == len(states["scores_weighted"])


def test_bounds_contain_the_value_of_weighted_scores():
    for seed in range(20):
        scores, target = batch("Binary", seed, 60, steps=1000)
        weights = weights_of(seed, 60) ** (seed % 5)
        for name in ("AUROC", "AveragePrecision"):
            exact, few = metric_of("Binary", name), metric_of("Binary", name, bins=64)
            few.update(scores, target, weights=weights)
            low, high = few.bounds()
            assert low <= exact(scores, target, weights=weights) <= high
            assert low <= few.compute() <= high


def test_a_collection_sorts_once(monkeypatch):
    sorts = []
    kept = WeightedScores.__init__
    monkeypatch.setattr(WeightedScores, "__init__", lambda *a: sorts.append(1) or kept(*a))
    collection = MetricCollection({name: metric_of("Multiclass", name) for name in NAMES})
    for seed in range(3):
        collection.update(*batch("Multiclass", seed), weights=weights_of(seed) if seed else None)
    values = collection.compute()
    assert len(sorts) == 1
    alone = metric_of("Multiclass", "AveragePrecision")
    for seed in range(3):
        alone.update(*batch("Multiclass", seed), weights=weights_of(seed) if seed else None)
    same(values["AveragePrecision"], alone.compute())


def test_what_is_kept():
    metric = ours.BinaryAUROC()
    metric.update(*batch("Binary", 1))
    assert not metric.metric_state["sample_weights"]
    metric.update(*batch("Binary", 1), weights=torch.ones(N))
    metric.update(*batch("Binary", 1), weights=torch.ones(N, dtype=torch.float64))
    assert [w.dtype for w in metric.metric_state["sample_weights"]] == [torch.float32, torch.float64]
    loaded = ours.BinaryAUROC()
    metric.persistent(True)
    loaded.persistent(True)
    loaded.load_state_dict(metric.state_dict())
    for other in (loaded, pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert other.compute() == metric.compute()
    metric.reset()
    assert not metric.metric_state["scores_weighted"]


def test_small_batches_are_joined():
    metric = ours.BinaryAUROC(logits=False)
    for i in range(100):
        metric.update(*batch("Binary", i, 5), weights=weights_of(i, 5, torch.float32 if i % 30 else torch.float64))
    states = metric.metric_state
    sizes = [[len(part) for part in states[name]] for name in ("scores_weighted", "labels_weighted", "sample_weights")]
    assert sizes[0] == sizes[1] == sizes[2]
    assert len(sizes[0]) < 50


@pytest.mark.parametrize("bins", [None, 64])
def test_bad_weights_are_named_and_left_out(bins):
    scores, target = batch("Multiclass", 8)
    weights = weights_of(8)
    some = weights.clone()
    some[3], some[7] = -1.0, torch.nan
    metric, without = (metric_of("Multiclass", "AUROC", bins=bins) for _ in range(2))
    with pytest.raises(RuntimeError, match="expected finite `weights` of at least 0, but 2 were not, the first is -1"):
        metric.update(scores, target, weights=some)
    good = torch.ones(N, dtype=torch.bool)
    good[3] = good[7] = False
    without.update(scores[good], target[good], weights=weights[good])
    same(metric.compute(), without.compute(), 1e-6)
    with pytest.raises(ValueError, match="`weights` to have the shape of `target`"):
        metric.update(scores, target, weights=torch.ones(N - 1))


def test_one_class_and_no_sample():
    scores = torch.tensor([0.2, 0.7])
    for target, weights in ((torch.tensor([0, 1]), [0.0, 2.0]), (torch.tensor([1, 1]), [1.0, 1.0])):
        some = torch.tensor(weights) > 0
        found = ours.BinaryROC()(scores, target, weights=torch.tensor(weights))
        same(found, ours.BinaryROC()(scores[some], target[some]))
    assert ours.BinaryAUROC()(scores, torch.tensor([0, 1]), weights=torch.zeros(2)) == 0
    assert ours.BinaryAveragePrecision()(scores, torch.tensor([0, 1]), weights=torch.zeros(2)) == 0


def test_there_is_no_interval():
    metric = ours.BinaryAUROC(intervals=True)
    metric.update(*batch("Binary", 1))
    metric.interval()
    metric.update(*batch("Binary", 1), weights=torch.ones(N))
    with pytest.raises(ValueError, match="no interval of weighted samples"):
        metric.interval()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("columns", [1, 3])
def test_the_kernel_is_as_its_body(dtype, columns):
    g = torch.Generator().manual_seed(9)
    scores = (torch.randint(-9, 10, (500, columns), generator=g) / 8).to(dtype)
    scores[::11], scores[5], scores[6] = torch.nan, torch.inf, -torch.inf
    labels = torch.randint(-1, 2, (500, columns), generator=g).to(torch.int8)
    for width in (1, columns):
        weights = torch.randint(0, 5, (500, width), generator=g) / 4
        for signs in (None, labels):
            found = WeightedScores(scores, signs, weights)
            points = found.points()
            values, tp, fp = scores.new_empty(columns, 500), *(torch.zeros(2, columns, 500, dtype=torch.float64))
            sizes, sums = torch.zeros(columns, dtype=torch.int64), torch.zeros(columns, 4, dtype=torch.float64)
            weighted_points_body(scores, signs, weights.double(), values, tp, fp, sizes, sums)
            assert torch.equal(points.sizes, sizes)
            inside = torch.arange(500) < sizes[:, None]
            same([points.thresholds, points.tp, points.fp], [v[inside] for v in (values, tp, fp)])
            torch.testing.assert_close(
                torch.cat([found.areas(), found.precisions()[:, None]], 1), sums, rtol=1e-13, atol=0
            )


def test_every_curve_takes_weights():
    kinds = [kind for kind in vars(ours).values() if isinstance(kind, type) and issubclass(kind, CurveMetric)]
    assert {kind.__name__ for kind in kinds} == {task + name for task in TASKS for name in NAMES}
