# SPDX-License-Identifier: Apache-2.0
"""Regression metrics as functions."""

from fastmetrics import regression
from fastmetrics.functional.forms import functional
from fastmetrics.regression.ranks import kendall_rank_corrcoef, spearman_corrcoef

concordance_corrcoef = functional(regression.ConcordanceCorrCoef, "concordance_corrcoef", without=("num_outputs",))
critical_success_index = functional(
    regression.CriticalSuccessIndex, "critical_success_index", "threshold", "keep_sequence_dim"
)
explained_variance = functional(regression.ExplainedVariance, "explained_variance", "multioutput")
log_cosh_error = functional(regression.LogCoshError, "log_cosh_error", without=("num_outputs",))
mean_absolute_error = functional(regression.MeanAbsoluteError, "mean_absolute_error", "num_outputs")
mean_absolute_percentage_error = functional(regression.MeanAbsolutePercentageError, "mean_absolute_percentage_error")
mean_squared_error = functional(regression.MeanSquaredError, "mean_squared_error", "squared", "num_outputs")
mean_squared_log_error = functional(regression.MeanSquaredLogError, "mean_squared_log_error")
minkowski_distance = functional(regression.MinkowskiDistance, "minkowski_distance", "p")
normalized_root_mean_squared_error = functional(
    regression.NormalizedRootMeanSquaredError, "normalized_root_mean_squared_error", "normalization", "num_outputs"
)
pearson_corrcoef = functional(regression.PearsonCorrCoef, "pearson_corrcoef", without=("num_outputs",))
r2_score = functional(regression.R2Score, "r2_score", "adjusted", "multioutput")
relative_squared_error = functional(regression.RelativeSquaredError, "relative_squared_error", "squared")
symmetric_mean_absolute_percentage_error = functional(
    regression.SymmetricMeanAbsolutePercentageError, "symmetric_mean_absolute_percentage_error"
)
tweedie_deviance_score = functional(regression.TweedieDevianceScore, "tweedie_deviance_score", "power")
weighted_mean_absolute_percentage_error = functional(
    regression.WeightedMeanAbsolutePercentageError, "weighted_mean_absolute_percentage_error"
)
cosine_similarity = functional(regression.CosineSimilarity, "cosine_similarity", "reduction")
kl_divergence = functional(regression.KLDivergence, "kl_divergence", "log_prob", "reduction")
jensen_shannon_divergence = functional(
    regression.JensenShannonDivergence, "jensen_shannon_divergence", "log_prob", "reduction"
)
continuous_ranked_probability_score = functional(
    regression.ContinuousRankedProbabilityScore, "continuous_ranked_probability_score"
)

__all__ = [
    "concordance_corrcoef",
    "continuous_ranked_probability_score",
    "cosine_similarity",
    "critical_success_index",
    "explained_variance",
    "jensen_shannon_divergence",
    "kendall_rank_corrcoef",
    "kl_divergence",
    "log_cosh_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_log_error",
    "minkowski_distance",
    "normalized_root_mean_squared_error",
    "pearson_corrcoef",
    "r2_score",
    "relative_squared_error",
    "spearman_corrcoef",
    "symmetric_mean_absolute_percentage_error",
    "tweedie_deviance_score",
    "weighted_mean_absolute_percentage_error",
]
