# SPDX-License-Identifier: Apache-2.0
"""One workload: equal results first, then the times."""

import warnings
from functools import partial

import torch
import torchmetrics

from bench.timing import interleave, reader

READ = "read"
OURS, THEIRS, UNCHECKED, EAGER, COMPILED = (
    "fastmetrics",
    "torchmetrics",
    "torchmetrics validate_args=False",
    "PyTorch",
    "torch.compile",
)


class MismatchError(AssertionError):
    """A contestant gives another result."""


def in_order(result):
    """The values of a metric or a collection."""
    return [result[name] for name in sorted(result)] if isinstance(result, dict) else [result]


def call_of(metric, call, batch):
    """What is timed."""
    if call == "compute":
        metric.update(*batch)
        members = list(metric.values()) if isinstance(metric, torchmetrics.MetricCollection) else [metric]

        def compute():
            for member in members:
                member._computed = None
            return metric.compute()

        return compute
    return metric.reset if call == "reset" else partial(getattr(metric, call), *batch)


def value_of(metrics, batch):
    for metric in metrics:
        metric.update(*batch)
    values = [value.double().flatten() for metric in metrics for value in in_order(metric.compute())]
    for metric in metrics:
        metric.reset()
    return torch.cat(values)


def contestants(workload, batch, device, compile_too):
    """Name -> (function to time, result)."""
    made = {}

    def add(name, metrics):
        metrics = [metric.to(device) for metric in metrics]
        result = value_of(metrics, batch)
        calls = [call_of(metric, workload.call, batch) for metric in metrics]
        made[name] = ((lambda: [call() for call in calls]) if len(calls) > 1 else calls[0], result)

    add(OURS, [workload.ours()])
    add(THEIRS, workload.theirs())
    unchecked = workload.theirs(validate_args=False)
    if unchecked:
        add(UNCHECKED, unchecked)
    if workload.eager is not None:
        made[EAGER] = (lambda: workload.eager(*batch), workload.eager(*batch).double().flatten())
        if compile_too:
            torch.compiler.reset()
            compiled = torch.compile(workload.eager)
            try:
                result = compiled(*batch).double().flatten()
            except Exception as error:
                print(f"    torch.compile: {type(error).__name__}")
            else:
                made[COMPILED] = (lambda: compiled(*batch), result)
    return made


def measure(workload, device, scale, budget, compile_too):
    """A row of results.

    Raises:
        MismatchError: ours differs from the reference.
    """
    batch = workload.inputs(device=device, scale=scale)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = contestants(workload, batch, device, compile_too)
        reference = made[THEIRS][1]
        for name, (_, result) in made.items():
            # theirs sums in float32, and so do the PyTorch expressions
            if result.shape != reference.shape or not torch.allclose(result, reference, rtol=2e-4, atol=1e-6):
                raise MismatchError(
                    f"{workload.name}: {name} gives {result[:8].tolist()}, not {reference[:8].tolist()}"
                )
        nbytes = sum(x.numel() * x.element_size() for x in batch)
        calls = {name: call for name, (call, _) in made.items()}
        calls[READ] = reader(nbytes, device)
        times = interleave(calls, device, budget)
    ours = times[OURS]["median"]
    row = {"name": workload.name, "bytes": nbytes, "times": times, "gigabytes_per_second": nbytes / ours / 1e9}
    row["reads"] = ours / times[READ]["median"]
    row["faster"] = {name: t["median"] / ours for name, t in times.items() if name not in (OURS, READ)}
    row["most_reads"], row["least_faster"] = workload.most_reads, workload.least_faster
    return row
