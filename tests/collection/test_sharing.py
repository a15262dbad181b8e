# SPDX-License-Identifier: Apache-2.0
"""Which members of a collection share their states, and when they cease to."""

import copy
import pickle

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from fastmetrics.metric import StatisticMetric
from fastmetrics.regression import (
    MeanAbsoluteError,
    MeanSquaredError,
)
from fastmetrics.statistics import PairsStatistics
from tests.support.collections import GROUPS, C, Operators, alone, batch, members, same
from tests.support.metrics import Least

pytestmark = pytest.mark.filterwarnings("ignore")


def test_states_are_shared_and_lie_in_one_buffer():
    collection = MetricCollection(members())
    collection.update(*batch())
    group = [collection[name] for name in ("acc", "micro", "f1", "top2", "top3")]
    assert len({metric.counts.data_ptr() for metric in group}) == 1
    assert collection["top2"].ranks.data_ptr() == collection["top3"].ranks.data_ptr()
    assert collection["top2"].ranks.shape == (C, 2, 2)
    assert collection["samples"].counts is collection["samples2"].counts
    tensors = [s for m in collection.values() for s in m.metric_state.values() if isinstance(s, torch.Tensor)]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
    addresses = [tensor.data_ptr() for tensor in tensors]
    fills = []

    class Fills(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            fills.append(func)
            return func(*args, **(kwargs or {}))

    with Fills():
        collection.reset()
    assert [str(fill) for fill in fills] == ["aten.zero_.default"]
    assert not any(tensor.any() for tensor in tensors)
    collection.to("cpu")
    collection(*batch())
    again = [s for m in collection.values() for s in m.metric_state.values() if isinstance(s, torch.Tensor)]
    assert [tensor.data_ptr() for tensor in again] == addresses


def test_two_kinds_of_input_in_two_buffers():
    collection = MetricCollection([MeanSquaredError(), MeanAbsoluteError()])
    x, y = torch.randn(50), torch.randn(50)
    with Operators() as called:
        value = collection(x, y)
    assert called.seen == ["simple_pairs_"]
    torch.testing.assert_close(value["MeanAbsoluteError"], (x - y).abs().mean())
    assert len(collection._plan.arena.buffers) == 2
    scores = x.clone().requires_grad_()
    loss = collection(scores, y)["MeanSquaredError"]
    loss.backward()  # as alone, a metric with a gradient keeps it through forward
    torch.testing.assert_close(scores.grad, 2 * (x - y) / 50)
    assert collection["MeanSquaredError"].update_count == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, MetricCollection.clone, lambda c: pickle.loads(pickle.dumps(c))])
@pytest.mark.parametrize("weights", [None, torch.rand(8)])
def test_copies_share_among_themselves_only(copied, weights):
    collection = MetricCollection(members(), prefix="val/")
    collection.update(*batch(0), weights=weights)
    other = copied(collection)
    assert [set(names) for names in other.compute_groups.values()] == GROUPS
    same(other.compute(), collection.compute())
    before = {name: value.clone() for name, value in collection.compute().items()}
    other.update(*batch(1))
    same(collection.compute(), before)
    collection.update(*batch(1))
    same(collection.compute(), other.compute())
    assert other["acc"].counts.data_ptr() == other["f1"].counts.data_ptr() != collection["acc"].counts.data_ptr()
    assert other["acc"].counts.untyped_storage().nbytes() < 4000


def test_a_member_that_is_changed_by_itself():
    def changed(change):
        collection = MetricCollection(members())
        collection.update(*batch(0))
        change(collection["f1"])
        collection.update(*batch(1))
        expected = members()
        for name, metric in expected.items():
            metric.update(*batch(0))
            if name == "f1":
                change(metric)
            metric.update(*batch(1))
        same(collection.compute(), {name: expected[name].compute() for name in sorted(expected)})
        assert ["f1"] in collection.compute_groups.values()
        collection.reset()
        assert [set(names) for names in collection.compute_groups.values()] == GROUPS

    other = ours.MulticlassF1Score(C, average=None)
    other.update(*batch(7))
    changed(lambda metric: metric.update(*batch(5)))
    changed(lambda metric: metric(*batch(5)))
    changed(lambda metric: metric.reset())
    changed(lambda metric: metric.merge_state(other))
    changed(lambda metric: metric.load_state_dict({"counts": other.counts.clone()}))
    changed(lambda metric: setattr(metric, "counts", other.counts.clone()))


