# SPDX-License-Identifier: Apache-2.0
"""Contestants timed in turn in one process."""

import time

import torch


def seconds(call, device, repeats):
    """The time of one call, the mean over ``repeats`` in a row."""
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats


def interleave(calls, device, budget, least=5, most=60):
    """Time the calls round by round, each round in another order, for about ``budget`` seconds.

    Args:
        calls: name -> function.
        device: ``cpu`` or ``cuda``.
        budget: in seconds; at least ``least`` rounds are made.
        least: rounds.
        most: rounds.

    Returns:
        name -> median and quartiles in seconds, and the rounds.
    """
    repeats = {}
    for name, call in calls.items():
        call()
        once = seconds(call, device, 1)
        repeats[name] = max(1, min(1000, int(1e-3 / max(once, 1e-7))))
    times = {name: [] for name in calls}
    names = list(calls)
    started = time.perf_counter()
    for round_ in range(most):
        if round_ >= least and time.perf_counter() - started > budget:
            break
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            times[name].append(seconds(calls[name], device, repeats[name]))
    found = {}
    for name, seen in times.items():
        low, middle, high = torch.tensor(seen, dtype=torch.float64).quantile(
            torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
        )
        found[name] = {"median": middle.item(), "low": low.item(), "high": high.item(), "rounds": len(seen)}
    return found


def reader(nbytes, device):
    """What measures the bandwidth: a sum over as many bytes of float32 on the CPU, a copy of them on a GPU."""
    data = torch.ones(max(1, nbytes // 4), dtype=torch.float32, device=device)
    if device == "cuda":
        half = data[: max(1, len(data) // 2)]  # a copy reads and writes
        to = torch.empty_like(half)
        return lambda: to.copy_(half)
    return data.sum
