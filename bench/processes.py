# SPDX-License-Identifier: Apache-2.0
"""``compute`` with synchronisation, timed in two processes of one machine over gloo."""

import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from bench.contestants import OURS, flat
from bench.inputs import batch_of
from bench.timing import quartiles

LIBRARIES = {OURS: "fastmetrics", "torchmetrics": "torchmetrics"}


def sync_times(workload, budget, world=2):
    """Library -> median and quartiles of ``compute``, as the first process sees them.

    Raises:
        NotThereError: fastmetrics has no such metric.
    """
    workload.ours.build("fastmetrics")  # said here, not in two processes
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "times.pt"
        mp.spawn(_process, (world, f"{folder}/meet", workload, budget, results), nprocs=world)
        return torch.load(results)


def _process(rank, world, meet, workload, budget, results):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meet}", rank=rank, world_size=world)
    batch = batch_of(workload.inputs, "cpu")
    metrics, values = {}, []
    for name, library in LIBRARIES.items():
        spec = workload.ours if name == OURS else workload.their_spec
        metrics[name] = spec.build(library, compute_with_cache=False)
        metrics[name].update(*batch)
        values.append(flat(metrics[name].compute()))
    torch.testing.assert_close(*values, rtol=workload.tolerance, atol=workload.tolerance / 200)
    seen = {name: [] for name in metrics}
    rounds = torch.tensor(5)
    started = time.perf_counter()
    for metric in metrics.values():  # how many rounds fit; the first process decides
        metric.compute()
    if rank == 0:
        rounds = rounds.new_tensor(max(5, min(60, int(budget / (time.perf_counter() - started)))))
    dist.broadcast(rounds, 0)
    for _ in range(int(rounds)):
        for name, metric in metrics.items():
            dist.barrier()
            started = time.perf_counter()
            metric.compute()
            seen[name].append(time.perf_counter() - started)
    if rank == 0:
        torch.save({name: quartiles(times) for name, times in seen.items()}, results)
    dist.barrier()
    dist.destroy_process_group()
