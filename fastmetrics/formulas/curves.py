# SPDX-License-Identifier: Apache-2.0
"""Curves over thresholds, and the areas under them. Everything is computed in float64."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TypeGuard

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas.curve_table import SORTED, Classes, Points, ScorePoints, Sorted
from fastmetrics.native.memory import empty
from fastmetrics.native.operators import define
from fastmetrics.native.transforms import any_holds, looks, may_hold

#: The values of each curve.
Columns = tuple[Tensor, ...]

ROC_SCHEMA = f"roc_curves_({SORTED}, Tensor(a!) fpr, Tensor(b!) tpr, Tensor(c!) thresholds) -> ()"
PRECISION_RECALL_SCHEMA = (
    f"precision_recall_curves_({SORTED}, Tensor(a!) precision, Tensor(b!) recall, Tensor(c!) thresholds, float absent)"
    " -> ()"
)

_EXACT = 1 << 24  # whole numbers up to this are float32


def _share(counts: Tensor, totals: Tensor, points: Points, dtype: torch.dtype = torch.float64) -> Tensor:
    """Counts ``[P]`` over a total of each curve, rounded once to ``dtype``; 0 / 0 is 0."""
    whole = (
        dtype == torch.float32
        and not (points.binned or totals.is_floating_point())  # float64 of samples with weights
        and int(totals.max()) <= _EXACT
    )
    totals = torch.where(totals == 0, 1, totals).to(torch.float32 if whole else torch.float64)
    if len(totals) > 1:
        totals = totals.repeat_interleave(points.sizes, output_size=len(points.tp))
    return (counts / totals).to(dtype)


def precision_recall(points: Points, absent: float = 1.0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Precision and recall at each point, ``[P]``; 0 / 0 is NaN at given thresholds.

    Args:
        points: of the curves.
        absent: the recall of a curve at scores that has no positives.
        dtype: of the result.
    """
    recall = _share(points.tp, points.positives, points, dtype)
    without = points.positives == 0
    if may_hold(without):
        filled = without if len(without) == 1 else without.repeat_interleave(points.sizes, output_size=len(recall))
        recall = recall.masked_fill(filled, nan if points.binned else absent)
    return points.precision.to(dtype), recall


