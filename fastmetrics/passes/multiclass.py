# SPDX-License-Identifier: Apache-2.0
"""The multiclass pass: a row of scores, or a label, and a target."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.operators import define
from fastmetrics.passes.operator import add_at, record_faults

SCHEMA = (
    "multiclass_(Tensor preds, Tensor target, Tensor(a!)? confusion, Tensor(b!)? counts, Tensor(c!)? ranks, "
    "Tensor(d!)? faults, int num_classes, int ignore_index, bool has_ignore_index) -> ()"
)


def multiclass_body(
    preds: Tensor,
    target: Tensor,
    confusion: Tensor | None,
    counts: Tensor | None,
    ranks: Tensor | None,
    faults: Tensor | None,
    num_classes: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the multiclass statistics.

    A sample's label is ``preds`` itself, or the argmax of its scores as ``torch.argmax`` decides on the CPU: NaN is the
    greatest value and the lowest index wins a tie. The rank of the target is the number of classes that come before it
    in that order, so rank 0 is the argmax.

    A sample whose target equals ``ignore_index`` is skipped. One whose target or label lies outside
    ``[0, num_classes)`` is not counted and goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64 ``[N, C, ...]``, or labels of any integer type or bool ``[N, ...]``.
        target: labels of any integer type or bool ``[N, ...]``.
        confusion: int64 ``[C, C]``, row = target, column = label.
        counts: int64 ``[C, 3]``: true positives, predicted, actual. ``[N, C, 3]`` keeps the samples of dimension 0
            apart.
        ranks: int64 ``[C, K, 2]``; needs scores. ``[c, r, 0]`` counts the samples of target ``c`` with rank ``r``,
            ``[c, r, 1]`` those of label ``c`` whose target has rank ``r``; ranks from K up are not counted.
            ``[N, C, K, 2]`` keeps samples apart.
        faults: int64 ``[FAULTS]``.
        num_classes: C.
        ignore_index: a target value, in or out of the class range.
        has_ignore_index: whether there is one.
    """
    if target.numel() == 0:
        return
    c = num_classes
    n = target.shape[0]
    scores = preds.reshape(n, c, -1) if preds.is_floating_point() else None
    labels = (preds if scores is None else scores.argmax(1)).reshape(n, -1).to(torch.int64)
    target = target.reshape(n, -1).to(torch.int64)
    bad_target = (target < 0) | (target >= c)
    bad_label = (labels < 0) | (labels >= c)
    if has_ignore_index:
        kept = target != ignore_index
        bad_target, bad_label = bad_target & kept, bad_label & kept
        valid = kept & ~bad_target & ~bad_label
    else:
        valid = ~(bad_target | bad_label)
    record_faults(faults, 0, bad_target, target)
    record_faults(faults, 2, bad_label, labels)

    t = target.clamp(0, c - 1)
    p = labels.clamp(0, c - 1)
    sample = torch.arange(n, device=target.device).unsqueeze(1)
    if confusion is not None:
        add_at(confusion, t * c + p, valid)
    if counts is not None:
        row = sample * c if counts.dim() == 3 else 0
        add_at(counts, (row + t) * 3, valid & (t == p))
        add_at(counts, (row + p) * 3 + 1, valid)
        add_at(counts, (row + t) * 3 + 2, valid)
    if ranks is not None and scores is not None:
        k = ranks.shape[-2]
        row = sample * c if ranks.dim() == 4 else 0
        rank = _rank(scores, t)
        valid = valid & (rank < k)
        rank = rank.clamp(max=k - 1)
        add_at(ranks, ((row + t) * k + rank) * 2, valid)
        add_at(ranks, ((row + p) * k + rank) * 2 + 1, valid)


def _rank(scores: Tensor, target: Tensor) -> Tensor:
    """How many classes come before the target: greater, or equal with a lower index; NaN is the greatest."""
    own = scores.gather(1, target.unsqueeze(1))  # [N, 1, S]
    nan, own_nan = scores.isnan(), own.isnan()
    lower = torch.arange(scores.shape[1], device=scores.device).view(1, -1, 1) < target.unsqueeze(1)
    tie = (scores == own) | (nan & own_nan)
    return ((scores > own) | (nan & ~own_nan) | (tie & lower)).sum(1)


def _fake(
    preds: Tensor,
    target: Tensor,
    confusion: Tensor | None,
    counts: Tensor | None,
    ranks: Tensor | None,
    faults: Tensor | None,
    num_classes: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    scores = preds.is_floating_point()
    torch._check(preds.dim() == target.dim() + scores, lambda: "multiclass_: preds must be [N, C, ...] or as target")
    torch._check(ranks is None or scores, lambda: "multiclass_: ranks need scores")
    for state in (confusion, counts, ranks, faults):
        torch._check(state is None or state.dtype == torch.int64, lambda: "multiclass_: states must be int64")


multiclass_ = define(SCHEMA, multiclass_body, _fake)
