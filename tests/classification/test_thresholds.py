# SPDX-License-Identifier: Apache-2.0
"""What torchmetrics has not: best thresholds, distances of scores, gains and lift."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from fastmetrics.classification import curves
from fastmetrics.functional import classification as functions
from tests.classification.test_curves import C, batch, close
from tests.classification.test_operating_points import TASKS, inputs

pytestmark = pytest.mark.filterwarnings("ignore")

NEW = ("BestThreshold", "GiniCoefficient", "KolmogorovSmirnov", "CumulativeGains", "Lift")
CRITERIA = {
    "f_beta": {"beta": 2.0},
    "youden": {},
    "cost": {"costs": (1.0, 3.0)},
}


def goodness(criterion, target, decided):
    if criterion == "f_beta":
        return sklearn.fbeta_score(target, decided, beta=2.0, zero_division=0)
    if criterion == "youden":
        return sklearn.balanced_accuracy_score(target, decided, adjusted=True)
    return -float((~target & decided).sum() + 3 * (target & ~decided).sum()) / len(target)


@given(
    criterion=st.sampled_from(list(CRITERIA)), levels=st.integers(1, 9), n=st.integers(2, 30), seed=st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_best_thresholds_of_all(criterion, levels, n, seed):
    scores, target = inputs("Binary", levels, seed=seed, n=n)
    target[0], target[1] = 0, 1
    for thresholds, cuts in ((None, [*scores.unique().tolist(), np.inf]), (5, torch.linspace(0, 1, 5).tolist())):
        metric = ours.BinaryBestThreshold(criterion, **CRITERIA[criterion], thresholds=thresholds)
        value, threshold = metric(scores, target)
        every = {cut: goodness(criterion, target.numpy() == 1, scores.numpy() >= cut) for cut in cuts}
        best = max(every.values())
        assert float(value) * (-1 if criterion == "cost" else 1) == pytest.approx(best, abs=1e-6)
        ties = [cut for cut, each in every.items() if each == pytest.approx(best, abs=1e-12)]
        assert float(threshold) == max(ties)
        (table,) = metric.table()
        assert table["threshold"].tolist() == sorted(cuts, reverse=True)
        for i, cut in enumerate(table["threshold"].tolist()):
            decided = scores >= cut
            counts = [int((decided == d)[target == t].sum()) for d, t in ((1, 1), (1, 0), (0, 0), (0, 1))]
            assert [int(table[name][i]) for name in ("tp", "fp", "tn", "fn")] == counts
            sign = -1 if criterion == "cost" else 1
            assert float(table["value"][i]) * sign == pytest.approx(every[cut], abs=1e-12)


def test_best_thresholds_of_columns_and_of_nothing():
    for task, size in list(TASKS.items())[1:]:
        scores, target = batch(task, 1)
        for thresholds in (None, 7):
            metric = getattr(ours, f"{task}BestThreshold")(**size, thresholds=thresholds)
            values, cuts = metric(scores, target)
            assert values.shape == cuts.shape == (C,)
            tables = metric.table()
            for i in range(C):
                alone = ours.BinaryBestThreshold(thresholds=thresholds)
                of = (target == i).long() if task == "Multiclass" else target[:, i]
                close(alone(scores[:, i], of), (values[i], cuts[i]), 0)
                for name, column in alone.table()[0].items():
                    assert torch.equal(column, tables[i][name])
    scores = torch.tensor([0.9, 0.2])
    zeros, ones = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    assert all(v.isnan() for v in ours.BinaryBestThreshold()(scores, zeros))
    for target in (zeros, ones):
        assert all(v.isnan() for v in ours.BinaryBestThreshold("youden")(scores, target))
    assert [float(v) for v in ours.BinaryBestThreshold("cost")(scores, zeros)] == [0, torch.inf]
    assert [float(v) for v in ours.BinaryBestThreshold("cost")(scores, ones)] == pytest.approx([0, 0.2])
    for criterion in CRITERIA:
        nothing = ours.BinaryBestThreshold(criterion, ignore_index=0)
        nothing.update(scores, zeros)
        assert all(v.isnan() for v in nothing.compute())
    for wrong in ({"criterion": "f1"}, {"beta": 0.0}, {"costs": (1.0,)}, {"costs": (-1.0, 1.0)}, {"costs": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ours.BinaryBestThreshold(**wrong)
    value = functions.best_threshold(*batch("Multiclass"), "multiclass", "youden", num_classes=C)
    close(value, ours.MulticlassBestThreshold(C, "youden")(*batch("Multiclass")), 0)


@pytest.mark.parametrize("levels", [None, 6])
def test_distances_of_scores(levels):
    for seed in range(5):
        scores, target = inputs("Binary", levels, seed=seed, n=200, dtype=torch.float64)
        positive, negative = scores[target == 1], scores[target == 0]
        assert float(ours.BinaryKolmogorovSmirnov()(scores, target)) == pytest.approx(
            stats.ks_2samp(positive, negative).statistic, rel=1e-6
        )
        gini = 2 * sklearn.roc_auc_score(target, scores) - 1
        assert float(ours.BinaryGiniCoefficient()(scores, target)) == pytest.approx(gini, rel=1e-6, abs=1e-7)
        if levels:
            at = torch.linspace(0, 1, levels + 1)
            close(
                ours.BinaryKolmogorovSmirnov(at)(scores, target), ours.BinaryKolmogorovSmirnov()(scores, target), 1e-7
            )
            close(ours.BinaryGiniCoefficient(at)(scores, target), ours.BinaryGiniCoefficient()(scores, target), 1e-6)
        assert float(ours.BinaryKolmogorovSmirnov()(1 - scores, target)) == pytest.approx(
            float(ours.BinaryKolmogorovSmirnov()(scores, target))
        )
    for name, label, thresholds in itertools.product(NEW[1:3], (0, 1), (None, 5)):
        target = torch.full((9,), label)
        assert getattr(ours, f"Binary{name}")(thresholds=thresholds)(torch.rand(9), target) == 0
    for name, average in itertools.product(NEW[1:3], (None, "macro", "weighted")):
        scores, target = batch("Multiclass", 2)
        value = getattr(ours, f"Multiclass{name}")(C, average=average)(scores, target)
        each = torch.stack([getattr(ours, f"Binary{name}")()(scores[:, i], (target == i).long()) for i in range(C)])
        weights = target.bincount(minlength=C) / len(target) if average == "weighted" else torch.ones(C) / C
        close(value, each if average is None else (each * weights).sum(), 1e-6)


def test_gains_and_lift():
    scores = torch.tensor([0.9, 0.8, 0.8, 0.4, 0.2])
    target = torch.tensor([1, 1, 0, 0, 1])
    share, found, cuts = ours.BinaryCumulativeGains()(scores, target)
    close(share, torch.tensor([0, 0.2, 0.6, 0.8, 1]), 1e-7)
    close(found, torch.tensor([0, 1 / 3, 2 / 3, 2 / 3, 1]), 1e-7)
    close(cuts, torch.tensor([torch.inf, 0.9, 0.8, 0.4, 0.2]), 0)
    share, lift, cuts = ours.BinaryLift()(scores, target)
    close(share, torch.tensor([0.2, 0.6, 0.8, 1]), 1e-7)
    close(lift, torch.tensor([5 / 3, 10 / 9, 5 / 6, 1]), 1e-6)
    close(cuts, torch.tensor([0.9, 0.8, 0.4, 0.2]), 0)
    for name in NEW[3:]:
        for task, size in list(TASKS.items())[1:]:
            scores, target = batch(task, 3)
            for thresholds in (None, 6):
                value = getattr(ours, task + name)(**size, thresholds=thresholds)(scores, target)
                for i in range(C):
                    of = (target == i).long() if task == "Multiclass" else target[:, i]
                    alone = getattr(ours, f"Binary{name}")(thresholds)(scores[:, i], of)
                    last = value[2] if thresholds else value[2][i]
                    close((value[0][i], value[1][i], last), alone, 0)
        scores, target = batch("Multiclass", 3)
        micro = getattr(ours, f"Multiclass{name}")(C, average="micro")(scores, target)
        flat = scores.flatten(), torch.nn.functional.one_hot(target, C).flatten()
        close(micro, getattr(ours, f"Binary{name}")()(*flat), 0)


def test_they_share_a_sort(monkeypatch):
    sorts = []
    kept = curves.Sorted
    monkeypatch.setattr(curves, "Sorted", lambda *arguments: sorts.append(1) or kept(*arguments))
    collection = MetricCollection([getattr(ours, f"Binary{name}")() for name in (*NEW, "AUROC")])
    collection.update(*batch("Binary"))
    first = {
        name: [v.clone() for v in value] for name, value in collection.compute().items() if isinstance(value, tuple)
    }
    assert len(sorts) == 1
    for name in first:  # a value is no part of what the others have
        for part in collection.compute()[name]:
            part.add_(1)
    collection["BinaryLift"]._computed = None
    close(collection["BinaryLift"].compute(), first["BinaryLift"], 0)


def test_plots():
    pytest.importorskip("matplotlib").use("Agg")
    for task, size in TASKS.items():
        for name in NEW:
            metric = getattr(ours, task + name)(**size)
            metric.update(*batch(task))
            _, axes = metric.plot()
            assert len(axes.lines) >= (C if size else 1) or task != "Binary"
            if name in NEW[3:]:
                _, axes = metric.plot(score=True)
                assert axes.get_legend() is not None


@pytest.mark.parametrize("name", NEW)
def test_updates_are_compiled(name):
    for task, size in TASKS.items():
        torch.compiler.reset()
        metric, plain = (getattr(ours, task + name)(**size, thresholds=5) for _ in range(2))
        torch.compile(metric.update, fullgraph=True, backend="eager")(*batch(task))
        plain.update(*batch(task))
        close(metric.compute(), plain.compute(), 0)
