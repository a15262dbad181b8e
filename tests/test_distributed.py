# SPDX-License-Identifier: Apache-2.0
"""Metrics over processes that talk by gloo."""

import os
import pickle
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics import CatMetric, MaxMetric, MeanMetric, Metric, MetricCollection
from fastmetrics.accumulator import Part
from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    MeanReciprocalRank,
    MulticlassAccuracy,
    MulticlassAdaptiveCalibrationError,
    MulticlassCalibrationError,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassLogLoss,
    MulticlassPrecision,
    MulticlassRecall,
    MulticlassStatScores,
    MultilabelStatScores,
)
from fastmetrics.clustering import CalinskiHarabaszScore, DaviesBouldinScore, VMeasureScore
from fastmetrics.distributed import valid_mask
from fastmetrics.nominal import FleissKappa
from fastmetrics.regression import (
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    SpearmanCorrCoef,
)
from fastmetrics.segmentation import HausdorffDistance, MeanIoU
from fastmetrics.shape import ProcrustesDisparity
from fastmetrics.statistics.scores import MANY
from fastmetrics.sync import all_processes
from tests.support.metrics import Least

C = 4
# sums of floats, whose rounding depends on their order
ROUNDED = ("images", "images of any classes", "mean", "moments of points", "clouds", "surfaces")


