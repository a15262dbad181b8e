# SPDX-License-Identifier: Apache-2.0
"""The ranking pass: how the relevant labels of a sample rank among all of its labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import bad_weights, record_faults

SCHEMA = (
    "ranking_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!)? coverage, "
    "Tensor(b!)? average_precision, Tensor(c!)? ranking_loss, Tensor(d!) count, Tensor(e!)? faults, "
    "int ignore_index, bool has_ignore_index) -> ()"
)

_BITS = {torch.float64: (torch.int64, 2**63 - 1), torch.float32: (torch.int32, 2**31 - 1)}


def order_keys(scores: Tensor) -> Tensor:
    """Integers in the order of the scores, -0 as 0 and NaN above all; as ``order_key`` in csrc/rules/order.h.

    Args:
        scores: f16/bf16/f32/f64.
    """
    if scores.dtype != torch.float64:
        scores = scores.float()
    integer, greatest = _BITS[scores.dtype]
    bits = scores.contiguous().view(integer)
    keys = torch.where(bits < 0, -(bits & greatest), bits)
    return torch.where(scores.isnan(), greatest, keys).to(torch.int64)


def ranking_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    coverage: Tensor | None,
    average_precision: Tensor | None,
    ranking_loss: Tensor | None,
    count: Tensor,
    faults: Tensor | None,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the sums of the ranking figures of its rows.

    A row is the L labels of a sample (and of one place of its further dimensions). Labels that are not ``valid``, or
    whose target equals ``ignore_index``, are left out of their row. Of those that stay, a label is relevant if its
    target is 1. With ``n(s)`` the number of labels whose score is at least ``s``, and ``r(s)`` that of relevant ones:

    - coverage: the greatest ``n(s)`` over the relevant labels; 0 without any.
    - average precision: the mean of ``r(s) / n(s)`` over the relevant labels; 1 without any.
    - ranking loss: the share of the pairs of a relevant and an irrelevant label in which the irrelevant one comes
      first, because its score is greater, or equal and its index is higher; 0 without pairs.

    NaN is the greatest score. Scores are compared as they are: a sigmoid keeps their order.

    A row without a valid label is not counted, nor is one with a target that is neither 0 nor 1, which goes to
    ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64 ``[N, L, ...]``.
        target: 0/1 of any integer type or bool, same shape.
        valid: bool, same shape; None if all labels are.
        weights: float64 ``[N, ...]``: what a row counts instead of 1. One that is negative, infinite or NaN is not
            counted and goes to ``faults``.
        coverage: float64 ``[]``.
        average_precision: float64 ``[]``.
        ranking_loss: float64 ``[]``.
        count: int64 ``[]``, float64 with weights: the number of rows.
        faults: int64 ``[FAULTS]``.
        ignore_index: a target value.
        has_ignore_index: whether there is one.

    All is computed in float64. The native kernels add in an order that depends on the sizes alone.
    """
    if target.numel() == 0:
        return
    states = {"coverage": coverage, "average_precision": average_precision, "ranking_loss": ranking_loss}
    asked = [name for name, state in states.items() if state is not None]
    amount, found = ranking_figures(preds, target, valid, weights, asked, faults, ignore_index, has_ignore_index)
    for name, state in states.items():
        if state is not None:
            state.add_((amount * found[name]).sum(dtype=torch.float64))
    count += amount.sum()


def ranking_figures(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    asked: Collection[str],
    faults: Tensor | None,
    ignore_index: int,
    has_ignore_index: bool,
) -> tuple[Tensor, dict[str, Tensor]]:
    """What each row of :func:`ranking_body` counts, and those of its figures that are asked for, [M] each."""
    labels = target.shape[1]

    def rows(values: Tensor) -> Tensor:
        return values.movedim(1, -1).reshape(-1, labels)

    whole = target.to(torch.int64)
    seen = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    kept = seen & (whole != ignore_index) if has_ignore_index else seen
    bad_target = kept & (whole != 0) & (whole != 1)
    record_faults(faults, 0, bad_target, whole)
    present = rows(seen).any(1)
    counted = present & ~rows(bad_target).any(1)
    amount = counted
    if weights is not None:
        weights = weights.reshape(-1)
        amount = torch.where(counted & ~bad_weights(faults, weights, present), weights, 0.0)

    kept, relevant = rows(kept), rows(kept & (whole == 1))
    nothing = torch.iinfo(torch.int64).min  # below the key of any score
    keys = torch.where(kept, order_keys(rows(preds)), nothing).contiguous()
    ascending, order = keys.sort(dim=1, stable=True)
    sorted_relevant = relevant.gather(1, order)
    before = sorted_relevant.cumsum(1)  # [M, L], relevant labels up to each place of the ascending order
    of_row = before[:, -1:]
    found = {}
    if "coverage" in asked or "average_precision" in asked:
        less = torch.searchsorted(ascending.contiguous(), keys)  # how many come before all labels of the same score
        above = labels - less
    if "coverage" in asked:
        found["coverage"] = torch.where(relevant, above, 0).amax(1)
    if "average_precision" in asked:
        above_relevant = of_row - torch.where(less > 0, before.gather(1, (less - 1).clamp(min=0)), 0)
        precision = torch.where(relevant, above_relevant.double() / above, 0.0).sum(1)
        precision = torch.where(of_row[:, 0] > 0, precision / of_row[:, 0], 1.0)
        found["average_precision"] = precision
    if "ranking_loss" in asked:
        irrelevant = kept.gather(1, order) & ~sorted_relevant
        pairs = of_row[:, 0] * irrelevant.sum(1)
        wrong = torch.where(irrelevant, before, 0).sum(1)
        found["ranking_loss"] = torch.where(pairs > 0, wrong.double() / pairs, 0.0)
    return amount, found


def _fake(preds: Tensor, target: Tensor, valid: Tensor | None, weights: Tensor | None, *rest: Any) -> None:
    torch._check(preds.dim() == target.dim(), lambda: "ranking_: preds and target must have the same shape")
    torch._check(preds.is_floating_point(), lambda: "ranking_: preds must be scores")
    for state in rest[:3]:
        torch._check(state is None or state.dtype == torch.float64, lambda: "ranking_: sums must be float64")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(rest[3].dtype == dtype, lambda: f"ranking_: count must be {dtype}")


ranking_ = define(SCHEMA, ranking_body, _fake, library="rows")
