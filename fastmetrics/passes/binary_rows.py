# SPDX-License-Identifier: Apache-2.0
"""The binary and multilabel pass over samples that are added to rows of the states."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.binary_groups import binary_groups_
from fastmetrics.passes.groups import count_groups_body, label_rows

SCHEMA = (
    "binary_rows_(Tensor preds, Tensor target, Tensor rows, Tensor? valid, Tensor? weights, Tensor(a!)? samples, "
    "Tensor(b!) counts, Tensor(c!)? faults, float probability_cutoff, float logit_cutoff, int ignore_index, "
    "bool has_ignore_index, bool ignored_decide) -> ()"
)


def binary_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    samples: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    probability_cutoff: float,
    logit_cutoff: float,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
) -> None:
    """Add each sample of a batch to tp, fp, tn and fn of its rows.

    What is positive, skipped and not counted is that of :func:`fastmetrics.passes.binary.binary_body`. These operations
    read a batch once for each slicing; the CPU kernel reads it once.

    Args:
        preds: scores f16/bf16/f32/f64 or 0/1 labels ``[N, ...]``; of several labels ``[N, L, ...]``.
        target: 0/1 of any integer type or bool, same shape.
        rows: of any integer type or bool ``[K, *shape]``: K rows of each element. One that lies outside of [0, S) takes
            part in deciding between probabilities and logits, but is not counted.
        valid: bool, of the shape of ``target``, or None.
        weights: float64, of the shape of ``target``, or None; for their order see
            :func:`fastmetrics.passes.binary_groups.binary_groups_body`.
        samples: int64 ``[S]``: the elements of each row that are valid; rows out of range go to ``faults`` then, if
            each element has one alone. None if they are not wanted, or if there are weights.
        counts: ``[S, L, 4]``: tp, fp, tn, fn; int64, or float64 with weights.
        faults: int64 ``[FAULTS]``.
        probability_cutoff: see :func:`fastmetrics.passes.binary.cutoffs`.
        logit_cutoff: likewise.
        ignore_index: a target value.
        has_ignore_index: whether there is one.
        ignored_decide: whether ignored scores take part in deciding as well.
    """
    if samples is not None:
        count_groups_body(rows, valid, samples, faults if rows.shape[0] == 1 else None)
    if has_ignore_index and not ignored_decide:
        kept = target != ignore_index
        valid = kept if valid is None else kept & valid
    if counts.shape[1] > 1:  # each label of a row is a row of its own
        rows = label_rows(rows, counts.shape[0], counts.shape[1])
    for of_slicing in rows:
        binary_groups_(
            preds,
            target,
            of_slicing,
            valid,
            weights,
            counts.view(-1, 4),
            faults,
            probability_cutoff,
            logit_cutoff,
            ignore_index,
            has_ignore_index,
        )
        faults = None


def _fake(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    samples: Tensor | None,
    counts: Tensor,
    *rest: object,
) -> None:
    torch._check(preds.dim() == target.dim(), lambda: "binary_rows_: preds and target must have the same shape")
    torch._check(rows.dim() == target.dim() + 1, lambda: "binary_rows_: rows must be [K, ...], as target is")
    torch._check(counts.dim() == 3, lambda: "binary_rows_: counts must be [S, L, 4]")
    torch._check(samples is None or weights is None, lambda: "binary_rows_: weighted samples are counted apart")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(counts.dtype == dtype, lambda: f"binary_rows_: counts must be {dtype}")


binary_rows_ = define(SCHEMA, binary_rows_body, _fake, ("cpu",))
