# SPDX-License-Identifier: Apache-2.0
"""Metrics of clusterings against a target."""

from fastmetrics.clustering.cluster_accuracy import ClusterAccuracy
from fastmetrics.clustering.information import (
    AdjustedMutualInfoScore,
    CompletenessScore,
    HomogeneityScore,
    MutualInfoScore,
    NormalizedMutualInfoScore,
    VMeasureScore,
)
from fastmetrics.clustering.pairs import AdjustedRandScore, FowlkesMallowsIndex, RandScore

__all__ = [
    "AdjustedMutualInfoScore",
    "AdjustedRandScore",
    "ClusterAccuracy",
    "CompletenessScore",
    "FowlkesMallowsIndex",
    "HomogeneityScore",
    "MutualInfoScore",
    "NormalizedMutualInfoScore",
    "RandScore",
    "VMeasureScore",
]
