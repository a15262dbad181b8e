# SPDX-License-Identifier: Apache-2.0
"""Every metric by groups against the metric alone on the samples of each group."""

import copy
import inspect
import itertools
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from torch.utils import _pytree as pytree

from bench.counts import memory
from fastmetrics import MetricCollection, SumMetric, native
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryBrierScore,
    BinaryCalibrationError,
    BinaryCohenKappa,
    BinaryGroupStatRates,
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MultilabelF1Score,
)
from fastmetrics.regression import MeanSquaredError, PearsonCorrCoef, R2Score
from tests.metric.test_no_waiting import NoWaiting
from tests.support.cases import C, cases, every_metric

G = 5  # the last has no samples


def refused(kind, options):
    """Whether the statistics belong to samples."""
    asked = kind(**options)._reader.asked
    return asked.samplewise or not asked.by_groups


grouped = pytest.mark.parametrize(
    ("kind", "options", "batch"), [case for case in cases() if not refused(*case.values[:2])]
)
samplewise = pytest.mark.parametrize(
    ("kind", "options", "batch"),
    [case for case in cases() if refused(*case.values[:2])],
)


def drawn(n, seed, number=G - 1):
    return torch.randint(0, number, (n,), generator=torch.Generator().manual_seed(seed))


def some(n, seed):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


def close(got, expected):
    torch.testing.assert_close(got, expected, rtol=2e-6, atol=1e-6, equal_nan=True)


def of_parts(kind, options, batches):
    """The metric alone on each group of batches of (inputs, groups, keywords)."""
    alone = [kind(**options) for _ in range(G)]
    for inputs, groups, keywords in batches:
        for group, metric in enumerate(alone):
            mine = groups == group
            if mine.any():
                metric.update(*(value[mine] for value in inputs), **{name: v[mine] for name, v in keywords.items()})
    return alone


def compare(metric, alone):
    """The values of all groups with those of the metrics alone; NaN where there are no samples."""
    values, counts = metric.by_group(), metric.group_counts()
    for group, one in enumerate(alone):
        if one.update_called and counts[group] > 0:
            pytree.tree_map(lambda got, value, group=group: close(got[group], value), values, one.compute())
    for value in pytree.tree_leaves(values):
        assert value.shape[0] == G
        absent = value[counts == 0]
        assert absent.isnan().all() if value.is_floating_point() else (absent == 0).all()


@grouped
@pytest.mark.parametrize("how", ["plain", "valid", "weights"])
def test_groups_are_the_metric_of_their_samples(kind, options, batch, how):
    metric, whole = kind(**options, num_groups=G), kind(**options)
    if how not in inspect.signature(metric.inputs).parameters and how != "plain":
        pytest.skip("the metric has none")
    batches = []
    for seed in (0, 1):
        inputs = batch(seed)
        n = len(inputs[0])
        keywords = {"valid": {"valid": some(n, seed) > 0.2}, "weights": {"weights": 0.5 + some(n, seed)}}.get(how, {})
        batches.append((inputs, drawn(n, seed), keywords))
    for inputs, groups, keywords in batches:
        metric.update(*inputs, groups=groups, **keywords)
        whole.update(*inputs, **keywords)
    pytree.tree_map(close, metric.compute(), whole.compute())
    compare(metric, of_parts(kind, options, batches))
    kept = [keywords.get("valid", torch.ones_like(groups, dtype=torch.bool)) for _, groups, keywords in batches]
    every = torch.cat([groups[mask] for (_, groups, _), mask in zip(batches, kept, strict=True)])
    assert metric.group_counts().tolist() == every.bincount(minlength=G).tolist()


