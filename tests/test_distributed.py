# SPDX-License-Identifier: Apache-2.0
"""Metrics over processes that talk by gloo."""

import pickle
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics import CatMetric, MaxMetric, MeanMetric, Metric
from fastmetrics.classification import (
    BinaryAccuracy,
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MultilabelStatScores,
)
from fastmetrics.regression import KLDivergence, MeanSquaredError, SpearmanCorrCoef

C = 4


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
        "multilabel": MultilabelStatScores(C, multidim_average="samplewise"),
        "mse": MeanSquaredError(),
        "greatest": MaxMetric(),
        "mean": MeanMetric(),
        "values": CatMetric(),
        "spearman": SpearmanCorrCoef(),
        "divergences": KLDivergence(log_prob=True, reduction="none"),
    }


def batch(name, seed):
    generator = torch.Generator().manual_seed(seed)
    n = 5 + seed
    if name == "binary":
        return torch.rand(n, generator=generator), torch.randint(0, 2, (n,), generator=generator)
    if name == "multilabel":
        return torch.rand(n, C, 3, generator=generator), torch.randint(0, 2, (n, C, 3), generator=generator)
    if name in ("greatest", "mean", "values"):
        return (torch.randn(n, generator=generator),)
    if name == "divergences":
        return torch.randn(n, C, generator=generator), torch.randn(n, C, generator=generator)
    if name in ("mse", "spearman"):
        return torch.randn(n, generator=generator), torch.randn(n, generator=generator)
    shape = (n, 6) if name == "samplewise" else (n,)
    scores = torch.randn(n, C, *shape[1:], generator=generator)
    return scores, torch.randint(0, C, shape, generator=generator)


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
            metric.update(*batch(name, 10 * rank + i))
        local = dict(metric.metric_state)
        found[name] = metric.compute()
        for key, value in metric.metric_state.items():  # unsync gave the local state back
            assert value is local[key] or torch.equal(value, local[key]), name
    torch.save(found, f"{folder}/{rank}.pt")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("world", [2, 4])
def test_uneven_batches_are_as_in_one_process(tmp_path, world):
    run(uneven, world, tmp_path)
    for name, metric in metrics().items():
        for rank in range(world):
            for i in range(rank):
                metric.update(*batch(name, 10 * rank + i))
        expected = metric.compute()
        for rank in range(world):
            value = torch.load(tmp_path / f"{rank}.pt")[name]
            assert value.dtype == expected.dtype
            torch.testing.assert_close(value, expected, rtol=1e-6 if name in ("mse", "mean") else 0, atol=0)


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

    # metrics that users write, at compute and at each step
    mine = Distinct()
    mine.update(torch.eye(C)[rank : rank + 1], None)
    assert mine.compute().tolist() == list(range(world))
    stepwise = Distinct(dist_sync_on_step=True)
    assert stepwise(torch.eye(C)[rank : rank + 1], None).tolist() == list(range(world))


def test_behaviours(tmp_path):
    run(behaviours, 2, tmp_path)


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
