# SPDX-License-Identifier: Apache-2.0
"""The pass that counts scores by their keys: small integers in the order of the scores.

Scores of 16 bits have so few values that each is a key, and what is counted is all that a curve depends on. Of greater
ones a key is the leading bits of their place between 0 and 1, finest near both ends.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import record_faults
from fastmetrics.passes.groups import add_to_cells, by_rows, check_rows, define_by_rows
from fastmetrics.passes.scores import (
    OPTIONS,
    PROBABILITIES,
    add_columns_to_rows,
    check_batch,
    probabilities,
    read_batch,
    weighed,
)

COUNT_SCHEMA = (
    "count_scores_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!) counts, Tensor(b!)? faults, "
    f"int bits, {OPTIONS}"
)

COUNT_ROWS_SCHEMA = COUNT_SCHEMA.replace("scores_(", "scores_rows_(").replace("target,", "target, Tensor rows,")

#: Floating types whose every value is a key, and how many of those lie in [0, 1].
KEYS = {torch.bfloat16: 0x3F81, torch.float16: 0x3C01}
_SIGNED = 0x10000  # keys of 16 bits
_HALFWAY = 0x3F000000  # the bits of 1/2, and the key of 31 bits of 1/2


def number_of_keys(bits: int, signed: bool) -> int:
    """How many keys there are.

    Args:
        bits: 0 for scores of 16 bits, which have all keys of bfloat16, and behind them those of float16; else the
            number of leading bits, 6 to 24.
        signed: whether scores of 16 bits may be any numbers.
    """
    if bits:
        return 1 << bits
    return 2 * _SIGNED if signed else sum(KEYS.values())


def parts_of_keys(signed: bool) -> list[tuple[int, torch.dtype]]:
    """How many keys there are of each type of 16 bits, in their order."""
    return [(_SIGNED if signed else size, dtype) for dtype, size in KEYS.items()]


def score_keys(scores: Tensor, bits: int, signed: bool) -> Tensor:
    """The keys of scores, int64; NaN has any.

    A key of 31 bits is the bits of a float32 ``x`` below 1/2, and above it what the bits of ``1 - x``, which is exact,
    leave of those of 1: both ends are as fine as float32 is. Leading bits are rounded up, so that 0 shares its key with
    nothing else, and neither does 1.

    Args:
        scores: up to float32; with ``bits`` what lies outside [0, 1] is taken for its end.
        bits: see :func:`number_of_keys`.
        signed: see there.
    """
    if bits:
        x = scores.float().nan_to_num().clamp(0, 1) + 0.0
        whole = torch.where(x < 0.5, x.view(torch.int32), 2 * _HALFWAY - (1 - x).view(torch.int32)).long()
        shift = 31 - bits
        return (whole + (1 << shift) - 1) >> shift
    found = (scores + 0.0).view(torch.int16).long() & 0xFFFF
    half = scores.dtype == torch.float16
    if signed:
        return torch.where(found >= 0x8000, 0xFFFF - found, found | 0x8000) + _SIGNED * half
    return found.clamp(max=KEYS[scores.dtype] - 1) + KEYS[torch.bfloat16] * half


def scores_of_keys(bits: int, signed: bool, device: torch.device) -> Tensor:
    """The least score of each key, float32 ``[K]``; ascending with ``bits``, and else for each of both types.

    Keys that no score has come with NaN, or with 1 at the end of the leading bits.
    """
    if bits:
        shift = 31 - bits
        least = ((torch.arange(1 << bits, device=device) - 1).clamp(min=-1) << shift) + 1
        least = least.clamp(0, 2 * _HALFWAY)
        low = least.clamp(max=_HALFWAY).to(torch.int32).view(torch.float32)
        rest = (2 * _HALFWAY - least).clamp(0, _HALFWAY).to(torch.int32).view(torch.float32)
        # the least multiple of 2^-24 above 1/2 whose distance from 1 is at most `rest`
        high = 1 - (rest.double() * 2**24).floor() / 2**24
        return torch.where(least <= _HALFWAY, low, high.float())
    found = []
    for dtype, size in KEYS.items():
        if signed:
            key = torch.arange(_SIGNED, device=device)
            of = torch.where(key >= 0x8000, key - 0x8000, 0xFFFF - key)
        else:
            of = torch.arange(size, device=device)
        found.append(of.to(torch.uint16).view(torch.int16).view(dtype).float())
    return torch.cat(found)


def single_scores(bits: int, device: torch.device) -> Tensor:
    """Whether a key of leading bits has at most one float32 score, bool ``[K]``."""
    shift = 31 - bits
    most = torch.arange(1 << bits, device=device) << shift
    least = (most - (1 << shift) + 1).clamp(min=0)

    def rest(key: Tensor) -> Tensor:  # the distance from 1 in units of 2^-24, of which the score has a whole number
        key = (2 * _HALFWAY - key).clamp(0, _HALFWAY)
        return key.to(torch.int32).view(torch.float32).double() * 2**24

    above = rest(least).floor() - rest(most).ceil() + 1 <= 1
    return torch.where(least > _HALFWAY, above, most == least)


def count_scores_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    bits: int,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Count the scores of each column by their keys and labels.

    What counts, and when scores are logits, is as in :func:`fastmetrics.passes.scores.score_histogram_body`. A score
    that is NaN is not counted and goes to ``faults`` as a bad one of ``preds``, by its place in the batch.

    Args:
        preds: float16 or bfloat16, or float32 with ``bits``; this and the others that are not named here are those of
            :func:`fastmetrics.passes.scores.score_histogram_body`.
        target: see there.
        valid: see there.
        weights: see there.
        counts: int64 ``[C, K, 2]``, float64 with weights, by the label; K as :func:`number_of_keys` says.
        faults: see there.
        bits: see :func:`number_of_keys`. Without, scores are any numbers if ``logits`` is ``PROBABILITIES``.
        in_columns: see there.
        logits: see there.
        ignore_index: see there.
        has_ignore_index: see there.
        ignored_decide: see there.
    """
    if preds.numel() == 0:
        return
    options = bits, in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    cells, amount = score_cells(preds, target, valid, weights, faults, *options)
    add_to_cells(counts, None, cells, amount)


