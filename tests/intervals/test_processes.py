# SPDX-License-Identifier: Apache-2.0
"""Intervals over processes that talk by gloo are those of all data in one."""

from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from fastmetrics import MeanMetric, MetricCollection
from fastmetrics.classification import (
    BinaryAUROC,
    BinaryF1Score,
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)
from fastmetrics.regression import MeanAbsoluteError, R2Score
from fastmetrics.wrappers import PairedComparison

C = 4


def metrics():
    return {
        "share": MulticlassAccuracy(C, average="micro"),
        "table": MulticlassF1Score(C, intervals=True),
        "counts": BinaryF1Score(),
        "area": BinaryAUROC(),
        "error": MeanAbsoluteError(intervals=True),
        "moments": R2Score(intervals=True),
        "mean": MeanMetric(intervals=True),
        "pair": PairedComparison(MulticlassF1Score(C)),
        "collection": MetricCollection({"f1": MulticlassF1Score(C), "table": MulticlassConfusionMatrix(C)}),
        "parted": MetricCollection({"f1": MulticlassF1Score(C), "table": MulticlassConfusionMatrix(C)}),
    }


def batch(name, rank):
    generator = torch.Generator().manual_seed(rank)
    n = 40 + 20 * rank
    labels = [torch.randint(0, 2 if name == "counts" else C, (n,), generator=generator) for _ in range(3)]
    if name in ("error", "moments", "mean"):
        return [torch.randn(n, generator=generator) for _ in range(1 if name == "mean" else 2)]
    if name == "area":
        return [torch.rand(n, generator=generator), labels[0] % 2]
    return labels if name == "pair" else labels[:2]


def ends(metric, **options):
    if isinstance(metric, MetricCollection):
        metric = metric["f1"]
    return torch.stack(metric.interval(draws=200, **options))


def work(rank, world, folder):
    dist.init_process_group("gloo", f"file://{folder}/meet", timedelta(seconds=60), world_size=world, rank=rank)
    try:
        found, local, again = {}, {}, {}
        for name, metric in metrics().items():
            metric.update(*batch(name, rank))
            if name == "parted":
                if rank == 0:
                    metric["f1"]._reader.own()  # has left the shared states, on one rank only
                with pytest.raises(ValueError, match="keeps the confusion matrix"):
                    ends(metric)
                continue
            found[name] = ends(metric)
            local[name] = ends(metric, sync=False)
            metric.compute()
            again[name] = ends(metric)
        torch.save((found, local, again), f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_have_the_interval_of_one(tmp_path):
    mp.spawn(work, args=(2, str(tmp_path)), nprocs=2, join=True)
    kept = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for name, metric in metrics().items():
        if name == "parted":
            continue
        own = []
        for rank in range(2):
            metric.update(*batch(name, rank))
            alone = metrics()[name]
            alone.update(*batch(name, rank))
            own.append(ends(alone))
        for rank, (found, local, again) in enumerate(kept):
            torch.testing.assert_close(found[name], ends(metric), rtol=1e-6, atol=1e-7)
            assert torch.equal(found[name], again[name])
            torch.testing.assert_close(local[name], own[rank], rtol=1e-6, atol=1e-7)
