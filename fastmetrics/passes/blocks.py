# SPDX-License-Identifier: Apache-2.0
"""Blocks and parts in which the body of a pass reads a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

# How many float64 numbers of an input a thread has at a time where a body is
# :func:`~fastmetrics.native.operators.eager_on_cpu`: they stay in its cache. This is also the least that PyTorch gives
# a thread, so that all threads share a block.
PER_THREAD = 1 << 15


# How many numbers a body keeps beside the states while it adds samples to their rows.
AT_ONCE = 1 << 20


def samples_of_parts(
    kept: int, x: Tensor, y: Tensor | None, rows: Tensor, weights: Tensor | None, valid: Tensor | None
) -> Iterator[tuple[Any, ...]]:
    """The arguments after the first, some indices of dimension 0 at a time: of samples, but for rows ``[K, *shape]``.

    ``kept`` numbers are kept of each sample.
    """
    n = x.shape[0] if x.dim() else 1
    step = max(1, AT_ONCE * n // (kept * max(1, x.numel())))
    for first in range(0, n, step):
        some = slice(first, first + step)
        whole = step >= n

        def part(of: Tensor | None, some: slice = some, whole: bool = whole) -> Tensor | None:
            return of if of is None or whole else of[some]

        yield part(x), part(y), rows if whole else rows[:, some], part(weights), part(valid)


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
