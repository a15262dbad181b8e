# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import aggregation, classification, functional, regression, wrappers
from fastmetrics.aggregation import CatMetric, MaxMetric, MeanMetric, MinMetric, RunningMean, RunningSum, SumMetric
from fastmetrics.classification import Accuracy, ConfusionMatrix, F1Score, Precision, Recall, StatScores
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.regression import (
    CosineSimilarity,
    KendallRankCorrCoef,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    SpearmanCorrCoef,
)

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "CatMetric",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "KLDivergence",
    "KendallRankCorrCoef",
    "MaxMetric",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanSquaredError",
    "Metric",
    "MinMetric",
    "Precision",
    "Recall",
    "RunningMean",
    "RunningSum",
    "SpearmanCorrCoef",
    "StatScores",
    "SumMetric",
    "aggregation",
    "build",
    "classification",
    "functional",
    "regression",
    "wrappers",
]
