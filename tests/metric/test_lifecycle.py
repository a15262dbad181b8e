# SPDX-License-Identifier: Apache-2.0
"""What every metric owes, whatever it measures."""

import contextlib
import copy
import pickle
import threading

import pytest
import torch
import torchmetrics
from torch.utils.data import DataLoader, Dataset

from fastmetrics import Metric
from fastmetrics import classification as ours
from tests.support.cases import C, every_metric, filled, multiclass_batch, same_states, states

pytestmark = pytest.mark.filterwarnings("ignore")


@every_metric
def test_forward_is_update_and_the_value_of_the_batch(kind, options, batch):
    stepwise, full = kind(**options), kind(**options)
    for seed in range(3):
        value = stepwise(*batch(seed))
        alone = filled(kind, options, batch, seed).compute()
        torch.testing.assert_close(value, alone, rtol=1e-6, atol=0)
        full.update(*batch(seed))
    same_states(stepwise, full)
    torch.testing.assert_close(stepwise.compute(), full.compute(), rtol=0, atol=0)
    assert stepwise.update_count == 3


@every_metric
def test_compute_is_cached_until_something_changes(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    first = metric.compute()
    assert metric.compute() is first
    metric.update(*batch(1))
    assert metric.compute() is not first
    uncached = kind(**options, compute_with_cache=False)
    uncached.update(*batch(0))
    assert uncached.compute() is not uncached.compute()


@every_metric
def test_reset(kind, options, batch):
    metric = filled(kind, options, batch, 0, 1)
    addresses = [s.data_ptr() for s in states(metric).values() if isinstance(s, torch.Tensor)]
    metric.compute()
    metric.reset()
    assert metric.update_count == 0
    assert not metric.update_called
    same_states(metric, kind(**options))
    assert addresses == [s.data_ptr() for s in states(metric).values() if isinstance(s, torch.Tensor)]
    metric.update(*batch(1))
    same_states(metric, filled(kind, options, batch, 1))


@every_metric
@pytest.mark.parametrize("copied", [copy.deepcopy, Metric.clone, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(kind, options, batch, copied):
    metric = filled(kind, options, batch, 0)
    value = metric.compute()
    other = copied(metric)
    same_states(metric, other)
    other.update(*batch(1))
    assert torch.equal(metric.compute(), value)
    same_states(metric, filled(kind, options, batch, 0))
    same_states(other, filled(kind, options, batch, 0, 1))
    torch.testing.assert_close(other.compute(), filled(kind, options, batch, 0, 1).compute(), rtol=0, atol=0)


@every_metric
def test_state_dict(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    assert metric.state_dict() == {}
    metric.persistent(True)
    saved = metric.state_dict()
    assert saved
    other = kind(**options)
    other.persistent(True)
    other.load_state_dict(saved, strict=True)
    same_states(metric, other)
    other.update(*batch(1))  # in place, and yet what was loaded stays
    same_states(metric, filled(kind, options, batch, 0))


@every_metric
def test_precision_of_the_module_does_not_touch_statistics(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    expected = metric.compute().clone()
    for change in (lambda m: m.half(), lambda m: m.float(), lambda m: m.double(), lambda m: m.to("cpu")):
        change(metric)
    metric.set_dtype(torch.float16)
    metric.set_dtype(torch.float32)
    same_states(metric, filled(kind, options, batch, 0))
    metric._computed = None
    assert torch.equal(metric.compute(), expected)


@every_metric
def test_merging(kind, options, batch):
    full = filled(kind, options, batch, 0, 1, 2)
    merged = filled(kind, options, batch, 0)
    merged.compute()
    merged.merge_state(filled(kind, options, batch, 1))
    merged.merge_state(dict(filled(kind, options, batch, 2).metric_state))
    torch.testing.assert_close(
        merged.compute().double().sort(0)[0], full.compute().double().sort(0)[0], rtol=1e-6, atol=1e-12
    )
    for name, value in states(full).items():
        if isinstance(value, torch.Tensor) and not value.is_floating_point():
            assert torch.equal(value, getattr(merged, name))


@every_metric
def test_small_things(kind, options, batch):
    metric = kind(**options)
    with pytest.warns(UserWarning, match="before the ``update``"), contextlib.suppress(ValueError):
        metric.compute()  # R2 needs two samples
    metric.reset()
    before = hash(metric)
    assert before != hash(kind(**options))
    for constant in ("higher_is_better", "is_differentiable", "full_state_update"):
        with pytest.raises(RuntimeError):
            setattr(metric, constant, True)
    with pytest.raises(ValueError, match="nonsense"):
        kind(**options, nonsense=1)
    metric.update(*batch(0))
    twice = metric + metric
    torch.testing.assert_close(twice.compute(), metric.compute() * 2)
    assert set(metric.metric_state) >= set(metric._statistics.shapes)
    with pytest.raises(Exception):  # noqa: B017
        metric.update(torch.zeros(2, 2), torch.zeros(3, dtype=torch.int64))
    same_states(metric, filled(kind, options, batch, 0))


def test_plot():
    plt = pytest.importorskip("matplotlib.pyplot")
    for metric, batch in (
        (ours.MulticlassAccuracy(C), multiclass_batch),
        (ours.MulticlassConfusionMatrix(C), multiclass_batch),
    ):
        metric.update(*batch(0))
        figure, _ = metric.plot()
        plt.close(figure)


def test_threads_have_their_own_metrics():
    found = {}

    def work(seed):
        metric = ours.MulticlassConfusionMatrix(C)
        for _ in range(50):
            metric.update(*multiclass_batch(seed))
        found[seed] = metric.compute()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, value in found.items():
        assert torch.equal(value, 50 * ours.MulticlassConfusionMatrix(C)(*multiclass_batch(seed)))


class Measured(Dataset):
    """Values of a metric, computed by the loader's workers."""

    def __len__(self):
        return 4

    def __getitem__(self, seed):
        return ours.MulticlassAccuracy(C)(*multiclass_batch(seed))


def test_in_the_workers_of_a_loader():
    values = torch.cat(list(DataLoader(Measured(), batch_size=1, num_workers=2)))
    torch.testing.assert_close(values, torch.stack([Measured()[seed] for seed in range(4)]))


@pytest.mark.parametrize("make", [lambda: ours.MulticlassAccuracy(C), lambda: ours.MulticlassConfusionMatrix(C)])
def test_compiled_update_with_changing_batches(make):
    torch.compiler.reset()
    metric, plain = make(), make()
    compiles = []

    def backend(module, inputs):
        compiles.append(1)
        return module.forward

    step = torch.compile(metric.update, fullgraph=True, dynamic=True, backend=backend)
    for n in (7, 5, 11, 30, 2):
        scores, target = torch.randn(n, C), torch.randint(0, C, (n,))
        step(scores, target)
        plain.update(scores, target)
    assert torch.equal(metric.compute(), plain.compute())
    assert len(compiles) <= 2


def test_a_metric_of_a_user():
    class Total(Metric):
        def __init__(self):
            super().__init__()
            self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
            self.add_state("seen", [], dist_reduce_fx="cat")

        def update(self, values):
            self.total += values.sum()
            self.seen.append(values)

        def compute(self):
            return self.total / torch.cat(self.seen).numel()

    metric = Total()
    assert metric(torch.tensor([1.0, 3.0])) == 2
    assert metric(torch.tensor([8.0])) == 8
    assert metric.compute() == 4
    metric.reset()
    assert metric.seen == []
    assert metric.total == 0


@every_metric
def test_forward_and_merging_keep_addresses(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    before = [s.data_ptr() for s in states(metric).values() if isinstance(s, torch.Tensor)]
    metric.to("cpu")
    metric(*batch(1))
    metric.merge_state(filled(kind, options, batch, 2))
    metric.persistent(True)
    metric.load_state_dict(metric.state_dict())
    assert before == [s.data_ptr() for s in states(metric).values() if isinstance(s, torch.Tensor)]
    expected = filled(kind, options, batch, 0, 1)
    expected.merge_state(filled(kind, options, batch, 2))
    same_states(metric, expected)


@every_metric
def test_made_or_copied_in_inference_mode(kind, options, batch):
    with torch.inference_mode():
        inside = filled(kind, options, batch, 0)
        copied = copy.deepcopy(inside)
        collection = torchmetrics.MetricCollection({"a": kind(**options), "b": kind(**options)})
        collection.update(*batch(0))
        collection(*batch(1))
    for metric in (inside, copied):
        metric.update(*batch(1))
        same_states(metric, filled(kind, options, batch, 0, 1))
    collection.update(*batch(2))
    for metric in collection.values():
        same_states(metric, filled(kind, options, batch, 0, 1, 2))
    for metric in (inside, copied):
        metric(*batch(2))
        metric.reset()
        same_states(metric, kind(**options))


def test_a_state_that_does_not_fit_changes_nothing():
    metric = filled(ours.MulticlassAccuracy, {"num_classes": C, "top_k": 2}, multiclass_batch, 0)
    expected = copy.deepcopy(metric)
    counts, ranks = (state.clone() for state in (metric.counts, metric.ranks))
    for wrong in ({"counts": counts}, {"counts": counts, "ranks": ranks[:1]}, {"counts": counts[:1], "ranks": ranks}):
        with pytest.raises(ValueError, match=r"counts|ranks"):
            metric.merge_state(wrong)
        same_states(metric, expected)
    metric.merge_state({"counts": counts, "ranks": ranks})  # a state without its record of faults
    assert torch.equal(metric.counts, 2 * counts)
    for refused, error in ((3, ValueError), (ours.MulticlassAccuracy(C + 1, top_k=2), ValueError)):
        with pytest.raises(error):
            metric.merge_state(refused)
    with pytest.raises(ValueError, match="instance of"):
        metric.merge_state(ours.MulticlassRecall(C, top_k=2))
    metric.persistent(True)
    other = ours.MulticlassAccuracy(C + 1, top_k=2)
    other.persistent(True)
    with pytest.raises(RuntimeError, match="size mismatch for counts"):
        other.load_state_dict(metric.state_dict())
    assert not other.counts.any()
    samplewise = ours.MulticlassAccuracy(C, top_k=2, multidim_average="samplewise")
    samplewise.persistent(True)
    with pytest.raises(RuntimeError, match="size mismatch for counts"):
        samplewise.load_state_dict(metric.state_dict())
    assert samplewise.counts == []
    missing = metric.state_dict()
    del missing["ranks"]
    ours.MulticlassAccuracy(C, top_k=2).load_state_dict(missing)  # as in torchmetrics, states may be absent


def test_a_state_that_a_subclass_adds():
    class Longest(ours.MulticlassAccuracy):
        def __init__(self, **kwargs):
            super().__init__(C, **kwargs)
            self.add_state("shortest", torch.tensor(99), dist_reduce_fx="min")

        def update(self, preds, target):
            super().update(preds, target)
            self.shortest = torch.minimum(self.shortest, torch.tensor(len(target)))

        def compute(self):
            return {"accuracy": super().compute(), "shortest": self.shortest}

    metric, plain = Longest(), ours.MulticlassAccuracy(C)
    for seed in range(2):
        preds, target = multiclass_batch(seed)
        value = metric(preds[seed:], target[seed:])
        torch.testing.assert_close(value["accuracy"], plain(preds[seed:], target[seed:]))
        assert value["shortest"] == 6 - seed
    assert torch.equal(metric.counts, plain.counts)
    other = Longest()
    other.update(*multiclass_batch(3))
    other.merge_state(metric)
    assert other.shortest == 5
    metric.reset()
    assert metric.shortest == 99
    assert not metric.counts.any()
