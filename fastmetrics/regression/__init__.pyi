# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

from fastmetrics.regression.correlation import ConcordanceCorrCoef, PearsonCorrCoef
from fastmetrics.regression.deviance import TweedieDevianceScore
from fastmetrics.regression.errors import (
    LogCoshError,
    MeanAbsoluteError,
    MeanSquaredError,
    MeanSquaredLogError,
    MinkowskiDistance,
)
from fastmetrics.regression.events import CriticalSuccessIndex
from fastmetrics.regression.explained import ExplainedVariance, R2Score, RelativeSquaredError
from fastmetrics.regression.ranks import KendallRankCorrCoef, SpearmanCorrCoef
from fastmetrics.regression.relative import (
    MeanAbsolutePercentageError,
    NormalizedRootMeanSquaredError,
    SymmetricMeanAbsolutePercentageError,
    WeightedMeanAbsolutePercentageError,
)
from fastmetrics.regression.rows import (
    ContinuousRankedProbabilityScore,
    CosineSimilarity,
    JensenShannonDivergence,
    KLDivergence,
)

__all__ = [
    "ConcordanceCorrCoef",
    "ContinuousRankedProbabilityScore",
    "CosineSimilarity",
    "CriticalSuccessIndex",
    "ExplainedVariance",
    "JensenShannonDivergence",
    "KLDivergence",
    "KendallRankCorrCoef",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogError",
    "MinkowskiDistance",
    "NormalizedRootMeanSquaredError",
    "PearsonCorrCoef",
    "R2Score",
    "RelativeSquaredError",
    "SpearmanCorrCoef",
    "SymmetricMeanAbsolutePercentageError",
    "TweedieDevianceScore",
    "WeightedMeanAbsolutePercentageError",
]

def __getattr__(name: str) -> Any: ...
