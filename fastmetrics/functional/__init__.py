# SPDX-License-Identifier: Apache-2.0
"""Metrics as functions: the value of one batch."""

from fastmetrics.functional import classification, clustering, nominal, regression, segmentation
from fastmetrics.functional.classification import (
    accuracy,
    confusion_matrix,
    f1_score,
    precision,
    recall,
    stat_scores,
)
from fastmetrics.functional.nominal import (
    cramers_v,
    cramers_v_matrix,
    fleiss_kappa,
    pearsons_contingency_coefficient,
    pearsons_contingency_coefficient_matrix,
    theils_u,
    theils_u_matrix,
    tschuprows_t,
    tschuprows_t_matrix,
)
from fastmetrics.functional.regression import mean_absolute_error, mean_squared_error

__all__ = [
    "accuracy",
    "classification",
    "clustering",
    "confusion_matrix",
    "cramers_v",
    "cramers_v_matrix",
    "f1_score",
    "fleiss_kappa",
    "mean_absolute_error",
    "mean_squared_error",
    "nominal",
    "pearsons_contingency_coefficient",
    "pearsons_contingency_coefficient_matrix",
    "precision",
    "recall",
    "regression",
    "segmentation",
    "stat_scores",
    "theils_u",
    "theils_u_matrix",
    "tschuprows_t",
    "tschuprows_t_matrix",
]
