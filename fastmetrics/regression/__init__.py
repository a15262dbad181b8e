# SPDX-License-Identifier: Apache-2.0
"""Regression metrics."""

from fastmetrics.regression.errors import MeanAbsoluteError, MeanSquaredError
from fastmetrics.regression.ranks import KendallRankCorrCoef, SpearmanCorrCoef
from fastmetrics.regression.rows import (
    ContinuousRankedProbabilityScore,
    CosineSimilarity,
    JensenShannonDivergence,
    KLDivergence,
)

__all__ = [
    "ContinuousRankedProbabilityScore",
    "CosineSimilarity",
    "JensenShannonDivergence",
    "KLDivergence",
    "KendallRankCorrCoef",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SpearmanCorrCoef",
]
