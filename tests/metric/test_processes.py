# SPDX-License-Identifier: Apache-2.0
"""A process that receives a metric has states of its own, however it was started and whatever it received."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
import torch.multiprocessing as mp

from fastmetrics import Metric, MetricCollection, SumMetric
from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score
from fastmetrics.nominal import FleissKappa
from tests.support.cases import C, every_metric, filled, multiclass_batch, same_states

pytestmark = pytest.mark.filterwarnings("ignore")


class Total(Metric):
    """A user's metric, which adds in place."""

    def __init__(self):
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("seen", [], dist_reduce_fx="cat")

    def update(self, preds, target):
        self.total += len(target)
        self.seen.append(target)

    def compute(self):
        return self.total


def made(updates):
    """Metrics and collections of every kind of state."""
    metrics = {
        "counts": MulticlassAccuracy(C),
        "list": MulticlassAccuracy(C, multidim_average="samplewise"),
        "user": Total(),
        "collection": MetricCollection({"acc": MulticlassAccuracy(C), "f1": MulticlassF1Score(C), "user": Total()}),
    }
    for seed in range(updates):
        for metric in metrics.values():
            metric.update(*multiclass_batch(seed))
    metrics["weighted"] = MulticlassConfusionMatrix(C)
    metrics["sized"] = FleissKappa()
    for _ in range(updates):
        metrics["weighted"].update(*multiclass_batch(0), weights=torch.full((6,), 0.5))
        metrics["sized"].update(torch.tensor([[1, 2, 0], [3, 0, 0]]))
    return metrics


def flat(metrics):
    """Every state, by name, as numbers."""
    found = {}
    for name, metric in metrics.items():
        for key, one in metric.items() if isinstance(metric, MetricCollection) else [("", metric)]:
            for state, value in one.metric_state.items():
                values = value if isinstance(value, list) else [value]
                found[f"{name}.{key}.{state}"] = [v.tolist() for v in values]
    return found


def change(metrics):
    for name, metric in metrics.items():
        if name == "sized":
            metric.update(torch.tensor([[0, 3, 0]]))
        else:
            metric.update(*multiclass_batch(9))
    after = flat(metrics)
    for metric in metrics.values():
        metric.reset()
    return after


def child(rank, metrics, results, go):
    before = flat(metrics)
    go.wait()  # the other processes have them too
    results.put((rank, before, change(metrics)))
    go.wait()


@pytest.mark.parametrize("updates", [0, 2])
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes_own_their_states(method, updates):
    context = mp.get_context(method)
    metrics, results, go = made(updates), context.Queue(), context.Barrier(3)
    expected = flat(metrics), change(copy.deepcopy(metrics))
    processes = [context.Process(target=child, args=(rank, metrics, results, go)) for rank in range(2)]
    for process in processes:
        process.start()
    go.wait(120)
    found = [results.get(timeout=120) for _ in processes]
    assert flat(metrics) == expected[0]
    assert change(metrics) == expected[1]
    go.wait(120)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for _, before, after in found:
        assert before == expected[0]
        assert after == expected[1]


def spawned(rank, metrics, folder):
    before = flat(metrics)
    torch.save((before, change(metrics)), f"{folder}/{rank}")


def test_spawn_gives_each_process_a_copy(tmp_path):
    metrics = made(1)
    expected = flat(metrics), change(copy.deepcopy(metrics))
    mp.spawn(spawned, args=(metrics, str(tmp_path)), nprocs=2)
    assert [torch.load(tmp_path / str(rank)) for rank in range(2)] == [expected, expected]
    assert flat(metrics) == expected[0]


def send(queue, simple, done):
    metrics = made(1)
    pickled = ForkingPickler.dumps(metrics)
    change(metrics)  # what was pickled before has what there was then
    queue.put(bytes(pickled))
    metrics = made(1)
    simple.put(metrics)
    change(metrics)
    done.wait(120)


def test_a_queue_sends_what_there_was():
    context = mp.get_context("spawn")
    queue, simple, done = context.Queue(), context.SimpleQueue(), context.Event()
    process = context.Process(target=send, args=(queue, simple, done))
    process.start()
    received = [pickle.loads(queue.get(timeout=120)), simple.get()]
    expected = flat(made(1))
    assert [flat(metrics) for metrics in received] == [expected, expected]
    done.set()
    process.join()
    assert process.exitcode == 0
    # the sender is gone, and the states are there
    assert change(received[0]) == change(made(1)) == change(received[1])


def computed(metrics):
    return flat(metrics), metrics


def test_an_executor_returns_metrics():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        before, back = pool.submit(computed, made(1)).result()
    assert before == flat(made(1)) == flat(back)
    assert change(back) == change(made(1))


def test_collections_are_pickled_for_another_process():
    for updates in range(2):
        collection = MetricCollection([SumMetric()])
        for _ in range(updates):
            collection.update(1.0)
        process = mp.get_context("spawn").Process(target=flat, args=({"one": collection},))
        process.start()  # every descriptor that is handed over is there once
        process.join()
        assert process.exitcode == 0


@every_metric
def test_what_is_pickled_shares_no_memory(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    metric(*batch(1))
    data = ForkingPickler.dumps(metric)
    expected = copy.deepcopy(metric)
    assert not any(
        state.is_shared()
        for states in metric.metric_state.values()
        for state in (states if isinstance(states, list) else [states])
    )
    metric.reset()
    one, other = pickle.loads(data), pickle.loads(data)
    one.update(*batch(2))
    same_states(other, expected)
