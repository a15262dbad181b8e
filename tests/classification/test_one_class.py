# SPDX-License-Identifier: Apache-2.0
"""Curves that lack a class: values and warnings, alone and in a collection, as in torchmetrics."""

import warnings

import pytest
import torch
import torchmetrics.classification as theirs

import fastmetrics.classification as ours
from fastmetrics import MetricCollection
from tests.classification.test_curves import close

N, C = 12, 3
NAMES = {
    "PrecisionRecallCurve": {},
    "ROC": {},
    "AUROC": {},
    "AveragePrecision": {},
    "LogAUC": {},
    "EER": {},
    "PrecisionAtFixedRecall": {"min_recall": 0.5},
    "RecallAtFixedPrecision": {"min_precision": 0.5},
    "SensitivityAtSpecificity": {"min_specificity": 0.5},
    "SpecificityAtSensitivity": {"min_sensitivity": 0.5},
}
TASKS = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": C}}
AVERAGED = ("AUROC", "AveragePrecision", "LogAUC")
TARGETS = ("negative", "positive", "some", "ignored")


def batch(task, kind):
    """Scores, and targets of one class or none; ``some`` have both, but for the last of several columns."""
    generator = torch.Generator().manual_seed(5)
    scores = torch.rand(*((N,) if task == "Binary" else (N, C)), generator=generator)
    shape = (N, C) if task == "Multilabel" else (N,)
    least = 1 if task == "Multiclass" else 0  # class 0 has its own meaning there
    target = {
        "negative": torch.full(shape, least),
        "positive": torch.full(shape, least + 1),
        "some": torch.arange(N).remainder(2).repeat_interleave(C if task == "Multilabel" else 1).view(shape),
        "ignored": torch.full(shape, -1),
    }[kind]
    if kind == "some" and task == "Multilabel":
        target[:, -1] = 0
    return scores.softmax(1) if task == "Multiclass" else scores, target


def value_and_warnings(metric, arguments):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        metric.update(*arguments)
        value = metric.compute()
    return value, sorted(str(warning.message) for warning in found)


def without_negatives(task, kind):
    """Where the area over log fpr is 0, and infinite or NaN in torchmetrics."""
    return kind in ("positive", "ignored") or (task, kind) == ("Multiclass", "negative")


def options_of(task, name):
    averages = ("macro", "weighted", None) if name in AVERAGED and task != "Binary" else ("",)
    for average in averages:
        if (name, average) != ("LogAUC", "weighted"):
            yield {**TASKS[task], **NAMES[name], **({} if average == "" else {"average": average})}


@pytest.mark.parametrize("thresholds", [None, 5], ids=["exact", "binned"])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("task", TASKS)
def test_values_and_warnings(task, kind, thresholds):
    arguments = batch(task, kind)
    ignore_index = -1 if kind == "ignored" else None
    for name in NAMES:
        for options in options_of(task, name):
            options |= {"thresholds": thresholds, "ignore_index": ignore_index}
            metric = getattr(ours, task + name)(**options)
            found = value_and_warnings(metric, arguments)
            if name == "LogAUC" and without_negatives(task, kind):
                assert not found[0].any()
                continue
            try:
                expected = value_and_warnings(getattr(theirs, task + name)(**options), arguments)
            except IndexError:  # without samples
                continue
            close(found[0], expected[0], 1e-6)
            assert set(found[1]) == set(expected[1]), (name, options)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("task", TASKS)
def test_each_metric_of_a_collection_warns(task, kind):
    arguments = batch(task, kind)

    def build(name):
        return getattr(ours, task + name)(**TASKS[task], **NAMES[name], ignore_index=-1)

    alone = {name: value_and_warnings(build(name), arguments) for name in NAMES}
    values, said = value_and_warnings(MetricCollection({name: build(name) for name in NAMES}), arguments)
    assert said == sorted(message for _, messages in alone.values() for message in messages)
    for name, (value, _) in alone.items():
        close(values[name], value, 0)
