# SPDX-License-Identifier: Apache-2.0
"""Windows of updates: around every kind of metric, partly filled, and after all that happens to a metric."""

import copy
import io
import pickle
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torchmetrics

import fastmetrics
from fastmetrics import (
    CatMetric,
    MaxMetric,
    MeanMetric,
    MinMetric,
    RunningMean,
    RunningSum,
    SumMetric,
    classification,
    clustering,
    nominal,
    regression,
    segmentation,
)
from fastmetrics.wrappers import Running

pytestmark = pytest.mark.filterwarnings("ignore")

C, N = 4, 12


def labels(g):
    return torch.randint(0, C, (N,), generator=g), torch.randint(0, C, (N,), generator=g)


def scores(g):
    return torch.randn(N, C, generator=g), torch.randint(0, C, (N,), generator=g)


def binary(g):
    return torch.rand(N, generator=g), torch.randint(0, 2, (N,), generator=g)


def multilabel(g):
    return torch.rand(N, C, generator=g), torch.randint(0, 2, (N, C), generator=g)


def groups(g):
    return *binary(g), torch.randint(0, 2, (N,), generator=g)


def pairs(g):
    return torch.randn(N, generator=g), torch.randn(N, generator=g)


def pairs_of_outputs(g):
    return torch.randn(N, 3, generator=g), torch.randn(N, 3, generator=g)


def rows(g):
    return torch.rand(N, 3, generator=g), torch.rand(N, 3, generator=g)


def ensembles(g):
    return torch.randn(N, 5, generator=g), torch.randn(N, generator=g)


def images(g):
    return torch.randint(0, C, (3, 4, 4), generator=g), torch.randint(0, C, (3, 4, 4), generator=g)


def ratings(g):
    return (torch.randint(0, 5, (N, C), generator=g),)


def values(g):
    return (torch.randn(N, generator=g),)


class Spread(fastmetrics.Metric):
    """A metric of a user, without statistics of this library."""

    full_state_update = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.add_state("low", torch.tensor(torch.inf), dist_reduce_fx="min")
        self.add_state("high", torch.tensor(-torch.inf), dist_reduce_fx="max")
        self.add_state("seen", [], dist_reduce_fx="cat")

    def update(self, values):
        self.low = torch.minimum(self.low, values.amin())
        self.high = torch.maximum(self.high, values.amax())
        self.seen.append(values[:1])

    def compute(self):
        seen = self.seen if isinstance(self.seen, torch.Tensor) else torch.cat(self.seen)
        return torch.stack([self.low, self.high, seen.sum()])


