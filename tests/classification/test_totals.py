# SPDX-License-Identifier: Apache-2.0
"""Metrics of all classes together count no class: their statistic is the sums of the counts."""

import copy
import pickle

import pytest
import torch

from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from fastmetrics.statistics import MulticlassStatistics
from tests.support.collections import Operators

C = 5
FAMILIES = ("Accuracy", "Precision", "Specificity", "F1Score", "NegativePredictiveValue", "Informedness", "StatScores")


def batch(seed=0, n=300):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, C, (n,), generator=generator)
    return torch.where(torch.rand(n, generator=generator) < 0.6, target, target.flip(0)), target


def of(name, **options):
    return getattr(ours, f"Multiclass{name}")(C, average="micro", **options)


def of_classes(name, **options):
    """The same metric with counts of each class."""
    metric = of(name, **options)
    collection = MetricCollection({"it": metric, "other": ours.MulticlassRecall(C, **options)})
    return collection, metric


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    "options", [{}, {"ignore_index": 1}, {"ignore_index": -1}, {"ignore_index": 2, "num_groups": 3}]
)
def test_values_are_those_of_the_counts_of_classes(name, options):
    metric = of(name, **options)
    collection, member = of_classes(name, **options)
    for weights in (None, torch.randint(0, 9, (300,)) / 8):
        preds, target = batch()
        target[::50] = options.get("ignore_index", 0)
        given = {"groups": torch.arange(300) % 3} if "num_groups" in options else {}
        for seen in (metric, collection):
            seen.update(preds, target, weights=weights, valid=torch.arange(300) % 7 > 0, **given)
        lead = (3,) if given else ()
        assert metric.counts.shape == (*lead, 1, 3)
        assert member.counts.shape == (*lead, C, 3)
        assert torch.equal(metric.counts, member.counts.sum(-2, keepdim=True))
        for value, expected in zip(_values(metric.compute()), _values(collection.compute()["it"]), strict=True):
            assert value.dtype == expected.dtype
            assert torch.equal(value, expected)


def _values(found):
    return found.values() if isinstance(found, dict) else [found]


def test_who_asks_for_totals():
    def shape(metric):
        return metric._statistics.shapes["counts"][0]

    assert shape(of("Accuracy")) == shape(of("Recall", ignore_index=2)) == (1, 3)
    assert shape(ours.MulticlassRecall(average="micro")) == (1, 3)
    for options in ({"top_k": 2}, {"multidim_average": "samplewise"}, {"ignore_index": 2, "exclude_ignored": True}):
        assert shape(of("Accuracy", **options)) == (C, 3)
    for average in ("macro", "weighted", "none", None):
        assert shape(ours.MulticlassAccuracy(C, average=average)) == (C, 3)


def test_a_collection_counts_once():
    def kept(*metrics):
        collection = MetricCollection({str(i): metric for i, metric in enumerate(metrics)})
        with Operators() as called:
            collection.update(*batch())
        assert called.seen == ["multiclass_"]
        (group,) = collection._plan.groups
        assert len({metric.counts.data_ptr() for metric in collection.values() if hasattr(metric, "counts")}) == 1
        return {name: shape for name, (shape, _) in group.accumulator.statistics.shapes.items()}

    assert kept(of("Accuracy"), of("Specificity")) == {"counts": (1, 3)}
    assert kept(of("Accuracy"), ours.MulticlassF1Score(C)) == {"counts": (C, 3)}
    assert kept(ours.MulticlassF1Score(C), of("Accuracy")) == {"counts": (C, 3)}
    both = {"counts": (C, 3), "confusion": (C, C)}
    assert kept(of("Accuracy"), ours.MulticlassConfusionMatrix(C)) == both
    scores = MetricCollection({"micro": of("Accuracy"), "rank": ours.MeanReciprocalRank(C)})
    scores.update(torch.rand(40, C), torch.arange(40) % C)
    assert scores["micro"].counts.shape == (C, 3)


def test_it_leaves_a_group_and_comes_back():
    collection, metric = of_classes("Accuracy")
    alone = of("Accuracy")
    for seen in (collection, alone):
        seen.update(*batch(0), weights=torch.full((300,), 0.5))
        seen.update(*batch(1))
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert torch.equal(other.counts, alone.counts)
        assert torch.equal(other.weighted_counts, alone.weighted_counts)
    for seen in (metric, alone):
        seen.update(*batch(2))
    assert torch.equal(metric.counts, alone.counts)
    assert torch.equal(collection.compute()["it"], alone.compute())
    collection.reset()
    collection.update(*batch(3))
    assert metric.counts.shape == (C, 3)
    assert torch.equal(collection.compute()["it"], of("Accuracy")(*batch(3)))


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("same", [True, False])
def test_metrics_with_data_join_if_it_is_the_same(same, order):
    micro, macro = of("Accuracy"), ours.MulticlassF1Score(C)
    for seed, metric in ((0, micro), (0 if same else 1, macro)):
        metric.update(*batch(seed))
        metric.update(*batch(seed), weights=torch.full((300,), 0.25))
    collection = MetricCollection(dict(zip(order, (micro, macro), strict=True)))  # which is sorted by name
    collection.update(*batch(2))
    assert len(collection._plan.groups) == (1 if same else 2)
    for member, whole in ((micro, of("Accuracy")), (macro, ours.MulticlassF1Score(C))):
        seed = 0 if same or member is micro else 1
        whole.update(*batch(seed))
        whole.update(*batch(seed), weights=torch.full((300,), 0.25))
        whole.update(*batch(2))
        assert torch.equal(member.compute(), whole.compute())
        assert torch.equal(member.counts.sum(0), whole.counts.sum(0))
        assert torch.equal(member.weighted_counts.sum(0), whole.weighted_counts.sum(0))


