# SPDX-License-Identifier: Apache-2.0
"""Scores that are a ratio of counts, and their averages over classes."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from fastmetrics.formulas.counts import Counts


class Ratio(Protocol):
    """A score of one class: its numerator and denominator, [...]."""

    def __call__(self, counts: Counts) -> tuple[Tensor, Tensor]: ...


def precision(counts: Counts) -> tuple[Tensor, Tensor]:
    """tp / (tp + fp)."""
    return counts.tp, counts.predicted


def recall(counts: Counts) -> tuple[Tensor, Tensor]:
    """tp / (tp + fn)."""
    return counts.tp, counts.actual


def agreement(counts: Counts) -> tuple[Tensor, Tensor]:
    """(tp + tn) / all: the accuracy of a binary decision."""
    return counts.tp + counts.tn, counts.total


def fbeta(beta: float) -> Ratio:
    """(1 + beta²) tp / ((1 + beta²) tp + beta² fn + fp)."""
    square = beta**2
    if square == 1.0:
        return lambda counts: (2 * counts.tp, counts.actual + counts.predicted)
    return lambda counts: ((1 + square) * counts.tp, square * counts.actual + counts.predicted)


def divide(numerator: Tensor, denominator: Tensor, zero_division: float = 0.0) -> Tensor:
    """The ratio as float32; ``zero_division`` where both are zero."""
    return (numerator / denominator).nan_to_num_(nan=zero_division)


def average_ratio(
    ratio: Ratio,
    counts: Counts,
    average: str | None,
    zero_division: float = 0.0,
    absent: Tensor | None = None,
) -> Tensor:
    """The ratio over classes.

    Args:
        ratio: the score of one class.
        counts: [..., C].
        average: ``micro`` sums the counts first; ``macro`` is the mean over classes; ``weighted`` weighs them by their
            support; ``none`` or None keeps them apart.
        zero_division: the score of a class whose denominator is zero.
        absent: what ``macro`` drops: classes where this is zero, [..., C]. None keeps all.

    Returns:
        float32 [...], or [..., C] without an average.
    """
    if average == "micro":
        return divide(*ratio(counts.summed()), zero_division)
    score = divide(*ratio(counts), zero_division)
    if average is None or average == "none":
        return score
    if average == "weighted":
        return divide((counts.actual * score).sum(-1), counts.actual.sum(-1))
    if absent is None:
        return score.mean(-1)
    if zero_division:
        score = score * absent.ne(0)  # otherwise an absent class scores 0 already
    return divide(score.sum(-1), absent.count_nonzero(-1))