# name -> metric, its batches, whether samples have weights
METRICS = {
    "sum": (SumMetric, values, False),
    "mean": (MeanMetric, values, False),
    "least": (MinMetric, values, False),
    "greatest": (MaxMetric, values, False),
    "all values": (CatMetric, values, False),
    "accuracy": (lambda **k: classification.MulticlassAccuracy(C, **k), scores, True),
    "top 2": (lambda **k: classification.MulticlassAccuracy(C, top_k=2, **k), scores, True),
    "reciprocal rank": (lambda **k: classification.MeanReciprocalRank(C, **k), scores, True),
    "confusion": (lambda **k: classification.MulticlassConfusionMatrix(C, **k), scores, True),
    "samplewise": (lambda **k: classification.BinaryAccuracy(multidim_average="samplewise", **k), multilabel, True),
    "not validated": (lambda **k: classification.MulticlassF1Score(C, validate_args=False, **k), scores, True),
    "binary": (classification.BinaryF1Score, binary, True),
    "multilabel": (lambda **k: classification.MultilabelF1Score(C, **k), multilabel, True),
    "exact match": (lambda **k: classification.MultilabelExactMatch(C, **k), multilabel, True),
    "ranking": (lambda **k: classification.MultilabelRankingLoss(C, **k), multilabel, True),
    "hinge": (lambda **k: classification.MulticlassHingeLoss(C, **k), scores, True),
    "groups": (lambda **k: classification.BinaryFairness(2, **k), groups, True),
    "mse": (regression.MeanSquaredError, pairs, True),
    "pearson": (regression.PearsonCorrCoef, pairs, True),
    "concordance of outputs": (lambda **k: regression.ConcordanceCorrCoef(3, **k), pairs_of_outputs, True),
    "r2": (lambda **k: regression.R2Score(multioutput="raw_values", **k), pairs_of_outputs, True),
    "range": (lambda **k: regression.NormalizedRootMeanSquaredError("range", **k), pairs, True),
    "events": (lambda **k: regression.CriticalSuccessIndex(0.5, **k), pairs, True),
    "spearman": (regression.SpearmanCorrCoef, pairs, False),
    "divergence": (regression.KLDivergence, rows, True),
    "cosine of each": (lambda **k: regression.CosineSimilarity(reduction="none", **k), rows, False),
    "ensembles": (regression.ContinuousRankedProbabilityScore, ensembles, True),
    "nominal": (lambda **k: nominal.CramersV(C, **k), labels, True),
    "ratings": (lambda **k: nominal.FleissKappa(num_categories=C, **k), ratings, True),
    "clusters": (clustering.NormalizedMutualInfoScore, labels, True),
    "cluster table": (lambda **k: clustering.RandScore(C, **k), labels, True),
    "images": (lambda **k: segmentation.MeanIoU(C, input_format="index", **k), images, True),
    "image scores": (lambda **k: segmentation.GeneralizedDiceScore(C, input_format="index", **k), images, True),
    "of a user": (Spread, values, False),
    "of torchmetrics": (lambda **k: torchmetrics.classification.MulticlassAccuracy(C, **k), scores, False),
}
every_metric = pytest.mark.parametrize("name", METRICS)


def batch(name, step, device, weighted=False):
    inputs = [value.to(device) for value in METRICS[name][1](torch.Generator().manual_seed(step))]
    has_weights = weighted and METRICS[name][2] and step % 3 == 1
    return inputs, {"weights": torch.linspace(0.5, 2.0, inputs[0].shape[0], device=device)} if has_weights else {}


def over_last(name, steps, window, device, weighted=False):
    """The value of the metric itself over the last updates."""
    metric = METRICS[name][0]().to(device)
    for step in steps[-window:]:
        inputs, options = batch(name, step, device, weighted)
        metric.update(*inputs, **options)
    return metric.compute()


def same(value, expected, weighted=False):
    # counts are float64 from the first weights on, also when the window has none any more
    torch.testing.assert_close(value, expected, equal_nan=True, check_dtype=not weighted)


def from_state_dict(metric, name, window, device):
    metric.persistent(True)
    file = io.BytesIO()
    torch.save(metric.state_dict(), file)
    file.seek(0)
    fresh = Running(METRICS[name][0](), window).to(device)
    fresh.persistent(True)
    fresh.load_state_dict(torch.load(file))
    metric.persistent(False)
    return fresh


RESTORED = {
    "state_dict": from_state_dict,
    "pickle": lambda metric, *_: pickle.loads(pickle.dumps(metric)),
    "deepcopy": lambda metric, *_: copy.deepcopy(metric),
    "clone": lambda metric, *_: metric.clone(),
    "to": lambda metric, name, window, device: metric.to("cpu").to(device),
}


@every_metric
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("how", RESTORED)
def test_a_restored_window_goes_on(device, name, weighted, how):
    if weighted and not METRICS[name][2]:
        return
    for window, interrupted in ((3, 2), (3, 3), (3, 5), (1, 1), (4, 9)):  # partly filled, full, gone round
        metric = Running(METRICS[name][0](), window).to(device)
        for step in range(interrupted + 3):
            if step == interrupted:
                metric = RESTORED[how](metric, name, window, device)
                expected = over_last(name, range(step), window, device, weighted)
                same(metric.compute(), expected, weighted)
            inputs, options = batch(name, step, device, weighted)
            (metric.forward if step % 2 else metric.update)(*inputs, **options)
            same(metric.compute(), over_last(name, range(step + 1), window, device, weighted), weighted)


