# SPDX-License-Identifier: Apache-2.0
"""Accuracy of a clustering under the best assignment of clusters to classes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.formulas.assignment import best_matching
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics.clusters import LabelTable


class ClusterAccuracy(StatisticMetric):
    """Accuracy under the best one-to-one assignment of clusters to classes.

    Args:
        num_classes: C: the labels of both are in [0, C).
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` and ``target`` are labels ``(N,)`` of any integer type or bool. The state is their table, int64 (C, C).
    The assignment is exact and found on the CPU, without further packages.

    Returns:
        float32 scalar in [0, 1]; NaN without samples.

    Raises:
        ValueError: labels that are not integers ``(N,)``.
        RuntimeError: inputs of different shape or device; labels out of range.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import ClusterAccuracy
        >>> from fastmetrics.functional.clustering import cluster_accuracy
        >>> preds, target = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([2, 2, 0, 1, 1])
        >>> ClusterAccuracy(num_classes=3)(preds, target)
        tensor(0.8000)
        >>> cluster_accuracy(preds, target, num_classes=3)
        tensor(0.8000)
    """

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    reads_values = True

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        if not isinstance(num_classes, int) or num_classes <= 0:
            raise ValueError("Argument `num_classes` should be a positive integer")
        super().__init__(LabelTable(num_classes), **kwargs)
        self.num_classes = num_classes

    def formula(self, confusion: Tensor) -> Tensor:
        """The value from the table int64 [C, C]."""
        return (best_matching(confusion).double() / confusion.sum()).float()