@grouped
def test_forward_merge_and_checkpoints_keep_the_groups(kind, options, batch):
    first, second = (kind(**options, num_groups=G) for _ in range(2))
    inputs = batch(0)
    groups = drawn(len(inputs[0]), 0)
    alone = kind(**options)
    pytree.tree_map(close, first(*inputs, groups=groups), alone(*inputs))
    second.update(*batch(1), groups=drawn(len(batch(1)[0]), 1))
    first.merge_state(second)
    whole = kind(**options, num_groups=G)
    whole.update(*inputs, groups=groups)
    whole.update(*batch(1), groups=drawn(len(batch(1)[0]), 1))
    values = whole.by_group()
    loaded = kind(**options, num_groups=G)
    first.persistent(True)
    loaded.load_state_dict(first.state_dict())
    for same in (first, copy.deepcopy(first), pickle.loads(pickle.dumps(first)), first.clone(), loaded):
        pytree.tree_map(close, same.by_group(), values)
        assert torch.equal(same.group_counts(), whole.group_counts())
    first.reset()
    assert not first.group_counts().any()


@pytest.mark.parametrize("other", [{"c": 2, "d": 3}, {"b": 2, "a": 3}, {"a": 3, "b": 3}, 5])
def test_other_slicings_are_not_merged(other):
    metric, one = BinaryAccuracy(num_groups={"a": 3, "b": 2}), BinaryAccuracy(num_groups=other)
    batch = torch.tensor([0.2, 0.7, 0.9]), torch.tensor([0, 1, 0])
    metric.update(*batch, groups={"a": torch.tensor([0, 1, 2]), "b": torch.tensor([0, 1, 1])})
    names = other if isinstance(other, dict) else ["groups"]
    groups = {name: torch.tensor([0, 1, 1]) for name in names}
    one.update(*batch, groups=groups if isinstance(other, dict) else groups["groups"])
    before = {name: value.clone() for name, value in metric.by_group().items()}
    with pytest.raises(ValueError, match="same slicings in the same order"):
        metric.merge_state(one)
    for name, value in metric.by_group().items():
        torch.testing.assert_close(value, before[name], equal_nan=True)


@grouped
def test_several_slicings_are_those_of_each(kind, options, batch):
    sizes = {"country": G, "device": 2}
    metric = kind(**options, num_groups=sizes)
    alone = {name: kind(**options, num_groups=number) for name, number in sizes.items()}
    for seed in (0, 1):
        inputs = batch(seed)
        groups = {name: drawn(len(inputs[0]), seed + i, n) for i, (name, n) in enumerate(sizes.items())}
        metric.update(*inputs, groups=groups)
        for name in sizes:
            alone[name].update(*inputs, groups=groups[name])
    pytree.tree_map(close, metric.compute(), alone["country"].compute())
    for name in sizes:
        pytree.tree_map(close, metric.by_group()[name], alone[name].by_group())
        assert torch.equal(metric.group_counts()[name], alone[name].group_counts())


@grouped
def test_updates_wait_for_no_device(kind, options, batch):
    """As a tensor without data shows, so that they can be captured in a CUDA graph."""
    metric = kind(**options, num_groups={"country": G, "device": 2}).to("meta")
    inputs = tuple(value.to("meta") for value in batch(0))
    groups = {name: torch.zeros(len(inputs[0]), dtype=torch.int64, device="meta") for name in ("country", "device")}
    metric.update(*inputs, groups=groups)
    with NoWaiting():
        metric.update(*inputs, groups=groups)
    one = kind(**options, num_groups=G).to("meta")
    one.update(*inputs, groups=groups["country"])
    with NoWaiting():
        one.update(*inputs, groups=groups["country"])


@pytest.mark.parametrize(("kind", "options", "batch"), [case for case in cases() if str(case.id).endswith("AUROC-5")])
def test_counted_scores(kind, options, batch):
    options = {**options, "thresholds": None, "bins": 256}
    batches = []
    for seed, name in enumerate(("valid", "weights")):
        inputs = batch(seed)
        values = some(len(inputs[0]), seed)
        batches.append((inputs, drawn(len(inputs[0]), seed), {name: values > 0.2 if name == "valid" else values}))
    metric = kind(**options, num_groups=G)
    for inputs, groups, keywords in batches:
        metric.update(*inputs, groups=groups, **keywords)
    compare(metric, of_parts(kind, options, batches))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (BinaryAccuracy, {}),
        (BinaryAUROC, {"thresholds": [0.2, 0.5, 0.7]}),
        (BinaryBrierScore, {}),
        (BinaryCalibrationError, {}),
    ],
)
def test_scores_are_logits_or_probabilities_in_all_groups_alike(kind, options):
    preds, target = torch.tensor([0.1, 0.9, 0.4, -3.0, 2.0]), torch.tensor([0, 1, 1, 0, 1])
    groups = {"country": torch.tensor([0, 0, 0, 1, 1]), "device": torch.tensor([0, 1, 0, 1, 0])}
    metric = kind(**options, num_groups={"country": 2, "device": 2})
    metric.update(preds, target, groups=groups)
    logits = kind(**options, logits=True)
    close(metric.by_group()["country"][0], logits(preds[:3], target[:3]))
    close(metric.by_group()["device"][1], logits(preds[[1, 3]], target[[1, 3]]))


