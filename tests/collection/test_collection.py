# SPDX-License-Identifier: Apache-2.0
"""Collections: one read, shared states, and everything as if each metric were alone."""

import copy
import pickle

import pytest
import torch
import torchmetrics
import torchmetrics.classification as theirs
from torch.utils._python_dispatch import TorchDispatchMode

import fastmetrics
from fastmetrics import Metric, MetricCollection
from fastmetrics import classification as ours
from fastmetrics.metric import StatisticMetric
from fastmetrics.regression import (
    ExplainedVariance,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MinkowskiDistance,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    RelativeSquaredError,
    TweedieDevianceScore,
)
from fastmetrics.statistics import MulticlassStatistics, PairsStatistics
from tests.support.metrics import Least

C = 4

pytestmark = pytest.mark.filterwarnings("ignore")


def batch(seed=0, n=8):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, C, 3, generator=generator), torch.randint(0, C, (n, 3), generator=generator)


def members(module=ours):
    """Of every kind: equal and different statistics, options that must not be shared, lists."""
    return {
        "acc": module.MulticlassAccuracy(C),
        "micro": module.MulticlassAccuracy(C, average="micro"),
        "f1": module.MulticlassF1Score(C, average=None),
        "confusion": module.MulticlassConfusionMatrix(C),
        "top2": module.MulticlassAccuracy(C, top_k=2),
        "top3": module.MulticlassRecall(C, top_k=3),
        "ignore": module.MulticlassAccuracy(C, ignore_index=1),
        "ignore2": module.MulticlassAccuracy(C, ignore_index=2),
        "samples": module.MulticlassF1Score(C, multidim_average="samplewise"),
        "samples2": module.MulticlassStatScores(C, multidim_average="samplewise"),
        "silent": module.MulticlassPrecision(C, validate_args=False),
    }


GROUPS = [
    {"acc", "micro", "f1", "confusion", "top2", "top3"},
    {"ignore"},
    {"ignore2"},
    {"samples", "samples2"},
    {"silent"},
]


def same(a, b):
    """Results are equal to the bit."""
    assert list(a) == list(b)
    for name, value in a.items():
        assert value.dtype == b[name].dtype, name
        assert torch.equal(value, b[name]), name


def alone(metrics, calls, **options):
    """The same metrics, each by itself: the values of the last batch and of all."""
    last = {}
    for name, metric in sorted(metrics.items()):
        for call, seed in calls:
            value = getattr(metric, call)(*batch(seed), **options)
            last[name] = value
    return last, {name: metric.compute() for name, metric in sorted(metrics.items())}


CALLS = [("update", 0), ("forward", 1), ("update", 2), ("forward", 3)]
PASSES = ("multiclass_", "multiclass_weighted_", "pairs_", "simple_pairs_")


class Operators(TorchDispatchMode):
    """Names of the passes that were called."""

    def __enter__(self):
        self.seen = []
        return super().__enter__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.partition("::")[2]
        if func.namespace == "fastmetrics" and name in PASSES:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def test_values_are_those_of_metrics_alone():
    collection = MetricCollection(members())
    assert [set(names) for names in collection.compute_groups.values()] == GROUPS
    for call, seed in CALLS:
        last = getattr(collection, call)(*batch(seed))
    expected_last, expected = alone(members(), CALLS)
    same(last, expected_last)
    same(collection.compute(), expected)
    for name, metric in collection.items():
        assert metric.update_count == len(CALLS)
        assert torch.equal(metric.compute(), expected[name])
        assert torch.equal(metric._forward_cache, expected_last[name])
    apart = MetricCollection(members(), compute_groups=False)
    assert len(apart.compute_groups) == len(members())
    for call, seed in CALLS:
        getattr(apart, call)(*batch(seed))
    same(apart.compute(), expected)
    reference = torchmetrics.MetricCollection(members(theirs), compute_groups=False)
    for call, seed in CALLS:
        getattr(reference, call)(*batch(seed))
    for name, value in reference.compute().items():
        torch.testing.assert_close(collection.compute()[name], value, msg=name)


