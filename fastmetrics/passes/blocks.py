# SPDX-License-Identifier: Apache-2.0
"""Blocks in which a pass reads a batch where its body is :func:`~fastmetrics.native.operators.eager_on_cpu`."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

# How many float64 numbers of an input a thread has at a time: they stay in its cache. This is also the least that
# PyTorch gives a thread, so that all threads share a block.
PER_THREAD = 1 << 15


def pairs_of_blocks(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Parts of x and y, [N] or [N, D] each, in order: float64 copies of some rows.

    They may be overwritten, and are valid until the next ones are asked for.
    """
    rows, most = x.shape[0], PER_THREAD * torch.get_num_threads()
    if x.numel() <= most:
        yield x.to(torch.float64, copy=True), y.to(torch.float64, copy=True)
        return
    step = max(1, most * rows // x.numel())
    a, b = (torch.empty((step, *x.shape[1:]), dtype=torch.float64, device=x.device) for _ in range(2))
    for first in range(0, rows, step):
        if rows - first < step:
            a, b = a[: rows - first], b[: rows - first]
        yield a.copy_(x[first : first + step]), b.copy_(y[first : first + step])
