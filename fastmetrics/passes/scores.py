# SPDX-License-Identifier: Apache-2.0
"""The passes of scores that curves are made of: a histogram over thresholds, and the scores themselves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import constant_in_graphs, define
from fastmetrics.native.transforms import suspended
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.groups import add_to_cells, by_rows, check_rows, define_by_rows
from fastmetrics.tensors import differs

OPTIONS = "bool in_columns, int logits, int ignore_index, bool has_ignore_index, bool ignored_decide) -> ()"
HISTOGRAM_SCHEMA = (
    "score_histogram_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor cuts, Tensor logit_cuts, "
    f"Tensor(a!) histogram, Tensor(b!)? faults, bool uniform, {OPTIONS}"
)
HISTOGRAM_ROWS_SCHEMA = HISTOGRAM_SCHEMA.replace("histogram_(", "histogram_rows_(").replace(
    "target,", "target, Tensor rows,"
)
KEEP_SCHEMA = (
    "keep_scores_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!) scores, Tensor(b!)? labels, "
    f"Tensor(c!)? faults, int first, {OPTIONS}"
)

#: What the argument ``logits`` of the operators says.
EITHER, PROBABILITIES, LOGITS = -1, 0, 1

_BITS = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}


@constant_in_graphs
def logit_cuts(cuts: Tensor, dtype: torch.dtype) -> Tensor:
    """The least logits of ``dtype`` whose ``torch.sigmoid`` reaches each of the ``cuts``; NaN if none does.

    The sigmoid grows, so a comparison of a logit with one of them says what a comparison of its sigmoid with the cut
    would, and a pass takes no sigmoid of an element.

    Args:
        cuts: float64 [T].
        dtype: float16, bfloat16, float32 or float64.

    Returns:
        float64 [T].
    """
    with suspended():
        device, cuts = cuts.device, cuts.detach().cpu()
        bits = _BITS[dtype]
        # order-preserving integers: key k >= 0 is the float with bits k, key k < 0 is its negative, -k
        top = int(torch.tensor(torch.inf, dtype=dtype).view(bits))
        low = torch.full(cuts.shape, -top, dtype=torch.int64)  # of -inf
        high = torch.full(cuts.shape, top, dtype=torch.int64)  # of inf, whose sigmoid is the greatest

        def values(keys: Tensor) -> Tensor:
            magnitudes = keys.abs().to(bits).view(dtype)
            return torch.where(keys < 0, -magnitudes, magnitudes)

        while bool((low < high).any()):
            middle = (low >> 1) + (high >> 1) + (low & high & 1)  # rounded down, without an overflow
            reaches = values(middle).sigmoid().double() >= cuts
            low, high = torch.where(reaches, low, (middle + 1).minimum(high)), torch.where(reaches, middle, high)
        found = values(high)
        return torch.where(found.sigmoid().double() >= cuts, found.double(), torch.nan).to(device)


def probabilities(preds: Tensor, outside: Tensor | bool, softmax: bool) -> Tensor:
    """Scores as they are, or, where ``outside`` says so, their sigmoid, or their softmax over dimension 1.

    A softmax is computed in float64 and rounded; kernels compute one of up to 32 bits in float32, as ``torch.softmax``
    does: a probability p is within ``4 + |log p| / 2`` units in the last place, and 0 if it is less than 1.3e-38. A
    sigmoid is computed in the dtype of the scores, as ``torch.sigmoid`` does.
    """
    if softmax:
        return torch.where(torch.as_tensor(outside), preds.double().softmax(1).to(preds.dtype), preds)
    return torch.where(torch.as_tensor(outside), preds.sigmoid(), preds)


def read_batch(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    faults: Tensor | None,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The scores [M, C], their labels, int64 [M, C], -1 if they do not count, and whether they are logits, bool []."""
    multiclass = preds.dim() > target.dim()

    def columns(values: Tensor, of_samples: bool = True) -> Tensor:
        if not in_columns:
            return values.reshape(-1, 1)
        if multiclass and of_samples:
            return values.reshape(-1, 1)
        return values.movedim(1, -1).reshape(-1, preds.shape[1])

    scores = columns(preds, False)
    c = scores.shape[1]
    labels = columns(target).to(torch.int64)
    seen = torch.ones_like(labels, dtype=torch.bool) if valid is None else columns(valid)
    kept = seen & (labels != ignore_index) if has_ignore_index else seen
    bad = kept & ((labels < 0) | (labels >= (c if multiclass else 2)))
    if in_columns and not multiclass:  # in the order of the batch
        shape = (preds.shape[0], *preds.shape[2:], c)
        record_faults(faults, 0, bad.reshape(shape).movedim(-1, 1), labels.reshape(shape).movedim(-1, 1))
    else:
        record_faults(faults, 0, bad, labels)
    deciding = seen if ignored_decide and not multiclass else kept
    if logits == EITHER:
        outside = (~((scores >= 0) & (scores <= 1)) & deciding).any()
    else:
        outside = torch.tensor(logits == LOGITS, device=scores.device)
    labels = torch.where(kept & ~bad, labels, -1)
    if multiclass:
        klass = torch.arange(c, device=labels.device)
        labels = torch.where(labels < 0, -1, (labels == klass).to(torch.int64))
    return scores, labels, outside


