# SPDX-License-Identifier: Apache-2.0
"""Intervals of areas under curves: from the scores that are kept, or from their histogram."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from fastmetrics.formulas import intervals as formulas
from fastmetrics.formulas.curve_table import Points
from fastmetrics.intervals import Bootstrap, IntervalRequest
from fastmetrics.statistics.resampling import cells

#: A bootstrap of scores takes those of more distinct values in so many groups of neighbours of about equal size.
GROUPS = 2048

OfGroups = Callable[[Tensor], Tensor]  # [draws, P, 2] -> [draws]


def groups_of(points: Points) -> Iterator[Tensor]:
    """Of each curve, the negatives and positives of each score, ``[P, 2]``, the scores descending."""
    start = 0
    for size in points.sizes.tolist():
        both = torch.stack([points.fp[start : start + size], points.tp[start : start + size]], -1)
        yield both.diff(dim=0, prepend=both.new_zeros(1, 2))
        start += size


def descending(histogram: Tensor) -> Iterator[Tensor]:
    """The same of each histogram ``[C, P, 2]``, whose scores ascend."""
    yield from histogram.flip(1)


def area_errors(groups: Iterator[Tensor]) -> Tensor:
    """The standard error of the area under each ROC curve, float64 ``[C]``."""
    return torch.stack([formulas.area_error(*reversed(one.unbind(-1)))[1] for one in groups])


def together(errors: list[Tensor], weights: Tensor) -> Tensor:
    """The standard error of a weighted mean of areas, of what each sample adds to the error of each, ``[N]``."""
    total = torch.zeros_like(errors[0])
    for error, weight in zip(errors, weights, strict=True):
        total += weight * error
    return total.square().sum().sqrt()


def of_decisions(scores: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, whether they are positive, and whether they count, ``[N, C]`` each, of scores that are kept."""
    if labels is None:
        return scores.abs(), ~torch.signbit(scores), ~scores.isnan()
    return scores, labels == 1, (labels >= 0) & ~scores.isnan()


def resampled_groups(
    groups: Iterator[Tensor], values: Tensor, of_groups: OfGroups, request: IntervalRequest, merge: bool
) -> formulas.Pair:
    """The bootstrap over the samples of each curve.

    Args:
        groups: of each curve, int64 ``[P, 2]``.
        values: float64 ``[C]``, of the curves.
        of_groups: the values of draws of them.
        request: of the interval.
        merge: whether more than ``GROUPS`` are merged to so many. The interval is that of the merged ones, moved by
            what the merge changes of the value.
    """
    ends = []
    for one, value in zip(groups, values, strict=True):
        few, shift = one, value.new_zeros(())
        if merge and len(one) > GROUPS:
            size = one.sum(1).cumsum(0)
            place = (size - 1) * GROUPS // size[-1]
            few = one.new_zeros(GROUPS, 2).index_add_(0, place, one)
            shift = value - of_groups(few.unsqueeze(0))[0]
        drawn = Bootstrap(
            lambda states: cells("groups", states["groups"]), lambda drawn: of_groups(drawn["groups"]), {"groups": few}
        )
        ends.append(torch.stack(drawn(request)) + shift)
    low, high = torch.stack(ends, 1)
    return low, high
