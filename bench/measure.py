# SPDX-License-Identifier: Apache-2.0
"""One workload: equal results first, then the times."""

import warnings

import torch

from bench import counts, processes
from bench.contestants import (
    ALONE,
    COMPILED,
    EAGER,
    OURS,
    READ,
    RIVALS,
    THEIRS,
    Contestant,
    all_of,
    build,
    of_metric,
    sample,
)
from bench.inputs import batch_of
from bench.timing import SMALL, host_seconds, interleave, reader

SIZES = (1e-4, 1e-3, 1e-2, 1e-1)  # shares of the samples, of a sweep, beside the whole


class MismatchError(AssertionError):
    """A contestant gives another result."""


def check(workload, made, device, scale):
    """Compare every value with the reference.

    Returns:
        What is worth saying of peers that give another value than an exact reference.

    Raises:
        MismatchError: ours differs, or an expression does, or a peer where there is no exact reference.
    """
    if workload.reference is not None:
        whole = workload.reference(*batch_of(workload.inputs, device, scale)).double().flatten()
    else:
        whole = next(made[name].value for name in (THEIRS, EAGER, OURS) if name in made and made[name].share == 1)
    said = []
    for name, contestant in made.items():
        value, expected = contestant.value, whole
        if contestant.share != 1:  # it had a part of the batch, so ours is compared on that part, too
            value, expected = ours_of(workload, device, scale * contestant.share), value
        if value is None or same(value, expected, workload.tolerance):
            continue
        wrong = f"{name} gives {value[:6].tolist()}, not {expected[:6].tolist()}"
        if workload.reference is None or name in (OURS, EAGER, COMPILED) or contestant.share != 1:
            raise MismatchError(f"{workload.name}: {wrong}")
        said.append(wrong)
    return said


def ours_of(workload, device, scale):
    metric = build(workload.ours, "fastmetrics", workload, device)
    return of_metric(metric, sample(workload, device, scale), workload).value


def same(value, expected, tolerance):
    return value.shape == expected.shape and torch.allclose(
        value, expected, rtol=tolerance, atol=tolerance / 200, equal_nan=True
    )


def measure(workload, device, scale=1.0, budget=3.0, rivals=RIVALS, thorough=False, say=print):
    """A row of results.

    Args:
        workload: what.
        device: ``cpu`` or ``cuda``.
        scale: share of the samples.
        budget: seconds of timing.
        rivals: the other contestants.
        thorough: also what torchmetrics does, and smaller sizes if the workload says so.
        say: where remarks go.

    Raises:
        MismatchError: a contestant gives another result.
        NotThereError: the metric does not exist yet.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if workload.call == "sync":
            return row_of(workload, device, 0, processes.sync_times(workload, budget), {}, {})
        made = all_of(workload, device, scale, rivals, say)
        differences = check(workload, made, device, scale)
        batch = batch_of(workload.inputs, device, scale)
        nbytes = sum(x.numel() * x.element_size() for x in batch)
        timed = {name: c for name, c in made.items() if name in (OURS, ALONE, *rivals, *workload.peers)}
        times = timings(timed, device, nbytes, budget)
        of_whom = (OURS, THEIRS) if thorough else (OURS,)
        does = {name: work(workload, made[name], name, device) for name in of_whom if name in timed}
        row = row_of(workload, device, nbytes, times, does, {name: c.share for name, c in made.items()})
        if differences:
            row["differences"] = differences
        if thorough and workload.sweep:
            row["sweep"] = sizes(workload, device, scale, budget / 3, rivals, say)
            row["sweep"].append(point(workload, scale, times))
    return row


def timings(made, device, nbytes, budget):
    calls = {name: contestant.call for name, contestant in made.items()}
    calls[READ] = reader(nbytes, device)
    times = interleave(calls, device, nbytes, budget)
    for name, contestant in made.items():
        times[name] = {key: seconds / contestant.share for key, seconds in times[name].items()}
    return times


def work(workload, contestant, name, device):
    """What a call does: operations or kernels, memory, and the time of the host."""
    does = {"memory": counts.memory(contestant.call, device)}
    if device == "cuda":
        does |= counts.on_cuda(contestant.call)
        does["host"] = host_seconds(contestant.call, device)
        return does
    does["operations"] = counts.operations(contestant.call)
    # a CPU does the work itself, so the host's part is what a call costs with nothing to read
    small = batch_of.__wrapped__(workload.inputs.two(), device)
    library, spec = ("fastmetrics", workload.ours) if name == OURS else ("torchmetrics", workload.their_spec)
    prepare = None if name == OURS else workload.prepare
    metric = build(spec, library, workload, device)
    does["host"] = host_seconds(of_metric(metric, small, workload, prepare).call, device)
    return does


def sizes(workload, device, scale, budget, rivals, say):
    points = []
    for share in SIZES:
        made: dict[str, Contestant] = all_of(workload, device, scale * share, rivals, say)
        check(workload, made, device, scale * share)
        nbytes = sum(x.numel() * x.element_size() for x in batch_of(workload.inputs, device, scale * share))
        timed = {name: c for name, c in made.items() if name in (OURS, *rivals)}
        points.append(point(workload, scale * share, timings(timed, device, nbytes, budget)))
    return points


def point(workload, scale, times):
    shape = getattr(workload.inputs, "shape", None)
    samples = int((workload.inputs.n if shape is None else shape[0]) * scale)
    return {"samples": samples, "medians": {name: short(time["median"]) for name, time in times.items()}}


def short(number):
    """Four digits are more than the noise leaves."""
    return float(f"{number:.4g}")


def row_of(workload, device, nbytes, times, does, shares):
    ours = times[OURS]["median"]
    row = {
        "name": workload.name,
        "call": workload.call,
        "bytes": nbytes,
        "times": {name: [short(t[key]) for key in ("median", "low", "high")] for name, t in times.items()},
        "faster": {name: short(t["median"] / ours) for name, t in times.items() if name not in (OURS, ALONE, READ)},
        "does": {name: {key: short(value) for key, value in done.items()} for name, done in does.items()},
        "bars": dict(workload.bars if device == "cpu" else workload.cuda_bars),
        "headline": workload.headline,
    }
    if nbytes >= SMALL and workload.call in ("update", "forward"):
        row["reads"] = short(ours / times[READ]["median"])
        row["gigabytes_per_second"] = short(nbytes / ours / 1e9)
    if ALONE in times:
        row["alone"] = short(ours / times[ALONE]["median"])
    parts = {name: share for name, share in shares.items() if share != 1}
    if parts:
        row["shares"] = parts
    if workload.note:
        row["note"] = workload.note
    return row
