# SPDX-License-Identifier: Apache-2.0
"""Regression metrics."""

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
from fastmetrics.regression.relative import (
    MeanAbsolutePercentageError,
    NormalizedRootMeanSquaredError,
    SymmetricMeanAbsolutePercentageError,
    WeightedMeanAbsolutePercentageError,
)

__all__ = [
    "ConcordanceCorrCoef",
    "CriticalSuccessIndex",
    "ExplainedVariance",
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
    "SymmetricMeanAbsolutePercentageError",
    "TweedieDevianceScore",
    "WeightedMeanAbsolutePercentageError",
]
