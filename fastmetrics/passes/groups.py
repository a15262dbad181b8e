# SPDX-License-Identifier: Apache-2.0
"""The pass over the groups of samples, and what passes share that add each sample to the rows of its groups."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import record_faults

SCHEMA = "count_groups_(Tensor rows, Tensor? valid, Tensor(a!) counts, Tensor(b!)? faults) -> ()"


def count_groups_body(rows: Tensor, valid: Tensor | None, counts: Tensor, faults: Tensor | None) -> None:
    """Count the samples of each group.

    A sample that is not ``valid`` is skipped. One whose group lies outside of [0, S) is not counted and goes to
    ``faults``; no other pass records it.

    Args:
        rows: of any integer type or bool ``[K, *shape]``: the rows of K slicings that each sample belongs to.
        valid: bool ``[*shape]``; None if all samples are.
        counts: int64 or float64 ``[S]``.
        faults: int64 ``[FAULTS]``.
    """
    if rows.numel() == 0:
        return
    for row in rows.to(torch.int64):
        bad = (row < 0) | (row >= counts.shape[0])
        record_faults(faults, 6, bad if valid is None else bad & valid, row)
        add_to_rows(counts, row.unsqueeze(0), torch.ones_like(row) if valid is None else valid)


def _fake(rows: Tensor, valid: Tensor | None, counts: Tensor, faults: Tensor | None) -> None:
    torch._check(
        valid is None or valid.dim() == rows.dim() - 1, lambda: "count_groups_: valid must have the shape of a row"
    )


count_groups_ = define(SCHEMA, count_groups_body, _fake)

PLACE_SCHEMA = (
    "place_groups_(Tensor groups, Tensor? valid, Tensor(a!) rows, Tensor(b!)? faults, int slicing, int start, int size)"
    " -> ()"
)


def place_groups_body(
    groups: Tensor, valid: Tensor | None, rows: Tensor, faults: Tensor | None, slicing: int, start: int, size: int
) -> None:
    """The rows of the samples of several slicings, from one slicing after the other.

    A sample that is not ``valid``, or has a group outside of its slicing, has the row -1 in all of them. Groups outside
    go to ``faults``; no other pass records them.

    Args:
        groups: of any integer type or bool ``[*shape]``: of each sample.
        valid: bool ``[*shape]``; None if all samples are.
        rows: int32 ``[K, *shape]``, contiguous; those of the slicings before this one are there.
        faults: int64 ``[FAULTS]``.
        slicing: which one.
        start: the first of its rows.
        size: how many it has.
    """
    groups = groups.to(torch.int64)
    bad = (groups < 0) | (groups >= size)
    record_faults(faults, 6, bad if valid is None else bad & valid, groups)
    none = bad if valid is None else bad | ~valid
    if slicing > 0:
        none = none | (rows[0] < 0)
        rows[:slicing].masked_fill_(none, -1)
    rows[slicing].copy_(torch.where(none, -1, groups + start))


def _place_fake(
    groups: Tensor, valid: Tensor | None, rows: Tensor, faults: Tensor | None, slicing: int, start: int, size: int
) -> None:
    shape = groups.shape
    torch._check(
        rows.shape[1:] == shape and (valid is None or valid.shape == shape),
        lambda: "place_groups_: rows must be [K, ...], and valid must have the shape of the groups",
    )


place_groups_ = define(PLACE_SCHEMA, place_groups_body, _place_fake)


def check_rows(rows: Tensor, target: Tensor, name: str) -> None:
    """Raise unless ``rows`` are those of each target."""
    torch._check(rows.shape[1:] == target.shape, lambda: f"{name}: rows must be [K, ...], with the shape of target")


def add_to_rows(state: Tensor, rows: Tensor | None, values: Tensor) -> None:
    """``state[row] += value`` for each sample and each of its rows; one outside of the state is left out.

    Args:
        state: ``[S, *statistic]``.
        rows: integers ``[K, *shape]``; None if the row of a sample is its index in dimension 0.
        values: ``[*shape, *statistic]``, of any dtype.
    """
    size, statistic = state.shape[0], state.shape[1:]
    if rows is None:
        state += values.reshape(size, values[:1].numel() // statistic.numel(), *statistic).sum(1).to(state.dtype)
        return
    values = values.reshape(-1, *statistic).to(state.dtype)
    for row in rows:
        place, inside = within(row.reshape(-1), size)
        state.index_add_(0, place, torch.where(inside.reshape(-1, *(1 for _ in statistic)), values, 0))


def add_to_cells(state: Tensor, rows: Tensor | None, cells: Tensor, amounts: Tensor) -> None:
    """Add amounts to cells of a state, or of those of its rows that each amount has.

    Args:
        state: contiguous; ``[S, *statistic]`` with rows.
        rows: integers ``[K, *shape]``; an amount is left out of a row outside of [0, S). None if there are no rows.
        cells: int64 ``[*shape]``: which number of the statistic.
        amounts: ``[*shape]``, of any dtype.
    """
    flat = state.view(-1)
    if rows is None:
        flat += torch.zeros_like(flat).index_add(0, cells.reshape(-1), amounts.reshape(-1).to(state.dtype))
        return
    size = flat.numel() // max(1, state.shape[0])
    for of_slicing in rows:
        row, inside = within(of_slicing, state.shape[0])
        flat.index_add_(
            0, (row * size + cells).reshape(-1), torch.where(inside, amounts, 0).reshape(-1).to(state.dtype)
        )


def within(rows: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The rows as int64, 0 in place of those outside of [0, size), and which are inside."""
    rows = rows.to(torch.int64)
    inside = (rows >= 0) & (rows < size)
    return torch.where(inside, rows, 0), inside


def label_rows(rows: Tensor, size: int, labels: int) -> Tensor:
    """Rows ``[K, N, L, ...]`` of states ``[size, labels, ...]`` as those of ``[size * labels, ...]``; -1 outside."""
    rows, inside = within(rows, size)
    label = torch.arange(labels, device=rows.device).view(-1, *(1 for _ in rows.shape[3:]))
    return torch.where(inside, rows * labels + label, -1)
