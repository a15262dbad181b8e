# SPDX-License-Identifier: Apache-2.0
"""Contestants timed in turn in one process."""

import random
import statistics
import time

import torch

SMALL = 1_000_000  # bytes of a batch below which the cost of the call is what is measured
SHORT = 1e-3  # seconds: shorter calls are repeated and their mean is taken
CACHE = 256 << 20  # bytes that push everything out of a GPU's cache


def seconds(call, device, repeats):
    """The time of one call, the mean over ``repeats`` in a row, host and device."""
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats


class ColdCuda:
    """The time of one call on a GPU whose cache holds none of the batch, between events on its stream."""

    def __init__(self):
        self.flush = torch.zeros(CACHE // 4, device="cuda")
        self.sum = torch.zeros((), device="cuda")
        self.events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]

    def __call__(self, call):
        start, end = self.events
        # read, so that the call writes nothing of it back; and the host enqueues the call meanwhile
        torch.sum(self.flush, 0, out=self.sum)
        start.record()
        call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3


def host_seconds(call, device):
    """The time until a call returns, whatever the device still does."""
    repeats = max(1, min(20, int(5 * SHORT / seconds(call, device, 1))))
    seen = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(repeats):
            call()
        seen.append((time.perf_counter() - started) / repeats)
        if device == "cuda":
            torch.cuda.synchronize()
    return statistics.median(seen)


def quartiles(seen):
    """Median and quartiles."""
    low, middle, high = torch.tensor(seen, dtype=torch.float64).quantile(
        torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    )
    return {"median": middle.item(), "low": low.item(), "high": high.item()}


def interleave(calls, device, nbytes, budget, least=5, enough=15, most=60):
    """Time the calls round by round, each round in another order.

    Args:
        calls: name -> function.
        device: ``cpu`` or ``cuda``.
        nbytes: of the batch. One that is not small is read from the memory of a GPU, not from its cache, and on a CPU
            as many other bytes are read before each call, so that all find the caches as that leaves them.
        budget: in seconds. ``least`` rounds are made nevertheless, or three if those take three times as long. Then
            contestants that take a tenth of it leave, and the others go on for as long again, and at least to
            ``enough`` rounds.
        least: rounds.
        enough: rounds.
        most: rounds.

    Returns:
        name -> median and quartiles in seconds.
    """
    cold = ColdCuda() if device == "cuda" and nbytes >= SMALL else None
    repeats = {}
    for name, call in calls.items():
        call()
        once = seconds(call, device, 1)
        if once < 10 * SHORT:  # the first may have been disturbed
            once = min(once, seconds(call, device, 1), seconds(call, device, 1))
        repeats[name] = max(1, min(1000, int(SHORT / max(once, 1e-7))))
    settle = reader(nbytes, device) if device == "cpu" and nbytes >= SMALL else lambda: None
    times = {name: [] for name in calls}
    names, all_of_them = list(calls), True
    started = time.perf_counter()
    for round_ in range(most):
        spent = time.perf_counter() - started
        if not all_of_them and round_ >= enough and spent > budget:
            break
        if all_of_them and ((round_ >= least and spent > budget) or (round_ >= 3 and spent > 3 * budget)):
            names, all_of_them = [name for name in names if min(times[name]) < budget / 10], False
            started += spent
        # not the same one before each: what it leaves in the caches is part of the time of the next
        for name in random.Random(round_).sample(names, len(names)):
            call = calls[name]
            settle()
            times[name].append(seconds(call, device, repeats[name]) if cold is None else cold(call))
    return {name: quartiles(seen) for name, seen in times.items()}


def reader(nbytes, device):
    """What measures the bandwidth: a sum over as many bytes of float32 on the CPU, a copy of them on a GPU."""
    data = torch.ones(max(2, nbytes // 4), dtype=torch.float32, device=device)
    if device == "cuda":
        half = data[: len(data) // 2]  # a copy reads and writes
        to = torch.empty_like(half)
        return lambda: to.copy_(half)
    return data.sum