@samplewise
def test_what_belongs_to_samples_is_refused(kind, options, batch):
    with pytest.raises(ValueError, match="`num_groups` needs statistics of a fixed size"):
        kind(**options, num_groups=3)


@every_metric
def test_groups_need_their_number(kind, options, batch):
    metric = kind(**options)
    with pytest.raises(TypeError, match="`groups` need `num_groups`"):
        metric.update(*batch(0), groups=drawn(len(batch(0)[0]), 0))
    with pytest.raises(ValueError, match="has no groups"):
        metric.by_group()


def samples(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    preds, target = (torch.randint(0, C, (n,), generator=generator) for _ in range(2))
    return preds, target, drawn(n, seed)


def test_collections_share_the_pass_of_equal_slicings():
    preds, target, groups = samples(200)
    members = {
        "accuracy": MulticlassAccuracy(C, num_groups=G),
        "confusion": MulticlassConfusionMatrix(C, num_groups=G),
        "f1": MulticlassF1Score(C, num_groups=7),
        "whole": MulticlassF1Score(C),
    }
    alone = {name: metric.clone() for name, metric in members.items()}
    collection = MetricCollection(members, prefix="val/")
    assert [*collection.compute_groups.values()] == [["accuracy", "confusion"], ["f1"], ["whole"]]
    assert "MulticlassStatistics by 5 groups: " in collection.explain()
    for _ in range(2):
        first = collection(preds, target, groups=groups)
        for name, metric in alone.items():
            value = metric(preds, target) if name == "whole" else metric(preds, target, groups=groups)
            close(first[f"val/{name}"], value)
    for name in ("accuracy", "confusion", "f1"):
        close(collection.by_group()[f"val/{name}"], alone[name].by_group())
        assert torch.equal(collection.group_counts()[f"val/{name}"], alone[name].group_counts())
    assert "val/whole" not in collection.by_group()
    own = collection["f1"].worst_groups(2)
    values = alone["f1"].by_group()
    expected = values.nan_to_num(2.0).argsort(stable=True)[:2]
    assert torch.equal(own.groups, expected)
    assert torch.equal(own.values, values[expected])
    assert torch.equal(own.counts, alone["f1"].group_counts()[expected])
    with pytest.raises(ValueError, match="several values"):
        alone["confusion"].worst_groups(1)
    with pytest.raises(ValueError, match="No metric of the collection has groups"):
        MetricCollection([MulticlassF1Score(C)]).by_group()


def test_a_group_out_of_range_is_named_and_counted_out():
    for kind, options, inputs in (
        (MulticlassAccuracy, {"num_classes": C}, samples(6)[:2]),
        (BinaryAccuracy, {}, (torch.rand(6), torch.ones(6, dtype=torch.int64))),
        (MultilabelF1Score, {"num_labels": 2}, (torch.rand(6, 2), torch.ones(6, 2, dtype=torch.int64))),
        (BinaryAUROC, {"thresholds": 5}, (torch.rand(6), torch.ones(6, dtype=torch.int64))),
        (PearsonCorrCoef, {}, (torch.rand(6), torch.rand(6))),
        (SumMetric, {"nan_strategy": "ignore"}, (torch.rand(6),)),
        (SumMetric, {}, (torch.rand(6),)),
    ):
        metric = kind(**options, num_groups=2)
        groups = torch.tensor([0, 1, -3, 1, 2, 0])
        with pytest.raises(RuntimeError, match=r"`groups` in \[0, 1\], but 2 lay outside, the first is -3"):
            metric.update(*inputs, groups=groups)
        kept = torch.tensor([0, 1, 3, 5])
        right = kind(**options, num_groups=2)
        right.update(*(value[kept] for value in inputs), groups=groups[kept])
        same_values(metric, right)
        both = kind(**options, num_groups={"a": 2, "b": 9})
        with pytest.raises(RuntimeError, match=r"\[0, 1\] for 'a' and in \[0, 8\] for 'b', but 2 lay outside"):
            both.update(*inputs, groups={"b": torch.arange(6), "a": groups})
        close(both.by_group()["a"], right.by_group())
        assert both.group_counts()["b"].tolist() == [1, 1, 0, 1, 0, 1, 0, 0, 0]
        masked = kind(**options, num_groups=2)
        masked.update(*inputs, groups=groups, valid=(groups >= 0) & (groups < 2))
        same_values(masked, right)


def same_values(one, other):
    close(one.by_group(), other.by_group())
    close(one.compute(), other.compute())
    assert torch.equal(one.group_counts(), other.group_counts())


def test_what_groups_may_be():
    preds, target, groups = samples(8)
    metric = MulticlassAccuracy(C, num_groups=G)
    for wrong, error in (
        (groups.float(), ValueError),
        (groups[:5], ValueError),
        (groups.to("meta"), RuntimeError),
        (None, TypeError),
        ({"groups": groups}, TypeError),
    ):
        with pytest.raises(error, match="groups"):
            metric.update(preds, target, groups=wrong)
    with pytest.raises(TypeError, match="groups"):
        metric.update(preds, target)
    assert not metric.update_called
    for dtype in (torch.uint8, torch.int16, torch.int32, torch.bool):
        one, other = MulticlassAccuracy(C, num_groups=G), MulticlassAccuracy(C, num_groups=G)
        one.update(preds, target, groups=groups.to(dtype))
        other.update(preds, target, groups=groups.to(dtype).long())
        same_values(one, other)
    metric.update(preds.reshape(2, 4), target.reshape(2, 4), groups=torch.tensor([1, 3]))
    assert metric.group_counts().tolist() == [0, 1, 0, 1, 0]
    metric.update(preds.reshape(2, 4), target.reshape(2, 4), groups=groups.reshape(2, 4))
    assert metric.group_counts().sum() == 10
    several = MulticlassAccuracy(C, num_groups={"a": 2, "b": 3})
    for wrong, error in ((groups, TypeError), ({"a": groups}, ValueError), ({"a": groups, "b": 1}, TypeError)):
        with pytest.raises(error, match="groups"):
            several.update(preds, target, groups=wrong)
    for wrong in (0, -1, 2.0, True, {}, {"a": 0}, {1: 2}):
        with pytest.raises(ValueError, match="num_groups"):
            MulticlassAccuracy(C, num_groups=wrong)


def test_states_past_the_limit_are_refused_with_their_bytes():
    with pytest.raises(ValueError, match=r"states of 500 groups take 4000004000 bytes.*max_state_bytes=1000000000"):
        MulticlassConfusionMatrix(1000, num_groups=500)
    with pytest.raises(ValueError, match="take 1480 bytes"):
        MulticlassConfusionMatrix(6, num_groups=5, max_state_bytes=1000)
    MulticlassConfusionMatrix(6, num_groups=5, max_state_bytes=1480)
    assert "by 5 groups: confusion int64 [5, 6, 6]" in MulticlassConfusionMatrix(6, num_groups=5).explain()


@pytest.mark.slow
def test_a_hundred_million_labels_of_two_hundred_groups_in_constant_memory():
    n, number = 10**6, 200
    blocks = []
    for seed in range(4):
        preds, target, _ = samples(n, seed)
        blocks.append((preds, target, drawn(n, seed, number)))
    metric = MulticlassConfusionMatrix(C, num_groups={"customer": number, "device": 3})
    places = [state.data_ptr() for state in (metric.confusion, metric.group_samples)]
    said = metric.explain()
    for _ in range(25):
        for preds, target, groups in blocks:
            metric.update(preds, target, groups={"customer": groups, "device": groups % 3})
    assert [state.data_ptr() for state in (metric.confusion, metric.group_samples)] == places
    assert metric.explain() == said
    cells = [(groups * C + target) * C + preds for preds, target, groups in blocks]
    expected = 25 * torch.cat(cells).bincount(minlength=number * C * C)
    assert torch.equal(metric.by_group()["customer"].flatten(), expected)
    assert metric.group_counts()["device"].sum() == 100 * n
    if not native.load("cpu"):
        return  # PyTorch operations take some numbers a sample
    preds, target, groups = blocks[0]
    given = {"customer": groups, "device": groups % 3}
    one = MulticlassConfusionMatrix(C, num_groups=number)
    assert memory(lambda: metric.update(preds, target, groups=given), "cpu") < 10**4
    assert memory(lambda: one.update(preds, target, groups=groups), "cpu") < 10**4


def test_sizes_that_the_first_batch_fixes():
    metric = R2Score(multioutput="raw_values", num_groups=2)
    preds, target = torch.randn(40, 3), torch.randn(40, 3)
    groups = torch.arange(40) % 2
    metric.update(preds, target, groups=groups)
    for group in range(2):
        alone = R2Score(multioutput="raw_values")
        alone.update(preds[groups == group], target[groups == group])
        close(metric.by_group()[group], alone.compute())
    few = R2Score(num_groups=3)
    few.update(torch.randn(4), torch.randn(4), groups=torch.tensor([0, 0, 0, 1]))
    assert few.by_group()[1:].isnan().all()  # R2 of one sample is an error of the metric alone


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_split_and_order_of_merges_gives_the_same(data):
    n = data.draw(st.integers(1, 40))
    preds, target, groups = samples(n, data.draw(st.integers(0, 99)))
    x, y = preds.double() / 3, target.double() / 7
    cuts = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=4))})
    parts = data.draw(st.permutations([slice(a, b) for a, b in itertools.pairwise(cuts)]))
    for kind, options, one, other in (
        (MulticlassConfusionMatrix, {"num_classes": C}, preds, target),
        (MeanSquaredError, {}, x, y),
        (PearsonCorrCoef, {}, x, y),
    ):
        whole, merged = kind(**options, num_groups=G), kind(**options, num_groups=G)
        whole.update(one, other, groups=groups)
        for part in parts:
            some = kind(**options, num_groups=G)
            some.update(one[part], other[part], groups=groups[part])
            merged.merge_state(some)
        if kind is PearsonCorrCoef:  # of few samples rounding decides whether there is a correlation
            torch.testing.assert_close(merged.moments, whole.moments, rtol=1e-9, atol=1e-9)
        else:
            close(merged.by_group(), whole.by_group())
        assert torch.equal(merged.group_counts(), whole.group_counts())


