# SPDX-License-Identifier: Apache-2.0
"""States of a GPU are brought to the host for their formulas. Here the CPU stands for a GPU as well."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import MetricCollection, host, regression, tensors
from fastmetrics import classification as ours
from fastmetrics.metric import StatisticMetric
from tests.support.cases import C, every_metric, filled
from tests.support.collections import CALLS, alone, batch, members, same


def ten():
    return {
        "accuracy": ours.MulticlassAccuracy(C),
        "f1": ours.MulticlassF1Score(C, average=None),
        "jaccard": ours.MulticlassJaccardIndex(C),
        "kappa": ours.MulticlassCohenKappa(C),
        "matthews": ours.MulticlassMatthewsCorrCoef(C),
        "micro": ours.MulticlassAccuracy(C, average="micro"),
        "precision": ours.MulticlassPrecision(C),
        "recall": ours.MulticlassRecall(C),
        "specificity": ours.MulticlassSpecificity(C, average="weighted"),
        "table": ours.MulticlassConfusionMatrix(C, normalize="true"),
    }


class Copies:
    """The copies that were made, and what of them is a launch or a copy on a GPU."""

    def __init__(self):
        self.made, self.operators = [], []
        self._together = tensors.together

    def together(self, values, device):
        self.made.append(device.type)
        values = [value.clone() for value in values]
        with _Operators(self.operators):
            return self._together(values, device)


class _Operators(TorchDispatchMode):
    """All that is no view."""

    def __init__(self, seen):
        super().__init__()
        self._seen = seen

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self._seen.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def copies(monkeypatch):
    """One waits for every record of faults, as on a GPU."""
    found = Copies()

    def device_to_wait_for(parts):
        return torch.device("cpu") if any(part.faults is not None for part in parts) else None

    monkeypatch.setattr(host, "device_to_wait_for", device_to_wait_for)
    monkeypatch.setattr(tensors, "together", found.together)
    return found


def equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


@every_metric
def test_a_formula_makes_all_that_it_needs_where_the_states_are(kind, options, batch):
    metric = filled(kind, options, batch, 1, 2)
    if host.holds_tensors(metric) or not metric._standard():
        pytest.skip("its states stay where they are")
    value = metric.compute()
    metric._device = torch.device("meta")
    with torch.device("meta"):
        found = metric._value_of(metric._reader.part())
    equal(found, value)


@every_metric
def test_values_are_the_same(kind, options, batch, monkeypatch, copies):
    with monkeypatch.context() as patch:
        patch.undo()
        there = kind(**options)
        expected = [there(*batch(seed)) for seed in (1, 2)], there.compute()
    metric = kind(**options)
    equal(([metric(*batch(seed)) for seed in (1, 2)], metric.compute()), expected)
    goes = metric._reader.accumulator.faults is not None and metric._standard() and not host.holds_tensors(metric)
    assert bool(copies.made) == goes


def test_a_collection_is_copied_once_and_comes_back_once(copies):
    for metrics in (ten(), {**ten(), "other": ours.MulticlassAccuracy(C, ignore_index=1)}):
        collection = MetricCollection({name: metric.clone() for name, metric in metrics.items()})
        collection.update(*batch(1))
        copies.made.clear()
        copies.operators.clear()
        found = collection.compute()
        assert copies.made == ["cpu", "cpu"]
        # the copies themselves, which are none between equal devices: a launch more on a GPU, and two copies
        assert copies.operators == ["cat", "cat"]
        same(dict(sorted(found.items())), alone(metrics, [("update", 1)])[1])
        copies.made.clear()
        collection(*batch(2))
        assert copies.made == ["cpu", "cpu"]


def test_members_of_every_kind(copies):
    collection = MetricCollection(members())
    for call, seed in CALLS:
        last = getattr(collection, call)(*batch(seed))
    step, total = alone(members(), CALLS)
    same(dict(sorted(last.items())), step)
    same(dict(sorted(collection.compute().items())), total)


def test_values_share_no_memory_with_states(copies):
    metric = ours.MulticlassConfusionMatrix(C)
    metric.update(*batch(1))
    metric.compute().zero_()
    assert int(metric.confusion.sum()) == batch(1)[1].numel()


def test_faults_are_raised_once(copies):
    wrong = torch.tensor([0, C, 1]), torch.tensor([0, 1, 1])
    for kind in (ours.MulticlassAccuracy, ours.MulticlassConfusionMatrix):
        metric = kind(C, validate_args=True)
        metric._raise_faults, raising = (lambda *_: None), metric._raise_faults  # an update on a GPU does not look
        metric.update(*wrong)
        metric._raise_faults = raising
        with pytest.raises(RuntimeError, match=f"{C}"):
            metric.compute()
        assert metric.compute().sum() > 0  # the others are counted
    collection = MetricCollection(ten())
    collection._ready().raise_faults, raising = (lambda *_: None), collection._ready().raise_faults
    collection.update(*wrong)
    with pytest.raises(RuntimeError) as error:
        collection.compute()
    assert str(error.value).count("not counted") == 1
    assert collection.compute()["micro"] == 1


def test_what_is_large_or_differentiable_or_holds_tensors_stays(copies, monkeypatch):
    metric = ours.MulticlassAccuracy(C)
    metric.update(*batch(1))
    copies.made.clear()
    monkeypatch.setattr(host, "MOST", 8 * 3 * C - 1)
    metric.compute()
    assert copies.made == ["cpu"]  # the record of faults
    x = torch.rand(5, 2, requires_grad=True)
    copies.made.clear()
    regression.KLDivergence()(x, torch.rand(5, 2)).sum().backward()
    assert x.grad is not None


class Scaled(StatisticMetric):
    """A formula that takes a tensor of the metric."""

    def __init__(self):
        super().__init__(ours.MulticlassAccuracy(C)._reader.asked)
        self.register_buffer("scale", torch.tensor(2.0))

    def formula(self, counts):
        return counts[:, 0].sum() * self.scale


def test_a_formula_with_a_tensor_of_the_metric_stays_with_it(copies):
    metric = Scaled()
    metric.update(*batch(1))
    with torch.device("meta"):
        assert metric.compute() > 0
    assert copies.made == ["cpu"]
