# SPDX-License-Identifier: Apache-2.0
"""Metrics of clusterings, against a target or of the points themselves."""

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
from fastmetrics.clustering.points import CalinskiHarabaszScore, DaviesBouldinScore, DunnIndex

__all__ = [
    "AdjustedMutualInfoScore",
    "AdjustedRandScore",
    "CalinskiHarabaszScore",
    "ClusterAccuracy",
    "CompletenessScore",
    "DaviesBouldinScore",
    "DunnIndex",
    "FowlkesMallowsIndex",
    "HomogeneityScore",
    "MutualInfoScore",
    "NormalizedMutualInfoScore",
    "RandScore",
    "VMeasureScore",
]
