# SPDX-License-Identifier: Apache-2.0
"""Scores of a class that are ratios of its counts, and their averages over classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.formulas.counts import AVERAGE_CODES, FN, FP, TN, TP, VALUE, Linear
from fastmetrics.native.operators import define
from fastmetrics.native.transforms import suspended
from fastmetrics.tables import outcomes


class Ratio(NamedTuple):
    """A score of a class: one linear form of its counts divided by another."""

    numerator: Linear
    denominator: Linear


class Combination(NamedTuple):
    """A score of a class: a function of ratios."""

    ratios: tuple[Ratio, ...]
    combine: Callable[..., Tensor]  # of the ratios, float64 [...] each


PRECISION = Ratio(TP, TP + FP)
RECALL = Ratio(TP, TP + FN)
SPECIFICITY = Ratio(TN, TN + FP)
NEGATIVE_PREDICTIVE_VALUE = Ratio(TN, TN + FN)
MISS_RATE = Ratio(FN, TP + FN)
JACCARD = Ratio(TP, TP + FP + FN)
AGREEMENT = Ratio(TP + TN, TP + TN + FP + FN)  # the accuracy of a binary decision
DISAGREEMENT = Ratio(FP + FN, TP + TN + FP + FN)


def fbeta(beta: float) -> Ratio:
    """The weighted harmonic mean of precision and recall."""
    square = beta**2
    return Ratio((1 + square) * TP, (1 + square) * TP + square * FN + FP)


INFORMEDNESS = Combination((RECALL, SPECIFICITY), lambda recall, specificity: recall + specificity - 1)
MARKEDNESS = Combination((PRECISION, NEGATIVE_PREDICTIVE_VALUE), lambda precision, npv: precision + npv - 1)
BALANCED_ERROR_RATE = Combination((RECALL, SPECIFICITY), lambda recall, specificity: 1 - (recall + specificity) / 2)
GEOMETRIC_MEAN = Combination((RECALL, SPECIFICITY), lambda recall, specificity: (recall * specificity).sqrt())
FOWLKES_MALLOWS = Combination((PRECISION, RECALL), lambda precision, recall: (precision * recall).sqrt())


def shares_of(ratio: Ratio | Combination, table: Tensor) -> tuple[Tensor, Tensor] | None:
    """Successes and trials ``[...]`` of a ratio that counts some of the outcomes among which it is a share, or None.

    Args:
        ratio: the score of a class.
        table: int64 ``[..., 3]`` of all classes ``[..., C, 3]``, or ``[..., 4]``.
    """
    if not isinstance(ratio, Ratio):
        return None
    pairs = zip(*ratio, strict=True)
    if any(of not in (0.0, 1.0) or some not in (0.0, of) for some, of in pairs):
        return None
    counted = outcomes(table)
    none = torch.zeros_like(counted[0])
    successes, trials = (
        sum((cell for weight, cell in zip(form, counted, strict=True) if weight), none) for form in ratio
    )
    return successes, trials


@lru_cache(maxsize=256)
def of_totals(ratio: Ratio | Combination, classes: int) -> Ratio | Combination:
    """The score of all classes together, as that of one row with the sums of their tp, predicted and actual.

    Every sample is a decision on every class. That row, as if of the only class, lacks a true negative of each sample
    for each of the others; the samples are its tp and fn.
    """
    if isinstance(ratio, Combination):
        return ratio._replace(ratios=tuple(of_totals(part, classes) for part in ratio.ratios))  # type: ignore[misc]
    return Ratio(*(form + ((classes - 1) * form.tn) * (TP + FN) for form in ratio))


# The classes that a macro average drops.
KEEP_ALL = 0
DROP_ABSENT = 1  # without predicted and actual samples
DROP_UNTARGETED = 2  # without actual samples

SCHEMA = (
    "average_ratio(Tensor table, Tensor ratio, int average, float zero_division, int drop, int excluded, "
    "float empty) -> Tensor"
)


def _average(
    score: Callable[[Tensor], Tensor], table: Tensor, average: int, drop: int, excluded: int, empty: float
) -> Tensor:
    """Average a score over classes, float64 [...] from tp, fp, tn, fn [..., 4]; see :func:`average_ratio_body`."""
    cells = torch.stack(outcomes(table), -1)  # [..., C, 4]
    kept = torch.arange(cells.shape[-2], device=table.device) != excluded
    if average == 1:
        return score((cells * kept.unsqueeze(-1)).sum(-2).double()).float()
    cells = cells.double()
    value = score(cells)
    if average == 0:
        return value.float()
    tp, fp, _, fn = cells.unbind(-1)
    weight = tp + fn
    if average == 2:
        occurs = weight + fp if drop == DROP_ABSENT else weight
        weight = torch.ones_like(tp) if drop == KEEP_ALL else (occurs != 0).double()
    weight = weight * kept
    total = weight.sum(-1)
    return torch.where(total == 0, empty, (weight * value).sum(-1) / total).float()


def _divide(cells: Tensor, ratio: list[list[float]], zero_division: float) -> Tensor:
    """The ratio with coefficients [2, 4], of float64 [..., 4]."""
    none = torch.zeros_like(cells[..., 0])
    numerator, denominator = (sum((w * cells[..., i] for i, w in enumerate(row) if w), none) for row in ratio)
    return torch.where(denominator == 0, zero_division, numerator / denominator)


def average_ratio_body(
    table: Tensor, ratio: Tensor, average: int, zero_division: float, drop: int, excluded: int, empty: float
) -> Tensor:
    """Average a ratio of counts over classes; see :func:`average_ratio`.

    Args:
        table: int64, or float64 of weighted samples, [..., C, 3] or [..., C, 4]; see
            :mod:`fastmetrics.tables`.
        ratio: float64 [2, 4], on the CPU: numerator and denominator as coefficients of tp, fp, tn, fn.
        average: a value of ``AVERAGE_CODES``.
        zero_division: the score of a class whose denominator is zero.
        drop: ``KEEP_ALL``, ``DROP_ABSENT`` or ``DROP_UNTARGETED``.
        excluded: a class that takes no part in averages, or -1.
        empty: the value of ``macro`` and ``weighted`` if no class has a weight.
    """
    coefficients = ratio.tolist()
    return _average(lambda cells: _divide(cells, coefficients, zero_division), table, average, drop, excluded, empty)


def _fake(
    table: Tensor, ratio: Tensor, average: int, zero_division: float, drop: int, excluded: int, empty: float
) -> Tensor:
    return table.new_empty(table.shape[:-1] if average == 0 else table.shape[:-2], dtype=torch.float32)


def _result(
    table: Tensor, ratio: Tensor, average: int, zero_division: float, drop: int, excluded: int, empty: float
) -> Tensor:
    if average != 0 and table.dim() == 2:
        return torch.empty_like(VALUE)  # takes half as long
    return _fake(table, ratio, average, zero_division, drop, excluded, empty)


_average_ratio = define(SCHEMA, average_ratio_body, _fake, kernels=("cpu",), result=_result)


@lru_cache(maxsize=256)
def _coefficients(ratio: Ratio) -> Tensor:
    with suspended():
        return torch.tensor([list(ratio.numerator), list(ratio.denominator)], dtype=torch.float64, device="cpu")


def average_ratio(
    ratio: Ratio | Combination,
    table: Tensor,
    average: str | None,
    zero_division: float = 0.0,
    drop: int = KEEP_ALL,
    excluded: int | None = None,
    empty: float = 0.0,
) -> Tensor:
    """A score averaged over classes, computed in float64.

    Args:
        ratio: the score of a class.
        table: int64, or float64 of weighted samples, [..., C, 3] or [..., C, 4]; see
            :mod:`fastmetrics.tables`.
        average: ``micro`` sums the counts first; ``macro`` is the mean over classes; ``weighted`` is their mean
            weighted by support; ``none`` or None returns the score of each class.
        zero_division: the score of a class whose denominator is zero.
        drop: which classes ``macro`` drops: ``KEEP_ALL``, ``DROP_ABSENT`` or ``DROP_UNTARGETED``.
        excluded: a class that takes no part in averages.
        empty: the value of ``macro`` and ``weighted`` if no class has a weight.

    Returns:
        float32 [...], or [..., C] without an average.
    """
    code, absent = AVERAGE_CODES[average], -1 if excluded is None else excluded
    if isinstance(ratio, Ratio):
        return _average_ratio(table, _coefficients(ratio), code, float(zero_division), drop, absent, float(empty))  # type: ignore[no-any-return]

    def score(cells: Tensor) -> Tensor:
        return ratio.combine(*(_divide(cells, [*map(list, part)], zero_division) for part in ratio.ratios))

    return _average(score, table, code, drop, absent, empty)