@grouped
@pytest.mark.slow
def test_fullgraph(kind, options, batch):
    metric, plain = kind(**options, num_groups=G), kind(**options, num_groups=G)
    torch.compiler.reset()
    step = torch.compile(metric.update, fullgraph=True, backend="eager")
    for seed in range(2):
        groups = drawn(len(batch(seed)[0]), seed)
        step(*batch(seed), groups=groups)
        plain.update(*batch(seed), groups=groups)
    pytree.tree_map(close, metric.by_group(), plain.by_group())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BinaryAccuracy, MeanSquaredError, MulticlassAccuracy])
def test_several_slicings_in_graphs_and_under_vmap(kind):
    options = {"num_classes": C} if kind is MulticlassAccuracy else {}
    preds, target, country = (value.reshape(3, 40) for value in samples(120))
    preds, target = (preds % 2, target % 2) if kind is BinaryAccuracy else (preds, target)
    preds, target = (preds.double(), target + preds / 3) if kind is MeanSquaredError else (preds, target)
    groups = {"country": country, "device": country % 2}
    metric, plain = (kind(**options, num_groups={"country": G, "device": 2}) for _ in range(2))
    torch._dynamo.reset()
    torch.compile(metric.update, fullgraph=True, backend="aot_eager")(preds, target, groups=groups)
    plain.update(preds, target, groups=groups)
    pytree.tree_map(close, metric.by_group(), plain.by_group())

    def of(preds, target, groups):
        return plain.evaluate_by_group(preds, target, groups=groups)

    together = torch.vmap(of)(preds, target, groups)
    for row in range(3):
        one = of(preds[row], target[row], {name: value[row] for name, value in groups.items()})
        pytree.tree_map(lambda got, value, row=row: close(got[row], value), together, one)


