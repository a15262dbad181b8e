# SPDX-License-Identifier: Apache-2.0
"""The pass that adds amounts of samples to the rows of their groups."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.groups import add_to_cells, add_to_rows, within

SCHEMA = "add_amounts_(Tensor amounts, Tensor rows, Tensor? cells, Tensor(a!) state) -> ()"


def add_amounts_body(amounts: Tensor, rows: Tensor, cells: Tensor | None, state: Tensor) -> None:
    """Add the amounts of each sample to each of its rows.

    Args:
        amounts: the dtype of ``state``, contiguous; ``[N, numbers]``, or ``[N]`` with ``cells``.
        rows: of any integer type or bool ``[K, N]``: K rows of each sample; one outside of [0, S) is left out.
        cells: int64 ``[N]``, contiguous: which number of a row an amount goes to; one outside is left out. None: each
            number has an amount.
        state: int64 or float64 ``[S, numbers]``, contiguous.

    On the CPU floats are added in the order of the samples, on CUDA in none.
    """
    if cells is None:
        add_to_rows(state, rows, amounts)
    else:
        number, known = within(cells, state.shape[1])
        add_to_cells(state, rows, number, torch.where(known, amounts, 0))


def _fake(amounts: Tensor, rows: Tensor, cells: Tensor | None, state: Tensor) -> None:
    torch._check(state.dtype in (torch.int64, torch.float64), lambda: "add_amounts_: state must be int64 or float64")
    torch._check(
        amounts.dtype == state.dtype and rows.dim() == 2 and amounts.dim() == (1 if cells is not None else 2),
        lambda: "add_amounts_: amounts must be [N, numbers], or [N] with cells, of the dtype of state",
    )


add_amounts_ = define(SCHEMA, add_amounts_body, _fake)


def add_amounts(state: Tensor, rows: Tensor | None, amounts: Tensor, cells: Tensor | None = None) -> None:
    """``state[row] += amount`` for each sample and each of its rows, or to a cell of them.

    Args:
        state: ``[S, *statistic]``, int64 or float64, contiguous; one outside of it is left out.
        rows: integers ``[K, *shape]``; None if the row of a sample is its index in dimension 0, or, with ``cells``, if
            the state has no rows.
        amounts: ``[*shape, *statistic]``, or ``[*shape]`` with ``cells``; of any dtype.
        cells: int64 ``[*shape]``: which number of the statistic.
    """
    if rows is None:
        if cells is None:
            add_to_rows(state, None, amounts)
        else:
            add_to_cells(state, None, cells, amounts)
        return
    numbers = state[:1].numel()
    given = amounts.detach().reshape(-1) if cells is not None else amounts.detach().reshape(-1, numbers)
    given = given.to(state.dtype).contiguous()
    to = None if cells is None else cells.reshape(-1).contiguous()
    add_amounts_(given, rows.reshape(len(rows), len(given)), to, state.view(-1, numbers))
