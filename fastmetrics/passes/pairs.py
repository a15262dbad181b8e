# SPDX-License-Identifier: Apache-2.0
"""The pairs pass: x and y for D outputs, and the sums of their errors."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.operators import define

SCHEMA = (
    "pairs_(Tensor preds, Tensor target, Tensor(a!) count, Tensor(b!)? squared_error, Tensor(c!)? absolute_error, "
    "int num_outputs) -> ()"
)


def pairs_body(
    preds: Tensor,
    target: Tensor,
    count: Tensor,
    squared_error: Tensor | None,
    absolute_error: Tensor | None,
    num_outputs: int,
) -> None:
    """Add a batch of pairs to the error sums.

    Both inputs are widened to float64 before they are subtracted, so only the sum itself rounds.

    Args:
        preds: f16/bf16/f32/f64, any integer type or bool. Any shape with one output; ``[N, D]`` with more.
        target: same shape; the dtype may differ.
        count: int64 ``[]``: how many pairs each output has seen.
        squared_error: float64 ``[D]``, sum of ``(preds - target) ** 2``.
        absolute_error: float64 ``[D]``, sum of ``|preds - target|``.
        num_outputs: D.
    """
    difference = (preds.double() - target.double()).reshape(-1, num_outputs)
    count += difference.shape[0]
    if squared_error is not None:
        squared_error += difference.square().sum(0)
    if absolute_error is not None:
        absolute_error += difference.abs().sum(0)


def _fake(
    preds: Tensor,
    target: Tensor,
    count: Tensor,
    squared_error: Tensor | None,
    absolute_error: Tensor | None,
    num_outputs: int,
) -> None:
    torch._check(preds.dim() == target.dim(), lambda: "pairs_: preds and target must have the same shape")
    for state in (squared_error, absolute_error):
        torch._check(state is None or state.dtype == torch.float64, lambda: "pairs_: sums must be float64")


pairs_ = define(SCHEMA, pairs_body, _fake)
