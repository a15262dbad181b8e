# SPDX-License-Identifier: Apache-2.0
"""Scores of segmented images from their tables of pixel counts, see :mod:`fastmetrics.tables`.

A score that is not defined is NaN, and the mean over images leaves it out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.formulas.counts import FN, FP, TP
from fastmetrics.formulas.ratios import DROP_ABSENT, Ratio, average_ratio, fbeta
from fastmetrics.tables import overlap_and_sizes

INTERSECTION_OVER_UNION = Ratio(TP, TP + FP + FN)
DICE = fbeta(1.0)


def scored_classes(table: Tensor, include_background: bool, ignore_index: int | None) -> Tensor:
    """The table without class 0, unless ``include_background``, and with zeros in the row of an ignored class.

    Args:
        table: int64 or float64 [..., C, 3] or [..., C, 4].
        include_background: a single class is always kept.
        ignore_index: a class whose predicted pixels are dropped; its target pixels are not in the table. A value
            outside [0, C) changes nothing.
    """
    if ignore_index is not None and 0 <= ignore_index < table.shape[-2]:
        table = table.clone()
        table[..., ignore_index, :] = 0
    return table if include_background or table.shape[-2] == 1 else table[..., 1:, :]


def ratio(table: Tensor, of: Ratio, average: str | None, include_background: bool, ignore_index: int | None) -> Tensor:
    """A ratio averaged over classes; NaN without predicted and target pixels.

    Args:
        table: int64 or float64 [..., C, 3] or [..., C, 4].
        of: the score of one class.
        average: see :func:`~fastmetrics.formulas.ratios.average_ratio`; ``macro`` is the mean over the classes
            that have pixels.
        include_background: see :func:`scored_classes`.
        ignore_index: see :func:`scored_classes`.

    Returns:
        float32 [...], or [..., C] without an average.
    """
    table = scored_classes(table, include_background, ignore_index)
    if average not in ("macro", "weighted"):
        return average_ratio(of, table, average, torch.nan)
    score = average_ratio(of, table, average, 0.0, DROP_ABSENT)
    _, predicted, actual = overlap_and_sizes(table)
    return score.masked_fill(~(predicted + actual).any(-1), torch.nan)


def generalized_dice(
    table: Tensor,
    weight_type: str,
    per_class: bool,
    include_background: bool,
    ignore_index: int | None,
    zero_division: float = 0.0,
) -> Tensor:
    """Dice score with classes weighted by their size in the image.

    The weight of a class that is not in the target of an image is the greatest of the other classes in that image. The
    score of an image without pixels is NaN.

    Args:
        table: int64 or float64 [..., C, 3] or [..., C, 4].
        weight_type: ``linear`` is a weight of 1, ``simple`` of 1 / size, ``square`` of 1 / size².
        per_class: return the score of each class.
        include_background: see :func:`scored_classes`.
        ignore_index: see :func:`scored_classes`.
        zero_division: the score of a class (with ``per_class``), or of an image, without predicted and target pixels.

    Returns:
        float64 [...] or [..., C].

    Source:
        Sudre et al., Generalised Dice overlap as a deep learning loss function for highly unbalanced segmentations,
        2017; the weight of an absent class is as in MONAI.
    """
    seen = table.flatten(-2).any(-1)
    intersection, predicted, actual = overlap_and_sizes(scored_classes(table, include_background, ignore_index))
    size = actual.double()
    numerator, denominator = 2 * intersection, size + predicted
    absent = denominator == 0
    if weight_type != "linear":
        weight = size ** {"simple": -1, "square": -2}[weight_type]
        infinite = weight.isinf()
        weight = torch.where(infinite, weight.masked_fill(infinite, 0.0).amax(-1, keepdim=True), weight)
        numerator, denominator = numerator * weight, denominator * weight
    if per_class:
        seen = seen.unsqueeze(-1)
    else:
        numerator, denominator, absent = numerator.sum(-1), denominator.sum(-1), absent.all(-1)
    score = torch.where(denominator == 0, 0.0, numerator / denominator)
    return torch.where(seen, torch.where(absent, zero_division, score), torch.nan)
