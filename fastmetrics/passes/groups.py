# SPDX-License-Identifier: Apache-2.0
"""The pass over the groups of samples, and what passes share that add each sample to the rows of its groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import record_faults


class Slicings(NamedTuple):
    """The groups that samples have in several slicings, whose rows in a state lie one after another.

    A sample with a group that is out of range in any slicing is added to none.

    Attributes:
        groups: of each slicing, of any integer type or bool ``[*shape]``.
        sizes: how many groups each slicing has.
    """

    groups: list[Tensor]
    sizes: list[int]


#: What says to which rows of its states a pass adds a sample: rows ``[K, *shape]``, or groups.
Rows = Tensor | Slicings


def as_passes_take(rows: Rows, shape: Sequence[int]) -> tuple[Tensor, list[Tensor] | None, list[int] | None]:
    """``rows``, ``others`` and ``sizes`` of :func:`schema_by_rows`, for samples of a shape with as many elements."""
    if isinstance(rows, Slicings):
        first, *others = (groups.reshape(shape) for groups in rows.groups)
        return first.unsqueeze(0), others, rows.sizes
    return rows.reshape(len(rows), *shape), None, None


_MORE = ", Tensor[]? others=None, int[]? sizes=None"
_SAMPLES = ", Tensor(z!)? samples=None"


def schema_by_rows(schema: str) -> str:
    """The schema of an operator that adds each sample to its ``rows`` of the states, with what all of these take.

    ``samples`` int64 ``[S]``, if they are wanted, are those of each row that are valid. They are given without weights;
    rows out of range go to ``faults`` then, if each sample has one alone.

    ``others`` and ``sizes`` are given where samples have groups in several slicings; a kernel reads these where they
    are. ``rows`` are then the groups of the first slicing, ``[1, *shape]``, and ``others`` a tensor ``[*shape]`` for
    each of the others. ``sizes`` says how many groups each slicing has, whose rows lie one after another; S in all. A
    sample with a group that is out of range in any slicing is added to none, and the group goes to ``faults`` if
    ``samples`` are wanted.

    The bodies take all of that, and so do the kernels of the CPU, but for ``samples`` of pairs and values, which
    :func:`count_groups_` counts. On a GPU :func:`place_groups_` makes rows of groups first, and where a schema has no
    ``samples`` of its own they are counted likewise.
    """
    arguments = schema.removesuffix(") -> ()")
    return f"{arguments}{'' if ' samples' in arguments else _SAMPLES}{_MORE}) -> ()"


def _names(schema: str) -> list[str]:
    """The names of the arguments of an operator that returns nothing."""
    arguments = schema.partition("(")[2].removesuffix(") -> ()").split(", ")
    return [argument.partition("=")[0].split()[-1] for argument in arguments]


def by_rows(schema: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a body, whose arguments are those of ``schema``, take those of :func:`schema_by_rows`."""
    own, names = _names(schema), _names(schema_by_rows(schema))
    place = own.index("rows")

    def of_body(body: Callable[..., None]) -> Callable[..., None]:
        @wraps(body)
        def of_rows(*given: Any) -> None:
            args, named = list(given[: len(own)]), dict(zip(names, given, strict=False))
            rows, samples, others = named.get("rows"), named.get("samples"), named.get("others")
            faults = named["faults"] if samples is not None else None
            if rows is not None and others:
                args[place] = rows = rows_of_slicings(rows, others, named["sizes"], named["valid"], faults)
            if rows is not None and samples is not None and "samples" not in own:
                count_groups_body(rows, named["valid"], samples, faults if rows.shape[0] == 1 else None)
            body(*args)

        return of_rows

    return of_body


def define_by_rows(
    schema: str, body: Callable[..., Any], fake: Callable[..., Any], **options: Any
) -> Callable[..., Any]:
    """:func:`fastmetrics.native.operators.define` an operator with :func:`schema_by_rows`.

    Args:
        schema: see there.
        body: made :func:`by_rows`.
        fake: with the arguments of ``schema``.
        options: those of ``define``.
    """
    whole = schema_by_rows(schema)
    name, own, names = whole.partition("(")[0], len(_names(schema)), _names(whole)

    def fake_of_rows(*given: Any) -> None:
        fake(*given[:own])
        named = dict(zip(names, given, strict=False))
        if named.get("others"):
            check_slicings(named["rows"], named["others"], named["sizes"] or [], name)

    return define(whole, body, fake_of_rows, **options)


def rows_of_slicings(
    rows: Tensor, others: list[Tensor], sizes: list[int], valid: Tensor | None, faults: Tensor | None
) -> Tensor:
    """The rows ``[K, *shape]`` that :func:`schema_by_rows` means; -1 for a sample that is added to none."""
    each = [groups.to(torch.int64) for groups in (rows[0], *others)]
    left_out = torch.zeros_like(each[0], dtype=torch.bool)
    for groups, size in zip(each, sizes, strict=True):
        bad = (groups < 0) | (groups >= size)
        record_faults(faults, 6, bad if valid is None else bad & valid, groups)
        left_out = left_out | bad
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    return torch.stack([torch.where(left_out, -1, one + start) for one, start in zip(each, starts, strict=True)])


def check_slicings(rows: Tensor, others: list[Tensor], sizes: list[int], name: str) -> None:
    """Raise unless ``others`` are groups of the same samples, and there is a size for each slicing."""
    fits = rows.shape[0] == 1 and all(groups.shape == rows.shape[1:] for groups in others)
    torch._check(
        fits and len(sizes) == len(others) + 1,
        lambda: f"{name}: groups must have the shape of the samples, and there be a size for each slicing",
    )


SCHEMA = f"count_groups_(Tensor rows, Tensor? valid, Tensor(a!) counts, Tensor(b!)? faults{_MORE}) -> ()"


def count_groups_body(
    rows: Tensor,
    valid: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    others: list[Tensor] | None = None,
    sizes: list[int] | None = None,
) -> None:
    """Count the samples of each group.

    A sample that is not ``valid`` is skipped. One whose group lies outside of [0, S) is not counted and goes to
    ``faults``; no other pass records it.

    Args:
        rows: of any integer type or bool ``[K, *shape]``: the rows of K slicings that each sample belongs to.
        valid: bool ``[*shape]``; None if all samples are.
        counts: int64 or float64 ``[S]``.
        faults: int64 ``[FAULTS]``.
        others: see :func:`schema_by_rows`.
        sizes: see there.
    """
    if rows.numel() == 0:
        return
    if others and sizes:
        rows, faults = rows_of_slicings(rows, others, sizes, valid, faults), None
    for row in rows.to(torch.int64):
        bad = (row < 0) | (row >= counts.shape[0])
        record_faults(faults, 6, bad if valid is None else bad & valid, row)
        add_to_rows(counts, row.unsqueeze(0), torch.ones_like(row) if valid is None else valid)


def _fake(
    rows: Tensor,
    valid: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    others: list[Tensor] | None = None,
    sizes: list[int] | None = None,
) -> None:
    torch._check(
        valid is None or valid.dim() == rows.dim() - 1, lambda: "count_groups_: valid must have the shape of a row"
    )
    if others:
        check_slicings(rows, others, sizes or [], "count_groups_")


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
