# SPDX-License-Identifier: Apache-2.0
"""Exact match, also called subset accuracy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.task import TaskMetric
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import ExactMatchStatistics


class _ExactMatch(StatisticMetric):
    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def formula(self, matched: Tensor, count: Tensor) -> Tensor:
        """The share of the rows that are right; 0 without rows."""
        return torch.where(count == 0, 0.0, matched / count).float()


class MulticlassExactMatch(_ExactMatch):
    """The share of the samples whose labels are right in every place.

    Args:
        num_classes: C.
        multidim_average: ``global`` gives one value; ``samplewise`` 0 or 1 for each sample, float32 (N,).
        ignore_index: places with this target are right whatever is predicted.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` are labels ``(N, ...)`` of an integer type, or scores ``(N, C, ...)`` of a floating type, whose argmax is
    the label; ``target`` is ``(N, ...)``. Counts are exact; the value is float32. Weights are one a sample, ``(N,)``. A
    sample with a label out of range, or without any valid place, is not counted.

    Raises:
        ValueError: arguments or shapes that do not fit.
        RuntimeError: labels out of range.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassExactMatch
        >>> from fastmetrics.functional.classification import multiclass_exact_match
        >>> preds = torch.tensor([[[0, 1], [2, 1]], [[0, 1], [2, 0]]])
        >>> target = torch.tensor([[[0, 1], [2, 1]], [[2, 1], [2, 0]]])
        >>> MulticlassExactMatch(num_classes=3)(preds, target)
        tensor(0.5000)
        >>> multiclass_exact_match(preds, target, num_classes=3, multidim_average="samplewise")
        tensor([1., 0.])
    """

    plot_legend_name = "Class"

    def __init__(
        self,
        num_classes: int,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
            arguments.ignore_index(ignore_index)
        statistics = ExactMatchStatistics(
            num_classes,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self.validate_args = validate_args


class MultilabelExactMatch(_ExactMatch):
    """The share of the samples of which every label is right.

    Args:
        num_labels: L.
        threshold: in [0, 1]; a score is positive above it.
        multidim_average: ``global`` gives one value over all places of all samples; ``samplewise`` the share of the
            places of each sample, float32 (N,).
        ignore_index: labels with this target are right whatever is predicted.
        validate_args: whether arguments and values are checked.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` are 0/1 labels of an integer type, or scores of a floating type, ``(N, L, ...)``; if any score of a batch
    lies outside [0, 1], all are logits. ``target`` is 0/1 ``(N, L, ...)``. Counts are exact; the value is float32.
    Weights are one for all labels of a place, ``(N, ...)`` or ``(N,)``. A place with a value out of range, or without
    any valid label, is not counted.

    Raises:
        ValueError: arguments or sizes that do not fit.
        RuntimeError: different shapes, or values other than 0 and 1.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelExactMatch
        >>> from fastmetrics.functional.classification import multilabel_exact_match
        >>> preds, target = torch.tensor([[0.11, 0.22, 0.84], [0.73, 0.33, 0.92]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelExactMatch(num_labels=3)(preds, target)
        tensor(0.5000)
        >>> multilabel_exact_match(preds, target, num_labels=3, threshold=0.95)
        tensor(0.)
    """

    plot_legend_name = "Label"

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
        statistics = ExactMatchStatistics(
            num_labels=num_labels,
            threshold=threshold,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.num_labels = num_labels
        self.threshold = threshold
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self.validate_args = validate_args


EXACT_MATCH = ("threshold", "num_classes", "num_labels", "multidim_average", "ignore_index", "validate_args")


class ExactMatch(TaskMetric, names=EXACT_MATCH):
    """Exact match of multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import ExactMatch
        >>> preds, target = torch.tensor([[0, 1], [2, 1]]), torch.tensor([[0, 1], [2, 0]])
        >>> ExactMatch(task="multiclass", num_classes=3)(preds, target)
        tensor(0.5000)
    """

    tasks = {"multiclass": MulticlassExactMatch, "multilabel": MultilabelExactMatch}
