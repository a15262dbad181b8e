# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import classification, functional, regression
from fastmetrics.classification import Accuracy, ConfusionMatrix, F1Score, Precision, Recall, StatScores
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.regression import (
    ConcordanceCorrCoef,
    CriticalSuccessIndex,
    ExplainedVariance,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogError,
    MinkowskiDistance,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    RelativeSquaredError,
    SymmetricMeanAbsolutePercentageError,
    TweedieDevianceScore,
    WeightedMeanAbsolutePercentageError,
)

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "ConcordanceCorrCoef",
    "ConfusionMatrix",
    "CriticalSuccessIndex",
    "ExplainedVariance",
    "F1Score",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogError",
    "Metric",
    "MinkowskiDistance",
    "NormalizedRootMeanSquaredError",
    "PearsonCorrCoef",
    "Precision",
    "R2Score",
    "Recall",
    "RelativeSquaredError",
    "StatScores",
    "SymmetricMeanAbsolutePercentageError",
    "TweedieDevianceScore",
    "WeightedMeanAbsolutePercentageError",
    "build",
    "classification",
    "functional",
    "regression",
]
