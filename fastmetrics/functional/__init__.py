# SPDX-License-Identifier: Apache-2.0
"""Metrics as functions: the value of one batch."""

from fastmetrics.functional import classification, regression
from fastmetrics.functional.classification import (
    accuracy,
    confusion_matrix,
    exact_match,
    f1_score,
    hinge_loss,
    precision,
    recall,
    stat_scores,
)
from fastmetrics.functional.regression import mean_absolute_error, mean_squared_error

__all__ = [
    "accuracy",
    "classification",
    "confusion_matrix",
    "exact_match",
    "f1_score",
    "hinge_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "recall",
    "regression",
    "stat_scores",
]
