# SPDX-License-Identifier: Apache-2.0
"""Several accumulators in one piece of memory per device, dtype and reduction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from fastmetrics import tensors
from fastmetrics.accumulator import Accumulator
from fastmetrics.passes.faults import FAULTS, is_zero

Entry = tuple[Accumulator, str, tuple[int, ...]]  # a state, and its shape


class Buffer:
    """One tensor, and the states that lie in it.

    Args:
        entries: (accumulator, name, shape) in the order of the buffer; ``name`` of the statistic.
        device: of the buffer.
        dtype: likewise.
        twins: whether the states are those of weighted samples.
    """

    def __init__(self, entries: list[Entry], device: torch.device, dtype: torch.dtype, twins: bool = False) -> None:
        self.entries = entries
        self.twins = twins
        sizes = [math.prod(shape) for *_, shape in entries]
        self.tensor = torch.zeros(sum(sizes), dtype=dtype, device=device)
        self._start: Tensor | None = None
        for (accumulator, name, _), part in zip(entries, self.tensor.split(sizes), strict=True):
            if not twins and name in accumulator.starts:
                part.copy_(accumulator.starts[name].reshape(-1))
                self._start = self.tensor
        self._start = None if self._start is None else self.tensor.clone()
        self._place()

    def _place(self) -> None:
        parts = self.tensor.split([math.prod(shape) for *_, shape in self.entries])
        for (accumulator, name, shape), part in zip(self.entries, parts, strict=True):
            if self.twins:
                accumulator.twins[name] = part.view(shape)
            else:
                accumulator.states[name] = part.view(shape)
                if name == "faults":
                    accumulator.faults = accumulator.states[name]

    def clear(self) -> None:
        """One fill."""
        if self._start is None:
            self.tensor.zero_()
        else:
            self.tensor.copy_(self._start)

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move the states to where ``fn`` moves a tensor."""
        moved = fn(self.tensor)
        if moved is not self.tensor:
            self.tensor = tensors.as_ordinary(moved)
            self._start = None if self._start is None else self._start.to(moved.device)
            self._place()


class Arena:
    """The memory of several accumulators.

    Args:
        accumulators: empty ones, whose states are moved here.
    """

    def __init__(self, accumulators: Sequence[Accumulator]) -> None:
        self.accumulators = list(accumulators)
        self.buffers: list[Buffer] = []
        wanted: dict[tuple[torch.device, torch.dtype, bool], list[Entry]] = {}
        records: dict[tuple[torch.device, torch.dtype, bool], list[Entry]] = {}
        for accumulator in self.accumulators:
            accumulator.arena = self
            statistics, device = accumulator.statistics, accumulator.device
            for name, (shape, dtype) in statistics.shapes.items():
                if not statistics.samplewise:
                    merged = name in statistics.reductions
                    wanted.setdefault((device, dtype, merged), []).append((accumulator, name, shape))
            if accumulator.faults is not None:
                records.setdefault((device, torch.int64, False), []).append((accumulator, "faults", (FAULTS,)))
        with tensors.ordinary(), torch.no_grad():
            for key in dict.fromkeys([*wanted, *records]):
                device, dtype, _ = key
                # the faults of all accumulators of a device lie in a row, at the end of their buffer
                self.buffers.append(Buffer(wanted.get(key, []) + records.get(key, []), device, dtype))
        self._find_records()

    def _find_records(self) -> None:
        self._records: list[Tensor] = []
        for buffer in self.buffers:
            count = sum(name == "faults" for _, name, _ in buffer.entries)
            if count:
                self._records.append(buffer.tensor[-count * FAULTS :])

    def open_twins(self) -> None:
        """Make room for the weighted samples of all accumulators."""
        entries: dict[torch.device, list[Entry]] = {}
        opened = []
        for accumulator in self.accumulators:
            if accumulator.lacks_twins:
                opened.append(accumulator)
                for name, (shape, _) in accumulator.statistics.shapes.items():
                    entries.setdefault(accumulator.device, []).append((accumulator, name, shape))
        with tensors.ordinary(), torch.no_grad():
            for device, wanted in entries.items():
                self.buffers.append(Buffer(wanted, device, torch.float64, twins=True))
        for accumulator in opened:
            accumulator.set_twins(accumulator.twins)

    def faulty(self, device: str | None = None) -> bool:
        """Whether any value was out of range, on all devices or on one type of them."""
        for faults in self._records:
            if not is_zero(faults) and (device is None or faults.device.type == device) and any(faults.tolist()):
                return True
        return False

    def clear(self) -> None:
        """Empty all states in place."""
        for buffer in self.buffers:
            buffer.clear()
        for accumulator in self.accumulators:
            if accumulator.statistics.samplewise:
                accumulator.states |= {name: [] for name in accumulator.statistics.shapes}
            accumulator.forget()

    def move(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Move all states to where ``fn`` moves a tensor."""
        with tensors.ordinary():
            for buffer in self.buffers:
                buffer.move(fn)
            for accumulator in self.accumulators:
                statistics = accumulator.statistics
                if statistics.samplewise:
                    for name in statistics.shapes:
                        accumulator.states[name] = [fn(value) for value in accumulator.states[name]]
                accumulator.moved(fn)
        self._find_records()
