# SPDX-License-Identifier: Apache-2.0
"""Formulas that are linear in a table of counts; see :mod:`fastmetrics.tables` for its columns."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.tables import outcomes


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

# A value on the CPU; ``torch.empty_like`` of it is the fastest way to make another.
VALUE = torch.empty((), dtype=torch.float32, device="cpu")


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
            with the class's share of the support as weight (float32), ``none`` or None returns the counts of each class
            (the dtype of the table).
        excluded: a class that takes no part in the averages.

    Returns:
        [..., 5], or [..., C, 5] without an average.
    """
    return _stat_scores(table, AVERAGE_CODES[average], -1 if excluded is None else excluded)  # type: ignore[no-any-return]


def stat_scores_of_totals(totals: Tensor, classes: int) -> Tensor:
    """tp, fp, tn, fn and support [..., 5] of all classes together, from their sums [..., 1, 3]."""
    scores = stat_scores(totals, "micro")
    absent = scores.new_zeros(5)
    absent[2] = classes - 1  # a true negative of each sample for each of the other classes
    return scores + absent * scores[..., 4:]