def test_the_window_of_a_checkpoint():
    metric = RunningSum(window=3)
    metric.persistent(True)
    metric.update(1)
    metric.update(2)
    fresh = RunningSum(window=3)
    fresh.load_state_dict(metric.state_dict())
    assert fresh.compute() == 3
    fresh.update(4)
    assert fresh.compute() == 7
    fresh.update(8)
    assert fresh.compute() == 14
    mean = RunningMean(window=2)
    mean.persistent(True)
    for value in (1.0, 2.0, 6.0):
        mean.update(value)
    again = RunningMean(window=2)
    again.load_state_dict(mean.state_dict())
    assert again.compute() == 4
    again.update(0.0)
    assert again.compute() == 3


@every_metric
def test_a_checkpoint_into_a_window_that_has_data(device, name):
    metric = Running(METRICS[name][0](), 3).to(device)
    metric.persistent(True)
    for step in range(4):
        metric.update(*batch(name, step, device)[0])
    saved = metric.state_dict()
    expected = {key: copy.deepcopy(value) for key, value in saved.items()}
    other = Running(METRICS[name][0](), 3).to(device)
    for step in range(10, 12):  # the second one with weights, of which the checkpoint has none
        inputs, options = batch(name, step, device, weighted=True)
        other.update(*inputs, **options)
    other.load_state_dict(dict(saved))
    same(other.compute(), over_last(name, range(4), 3, device), weighted=True)
    other.update(*batch(name, 4, device)[0])
    metric.update(*batch(name, 5, device)[0])
    same(other.compute(), over_last(name, range(5), 3, device), weighted=True)
    for key, value in saved.items():  # neither of them writes into what was saved
        same(value, expected[key])


@every_metric
def test_an_emptied_window_starts_again(device, name):
    metric = Running(METRICS[name][0](), 3).to(device)
    for step in range(5):
        inputs, options = batch(name, step, device, weighted=True)
        metric.update(*inputs, **options)
    metric.reset()
    assert metric.updates_seen == 0
    for step in range(6, 10):
        metric.update(*batch(name, step, device)[0])
        same(metric.compute(), over_last(name, range(6, step + 1), 3, device), weighted=True)


def test_states_that_are_not_persistent_leave_no_trace():
    metric = RunningSum(window=3)
    metric.update(1)
    assert not metric.state_dict()
    RunningSum(window=3).load_state_dict({})
    metric.load_state_dict({})  # which changes nothing
    assert metric.compute() == 1


def test_checkpoints_that_do_not_fit():
    metric = RunningSum(window=3)
    metric.persistent(True)
    metric.update(1)
    for other, named in ((RunningSum(2), "sum_value_2"), (RunningSum(4), "sum_value_3"), (RunningMean(3), "weight_0")):
        other.persistent(True)
        with pytest.raises(RuntimeError, match=named):
            other.load_state_dict(metric.state_dict())


def test_a_checkpoint_of_torchmetrics():
    theirs = torchmetrics.RunningSum(window=3)
    theirs.persistent(True)
    for value in (1.0, 2.0):
        theirs.update(value)
    metric = RunningSum(window=3)
    state = theirs.state_dict()
    metric.load_state_dict(state)
    assert metric.compute() == 3
    for value, expected in ((4.0, 6), (8.0, 12), (16.0, 28), (32.0, 56)):
        metric.update(value)
        assert metric.compute() == expected


def test_dtypes_stay_exact(device):
    metric = RunningSum(window=2).to(device)
    for dtype in (torch.float16, torch.float64):
        metric.reset()
        metric.set_dtype(dtype)
        for value in (3.0, 70000.0, 0.5):
            metric.update(torch.tensor(value, dtype=torch.float64, device=device))
        assert metric.compute().dtype == dtype
        assert metric.sum_value_1.dtype == torch.float64
    assert metric.compute() == 70000.5
    metric.half()
    assert metric.compute() == 70000.5
    theirs = Running(torchmetrics.SumMetric(), 2)
    theirs.set_dtype(torch.float64)
    theirs.update(1.0)
    assert theirs.updates_seen.dtype == torch.int64


