# SPDX-License-Identifier: Apache-2.0
"""Segmentation metrics."""

from fastmetrics.segmentation.dice import DiceScore, GeneralizedDiceScore
from fastmetrics.segmentation.hausdorff import HausdorffDistance
from fastmetrics.segmentation.mean_iou import MeanIoU

__all__ = ["DiceScore", "GeneralizedDiceScore", "HausdorffDistance", "MeanIoU"]