@by_rows(COUNT_ROWS_SCHEMA)
def count_scores_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    bits: int,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Count the scores of each column by their keys and labels, in the rows of their samples or labels.

    What is counted is that of :func:`count_scores_body`. Scores are read as logits or as probabilities for the whole
    batch.

    Args:
        preds: see there.
        target: see there.
        rows: of any integer type or bool ``[K, *target.shape]``: K rows of each target. What lies outside of [0, S) is
            left out, without a fault.
        valid: see there.
        weights: see there.
        counts: int64 ``[S, C, K, 2]``, float64 with weights.
        faults: see there.
        bits: see there.
        in_columns: see there.
        logits: see there.
        ignore_index: see there.
        has_ignore_index: see there.
        ignored_decide: see there.
    """
    if preds.numel() == 0:
        return
    options = bits, in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    cells, amount = score_cells(preds, target, valid, weights, faults, *options)
    add_columns_to_rows(counts, rows, cells, amount, in_columns and preds.dim() == target.dim())


def score_cells(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    bits: int,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> tuple[Tensor, Tensor]:
    """The cell that each score is counted in, int64 [M, C], and what it counts there; see :func:`count_scores_body`."""
    found, label, outside = read_batch(
        preds, target, valid, faults, in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    )
    found = probabilities(found, outside, preds.dim() > target.dim()) + 0.0
    of_labels = in_columns and preds.dim() == target.dim()
    label, amount = weighed(label, target, valid, weights, faults, of_labels, ignore_index, has_ignore_index)
    nan = (label >= 0) & found.isnan()
    shape = (preds.shape[0], *preds.shape[2:], found.shape[1])
    places = nan.reshape(shape).movedim(-1, 1) if in_columns else nan
    record_faults(faults, 2, places, torch.arange(nan.numel(), device=nan.device).reshape(places.shape))
    signed = logits == PROBABILITIES
    keys = score_keys(found, bits, signed)
    width = 2 * number_of_keys(bits, signed)
    cells = torch.arange(keys.shape[1], device=keys.device) * width + 2 * keys + label.clamp(min=0)
    return cells, torch.where((label >= 0) & ~nan, amount, 0)


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    bits: int,
    in_columns: bool,
    *rest: Any,
) -> None:
    check_batch(preds, target, in_columns, "count_scores_")
    torch._check(preds.dtype in KEYS or bool(bits), lambda: "count_scores_: preds of more than 16 bits need bits")
    torch._check(bits == 0 or 6 <= bits <= 24, lambda: "count_scores_: bits must be 6 to 24, 0 for 16 bits")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(counts.dtype == dtype, lambda: f"count_scores_: counts must be {dtype}")


def _rows_fake(preds: Tensor, target: Tensor, rows: Tensor, *rest: Any) -> None:
    _fake(preds, target, *rest)
    check_rows(rows, target, "count_scores_rows_")


count_scores_ = define(COUNT_SCHEMA, count_scores_body, _fake, library="scores")
count_scores_rows_ = define_by_rows(COUNT_ROWS_SCHEMA, count_scores_rows_body, _rows_fake, library="scores")
