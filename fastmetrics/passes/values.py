# SPDX-License-Identifier: Apache-2.0
"""The values pass: sum, weight, least and greatest of real numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.operators import define, eager_on_cpu
from fastmetrics.native.transforms import samples
from fastmetrics.passes.blocks import samples_of_parts
from fastmetrics.passes.groups import add_to_rows, by_rows, check_rows, define_by_rows, within

SCHEMA = (
    "values_(Tensor values, Tensor? weights, Tensor? valid, Tensor(a!)? sum, Tensor(b!)? weight, Tensor(c!)? minimum, "
    "Tensor(d!)? maximum, Tensor(e!)? faults, int nans, float replacement) -> ()"
)

ROWS_SCHEMA = SCHEMA.replace("values_(", "values_rows_(").replace("values,", "values, Tensor rows,")

# What is done about NaN.
KEEP, DROP, REPLACE = 0, 1, 2


def values_body(
    values: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    sum: Tensor | None,
    weight: Tensor | None,
    minimum: Tensor | None,
    maximum: Tensor | None,
    faults: Tensor | None,
    nans: int,
    replacement: float,
) -> None:
    """Add a batch of values to what was asked for.

    A value is widened to float64 before anything is done with it. One that is NaN, or whose weight is, counts as
    ``nans`` says: as it is (``KEEP``); not at all (``DROP``), and ``faults`` counts it as a prediction; or as
    ``replacement`` with a weight of 1 (``REPLACE``).

    Args:
        values: any shape; f16/bf16/f32/f64, any integer type or bool.
        weights: same shape, of any such type; None is 1 for each.
        valid: bool, same shape: what is not valid is not looked at. None: all of them are.
        sum: float64 ``[]``, sum of value times weight.
        weight: float64 ``[]``, sum of the weights; without any, the number of values.
        minimum: float64 ``[]``, the least value, whatever its weight. NaN if a NaN was kept.
        maximum: float64 ``[]``, the greatest one likewise.
        faults: int64 ``[FAULTS]``, or None to record nothing.
        nans: ``KEEP``, ``DROP`` or ``REPLACE``.
        replacement: see ``nans``.
    """
    states = (sum, weight, minimum, maximum)
    short = weights is None and valid is None and eager_on_cpu(values)
    if not (short and _add_unweighted(values, states, nans)):
        product, w, low, high = amounts(values, weights, valid, faults, nans, replacement)
        if sum is not None:
            sum += product.sum()
        if weight is not None:
            weight += w.sum()
        if minimum is not None:
            minimum.copy_(torch.cat([minimum.reshape(1), low.reshape(-1)]).amin().reshape(minimum.shape))
        if maximum is not None:
            maximum.copy_(torch.cat([maximum.reshape(1), high.reshape(-1)]).amax().reshape(maximum.shape))


def _add_unweighted(values: Tensor, states: tuple[Tensor | None, ...], nans: int) -> bool:
    """Add values to the states, with looks at them; False, and nothing is added, if NaN needs to be treated."""
    sum, weight, minimum, maximum = states
    if not values.numel():
        return True
    total = None if sum is None else values.sum(dtype=torch.float64)
    low = high = None
    if total is None or minimum is not None or maximum is not None:
        low, high = (values if values.is_floating_point() else values.double()).aminmax()
    if nans != KEEP and any(found is not None and math.isnan(found.item()) for found in (total, low)):
        return False
    if sum is not None and total is not None:
        sum += total
    if weight is not None:
        weight += values.numel()
    if minimum is not None and low is not None:
        minimum.copy_(torch.minimum(minimum, low.double()))
    if maximum is not None and high is not None:
        maximum.copy_(torch.maximum(maximum, high.double()))
    return True


def amounts(
    values: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    faults: Tensor | None,
    nans: int,
    replacement: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What each value adds to ``sum`` and ``weight``, and what it is for ``minimum`` and ``maximum``, float64 each.

    The arguments are those of :func:`values_body`.
    """
    low = high = x = values.double()
    w = torch.ones_like(x) if weights is None else weights.double()
    product = x * w
    if nans != KEEP:
        bad = x.isnan() | w.isnan()
        replaced = nans == REPLACE
        product = torch.where(bad, replacement if replaced else 0.0, product)
        w = torch.where(bad, 1.0 if replaced else 0.0, w)
        low = torch.where(bad, replacement if replaced else torch.inf, x)
        high = torch.where(bad, replacement if replaced else -torch.inf, x)
        if faults is not None and not replaced:
            faults[2] += samples(bad if valid is None else bad & valid).sum()
    if valid is not None:
        product, w = (torch.where(valid, v, 0.0) for v in (product, w))
        low, high = torch.where(valid, low, torch.inf), torch.where(valid, high, -torch.inf)
    return product, w, low, high


@by_rows(ROWS_SCHEMA)
def values_rows_body(
    values: Tensor,
    rows: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    sum: Tensor | None,
    weight: Tensor | None,
    minimum: Tensor | None,
    maximum: Tensor | None,
    faults: Tensor | None,
    nans: int,
    replacement: float,
) -> None:
    """Add each value of a batch to the statistics of its rows, which are those of :func:`values_body`.

    Args:
        values: see there.
        rows: of any integer type or bool ``[K, *values.shape]``: K rows of each value. What lies outside of [0, S) is
            left out, without a fault.
        weights: see there.
        valid: see there.
        sum: ``[S]``, as the other states.
        weight: see there.
        minimum: see there.
        maximum: see there.
        faults: see there.
        nans: see there.
        replacement: see there.

    On the CPU sums are formed in an order that depends on the sizes alone, on CUDA in none.
    """
    if values.numel() == 0:
        return
    for x, _, of_some, given, counted in samples_of_parts(8, values, None, rows, weights, valid):
        product, w, low, high = amounts(x, given, counted, faults, nans, replacement)
        for state, amount in ((sum, product), (weight, w)):
            if state is not None:
                add_to_rows(state, of_some, amount)
        for state, extreme, how, start in ((minimum, low, "amin", torch.inf), (maximum, high, "amax", -torch.inf)):
            if state is None:
                continue
            for row in of_some:
                place, inside = within(row.reshape(-1), state.shape[0])
                state.scatter_reduce_(0, place, torch.where(inside, extreme.reshape(-1), start), how)


def _fake(
    values: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    sum: Tensor | None,
    weight: Tensor | None,
    minimum: Tensor | None,
    maximum: Tensor | None,
    faults: Tensor | None,
    nans: int,
    replacement: float,
) -> None:
    for per_value in (weights, valid):
        torch._check(
            per_value is None or per_value.dim() == values.dim(),
            lambda: "values_: weights and valid must have the shape of values",
        )
    for state in (sum, weight, minimum, maximum):
        torch._check(state is None or state.dtype == torch.float64, lambda: "values_: states must be float64")


def _rows_fake(values: Tensor, rows: Tensor, *rest: Any) -> None:
    _fake(values, *rest)
    check_rows(rows, values, "values_rows_")


values_ = define(SCHEMA, values_body, _fake, library="numbers")
values_rows_ = define_by_rows(ROWS_SCHEMA, values_rows_body, _rows_fake, library="numbers")
