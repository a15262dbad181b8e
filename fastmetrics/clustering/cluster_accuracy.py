# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a clustering under the best assignment of clusters to classes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.clustering.base import ClusteringMetric
from fastmetrics.formulas.assignment import best_matching


class ClusterAccuracy(ClusteringMetric):
    """Accuracy under the best one-to-one assignment of clusters to classes.

    The assignment is exact and found on the CPU, without further packages.

    Args:
        num_classes: C: the labels of both are in [0, C). The state is their table, int64 (C, C).

    Returns:
        float32 scalar in [0, 1]; NaN without samples.
    """

    is_differentiable = False

    example_options = "num_classes=3"
    example = {"": "0.8333"}

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(0 if num_classes is None else num_classes, **kwargs)

    def formula(self, confusion: Tensor) -> Tensor:  # type: ignore[override]
        """From int64 [C, C]."""
        return (best_matching(confusion).double() / confusion.sum()).float()
