# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import classification, functional, regression
from fastmetrics.classification import (
    Accuracy,
    ConfusionMatrix,
    ExactMatch,
    F1Score,
    HingeLoss,
    Precision,
    Recall,
    StatScores,
)
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "ExactMatch",
    "F1Score",
    "HingeLoss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "StatScores",
    "build",
    "classification",
    "functional",
    "regression",
]
