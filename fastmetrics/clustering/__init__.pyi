# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

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

def __getattr__(name: str) -> Any: ...
