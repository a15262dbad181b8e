# SPDX-License-Identifier: Apache-2.0
"""The proper scores pass: Brier scores and log losses of probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import record_faults
from fastmetrics.passes.groups import add_to_rows, by_rows, check_rows, define_by_rows, label_rows
from fastmetrics.passes.scored_samples import label_of_elements, samples_of

SCHEMA = (
    "proper_scores_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!)? brier, "
    "Tensor(b!)? log_loss, Tensor(c!) count, Tensor(d!)? faults, int logits, float epsilon, bool multilabel, "
    "int ignore_index, bool has_ignore_index) -> ()"
)


def proper_scores_of(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    logits: int,
    epsilon: float,
    ignore_index: int,
    has_ignore_index: bool,
) -> Tensor:
    """What each element of ``target`` adds to Brier score, log loss and count, float64 ``[3, N]``.

    The arguments are those of :func:`proper_scores_body`. The operations keep the graph of ``preds``.
    """
    samples = samples_of(preds, target, valid, weights, faults, ignore_index, has_ignore_index)
    scores, label = samples.scores, samples.target.unsqueeze(1)
    are_logits = samples.are_logits(logits)
    unknown = torch.where(are_logits, torch.zeros_like(samples.outside()), samples.outside()).any(1)
    # what is not taken must not spoil a gradient
    taken = torch.where(are_logits, scores, 0.0)
    given = torch.where(are_logits | samples.outside(), 0.5, scores)
    if samples.multiclass:
        own = torch.arange(scores.shape[1], device=label.device) == label
        likelihood = taken.log_softmax(1)
        loss_of_logits = -likelihood.gather(1, label).squeeze(1)
        unknown = unknown | likelihood.isnan().any(1)
        p = torch.where(are_logits, likelihood.exp(), given)
        # 1 - p of the target, as the sum of the others where that is more exact
        others = p.masked_fill(own, 0.0)
        missed = torch.where(are_logits, others.sum(1), 1 - p.gather(1, label).squeeze(1))
        brier = missed.square() + others.square().sum(1)
        of_target = p.gather(1, label).squeeze(1)
    else:
        sign = torch.where(label == 1, 1.0, -1.0)
        loss_of_logits = softplus(-sign * taken).squeeze(1)
        unknown = unknown | taken.isnan().squeeze(1)
        of_target = torch.where(label == 1, given, 1 - given).squeeze(1)
        missed = torch.where(are_logits, (-sign * taken).sigmoid().squeeze(1), 1 - of_target)
        brier = missed.square()
    bad = samples.counted & unknown
    record_faults(faults, 2, bad, torch.arange(bad.numel(), device=bad.device))
    loss = torch.where(are_logits, loss_of_logits, -of_target.clamp(epsilon, 1 - epsilon).log())
    counted = samples.counted & ~bad
    amount = torch.where(counted, samples.amount, 0.0)
    nothing = amount == 0  # of which a loss may be infinite
    return torch.stack([torch.where(nothing, 0.0, brier) * amount, torch.where(nothing, 0.0, loss) * amount, amount])


def proper_scores_sums(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    logits: int,
    epsilon: float,
    multilabel: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The sums of :func:`proper_scores_body` for one batch, in operations that keep the graph of ``preds``."""
    values = proper_scores_of(preds, target, valid, weights, faults, logits, epsilon, ignore_index, has_ignore_index)
    if multilabel:
        sums = values.new_zeros(3, target.shape[1]).index_add(1, label_of_elements(target), values)
    else:
        sums = values.sum(1, keepdim=True)
    return sums[0], sums[1], sums[2]


