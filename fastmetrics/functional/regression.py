# SPDX-License-Identifier: Apache-2.0
"""Regression metrics as functions."""

from fastmetrics import regression
from fastmetrics.functional.forms import functional
from fastmetrics.regression.ranks import kendall_rank_corrcoef, spearman_corrcoef

mean_squared_error = functional(regression.MeanSquaredError, "mean_squared_error", "squared", "num_outputs")
mean_absolute_error = functional(regression.MeanAbsoluteError, "mean_absolute_error", "num_outputs")
cosine_similarity = functional(regression.CosineSimilarity, "cosine_similarity", "reduction")
kl_divergence = functional(regression.KLDivergence, "kl_divergence", "log_prob", "reduction")
jensen_shannon_divergence = functional(
    regression.JensenShannonDivergence, "jensen_shannon_divergence", "log_prob", "reduction"
)
continuous_ranked_probability_score = functional(
    regression.ContinuousRankedProbabilityScore, "continuous_ranked_probability_score"
)

__all__ = [
    "continuous_ranked_probability_score",
    "cosine_similarity",
    "jensen_shannon_divergence",
    "kendall_rank_corrcoef",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "spearman_corrcoef",
]