def test_members_that_are_all_reset_share_again():
    collection = MetricCollection(members())
    addresses = [metric.faults.data_ptr() for metric in collection.values() if metric.faults is not None]
    for _ in range(2):
        collection.update(*batch(0))
        collection.compute()
        for metric in collection.values():  # as Lightning does at the end of an epoch
            metric.reset()
        assert not any(metric.update_called for metric in collection.values())
    assert addresses == [metric.faults.data_ptr() for metric in collection.values() if metric.faults is not None]
    assert not collection._plan.stale
    collection.update(*batch(1))
    same(collection.compute(), alone(members(), [("update", 1)])[1])


def test_metrics_with_a_past_are_not_mixed():
    seen = ours.MulticlassF1Score(C)
    seen.update(*batch(3))
    collection = MetricCollection({"new": ours.MulticlassAccuracy(C), "seen": seen})
    assert len(collection.compute_groups) == 2
    collection.update(*batch(0))
    expected = ours.MulticlassF1Score(C)
    expected.update(*batch(3))
    expected.update(*batch(0))
    assert torch.equal(collection.compute()["seen"], expected.compute())
    collection.add_metrics({"later": ours.MulticlassRecall(C)})
    collection.update(*batch(1))
    assert collection["later"].update_count == 1
    assert collection["new"].update_count == 2
    assert torch.equal(collection.compute()["later"], ours.MulticlassRecall(C)(*batch(1)))


def test_state_dict_of_members():
    collection = MetricCollection(members())
    assert collection.state_dict() == {}
    collection.update(*batch(0))
    collection.persistent(True)
    saved = collection.state_dict()
    single = ours.MulticlassAccuracy(C, top_k=2)
    single.update(*batch(0))
    single.persistent(True)
    of_single = single.state_dict()
    assert {name for name in saved if name.startswith("top2.")} == {f"top2.{name}" for name in of_single}
    for name, value in collection["top2"].state_dict().items():
        assert torch.equal(value, of_single[name])
        assert value.untyped_storage().nbytes() == value.numel() * 8
    other = MetricCollection(members())
    other.persistent(True)
    other.load_state_dict(saved)
    same(other.compute(), collection.compute())
    other.update(*batch(1))
    assert [set(names) for names in other.compute_groups.values()] == GROUPS
    collection.update(*batch(1))
    same(other.compute(), collection.compute())
    saved["f1.counts"] = saved["f1.counts"] + 1  # one that has seen something else
    other.load_state_dict(saved)
    collection.load_state_dict({})
    other.update(*batch(2))
    assert ["f1"] in other.compute_groups.values()


def test_different_options_are_not_shared():
    def groups(*metrics):
        return len(MetricCollection({str(i): metric for i, metric in enumerate(metrics)}).compute_groups)

    assert groups(ours.BinaryAccuracy(), ours.BinaryF1Score(), ours.BinaryStatScores()) == 1
    assert groups(ours.BinaryAccuracy(0.5), ours.BinaryAccuracy(0.6)) == 2
    assert groups(ours.BinaryAccuracy(), ours.BinaryConfusionMatrix()) == 1
    # with ignored elements, they decide otherwise between probabilities and logits
    assert groups(ours.BinaryAccuracy(ignore_index=-1), ours.BinaryConfusionMatrix(ignore_index=-1)) == 2
    assert groups(ours.MulticlassAccuracy(C), ours.MulticlassAccuracy(average="micro")) == 2
    assert groups(ours.MulticlassAccuracy(C), ours.MulticlassAccuracy(C + 1)) == 2
    assert groups(ours.MulticlassAccuracy(C), ours.MulticlassF1Score(C, dist_sync_on_step=True)) == 2
    assert groups(ours.MulticlassAccuracy(C), ours.MulticlassF1Score(C, sync_on_compute=False)) == 2
    assert groups(MeanSquaredError(), MeanSquaredError(num_outputs=2), MeanAbsoluteError()) == 2


