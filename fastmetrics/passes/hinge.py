# SPDX-License-Identifier: Apache-2.0
"""The hinge pass: a score, or a row of class scores, and a target."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import bad_weights, record_faults

SCHEMA = (
    "hinge_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!) hinge, Tensor(b!) count, "
    "Tensor(c!)? faults, bool squared, bool one_vs_all, int ignore_index, bool has_ignore_index) -> ()"
)


def hinge_losses(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    squared: bool,
    one_vs_all: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> tuple[Tensor, Tensor]:
    """The losses [N, C] or [N, 1] of :func:`hinge_body`, which keep the graph, and what each sample counts, [N]."""
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
    amount = counted
    if weights is not None:
        weights = weights.reshape(-1)
        counted = counted & ~bad_weights(faults, weights, kept)
        amount = torch.where(counted, weights, 0.0)

    # neither the scores of samples that are not counted decide anything, nor do they spoil a gradient
    scores = torch.where(counted.unsqueeze(1), scores, 0.0)
    label = torch.where(counted, target, 0).unsqueeze(1)
    outside = (~((scores >= 0) & (scores <= 1))).any()
    scores = torch.where(outside, scores.softmax(1) if multiclass else scores.sigmoid(), scores)
    if multiclass:
        own = torch.arange(c, device=label.device) == label
    if multiclass and not one_vs_all:
        margin = scores.gather(1, label) - scores.masked_fill(own, -torch.inf).max(1, keepdim=True)[0]
    else:
        margin = torch.where(own if multiclass else label == 1, scores, -scores)
    loss = (1 - margin).clamp(min=0)
    if squared:
        loss = loss.square()
    return loss, amount


def hinge_sums(*batch: Any) -> tuple[Tensor, Tensor]:
    """The sums of :func:`hinge_body` for one batch, whose arguments are those of :func:`hinge_losses`."""
    loss, amount = hinge_losses(*batch)
    return (loss * amount.unsqueeze(1)).sum(0), amount.sum()


def hinge_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    hinge: Tensor,
    count: Tensor,
    faults: Tensor | None,
    squared: bool,
    one_vs_all: bool,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the sums of hinge losses.

    The loss of a sample is ``max(0, 1 - margin)``, or its square. The margin of a binary sample is its score, negated
    if the target is 0. That of a multiclass sample is the score of the target less the greatest of the other scores;
    or, ``one_vs_all``, each class has the margin of a binary sample whose target says whether it is the class.

    Scores are probabilities, unless any score of a counted sample lies outside [0, 1] (NaN does): then all are logits,
    of which the sigmoid, or the softmax over classes, is taken. The loss of a sample with NaN is NaN.

    A sample that is not ``valid``, or whose target equals ``ignore_index``, is skipped. One whose target is no class
    is not counted and goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64; ``[N, ...]`` for binary, ``[N, C, ...]`` with C > 1 for multiclass.
        target: labels of any integer type or bool ``[N, ...]``.
        valid: bool ``[N, ...]``; None if all samples are.
        weights: float64 ``[N, ...]``: what a sample counts instead of 1. One that is negative, infinite or NaN is not
            counted and goes to ``faults``.
        hinge: float64 ``[1]``, or ``[C]`` if ``one_vs_all``.
        count: int64 ``[]``, float64 with weights: the number of samples.
        faults: int64 ``[FAULTS]``.
        squared: whether losses are squared.
        one_vs_all: whether each class is a binary decision.
        ignore_index: a target value.
        has_ignore_index: whether there is one.

    All is computed in float64. The native kernels add in an order that depends on the sizes alone.
    """
    if target.numel() == 0:
        return
    loss, number = hinge_sums(
        preds, target, valid, weights, faults, squared, one_vs_all, ignore_index, has_ignore_index
    )
    hinge += loss
    count += number


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    hinge: Tensor,
    count: Tensor,
    *rest: Any,
) -> None:
    torch._check(preds.dim() - target.dim() in (0, 1), lambda: "hinge_: preds must be [N, C, ...] or as target")
    torch._check(preds.is_floating_point(), lambda: "hinge_: preds must be scores")
    torch._check(hinge.dtype == torch.float64, lambda: "hinge_: hinge must be float64")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(count.dtype == dtype, lambda: f"hinge_: count must be {dtype}")


hinge_ = define(SCHEMA, hinge_body, _fake, library="rows")
