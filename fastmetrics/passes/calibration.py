# SPDX-License-Identifier: Apache-2.0
"""The calibration pass: the confidence of a prediction, by bins, and how often it is right."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import bad_weights, record_faults

SCHEMA = (
    "calibration_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor edges, Tensor(a!) counts, "
    "Tensor(b!) confidences, Tensor(c!) hits, Tensor(d!)? faults, int logits, int ignore_index, "
    "bool has_ignore_index) -> ()"
)
FROM_VALUES = -1  # the values of a batch decide whether its scores are logits


def calibration_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    counts: Tensor,
    confidences: Tensor,
    hits: Tensor,
    faults: Tensor | None,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the bins of confidences.

    The confidence of a binary sample is the probability of the class 1, and its target is a hit if it is 1. That of a
    multiclass sample is the greatest of its probabilities, and its target is a hit if it is the class of that; the
    first of equal scores is the greatest. A confidence is rounded to float32, but for binary float64 scores, and lies
    in the last bin whose edge is not above it.

    A sample that is not ``valid``, or whose target equals ``ignore_index``, is skipped. One whose target is no class,
    or whose confidence is not in [0, 1] (NaN is not), is not counted and goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64; ``[N, ...]`` for binary, ``[N, C, ...]`` with C > 1 for multiclass.
        target: labels of any integer type or bool ``[N, ...]``.
        valid: bool ``[N, ...]``; None if all samples are.
        weights: float64 ``[N, ...]``: what a sample counts instead of 1. One that is negative, infinite or NaN is not
            counted and goes to ``faults``.
        edges: float64 ``[B]``, ascending from 0 to 1: where each bin begins. The last bin is that of the confidence 1.
        counts: int64 ``[B]``, float64 with weights: samples.
        confidences: float64 ``[B]``: the sum of their confidences.
        hits: int64 ``[B]``, float64 with weights: those that are right.
        faults: int64 ``[FAULTS]``.
        logits: 1 if scores are logits, of which the sigmoid, or the softmax over classes, is taken; 0 if they are
            probabilities; -1 if they are logits where a score of any counted sample lies outside [0, 1] (NaN does).
        ignore_index: a target value.
        has_ignore_index: whether there is one.

    Probabilities of logits are computed in float64. The native kernels add in an order that depends on the sizes alone.
    """
    if target.numel() == 0:
        return
    preds = preds.detach()
    multiclass = preds.dim() > target.dim()
    c = preds.shape[1] if multiclass else 1
    scores = (preds.movedim(1, -1) if multiclass else preds.unsqueeze(-1)).reshape(-1, c).double()
    target = target.reshape(-1).to(torch.int64)
    kept = torch.ones_like(target, dtype=torch.bool) if valid is None else valid.reshape(-1)
    if has_ignore_index:
        kept = kept & (target != ignore_index)
    bad_target = kept & ((target < 0) | (target >= max(c, 2)))
    record_faults(faults, 0, bad_target, target)
    counted = kept & ~bad_target
    if weights is not None:
        weights = weights.reshape(-1)
        counted = counted & ~bad_weights(faults, weights, kept)

    scores = torch.where(counted.unsqueeze(1), scores, 0.0)
    if multiclass:
        hit = scores.argmax(1) == target
    else:
        hit = target == 1
    if logits != 0:
        outside = (~((scores >= 0) & (scores <= 1))).any() if logits == FROM_VALUES else torch.ones_like(counted[0])
        scores = torch.where(outside, scores.softmax(1) if multiclass else scores.sigmoid(), scores)
    confidence = scores.amax(1)
    if multiclass or preds.dtype != torch.float64:
        confidence = confidence.float().double()
    bad = counted & ~((confidence >= 0) & (confidence <= 1))
    record_faults(faults, 2, bad, confidence)
    counted = counted & ~bad
    confidence = torch.where(counted, confidence, 0.0)
    amount = counted.double() if weights is None else torch.where(counted, weights, 0.0)
    bins = torch.bucketize(confidence, edges, right=True) - 1
    zeros = torch.zeros_like(confidences)
    counts += zeros.index_add(0, bins, amount).to(counts.dtype)
    confidences += zeros.index_add(0, bins, amount * confidence)
    hits += zeros.index_add(0, bins, torch.where(hit, amount, 0.0)).to(hits.dtype)


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    counts: Tensor,
    confidences: Tensor,
    hits: Tensor,
    *rest: Any,
) -> None:
    torch._check(preds.dim() - target.dim() in (0, 1), lambda: "calibration_: preds must be [N, C, ...] or as target")
    torch._check(preds.is_floating_point(), lambda: "calibration_: preds must be scores")
    torch._check(edges.dtype == torch.float64, lambda: "calibration_: edges must be float64")
    torch._check(confidences.dtype == torch.float64, lambda: "calibration_: confidences must be float64")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(counts.dtype == dtype, lambda: f"calibration_: counts must be {dtype}")
    torch._check(hits.dtype == dtype, lambda: f"calibration_: hits must be {dtype}")


calibration_ = define(SCHEMA, calibration_body, _fake)
