# SPDX-License-Identifier: Apache-2.0
"""The values of queries become one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Aggregation = Literal["mean", "median", "min", "max"] | Callable[..., Tensor]
EmptyTargetAction = Literal["error", "skip", "neg", "pos"]


def counted(
    values: list[Tensor], weights: Tensor | None, empty: Tensor, action: str, lacking: str
) -> tuple[list[Tensor], Tensor | None, Tensor]:
    """The values of the queries that count.

    Args:
        values: measures ``[Q, K]``; 0 for a query that has no value.
        weights: ``[Q]``, or None.
        empty: bool ``[Q]``, the queries that have no value.
        action: what their value is: ``neg`` 0, ``pos`` 1, ``skip`` none.
        lacking: what they lack, for the error.

    Returns:
        values, weights, and which queries they are of: bool ``[Q]``.

    Raises:
        ValueError: there are such queries, and the action is ``error``.
    """
    every = torch.ones_like(empty)
    if not bool(empty.any()):
        return values, weights, every
    if action == "error":
        raise ValueError(f"`compute` method was provided with a query with no {lacking} target.")
    if action == "skip":
        kept = ~empty
        return [each[kept] for each in values], None if weights is None else weights[kept], kept
    if action == "pos":
        values = [torch.where(empty.unsqueeze(1), 1.0, each) for each in values]
    return values, weights, every


def aggregate(values: Tensor, weights: Tensor | None, aggregation: Aggregation, curve: bool = False) -> Tensor:
    """One value of those of all queries at each k, ``[K]``; 0 without queries.

    Args:
        values: ``[Q, K]``.
        weights: above 0, ``[Q]``; None if all queries count alike.
        aggregation: ``median``, of two the lower, and the least value that half of the weight does not exceed; ``min``,
            ``max``, or a function. The mean is that of :func:`mean_of_sums`.
        curve: whether a function is called with all values and ``dim=0``, or with those at each k and ``dim=None``.
    """
    if not len(values):
        return values.new_zeros(values.shape[1])
    if aggregation == "min":
        return values.amin(0)
    if aggregation == "max":
        return values.amax(0)
    if aggregation == "median":
        if weights is None:
            return values.median(0).values
        ordered, order = values.sort(0)
        below = weights[order].cumsum(0) < 0.5 * weights.sum()
        return ordered.gather(0, below.sum(0, keepdim=True)).squeeze(0)
    assert callable(aggregation)
    values = values.float()  # as torchmetrics gives them
    if curve:
        return aggregation(values, dim=0)
    return torch.stack([aggregation(of_k, dim=None) for of_k in values.unbind(1)])


def mean_of_sums(total: Tensor, queries: Tensor, empty: Tensor, action: str, lacking: str) -> Tensor:
    """The mean, as :func:`counted` and :func:`aggregate` would give it.

    Args:
        total: the sum of the values of the queries that have one.
        queries: how many there are.
        empty: how many of them have no value.
        action: see :func:`counted`.
        lacking: see there.
    """
    if action == "error" and bool(empty > 0):
        raise ValueError(f"`compute` method was provided with a query with no {lacking} target.")
    if action == "pos":
        total = total + empty
    number = queries - empty if action == "skip" else queries
    return torch.where(number > 0, total / number, 0.0)


def recall_at_precision(precision: Tensor, recall: Tensor, at_least: float) -> tuple[Tensor, Tensor]:
    """The greatest recall where the precision is high enough, and the greatest k that has it; else 0, and the last k.

    Args:
        precision: ``[K]``, at k = 1, 2 and so on.
        recall: likewise.
        at_least: the precision that is wanted.
    """
    k = torch.arange(1, len(recall) + 1, device=recall.device)
    best = torch.where(precision >= at_least, recall, 0.0).amax() if len(recall) else recall.new_zeros(())
    has_it = (precision >= at_least) & (recall == best) & (best > 0)
    last = torch.where(has_it, k, 0).amax() if len(recall) else k.sum()
    return best, torch.where(best > 0, last, len(recall))
