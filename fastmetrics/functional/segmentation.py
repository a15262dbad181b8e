# SPDX-License-Identifier: Apache-2.0
"""Segmentation metrics as functions; they return the score of each image of a batch."""

from fastmetrics import segmentation
from fastmetrics.functional.forms import functional

_SHARED = ("input_format", "ignore_index")

mean_iou = functional(segmentation.MeanIoU, "mean_iou", "num_classes", "include_background", "per_class", *_SHARED)
dice_score = functional(
    segmentation.DiceScore,
    "dice_score",
    "num_classes",
    "include_background",
    "average",
    "input_format",
    "aggregation_level",
    "ignore_index",
)
generalized_dice_score = functional(
    segmentation.GeneralizedDiceScore,
    "generalized_dice_score",
    "num_classes",
    "include_background",
    "per_class",
    "weight_type",
    *_SHARED,
    "zero_division",
)

__all__ = ["dice_score", "generalized_dice_score", "mean_iou"]
