# SPDX-License-Identifier: Apache-2.0
"""Curves over thresholds and the areas under them: as in torchmetrics, exact as in scikit-learn, at any split."""

import copy
import itertools
import pickle

import pytest
import torch
import torchmetrics.classification as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from fastmetrics.classification import curves
from fastmetrics.functional.classification import auroc, binary_auroc, binary_average_precision, multiclass_roc

pytestmark = pytest.mark.filterwarnings("ignore")

N, C = 60, 4
THRESHOLDS = [None, 7, [0.1, 0.5, 0.3], torch.linspace(0, 1, 5)]
AREAS, CURVES = ("AUROC", "AveragePrecision"), ("ROC", "PrecisionRecallCurve")


def cases():
    for name in (*AREAS, *CURVES):
        yield f"Binary{name}", {}
        for average in ("micro", "macro", None) if name in CURVES else ("macro", "weighted", None):
            yield f"Multiclass{name}", {"num_classes": C, "average": average}
        for average in (None,) if name in CURVES else ("micro", "macro", "weighted", None):
            yield f"Multilabel{name}", {"num_labels": C, **({} if name in CURVES else {"average": average})}
    yield "BinaryAUROC", {"max_fpr": 0.4}


def batch(name, seed=0, logits=False, dtype=torch.float32, ignore_index=None, n=N):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, C, generator=generator, dtype=torch.float64)
    if not logits:
        scores = scores.softmax(1) if name.startswith("Multiclass") else scores.sigmoid()
    shape = (n, C) if name.startswith("Multilabel") else (n,)
    target = torch.randint(0, C if name.startswith("Multiclass") else 2, shape, generator=generator)
    if ignore_index == -1:
        target[torch.rand(shape, generator=generator) < 0.3] = -1
    scores = scores.to(dtype)
    return (scores[:, 0] if name.startswith("Binary") else scores), target


def close(got, expected, tolerance):
    if isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            close(one, other, tolerance)
    else:
        torch.testing.assert_close(got.double(), expected.double(), rtol=0, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=["exact", "uniform", "list", "tensor"])
@pytest.mark.parametrize(("name", "options"), cases(), ids=lambda value: str(value).replace(" ", ""))
def test_as_in_torchmetrics(name, options, thresholds):
    if thresholds is not None and "Multiclass" in name and options["average"] == "micro":
        return  # a RuntimeError there
    for logits, ignore_index, dtype in itertools.product(
        (False, True), (None, 0, 1, -1), (torch.float32, torch.float64, torch.float16)
    ):
        arguments = batch(name, 0, logits, dtype, ignore_index)
        expected = getattr(theirs, name)(**options, thresholds=thresholds, ignore_index=ignore_index)(*arguments)
        metric = getattr(ours, name)(**options, thresholds=thresholds, ignore_index=ignore_index)
        close(metric(*arguments), expected, 2e-3 if dtype == torch.float16 else 2e-5)
        close(metric.compute(), expected, 2e-3 if dtype == torch.float16 else 2e-5)


def exact(name, scores, target):
    """The value in float64, before it is rounded."""
    metric = getattr(ours, name)()
    metric.update(scores, target)
    found = metric._sorted(torch.cat(metric.scores), None)
    positives, negatives, area = found.areas()[0]
    return float(area / (positives * negatives) if name == "BinaryAUROC" else found.precisions()[0] / positives)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("ties", [False, True])
