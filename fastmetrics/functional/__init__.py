# SPDX-License-Identifier: Apache-2.0
"""Metrics as functions: the value of one batch."""

from fastmetrics.functional import classification, regression
from fastmetrics.functional.classification import (
    accuracy,
    balanced_error_rate,
    cohen_kappa,
    confusion_matrix,
    f1_score,
    fbeta_score,
    fowlkes_mallows_score,
    geometric_mean_score,
    hamming_distance,
    informedness,
    jaccard_index,
    markedness,
    matthews_corrcoef,
    mean_reciprocal_rank,
    negative_predictive_value,
    precision,
    recall,
    specificity,
    stat_scores,
    top_k_accuracy,
)
from fastmetrics.functional.regression import mean_absolute_error, mean_squared_error

__all__ = [
    "accuracy",
    "balanced_error_rate",
    "classification",
    "cohen_kappa",
    "confusion_matrix",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "geometric_mean_score",
    "hamming_distance",
    "informedness",
    "jaccard_index",
    "markedness",
    "matthews_corrcoef",
    "mean_absolute_error",
    "mean_reciprocal_rank",
    "mean_squared_error",
    "negative_predictive_value",
    "precision",
    "recall",
    "regression",
    "specificity",
    "stat_scores",
    "top_k_accuracy",
]
