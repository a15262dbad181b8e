# SPDX-License-Identifier: Apache-2.0
"""Specificity, the true negative rate."""

from __future__ import annotations

from typing import ClassVar

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class _Specificity:
    """torchmetrics' specificity takes ``zero_division`` and does not use it; nor does this one."""

    fixed_undefined: ClassVar[float | None] = 0.0


class BinarySpecificity(_Specificity, BinaryRatio):
    r"""Specificity, :math:`\frac{TN}{TN + FP}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinarySpecificity
        >>> from fastmetrics.functional.classification import binary_specificity
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinarySpecificity()(preds, target)
        tensor(0.6667)
        >>> binary_specificity(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.SPECIFICITY


class MulticlassSpecificity(_Specificity, MulticlassRatio):
    r"""Specificity, :math:`\frac{TN}{TN + FP}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassSpecificity
        >>> from fastmetrics.functional.classification import multiclass_specificity
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassSpecificity(num_classes=3)(preds, target)
        tensor(0.8889)
        >>> multiclass_specificity(preds, target, num_classes=3, average=None)
        tensor([1.0000, 0.6667, 1.0000])
    """

    ratio = ratios.SPECIFICITY


class MultilabelSpecificity(_Specificity, MultilabelRatio):
    r"""Specificity, :math:`\frac{TN}{TN + FP}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelSpecificity
        >>> from fastmetrics.functional.classification import multilabel_specificity
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelSpecificity(num_labels=3)(preds, target)
        tensor(0.6667)
        >>> multilabel_specificity(preds, target, num_labels=3, average=None)
        tensor([1., 1., 0.])
    """

    ratio = ratios.SPECIFICITY


class Specificity(TaskMetric):
    """Specificity of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Specificity
        >>> Specificity(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.8750)
    """

    tasks = {"binary": BinarySpecificity, "multiclass": MulticlassSpecificity, "multilabel": MultilabelSpecificity}