def test_exact_as_in_scikit_learn(dtype, ties):
    scores, target = batch("Binary", 3, n=5000, dtype=dtype)
    if ties:
        scores = (scores.float() * 20).round().div(20).to(dtype)
    auc = sklearn.roc_auc_score(target, scores.double())
    assert exact("BinaryAUROC", scores, target) == pytest.approx(auc, rel=1e-12)
    precision = sklearn.average_precision_score(target, scores.double())
    assert exact("BinaryAveragePrecision", scores, target) == pytest.approx(precision, rel=1e-12)
    fpr, tpr, thresholds = sklearn.roc_curve(target, scores.double(), drop_intermediate=False)
    got = ours.BinaryROC()(scores, target)
    for one, other in zip(got[:2], (fpr, tpr), strict=True):
        torch.testing.assert_close(one.double(), torch.tensor(other), rtol=1e-6, atol=0)
    assert torch.equal(got[2][1:].double(), torch.tensor(thresholds)[1:])


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5), order=st.randoms(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_split_and_order_of_batches(sizes, order, data):
    name, options = data.draw(st.sampled_from(list(cases())))
    thresholds = data.draw(st.sampled_from([None, 5]))
    dtypes = data.draw(st.lists(st.sampled_from([torch.float32, torch.float16]), min_size=len(sizes)))
    whole, parts, merged = (getattr(ours, name)(**options, thresholds=thresholds) for _ in range(3))
    batches = [batch(name, seed, n=n, dtype=d) for seed, (n, d) in enumerate(zip(sizes, dtypes, strict=False))]
    if sum(sizes) == 0:
        return
    whole.update(torch.cat([scores.float() for scores, _ in batches]), torch.cat([target for _, target in batches]))
    order.shuffle(batches)
    for arguments in batches:
        parts.update(*arguments)
        other = getattr(ours, name)(**options, thresholds=thresholds)
        other.update(*arguments)
        merged.merge_state(other)
    close(parts.compute(), whole.compute(), 1e-6)
    close(merged.compute(), whole.compute(), 1e-6)


def test_a_collection_sorts_once(monkeypatch):
    sorts = []
    kept = curves.Sorted
    monkeypatch.setattr(curves, "Sorted", lambda *arguments: sorts.append(1) or kept(*arguments))
    names = [f"Binary{name}" for name in (*AREAS, *CURVES)]
    collection = MetricCollection([getattr(ours, name)() for name in names])
    assert len(collection.compute_groups) == 1
    for seed in range(3):
        collection.update(*batch("Binary", seed))
    values = collection.compute()
    assert len(sorts) == 1
    collection.update(*batch("Binary", 3))
    for name, value in collection.compute().items():
        alone = getattr(ours, name)()
        for seed in range(4):
            alone.update(*batch("Binary", seed))
        close(value, alone.compute(), 0)
    assert values["BinaryAUROC"] != collection.compute()["BinaryAUROC"]


@pytest.mark.parametrize("name", ["BinaryAUROC", "BinaryAveragePrecision"])
def test_weights_at_thresholds(name):
    scores, target = batch("Binary", 5, n=400)
    scores = (scores * 10).round() / 10  # every score is a threshold
    weights = torch.rand(400, dtype=torch.float64)
    metric = getattr(ours, name)(thresholds=11)
    metric.update(scores, target, weights=weights)
    reference = sklearn.average_precision_score if "Precision" in name else sklearn.roc_auc_score
    assert float(metric.compute()) == pytest.approx(reference(target, scores, sample_weight=weights), rel=1e-6)
    valid = weights > 0.5
    for thresholds in (None, 11):
        masked, filtered = getattr(ours, name)(thresholds=thresholds), getattr(ours, name)(thresholds=thresholds)
        masked.update(scores, target, valid=valid)
        filtered.update(scores[valid], target[valid])
        assert torch.equal(masked.compute(), filtered.compute())


def test_bad_scores_are_named_and_left_out():
    scores, target = batch("Binary", 1)
    good = torch.ones(N, dtype=torch.bool)
    good[[7, 9]] = False
    metric = ours.BinaryAUROC()
    with pytest.raises(RuntimeError, match="`preds` had 2 NaN, the first at place 7"):
        metric.update(torch.where(good, scores, torch.nan), target)
    # NaN lies outside [0, 1], so the scores of that batch are logits
    assert torch.equal(metric.compute(), binary_auroc(scores[good].sigmoid(), target[good]))
    with pytest.raises(RuntimeError, match="target"):
        ours.MulticlassAUROC(C).update(batch("Multiclass")[0], torch.full((N,), 9))
    with pytest.raises(ValueError, match="floating"):
        ours.BinaryAUROC()(target, target)
    for wrong, message in ((1, "larger than 1"), ([2.0], "floats in the"), ("x", "integer, list of floats")):
        with pytest.raises(ValueError, match=message):
            ours.BinaryROC(thresholds=wrong)
    with pytest.raises(ValueError, match="max_fpr"):
        ours.BinaryAUROC(max_fpr=1.5)


def test_what_is_at_the_edges():
    ones, zeros = torch.ones(5, dtype=torch.int64), torch.zeros(5, dtype=torch.int64)
    scores = torch.rand(5)
    for thresholds in (None, 5):
        for target in (ones, zeros):
            for name in AREAS:
                expected = getattr(theirs, f"Binary{name}")(thresholds=thresholds)(scores, target)
                close(getattr(ours, f"Binary{name}")(thresholds=thresholds)(scores, target), expected, 1e-6)
        ignored = ours.BinaryAUROC(thresholds=thresholds, ignore_index=1)
        ignored.update(scores, ones)
        assert ignored.compute() == 0
    # infinities order as numbers, and saturated scores tie
    logits = torch.tensor([torch.inf, 3.0, -torch.inf, -2.0])
    assert binary_auroc(logits, torch.tensor([1, 1, 0, 0])) == 1
    assert binary_auroc(torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.tensor([1, 0, 1, 0])) == 0.5
    assert binary_average_precision(torch.tensor([1.0, 1.0]), torch.tensor([1, 0])) == 0.5
    # a class that is never the target
    absent = ours.MulticlassAveragePrecision(3, average=None)(torch.eye(3), torch.tensor([0, 1, 1]))
    assert absent.isnan().tolist() == [False, False, True]


def test_functions_and_plots():
    arguments = batch("Multiclass", 2)
    close(
        multiclass_roc(*arguments, C, 5, "macro"),
        ours.MulticlassROC(C, thresholds=5, average="macro")(*arguments),
        0,
    )
    assert torch.equal(auroc(*arguments, "multiclass", num_classes=C), ours.MulticlassAUROC(C)(*arguments))
    pytest.importorskip("matplotlib").use("Agg")
    for name, thresholds in itertools.product(CURVES, (None, 5)):
        for task, options in (("Binary", {}), ("Multiclass", {"num_classes": C}), ("Multilabel", {"num_labels": C})):
            metric = getattr(ours, task + name)(**options, thresholds=thresholds)
            metric.update(*batch(task))
            metric.plot(score=True)
            metric.plot(metric.compute())


@pytest.mark.parametrize("thresholds", [None, 5])
@pytest.mark.parametrize("name", CURVES)
def test_copies_and_values_of_curves(name, thresholds):
    for task, options in (("Binary", {}), ("Multiclass", {"num_classes": C}), ("Multilabel", {"num_labels": C})):
        metric = getattr(ours, task + name)(**options, thresholds=thresholds)
        value = metric(*batch(task, 1))
        close(metric.compute(), value, 0)
        for copied in (copy.deepcopy(metric), metric.clone(), pickle.loads(pickle.dumps(metric))):
            copied.update(*batch(task, 2))
            close(metric.compute(), value, 0)
            again = getattr(ours, task + name)(**options, thresholds=thresholds)
            for seed in (1, 2):
                again.update(*batch(task, seed))
            close(copied.compute(), again.compute(), 0)
        for part in metric.compute():
            for each in part if isinstance(part, list) else [part]:
                each.add_(1)  # a value shares no memory with a state
        metric._computed = None
        close(metric.compute(), value, 0)
        metric.persistent(True)
        loaded = getattr(ours, task + name)(**options, thresholds=thresholds)
        loaded.load_state_dict(metric.state_dict(), strict=False)
        close(loaded.compute(), value, 0)
        metric.reset()
        close(metric(*batch(task, 1)), value, 0)


@pytest.mark.parametrize("name", [*AREAS, *CURVES])
def test_updates_are_compiled(name):
    for task, options in (("Binary", {}), ("Multiclass", {"num_classes": C}), ("Multilabel", {"num_labels": C})):
        torch.compiler.reset()
        metric, plain = (getattr(ours, task + name)(**options, thresholds=5) for _ in range(2))
        torch.compile(metric.update, fullgraph=True, backend="eager")(*batch(task))
        plain.update(*batch(task))
        close(metric.compute(), plain.compute(), 0)
