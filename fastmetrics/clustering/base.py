# SPDX-License-Identifier: Apache-2.0
"""The base of the clustering metrics: labels, and their contingency table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.clusters import AVERAGE_METHODS
from fastmetrics.formulas.contingency import Contingency, of_labels, of_table
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics.base import Statistics
from fastmetrics.statistics.clusters import LabelBuffer, LabelTable


class ClusteringMetric(StatisticMetric):
    """A formula of the contingency table of two labelings.

    Args:
        num_classes: C: the labels of both are in [0, C), and the state is their table. None takes labels of any value
            and keeps them until ``compute``.
    """

    is_differentiable = True
    higher_is_better: bool | None = True
    plot_lower_bound = 0.0
    plot_upper_bound: float | None = 1.0
    reads_values = True

    #: The value, float64 [], from the contingency table.
    formula_of_table: Callable[[Contingency], Tensor]

    def __init__(self, num_classes: int | None = None, **kwargs: Any) -> None:
        if num_classes is not None and (not isinstance(num_classes, int) or num_classes <= 0):
            raise ValueError("Argument `num_classes` should be a positive integer")
        statistics: Statistics = LabelBuffer() if num_classes is None else LabelTable(num_classes)
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes

    def formula(
        self, confusion: Tensor | None = None, labels: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """The value from the table int64 [C, C], or from the labels int64 [N, 2] and their weights float64 [N]."""
        if confusion is not None:
            return self.formula_of_table(of_table(confusion)).float()
        assert labels is not None
        assert weights is not None
        return self.formula_of_table(of_labels(labels, weights)).float()


def check_average_method(value: object) -> None:
    """Raise ``ValueError`` unless it names a mean of entropies."""
    arguments.one_of("average_method", value, AVERAGE_METHODS)
