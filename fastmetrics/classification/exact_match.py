# SPDX-License-Identifier: Apache-2.0
"""Exact match, also called subset accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import MulticlassTask, MultilabelTask, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.intervals import SharesOfValue
from fastmetrics.statistics import ExactMatchStatistics


class ExactMatch(Family):
    """Exact match, also called subset accuracy: the share of the samples that are right in every place.

    Counts are exact. A sample with a value out of range, or without any valid place, is not counted.
    """

    function_first = ("num_classes", "num_labels")
    example = {
        "multiclass": {"": "0.5000", 'multidim_average="samplewise"': "[1., 0.]"},
        "multilabel": {"": "0.5000", "threshold=0.95": "0."},
    }


class _ExactMatch(TaskMetric):
    """The share of the samples that are right in every place.

    Inputs:
        weights: what a sample counts instead of 1, one for all of its labels: of any real dtype, finite and at least 0.
        valid: bool, of the shape of ``target`` or of its first dimensions: what is not valid is not looked at.
    """

    def formula(self, matched: Tensor, count: Tensor) -> Tensor:
        """The share of the rows that are right; 0 without rows."""
        return torch.where(count == 0, 0.0, matched / count).float()

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        return (states["matched"], states["count"]), None


class MulticlassExactMatch(_ExactMatch, MulticlassTask, family=ExactMatch):
    """The share of the samples whose labels are right in every place. Weights are one a sample, ``(N,)``.

    Args:
        multidim_average: ``global`` gives one value; ``samplewise`` 0 or 1 for each sample.
        ignore_index: places with this target are right whatever is predicted.

    Returns:
        float32 ``()``, or ``(N,)`` samplewise.
    """

    example_batch = "torch.tensor([[0, 1, 2], [0, 2, 2]]), torch.tensor([[0, 1, 2], [2, 2, 2]])"

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
        statistics = ExactMatchStatistics(
            num_classes,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes
        self.multidim_average = multidim_average


class MultilabelExactMatch(_ExactMatch, MultilabelTask, family=ExactMatch):
    """The share of the samples of which every label is right. Weights are one a place, ``(N, ...)`` or ``(N,)``.

    If any score of a batch lies outside [0, 1], all are logits.

    Args:
        multidim_average: ``global`` gives one value over all places of all samples; ``samplewise`` the share of the
            places of each sample.
        ignore_index: labels with this target are right whatever is predicted.

    Returns:
        float32 ``()``, or ``(N,)`` samplewise.
    """

    example_batch = "torch.tensor([[0.11, 0.22, 0.84], [0.73, 0.33, 0.92]]), torch.tensor([[0, 1, 0], [1, 0, 1]])"

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
        statistics = ExactMatchStatistics(
            num_labels=num_labels,
            threshold=threshold,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_labels = num_labels
        self.threshold = threshold
        self.multidim_average = multidim_average
