# SPDX-License-Identifier: Apache-2.0
"""What a collection owes, whatever its members measure."""

import copy
import pickle
import threading

import pytest
import torch
import torchmetrics

import fastmetrics
from fastmetrics import Metric, MetricCollection
from fastmetrics import classification as ours
from tests.support.cases import C, every_metric, multiclass_batch, same_states

pytestmark = pytest.mark.filterwarnings("ignore")


@every_metric
def test_in_a_collection(kind, options, batch):
    """Beside another of its kind, and one that it may share nothing with."""
    collection = MetricCollection({"a": kind(**options), "b": kind(**options), "user": Batches()})
    alone = kind(**options)
    for seed in range(2):
        values = collection(*batch(seed))
        expected = alone(*batch(seed))
        assert torch.equal(values["a"], expected)
        assert torch.equal(values["b"], expected)
    collection.update(*batch(2))
    alone.update(*batch(2))
    same_states(collection["a"], alone)
    values = pickle.loads(pickle.dumps(collection)).compute()
    assert torch.equal(values["b"], alone.compute())
    assert values["user"] == 3
    alone.reset()
    collection.reset()
    same_states(collection["a"], alone)


class Batches(Metric):
    """A user's metric that counts batches."""

    def __init__(self):
        super().__init__()
        self.add_state("batches", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, *_):
        self.batches += 1

    def compute(self):
        return self.batches


def made(module, library):
    return library.MetricCollection(
        [module.MulticlassAccuracy(C), module.MulticlassRecall(C), module.MulticlassConfusionMatrix(C)]
    )


def test_collections_in_wrappers():
    found = []
    for module, library in ((ours, fastmetrics), (torchmetrics.classification, torchmetrics)):
        tracker = torchmetrics.MetricTracker(made(module, library), maximize=[True, True, True])
        tasks = torchmetrics.wrappers.MultitaskWrapper(
            {"one": made(module, library), "two": module.MulticlassF1Score(C)}, prefix="task_"
        )
        for seed in range(3):
            tracker.increment()
            tracker(*multiclass_batch(seed))
            tracker.update(*multiclass_batch(seed + 3))
            preds, target = multiclass_batch(seed)
            step = tasks({"one": preds, "two": preds}, {"one": target, "two": target})
        every = tracker.compute_all()
        values = [tracker.compute(), every["MulticlassRecall"], every["MulticlassConfusionMatrix"]]
        values += [step, tasks.compute()]
        copied = copy.deepcopy(tracker)
        values.append(copied.compute())
        tracker.reset_all()
        tasks.reset()
        found.append(values)
    torch.testing.assert_close(*found)


def test_a_collection_in_threads_and_in_inference_mode():
    found = {}

    def work(seed):
        collection = made(ours, fastmetrics)
        for _ in range(20):
            collection.update(*multiclass_batch(seed))
            collection(*multiclass_batch(seed))
        found[seed] = collection.compute()["MulticlassConfusionMatrix"]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, value in found.items():
        assert torch.equal(value, 40 * ours.MulticlassConfusionMatrix(C)(*multiclass_batch(seed)))
    with torch.inference_mode():
        collection = made(ours, fastmetrics)
        collection.to("cpu")
        collection.update(*multiclass_batch(0), weights=torch.ones(6))
        collection = copy.deepcopy(collection)
    collection(*multiclass_batch(1))
    collection.update(*multiclass_batch(2), weights=torch.ones(6))
    collection.reset()
    assert len(collection.compute_groups) == 1


def test_arithmetic_with_a_member():
    collection = made(ours, fastmetrics)
    doubled = 2 * collection["MulticlassAccuracy"]
    collection.update(*multiclass_batch(0))
    torch.testing.assert_close(doubled.compute(), 2 * collection.compute()["MulticlassAccuracy"])
    assert len({hash(metric) for metric in collection.values()}) == 3
