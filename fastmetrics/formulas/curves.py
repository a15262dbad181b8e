# SPDX-License-Identifier: Apache-2.0
"""Curves over thresholds, and the areas under them. Everything is computed in float64."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas.curve_table import Points
from fastmetrics.native.transforms import any_holds

#: Three tensors of one curve, or of curves of the same points, or a list of them for each of three.
Curves = tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]


def _each(values: Tensor, sizes: Tensor) -> Tensor:
    """A number of each curve for each of its points."""
    return values.double().repeat_interleave(sizes)


def _warn_without(positives: Tensor | None, negatives: Tensor | None, result: str = "") -> None:
    if negatives is not None and any_holds(negatives <= 0):
        rank_zero_warn(
            "No negative samples in targets, false positive value should be meaningless."
            " Returning zero tensor in false positive score"
        )
    if positives is not None and any_holds(positives <= 0):
        rank_zero_warn(result)


_NO_POSITIVES = (
    "No positive samples in targets, true positive value should be meaningless."
    " Returning zero tensor in true positive score"
)
_NO_RECALL = "No positive samples found in target, recall is undefined. Setting recall to one for all thresholds."


def precision_recall(points: Points, binned: bool, absent: float = 1.0) -> tuple[Tensor, Tensor]:
    """Precision and recall at each point, float64 ``[P]``; 0 / 0 is NaN at given thresholds.

    Args:
        points: of the curves.
        binned: whether they are at given thresholds.
        absent: the recall of a curve at scores that has no positives; 1 comes with a warning.
    """
    tp, fp = points.tp.double(), points.fp.double()
    if not binned and absent == 1:
        _warn_without(points.positives, None, _NO_RECALL)
    recall = tp / _each(points.positives, points.sizes)
    return tp / (tp + fp), recall if binned else recall.nan_to_num(nan=absent)


def rates(points: Points, binned: bool) -> tuple[Tensor, Tensor]:
    """False and true positive rate at each point, float64 ``[P]``; 0 / 0 is 0."""
    if not binned:
        _warn_without(points.positives, points.negatives, _NO_POSITIVES)
    of_fp, of_tp = (_each(v, points.sizes) for v in (points.negatives, points.positives))
    return (points.fp / of_fp).nan_to_num(nan=0.0), (points.tp / of_tp).nan_to_num(nan=0.0)


def curve(
    values: list[Tensor], sizes: Tensor, flip: bool, ends: Sequence[float | None], before: bool
) -> list[list[Tensor]]:
    """Values of the points of each curve, with a value more.

    Args:
        values: ``[P]`` each.
        sizes: points of each curve.
        flip: turn the points of each curve around.
        ends: the value that is put to each, or None.
        before: whether it comes before the others, or behind them.
    """
    found = []
    for value, end in zip(values, ends, strict=True):
        parts = list(value.split(sizes.tolist()))
        if flip:
            parts = [part.flip(0) for part in parts]
        if end is not None:
            edge = value.new_full((1,), end)
            parts = [torch.cat([edge, part] if before else [part, edge]) for part in parts]
        found.append(parts)
    return found


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


def area(areas: Tensor) -> Tensor:
    """Areas under the ROC curves, ``[C]``, from :func:`~fastmetrics.formulas.curve_table.curve_areas_body`."""
    _warn_without(areas[:, 0], areas[:, 1], _NO_POSITIVES)
    return (areas[:, 2] / (areas[:, 0] * areas[:, 1])).nan_to_num(nan=0.0)


def average_precision(areas: Tensor, absent: float = 1.0) -> Tensor:
    """Average precisions, ``[C]``, from the same; without positives 0, with a warning, if ``absent`` is 1, else NaN."""
    value = areas[:, 3] / areas[:, 0]
    if absent != 1:
        return value
    _warn_without(areas[:, 0], None, _NO_RECALL)
    return value.nan_to_num(nan=0.0)


def binned_area(points: Points) -> Tensor:
    """Areas under the ROC curves at given thresholds, ``[C]``."""
    curves = len(points.sizes)
    fpr, tpr = (rate.view(curves, -1).flip(1) for rate in rates(points, True))
    return torch.trapezoid(tpr, fpr)


def binned_average_precision(points: Points) -> Tensor:
    """Average precisions at given thresholds, ``[C]``."""
    curves = len(points.sizes)
    precision, recall = (v.view(curves, -1).nan_to_num(nan=0.0) for v in precision_recall(points, True))
    recall = torch.cat([recall, recall.new_zeros(curves, 1)], 1)
    return -(recall.diff(dim=1) * precision).sum(1)


def average(values: Tensor, how: str | None, positives: Tensor) -> Tensor:
    """The mean of the values of classes that have one, or all of them."""
    if how is None or how == "none":
        return values
    defined = ~values.isnan()
    if any_holds(~defined):
        rank_zero_warn(
            f"Average precision score for one or more classes was `nan`. Ignoring these classes in {how}-average"
        )
    weights = (positives.double() if how == "weighted" else torch.ones_like(values)) * defined
    total = weights.sum()
    mean = (values.nan_to_num() * weights).sum() / total
    return mean.nan_to_num(nan=0.0) if how == "weighted" else mean
