# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import classification, clustering, functional, nominal, regression, segmentation
from fastmetrics.classification import Accuracy, ConfusionMatrix, F1Score, Precision, Recall, StatScores
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.nominal import CramersV, FleissKappa, PearsonsContingencyCoefficient, TheilsU, TschuprowsT
from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "CramersV",
    "F1Score",
    "FleissKappa",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "PearsonsContingencyCoefficient",
    "Precision",
    "Recall",
    "StatScores",
    "TheilsU",
    "TschuprowsT",
    "build",
    "classification",
    "clustering",
    "functional",
    "nominal",
    "regression",
    "segmentation",
]
