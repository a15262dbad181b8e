# SPDX-License-Identifier: Apache-2.0
"""Second moments of what the pairs pass sums, in PyTorch operations: what standard errors are formulas of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from math import comb
from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes.pairs import ERRORS, Parameters, deviance, outside

#: The powers of x and y of the sums of ``monomials``, which begin with the two numbers that x and y are less.
POWERS = tuple((i, j) for i in range(5) for j in range(5 - i))
MONOMIALS = 2 + len(POWERS)

_PLACE = {powers: 2 + place for place, powers in enumerate(POWERS)}


def _counted(
    preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None, num_outputs: int
) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and what a pair counts, float64 ``[N, D]``."""
    x, y = (values.detach().double().reshape(-1, num_outputs) for values in (preds, target))
    amount = torch.ones_like(y) if weights is None else weights.reshape(-1, num_outputs)
    counted = (amount > 0) & (amount < torch.inf)
    if valid is not None:
        counted = counted & valid.reshape(-1, num_outputs)
    x, y = (torch.where(counted, values, 1.0) for values in (x, y))  # what is not counted may be anything
    return x, y, torch.where(counted, amount, 0.0)


def squares_of(
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    asked: Mapping[str, Any],
    num_outputs: int,
    parameters: Parameters,
) -> Tensor:
    """Sums over pairs of the products of their terms, times the square of their weight, float64 ``[D, K + 1, K + 1]``.

    Args:
        preds: this and the next three are those of :func:`fastmetrics.passes.pairs.pairs_body`.
        target: see there.
        weights: see there.
        valid: see there.
        asked: names of K sums of errors; the terms are 1 and these.
        num_outputs: D.
        parameters: of the errors.
    """
    x, y, amount = _counted(preds, target, weights, valid, num_outputs)
    terms = [torch.ones_like(x)]
    for name in asked:
        if name == "deviance":
            bad_x, bad_y = outside(x, y, parameters.power)
            bad = bad_x | bad_y
            amount = torch.where(bad, 0.0, amount)
            terms.append(deviance(torch.where(bad, 1.0, x), torch.where(bad, 1.0, y), parameters.power))
        else:
            terms.append(ERRORS[name](x, y, parameters))
    weighted = torch.stack([amount * term for term in terms])
    return torch.einsum("ind,jnd->dij", weighted, weighted)


def monomials_of(
    preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None, num_outputs: int
) -> Tensor:
    """Sums of the ``POWERS`` of x and y, less their means, times the square of the weight, float64 ``[D, MONOMIALS]``.

    The arguments are those of :func:`squares_of`.
    """
    x, y, amount = _counted(preds, target, weights, valid, num_outputs)
    amount = amount.square()
    total = amount.sum(0)
    some = torch.where(total > 0, total, 1.0)
    centre = [(amount * values).sum(0) / some for values in (x, y)]
    return torch.stack([*centre, *(of.sum(0) for of in _powers(x - centre[0], y - centre[1], amount))], -1)


def _powers(u: Tensor, v: Tensor, amount: Tensor) -> Iterator[Tensor]:
    """Each of ``POWERS`` times the amount."""
    powers_u, powers_v = ([torch.ones_like(values)] for values in (u, v))
    for powers, values in ((powers_u, u), (powers_v, v)):
        for _ in range(4):
            powers.append(powers[-1] * values)
    for i, j in POWERS:
        yield amount * powers_u[i] * powers_v[j]


def add_monomials_to_rows(
    state: Tensor,
    place: Tensor,
    inside: Tensor,
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
) -> None:
    """Add what :func:`monomials_of` sums to the row and output of each pair, in place.

    Args:
        state: ``[S, D, MONOMIALS]``.
        place: int64 ``[N]``, the row times D plus the output.
        inside: bool ``[N]``; the others are left out.
        preds: this and the others are of N pairs, see :func:`squares_of`.
        target: see there.
        weights: see there.
        valid: see there.
    """
    flat = state.view(-1, MONOMIALS)
    x, y, amount = (values.reshape(-1) for values in _counted(preds, target, weights, valid, 1))
    amount = torch.where(inside, amount.square(), 0.0)
    sums = flat.new_zeros(len(flat), 3).index_add(0, place, torch.stack([amount, amount * x, amount * y], -1))
    centre = sums[:, 1:] / torch.where(sums[:, :1] > 0, sums[:, :1], 1.0)
    u, v = (torch.where(amount > 0, values - centre[place, i], 0.0) for i, values in enumerate((x, y)))
    found = flat.new_zeros(len(flat), len(POWERS)).index_add(0, place, torch.stack([*_powers(u, v, amount)], -1))
    flat.copy_(_merged(flat, torch.cat([centre, found], -1)))


def recentred(monomials: Tensor, centre: Tensor) -> Tensor:
    """The same sums ``[..., MONOMIALS]`` of x and y less other numbers ``[..., 2]``; exact but for rounding."""
    dx, dy = (monomials[..., :2] - centre).unbind(-1)
    sums = []
    for i, j in POWERS:
        total = torch.zeros_like(dx)
        for k in range(i + 1):
            for m in range(j + 1):
                factor = comb(i, k) * comb(j, m) * dx.pow(i - k) * dy.pow(j - m)
                total = total + factor * monomials[..., _PLACE[k, m]]
        sums.append(total)
    return torch.stack([*centre.unbind(-1), *sums], -1)


def _merged(a: Tensor, b: Tensor) -> Tensor:
    n_a, n_b = (part[..., _PLACE[0, 0]].unsqueeze(-1) for part in (a, b))
    share = n_b / torch.where(n_a + n_b > 0, n_a + n_b, 1.0)
    centre = a[..., :2] + (b[..., :2] - a[..., :2]) * share
    found = recentred(a, centre)
    other = recentred(b, centre)
    both = torch.cat([centre, found[..., 2:] + other[..., 2:]], -1)
    return torch.where(n_b == 0, a, torch.where(n_a == 0, b, both))


def merge_monomials(stacked: Tensor) -> Tensor:
    """``[K, D, MONOMIALS]`` to those of all, ``[D, MONOMIALS]``, in the order that they have."""
    return reduce(_merged, stacked.unbind())


def products_about(monomials: Tensor, centre: Tensor) -> Tensor:
    """Sums of the products of the terms 1, u, v, u², v², uv of x and y less ``centre``, ``[D, 6, 6]``."""
    sums = recentred(monomials, centre)
    terms = ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1))
    rows = [torch.stack([sums[..., _PLACE[i + k, j + m]] for k, m in terms], -1) for i, j in terms]
    return torch.stack(rows, -2)