def score_histogram_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    cuts: Tensor,
    logit_cuts: Tensor,
    histogram: Tensor,
    faults: Tensor | None,
    uniform: bool,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Add a batch to the histograms of the scores of each column: how many cuts a score reaches, by its label.

    Scores come in columns: one for binary input, one for each label, or one for each class, of which the label is
    whether it is the target. They are probabilities; if any score of the batch lies outside [0, 1] (NaN does), all are
    logits, of which the sigmoid is taken, or for classes the softmax. A score is compared as ``score >= cut``, exactly,
    whatever the dtypes are; NaN reaches no cut.

    A target that is not ``valid``, or equals ``ignore_index``, is skipped. One that is out of range is not counted and
    goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64; ``[N, ...]``, or ``[N, C, ...]`` if ``in_columns``.
        target: of any integer type or bool: classes ``[N, ...]`` for preds ``[N, C, ...]``, or 0 and 1 in the shape of
            ``preds``.
        valid: bool, the shape of ``target``; None if all are.
        weights: float64, the shape of ``target``: what a score counts instead of 1. One that is negative, infinite or
            NaN is not counted and goes to ``faults``.
        cuts: float64 ``[T]``, ascending.
        logit_cuts: float64 ``[T]``, see :func:`logit_cuts`; for classes they are not read.
        histogram: int64 ``[C, T + 1, 2]``, float64 with weights; C is 1 unless ``in_columns``.
        faults: int64 ``[FAULTS]``.
        uniform: whether the cuts are ``i / (T - 1)``, rounded in any way. It changes no result.
        in_columns: whether dimension 1 of ``preds`` is the class or label.
        logits: ``LOGITS`` or ``PROBABILITIES`` say what scores are, whatever their values; ``EITHER`` looks.
        ignore_index: a target value.
        has_ignore_index: whether there is one.
        ignored_decide: whether scores of ignored labels take part in deciding between probabilities and logits. Those
            that are not valid, and those of ignored samples of classes, never do.

    On the CPU sums of weights are formed in an order that depends on the sizes alone.
    """
    if preds.numel() == 0:
        return
    options = in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    cells, amount = histogram_cells(preds, target, valid, weights, cuts, logit_cuts, faults, *options)
    histogram += (
        torch.zeros_like(histogram)
        .view(-1)
        .index_add(0, cells.reshape(-1), amount.reshape(-1).to(histogram.dtype))
        .view(histogram.shape)
    )


def histogram_cells(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    cuts: Tensor,
    logit_cuts: Tensor,
    faults: Tensor | None,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> tuple[Tensor, Tensor]:
    """The cell of a histogram that each score is counted in, int64 [M, C], and what it counts there."""
    multiclass = preds.dim() > target.dim()
    scores, labels, outside = read_batch(
        preds, target, valid, faults, in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    )
    of_labels = in_columns and not multiclass
    labels, amount = weighed(labels, target, valid, weights, faults, of_labels, ignore_index, has_ignore_index)

    def bins_of(values: Tensor, of: Tensor) -> Tensor:
        reached = ~of.isnan()
        found = torch.searchsorted(torch.where(reached, of, torch.inf), values.double().contiguous(), right=True)
        return torch.where(values.isnan(), 0, found.minimum(reached.sum()))

    if multiclass:
        bins = bins_of(probabilities(scores, outside, True), cuts)
    else:
        bins = torch.where(outside, bins_of(scores, logit_cuts), bins_of(scores, cuts))
    width = 2 * (cuts.shape[0] + 1)
    cells = torch.arange(labels.shape[1], device=bins.device) * width + 2 * bins + labels.clamp(min=0)
    return cells, torch.where(labels < 0, 0, amount)


@by_rows(HISTOGRAM_ROWS_SCHEMA)
def score_histogram_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    cuts: Tensor,
    logit_cuts: Tensor,
    histogram: Tensor,
    faults: Tensor | None,
    uniform: bool,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Add each score of a batch to the histograms of the rows of its sample, or of its label.

    What is counted is that of :func:`score_histogram_body`. Scores are read as logits or as probabilities for the whole
    batch.

    Args:
        preds: see there.
        target: see there.
        rows: of any integer type or bool ``[K, *target.shape]``: K rows of each target. What lies outside of [0, S) is
            left out, without a fault.
        valid: see there.
        weights: see there.
        cuts: see there.
        logit_cuts: see there.
        histogram: int64 ``[S, C, T + 1, 2]``, float64 with weights.
        faults: see there.
        uniform: see there.
        in_columns: see there.
        logits: see there.
        ignore_index: see there.
        has_ignore_index: see there.
        ignored_decide: see there.
    """
    if preds.numel() == 0:
        return
    options = in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    cells, amount = histogram_cells(preds, target, valid, weights, cuts, logit_cuts, faults, *options)
    add_columns_to_rows(histogram, rows, cells, amount, in_columns and preds.dim() == target.dim())


