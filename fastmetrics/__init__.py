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
from fastmetrics.versions import warn_of_untested

__version__ = "0.1.0"

warn_of_untested()

# as in torchmetrics: classification by the names that say no task, and most of the others
_names = {
    classification: _general(vars(classification)["__all__"]),
    nominal: nominal.__all__,
    regression: {*regression.__all__} - {"ContinuousRankedProbabilityScore", "JensenShannonDivergence"},
    retrieval: {*retrieval.__all__} - {"RetrievalAUROC"},
}
globals().update({name: getattr(module, name) for module, names in _names.items() for name in names})

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
