# SPDX-License-Identifier: Apache-2.0
"""Rank correlations, from the samples themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define


def _runs(values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sort the columns of ``[N, D]`` and find their runs of equal values. NaN is the greatest value and equals itself.

    Returns:
        the index that sorts a column; whether a run begins at a sorted place; the first and the last place of the run
        that holds it; [N, D] each.
    """
    values, order = values.sort(dim=0, stable=True)
    equal = (values[1:] == values[:-1]) | (values[1:].isnan() & values[:-1].isnan())
    edge = torch.ones_like(values[:1], dtype=torch.bool)
    begins, ends = torch.cat([edge[: len(values)], ~equal]), torch.cat([~equal, edge[: len(values)]])
    places = torch.arange(len(values), device=values.device).unsqueeze(1).expand(values.shape)
    first = torch.where(begins, places, 0).cummax(0).values
    last = torch.where(ends, places, len(values)).flip(0).cummin(0).values.flip(0)
    return order, begins, first, last


def average_ranks_body(values: Tensor) -> Tensor:
    """The ranks of the elements of each column, from 1; tied elements share the mean of their ranks.

    Args:
        values: of any real dtype, [N, D]. -0 equals +0; NaN is the greatest value and equals itself.

    Returns:
        float64 [N, D].
    """
    order, _, first, last = _runs(values)
    return torch.empty_like(values, dtype=torch.float64).scatter_(0, order, (first + last).double() / 2 + 1)


average_ranks = define(
    "average_ranks(Tensor values) -> Tensor",
    average_ranks_body,
    lambda values: torch.empty(values.shape, dtype=torch.float64, device=values.device),
    ("cpu",),
    library="numbers",
)


def _inversions(ranks: Tensor) -> Tensor:
    """How many pairs of each row of int64 ``[D, N]`` are in descending order, by a merge sort; int64 [D]."""
    rows, n = ranks.shape
    padded = 1 << max(0, n - 1).bit_length()
    ranks = torch.cat([ranks, ranks.new_full((rows, padded - n), torch.iinfo(torch.int64).max)], 1)
    found = ranks.new_zeros(rows)
    width = 1
    while width < padded:
        left, right = ranks.reshape(rows, -1, 2, width).unbind(2)
        not_greater = torch.searchsorted(left.contiguous(), right.contiguous(), right=True)
        found += (width - not_greater).sum((1, 2))
        width *= 2
        ranks = ranks.reshape(rows, -1, width).sort(-1).values.reshape(rows, padded)
    return found


def _ties(begins: Tensor, first: Tensor, last: Tensor) -> list[Tensor]:
    """The last four statistics of :func:`pair_order_body` of one input; float64 [D] each."""
    size = torch.where(begins, last - first + 1, 1).double()
    pairs = size * (size - 1)
    return [v.sum(0) for v in (pairs / 2, pairs * (size - 2), pairs * (2 * size + 5), begins.double())]


def pair_order_body(preds: Tensor, target: Tensor) -> Tensor:
    """Count how the pairs of samples are ordered in both columns.

    Args:
        preds: of any real dtype, [N, D]. -0 equals +0; NaN is the greatest value and equals itself.
        target: the same.

    Returns:
        float64 [D, 10]: concordant minus discordant pairs; concordant plus discordant pairs; and then, of ``preds``
        followed by ``target``: pairs that are tied; the sum of t (t - 1) (t - 2) over groups of t equal values; the sum
        of t (t - 1) (2 t + 5); the number of groups.
    """
    n, columns = preds.shape
    dense, ties = [], []
    for values in (preds, target):
        order, begins, first, last = _runs(values)
        dense.append(torch.empty_like(order).scatter_(0, order, begins.cumsum(0) - 1))
        ties.append(_ties(begins, first, last))
    joint = dense[0] * max(n, 1) + dense[1]
    order, begins, first, last = _runs(joint)
    both = _ties(begins, first, last)[0]
    discordant = _inversions(dense[1].gather(0, order).T)
    ordered = (n * (n - 1) / 2 - ties[0][0] - ties[1][0] + both).to(torch.int64)
    found = [(ordered - 2 * discordant).double(), ordered.double()]
    found += [of_column[i] for i in range(4) for of_column in ties]
    return torch.stack(found, 1).reshape(columns, 10)


pair_order = define(
    "pair_order(Tensor preds, Tensor target) -> Tensor",
    pair_order_body,
    lambda preds, target: torch.empty((preds.shape[1], 10), dtype=torch.float64, device=preds.device),
    ("cpu",),
    library="numbers",
)


def _unless_nan(value: Tensor, preds: Tensor, target: Tensor) -> Tensor:
    """The value, but NaN for columns with NaN, which has no rank."""
    bad = torch.zeros(value.shape, dtype=torch.bool, device=value.device)
    for values in (preds, target):
        if values.is_floating_point():
            bad = bad | values.isnan().any(0)
    return torch.where(bad, torch.nan, value)


def spearman(preds: Tensor, target: Tensor) -> Tensor:
    """Pearson's correlation of the ranks.

    Args:
        preds: of any real dtype, [N, D].
        target: of any real dtype, [N, D].

    Returns:
        float64 [D]; 0 for a column whose values are all the same, NaN for one with NaN or without samples.
    """
    middle = (preds.shape[0] + 1) / 2
    x, y = average_ranks(preds) - middle, average_ranks(target) - middle
    scale = ((x * x).sum(0) * (y * y).sum(0)).sqrt()
    value = torch.where(scale == 0, 0.0, (x * y).sum(0) / scale).clamp(-1, 1)
    return _unless_nan(value, preds, target) if len(preds) else torch.full_like(value, torch.nan)


def kendall(preds: Tensor, target: Tensor, variant: str, alternative: str | None) -> tuple[Tensor, Tensor | None]:
    """Kendall's tau, and the p-value of the hypothesis that there is no association, from its asymptotic distribution.

    Args:
        preds: of any real dtype, [N, D].
        target: the same.
        variant: ``a``, ``b`` or ``c``.
        alternative: ``two-sided``, ``less``, ``greater``, or None for no p-value.

    Returns:
        float64 [D] each; NaN for a column with NaN.
    """
    n = float(preds.shape[0])
    counts = pair_order(preds, target)
    difference, ordered, x_ties, y_ties, x_p1, y_p1, x_p2, y_p2, x_groups, y_groups = counts.unbind(1)
    pairs = n * (n - 1) / 2
    if variant == "a":
        tau = difference / ordered
    elif variant == "b":
        tau = difference / (pairs - x_ties).sqrt() / (pairs - y_ties).sqrt()
    else:
        groups = torch.minimum(x_groups, y_groups)
        tau = 2 * difference / ((groups - 1) / groups * n**2)
    tau = _unless_nan(tau.clamp(-1, 1), preds, target)
    if alternative is None:
        return tau, None
    base = 2 * pairs * (2 * n + 5)
    if variant == "a":
        t = 3 * difference / torch.as_tensor(base / 2, dtype=torch.float64).sqrt()
    else:
        rest = torch.as_tensor(18 * pairs * (n - 2), dtype=torch.float64)
        t = difference / ((base - x_p2 - y_p2) / 18 + x_ties * y_ties / pairs + x_p1 * y_p1 / rest).sqrt()
    if alternative == "two-sided":
        p = torch.special.erfc(t.abs() / 2**0.5)
    else:
        p = torch.special.erfc((t if alternative == "greater" else -t) / 2**0.5) / 2
    return tau, _unless_nan(p, preds, target)
