# SPDX-License-Identifier: Apache-2.0
"""How a pass becomes an operator.

The schema and a pure-torch body are written in Python; the native libraries only add CPU and CUDA kernels to the same
operator. The dispatcher is the fallback: a device without a kernel, or a machine without a compiler, runs the body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fastmetrics import native

_library = torch.library.Library("fastmetrics", "DEF")

# The length of a faults tensor, int64:
#   [0] how many targets were out of range      [1] the first of them
#   [2] how many predictions were out of range  [3] the first of them
#   [4:8] scratch of the kernels, zero between calls
FAULTS = 8


def define(schema: str, body: Callable[..., None], fake: Callable[..., None]) -> Callable[..., None]:
    """Register a pass and return its operator.

    The first call on a device type reaches ``body``'s wrapper, which asks for the native library of that device once.
    If that brings a kernel, the call is dispatched again and later calls never come here.

    Args:
        schema: operator schema; the first argument is a tensor and its device decides which library to load.
        body: what the operator means, in torch operations. It must not synchronise with the device.
        fake: checks shapes and dtypes on fake tensors; states are written in place, so nothing is returned.
    """
    name = schema.partition("(")[0]

    def python_kernel(*args: Any) -> None:
        if native.load(args[0].device.type):
            return operator(*args)
        return body(*args)

    _library.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    _library.impl(name, python_kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(f"fastmetrics::{name}", fake, lib=_library)
    operator: Callable[..., None] = getattr(torch.ops.fastmetrics, name).default
    return operator


def record_faults(faults: Tensor | None, offset: int, bad: Tensor, values: Tensor) -> None:
    """Add the values marked by ``bad`` to ``faults``, keeping the first one ever seen.

    Args:
        faults: int64 [FAULTS], or None to record nothing.
        offset: 0 for targets, 2 for predictions.
        bad: bool, any shape; logical order is batch order.
        values: same shape as ``bad``.
    """
    if faults is None or bad.numel() == 0:
        return
    bad = bad.reshape(-1)
    order = torch.arange(bad.numel(), device=bad.device)
    first = torch.where(bad, order, bad.numel() - 1).amin().reshape(1)
    value = values.reshape(-1).index_select(0, first).to(torch.int64)
    fresh = (faults[offset] == 0) & bad.any()
    faults[offset + 1 : offset + 2] = torch.where(fresh, value, faults[offset + 1 : offset + 2])
    faults[offset] += bad.sum()


def add_at(state: Tensor, index: Tensor, weight: Tensor) -> None:
    """``state.view(-1)[index] += weight`` with repeated indices, without synchronising.

    Args:
        state: int64, contiguous.
        index: int64, any shape, in [0, state.numel()).
        weight: int64 or bool, same shape: 0 leaves the state as it is.
    """
    state.view(-1).scatter_add_(0, index.reshape(-1), weight.reshape(-1).to(state.dtype))
