# SPDX-License-Identifier: Apache-2.0
"""Scores that are a ratio of counts, and their averages over classes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.formulas.counts import FN, FP, TN, TP, Linear, columns
from fastmetrics.operators import define


class Ratio(NamedTuple):
    """A score of one class: two linear forms of its counts."""

    numerator: Linear
    denominator: Linear


PRECISION = Ratio(TP, TP + FP)
RECALL = Ratio(TP, TP + FN)
AGREEMENT = Ratio(TP + TN, TP + TN + FP + FN)  # the accuracy of a binary decision


def fbeta(beta: float) -> Ratio:
    """The weighted harmonic mean of precision and recall."""
    square = beta**2
    return Ratio((1 + square) * TP, (1 + square) * TP + square * FN + FP)


_AVERAGES = {None: 0, "none": 0, "micro": 1, "macro": 2, "weighted": 3}

# What a macro average drops.
KEEP_ALL = 0
DROP_ABSENT = 1  # classes that were neither predicted nor the target
DROP_UNTARGETED = 2  # classes that were never the target

SCHEMA = "average_ratio(Tensor table, Tensor ratio, int average, float zero_division, int drop) -> Tensor"


def average_ratio_body(table: Tensor, ratio: Tensor, average: int, zero_division: float, drop: int) -> Tensor:
    """Average a ratio of counts over classes; see :func:`average_ratio`.

    Args:
        table: int64, or float64 of weighted samples, [..., C, 3] or [..., C, 4]; see
            :mod:`fastmetrics.formulas.counts`.
        ratio: float64 [2, 4], on the CPU: numerator and denominator as coefficients of tp, predicted, actual, total.
        average: a value of ``_AVERAGES``.
        zero_division: the score of a class whose denominator is zero.
        drop: ``KEEP_ALL``, ``DROP_ABSENT`` or ``DROP_UNTARGETED``.
    """
    counts = torch.stack(columns(table), -1)  # [..., C, 4]
    if average == 1:
        counts = counts.sum(-2)
    counts = counts.double()
    parts = [sum(w * counts[..., i] for i, w in enumerate(row) if w) for row in ratio.tolist()]
    score = torch.where(parts[1] == 0, zero_division, parts[0] / parts[1])
    if average in (0, 1):
        return score.float()
    if average == 2:
        if drop == KEEP_ALL:
            return score.mean(-1).float()
        kept = counts[..., 2] + counts[..., 1] if drop == DROP_ABSENT else counts[..., 2]
        weight = kept.sign()
    else:
        weight = counts[..., 2]
    total = weight.sum(-1)
    return torch.where(total == 0, 0.0, (weight * score).sum(-1) / total).float()


def _fake(table: Tensor, ratio: Tensor, average: int, zero_division: float, drop: int) -> Tensor:
    return table.new_empty(table.shape[:-1] if average == 0 else table.shape[:-2], dtype=torch.float32)


_average_ratio = define(SCHEMA, average_ratio_body, _fake, kernels=("cpu",))


@lru_cache(maxsize=256)
def _coefficients(ratio: Ratio) -> Tensor:
    return torch.tensor([list(ratio.numerator), list(ratio.denominator)], dtype=torch.float64, device="cpu")


def average_ratio(
    ratio: Ratio, table: Tensor, average: str | None, zero_division: float = 0.0, drop: int = KEEP_ALL
) -> Tensor:
    """The ratio over classes, computed in float64.

    Args:
        ratio: the score of one class.
        table: int64, or float64 of weighted samples, [..., C, 3] or [..., C, 4]; see
            :mod:`fastmetrics.formulas.counts`.
        average: ``micro`` sums the counts first; ``macro`` is the mean over classes; ``weighted`` weighs them by their
            support; ``none`` or None keeps them apart. An average over nothing is 0.
        zero_division: the score of a class whose denominator is zero.
        drop: which classes ``macro`` drops: ``KEEP_ALL``, ``DROP_ABSENT`` or ``DROP_UNTARGETED``.

    Returns:
        float32 [...], or [..., C] without an average.
    """
    return _average_ratio(table, _coefficients(ratio), _AVERAGES[average], float(zero_division), drop)  # type: ignore[no-any-return]