class Plain(PairsStatistics):
    """Statistics that know nothing of collections."""

    key = None

    def __init__(self, shift, **options):
        super().__init__(**options)
        self.shift = shift

    def add(self, states, batch):
        (preds, target), weights, valid = batch
        super().add(states, ((preds + self.shift, target), weights, valid))


class Shifted(StatisticMetric):
    def __init__(self, shift, squared=True):
        super().__init__(Plain(shift, squared_error=squared, absolute_error=not squared))

    def formula(self, count, squared_error=None, absolute_error=None):
        return (absolute_error if squared_error is None else squared_error) / count


class Halved(ours.MulticlassAccuracy):
    """A metric with its own reading of the arguments."""

    def __init__(self, keep, **options):
        super().__init__(C, **options)
        self.keep = keep

    def inputs(self, preds, target, **kwargs):
        return super().inputs(preds[: self.keep], target[: self.keep], **kwargs)


class Declared(Halved):
    inputs_options = ("keep",)


def test_statistics_and_inputs_that_say_nothing_are_shared_only_if_equal():
    collection = MetricCollection({"a": Shifted(1), "b": Shifted(1), "c": Shifted(2), "d": Shifted(1, squared=False)})
    assert sorted(map(sorted, collection.compute_groups.values())) == [["a", "b"], ["c"], ["d"]]
    x, y = torch.randn(9), torch.randn(9)
    torch.testing.assert_close(collection(x, y)["c"].float(), (x + 2 - y).square().mean().reshape(1))
    for kind, groups in ((Halved, 4), (Declared, 2)):
        collection = MetricCollection({"a": kind(3), "b": kind(3), "c": kind(4), "d": kind(4, top_k=2)})
        assert len(collection.compute_groups) == groups
        preds, target = batch()
        value = collection(preds, target)["c"]
        assert torch.equal(value, ours.MulticlassAccuracy(C)(preds[:4], target[:4]))


def test_statistics_that_are_not_sums_and_do_not_start_at_zero():
    collection = MetricCollection([Least(), MeanSquaredError()])
    x, y = torch.randn(9), torch.randn(9)
    for _ in range(2):
        metric = Least()
        for call in ("forward", "update", "forward"):
            values, alone = getattr(collection, call)(x, y), getattr(metric, call)(x, y)
            x, y = x + 1, y - 1
        assert torch.equal(values["Least"], alone)
        assert torch.equal(pickle.loads(pickle.dumps(collection)).compute()["Least"], metric.compute())
        for one in (collection, metric):
            one.reset()
        assert collection["Least"].least.tolist() == metric.least.tolist() == [99.0, 99.0]
    collection.update(x, y)
    collection["Least"].reset()
    assert collection["Least"].least.tolist() == [99.0, 99.0]


def test_a_reset_in_another_collection_is_over():
    first = MetricCollection(members())
    first.update(*batch(0))
    for metric in first.values():
        metric.reset()
    second = MetricCollection(dict(first.items()))
    second.update(*batch(1))
    second["acc"].reset()
    expected = members()["f1"]
    expected.update(*batch(1))
    assert second["f1"].update_count == 1
    assert torch.equal(second["f1"].compute(), expected.compute())


def test_a_group_takes_the_states_of_each_member_from_it():
    """A member that loaded something else may join those that have other states."""
    collection = MetricCollection({"acc": ours.MulticlassAccuracy(C), "confusion": ours.MulticlassConfusionMatrix(C)})
    collection.update(*batch(0))
    collection.persistent(True)
    collection.load_state_dict(collection.state_dict())
    collection.compute()
    other, whole = ours.MulticlassAccuracy(C), ours.MulticlassConfusionMatrix(C)
    other.update(*batch(1))
    whole.update(*batch(0))
    other.persistent(True)
    collection["acc"].load_state_dict(other.state_dict())
    values = collection.compute()
    assert torch.equal(values["acc"], other.compute())
    assert torch.equal(values["confusion"], whole.compute())
    collection.update(*batch(2))
    other.update(*batch(2))
    whole.update(*batch(2))
    values = collection.compute()
    assert torch.equal(values["acc"], other.compute())
    assert torch.equal(values["confusion"], whole.compute())
