# SPDX-License-Identifier: Apache-2.0
"""What a call does, besides taking time: operations, kernels, waits of the host, memory."""

import contextlib
import os

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")


class Operations(TorchDispatchMode):
    """Counts the operations that PyTorch dispatches."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


def operations(call):
    """How many operations a call dispatches."""
    with Operations() as seen:
        call()
    return seen.count


@contextlib.contextmanager
def _without_chatter():
    """The profiler writes to the error stream when it starts and stops, whatever its log level."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _profiled(call):
    torch.cuda.synchronize()
    with _without_chatter(), profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        call()
    on_card = [event.name for event in seen.events() if event.device_type == DeviceType.CUDA]
    copies = sum(name.startswith(("Memcpy", "Memset")) for name in on_card)
    return {
        "kernels": len(on_card) - copies,
        "copies": copies,
        "waits": sum(event.name in WAITS for event in seen.events()),
    }


def on_cuda(call):
    """Kernels, copies and fills that a call starts on a GPU, and how often the host waits for it.

    Empty if the profiler sees nothing of the GPU, as where it has no leave to.
    """
    nothing = _profiled(lambda: None)  # the profiler waits, too
    found = _profiled(call)
    if found["kernels"] + found["copies"] == 0:
        return {}
    return {name: found[name] - nothing[name] for name in found}


def memory(call, device):
    """The most bytes that a call holds at a time beyond what there was, from PyTorch's allocator.

    On the CPU from the allocations that ``torch.profiler`` records; what a kernel keeps on its stack or in its own
    buffers is not among them. On a GPU from the statistics of the caching allocator.
    """
    if device == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with _without_chatter(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        call()
    now = most = 0
    changes = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(changes, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most
