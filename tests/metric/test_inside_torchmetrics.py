# SPDX-License-Identifier: Apache-2.0
"""Metrics in collections and wrappers of torchmetrics."""

import copy

import pytest
import torch
import torchmetrics

from fastmetrics import classification as ours
from fastmetrics import regression
from tests.support.cases import C, multiclass_batch, pairs_batch

pytestmark = pytest.mark.filterwarnings("ignore")


def test_inside_torchmetrics():
    accuracy = ours.MulticlassAccuracy(C)
    collection = torchmetrics.MetricCollection(
        {"ours": accuracy, "f1": ours.MulticlassF1Score(C), "theirs": torchmetrics.classification.MulticlassAccuracy(C)}
    )
    for seed in range(3):
        values = collection(*multiclass_batch(seed))
        torch.testing.assert_close(values["ours"], values["theirs"])
    values = collection.compute()
    torch.testing.assert_close(values["ours"], values["theirs"])
    collection.reset()
    assert collection["ours"].update_count == 0

    tracker = torchmetrics.MetricTracker(ours.MulticlassAccuracy(C))
    for seed in range(3):
        tracker.increment()
        tracker.update(*multiclass_batch(seed))
    assert tracker.compute_all().shape == (3,)
    assert tracker.best_metric() == tracker.compute_all().max()

    torch.manual_seed(0)
    bootstrap = torchmetrics.wrappers.BootStrapper(ours.MulticlassAccuracy(C), num_bootstraps=4)
    bootstrap.update(*multiclass_batch(0))
    assert 0 <= bootstrap.compute()["mean"] <= 1

    extremes = torchmetrics.wrappers.MinMaxMetric(ours.MulticlassAccuracy(C))
    single = [ours.MulticlassAccuracy(C)(*multiclass_batch(seed)) for seed in range(3)]
    for seed in range(3):
        extremes(*multiclass_batch(seed))
    assert extremes.compute()["min"] <= extremes.compute()["raw"] <= extremes.compute()["max"]
    assert all(value >= 0 for value in single)

    named = torchmetrics.wrappers.ClasswiseWrapper(ours.MulticlassRecall(C, average=None), labels=list("abcd"))
    named.update(*multiclass_batch(0))
    assert set(named.compute()) == {f"multiclassrecall_{label}" for label in "abcd"}

    outputs = torchmetrics.wrappers.MultioutputWrapper(regression.MeanSquaredError(), 3)
    x, y = pairs_batch(0)
    torch.testing.assert_close(outputs(x, y).flatten(), (x - y).square().mean(0))


def twins(make):
    """The same metric of both libraries."""
    return make(ours), make(torchmetrics.classification)


def test_a_compute_group_mixes_update_and_forward():
    for options in ({}, {"multidim_average": "samplewise"}):
        made = [
            [module.MulticlassAccuracy(C, **options), module.MulticlassPrecision(C, average=None, **options)]
            for module in (ours, torchmetrics.classification)
        ]
        mine, alone = (
            torchmetrics.MetricCollection(made[0]),
            torchmetrics.MetricCollection(copy.deepcopy(made[0]), compute_groups=False),
        )
        theirs = torchmetrics.MetricCollection(made[1], compute_groups=False)
        for seed, step in enumerate(("update", "update", "forward", "forward", "update", "forward")):
            for collection in (mine, alone, theirs):
                getattr(collection, step)(*multiclass_batch(seed))
            assert len(mine.compute_groups) == 1
            for name, value in theirs.compute().items():
                torch.testing.assert_close(mine.compute()[name], value)
                assert torch.equal(mine.compute()[name], alone.compute()[name])
        mine.reset()
        mine.update(*multiclass_batch(7))
        expected = made[0][0].clone()
        expected.reset()
        expected.update(*multiclass_batch(7))
        assert torch.equal(mine.compute()["MulticlassAccuracy"], expected.compute())


def test_wrappers_give_what_they_give_theirs():
    for wrap in (
        torchmetrics.wrappers.MinMaxMetric,
        lambda metric: torchmetrics.wrappers.BootStrapper(metric, num_bootstraps=3, sampling_strategy="multinomial"),
        torchmetrics.MetricTracker,
    ):
        found = []
        for metric in twins(lambda module: module.MulticlassAccuracy(C)):
            torch.manual_seed(0)
            wrapped = wrap(metric)
            for seed in range(3):
                if isinstance(wrapped, torchmetrics.MetricTracker):
                    wrapped.increment()
                wrapped(*multiclass_batch(seed))
                wrapped.update(*multiclass_batch(seed + 3))
            found.append(wrapped.compute())
        torch.testing.assert_close(*found)


def test_compositions_are_theirs():
    values = []
    for metric in twins(lambda module: module.MulticlassRecall(C, average=None)):
        made = [metric + 1, 2 - metric, metric * metric, -metric, abs(metric), metric[1], metric > 0.3, 1 / metric]
        for composed in made:
            composed.update(*multiclass_batch(0))
        values.append([composed.compute() for composed in made])
    torch.testing.assert_close(*values)
