# SPDX-License-Identifier: Apache-2.0
"""The multiclass pass: a row of scores, or a label, and a target."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import eager_on_cpu
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.groups import by_rows, count_groups_body, define_by_rows, within
from fastmetrics.tensors import differs

SCHEMA = (
    "multiclass_(Tensor preds, Tensor target, Tensor? valid, Tensor(a!)? confusion, Tensor(b!)? counts, "
    "Tensor(c!)? ranks, Tensor(d!)? faults, int num_classes, int ignore_index, bool has_ignore_index, "
    "Tensor(e!)? rank_histogram=None, Tensor? weights=None, Tensor? rows=None, Tensor(f!)? samples=None) -> ()"
)


@by_rows(SCHEMA)
def multiclass_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    confusion: Tensor | None,
    counts: Tensor | None,
    ranks: Tensor | None,
    faults: Tensor | None,
    num_classes: int,
    ignore_index: int,
    has_ignore_index: bool,
    rank_histogram: Tensor | None = None,
    weights: Tensor | None = None,
    rows: Tensor | None = None,
    samples: Tensor | None = None,
) -> None:
    """Add a batch to the multiclass statistics.

    A sample's label is ``preds`` itself, or the argmax of its scores as ``torch.argmax`` decides on the CPU: NaN is the
    greatest value and the lowest index wins a tie. The rank of the target is the number of classes that come before it
    in that order, so rank 0 is the argmax.

    A sample that is not ``valid``, or whose target equals ``ignore_index``, is skipped. One whose target or label lies
    outside ``[0, num_classes)`` is not counted and goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64 ``[N, C, ...]``, or labels of any integer type or bool ``[N, ...]``.
        target: labels of any integer type or bool ``[N, ...]``.
        valid: bool ``[N, ...]``; None if all samples are.
        confusion: int64 ``[C, C]``, row = target, column = label.
        counts: int64 ``[C, 3]``: true positives, predicted, actual. ``[N, C, 3]`` keeps the samples of dimension 0
            apart. ``[1, 3]`` is their sums over all classes, which need no label to be an address; it is asked for
            without any other statistic.
        ranks: int64 ``[C, K, 2]``; needs scores. ``[c, r, 0]`` counts the samples of target ``c`` with rank ``r``,
            ``[c, r, 1]`` those of label ``c`` whose target has rank ``r``; ranks from K up are not counted.
            ``[N, C, K, 2]`` keeps samples apart.
        faults: int64 ``[FAULTS]``.
        num_classes: C.
        ignore_index: a target value, in or out of the class range.
        has_ignore_index: whether there is one.
        rank_histogram: int64 ``[C]``; needs scores: how many targets have each rank.
        weights: float64 ``[N, ...]``: what a sample adds instead of 1; the statistics are float64 then. One that is
            negative, infinite or NaN is not counted and goes to ``faults``. On the CPU weights are added in the order
            of the samples, so the same data gives the same bits; on a GPU in no fixed order, so the last bits may
            differ from run to run.
        rows: of any integer type or bool ``[K, N, ...]``: every statistic has a first dimension of S, and a sample is
            added to these rows of it. It is not counted in one that lies outside of [0, S).
        samples: int64 ``[S]``: the samples of each row that are valid; rows out of range go to ``faults`` then, if each
            sample has one alone. None if they are not wanted, or if there are weights.
    """
    if samples is not None and rows is not None:
        count_groups_body(rows, valid, samples, faults if rows.shape[0] == 1 else None)
    if target.numel() == 0:
        return
    c = num_classes
    n = target.shape[0]
    only_pairs = weights is None and ranks is None and rank_histogram is None and (counts is None or counts.dim() == 2)
    if rows is None and only_pairs and eager_on_cpu(preds, target):
        skipped = ~differs(target, ignore_index) if has_ignore_index else None
        if _add_pairs(preds, target, valid, skipped, confusion, counts, c):
            return
    scores = preds.reshape(n, c, -1) if preds.is_floating_point() else None
    labels = (preds if scores is None else scores.argmax(1)).reshape(n, -1).to(torch.int64)
    target = target.reshape(n, -1).to(torch.int64)
    kept = torch.ones_like(target, dtype=torch.bool) if valid is None else valid.reshape(n, -1)
    if has_ignore_index:
        kept = kept & (target != ignore_index)
    bad_target = kept & ((target < 0) | (target >= c))
    bad_label = kept & ((labels < 0) | (labels >= c))
    record_faults(faults, 0, bad_target, target)
    record_faults(faults, 2, bad_label, labels)
    amount = kept & ~bad_target & ~bad_label
    if weights is not None:
        weights = weights.reshape(n, -1)
        amount = torch.where(amount & ~bad_weights(faults, weights, kept), weights, 0.0)

    t = target.clamp(0, c - 1)
    p = labels.clamp(0, c - 1)
    rank = None if scores is None or (ranks is None and rank_histogram is None) else _rank(scores, t)
    states = confusion, counts, ranks, rank_histogram
    if rows is not None:
        size = next(state.shape[0] for state in states if state is not None)
        for of_slicing in rows.reshape(rows.shape[0], n, -1):
            row, inside = within(of_slicing, size)
            _add_samples(states, row, t, p, rank, torch.where(inside, amount, 0), c)
    elif (counts is not None and counts.dim() == 3) or (ranks is not None and ranks.dim() == 4):
        _add_samples(states, torch.arange(n, device=target.device).unsqueeze(1), t, p, rank, amount, c)
    else:
        _add_samples(states, 0, t, p, rank, amount, c)


def _add_samples(
    states: tuple[Tensor | None, ...],
    row: Tensor | int,
    target: Tensor,
    label: Tensor,
    rank: Tensor | None,
    amount: Tensor,
    classes: int,
) -> None:
    """Add samples to rows of the states, which have one each if ``row`` is 0.

    Args:
        states: confusion, counts, ranks, rank_histogram.
        row: int64 ``[N, S]`` or ``[N, 1]``.
        target: int64 ``[N, S]``, in the range of classes, as ``label``.
        label: see there.
        rank: int64 ``[N, S]``, of the target.
        amount: ``[N, S]``.
        classes: C.
    """
    confusion, counts, ranks, rank_histogram = states
    first = row * classes
    own, of_label = first + target, first + label
    if confusion is not None:
        _add_at(confusion, own * classes + label, amount)
    if counts is not None and counts.shape[-2] != classes:
        hits = amount * (target == label)
        if isinstance(row, int):
            total = amount.sum()
            counts += torch.stack([hits.sum(), total, total]).to(counts.dtype)
        else:
            for column, values in enumerate((hits, amount, amount)):
                _add_at(counts, row * 3 + column, values)
    elif counts is not None:
        _add_at(counts, own * 3, amount * (target == label))
        _add_at(counts, of_label * 3 + 1, amount)
        _add_at(counts, own * 3 + 2, amount)
    if rank is None:
        return
    if rank_histogram is not None:
        _add_at(rank_histogram, first + rank, amount)
    if ranks is not None:
        k = ranks.shape[-2]
        amount = amount * (rank < k)
        rank = rank.clamp(max=k - 1)
        _add_at(ranks, (own * k + rank) * 2, amount)
        _add_at(ranks, (of_label * k + rank) * 2 + 1, amount)


# The most pairs of classes for which a table is made where its diagonal and margins serve.
_PAIRS = 1 << 16


def _add_pairs(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    skipped: Tensor | None,
    confusion: Tensor | None,
    counts: Tensor | None,
    c: int,
) -> bool:
    """Count pairs of target and label, with looks at the data; False, and nothing is counted, if any is out of range.

    The other arguments are those of :func:`multiclass_body`.

    Args:
        preds: scores ``[N, C, ...]`` or labels ``[N, ...]``.
        target: ``[N, ...]``.
        valid: bool, the shape of ``target``.
        skipped: bool, the shape of ``target``: samples that do not count.
        confusion: int64 ``[C, C]``.
        counts: int64 ``[C, 3]`` or ``[1, 3]``.
        c: C.
    """
    scores = preds.is_floating_point()
    labels = preds.argmax(1) if scores else preds
    if valid is not None or skipped is not None:
        kept = valid if skipped is None else ~skipped if valid is None else valid & ~skipped
        labels, target = labels[kept], target[kept]
        if not target.numel():
            return True
    if target.dim() != 1:
        labels, target = labels.reshape(-1), target.reshape(-1)
    if labels.dtype != torch.int64:
        labels = labels.to(torch.int64)
    if target.dtype != torch.int64:
        target = target.to(torch.int64)
    for values in (target,) if scores else (target, labels):
        low, high = values.aminmax()
        if low.item() < 0 or high.item() >= c:
            return False
    if confusion is None and counts is not None and counts.shape[0] != c:
        counts += torch.tensor([int((target == labels).sum()), target.numel(), target.numel()])
        return True
    if confusion is not None or c * c <= _PAIRS:
        pairs = torch.bincount(torch.add(labels, target, alpha=c), minlength=c * c).view(c, c)
        if confusion is not None:
            confusion += pairs
        of_classes = [pairs.diagonal(), pairs.sum(0), pairs.sum(1)] if counts is not None else []
    else:
        of_classes = [torch.bincount(v, minlength=c) for v in (target[target == labels], labels, target)]
    if counts is not None:
        counts += torch.stack(of_classes, 1)
    return True


def _add_at(state: Tensor, index: Tensor, weight: Tensor) -> None:
    """``state.view(-1)[index] += weight`` with repeated indices, without synchronising.

    Args:
        state: int64 or float64, contiguous.
        index: int64, any shape, in [0, state.numel()).
        weight: of any dtype, same shape: 0 leaves the state as it is.
    """
    state.view(-1).scatter_add_(0, index.reshape(-1), weight.reshape(-1).to(state.dtype))


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
    valid: Tensor | None,
    confusion: Tensor | None,
    counts: Tensor | None,
    ranks: Tensor | None,
    faults: Tensor | None,
    num_classes: int,
    ignore_index: int,
    has_ignore_index: bool,
    rank_histogram: Tensor | None = None,
    weights: Tensor | None = None,
    rows: Tensor | None = None,
    samples: Tensor | None = None,
) -> None:
    scores = preds.is_floating_point()
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(preds.dim() == target.dim() + scores, lambda: "multiclass_: preds must be [N, C, ...] or as target")
    torch._check((ranks is None and rank_histogram is None) or scores, lambda: "multiclass_: ranks need scores")
    others = (confusion, ranks, rank_histogram)
    torch._check(
        counts is None or counts.shape[-2] == num_classes or all(state is None for state in others),
        lambda: "multiclass_: sums of the counts over all classes are counted alone",
    )
    for state in (confusion, counts, ranks, rank_histogram):
        torch._check(state is None or state.dtype == dtype, lambda: f"multiclass_: states must be {dtype}")
    torch._check(
        rows is None or rows.dim() == target.dim() + 1, lambda: "multiclass_: rows must be [K, ...], as target"
    )
    torch._check(samples is None or weights is None, lambda: "multiclass_: weighted samples are counted apart")


multiclass_ = define_by_rows(SCHEMA, multiclass_body, _fake)