@pytest.mark.parametrize("call", ["update", "forward"])
def test_one_call_a_batch_for_each_kind_of_input(call):
    collection = MetricCollection(members())
    with Operators() as called:
        getattr(collection, call)(*batch())
    assert called.seen.count("multiclass_") == len(GROUPS)
    one = MetricCollection({name: metric for name, metric in members().items() if name in GROUPS[0]})
    with Operators() as called:
        getattr(one, call)(*batch())
    assert called.seen.count("multiclass_") == 1


def test_weights_and_masks_pass_through():
    options = {"weights": torch.rand(8), "valid": torch.rand(8) < 0.7}
    calls = CALLS[:3]
    collection = MetricCollection(members())
    for call, seed in calls:
        last = getattr(collection, call)(*batch(seed), **options)
    _, expected = alone(members(), calls, **options)
    same(collection.compute(), expected)
    assert last is None
    collection.update(*batch(5))  # and samples without weights beside them
    for metric in collection.values():
        assert metric.update_count == 4
    others = members()
    for metric in others.values():
        for call, seed in calls:
            getattr(metric, call)(*batch(seed), **options)
        metric.update(*batch(5))
    same(collection.compute(), {name: others[name].compute() for name in sorted(others)})
    collection.reset()
    collection.update(*batch(6))
    for name, metric in collection.items():
        fresh = members()[name]
        fresh.update(*batch(6))
        torch.testing.assert_close(metric.compute().double(), fresh.compute().double())


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
    assert len(collection._pool.slots) == 2
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
    assert not collection._pool.stale
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


class Longest(Metric):
    """A user's metric of other arguments."""

    def __init__(self):
        super().__init__()
        self.add_state("longest", torch.tensor(0), dist_reduce_fx="max")

    def update(self, preds, target, note=""):
        self.longest = torch.maximum(self.longest, torch.tensor(len(preds) + len(note)))

    def compute(self):
        return {"longest": self.longest, "twice": 2 * self.longest}


class Counting(ours.MulticlassAccuracy):
    """Ours, with another update."""

    calls = 0

    def update(self, *args, **kwargs):
        self.calls += 1
        super().update(*args, **kwargs)


def test_mixed_with_the_metrics_of_others():
    made = {
        "ours": ours.MulticlassAccuracy(C),
        "ours too": ours.MulticlassRecall(C),
        "theirs": theirs.MulticlassAccuracy(C),
        "user": Longest(),
        "counting": Counting(C),
        "wrapped": torchmetrics.wrappers.ClasswiseWrapper(ours.MulticlassF1Score(C, average=None), labels=list("abcd")),
        "extremes": torchmetrics.wrappers.MinMaxMetric(ours.MulticlassAccuracy(C)),
    }
    collection = MetricCollection(made, prefix="p_", postfix="_q")
    assert {"ours", "ours too"} in [set(names) for names in collection.compute_groups.values()]
    for seed in range(2):
        preds, target = batch(seed)
        values = collection(preds=preds, target=target)
        torch.testing.assert_close(values["p_ours_q"], values["p_theirs_q"])
        assert torch.equal(values["p_ours_q"], values["p_counting_q"])
    collection.update(*batch(2))
    values = collection.compute()
    torch.testing.assert_close(values["p_ours_q"], values["p_theirs_q"])
    assert values["p_longest_q"] == 8
    assert values["p_twice_q"] == 16
    assert "p_multiclassf1score_a_q" in values
    assert {"p_min_q", "p_max_q", "p_raw_q"} <= set(values)
    assert collection["counting"].calls == 3
    here = collection.compute(sync=False)
    assert torch.equal(here["p_theirs_q"], values["p_theirs_q"])
    assert "read by themselves" in collection.explain()
    reference = torchmetrics.MetricCollection(copy.deepcopy(made), prefix="p_", postfix="_q", compute_groups=False)
    assert set(reference.compute()) == set(values)
    collection.reset()
    assert collection["user"].longest == 0
    assert collection["theirs"].update_count == 0
    filtered = MetricCollection([Longest(), ours.MulticlassAccuracy(C)])
    assert filtered(*batch(), note="abc")["longest"] == 11  # keywords go to those that take them


