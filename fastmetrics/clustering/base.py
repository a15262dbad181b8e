# SPDX-License-Identifier: Apache-2.0
"""What the clustering metrics share: labels, and their contingency table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastmetrics.docstrings import Documented
from fastmetrics.formulas.contingency import Contingency, of_labels, of_table
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics.base import Statistics
from fastmetrics.statistics.clusters import LabelBuffer, LabelTable


class ClusteringMetric(Documented, StatisticMetric):
    """A formula of the contingency table of two labelings, in float64 from exact counts.

    Args:
        num_classes: C: the labels of both are in [0, C), and the state is their table, int64 (C, C), whatever the size
            of the data. None takes labels of any value and keeps them, 24 bytes a sample, as torchmetrics does; at
            ``compute`` the table of those pairs of labels that occur is made, in memory that grows with their number.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        preds: labels ``(N,)`` of any integer type or bool.
        target: the same.
        weights: ``(N,)`` of any real dtype: what a sample counts instead of 1; finite and at least 0.
        valid: bool ``(N,)``: a sample that is not valid is not counted.

    Raises:
        ValueError: an argument that does not fit, or labels that are not integers ``(N,)``.
        RuntimeError: inputs of different shape or device; with ``num_classes``, labels out of range.
    """

    is_differentiable = True
    higher_is_better: bool | None = True
    plot_lower_bound = 0.0
    plot_upper_bound: float | None = 1.0
    reads_values = True

    example_batch = "torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1, 2, 2, 2])"

    #: The value, float64, from the table.
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
        """From int64 [C, C], or labels int64 [N, 2] and their weights float64 [N]."""
        if confusion is not None:
            return self.formula_of_table(of_table(confusion)).float()
        assert labels is not None
        assert weights is not None
        return self.formula_of_table(of_labels(labels, weights)).float()