class Distinct(Metric):
    """A user's metric with a list state."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.add_state("seen", [], dist_reduce_fx="cat")

    def update(self, preds, target):
        self.seen.append(preds.argmax(1))

    def compute(self):
        seen = self.seen if isinstance(self.seen, torch.Tensor) else torch.cat(self.seen)
        return seen.unique()


def metrics():
    return {
        "accuracy": MulticlassAccuracy(C),
        "top-2": MulticlassAccuracy(C, top_k=2, average=None),
        "confusion": MulticlassConfusionMatrix(C),
        "samplewise": MulticlassAccuracy(C, multidim_average="samplewise"),
        "binary": BinaryAccuracy(),
        "area": BinaryAUROC(),
        "binned area": BinaryAUROC(thresholds=9),
        "area of bins": BinaryAUROC(bins=2**8),
        "area of counts": BinaryAUROC(),
        "weighted area": BinaryAUROC(),
        "weighted area of counts": BinaryAUROC(),
        "calibration": MulticlassCalibrationError(C),
        "adaptive calibration": MulticlassAdaptiveCalibrationError(C, n_bins=3),
        "log loss": MulticlassLogLoss(C),
        "multilabel": MultilabelStatScores(C, multidim_average="samplewise"),
        **regression(),
        "greatest": MaxMetric(),
        "mean": MeanMetric(),
        "values": CatMetric(),
        "spearman": SpearmanCorrCoef(),
        "divergences": KLDivergence(log_prob=True, reduction="none"),
        "images": MeanIoU(C, input_format="mixed"),
        "images of any classes": MeanIoU(per_class=True),
        "clusters": VMeasureScore(),
        "points": DaviesBouldinScore(),
        "moments of points": CalinskiHarabaszScore(num_clusters=C),
        "clouds": ProcrustesDisparity(),
        "surfaces": HausdorffDistance(C, input_format="index"),
        "ranks of classes": MeanReciprocalRank(C, average="macro"),
        "ratings": FleissKappa(num_categories=C),
        "ratings of any categories": FleissKappa(),
    }


def regression():
    return {
        "mse": MeanSquaredError(),
        "pearson": PearsonCorrCoef(3),
        "r2": R2Score(multioutput="raw_values"),
        "nrmse": NormalizedRootMeanSquaredError("range"),
    }


def batch(name, seed):
    generator = torch.Generator().manual_seed(seed)
    n = 5 + seed
    if name.endswith("area of counts"):  # of as many scores of 16 bits as are counted
        n = MANY + seed
        return torch.rand(n, generator=generator).bfloat16(), torch.randint(0, 2, (n,), generator=generator)
    if name in ("binary", "area", "binned area", "area of bins", "weighted area"):
        return torch.rand(n, generator=generator), torch.randint(0, 2, (n,), generator=generator)
    if name == "multilabel":
        return torch.rand(n, C, 3, generator=generator), torch.randint(0, 2, (n, C, 3), generator=generator)
    if name in regression():
        return torch.randn(n, 3, generator=generator), torch.randn(n, 3, generator=generator)
    if name in ("greatest", "mean", "values"):
        return (torch.randn(n, generator=generator),)
    if name == "divergences":
        return torch.randn(n, C, generator=generator), torch.randn(n, C, generator=generator)
    if name == "spearman":
        return torch.randn(n, generator=generator), torch.randn(n, generator=generator)
    if name == "clusters":
        return torch.randint(0, C, (n,), generator=generator), torch.randint(0, C, (n,), generator=generator)
    if name == "images of any classes":
        return tuple(torch.randint(0, 2, (n, C, 3, 3), generator=generator) for _ in range(2))
    if name.endswith("points"):
        return torch.randn(n, 3, generator=generator), torch.arange(n) % C
    if name == "clouds":
        return tuple(torch.randn(n, 5, 2, generator=generator) for _ in range(2))
    if name == "surfaces":
        return tuple(torch.randint(0, C, (n, 8, 8), generator=generator) for _ in range(2))
    if name.startswith("ratings"):
        return (torch.randint(0, 4, (n, C), generator=generator),)
    shape = (n, 6) if name in ("samplewise", "images") else (n,)
    scores = torch.randn(n, C, *shape[1:], generator=generator)
    return scores, torch.randint(0, C, shape, generator=generator)


def many(**kwargs):
    """A collection with every kind of state."""
    made = {
        "acc": MulticlassAccuracy(C, **kwargs),
        "f1": MulticlassF1Score(C, average=None, **kwargs),
        "confusion": MulticlassConfusionMatrix(C, **kwargs),
        "top": MulticlassAccuracy(C, top_k=3, **kwargs),
        "ignore": MulticlassPrecision(C, ignore_index=0, **kwargs),
        "samples": MulticlassStatScores(C, multidim_average="samplewise", **kwargs),
        "recall of samples": MulticlassRecall(C, multidim_average="samplewise", **kwargs),
    }
    return MetricCollection(made)


@contextmanager
def counted():
    """Count the collectives that are called."""
    calls = Counter()

    def counting(name):
        real = getattr(dist, name)

        def call(*args, **kwargs):
            calls[name] += 1
            return real(*args, **kwargs)

        return mock.patch.object(dist, name, call)

    names = ("all_reduce", "all_gather", "all_gather_into_tensor", "barrier", "broadcast", "all_gather_object")
    patches = [counting(name) for name in names]
    for patch in patches:
        patch.start()
    try:
        yield calls
    finally:
        for patch in patches:
            patch.stop()


def start(rank, world, folder, work):
    torch.set_num_threads(1)
    place = f"file://{folder}/{work.__name__}"
    dist.init_process_group("gloo", place, timedelta(seconds=60), world_size=world, rank=rank)
    try:
        work(rank, world, folder)
    finally:
        dist.destroy_process_group()


def run(work, world, folder):
    mp.spawn(start, args=(world, str(folder), work), nprocs=world, join=True)


def uneven(rank, world, folder):
    """Rank r has r batches, so rank 0 has none."""
    found = {}
    for name, metric in metrics().items():
        for i in range(rank):
            given = batch(name, 10 * rank + i)
            metric.update(*given, **weights_of_metric(name, given, rank, world))
        local = dict(metric.metric_state)
        found[name] = metric.compute()
        for key, value in metric.metric_state.items():  # unsync gave the local state back
            assert value is local[key] or torch.equal(value, local[key]), name
    # a collection: the last rank alone has weighted samples, and rank 0 nothing at all
    collection = many()
    for i in range(rank):
        collection.update(*batch("samplewise", 10 * rank + i), **weights_of(rank, world, 10 * rank + i))
    with counted() as calls:
        found["collection"] = collection.compute()
        assert calls == {"all_reduce": 2, "all_gather": 1}, calls
        collection.compute()  # is cached
        assert calls == {"all_reduce": 2, "all_gather": 1}, calls
    plain = many()
    for name in ("samples", "recall of samples"):
        del plain[name]
    for i in range(rank):
        plain.update(*batch("samplewise", i))
    with counted() as calls:
        values = {name: metric.compute() for name, metric in plain.items()}  # as Lightning does, one by one
    assert calls == {"all_reduce": 1}, calls
    assert int(values["confusion"].sum()) == 6 * sum(5 + i for r in range(world) for i in range(r))
    errors = MetricCollection([MeanSquaredError(), MeanAbsoluteError(), Least()])
    for i in range(rank):
        errors.update(*batch("mse", 10 * rank + i))
    with counted() as calls:
        found["errors"] = errors.compute()
    assert calls == {"all_reduce": 2, "all_gather": 1}, calls
    for name, pairs in outputs().items():
        for i in range(rank):
            pairs.update(*batch("mse", 10 * rank + i))
        found[name] = pairs.compute()
    single = MulticlassAccuracy(C, top_k=2)
    with counted() as calls:
        single.compute()
    assert calls == {"all_reduce": 1}, calls
    torch.save(found, f"{folder}/{rank}.pt")


def outputs():
    """Collections with metrics whose number of outputs follows from the data: as many as the others have, or more."""
    raw = R2Score(multioutput="raw_values")
    return {
        "three outputs": MetricCollection([MeanSquaredError(num_outputs=3), raw.clone(), PearsonCorrCoef(3)]),
        "one and three": MetricCollection([MeanSquaredError(), raw, MeanAbsoluteError()]),
    }


def weights_of(rank, world, seed):
    """Weights on the last rank only."""
    return {"weights": torch.rand(5 + seed, generator=torch.Generator().manual_seed(seed))} if rank == world - 1 else {}


def weights_of_metric(name, given, rank, world):
    """Weights on the last rank only, of metrics that are called weighted."""
    if rank < world - 1 or not name.startswith("weighted"):
        return {}
    return {"weights": (given[0].double() * 8).ceil()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("world", [2, 4])
def test_uneven_batches_are_as_in_one_process(tmp_path, world):
    run(uneven, world, tmp_path)
    for name, metric in metrics().items():
        for rank in range(world):
            for i in range(rank):
                given = batch(name, 10 * rank + i)
                metric.update(*given, **weights_of_metric(name, given, rank, world))
        expected = metric.compute()
        for rank in range(world):
            value = torch.load(tmp_path / f"{rank}.pt")[name]
            assert value.dtype == expected.dtype
            torch.testing.assert_close(
                value,
                expected,
                rtol=1e-6 if name in (*regression(), *ROUNDED) else 0,
                atol=0,
            )
    full, errors = many(), MetricCollection([MeanSquaredError(), MeanAbsoluteError(), Least()])
    pairs = outputs()
    for rank in range(world):
        for i in range(rank):
            seed = 10 * rank + i
            full.update(*batch("samplewise", seed), **weights_of(rank, world, seed))
            errors.update(*batch("mse", seed))
            for collection in pairs.values():
                collection.update(*batch("mse", seed))
    for rank in range(world):
        found = torch.load(tmp_path / f"{rank}.pt")
        for name, collection in pairs.items():
            torch.testing.assert_close(found[name], collection.compute(), rtol=1e-6, atol=0)
        torch.testing.assert_close(found["collection"], full.compute(), rtol=1e-6, atol=1e-12)
        torch.testing.assert_close(found["errors"], errors.compute(), rtol=1e-6, atol=0)


def behaviours(rank, world, folder):
    # every step's value over all processes
    metric = MulticlassConfusionMatrix(C, dist_sync_on_step=True)
    value = metric(*batch("confusion", rank))
    both = [MulticlassConfusionMatrix(C)(*batch("confusion", r)) for r in range(world)]  # forward alone does not sync
    assert torch.equal(value, sum(both))
    assert int(metric.confusion.sum()) == 5 + rank

    # a fault on one process is raised on all, and nobody waits for ever
    metric = MulticlassConfusionMatrix(C)
    metric.update(*batch("confusion", rank))
    if rank == 1:
        with pytest.raises(RuntimeError, match="99"):
            metric.update(torch.tensor([0]), torch.tensor([99]))
        metric.faults[0], metric.faults[1] = 1, 99  # as on a device whose update does not wait
    with pytest.raises(RuntimeError, match="99"):
        metric.compute()
    assert int(metric.compute().sum()) == sum(5 + r for r in range(world))

    # a bad value in a step that synchronises is raised on all too, and counted nowhere
    metric = MulticlassConfusionMatrix(C, dist_sync_on_step=True)
    with pytest.raises(RuntimeError, match="99"):
        metric(torch.tensor([0, 1]), torch.tensor([0, 99 if rank == 1 else 1]))
    assert int(metric.confusion.sum()) == 2 - rank
    assert int(metric(torch.tensor([2]), torch.tensor([2])).sum()) == world
    assert int(metric.compute().sum()) == 3 + 2

    # what a manual sync replaced comes back, at its address
    metric = MulticlassConfusionMatrix(C)
    metric.update(*batch("confusion", rank))
    address, local = metric.confusion.data_ptr(), metric.confusion.clone()
    with metric.sync_context():
        assert int(metric.confusion.sum()) == sum(5 + r for r in range(world))
        with pytest.raises(TorchMetricsUserError):
            metric(*batch("confusion", rank))
    metric(*batch("confusion", rank))
    assert torch.equal(metric.confusion, 2 * local)
    assert metric.confusion.data_ptr() == address

    # a group of processes
    groups = [dist.new_group([r]) for r in range(world)]
    alone = MulticlassConfusionMatrix(C, process_group=groups[rank])
    alone.update(*batch("confusion", rank))
    assert int(alone.compute().sum()) == 5 + rank

    # a collection: each step over all processes, in as few collectives
    stepwise, here = many(dist_sync_on_step=True), many()
    with counted() as calls:
        value = stepwise(*batch("samplewise", rank))
    assert calls == {"all_reduce": 1, "all_gather": 1}, calls
    both = many()
    for r in range(world):
        both.update(*batch("samplewise", r))
    both = both.compute(sync=False)
    for name in value:
        assert torch.equal(value[name], both[name]), name
    weights = {"weights": torch.full((5 + rank,), 0.5)} if rank else {}
    half = stepwise(*batch("samplewise", rank), **weights)["confusion"]
    assert half.sum() == 6 * 5 + 6 * 6 / 2
    here.update(*batch("samplewise", rank))
    local = here.compute(sync=False)
    assert int(local["confusion"].sum()) == 6 * (5 + rank)
    assert torch.equal(here.compute_async().result()["confusion"], local["confusion"])
    assert torch.equal(here.compute()["confusion"], both["confusion"])
    assert torch.equal(here.compute(sync=False)["confusion"], local["confusion"])

    # a member that is synchronised by hand, and given back
    member = here["confusion"]
    address = member.confusion.data_ptr()
    with member.sync_context():
        assert torch.equal(member.confusion, both["confusion"])
        with pytest.raises(TorchMetricsUserError):
            here(*batch("samplewise", rank))
    assert member.confusion.data_ptr() == address
    assert torch.equal(member.confusion, local["confusion"])

    # its faults are raised on all, in one error, and forgotten
    here.update(*batch("samplewise", rank))
    if rank == 1:  # as on a device whose update does not wait
        for group in here._plan.groups:
            group.accumulator.faults[0], group.accumulator.faults[1] = 1, 99
    with pytest.raises(RuntimeError, match=r"99(.|\n)*99"):
        here.compute()
    assert int(here.compute()["confusion"].sum()) == 2 * 6 * (5 + 6)

    # one process updated members by themselves; the other has still groups, or nothing
    for collection in (grouped := many(), MetricCollection(many(), compute_groups=False)):
        if rank == 1:
            for metric in collection.values():
                metric.update(*batch("samplewise", rank))
        else:
            grouped["f1"].update(*batch("samplewise", rank))
        assert int(collection.compute()["confusion"].sum()) == 6 * 6

    # groups of processes and functions that gather
    alone = many(process_group=groups[rank])
    alone.update(*batch("samplewise", rank))
    assert torch.equal(alone.compute()["confusion"], local["confusion"])
    gathered = []

    def gather(tensor, group=None):
        gathered.append(tensor.dtype)
        return gather_all_tensors(tensor, group)

    mine = many(dist_sync_fn=gather)
    mine.update(*batch("samplewise", rank), weights=None if rank else torch.full((5,), 0.5))
    value = mine.compute()
    assert gathered == [torch.int64, torch.float64, torch.uint8]
    assert value["confusion"].sum() == 6 * 5 / 2 + 6 * 6

    # a loss keeps the graph of what this process adds
    x = torch.ones(3, requires_grad=True)
    MeanSquaredError(dist_sync_on_step=True)(x, torch.zeros(3)).backward()
    torch.testing.assert_close(x.grad, torch.full((3,), 2 / 6))

    # metrics that users write, at compute and at each step
    mine = Distinct()
    mine.update(torch.eye(C)[rank : rank + 1], None)
    assert mine.compute().tolist() == list(range(world))
    stepwise = Distinct(dist_sync_on_step=True)
    assert stepwise(torch.eye(C)[rank : rank + 1], None).tolist() == list(range(world))


@pytest.mark.slow
def test_behaviours(tmp_path):
    run(behaviours, 2, tmp_path)


def totals(rank, world, folder):
    """Who wants the sums of the counts of classes alone may share the counts on one process, and not on another."""
    given = [batch("confusion", i) for i in range(world + 1)]
    for left in (False, True):
        collection = MetricCollection({"micro": MulticlassAccuracy(C, average="micro"), "macro": MulticlassRecall(C)})
        micro, macro = MulticlassAccuracy(C, average="micro"), MulticlassRecall(C)
        collection.update(*given[rank])
        for metric in (micro, macro):
            for each in given[:world]:
                metric.update(*each)
        if left:
            micro.update(*given[world])
            if rank == 0:
                collection["micro"].update(*given[world])
        expected = {"macro": macro.compute(), "micro": micro.compute()}
        assert {name: value.item() for name, value in collection.compute().items()} == {
            name: value.item() for name, value in expected.items()
        }
        with collection["micro"].sync_context():
            assert torch.equal(collection["micro"].counts, micro.counts)


@pytest.mark.slow
def test_totals_on_processes_that_share_otherwise(tmp_path):
    run(totals, 2, tmp_path)


def sampled(rank, world, folder):
    """A sampler that repeats samples, and a mask that takes them out again."""
    data = TensorDataset(*batch("samplewise", 16))  # 21 samples
    for shuffle in (False, True):
        sampler = DistributedSampler(data, shuffle=shuffle, seed=3)
        loader = DataLoader(data, batch_size=4, sampler=sampler)
        masked, padded = many(), many()
        for i, (scores, target) in enumerate(loader):
            padded.update(scores, target)
            masked.update(scores, target, valid=valid_mask(sampler, i, 4))
        found = masked.compute()
        one = many()
        one.update(*data.tensors)
        expected = one.compute(sync=False)
        for name, value in found.items():
            if "samples" not in name:
                assert torch.equal(value, expected[name]), name
        assert int(padded.compute()["confusion"].sum()) == 6 * 22
        assert int(found["confusion"].sum()) == 6 * 21


def killed(rank, world, folder):
    """Rank 1 dies before it meets the other, which then has an error and what it had counted."""
    collection = many()
    collection.update(*batch("samplewise", rank))
    single = MulticlassConfusionMatrix(C)
    single.update(*batch("samplewise", rank))
    single.compute()
    if rank == 1:
        os._exit(0)
    before = collection.compute(sync=False)
    single.update(*batch("samplewise", rank))
    kept = single.confusion.clone()
    for metric in (collection, single):
        with pytest.raises(Exception, match=r"(?i)connection|timed? ?out|closed|peer|gloo"):
            metric.compute()
    for name, value in collection.compute(sync=False).items():
        assert torch.equal(value, before[name])
    assert torch.equal(single.confusion, kept)
    collection.update(*batch("samplewise", rank))
    assert int(collection["confusion"].compute(sync=False).sum()) == 2 * 6 * 5
    torch.save(1, f"{folder}/survived")
    os._exit(0)  # the process group cannot be left in order


@pytest.mark.slow
def test_a_padded_sampler_and_a_killed_process(tmp_path):
    run(sampled, 2, tmp_path)
    run(killed, 2, tmp_path)
    assert (tmp_path / "survived").exists()


def test_valid_mask():
    for n in (1, 5, 6, 7, 12):
        for drop_last in (False, True):
            for replicas in (1, 2, 5):
                seen = []
                for rank in range(replicas):
                    sampler = DistributedSampler(range(n), replicas, rank, shuffle=True, drop_last=drop_last)
                    mask = valid_mask(sampler)
                    assert mask.shape == (len(sampler),)
                    seen += [i for i, valid in zip(sampler, mask.tolist(), strict=True) if valid]
                    batches = [valid_mask(sampler, i, 2) for i in range((len(sampler) + 1) // 2)]
                    assert torch.equal(torch.cat([mask[:0], *batches]), mask)
                assert len(set(seen)) == len(seen)  # none twice
                if not drop_last:
                    assert sorted(seen) == list(range(n))
    with pytest.raises(ValueError, match="batch_size"):
        valid_mask(sampler, 1)
    with pytest.raises(ValueError, match="batch_idx"):
        valid_mask(sampler, 9, 2)


TORCHRUN = """
    import torch, torch.distributed as dist
    from fastmetrics import MetricCollection
    from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    metrics = MetricCollection([MulticlassAccuracy(3), MulticlassConfusionMatrix(3)])
    metrics.update(torch.tensor([0, 1, rank]), torch.tensor([0, 2, 1]))
    values = metrics.compute()
    if rank == 0:
        print("found", values["MulticlassConfusionMatrix"].tolist())
    dist.destroy_process_group()
