# SPDX-License-Identifier: Apache-2.0
"""Points of curves, error rates and areas over log fpr: as in torchmetrics, as in scikit-learn, and by hand."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
import torchmetrics.classification as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from fastmetrics.classification import curves
from fastmetrics.functional import classification as functions
from tests.classification.test_curves import C, batch, close

pytestmark = pytest.mark.filterwarnings("ignore")

BOUNDS = {
    "RecallAtFixedPrecision": "min_precision",
    "PrecisionAtFixedRecall": "min_recall",
    "SensitivityAtSpecificity": "min_specificity",
    "SpecificityAtSensitivity": "min_sensitivity",
}
TASKS = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": C}}
THRESHOLDS = [None, 7, [0.1, 0.5, 0.3], torch.linspace(0, 1, 5)]


def cases():
    for task, size in TASKS.items():
        for name, bound in BOUNDS.items():
            for least in (0.0, 0.5, 1.0):
                yield task + name, {**size, bound: least}
        averages = (None, "micro", "macro") if task == "Multiclass" else (None,)
        for average in averages:
            yield f"{task}EER", {**size, **({"average": average} if average else {})}


def inputs(name, levels, **options):
    scores, target = batch(name, **options)
    return (scores.float() * levels).round().div(levels).to(scores.dtype) if levels else scores, target


@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=["exact", "uniform", "list", "tensor"])
@pytest.mark.parametrize(("name", "options"), cases(), ids=lambda value: str(value).replace(" ", ""))
def test_as_in_torchmetrics(name, options, thresholds):
    if thresholds is not None and options.get("average") == "micro":
        return  # a RuntimeError there
    dtypes = itertools.cycle((torch.float32, torch.float64, torch.float16))
    for seed, (logits, ignore_index, levels) in enumerate(itertools.product((False, True), (None, 1, -1), (None, 10))):
        dtype = next(dtypes)
        arguments = inputs(name, levels, seed=seed, logits=logits, dtype=dtype, ignore_index=ignore_index)
        metric = getattr(ours, name)(**options, thresholds=thresholds, ignore_index=ignore_index)
        value = metric(*arguments)
        close(metric.compute(), value, 0)
        try:
            expected = getattr(theirs, name)(**options, thresholds=thresholds, ignore_index=ignore_index)(*arguments)
        except IndexError:  # without positives they have no recall
            assert "RecallAtFixedPrecision" in name
            assert options["min_precision"] == 0
            continue
        close(value, expected, 1e-3 if dtype == torch.float16 else 1e-6)
        if isinstance(value, tuple):
            assert [v.shape for v in value] == [v.shape for v in expected]
            assert value[0].dtype == torch.float32
            assert value[1].dtype == (dtype if thresholds is None else torch.float32)


@pytest.mark.parametrize("name", [*BOUNDS, "EER"])
@pytest.mark.parametrize("task", TASKS)
def test_one_class_only(task, name):
    bounds = (0.0, 0.5, 1.0) if name in BOUNDS else (None,)
    for label, thresholds, least in itertools.product((0, 1), (None, 5), bounds):
        scores, target = batch(task)
        arguments = scores, torch.full_like(target, label)
        options = {**TASKS[task], "thresholds": thresholds, **({} if least is None else {BOUNDS[name]: least})}
        value = getattr(ours, task + name)(**options)(*arguments)
        if task == "Multiclass" and label == 0 and thresholds is None and name in list(BOUNDS)[:2]:
            continue  # there the class 0 means that no class has positives
        try:
            expected = getattr(theirs, task + name)(**options)(*arguments)
        except IndexError:
            assert least == 0
            assert name == "RecallAtFixedPrecision"
            continue
        close(value, expected, 1e-6)


def test_by_hand():
    scores = torch.tensor([0.9, 0.8, 0.8, 0.6, 0.5, 0.4, 0.2])
    target = torch.tensor([1, 1, 0, 1, 0, 0, 1])
    # threshold  .9   .8   .6   .5   .4   .2     positives 4, negatives 3
    # tp          1    2    3    3    3    4
    # fp          0    1    1    2    3    3
    for name, least, value, threshold in (
        ("RecallAtFixedPrecision", 0.7, 3 / 4, 0.6),
        ("RecallAtFixedPrecision", 0.5, 1, 0.2),
        ("RecallAtFixedPrecision", 1.0, 1 / 4, 0.9),
        ("PrecisionAtFixedRecall", 0.5, 3 / 4, 0.6),
        ("PrecisionAtFixedRecall", 0.8, 4 / 7, 0.2),
        ("PrecisionAtFixedRecall", 0.0, 1, 0.9),
        ("SensitivityAtSpecificity", 2 / 3, 3 / 4, 0.6),
        ("SensitivityAtSpecificity", 0.7, 1 / 4, 0.9),
        ("SensitivityAtSpecificity", 0.0, 1, 0.2),
        ("SpecificityAtSensitivity", 0.75, 2 / 3, 0.6),
        ("SpecificityAtSensitivity", 0.76, 0, 0.2),
        ("SpecificityAtSensitivity", 0.0, 1, 1.0),
    ):
        for thresholds in (None, [0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0]):
            got = getattr(ours, f"Binary{name}")(least, thresholds=thresholds)(scores, target)
            assert [float(v) for v in got] == pytest.approx([value, threshold])
    # at .6 the rates are 1/3 and 1/4, at .8 they are 1/3 and 1/2
    assert float(ours.BinaryEER()(scores, target)) == pytest.approx(7 / 24)
    # tpr over log fpr: 2 points between 1/3 and 1, and the line from 0 to 1/3 from 1/6 on
    third, half = np.log(2) * (3 / 8 + 1 / 2) / 2, np.log(3) * 3 / 4
    value = float(ours.BinaryLogAUC((1 / 6, 1.0))(scores, target))
    assert value == pytest.approx((third + half) / np.log(6), rel=1e-6)


def test_no_point():
    scores = torch.tensor([0.9, 0.2])
    zeros, ones = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    for thresholds in (None, 3):
        assert [float(v) for v in ours.BinarySpecificityAtSensitivity(0.5, thresholds)(scores, zeros)] == [0, 1e6]
        assert ours.BinarySensitivityAtSpecificity(0.5, thresholds)(scores, ones)[0] == 1
        for kind in (ours.BinaryRecallAtFixedPrecision, ours.BinaryPrecisionAtFixedRecall):
            value, threshold = kind(0.5, thresholds)(scores, zeros)
            assert value == 0
            assert threshold.isnan()
    half = ours.BinarySpecificityAtSensitivity(0.5)(scores.half(), zeros)[1]
    assert half.dtype == torch.float16
    assert half.isinf()
    # nothing counts
    for task, size in TASKS.items():
        for name, bound in BOUNDS.items():
            metric = getattr(ours, task + name)(**size, **{bound: 0.5}, ignore_index=1)
            scores, target = batch(task)
            metric.update(scores, torch.ones_like(target))
            assert metric.compute()[0].flatten()[0] == 0


@given(
    levels=st.integers(1, 12),
    n=st.integers(2, 40),
    seed=st.integers(0, 99),
    least=st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1)),
)
@settings(max_examples=60, deadline=None)
def test_as_scikit_learn_has_the_curve(levels, n, seed, least):
    scores, target = inputs("Binary", levels, seed=seed, n=n, dtype=torch.float64)
    target[0], target[1] = 0, 1
    fpr, tpr, cuts = sklearn.roc_curve(target, scores, drop_intermediate=False)
    negatives = float((target == 0).sum())
    specificity = (negatives - np.rint(fpr * negatives)) / negatives
    value, threshold = ours.BinarySensitivityAtSpecificity(least)(scores, target)
    best = tpr[specificity >= least].max()
    assert float(value) == pytest.approx(best, rel=1e-6)
    where = np.flatnonzero((specificity >= least) & (tpr == best))[0]
    assert float(threshold) == (1 if where == 0 else cuts[where])
    value, threshold = ours.BinarySpecificityAtSensitivity(least)(scores, target)
    where = np.flatnonzero(tpr >= least)[0]
    assert float(value) == pytest.approx(specificity[where], rel=1e-6)
    assert float(threshold) == (1 if where == 0 else cuts[where])
    precision, recall, cuts = sklearn.precision_recall_curve(target, scores)
    precision, recall = precision[:-1], recall[:-1]
    value, threshold = ours.BinaryRecallAtFixedPrecision(least)(scores, target)
    allowed = np.flatnonzero(precision >= least)
    best = max(((recall[i], precision[i], cuts[i]) for i in allowed), default=(0, 0, np.nan))
    assert float(value) == pytest.approx(best[0], rel=1e-6)
    assert float(threshold) == best[2] if best[0] > 0 else threshold.isnan()
    value, threshold = ours.BinaryPrecisionAtFixedRecall(least)(scores, target)
    best = max((precision[i], recall[i], cuts[i]) for i in np.flatnonzero(recall >= least))
    assert float(value) == pytest.approx(best[0], rel=1e-6)
    assert float(threshold) == best[2] if best[0] > 0 else threshold.isnan()
    gaps = np.abs(fpr - (1 - tpr))
    rates = (fpr + 1 - tpr)[gaps <= gaps.min() + 1e-6] / 2
    assert np.abs(rates - float(ours.BinaryEER()(scores, target))).min() < 1e-6


def log_area(fpr, tpr, low, high):
    """The area over log fpr, in numpy: of equal fpr the last tpr begins a line, the first one ends it."""
    values = []
    for x in (low, high):
        if x in fpr:
            values.append(tpr[np.flatnonzero(fpr == x)[-1 if x == low else 0]])
        else:
            i = np.flatnonzero(fpr < x)[-1]
            values.append(tpr[i] + (tpr[i + 1] - tpr[i]) * (x - fpr[i]) / (fpr[i + 1] - fpr[i]))
    inside = (fpr > low) & (fpr < high)
    x = np.log10(np.concatenate([[low], fpr[inside], [high]]))
    return np.trapezoid(np.concatenate([[values[0]], tpr[inside], [values[1]]]), x) / (np.log10(high) - np.log10(low))


@pytest.mark.parametrize("bounds", [(0.001, 0.1), (0.05, 0.5), (0.1, 1.0)])
def test_areas_over_log_fpr(bounds):
    for seed, levels in itertools.product(range(5), (None, 10)):
        scores, target = inputs("Binary", levels, seed=seed, n=100, dtype=torch.float64)
        fpr, tpr, _ = sklearn.roc_curve(target, scores, drop_intermediate=False)
        metric = ours.BinaryLogAUC(bounds)
        assert float(metric(scores, target)) == pytest.approx(log_area(fpr, tpr, *bounds), rel=1e-6)
        for thresholds in (11, torch.linspace(0, 1, 7)):  # no two points of the same fpr, on which theirs depends
            given = theirs.BinaryROC(thresholds)(scores, target)[0]
            if len(given.unique()) < len(given):
                continue
            expected = theirs.BinaryLogAUC(bounds, thresholds)(scores, target)
            close(ours.BinaryLogAUC(bounds, thresholds)(scores, target), expected, 1e-5)
    for task, size in list(TASKS.items())[1:]:
        scores, target = batch(task, 1, n=200)
        each = getattr(ours, f"{task}LogAUC")(**size, fpr_range=bounds)(scores, target)
        for i in range(C):
            of = (target == i).long() if task == "Multiclass" else target[:, i]
            close(each[i], ours.BinaryLogAUC(bounds)(scores[:, i], of), 1e-7)
        close(
            getattr(ours, f"{task}LogAUC")(**size, fpr_range=bounds, average="macro")(scores, target), each.mean(), 1e-6
        )
        close(getattr(functions, f"{task.lower()}_logauc")(scores, target, C, bounds), each.mean(), 1e-6)
    assert ours.BinaryLogAUC()(torch.rand(4), torch.ones(4, dtype=torch.int64)) == 0
    assert ours.BinaryLogAUC()(torch.rand(4), torch.zeros(4, dtype=torch.int64)) == 0


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5), order=st.randoms(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_split_and_order_of_batches(sizes, order, data):
    name, options = data.draw(st.sampled_from(list(cases())))
    thresholds = data.draw(st.sampled_from([None, 5]))
    if sum(sizes) == 0:
        return
    whole, parts, merged = (getattr(ours, name)(**options, thresholds=thresholds) for _ in range(3))
    batches = [batch(name, seed, n=n) for seed, n in enumerate(sizes)]
    whole.update(torch.cat([scores for scores, _ in batches]), torch.cat([target for _, target in batches]))
    order.shuffle(batches)
    for arguments in batches:
        parts.update(*arguments)
        other = getattr(ours, name)(**options, thresholds=thresholds)
        other.update(*arguments)
        merged.merge_state(other)
    close(parts.compute(), whole.compute(), 0)
    close(merged.compute(), whole.compute(), 0)


def members():
    return {
        "area": ours.BinaryAUROC(),
        "precision": ours.BinaryAveragePrecision(),
        "roc": ours.BinaryROC(),
        "curve": ours.BinaryPrecisionRecallCurve(),
        "eer": ours.BinaryEER(),
        "log area": ours.BinaryLogAUC(),
        "recall": ours.BinaryRecallAtFixedPrecision(0.6),
        "precision at": ours.BinaryPrecisionAtFixedRecall(0.6),
        "sensitivity": ours.BinarySensitivityAtSpecificity(0.6),
        "specificity": ours.BinarySpecificityAtSensitivity(0.6),
    }


def test_a_collection_sorts_once(monkeypatch):
    sorts = []
    kept = curves.Sorted
    monkeypatch.setattr(curves, "Sorted", lambda *arguments: sorts.append(1) or kept(*arguments))
    collection, alone = MetricCollection(members()), members()
    assert len(collection.compute_groups) == 1
    for seed in range(3):
        collection.update(*batch("Binary", seed))
        for metric in alone.values():
            metric.update(*batch("Binary", seed))
    values = collection.compute()
    assert len(sorts) == 1
    for name, metric in alone.items():
        close(metric.compute(), values[name], 0)


def test_wrong_arguments():
    for name, bound in BOUNDS.items():
        for wrong in (-0.1, 1.5, "x", None):
            with pytest.raises(ValueError, match=f"`{bound}` to be an float in the"):
                getattr(ours, f"Binary{name}")(wrong)
        getattr(ours, f"Binary{name}")(2.0, validate_args=False)
        with pytest.raises(TypeError, match=bound):
            getattr(ours, name)("binary")
        with pytest.raises(ValueError, match="num_classes"):
            getattr(ours, f"Multiclass{name}")(1, 0.5)
        with pytest.raises(ValueError, match="thresholds"):
            getattr(ours, f"Multilabel{name}")(3, 0.5, thresholds=1)
    for wrong in ((0.5,), (0.5, 0.1), (0.0, 2.0), 3):
        with pytest.raises(ValueError, match="`fpr_range` should be a tuple of two floats"):
            ours.BinaryLogAUC(wrong)
    with pytest.raises(ValueError, match="average"):
        ours.MulticlassEER(3, average="weighted")
    with pytest.raises(TypeError, match="min_precision"):
        functions.recall_at_fixed_precision(*batch("Binary"), "binary")
    value = functions.recall_at_fixed_precision(*batch("Multiclass"), "multiclass", 0.5, num_classes=C)
    close(value, ours.RecallAtFixedPrecision("multiclass", 0.5, num_classes=C)(*batch("Multiclass")), 0)


def test_plots():
    pytest.importorskip("matplotlib").use("Agg")
    for task, size in TASKS.items():
        for metric in (
            *(getattr(ours, task + name)(**size, **{bound: 0.5}) for name, bound in BOUNDS.items()),
            getattr(ours, f"{task}EER")(**size),
            getattr(ours, f"{task}LogAUC")(**size),
        ):
            metric.update(*batch(task))
            _, axes = metric.plot()
            assert len(axes.lines) >= (1 if task == "Binary" else C)
            value = metric.compute()
            metric.plot([value[0] if isinstance(value, tuple) else value] * 2)


@pytest.mark.parametrize("thresholds", [None, 5])
@pytest.mark.parametrize("name", [*BOUNDS, "EER", "LogAUC"])
def test_copies_and_states(name, thresholds):
    for task, size in TASKS.items():
        options = {**size, **({BOUNDS[name]: 0.5} if name in BOUNDS else {}), "thresholds": thresholds}
        metric = getattr(ours, task + name)(**options)
        value = metric(*batch(task, 1))
        for copied in (copy.deepcopy(metric), metric.clone(), pickle.loads(pickle.dumps(metric))):
            close(copied.compute(), value, 0)
            copied.update(*batch(task, 2))
            close(metric.compute(), value, 0)
        metric.persistent(True)
        loaded = getattr(ours, task + name)(**options)
        loaded.load_state_dict(metric.state_dict(), strict=False)
        close(loaded.compute(), value, 0)
        metric.reset()
        close(metric(*batch(task, 1)), value, 0)


@pytest.mark.parametrize("name", [*BOUNDS, "EER", "LogAUC"])
def test_updates_are_compiled(name):
    for task, size in TASKS.items():
        options = {**size, **({BOUNDS[name]: 0.5} if name in BOUNDS else {}), "thresholds": 5}
        torch.compiler.reset()
        metric, plain = (getattr(ours, task + name)(**options) for _ in range(2))
        torch.compile(metric.update, fullgraph=True, backend="eager")(*batch(task))
        plain.update(*batch(task))
        close(metric.compute(), plain.compute(), 0)