def test_the_interface_of_theirs():
    def names(module, library):
        nested = library.MetricCollection(
            [
                library.MetricCollection([module.MulticlassAccuracy(C), module.MulticlassRecall(C)], postfix="_macro"),
                library.MetricCollection(
                    {"a": module.MulticlassAccuracy(C, average="micro"), "f": module.MulticlassF1Score(C)}, prefix="m/"
                ),
            ],
            prefix="val/",
        )
        simple = library.MetricCollection(module.MulticlassAccuracy(C), module.MulticlassRecall(C), postfix="_x")
        ordered = library.MetricCollection(
            {"b": module.MulticlassAccuracy(C), "a": simple}, compute_groups=[["b"]], prefix="q"
        )
        found = []
        for collection in (nested, simple, ordered):
            collection.update(*batch())
            found.append(list(collection.compute()))
            found.append(list(collection(*batch())))
            found.append(list(collection.keys()))
            found.append(list(collection.keys(keep_base=True)))
            found.append([name for name, _ in collection.items(keep_base=True, copy_state=False)])
            found.append([name for name, _ in collection.items(False, True)])
            found.append([type(metric).__name__ for metric in collection.values(copy_state=True)])
            found.append([*collection, len(collection)])
            found.append(list(collection.clone(prefix="new_").compute()))
            found.append(collection.prefix)
        found.append(list(collection.metric_state))
        assert collection["qb"] is collection["b"] is collection._modules["b"]
        return found

    assert names(ours, fastmetrics) == names(theirs, torchmetrics)
    for bad, error in (
        ([ours.MulticlassAccuracy(C), ours.MulticlassAccuracy(C)], "two metrics both named"),
        ([1], "not a instance"),
        ({"a": 1}, "not an instance"),
        (3, "Unknown input"),
    ):
        with pytest.raises(ValueError, match=error):
            MetricCollection(bad)
    with pytest.raises(ValueError, match="does not match a metric"):
        MetricCollection({"a": ours.MulticlassAccuracy(C)}, compute_groups=[["b"]])
    with pytest.raises(ValueError, match="to be a string"):
        MetricCollection([], prefix=3)
    assert isinstance(MetricCollection([]), torchmetrics.MetricCollection)
    assert MetricCollection([]).compute() == {}
    collection = MetricCollection(members())
    assert collection.set_dtype(torch.float64) is collection


def test_plots():
    plt = pytest.importorskip("matplotlib.pyplot")
    collection = MetricCollection([ours.MulticlassAccuracy(C), ours.MulticlassConfusionMatrix(C)])
    collection.update(*batch())
    assert len(collection.plot()) == 2
    single = MetricCollection([ours.MulticlassAccuracy(C), ours.MulticlassRecall(C)])
    single.plot([single(*batch(seed)) for seed in range(3)], together=True)
    plt.close("all")


def test_bad_input_changes_nothing():
    collection = MetricCollection({**members(), "theirs": theirs.MulticlassAccuracy(C)})
    collection.update(*batch())
    before = {name: value.clone() for name, value in collection.compute().items()}
    for wrong in (
        {"preds": torch.zeros(2, C + 1, 3), "target": torch.zeros(2, 3, dtype=torch.long)},
        {"preds": torch.zeros(2, C, 3), "target": torch.zeros(3, 3, dtype=torch.long)},
        {"preds": batch()[0], "target": batch()[1], "weights": torch.rand(3)},
        {"preds": torch.zeros(2, 3, dtype=torch.long), "target": torch.zeros(2, 3, dtype=torch.long)},  # top_k
    ):
        for call in (collection.update, collection):
            with pytest.raises(ValueError):
                call(**wrong)
    same(collection.compute(), before)
    assert all(metric.update_count == 1 for metric in collection.values())


