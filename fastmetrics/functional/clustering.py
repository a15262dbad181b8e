# SPDX-License-Identifier: Apache-2.0
"""Clustering metrics as functions."""

from fastmetrics import clustering
from fastmetrics.functional.forms import functional

_SIZE = "num_classes"

mutual_info_score = functional(clustering.MutualInfoScore, "mutual_info_score", _SIZE)
normalized_mutual_info_score = functional(
    clustering.NormalizedMutualInfoScore, "normalized_mutual_info_score", "average_method", _SIZE
)
adjusted_mutual_info_score = functional(
    clustering.AdjustedMutualInfoScore, "adjusted_mutual_info_score", "average_method", _SIZE
)
homogeneity_score = functional(clustering.HomogeneityScore, "homogeneity_score", _SIZE)
completeness_score = functional(clustering.CompletenessScore, "completeness_score", _SIZE)
v_measure_score = functional(clustering.VMeasureScore, "v_measure_score", "beta", _SIZE)
rand_score = functional(clustering.RandScore, "rand_score", _SIZE)
adjusted_rand_score = functional(clustering.AdjustedRandScore, "adjusted_rand_score", _SIZE)
fowlkes_mallows_index = functional(clustering.FowlkesMallowsIndex, "fowlkes_mallows_index", _SIZE)
cluster_accuracy = functional(clustering.ClusterAccuracy, "cluster_accuracy", _SIZE)

__all__ = [
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "cluster_accuracy",
    "completeness_score",
    "fowlkes_mallows_index",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "rand_score",
    "v_measure_score",
]