def add_columns_to_rows(state: Tensor, rows: Tensor, cells: Tensor, amount: Tensor, of_labels: bool) -> None:
    """Add what the scores of each column count in their cells to rows of a state.

    Args:
        state: ``[S, ...]``.
        rows: ``[K, *target.shape]``.
        cells: int64 ``[M, C]``: which number of a row.
        amount: ``[M, C]``.
        of_labels: whether a target says a label of each column, in dimension 1, and not a class.
    """
    rows = rows.movedim(2, -1) if of_labels else rows
    add_to_cells(state, rows.reshape(len(rows), *(cells.shape if of_labels else (len(cells), 1))), cells, amount)


def weighed(
    labels: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    of_labels: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> tuple[Tensor, Tensor]:
    """Labels [M, C] of :func:`read_batch`, -1 where a weight is out of range, and what each score counts.

    ``of_labels`` is whether a target says a label of each column, and not a class.
    """
    if weights is None:
        return labels, torch.ones_like(labels)
    kept = differs(target, ignore_index) if has_ignore_index else torch.ones_like(target, dtype=torch.bool)
    bad = bad_weights(faults, weights, kept if valid is None else kept & valid)
    amount = torch.where(bad, 0.0, weights)
    bad, amount = (
        value.movedim(1, -1).reshape(labels.shape) if of_labels else value.reshape(-1, 1) for value in (bad, amount)
    )
    return torch.where(bad, -1, labels), amount.expand(labels.shape)


def keep_scores_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    scores: Tensor,
    labels: Tensor | None,
    faults: Tensor | None,
    first: int,
    in_columns: bool,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Write the scores of a batch as probabilities, with their labels as signs: negative, or -0.0, is the label 0.

    What counts, and when scores are logits, is as in :func:`score_histogram_body`; of weights those that are 0 do not
    count either. A score that does not count becomes NaN. One that is NaN is not counted and goes to ``faults`` as a
    bad one of ``preds``, by its place in the batch.

    Args:
        preds: this and the others that are not named here are those of :func:`score_histogram_body`.
        target: see there.
        valid: see there.
        weights: see there.
        scores: the dtype of ``preds``, ``[first + M, C]`` or more, M the number of samples. Other rows are left alone.
        labels: int8 of that shape: 0 and 1, -1 for what does not count. Scores then keep their signs; it is needed if
            ``logits`` is ``PROBABILITIES``, which are not looked at.
        faults: see there.
        first: the first row that is written.
        in_columns: see there.
        logits: see there.
        ignore_index: see there.
        has_ignore_index: see there.
        ignored_decide: see there.
    """
    if preds.numel() == 0:
        return
    found, label, outside = read_batch(
        preds, target, valid, faults, in_columns, logits, ignore_index, has_ignore_index, ignored_decide
    )
    found = probabilities(found, outside, preds.dim() > target.dim()) + 0.0
    of_labels = in_columns and preds.dim() == target.dim()
    label, amount = weighed(label, target, valid, weights, faults, of_labels, ignore_index, has_ignore_index)
    counted = label >= 0
    shape = (preds.shape[0], *preds.shape[2:], found.shape[1])
    nan = (counted & found.isnan()).reshape(shape).movedim(-1, 1) if in_columns else counted & found.isnan()
    record_faults(faults, 2, nan, torch.arange(nan.numel(), device=nan.device).reshape(nan.shape))
    label = torch.where(amount == 0, -1, label)
    if labels is None:
        found = torch.where(label == 0, -found, found)
    else:
        labels[first : first + len(label)].copy_(label)
    scores[first : first + len(label)].copy_(torch.where(label >= 0, found, torch.nan))


def check_batch(preds: Tensor, target: Tensor, in_columns: bool, name: str) -> None:
    """Raise unless ``preds`` are scores and ``target`` has their samples; ``name`` is that of the operator."""
    more = preds.dim() - target.dim()
    torch._check(more == 0 or (more == 1 and in_columns), lambda: f"{name}: preds must be [N, C, ...] or as target")
    torch._check(preds.is_floating_point(), lambda: f"{name}: preds must be scores")


def _histogram_fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    cuts: Tensor,
    logit_cuts: Tensor,
    histogram: Tensor,
    faults: Tensor | None,
    uniform: bool,
    in_columns: bool,
    *rest: Any,
) -> None:
    check_batch(preds, target, in_columns, "score_histogram_")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(histogram.dtype == dtype, lambda: f"score_histogram_: histogram must be {dtype}")


def _histogram_rows_fake(preds: Tensor, target: Tensor, rows: Tensor, *rest: Any) -> None:
    _histogram_fake(preds, target, *rest)
    check_rows(rows, target, "score_histogram_rows_")


def _keep_fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    scores: Tensor,
    labels: Tensor | None,
    faults: Tensor | None,
    first: int,
    in_columns: bool,
    *rest: Any,
) -> None:
    check_batch(preds, target, in_columns, "keep_scores_")
    torch._check(scores.dtype == preds.dtype, lambda: "keep_scores_: scores must have the dtype of preds")


score_histogram_ = define(HISTOGRAM_SCHEMA, score_histogram_body, _histogram_fake, library="scores")
score_histogram_rows_ = define_by_rows(
    HISTOGRAM_ROWS_SCHEMA, score_histogram_rows_body, _histogram_rows_fake, library="scores"
)
keep_scores_ = define(KEEP_SCHEMA, keep_scores_body, _keep_fake, library="scores")