"""


def test_torchrun(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(TORCHRUN))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "found [[2, 0, 0], [1, 1, 0], [0, 2, 0]]" in done.stdout


def test_pickled_collections_merge_in_any_order():
    parts = []
    for seed in range(4):
        collection = many()
        collection.update(*batch("samplewise", seed))
        parts.append(pickle.dumps(collection))
    values = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        first, *rest = [pickle.loads(parts[i]) for i in order]
        for other in rest:
            for name, metric in first.items():
                metric.merge_state(other[name])
        values.append({n: m.metric_state for n, m in first.items() if "samples" not in n})
    for name, states in values[0].items():
        for key, state in states.items():
            assert torch.equal(state, values[1][name][key])


def test_a_world_that_a_function_makes():
    part = Part(MulticlassAccuracy(C)._statistics, {"counts": torch.ones(C, 3, dtype=torch.int64)}, {}, None)
    (full,) = all_processes([part], torch.device("cpu"), gather=lambda tensor, group: [tensor, tensor, 2 * tensor])
    assert torch.equal(full.states["counts"], 4 * part.states["counts"])


def fails(*_, **__):
    raise ConnectionError("gone")


def test_a_failed_sync_leaves_the_local_state():
    metric = MulticlassConfusionMatrix(C, dist_sync_fn=fails, distributed_available_fn=lambda: True)
    metric.update(*batch("confusion", 1))
    before = metric.confusion.clone()
    with pytest.raises(ConnectionError):
        metric.compute()
    assert torch.equal(metric.confusion, before)
    metric.update(*batch("confusion", 2))
    assert int(metric.confusion.sum()) == 6 + 7


def test_pickled_states_merge_in_any_order():
    parts = []
    for seed in range(4):
        metric = MulticlassAccuracy(C, top_k=2)
        metric.update(*batch("top-2", seed))
        parts.append(pickle.dumps(metric))
    values = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        first, *rest = [pickle.loads(parts[i]) for i in order]
        for other in rest:
            first.merge_state(other)
        values.append((first.counts.tolist(), first.ranks.tolist(), first.compute().item()))
    assert values[0] == values[1]
