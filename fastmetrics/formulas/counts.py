# SPDX-License-Identifier: Apache-2.0
"""Tables of counts, and what is linear in them.

A table has a row for each class or label. Its columns are

- of the multiclass statistics, [..., C, 3]: true positives, predicted, actual;
- of the binary statistics, [..., L, 4]: tp, fp, tn, fn.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define


class Linear(NamedTuple):
    """A linear form of the four outcomes of one class, by its coefficients."""

    tp: float = 0.0
    fp: float = 0.0
    tn: float = 0.0
    fn: float = 0.0

    def __add__(self, other: Linear) -> Linear:  # type: ignore[override]
        return Linear(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __rmul__(self, factor: float) -> Linear:  # type: ignore[override]
        return Linear(*(factor * mine for mine in self))


TP, FP, TN, FN = Linear(tp=1.0), Linear(fp=1.0), Linear(tn=1.0), Linear(fn=1.0)

# How operators name the averages over classes.
AVERAGE_CODES = {None: 0, "none": 0, "micro": 1, "macro": 2, "weighted": 3}

# What a value on the CPU is made like.
VALUE = torch.empty((), dtype=torch.float32, device="cpu")

# A difference of sums of weights that is less than this share of all weights is what rounding left of nothing.
ROUNDING = 1e-12


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


def outcomes(table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """tp, fp, tn, fn, [..., C] each, of the dtype of the table; every sample is a decision on every class."""
    if table.shape[-1] == 4:
        tp, fp, tn, fn = table.unbind(-1)
        return tp, fp, tn, fn
    tp, predicted, actual = table.unbind(-1)
    total = actual.sum(-1, keepdim=True)
    fp, fn = predicted - tp, actual - tp
    tn = total - predicted - fn
    if table.is_floating_point():
        fp, tn, fn = (torch.where(x.abs() > ROUNDING * total, x, 0.0) for x in (fp, tn, fn))
    return tp, fp, tn, fn


def overlap_and_sizes(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """tp, predicted and actual, [..., C] each, of a table [..., C, 3] or [..., C, 4]."""
    if table.shape[-1] == 3:
        tp, predicted, actual = table.unbind(-1)
        return tp, predicted, actual
    tp, fp, _, fn = table.unbind(-1)
    return tp, tp + fp, tp + fn


def of_two_classes(table: Tensor) -> Tensor:
    """tp, fp, tn, fn [..., 4] of binary decisions as the table of classes 0 and 1, [..., 2, 3]."""
    tp, fp, tn, fn = table.unbind(-1)
    return torch.stack([torch.stack([tn, tn + fn, tn + fp], -1), torch.stack([tp, tp + fp, tp + fn], -1)], -2)


def stat_scores_body(table: Tensor, average: int, excluded: int) -> Tensor:
    """tp, fp, tn, fn and support; see :func:`stat_scores`.

    Args:
        table: int64 or float64 [..., C, 3] or [..., C, 4].
        average: a value of ``AVERAGE_CODES``.
        excluded: a class that takes no part in the averages, or -1.
    """
    tp, fp, tn, fn = outcomes(table)
    actual = tp + fn
    scores = torch.stack([tp, fp, tn, fn, actual], -1)
    if average == AVERAGE_CODES["none"]:
        return scores
    kept = torch.arange(actual.shape[-1], device=table.device) != excluded
    if average == AVERAGE_CODES["micro"]:
        return (scores * kept.unsqueeze(-1)).sum(-2)
    weight = (kept if average == AVERAGE_CODES["macro"] else actual * kept).double()
    share = weight / weight.sum(-1, keepdim=True)
    return (scores * share.unsqueeze(-1)).sum(-2).float()


def _stat_scores_fake(table: Tensor, average: int, excluded: int) -> Tensor:
    leading = table.shape[:-1] if average == AVERAGE_CODES["none"] else table.shape[:-2]
    counted = average in (AVERAGE_CODES["none"], AVERAGE_CODES["micro"])
    return table.new_empty((*leading, 5), dtype=table.dtype if counted else torch.float32)


_stat_scores = define(
    "stat_scores(Tensor table, int average, int excluded) -> Tensor",
    stat_scores_body,
    _stat_scores_fake,
    kernels=("cpu",),
    result=_stat_scores_fake,
)


def stat_scores(table: Tensor, average: str | None, excluded: int | None = None) -> Tensor:
    """tp, fp, tn, fn and support.

    Args:
        table: int64 or float64 [..., C, 3] or [..., C, 4].
        average: ``micro`` sums over classes (the dtype of the table), ``macro`` is their mean, ``weighted`` their mean
            with the class's share of the support as weight (float32), ``none`` or None keeps classes apart (the dtype
            of the table).
        excluded: a class that takes no part in the averages.

    Returns:
        [..., 5], or [..., C, 5] without an average.
    """
    return _stat_scores(table, AVERAGE_CODES[average], -1 if excluded is None else excluded)  # type: ignore[no-any-return]
