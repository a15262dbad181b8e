# SPDX-License-Identifier: Apache-2.0
"""Metrics for PyTorch with the interface of torchmetrics, at the cost of one read of the data."""

from fastmetrics import (
    aggregation,
    classification,
    clustering,
    functional,
    nominal,
    regression,
    retrieval,
    segmentation,
    shape,
    surface,
    text,
    wrappers,
)
from fastmetrics.aggregation import CatMetric, MaxMetric, MeanMetric, MinMetric, RunningMean, RunningSum, SumMetric
from fastmetrics.classification.family import general as _general
from fastmetrics.collection import MetricCollection
from fastmetrics.metric import Metric
from fastmetrics.native import build
from fastmetrics.nominal import CramersV, FleissKappa, PearsonsContingencyCoefficient, TheilsU, TschuprowsT
from fastmetrics.regression import (
    ConcordanceCorrCoef,
    CosineSimilarity,
    CriticalSuccessIndex,
    ExplainedVariance,
    KendallRankCorrCoef,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogError,
    MinkowskiDistance,
    NormalizedRootMeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    RelativeSquaredError,
    SpearmanCorrCoef,
    SymmetricMeanAbsolutePercentageError,
    TweedieDevianceScore,
    WeightedMeanAbsolutePercentageError,
)
from fastmetrics.retrieval import (
    RetrievalFallOut,
    RetrievalHitRate,
    RetrievalMAP,
    RetrievalMRR,
    RetrievalNormalizedDCG,
    RetrievalPrecision,
    RetrievalPrecisionRecallCurve,
    RetrievalRecall,
    RetrievalRecallAtFixedPrecision,
    RetrievalRPrecision,
)
from fastmetrics.versions import warn_of_untested

__version__ = "0.1.0"

warn_of_untested()

# the classification metrics whose names say no task
globals().update({name: getattr(classification, name) for name in _general(vars(classification)["__all__"])})

__all__ = [
    "aggregation",
    "build",
    "classification",
    "clustering",
    "functional",
    "nominal",
    "regression",
    "retrieval",
    "segmentation",
    "shape",
    "text",
    "wrappers",
]
__all__ += [name for name, value in sorted(globals().items()) if isinstance(value, type)]

surface.install()
