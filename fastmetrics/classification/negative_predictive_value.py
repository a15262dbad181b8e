# SPDX-License-Identifier: Apache-2.0
"""Negative predictive value."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class BinaryNegativePredictiveValue(BinaryRatio):
    r"""Negative predictive value, :math:`\frac{TN}{TN + FN}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryNegativePredictiveValue
        >>> from fastmetrics.functional.classification import binary_negative_predictive_value
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryNegativePredictiveValue()(preds, target)
        tensor(0.6667)
        >>> binary_negative_predictive_value(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.NEGATIVE_PREDICTIVE_VALUE


class MulticlassNegativePredictiveValue(MulticlassRatio):
    r"""Negative predictive value, :math:`\frac{TN}{TN + FN}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassNegativePredictiveValue
        >>> from fastmetrics.functional.classification import multiclass_negative_predictive_value
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassNegativePredictiveValue(num_classes=3)(preds, target)
        tensor(0.8889)
        >>> multiclass_negative_predictive_value(preds, target, num_classes=3, average=None)
        tensor([0.6667, 1.0000, 1.0000])
    """

    ratio = ratios.NEGATIVE_PREDICTIVE_VALUE
    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelNegativePredictiveValue(MultilabelRatio):
    r"""Negative predictive value, :math:`\frac{TN}{TN + FN}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelNegativePredictiveValue
        >>> from fastmetrics.functional.classification import multilabel_negative_predictive_value
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelNegativePredictiveValue(num_labels=3)(preds, target)
        tensor(0.5000)
        >>> multilabel_negative_predictive_value(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.5000, 0.0000])
    """

    ratio = ratios.NEGATIVE_PREDICTIVE_VALUE


class NegativePredictiveValue(TaskMetric):
    """Negative predictive value of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import NegativePredictiveValue
        >>> metric = NegativePredictiveValue(task="multiclass", num_classes=3)
        >>> metric(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.8750)
    """

    tasks = {
        "binary": BinaryNegativePredictiveValue,
        "multiclass": MulticlassNegativePredictiveValue,
        "multilabel": MultilabelNegativePredictiveValue,
    }