def test_a_value_out_of_range_is_raised_once_for_those_that_validate():
    collection = MetricCollection(members())
    preds, target = batch()
    target[2, 1] = 99
    for call in (collection.update, collection):
        with pytest.raises(RuntimeError, match=r"1 lay outside, .* 99(.|\n)*MulticlassF1Score, MulticlassStat"):
            call(preds, target)
    collection.compute()
    assert int(collection["confusion"].compute().sum()) == 2 * (24 - 1)
    silent = MetricCollection([ours.MulticlassAccuracy(C, validate_args=False)])
    silent.update(preds, target)
    assert silent["MulticlassAccuracy"].update_count == 1


def test_different_options_are_read_apart():
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

    def add(self, states, inputs, weights=None, valid=None):
        super().add(states, (inputs[0] + self.shift, inputs[1]))


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


def test_union_and_view():
    small = MulticlassStatistics(C, counts=True, top_k=2)
    great = MulticlassStatistics(C, confusion=True, top_k=3)
    both = small.union(great)
    assert both.shapes == {
        "counts": ((C, 3), torch.int64),
        "ranks": ((C, 3, 2), torch.int64),
        "confusion": ((C, C), torch.int64),
    }
    assert small.shapes["ranks"] == ((C, 2, 2), torch.int64)
    ranks = torch.arange(2 * C * 3 * 2).reshape(2, C, 3, 2)
    assert torch.equal(small.view("ranks", ranks), ranks[:, :, :2])
    assert small.view("ranks", ranks).data_ptr() == ranks.data_ptr()
    assert small.union(MulticlassStatistics(C, counts=True, ignore_index=0)) is None
    assert small.union(PairsStatistics()) is None


def pairs_members(outputs):
    more = {} if outputs == 1 else {"num_outputs": outputs}
    return {
        "mse": MeanSquaredError(**more),
        "mae": MeanAbsoluteError(**more),
        "r2": R2Score(multioutput="raw_values"),
        "pearson": PearsonCorrCoef(**more),
    }


def more_pairs_members():
    return {
        "explained": ExplainedVariance(multioutput="raw_values"),
        "log cosh": LogCoshError(),
        "percentage": MeanAbsolutePercentageError(),
        "normalized": NormalizedRootMeanSquaredError("range"),
        "relative": RelativeSquaredError(),
    }


def pairs_batch(shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(shape, generator=generator).to(dtype) for _ in range(2))


