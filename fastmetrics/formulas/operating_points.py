# SPDX-License-Identifier: Apache-2.0
"""Points of curves that are the best in some way: what they reach, and their thresholds. All are computed in float64.

Curves at all scores have every value between those of their ends, in order, so a point is found in a few looks at some
of them, or by an operator that looks at the sorted scores. At given thresholds, which come in any order, all points are
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.formulas.curve_table import SORTED, Points, ScorePoints
from fastmetrics.formulas.curves import from_zero, precision_recall, rate_rows, warn_of_no_positives, warn_of_one_class
from fastmetrics.native.operators import define

FIND_SCHEMA = f"find_points_({SORTED}, Tensor(a!) found, Tensor(b!) thresholds, int search, float least) -> ()"

#: The threshold where torchmetrics finds no point, of rates.
NO_THRESHOLD = 1e6

_AT_ONCE = 1024  # points of a curve that are looked at together
_MOST_AT_ONCE = 1 << 18  # of all curves


def first(sizes: Tensor, holds: Callable[[Tensor], Tensor]) -> Tensor:
    """The first place of each curve where a condition holds, int64 ``[C]``; the size of the curve if there is none.

    Args:
        sizes: int64 ``[C]``.
        holds: whether it does at places ``[C, K]``, bool ``[C, K]``; from the first place on it holds everywhere.
    """
    low, high = torch.zeros_like(sizes), sizes
    span = int(sizes.max())
    looks = max(2, min(_AT_ONCE, _MOST_AT_ONCE // len(sizes)))
    while span > 0:
        step = -(-span // looks)
        places = low[:, None] + torch.arange(0, span, step, device=sizes.device)
        before = ((places < high[:, None]) & ~holds(places.minimum(high[:, None] - 1).clamp(min=0))).sum(1)
        low, high = torch.where(before > 0, low + (before - 1) * step + 1, low), (low + before * step).minimum(high)
        span = step - 1
    return low


class _Walk:
    """The points of ROC curves at all scores, (0, 0) with threshold 1 first."""

    def __init__(self, points: Points) -> None:
        self.sizes = points.sizes + 1
        self.points = points

    def _at(self, values: Tensor, places: Tensor, origin: float) -> Tensor:
        if len(values) == 0:
            return torch.full_like(places, origin, dtype=values.dtype)
        starts = self.points.starts.view(-1, *(1 for _ in places.shape[1:]))
        found = values[(starts + places - 1).clamp(0, len(values) - 1)]
        return torch.where(places > 0, found, torch.full_like(found, origin))

    def tp(self, places: Tensor) -> Tensor:
        return self._at(self.points.tp, places, 0)

    def sensitivity(self, places: Tensor) -> Tensor:
        return _share(self.tp(places), self.points.positives)

    def fp(self, places: Tensor) -> Tensor:
        return self._at(self.points.fp, places, 0)

    def fpr(self, places: Tensor) -> Tensor:
        return _share(self.fp(places), self.points.negatives)

    def specificity(self, places: Tensor) -> Tensor:
        return _specificity(self.fp(places), self.points.negatives)

    def thresholds(self, places: Tensor) -> Tensor:
        return self._at(self.points.thresholds, places, 1)


def _share(counts: Tensor, totals: Tensor, of_none: float = 0.0) -> Tensor:
    totals = totals.double() if counts.dim() == 1 else totals.double()[:, None]
    return (counts / totals).nan_to_num(nan=of_none)


def _specificity(fp: Tensor, negatives: Tensor) -> Tensor:
    negatives = negatives if fp.dim() == 1 else negatives[:, None]
    return ((negatives - fp) / negatives.double()).nan_to_num(nan=1.0)


#: What :func:`find_points_body` looks for.
EQUAL_ERRORS, SPECIFICITY, SENSITIVITY, RECALL, PRECISION = range(5)


def _of_equal_errors(walk: _Walk, least: float) -> Tensor:
    def gap(places: Tensor) -> Tensor:
        return _gap(walk.fpr(places), walk.sensitivity(places))

    # it grows along the curve, so the least one is next to its zero
    above = first(walk.sizes, lambda places: gap(places) >= 0).minimum(walk.sizes - 1)
    below = gap((above - 1).clamp(min=0))
    other = first(walk.sizes, lambda places: gap(places) >= below[:, None])
    return torch.where(below.abs() <= gap(above).abs(), other, above)


def _of_specificity(walk: _Walk, least: float) -> Tensor:
    allowed = first(walk.sizes, lambda places: ~(walk.specificity(places) >= least))
    most = walk.tp((allowed - 1).clamp(min=0))
    return torch.where(allowed > 0, first(walk.sizes, lambda places: walk.tp(places) >= most[:, None]), -1)


def _of_sensitivity(walk: _Walk, least: float) -> Tensor:
    place = first(walk.sizes, lambda places: walk.sensitivity(places) >= least)
    return torch.where(place < walk.sizes, place, -1)


def _of_recall(walk: _Walk, least: float) -> Tensor:
    points = walk.points
    place = first(walk.sizes, lambda places: (places > 0) & (walk.sensitivity(places) >= least)) - 1
    precision = points.in_rows(points.precision)
    columns = torch.arange(precision.shape[1], device=precision.device)
    allowed = (columns >= place[:, None]) & (columns < points.sizes[:, None]) & (points.positives > 0)[:, None]
    value, place = _last_greatest(torch.where(allowed, precision, -1.0))
    return torch.where((value >= 0) & (points.sizes > 0), place + 1, -1)


def _of_precision(walk: _Walk, least: float) -> Tensor:
    points = walk.points
    found, place = _last_greatest(points.in_rows((points.precision >= least).to(torch.uint8)))
    place = place.minimum((points.sizes - 1).clamp(min=0))  # rows repeat the last point
    most = walk.tp(place + 1)  # the first point that has as many is the most precise one
    place = first(walk.sizes, lambda places: (places > 0) & (walk.tp(places) >= most[:, None]))
    return torch.where((found > 0) & (points.sizes > 0), place, -1)


_SEARCHES = _of_equal_errors, _of_specificity, _of_sensitivity, _of_recall, _of_precision


class Found(NamedTuple):
    """A point of each curve, ``[C]`` each: its counts, -1 if there is none, and its threshold, NaN then."""

    tp: Tensor
    fp: Tensor
    thresholds: Tensor

    def or_zero(self, values: Tensor) -> Tensor:
        """Values of the points that there are."""
        return values.masked_fill(self.tp < 0, 0.0)


def _find(points: Points, search: int, least: float = 0.0) -> Found:
    """A point of each curve at all scores, see :func:`find_points_body`."""
    if isinstance(points, ScorePoints) and points.scores[0].numel() and points.scores[0].device.type == "cpu":
        values, _, counts, _ = points.scores
        found, thresholds = counts.new_empty(len(values), 2), values.new_empty(len(values))
        find_points_(*points.scores, found, thresholds, search, least)
        tp, fp = found.unbind(1)
        return Found(tp, fp, thresholds)
    return _look(points, search, least)


def _look(points: Points, search: int, least: float) -> Found:
    walk = _Walk(points)
    place = _SEARCHES[search](walk, least)
    none, place = place < 0, place.clamp(min=0)
    tp, fp = (counts.masked_fill(none, -1) for counts in (walk.tp(place), walk.fp(place)))
    return Found(tp, fp, walk.thresholds(place).masked_fill(none, torch.nan))


def find_points_body(
    values: Tensor,
    labels: Tensor | None,
    counts: Tensor,
    blocks: Tensor,
    found: Tensor,
    thresholds: Tensor,
    search: int,
    least: float,
) -> None:
    """Find a point of each curve of sorted scores; a curve begins with one that no score reaches.

    Args:
        values: this and the next three are :data:`~fastmetrics.formulas.curve_table.SortedScores`.
        labels: see there.
        counts: see there.
        blocks: see there.
        found: int64 ``[C, 2]``: how many positive and how many negative scores reach its threshold; -1 if there is no
            such point.
        thresholds: ``[C]``, of the dtype of ``values``: 1 where no score reaches it, NaN if there is no such point.
        search: ``EQUAL_ERRORS`` is the first one where false positive and false negative rate differ least, in float32;
            ``SPECIFICITY`` the first one of the most positives where specificity is at least ``least``; ``SENSITIVITY``
            the first one where sensitivity is; ``RECALL`` the last one of the greatest precision where recall is, of
            curves with positives; and ``PRECISION`` the first one of the most positives where precision is. The last
            two are reached by a score.
        least: see there.
    """
    at = _look(ScorePoints((values, labels, counts, blocks)), search, least)
    found.copy_(torch.stack([at.tp, at.fp], 1))
    thresholds.copy_(at.thresholds)


def _fake(*_: object) -> None:
    pass


find_points_ = define(FIND_SCHEMA, find_points_body, _fake, ("cpu",), library="scores")


def sensitivity_at_specificity(points: Points, least: float) -> tuple[Tensor, Tensor]:
    """The greatest sensitivity of each curve where specificity is at least ``least``, and the first threshold there."""
    if points.binned:
        sensitivity, specificity = _sensitivity_and_specificity(points)
        return _greatest(points, sensitivity, specificity >= least)
    warn_of_one_class(points)
    found = _find(points, SPECIFICITY, least)
    return found.or_zero(_share(found.tp, points.positives)), _or_none(found.thresholds)


def specificity_at_sensitivity(points: Points, least: float) -> tuple[Tensor, Tensor]:
    """The greatest specificity of each curve where sensitivity is at least ``least``, and the first threshold there."""
    if points.binned:
        sensitivity, specificity = _sensitivity_and_specificity(points)
        return _greatest(points, specificity, sensitivity >= least)
    warn_of_one_class(points)
    found = _find(points, SENSITIVITY, least)
    return found.or_zero(_specificity(found.fp, points.negatives)), _or_none(found.thresholds)


def _sensitivity_and_specificity(points: Points) -> tuple[Tensor, Tensor]:
    """Those at given thresholds, ``[C, T]``, the last threshold first."""
    _, tp, fp = (v.flip(1) for v in points.rows)
    return _share(tp, points.positives), _specificity(fp, points.negatives)


def _greatest(points: Points, values: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    place = torch.where(allowed, values, -1.0).argmax(1, keepdim=True)
    thresholds = points.rows[0].flip(1)
    found, best = allowed.any(1), thresholds.gather(1, place)[:, 0]
    value = torch.where(found, values.gather(1, place)[:, 0], 0.0)
    return value, _or_none(torch.where(found, best, torch.nan))


def _or_none(thresholds: Tensor) -> Tensor:
    """Thresholds, and in place of NaN that of no point, which is infinite if a dtype has no such number."""
    return thresholds.nan_to_num(nan=NO_THRESHOLD, posinf=torch.inf, neginf=-torch.inf)


def precision_at_recall(points: Points, least: float, absent: float = 1.0) -> tuple[Tensor, Tensor]:
    """The greatest precision of each curve where recall is at least ``least``, and its threshold.

    Of equal ones that of the greatest recall, then that of the greatest threshold. Without any, or if it is 0, the
    precision is 0 and the threshold NaN.

    Args:
        points: of the curves.
        least: of recall.
        absent: see :func:`~fastmetrics.formulas.curves.precision_recall`.
    """
    if points.binned:
        precision, recall, thresholds = _precision_recall_rows(points)
        return _first_of_both(precision, recall, thresholds, recall >= least)
    _warn_without_positives(points, absent)
    found = _find(points, RECALL, least)
    value = found.or_zero(found.tp / (found.tp + found.fp).double())
    return value, found.thresholds.masked_fill(value == 0, torch.nan)


def recall_at_precision(points: Points, least: float, absent: float = 1.0) -> tuple[Tensor, Tensor]:
    """The greatest recall of each curve where precision is at least ``least``, and its threshold.

    Of equal ones that of the greatest precision, and so on, as in :func:`precision_at_recall`.

    Args:
        points: of the curves.
        least: of precision.
        absent: see :func:`precision_at_recall`.
    """
    if points.binned:
        precision, recall, thresholds = _precision_recall_rows(points)
        return _first_of_both(recall, precision, thresholds, precision >= least)
    _warn_without_positives(points, absent)
    found = _find(points, PRECISION, least)
    value = found.or_zero(_share(found.tp, points.positives, absent if absent == 1 else 0.0))
    return value, found.thresholds.masked_fill(value == 0, torch.nan)


def _warn_without_positives(points: Points, absent: float) -> None:
    if absent == 1:
        warn_of_no_positives(points)


def _last_greatest(values: Tensor) -> tuple[Tensor, Tensor]:
    """The greatest value of each row, and the last place of it."""
    rows, width = values.shape
    if width == 0:
        return values.new_zeros(rows), torch.zeros(rows, dtype=torch.int64, device=values.device)
    place = width - 1 - values.flip(1).argmax(1)
    return values.gather(1, place[:, None])[:, 0], place


def _precision_recall_rows(points: Points) -> tuple[Tensor, Tensor, Tensor]:
    """Precision, recall and thresholds, ``[C, T]``."""
    precision, recall = precision_recall(points)
    thresholds, *_ = points.rows
    return points.in_rows(precision), points.in_rows(recall), thresholds


def _first_of_both(value: Tensor, then: Tensor, thresholds: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    none = -torch.inf
    value = torch.where(allowed, value, none).nan_to_num(nan=none)
    most = value.amax(1, keepdim=True)
    then = torch.where(value == most, then, none).nan_to_num(nan=none)
    best = torch.where((value == most) & (then == then.amax(1, keepdim=True)), thresholds, none).amax(1)
    most = most[:, 0].clamp(min=0)
    return most, torch.where(most > 0, best, torch.nan)


def equal_error_rates(points: Points) -> Tensor:
    """The error rate of each curve where false positives and false negatives are most nearly equal, ``[C]``."""
    if points.binned:
        return equal_error_rate(*rate_rows(points))
    warn_of_one_class(points)
    found = _find(points, EQUAL_ERRORS)
    return (_share(found.fp, points.negatives) + (1 - _share(found.tp, points.positives))) / 2


def equal_error_rate(fpr: Tensor, tpr: Tensor) -> Tensor:
    """The same of ROC curves ``[..., points]``, in any order."""
    place = _gap(fpr, tpr).abs().argmin(-1, keepdim=True)
    return ((fpr + (1 - tpr)) / 2).gather(-1, place)[..., 0]


def _gap(fpr: Tensor, tpr: Tensor) -> Tensor:
    """False positive rate less false negative rate, in float32, which chooses as torchmetrics does."""
    return fpr.float() - (1 - tpr.float())


def separation(points: Points) -> Tensor:
    """The greatest distance of the true and the false positive rate of each curve, ``[C]``; 0 if it has one class."""
    fpr, tpr = rate_rows(points)
    both = (points.positives > 0) & (points.negatives > 0)
    return torch.where(both, (tpr - fpr).abs().amax(1), 0.0)


class Decisions(NamedTuple):
    """What deciding at each threshold counts, ``[C, points]`` each, the greatest threshold first.

    At all scores the first threshold is infinite: nothing is positive.
    """

    thresholds: Tensor
    tp: Tensor
    fp: Tensor
    tn: Tensor
    fn: Tensor


def decisions(points: Points) -> Decisions:
    """The decisions at each threshold, of scores that are at least as great."""
    thresholds, tp, fp = points.rows
    if points.binned:
        order = thresholds.argsort(dim=1, descending=True, stable=True)
        thresholds, tp, fp = (v.gather(1, order) for v in (thresholds, tp, fp))
    else:
        thresholds = torch.nn.functional.pad(thresholds, (1, 0), value=torch.inf)
        tp, fp = from_zero(tp), from_zero(fp)
    return Decisions(thresholds, tp, fp, points.negatives[:, None] - fp, points.positives[:, None] - tp)


def f_beta(of: Decisions, beta: float) -> Tensor:
    """F-beta of decisions, float64; NaN without positives."""
    square = beta**2
    value = (1 + square) * of.tp / ((1 + square) * of.tp + square * of.fn + of.fp).double()
    return torch.where(of.tp + of.fn > 0, value, torch.nan)


def youden(of: Decisions) -> Tensor:
    """Sensitivity and specificity less 1, float64; NaN without positives or negatives."""
    tp, fp = of.tp.double(), of.fp.double()
    positives, negatives = tp + of.fn, fp + of.tn
    return (tp * negatives - fp * positives) / (positives * negatives)  # of whole numbers, so that ties are ties


def saved_cost(of: Decisions, costs: tuple[float, float]) -> Tensor:
    """Less the mean cost of a decision, float64, a false positive and a false negative having ``costs``; or NaN."""
    return -(costs[0] * of.fp + costs[1] * of.fn) / (of.tp + of.fp + of.tn + of.fn).double()


def best(of: Decisions, values: Tensor) -> tuple[Tensor, Tensor]:
    """The greatest value of each curve and the greatest threshold that has it, ``[C]``; NaN where there is none."""
    place = values.nan_to_num(nan=-torch.inf).argmax(1, keepdim=True)
    value, threshold = values.gather(1, place)[:, 0], of.thresholds.gather(1, place)[:, 0]
    return value, torch.where(value.isnan(), torch.nan, threshold)
