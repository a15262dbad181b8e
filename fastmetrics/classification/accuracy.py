# SPDX-License-Identifier: Apache-2.0
"""Accuracy."""

from __future__ import annotations

from typing import ClassVar

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class _Accuracy:
    """torchmetrics' accuracy takes ``zero_division`` and does not use it; nor does this one."""

    fixed_undefined: ClassVar[float | None] = 0.0


class BinaryAccuracy(_Accuracy, BinaryRatio):
    r"""Accuracy, :math:`\frac{TP + TN}{TP + FP + TN + FN}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryAccuracy
        >>> from fastmetrics.functional.classification import binary_accuracy
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryAccuracy()(preds, target)
        tensor(0.6667)
        >>> binary_accuracy(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.AGREEMENT


class MulticlassAccuracy(_Accuracy, MulticlassRatio):
    r"""Accuracy: the share of the samples of a class that got their label, :math:`\frac{TP}{TP + FN}`, averaged.

    ``average="micro"`` is the share of all samples, ``"macro"`` is the balanced accuracy. With ``top_k`` a sample
    counts as right if its target is among the ``top_k`` greatest scores.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassAccuracy
        >>> from fastmetrics.functional.classification import multiclass_accuracy
        >>> scores = torch.tensor([[0.16, 0.26, 0.58], [0.22, 0.61, 0.17], [0.71, 0.09, 0.20], [0.05, 0.82, 0.13]])
        >>> target = torch.tensor([2, 1, 0, 0])
        >>> MulticlassAccuracy(num_classes=3)(scores, target)
        tensor(0.8333)
        >>> multiclass_accuracy(scores, target, num_classes=3, average="micro")
        tensor(0.7500)
        >>> multiclass_accuracy(scores, target, num_classes=3, average="micro", top_k=2)
        tensor(0.7500)
    """

    ratio = ratios.RECALL
    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelAccuracy(_Accuracy, MultilabelRatio):
    r"""Accuracy, :math:`\frac{TP + TN}{TP + FP + TN + FN}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelAccuracy
        >>> from fastmetrics.functional.classification import multilabel_accuracy
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelAccuracy(num_labels=3)(preds, target)
        tensor(0.6667)
        >>> multilabel_accuracy(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.5000, 0.5000])
    """

    ratio = ratios.AGREEMENT


class Accuracy(TaskMetric):
    """Accuracy of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Accuracy
        >>> Accuracy(task="multiclass", num_classes=4)(torch.tensor([0, 2, 1, 3]), torch.tensor([0, 1, 2, 3]))
        tensor(0.5000)
    """

    tasks = {"binary": BinaryAccuracy, "multiclass": MulticlassAccuracy, "multilabel": MultilabelAccuracy}
