# SPDX-License-Identifier: Apache-2.0
"""Memory on the CPU that is used again.

To write to new memory takes longer than to compute what will be there, where a machine has to find it page by page.
Large pages are not asked for: in a virtual machine whose host takes free ones back, the first write to such a page
takes up to seven times as long as to as much in small ones.
"""

from __future__ import annotations

import weakref
from math import prod

import torch
from torch import Tensor

from fastmetrics.native.operators import eager_on_cpu

#: The least bytes that are worth it, and the most that are kept in all.
BYTES = range(1 << 20, (64 << 20) + 1)

_spare: dict[int, Tensor] = {}  # what nobody reads any more, by its id, the newest last


def empty(like: Tensor, *shape: int, dtype: torch.dtype | None = None, exact: bool = False) -> Tensor:
    """Memory for values that a kernel is to write, if it can be of a tensor that is gone.

    Args:
        like: what the dtype is of, and the device.
        shape: of the values.
        dtype: another one.
        exact: take no memory that is larger than that, else up to a sixteenth.
    """
    dtype = dtype or like.dtype
    size = prod(shape) * dtype.itemsize
    if size not in BYTES or not eager_on_cpu(like):
        return like.new_empty(*shape, dtype=dtype)
    block = _take(size, size if exact else size + size // 16)
    if block is None:
        block = torch.empty(size, dtype=torch.uint8, device="cpu")
    # the array lives as long as the storage of the tensor, which that of its views is
    array = block.numpy()[:size]
    weakref.finalize(array, _give_back, block).atexit = False
    return torch.from_numpy(array).view(dtype).view(shape)


def _take(least: int, most: int) -> Tensor | None:
    """Memory of so many bytes; of the newest more is in the caches."""
    for key in reversed(list(_spare)):
        block = _spare.get(key)
        if block is not None and least <= block.nbytes <= most and _spare.pop(key, None) is not None:
            return block  # else another thread has it
    return None


def _give_back(block: Tensor) -> None:
    """Keep it, and let the older ones go for which there is no room."""
    _spare[id(block)] = block
    kept = 0
    for key in reversed(list(_spare)):
        spare = _spare.get(key)
        if spare is not None and kept + spare.nbytes < BYTES.stop:
            kept += spare.nbytes
        else:
            _spare.pop(key, None)
