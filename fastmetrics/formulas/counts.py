# SPDX-License-Identifier: Apache-2.0
"""Tables of counts, and what is linear in them.

A table has a row for each class or label. Its columns are

- of the multiclass statistics, [..., C, 3]: true positives, predicted, actual;
- of the binary statistics, [..., L, 4]: tp, fp, tn, fn.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor


class Linear(NamedTuple):
    """A linear form of the counts of one class, by its coefficients."""

    tp: float = 0.0
    predicted: float = 0.0
    actual: float = 0.0
    total: float = 0.0

    def __add__(self, other: Linear) -> Linear:  # type: ignore[override]
        return Linear(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __sub__(self, other: Linear) -> Linear:
        return self + -1.0 * other

    def __rmul__(self, factor: float) -> Linear:  # type: ignore[override]
        return Linear(*(factor * mine for mine in self))


TP, PREDICTED, ACTUAL, TOTAL = Linear(tp=1.0), Linear(predicted=1.0), Linear(actual=1.0), Linear(total=1.0)
FP, FN = PREDICTED - TP, ACTUAL - TP
TN = TOTAL - PREDICTED - ACTUAL + TP


def of_top_k(counts: Tensor, ranks: Tensor, top_k: int) -> Tensor:
    """The table in which a target among the ``top_k`` greatest scores counts as predicted, and the label otherwise.

    Args:
        counts: int64 [..., C, 3].
        ranks: int64 [..., C, K, 2], see :func:`fastmetrics.passes.multiclass.multiclass_body`.
        top_k: at most K.
    """
    _, predicted, actual = counts.unbind(-1)
    hits, labels = ranks[..., :top_k, :].sum(-2).unbind(-1)
    return torch.stack([hits, predicted - labels + hits, actual], -1)


def columns(table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """tp, predicted, actual and total, [..., C] each; every sample is a decision on every class."""
    if table.shape[-1] == 3:
        tp, predicted, actual = table.unbind(-1)
        return tp, predicted, actual, actual.sum(-1, keepdim=True).expand(actual.shape)
    tp, fp, _, fn = table.unbind(-1)
    return tp, tp + fp, tp + fn, table.sum(-1)


def stat_scores(table: Tensor, average: str | None) -> Tensor:
    """tp, fp, tn, fn and support.

    Args:
        table: int64 [..., C, 3] or [..., C, 4].
        average: ``micro`` sums over classes (int64), ``macro`` is their mean, ``weighted`` their mean with the class's
            share of the support as weight (float32), ``none`` or None keeps classes apart (int64).

    Returns:
        [..., 5], or [..., C, 5] without an average.
    """
    if average == "macro":
        sums = table.double().sum(-2) @ _summed_scores(*table.shape[-2:], table.device)
        return (sums / table.shape[-2]).float()
    tp, predicted, actual, total = columns(table)
    scores = torch.stack([tp, predicted - tp, total - predicted - actual + tp, actual - tp, actual], -1)
    if average == "micro":
        return scores.sum(-2)
    if average == "weighted":
        weight = actual.double() / actual.sum(-1, keepdim=True)
        return (scores * weight.unsqueeze(-1)).sum(-2).float()
    return scores


@lru_cache(maxsize=64)
def _summed_scores(classes: int, width: int, device: torch.device) -> Tensor:
    """float64 [width, 5]: from the sums of a table's columns to those of tp, fp, tn, fn and support over classes."""
    scores = (TP, FP, TN, FN, ACTUAL)
    if width == 3:  # every sample is a decision on every class
        rows = [[score.tp, score.predicted, score.actual + classes * score.total] for score in scores]
    else:
        rows = [
            [sum(score), score.predicted + score.total, score.total, score.actual + score.total] for score in scores
        ]
    return torch.tensor(rows, dtype=torch.float64, device=device).T.contiguous()
