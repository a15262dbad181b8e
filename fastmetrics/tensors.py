# SPDX-License-Identifier: Apache-2.0
"""Tensors that outlive a mode or a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from lightning_utilities import apply_to_collection
from torch import Tensor
from torch.compiler import is_compiling


def ordinary() -> AbstractContextManager[Any]:
    """Where tensors are made that can be updated outside of inference mode."""
    if is_compiling() or not torch.is_inference_mode_enabled():
        return nullcontext()
    return torch.inference_mode(False)


def as_ordinary(tensor: Tensor) -> Tensor:
    """The tensor, or a copy of one that was made in inference mode."""
    if not tensor.is_inference():
        return tensor
    with torch.inference_mode(False):
        return tensor.clone()


class _Bytes(NamedTuple):
    """A tensor on the CPU."""

    data: bytes
    dtype: torch.dtype
    shape: tuple[int, ...]


def _freeze(tensor: Tensor) -> Tensor | _Bytes:
    tensor = tensor.detach()
    if type(tensor) is not Tensor or tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return tensor.clone()
    flat = tensor.contiguous().reshape(-1)
    return _Bytes(flat.view(torch.uint8).numpy().tobytes(), tensor.dtype, tuple(tensor.shape))


def _thaw(frozen: _Bytes) -> Tensor:
    if not frozen.data:
        return torch.empty(frozen.shape, dtype=frozen.dtype)
    return torch.frombuffer(bytearray(frozen.data), dtype=frozen.dtype).reshape(frozen.shape).clone()


def frozen(value: Any) -> Any:
    """Tensors, alone or in dicts, lists and tuples, as they are to be pickled: their values at this moment.

    ``torch.multiprocessing`` hands the memory of a tensor over, not its values, so that both processes would count into
    the same states. Tensors of the CPU become bytes; others are copied, here and by whoever receives them.
    """
    return apply_to_collection(value, Tensor, _freeze)


def thawed(value: Any) -> Any:
    """What :func:`frozen` made tensors of, in memory of its own."""
    with torch.inference_mode(False):
        value = apply_to_collection(value, _Bytes, _thaw)
        return apply_to_collection(value, Tensor, lambda tensor: tensor.clone() if tensor.is_cuda else tensor)


def differs(labels: Tensor, number: int) -> Tensor:
    """Where labels are not a number, as numbers: torch compares it cut to their dtype, so that uint8 255 equals -1."""
    dtype = labels.dtype
    held = number in (0, 1) if dtype == torch.bool else torch.iinfo(dtype).min <= number <= torch.iinfo(dtype).max
    return labels != number if held else torch.ones_like(labels, dtype=torch.bool)


def together(values: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Tensors of one device on another, by one copy of all of them; they share memory with each other then."""
    order = sorted(range(len(values)), key=lambda i: -values[i].itemsize)  # wide ones first, so that all are aligned
    flat = [values[i].detach().contiguous().reshape(-1).view(torch.uint8) for i in order]
    if not flat:
        return []
    copy = torch.cat(flat).to(device)
    found = {}
    for i, part in zip(order, copy.split([len(one) for one in flat]), strict=True):
        found[i] = part.view(values[i].dtype).view(values[i].shape)
    return [found[i] for i in range(len(values))]


def moving(fn: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """What ``fn`` does to the device of a tensor, without what it does to its dtype."""

    def move(tensor: Tensor) -> Tensor:
        moved = fn(tensor)
        return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

    return move


def unaliased(value: Any, states: Iterable[Tensor]) -> Any:
    """A value that shares no memory with ``states``: copies of the tensors that do."""
    if type(value) is not Tensor:
        return apply_to_collection(value, Tensor, _unaliased, states)
    dtype = value.dtype
    for state in states:
        if state.dtype is dtype and (is_compiling() or torch._C._is_alias_of(value, state)):  # type: ignore[attr-defined]
            return value.clone()  # in a graph memory is not known
    return value


def _unaliased(tensor: Tensor, states: Iterable[Tensor]) -> Tensor:
    return tensor.clone() if any(torch._C._is_alias_of(tensor, state) for state in states) else tensor  # type: ignore[attr-defined]