@pytest.mark.parametrize("options", [{}, {"num_groups": 3}])
def test_checkpoints_of_counts_of_classes_load(options):
    given = {"groups": torch.arange(300) % 3} if options else {}
    macro, micro, alone = ours.MulticlassRecall(C, **options), of("Recall", **options), of("Recall", **options)
    for metric in (macro, alone):
        metric.persistent(True)
        metric.update(*batch(), **given)
        metric.update(*batch(1), weights=torch.full((300,), 0.5), **given)
    micro.persistent(True)
    micro.load_state_dict(macro.state_dict())
    assert torch.equal(micro.counts, alone.counts)
    assert torch.equal(micro.weighted_counts, alone.weighted_counts)
    for value, expected in zip(_values(micro.compute()), _values(alone.compute()), strict=True):
        assert torch.equal(value, expected)
    again = of("Recall", **options)
    again.load_state_dict(micro.state_dict(), strict=False)
    assert torch.equal(again.counts, alone.counts)
    with pytest.raises(RuntimeError, match=r"size mismatch for counts: .* has .*1, 3\), the metric .*5, 3\)"):
        macro.load_state_dict(micro.state_dict())
    other = ours.MulticlassRecall(C + 1, average="micro", **options)
    with pytest.raises(RuntimeError, match=r"size mismatch for counts: .* has .*5, 3\), the metric .*1, 3\)"):
        other.load_state_dict(macro.state_dict())


def test_counts_of_classes_are_merged():
    macro, micro, alone = ours.MulticlassRecall(C), of("Recall"), of("Recall")
    for metric in (macro, alone):
        metric.update(*batch())
    for metric in (micro, alone):
        metric.update(*batch(1))
    for state in (macro, copy.deepcopy(macro).metric_state):
        both = copy.deepcopy(micro)
        both.merge_state(state)
        assert torch.equal(both.counts, alone.counts)
        assert torch.equal(both.compute(), alone.compute())
    with pytest.raises(ValueError, match=r"state variable counts of shape \(5, 3\), but got \(1, 3\) to merge"):
        macro.merge_state(micro)
    with pytest.raises(ValueError, match=r"state variable counts of shape \(1, 3\), but got \(6, 3\) to merge"):
        micro.merge_state(ours.MulticlassRecall(C + 1))


def test_statistics_of_totals():
    totals = MulticlassStatistics(C, totals=True)
    counts = MulticlassStatistics(C, counts=True)
    assert totals.union(totals).shapes == totals.shapes
    assert totals.union(counts).shapes == counts.union(totals).shapes == counts.shapes
    ranks = MulticlassStatistics(C, rank_histogram=True)
    assert totals.union(ranks).shapes["counts"] == ranks.union(totals).shapes["counts"] == ((C, 3), torch.int64)
    assert totals.shapes["counts"] == ((1, 3), torch.int64)
    assert totals.union(MulticlassStatistics(C, counts=True, ignore_index=0)) is None
    state = torch.arange(3 * C).view(C, 3)
    assert totals.view("counts", state) is state
    assert torch.equal(totals.exactly("counts", state), state.sum(0, keepdim=True))
    assert totals.fits("counts", state)
    assert totals.fits("counts", state[:1])
    assert not totals.fits("counts", state[:2])
    assert not counts.fits("counts", state[:1])
    for others in ({"confusion": True}, {"rank_histogram": True}, {"top_k": 2}, {"samplewise": True}):
        assert MulticlassStatistics(C, totals=True, **others).shapes["counts"] == ((C, 3), torch.int64)


def test_labels_out_of_range_are_named():
    preds, target = batch()
    preds[70], target[33], target[34] = -3, 7, 9
    metric = of("Accuracy")
    with pytest.raises(RuntimeError, match=r"`target` .* 2 lay outside, the first is 7; .*`preds` .* first is -3"):
        metric.update(preds, target)
    assert metric.counts[0, 1] == 297


def test_explain_and_memory():
    collection = MetricCollection({"micro": ours.MulticlassAccuracy(32_000, average="micro")})
    assert "counts int64 [1, 3], faults int64 [15]; 144 bytes" in collection.explain()


def test_bootstrap_needs_no_confusion_matrix():
    preds, target = batch()
    drawn = of("Specificity")
    drawn.update(preds, target)
    low, high = drawn.interval(method="bootstrap", draws=4000)
    near, far = drawn.interval(method="exact")
    torch.testing.assert_close(torch.stack([low, high]), torch.stack([near, far]), rtol=0, atol=0.01)
    assert low < drawn.compute() < high
    many = ours.MulticlassAccuracy(100_000, average="micro", intervals=True)
    many.update(preds, target)
    assert many.counts.shape == (1, 3)
    assert many.interval(method="bootstrap") == many.interval(method="margins")
