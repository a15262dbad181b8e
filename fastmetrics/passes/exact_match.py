# SPDX-License-Identifier: Apache-2.0
"""The exact match pass: rows of labels that are right in every place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import bad_weights, record_faults

SCHEMA = (
    "exact_match_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!) matched, Tensor(b!) count, "
    "Tensor(c!)? faults, int num_classes, float probability_cutoff, float logit_cutoff, int ignore_index, "
    "bool has_ignore_index) -> ()"
)


def exact_match_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    matched: Tensor,
    count: Tensor,
    faults: Tensor | None,
    num_classes: int,
    probability_cutoff: float,
    logit_cutoff: float,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Count the rows of a batch, and those whose labels equal their targets in every place.

    A multiclass row is all places of a sample; the label of a place is ``preds`` itself or the argmax of its scores, as
    :func:`~fastmetrics.passes.multiclass.multiclass_body` says. A multilabel row is the L labels of a sample (and of
    one place of its further dimensions); a score is positive as :func:`~fastmetrics.passes.binary.binary_body` says,
    and ignored scores take part in deciding between probabilities and logits.

    A place that is not ``valid``, or whose target equals ``ignore_index``, is right whatever its label is. A row
    without a valid place is not counted, nor is one with a target or label out of range, which goes to ``faults``.

    Args:
        preds: labels of any integer type or bool, of the shape of ``target``; or scores f16/bf16/f32/f64, ``[N, C,
            ...]`` for multiclass and of the shape of ``target`` for multilabel.
        target: labels of any integer type or bool; ``[N, ...]`` for multiclass, ``[N, L, ...]`` for multilabel.
        valid: bool, the shape of ``target``; None if all places are.
        weights: float64, what a row counts instead of 1; ``[N]`` for multiclass, ``[N, ...]`` for multilabel. One that
            is negative, infinite or NaN is not counted and goes to ``faults``.
        matched: int64 ``[]``, float64 with weights: the rows that are right. ``[N]`` keeps the samples of dimension 0
            apart.
        count: as ``matched``: all rows.
        faults: int64 ``[FAULTS]``.
        num_classes: C; 0 for multilabel.
        probability_cutoff: the greatest probability that is negative; multilabel scores only, as is ``logit_cutoff``.
        logit_cutoff: the greatest logit that is negative.
        ignore_index: a target value.
        has_ignore_index: whether there is one.
    """
    if target.numel() == 0:
        return
    n = target.shape[0]
    classes = num_classes or 2
    whole = target.to(torch.int64)
    seen = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    kept = seen & (whole != ignore_index) if has_ignore_index else seen
    bad = kept & ((whole < 0) | (whole >= classes))
    record_faults(faults, 0, bad, whole)
    if not preds.is_floating_point():
        labels = preds.to(torch.int64)
        bad_label = kept & ((labels < 0) | (labels >= classes))
        record_faults(faults, 2, bad_label, labels)
        bad = bad | bad_label
    elif num_classes:
        labels = preds.argmax(1)
    else:
        outside = (seen & ~((preds >= 0) & (preds <= 1))).any()
        labels = (preds.double() > torch.where(outside, logit_cutoff, probability_cutoff).double()).to(torch.int64)

    def rows(values: Tensor) -> Tensor:
        """[N, rows of a sample, places of a row]."""
        return values.reshape(n, 1, -1) if num_classes else values.reshape(n, values.shape[1], -1).transpose(1, 2)

    present = rows(seen).any(-1)
    amount = present & ~rows(bad).any(-1)
    if weights is not None:
        weights = weights.reshape(n, -1)
        amount = torch.where(amount & ~bad_weights(faults, weights, present), weights, 0.0)
    over = 1 if matched.dim() else (0, 1)
    matched += (amount * rows(~kept | (labels == whole)).all(-1)).sum(over)
    count += amount.sum(over)


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    matched: Tensor,
    count: Tensor,
    faults: Tensor | None,
    num_classes: int,
    *rest: Any,
) -> None:
    more = bool(num_classes) and preds.is_floating_point()
    torch._check(preds.dim() == target.dim() + more, lambda: "exact_match_: preds must be [N, C, ...] or as target")
    dtype = torch.int64 if weights is None else torch.float64
    for state in (matched, count):
        torch._check(state.dtype == dtype, lambda: f"exact_match_: states must be {dtype}")


exact_match_ = define(SCHEMA, exact_match_body, _fake, library="rows")