def proper_scores_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    brier: Tensor | None,
    log_loss: Tensor | None,
    count: Tensor,
    faults: Tensor | None,
    logits: int,
    epsilon: float,
    multilabel: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the sums of Brier scores and log losses.

    The Brier score of a binary sample is the square of the difference of its probability and its target; that of a
    multiclass sample is the sum of such squares over classes, where the target is 1 for its class and 0 for the others.
    The log loss is the negative logarithm of the probability of the target. Of logits it is computed without that
    probability, and may be infinite; a probability is clipped to ``[epsilon, 1 - epsilon]`` for it.

    A sample that is not ``valid``, or whose target equals ``ignore_index``, is skipped. One whose target is no class is
    not counted and goes to ``faults``. So is one with a score that is no probability, or with logits that have no
    softmax: it goes to ``faults`` by its place.

    Args:
        preds: scores f16/bf16/f32/f64; ``[N, ...]`` for binary, ``[N, C, ...]`` with C > 1 for multiclass, ``[N, L,
            ...]`` for multilabel.
        target: labels of any integer type or bool: ``[N, ...]``, or ``[N, L, ...]`` for multilabel.
        valid: bool, of the shape of ``target``; None if all samples are.
        weights: float64, of the shape of ``target``: what a sample counts instead of 1. One that is negative, infinite
            or NaN is not counted and goes to ``faults``.
        brier: float64 ``[1]``, or ``[L]`` if ``multilabel``; None if it is not wanted.
        log_loss: likewise.
        count: int64 of the same shape, float64 with weights: the number of samples.
        faults: int64 ``[FAULTS]``.
        logits: 1 if scores are logits, of which the sigmoid, or the softmax over classes, is taken; 0 if they are
            probabilities; -1 if they are logits where a score of any counted sample lies outside [0, 1] (NaN does).
        epsilon: that of the dtype of the scores.
        multilabel: whether elements are samples, and each label has sums of its own.
        ignore_index: a target value.
        has_ignore_index: whether there is one.

    All is computed in float64. The native kernels add in an order that depends on the sizes alone.
    """
    if target.numel() == 0:
        return
    sums = proper_scores_sums(
        preds.detach(), target, valid, weights, faults, logits, epsilon, multilabel, ignore_index, has_ignore_index
    )
    for state, value in zip((brier, log_loss, count), sums, strict=True):
        if state is not None:
            state.add_(value.to(state.dtype))


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    brier: Tensor | None,
    log_loss: Tensor | None,
    count: Tensor,
    *rest: Any,
) -> None:
    torch._check(preds.dim() - target.dim() in (0, 1), lambda: "proper_scores_: preds must be [N, C, ...] or as target")
    torch._check(preds.is_floating_point(), lambda: "proper_scores_: preds must be scores")
    for state in (brier, log_loss):
        torch._check(state is None or state.dtype == torch.float64, lambda: "proper_scores_: sums must be float64")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(count.dtype == dtype, lambda: f"proper_scores_: count must be {dtype}")


proper_scores_ = define(SCHEMA, proper_scores_body, _fake, library="probabilities")

ROWS_SCHEMA = (
    "proper_scores_rows_(Tensor preds, Tensor target, Tensor rows, Tensor? valid, Tensor? weights, Tensor(a!)? brier, "
    "Tensor(b!)? log_loss, Tensor(c!) count, Tensor(d!)? faults, int logits, float epsilon, bool multilabel, "
    "int ignore_index, bool has_ignore_index) -> ()"
)


@by_rows(ROWS_SCHEMA)
def proper_scores_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    brier: Tensor | None,
    log_loss: Tensor | None,
    count: Tensor,
    faults: Tensor | None,
    logits: int,
    epsilon: float,
    multilabel: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add each sample of a batch to the sums of its rows.

    What is counted is that of :func:`proper_scores_body`. Scores are read as logits or as probabilities for the whole
    batch.

    Args:
        preds: see there.
        target: see there.
        rows: of any integer type or bool ``[K, *target.shape]``: K rows of each sample, or of each element of
            multilabel samples. One that lies outside of [0, S) is left out, without a fault.
        valid: see there.
        weights: see there.
        brier: float64 ``[S, 1]``, or ``[S, L]`` if ``multilabel``; None if it is not wanted.
        log_loss: likewise.
        count: int64 of the same shape, float64 with weights.
        faults: see there.
        logits: see there.
        epsilon: see there.
        multilabel: see there.
        ignore_index: see there.
        has_ignore_index: see there.

    The CPU kernel takes as much memory as the states beside them at most, or about 32 MB if they take less, and adds in
    an order that depends on the sizes alone. The CUDA kernels take 128 bytes for each row and label, or twice that
    where values decide about logits. They add scores of samples without weights as multiples of 2^-80, rounded down, in
    any order with the same result, but for losses of 2^32 and more; and sums of weights in no fixed order.
    """
    if target.numel() == 0:
        return
    given = preds.detach(), target, valid, weights, faults, logits, epsilon
    found = proper_scores_of(*given, ignore_index, has_ignore_index)
    for state, values in zip((brier, log_loss, count), found, strict=True):
        if state is None:
            continue
        if multilabel:  # a row of each label of a group
            add_to_rows(state.view(-1), label_rows(rows, state.shape[0], state.shape[1]), values)
        else:
            add_to_rows(state, rows, values.unsqueeze(1))


def _rows_fake(preds: Tensor, target: Tensor, rows: Tensor, *rest: Any) -> None:
    _fake(preds, target, *rest)
    check_rows(rows, target, "proper_scores_rows_")


proper_scores_rows_ = define_by_rows(ROWS_SCHEMA, proper_scores_rows_body, _rows_fake, library="probabilities")
