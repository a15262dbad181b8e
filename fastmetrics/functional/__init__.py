# SPDX-License-Identifier: Apache-2.0
"""Metrics as functions: the value of one batch."""

from fastmetrics.functional import classification, regression
from fastmetrics.functional.classification import (
    accuracy,
    confusion_matrix,
    f1_score,
    precision,
    recall,
    stat_scores,
)
from fastmetrics.functional.regression import (
    concordance_corrcoef,
    critical_success_index,
    explained_variance,
    log_cosh_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_log_error,
    minkowski_distance,
    normalized_root_mean_squared_error,
    pearson_corrcoef,
    r2_score,
    relative_squared_error,
    symmetric_mean_absolute_percentage_error,
    tweedie_deviance_score,
    weighted_mean_absolute_percentage_error,
)

__all__ = [
    "accuracy",
    "classification",
    "concordance_corrcoef",
    "confusion_matrix",
    "critical_success_index",
    "explained_variance",
    "f1_score",
    "log_cosh_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_log_error",
    "minkowski_distance",
    "normalized_root_mean_squared_error",
    "pearson_corrcoef",
    "precision",
    "r2_score",
    "recall",
    "regression",
    "relative_squared_error",
    "stat_scores",
    "symmetric_mean_absolute_percentage_error",
    "tweedie_deviance_score",
    "weighted_mean_absolute_percentage_error",
]
