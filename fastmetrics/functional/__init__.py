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
    continuous_ranked_probability_score,
    cosine_similarity,
    jensen_shannon_divergence,
    kendall_rank_corrcoef,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    spearman_corrcoef,
)

__all__ = [
    "accuracy",
    "classification",
    "confusion_matrix",
    "continuous_ranked_probability_score",
    "cosine_similarity",
    "f1_score",
    "jensen_shannon_divergence",
    "kendall_rank_corrcoef",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "recall",
    "regression",
    "spearman_corrcoef",
    "stat_scores",
]
