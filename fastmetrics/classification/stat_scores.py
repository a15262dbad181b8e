# SPDX-License-Identifier: Apache-2.0
"""The counts themselves: tp, fp, tn, fn and support."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.classification.base import BinaryCounts, MulticlassCounts, MultilabelCounts
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.counts import stat_scores


class BinaryStatScores(BinaryCounts):
    """tp, fp, tn, fn and support of binary decisions: int64 ``(5,)``, or ``(N, 5)`` samplewise.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryStatScores
        >>> from fastmetrics.functional.classification import binary_stat_scores
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryStatScores()(preds, target)
        tensor([2, 1, 2, 1, 3])
        >>> binary_stat_scores(preds, target)
        tensor([2, 1, 2, 1, 3])
    """

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The counts."""
        return stat_scores(table, "micro")


class MulticlassStatScores(MulticlassCounts):
    """tp, fp, tn, fn and support of each class, averaged; see :func:`fastmetrics.formulas.counts.stat_scores`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassStatScores
        >>> from fastmetrics.functional.classification import multiclass_stat_scores
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassStatScores(num_classes=3, average="micro")(preds, target)
        tensor([3, 1, 7, 1, 4])
        >>> multiclass_stat_scores(preds, target, num_classes=3, average=None)
        tensor([[1, 0, 2, 1, 2],
                [1, 1, 2, 0, 1],
                [1, 0, 3, 0, 1]])
    """

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged counts."""
        return stat_scores(table, self.average, self.excluded)


class MultilabelStatScores(MultilabelCounts):
    """tp, fp, tn, fn and support of each label, averaged; see :func:`fastmetrics.formulas.counts.stat_scores`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelStatScores
        >>> from fastmetrics.functional.classification import multilabel_stat_scores
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelStatScores(num_labels=3, average="micro")(preds, target)
        tensor([2, 1, 2, 1, 3])
        >>> multilabel_stat_scores(preds, target, num_labels=3, average=None)
        tensor([[1, 0, 1, 0, 1],
                [0, 0, 1, 1, 1],
                [1, 1, 0, 0, 1]])
    """

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged counts."""
        return stat_scores(table, self.average)


class StatScores(TaskMetric):
    """tp, fp, tn, fn and support of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import StatScores
        >>> StatScores(task="multiclass", num_classes=3)(torch.tensor([1, 0, 2, 1]), torch.tensor([1, 1, 2, 0]))
        tensor([2, 2, 6, 2, 4])
    """

    tasks = {"binary": BinaryStatScores, "multiclass": MulticlassStatScores, "multilabel": MultilabelStatScores}
