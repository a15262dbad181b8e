# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import classification, functional, regression
from fastmetrics.classification import (
    Accuracy,
    BalancedErrorRate,
    CohenKappa,
    ConfusionMatrix,
    ExactMatch,
    F1Score,
    FBetaScore,
    FowlkesMallowsScore,
    GeometricMeanScore,
    HammingDistance,
    HingeLoss,
    Informedness,
    JaccardIndex,
    Markedness,
    MatthewsCorrCoef,
    MeanReciprocalRank,
    NegativePredictiveValue,
    Precision,
    Recall,
    Specificity,
    StatScores,
    TopKAccuracy,
)
from fastmetrics.collection import MetricCollection
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.regression import MeanAbsoluteError, MeanSquaredError

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "BalancedErrorRate",
    "CohenKappa",
    "ConfusionMatrix",
    "ExactMatch",
    "F1Score",
    "FBetaScore",
    "FowlkesMallowsScore",
    "GeometricMeanScore",
    "HammingDistance",
    "HingeLoss",
    "Informedness",
    "JaccardIndex",
    "Markedness",
    "MatthewsCorrCoef",
    "MeanAbsoluteError",
    "MeanReciprocalRank",
    "MeanSquaredError",
    "Metric",
    "MetricCollection",
    "NegativePredictiveValue",
    "Precision",
    "Recall",
    "Specificity",
    "StatScores",
    "TopKAccuracy",
    "build",
    "classification",
    "functional",
    "regression",
]
