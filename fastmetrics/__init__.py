# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import classification, functional, regression
from fastmetrics.classification import Accuracy, ConfusionMatrix, F1Score, Precision, Recall, StatScores
from fastmetrics.collection import MetricCollection
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "F1Score",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "MetricCollection",
    "Precision",
    "Recall",
    "StatScores",
    "build",
    "classification",
    "functional",
    "regression",
]