@pytest.mark.parametrize("collection", [torchmetrics.MetricCollection, fastmetrics.MetricCollection])
def test_windows_in_a_collection(device, collection):
    def members():
        return {
            "precision": Running(classification.MulticlassPrecision(C), 2),
            "recall": Running(classification.MulticlassRecall(C), 2),
            "other": Running(classification.MulticlassRecall(C), 3),
        }

    together, alone = collection(members()).to(device), {k: m.to(device) for k, m in members().items()}
    for step in range(7):
        inputs, options = batch("accuracy", step, device, weighted=step > 2)
        together.update(*inputs, **options)
        for metric in alone.values():
            metric.update(*inputs, **options)
        for name, value in together.compute().items():
            same(value, alone[name].compute())
        if step == 4:
            together = copy.deepcopy(together)
        if step == 5:
            together.reset()
            for metric in alone.values():
                metric.reset()


def test_in_inference_mode(device):
    metric = Running(classification.MulticlassAccuracy(C), 2).to(device)
    with torch.inference_mode():
        for step in range(3):
            metric.update(*batch("accuracy", step, device)[0])
    metric.update(*batch("accuracy", 3, device)[0])
    same(metric.compute(), over_last("accuracy", range(4), 2, device))


# Processes. Rank r has r updates more than rank 0, which has none, and rank 1 alone has weights.


def start(rank, world, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meet", timedelta(seconds=60), world_size=world, rank=rank)
    try:
        windows_of_all_processes(rank)
    finally:
        dist.destroy_process_group()


def steps_of(rank):
    return range(10 * rank, 11 * rank + rank)


def windows_of_all_processes(rank):
    for name, (make, _, _) in METRICS.items():
        metric, expected = Running(make(), 3), make(sync_on_compute=False)
        for step in steps_of(rank):
            inputs, options = batch(name, step, "cpu", weighted=True)
            metric.update(*inputs, **options)
        for other in range(dist.get_world_size()):
            for step in steps_of(other)[-3:]:
                inputs, options = batch(name, step, "cpu", weighted=True)
                expected.update(*inputs, **options)
        value = expected.compute()
        same(metric.compute(), value, weighted=True)
        before = {key: copy.deepcopy(state) for key, state in metric.metric_state.items()}
        metric.sync()
        assert metric.updates_seen == len(steps_of(dist.get_world_size() - 1)), name
        if name in (
            "samplewise",
            "all values",
            "cosine of each",
        ):  # slot by slot, the samples of the processes are in another order
            same(metric.compute().sort().values, value.sort().values)
        else:
            same(metric.compute(), value, weighted=True)
        metric.unsync()
        for key, state in before.items():
            same(getattr(metric, key), state)
        assert metric.updates_seen == len(steps_of(rank))
        same(metric.compute(), value, weighted=True)  # which meets again
        metric.update(*batch(name, 99, "cpu")[0])
        alone = make(sync_on_compute=False)
        for step in [*steps_of(rank), 99][-3:]:
            inputs, options = batch(name, step, "cpu", weighted=True)
            alone.update(*inputs, **(options if step != 99 else {}))
        metric.base_metric.sync_on_compute = metric.base_metric._to_sync = False
        same(metric.compute(), alone.compute(), weighted=True)


def test_processes_with_different_windows(tmp_path):
    mp.spawn(start, args=(3, str(tmp_path)), nprocs=3, join=True)


def test_a_failed_sync_leaves_the_window():
    metric = RunningSum(window=2)
    for value in (1.0, 2.0, 4.0):
        metric.update(value)

    def broken(*args, **kwargs):
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        metric.sync(dist_sync_fn=broken, distributed_available=lambda: True)
    assert not metric._is_synced
    assert metric.compute() == 6
    metric.update(8.0)
    assert metric.compute() == 12
    with pytest.raises(torchmetrics.utilities.exceptions.TorchMetricsUserError):
        metric.unsync()