@pytest.mark.parametrize(
    ("outputs", "more", "shape"),
    [(1, {}, (9,)), (1, more_pairs_members(), (9,)), (1, {}, (9, 1)), (3, {}, (9, 3))],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metrics_of_pairs_are_one_call(outputs, more, shape, dtype):
    collection = MetricCollection({**pairs_members(outputs), **copy.deepcopy(more)})
    apart = {**pairs_members(outputs), **copy.deepcopy(more)}
    options = {"weights": torch.rand(9), "valid": torch.rand(shape) < 0.7}
    for seed, (call, given) in enumerate([("update", {}), ("forward", {}), ("forward", options), ("update", options)]):
        batch = pairs_batch(shape, seed, dtype)
        with Operators() as calls:
            values = getattr(collection, call)(*batch, **given)
        assert len(calls.seen) == 1
        expected = {name: getattr(metric, call)(*batch, **given) for name, metric in sorted(apart.items())}
        if call == "forward":
            same({name: values[name] for name in expected}, expected)
    assert len(collection.compute_groups) == 1
    expected = {name: metric.compute() for name, metric in sorted(apart.items())}
    for one in (collection, pickle.loads(pickle.dumps(collection)), collection.clone()):
        same({name: one.compute()[name] for name in expected}, expected)  # dtypes too: some follow float64 inputs
    collection.reset()
    collection.update(*pairs_batch(shape))
    assert {value.dtype for value in collection.compute().values()} == {torch.float32}


def test_outputs_that_the_data_tell_part_a_group():
    collection = MetricCollection({"mse": MeanSquaredError(), "r2": R2Score(multioutput="raw_values")})
    explained = ExplainedVariance(multioutput="raw_values")
    three = MetricCollection({"mae": MeanAbsoluteError(), "explained": explained.clone()})
    assert len(collection.compute_groups) == len(three.compute_groups) == 1
    apart = {"mse": MeanSquaredError(), "r2": R2Score(multioutput="raw_values")}
    for epoch in range(2):
        for seed, call in enumerate(("update", "forward")):
            batch = pairs_batch((9, 3), seed)
            with Operators() as calls:
                values = getattr(collection, call)(*batch)
            assert len(calls.seen) == 2
            expected = {name: getattr(metric, call)(*batch) for name, metric in apart.items()}
            if call == "forward":
                same(values, expected)
        same(collection.compute(), {name: metric.compute() for name, metric in apart.items()})
        assert len(collection.compute_groups) == 2
        addresses = [collection[name].count.data_ptr() for name in apart]
        if epoch == 0:
            for one in (collection, *apart.values()):
                one.reset()
            assert addresses == [collection[name].count.data_ptr() for name in apart]
    cube, weights, valid = pairs_batch((9, 2, 3)), torch.rand(9, 2), torch.rand(9) < 0.5
    three.update(*cube, weights=weights, valid=valid)
    explained.update(*cube, weights=weights, valid=valid)
    assert torch.equal(three.compute()["explained"], explained.compute())
    assert three.compute()["explained"].shape == (2, 3)
    # without data, they are one again once a batch fits both
    collection.reset()
    collection.update(*pairs_batch(9))
    with Operators() as calls:
        collection.update(*pairs_batch(9))
    assert len(calls.seen) == len(collection.compute_groups) == 1


def test_a_batch_that_one_member_does_not_take():
    collection = MetricCollection(pairs_members(1))
    collection.update(*pairs_batch(9))
    before = {name: {k: v.clone() for k, v in m.metric_state.items()} for name, m in collection.items()}
    for batch, options, error in (
        (pairs_batch((9, 2, 2)), {}, ValueError),  # R2 is 2-D at most
        (pairs_batch((9, 2)), {}, ValueError),  # Pearson has one output
        (pairs_batch(9), {"weights": torch.ones(8)}, ValueError),
        ((torch.ones(9), torch.ones(8)), {}, RuntimeError),
    ):
        for call in (collection.update, collection.forward):
            with pytest.raises(error):
                call(*batch, **options)
    told = MetricCollection([MeanSquaredError(), R2Score()])
    told.update(*pairs_batch(9))
    with pytest.raises(RuntimeError, match="Call `reset`"):
        told.update(*pairs_batch((9, 2)))
    assert [metric.count.tolist() for metric in told.values()] == [[9.0], [9.0]]
    with pytest.raises(RuntimeError, match="weights"):  # the values of the others are counted
        collection.update(*pairs_batch(1), weights=torch.tensor([-1.0]))
    for name, metric in collection.items():
        for key, state in metric.metric_state.items():
            assert torch.equal(state, before[name][key]), (name, key)
    assert len(collection.compute_groups) == 1


def test_metrics_of_other_inputs_and_of_a_deviance_among_those_of_pairs():
    collection = MetricCollection({**pairs_members(1), "poisson": TweedieDevianceScore(1), "p": MinkowskiDistance(3)})
    batch = pairs_batch(9)
    with Operators() as calls:
        collection.update(*batch)
    assert len(calls.seen) == 2
    for name in ("poisson", "p"):
        alone = TweedieDevianceScore(1) if name == "poisson" else MinkowskiDistance(3)
        assert torch.equal(collection.compute()[name], alone(*batch))
    with pytest.raises(RuntimeError, match="greater than 0"):
        collection.update(-batch[0], batch[1])
