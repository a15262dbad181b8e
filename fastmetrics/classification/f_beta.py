# SPDX-License-Identifier: Apache-2.0
"""F-scores."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import COUNTS_ZERO_DIVISION, TaskMetric
from fastmetrics.formulas import ratios


class BinaryF1Score(BinaryRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryF1Score
        >>> from fastmetrics.functional.classification import binary_f1_score
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryF1Score()(preds, target)
        tensor(0.6667)
        >>> binary_f1_score(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.fbeta(1.0)


class MulticlassF1Score(MulticlassRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassF1Score
        >>> from fastmetrics.functional.classification import multiclass_f1_score
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassF1Score(num_classes=3)(preds, target)
        tensor(0.7778)
        >>> multiclass_f1_score(preds, target, num_classes=3, average=None)
        tensor([0.6667, 0.6667, 1.0000])
    """

    ratio = ratios.fbeta(1.0)

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged ratio; macro drops classes neither predicted nor actual whatever ``top_k``, as torchmetrics."""
        return ratios.average_ratio(self.ratio, table, self.average, self.undefined(), ratios.DROP_ABSENT)


class MultilabelF1Score(MultilabelRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelF1Score
        >>> from fastmetrics.functional.classification import multilabel_f1_score
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelF1Score(num_labels=3)(preds, target)
        tensor(0.5556)
        >>> multilabel_f1_score(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.6667])
    """

    ratio = ratios.fbeta(1.0)


class F1Score(TaskMetric, names=COUNTS_ZERO_DIVISION):
    """F1 score of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import F1Score
        >>> F1Score(task="multiclass", num_classes=3)(
        ...     torch.tensor([0, 2, 1, 0, 0, 1]), torch.tensor([0, 1, 2, 0, 1, 2])
        ... )
        tensor(0.3333)
    """

    tasks = {"binary": BinaryF1Score, "multiclass": MulticlassF1Score, "multilabel": MultilabelF1Score}