def rates(points: Points, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """False and true positive rate at each point, ``[P]``; 0 / 0 is 0."""
    return _share(points.fp, points.negatives, points, dtype), _share(points.tp, points.positives, points, dtype)


def gains(points: Points, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """The shares of all samples and of all positives that reach each threshold, ``[P]``; 0 / 0 is 0."""
    samples = _share(points.tp + points.fp, points.positives + points.negatives, points, dtype)
    return samples, _share(points.tp, points.positives, points, dtype)


def lift(points: Points) -> Tensor:
    """Precision at each threshold over that of all samples, float64 ``[P]``; 0 / 0 is NaN."""
    times = (points.positives + points.negatives) / points.positives.double()
    return points.precision * times.repeat_interleave(points.sizes, output_size=len(points.tp))


def rate_rows(points: Points) -> tuple[Tensor, Tensor]:
    """False and true positive rate, float64 ``[C, points]``, in the order of the curve that is returned.

    At given thresholds they are turned around; at all scores (0, 0) comes first.
    """
    if not points.binned:
        warn_of_one_class(points)
    _, tp, fp = points.rows
    found = (fp / points.negatives.double()[:, None]), (tp / points.positives.double()[:, None])
    fpr, tpr = (rate.nan_to_num(nan=0.0) for rate in found)
    if points.binned:
        return fpr.flip(1), tpr.flip(1)
    return from_zero(fpr), from_zero(tpr)


def from_zero(rate: Tensor) -> Tensor:
    """Rates with a zero before them, along the last dimension."""
    return torch.nn.functional.pad(rate, (1, 0))


def warn_of_one_class(curves: Classes) -> None:
    """Warn if a curve has no positives, or no negatives."""
    if not looks():
        return
    no_positives, no_negatives = curves.lacks
    if no_negatives:
        rank_zero_warn(
            "No negative samples in targets, false positive value should be meaningless."
            " Returning zero tensor in false positive score"
        )
    if no_positives:
        rank_zero_warn(
            "No positive samples in targets, true positive value should be meaningless."
            " Returning zero tensor in true positive score"
        )


def warn_of_no_positives(curves: Classes) -> None:
    """Warn if a curve has no positives, and so no recall."""
    if looks() and curves.lacks[0]:
        rank_zero_warn(
            "No positive samples found in target, recall is undefined. Setting recall to one for all thresholds."
        )


def curve(
    values: Sequence[Tensor], points: Points, flip: bool, ends: Sequence[float | None], before: bool
) -> tuple[Columns, Columns, Columns]:
    """Three values of the points of each curve, with a value more.

    Args:
        values: ``[P]`` each.
        points: of the curves.
        flip: turn the points of each curve around.
        ends: the value that is put to each, or None.
        before: whether it comes before the others, or behind them.
    """
    sizes = points.sizes.tolist() if points.width is None else [points.width] * len(points.sizes)
    found: list[Columns] = []
    if len(sizes) == 1:
        pad = (1, 0) if before else (0, 1)
        for value, end in zip(values, ends, strict=True):
            turned = value.flip(0) if flip else value
            # a copy, since metrics of a collection have the same points
            found.append((turned.clone() if end is None else torch.nn.functional.pad(turned, pad, value=end),))
        return found[0], found[1], found[2]
    # where the points of a curve and its end go, one curve after the other
    of_curve = torch.arange(len(sizes), device=points.sizes.device).repeat_interleave(points.sizes)
    place = torch.arange(len(of_curve), device=of_curve.device)
    if flip:
        place = 2 * points.starts[of_curve] + points.sizes[of_curve] - 1 - place
    for value, end in zip(values, ends, strict=True):
        more = 0 if end is None else 1
        whole = value.new_full((len(value) + more * len(sizes),), 0.0 if end is None else end)
        whole[place + more * (of_curve + before)] = value
        found.append(whole.split([size + more for size in sizes]))
    return found[0], found[1], found[2]


def roc_curves(points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
    """False and true positive rates and thresholds of each curve; at all scores (0, 0) comes first, at threshold 1."""
    if not points.binned:
        warn_of_one_class(points)
    if not _is_written_at_once(points, dtype):
        return _roc_curves(points, dtype)
    fpr, tpr, thresholds = found = _room(points, 1)
    roc_curves_(*points.scores, fpr, tpr, thresholds)
    return _columns(points, found)


def _roc_curves(points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
    ends = [None, None, None] if points.binned else [0.0, 0.0, 1.0]
    return curve([*rates(points, dtype), points.thresholds], points, points.binned, ends, before=True)


def precision_recall_curves(
    points: Points, dtype: torch.dtype, absent: float = 1.0
) -> tuple[Columns, Columns, Columns]:
    """Precisions, recalls and thresholds of each curve, with (1, 0) behind them.

    Args:
        points: of the curves.
        dtype: of precision and recall.
        absent: see :func:`precision_recall`; 1 comes with a warning.
    """
    if not points.binned and absent == 1:
        warn_of_no_positives(points)
    if not _is_written_at_once(points, dtype):
        return _precision_recall_curves(points, dtype, absent)
    precision, recall, thresholds = found = _room(points, 0)
    precision_recall_curves_(*points.scores, precision, recall, thresholds, absent)
    return _columns(points, found)


def _precision_recall_curves(points: Points, dtype: torch.dtype, absent: float) -> tuple[Columns, Columns, Columns]:
    values = [*precision_recall(points, absent, dtype), points.thresholds]
    return curve(values, points, not points.binned, [1.0, 0.0, None], before=False)


def _is_written_at_once(points: Points, dtype: torch.dtype) -> TypeGuard[ScorePoints]:
    """Whether an operator writes the curves; where it has no kernel, metrics share the points instead."""
    return (
        isinstance(points, ScorePoints)
        and dtype == torch.float32
        and points.sizes.device.type == "cpu"
        and points.total > 0
    )


def _room(points: ScorePoints, more: int) -> tuple[Tensor, Tensor, Tensor]:
    """Memory for two values of all curves, each with one more, and for their thresholds, each with so many more."""
    curves, values = len(points.sizes), points.scores[0]
    one, other = (empty(values, points.total + curves, dtype=torch.float32) for _ in range(2))
    return one, other, empty(values, points.total + more * curves)


def _columns(points: ScorePoints, found: Sequence[Tensor]) -> tuple[Columns, Columns, Columns]:
    """The values of each curve."""
    if len(points.sizes) == 1:
        return (found[0],), (found[1],), (found[2],)
    sizes = points.sizes.tolist()
    more = [(len(values) - points.total) // len(sizes) for values in found]
    one, other, thresholds = (v.split([size + m for size in sizes]) for v, m in zip(found, more, strict=True))
    return one, other, thresholds


def roc_curves_body(
    values: Tensor,
    labels: Tensor | None,
    counts: Tensor,
    blocks: Tensor,
    fpr: Tensor,
    tpr: Tensor,
    thresholds: Tensor,
) -> None:
    """Write ROC curves of sorted scores, one after the other: (0, 0) at threshold 1, and the points.

    Args:
        values: this and the next three are :data:`~fastmetrics.formulas.curve_table.SortedScores`.
        labels: see there.
        counts: see there.
        blocks: see there.
        fpr: float32 ``[points + C]``, rounded once, as the next one is.
        tpr: float32 ``[points + C]``.
        thresholds: ``[points + C]``, descending.
    """
    _write(_roc_curves(ScorePoints((values, labels, counts, blocks)), fpr.dtype), (fpr, tpr, thresholds))


def precision_recall_curves_body(
    values: Tensor,
    labels: Tensor | None,
    counts: Tensor,
    blocks: Tensor,
    precision: Tensor,
    recall: Tensor,
    thresholds: Tensor,
    absent: float,
) -> None:
    """Write precision-recall curves of sorted scores, one after the other: the points, and (1, 0).

    Args:
        values: this and the next three are :data:`~fastmetrics.formulas.curve_table.SortedScores`.
        labels: see there.
        counts: see there.
        blocks: see there.
        precision: float32 ``[points + C]``, rounded once, as the next one is.
        recall: float32 ``[points + C]``.
        thresholds: ``[points]``, ascending.
        absent: the recall of a curve without positives.
    """
    points = ScorePoints((values, labels, counts, blocks))
    _write(_precision_recall_curves(points, precision.dtype, absent), (precision, recall, thresholds))


def _write(found: Sequence[Columns], to: Sequence[Tensor]) -> None:
    for columns, of in zip(found, to, strict=True):
        of.copy_(torch.cat(columns))


def _fake(*_: object) -> None:
    pass


roc_curves_ = define(ROC_SCHEMA, roc_curves_body, _fake, ("cpu",), library="scores")
precision_recall_curves_ = define(
    PRECISION_RECALL_SCHEMA, precision_recall_curves_body, _fake, ("cpu",), library="scores"
)


def mean_curve(
    one: Sequence[Tensor], other: Sequence[Tensor], thresholds: Sequence[Tensor], descending: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The mean of curves, interpolated wherever any of them has a point.

    Args:
        one: the horizontal values of each curve.
        other: its vertical values.
        thresholds: its thresholds.
        descending: the order of the thresholds.
    """
    x = torch.cat(list(one)).sort().values
    mean = torch.zeros_like(x)
    for a, b in zip(one, other, strict=True):
        mean += interpolated(x, a, b)
    return x, mean / len(one), torch.cat(list(thresholds)).sort(descending=descending).values


def interpolated(x: Tensor, of_x: Tensor, values: Tensor) -> Tensor:
    """Values between points, as torchmetrics interpolates them.

    The line through a point and the next one serves ``x`` if as many points as come up to it have values of at most
    ``x``, in whatever order they are. Beyond the last the line through the last two goes on.

    Args:
        x: where.
        of_x: ``[P]``.
        values: ``[P]``, those at ``of_x``.
    """
    rise, run = values.diff(), of_x.diff()
    slope = torch.where(run == 0, 0.0, rise / run)
    start = values[:-1] - slope * of_x[:-1]
    ordered = of_x.nan_to_num(nan=torch.inf).sort().values
    index = (torch.searchsorted(ordered, x, right=True) - 1).clamp(0, len(slope) - 1)
    index = torch.where(x.isnan(), 0, index)
    return slope[index] * x + start[index]


def partial_area(fpr: Tensor, tpr: Tensor, most: float) -> Tensor:
    """The area under the part of a ROC curve up to a false positive rate, standardised as by McClish."""
    if not bool(fpr.any()) or not bool(tpr.any()):
        return torch.trapezoid(tpr, fpr)
    limit = fpr.new_tensor(most)
    stop = int(torch.bucketize(limit, fpr, right=True))
    share = (limit - fpr[stop - 1]) / (fpr[stop] - fpr[stop - 1])
    tpr = torch.cat([tpr[:stop], torch.lerp(tpr[stop - 1], tpr[stop], share).view(1)])
    fpr = torch.cat([fpr[:stop], limit.view(1)])
    least = 0.5 * most**2
    return 0.5 * (1 + (torch.trapezoid(tpr, fpr) - least) / (most - least))


def log_area(points: Points, least: float, most: float) -> Tensor:
    """Areas under the ROC curves over log fpr from ``least`` to ``most``, over the width of that, float64 ``[C]``.

    Between two points tpr is a line over fpr where a range begins or ends, and over log fpr otherwise, as torchmetrics
    has it. Curves at given thresholds go on as their first and last lines do.
    """
    fpr, tpr = rate_rows(points)
    if points.binned:  # which come in any order
        order = fpr.argsort(dim=1, stable=True)
        fpr = fpr.gather(1, order)
        tpr = tpr.gather(1, order)
    if fpr.shape[1] < 2:
        rank_zero_warn(
            "At least two values on for the fpr and tpr are required to compute the log AUC. Returns 0 score."
        )
        return fpr.new_zeros(len(fpr))
    run, rise = fpr.diff(dim=1), tpr.diff(dim=1)
    left, right = (v.clamp(least, most) for v in (fpr[:, :-1], fpr[:, 1:]))
    if points.binned:
        left[:, 0], right[:, -1] = least, most
    slope = torch.where(run == 0, 0.0, rise / run)
    both = 2 * tpr[:, :-1] + slope * (left + right - 2 * fpr[:, :-1])  # tpr where the part of a line begins and ends
    width = torch.where(left < right, right.log10() - left.log10(), 0.0)
    value = 0.5 * (both * width).sum(1) / (fpr.new_tensor(most).log10() - fpr.new_tensor(least).log10())
    return torch.where(points.negatives > 0, value, 0.0)


def area(found: Sorted) -> Tensor:
    """Areas under the ROC curves, ``[C]``; 0 without one of the classes, with a warning."""
    warn_of_one_class(found)
    return (found.area / (found.positives * found.negatives)).nan_to_num(nan=0.0)


def average_precision(found: Sorted, absent: float = 1.0) -> Tensor:
    """Average precisions, ``[C]``; without positives 0, with a warning, if ``absent`` is 1, else NaN."""
    value = found.precisions() / found.positives
    if absent != 1:
        return value
    warn_of_no_positives(found)
    return value.nan_to_num(nan=0.0)


def binned_area(points: Points) -> Tensor:
    """Areas under the ROC curves at given thresholds, ``[C]``."""
    fpr, tpr = rate_rows(points)
    return torch.trapezoid(tpr, fpr)


def binned_average_precision(points: Points) -> Tensor:
    """Average precisions at given thresholds, ``[C]``."""
    curves = len(points.sizes)
    precision, recall = (v.view(curves, -1).nan_to_num(nan=0.0) for v in precision_recall(points))
    recall = torch.cat([recall, recall.new_zeros(curves, 1)], 1)
    return -(recall.diff(dim=1) * precision).sum(1)


def average(values: Tensor, how: str | None, curves: Classes) -> Tensor:
    """The mean of the values ``[C]`` of curves that have one, or all of them."""
    if how is None or how == "none":
        return values
    defined = ~values.isnan()
    if any_holds(~defined):
        rank_zero_warn(
            f"Average precision score for one or more classes was `nan`. Ignoring these classes in {how}-average"
        )
    weights = (curves.positives.double() if how == "weighted" else torch.ones_like(values)) * defined
    total = weights.sum()
    mean = (values.nan_to_num() * weights).sum() / total
    return mean.nan_to_num(nan=0.0) if how == "weighted" else mean
