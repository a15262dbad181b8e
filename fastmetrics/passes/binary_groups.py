# SPDX-License-Identifier: Apache-2.0
"""The binary pass over samples that belong to groups."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.binary import decisions
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.multiclass import multiclass_, multiclass_weighted_

SCHEMA = (
    "binary_groups_(Tensor preds, Tensor target, Tensor groups, Tensor? valid, Tensor? weights, Tensor(a!) counts, "
    "Tensor(b!)? faults, float probability_cutoff, float logit_cutoff, int ignore_index, bool has_ignore_index) -> ()"
)


def binary_groups_body(
    preds: Tensor,
    target: Tensor,
    groups: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    probability_cutoff: float,
    logit_cutoff: float,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to tp, fp, tn and fn of each group.

    What is positive, skipped and not counted is that of :func:`fastmetrics.passes.binary.binary_body`, where ignored
    scores take part in deciding. A sample whose group lies outside of [0, G) is not counted. These operations take some
    bytes an element while they run; the kernel does not.

    Args:
        preds: scores f16/bf16/f32/f64 or 0/1 labels ``[N, ...]``.
        target: 0/1 of any integer type or bool, same shape.
        groups: of any integer type or bool, same shape.
        valid: bool, same shape, or None.
        weights: float64, same shape, or None. On a GPU they are added in no fixed order, so the last bits may differ
            from run to run.
        counts: ``[G, 4]``: tp, fp, tn, fn; int64, or float64 with weights.
        faults: int64 ``[FAULTS]``.
        probability_cutoff: see :func:`fastmetrics.passes.binary.cutoffs`.
        logit_cutoff: likewise.
        ignore_index: a target value.
        has_ignore_index: whether there is one.
    """
    num_groups = counts.shape[0]
    if target.numel() == 0 or num_groups == 0:
        return
    preds, target, groups = preds.reshape(-1), target.reshape(-1), groups.reshape(-1).to(torch.int64)
    seen = torch.ones_like(target, dtype=torch.bool) if valid is None else valid.reshape(-1)
    kept = seen & (target != ignore_index) if has_ignore_index else seen
    if preds.is_floating_point():
        positive, bad_label = decisions(preds, seen, probability_cutoff, logit_cutoff), None
    else:
        positive, bad_label = preds != 0, (preds != 0) & (preds != 1)
    counted = kept
    for offset, bad, values in ((0, (target != 0) & (target != 1), target), (2, bad_label, preds)):
        if bad is not None:
            record_faults(faults, offset, kept & bad, values)
            counted = counted & ~bad
    counted = counted & (groups >= 0) & (groups < num_groups)
    # the classes 2 g and 2 g + 1 are the negatives and positives of group g
    negatives = groups.clamp(0, num_groups - 1) * 2
    labels, wanted = negatives + positive, negatives + (target == 1)
    table = counts.new_zeros((2 * num_groups, 3))
    options = (None, table, None, None, 2 * num_groups, 0, False)
    if weights is None:
        multiclass_(labels, wanted, counted, *options)
    else:
        weights = weights.reshape(-1)
        counted = counted & ~bad_weights(faults, weights, kept)
        multiclass_weighted_(labels, wanted, counted, weights, *options)
    tp, predicted, actual = table[1::2].unbind(-1)
    counts += torch.stack([tp, predicted - tp, table[::2, 0], actual - tp], -1)


def _fake(
    preds: Tensor,
    target: Tensor,
    groups: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    counts: Tensor,
    *rest: object,
) -> None:
    torch._check(preds.dim() == target.dim(), lambda: "binary_groups_: preds and target must have the same shape")
    torch._check(groups.dim() == target.dim(), lambda: "binary_groups_: groups must have the shape of target")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(counts.dtype == dtype, lambda: f"binary_groups_: counts must be {dtype}")


binary_groups_ = define(SCHEMA, binary_groups_body, _fake, ("cuda",))
