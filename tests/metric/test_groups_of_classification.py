# SPDX-License-Identifier: Apache-2.0
"""Every class of classification by groups against itself on the samples of each, one of which has a single class."""

import inspect

import pytest
import torch
from torch.utils import _pytree as pytree

from fastmetrics import classification
from fastmetrics.functional import classification as functions
from fastmetrics.functional.forms import snake_case
from tests.metric.test_groups import G, close, compare, drawn, of_parts, refused, some
from tests.support.cases import C, L, binary_batch, multiclass_batch, multilabel_batch

TASKS = {
    "Binary": ({}, binary_batch),
    "Multiclass": ({"num_classes": C}, multiclass_batch),
    "Multilabel": ({"num_labels": L}, multilabel_batch),
}
ASKED = {
    "thresholds": 7,
    "beta": 0.5,
    "min_recall": 0.4,
    "min_precision": 0.4,
    "min_sensitivity": 0.4,
    "min_specificity": 0.4,
}


def classes():
    for name in classification.__all__:
        kind = getattr(classification, name)
        task = next((task for task in TASKS if name.startswith(task)), None)
        if task is None or not inspect.isclass(kind):
            continue
        known = inspect.signature(kind).parameters
        if "num_groups" in known:
            continue  # its value is one of all groups
        options = {**TASKS[task][0], **{key: value for key, value in ASKED.items() if key in known}}
        if not refused(kind, options):
            yield pytest.param(kind, options, TASKS[task][1], id=name)


CLASSES = list(classes())


def batches_of(batch, how, ignore_index=None):
    """Three of (inputs, groups, keywords); group 1 has targets of one class, that is all negative ones."""
    for seed in range(3):
        *preds, target = batch(seed)
        groups = drawn(len(target), seed)
        target = torch.where((groups == 1).view(-1, *(1 for _ in target.shape[1:])), 0, target)
        if ignore_index is not None:
            target = torch.where(some(target.numel(), seed + 9).view(target.shape) < 0.25, ignore_index, target)
        of_samples = some(len(target), seed)
        keywords = {"valid": {"valid": of_samples > 0.2}, "weights": {"weights": 0.5 + of_samples}}.get(how, {})
        yield (*preds, target), groups, keywords


def test_most_classes_are_here():
    assert len(CLASSES) > 100


@pytest.mark.filterwarnings("ignore")  # of groups without positive, or without negative samples
@pytest.mark.parametrize("how", ["plain", "valid", "weights"])
@pytest.mark.parametrize("ignore_index", [None, -1])
@pytest.mark.parametrize(("kind", "options", "batch"), CLASSES)
def test_groups_are_the_metric_of_their_samples(kind, options, batch, how, ignore_index):
    if ignore_index is not None:
        if "ignore_index" not in inspect.signature(kind).parameters:
            pytest.skip("the metric ignores nothing")
        options = {**options, "ignore_index": ignore_index}
    metric, whole = kind(**options, num_groups=G), kind(**options)
    if how != "plain" and how not in inspect.signature(metric.inputs).parameters:
        pytest.skip("the metric has none")
    batches = list(batches_of(batch, how, ignore_index))
    for inputs, groups, keywords in batches:
        metric.update(*inputs, groups=groups, **keywords)
        whole.update(*inputs, **keywords)
    pytree.tree_map(close, metric.compute(), whole.compute())
    compare(metric, of_parts(kind, options, batches))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "options", "batch"), CLASSES)
def test_functions_by_group_are_the_metrics_by_group(kind, options, batch):
    function = getattr(functions, snake_case(kind.__name__), None)
    if function is None:
        pytest.skip("the metric has no function")
    average = inspect.signature(kind).parameters.get("average")
    if average is not None:
        options = {**options, "average": average.default}  # some functions have another, as torchmetrics' do
    inputs, groups, _ = next(batches_of(batch, "plain"))
    metric = kind(**options, num_groups=G)
    metric.update(*inputs, groups=groups)
    by_group = metric.by_group()
    pytree.tree_map(close, function(*inputs, **options, groups=groups, num_groups=G), by_group)
    several = function(*inputs, **options, groups={"a": groups}, num_groups={"a": G})
    pytree.tree_map(close, several, {"a": by_group})