def processes(rank, world, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", world_size=world, rank=rank)
    try:
        found = {}
        for name, metric in several_metrics().items():
            for seed in range(rank, 4, world):
                metric.update(*of_seed(name, seed), groups=drawn(30, seed))
            found[name] = metric.compute(), metric.by_group(), metric.group_counts(), metric.by_group(sync=False)
            found[name] += ends_of(metric)
        collection = MetricCollection({name: metric for name, metric in several_metrics().items() if name != "pearson"})
        for seed in range(rank, 4, world):
            collection.update(*of_seed("accuracy", seed), groups=drawn(30, seed))
        found["collection"] = collection.by_group()["f1"], collection.interval(clusters="groups", draws=50)["f1"]
        torch.save(found, f"{folder}/{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


def several_metrics():
    return {
        "accuracy": MulticlassAccuracy(C, num_groups=G),
        "f1": MulticlassF1Score(C, num_groups=G),
        "pearson": PearsonCorrCoef(num_groups=G, intervals=True),
    }


def ends_of(metric):
    """Intervals of groups and of clusters."""
    method = "delta" if isinstance(metric, PearsonCorrCoef) else "margins"
    return metric.interval_by_group(method=method, draws=50), metric.interval(clusters="groups", draws=50)


def of_seed(name, seed):
    preds, target, _ = samples(30, seed)
    return (preds.double(), target.double() + preds) if name == "pearson" else (preds, target)


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_reduce_groups(tmp_path, world):
    torch.multiprocessing.spawn(processes, args=(world, str(tmp_path)), nprocs=world, join=True)
    whole = several_metrics()
    for name, metric in whole.items():
        for seed in range(4):
            metric.update(*of_seed(name, seed), groups=drawn(30, seed))
    for rank in range(world):
        found = torch.load(tmp_path / f"{rank}.pt")
        for name, metric in whole.items():
            value, groups, counts, local, *ends = found[name]
            pytree.tree_map(close, tuple(ends), ends_of(metric))
            close(value, metric.compute())
            close(groups, metric.by_group())
            assert torch.equal(counts, metric.group_counts())
            assert not torch.equal(local, groups)
        values, ends = found["collection"]
        close(values, whole["f1"].by_group())
        pytree.tree_map(close, ends, whole["f1"].interval(clusters="groups", draws=50))


def test_the_fairness_metrics_are_of_the_states_of_groups():
    preds, target, groups = torch.rand(50), torch.randint(0, 2, (50,)), drawn(50, 0, 3)
    rates = BinaryGroupStatRates(3)
    found = rates(preds, target, groups)
    recall = BinaryAccuracy(num_groups=3)
    recall.update(preds, target, groups=groups)
    assert torch.equal(rates.counts, recall.counts)
    for group in range(3):
        tp, _, tn, _ = found[f"group_{group}"]
        close(tp + tn, recall.by_group()[group])
    assert torch.equal(rates.group_counts(), groups.bincount(minlength=3))
    with pytest.raises(ValueError, match="`compute` gives"):
        rates.by_group()


def test_kappa_by_group_is_that_of_scikit_learn():
    preds, target, groups = torch.rand(300), torch.randint(0, 2, (300,)), drawn(300, 0)
    metric = BinaryCohenKappa(num_groups=G)
    metric.update(preds, target, groups=groups)
    for group in range(G - 1):
        mine = groups == group
        expected = cohen_kappa_score(target[mine].numpy(), (preds[mine] > 0.5).numpy())
        assert metric.by_group()[group].item() == pytest.approx(expected, abs=1e-6)
