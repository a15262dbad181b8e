# SPDX-License-Identifier: Apache-2.0
"""Precision and recall."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class BinaryPrecision(BinaryRatio):
    r"""Precision, :math:`\frac{TP}{TP + FP}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryPrecision
        >>> from fastmetrics.functional.classification import binary_precision
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryPrecision()(preds, target)
        tensor(0.6667)
        >>> binary_precision(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.PRECISION


class MulticlassPrecision(MulticlassRatio):
    r"""Precision, :math:`\frac{TP}{TP + FP}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassPrecision
        >>> from fastmetrics.functional.classification import multiclass_precision
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassPrecision(num_classes=3)(preds, target)
        tensor(0.8333)
        >>> multiclass_precision(preds, target, num_classes=3, average=None)
        tensor([1.0000, 0.5000, 1.0000])
    """

    ratio = ratios.PRECISION
    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelPrecision(MultilabelRatio):
    r"""Precision, :math:`\frac{TP}{TP + FP}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelPrecision
        >>> from fastmetrics.functional.classification import multilabel_precision
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelPrecision(num_labels=3)(preds, target)
        tensor(0.5000)
        >>> multilabel_precision(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.5000])
    """

    ratio = ratios.PRECISION


class BinaryRecall(BinaryRatio):
    r"""Recall, :math:`\frac{TP}{TP + FN}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryRecall
        >>> from fastmetrics.functional.classification import binary_recall
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryRecall()(preds, target)
        tensor(0.6667)
        >>> binary_recall(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.RECALL


class MulticlassRecall(MulticlassRatio):
    r"""Recall, :math:`\frac{TP}{TP + FN}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassRecall
        >>> from fastmetrics.functional.classification import multiclass_recall
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassRecall(num_classes=3)(preds, target)
        tensor(0.8333)
        >>> multiclass_recall(preds, target, num_classes=3, average=None)
        tensor([0.5000, 1.0000, 1.0000])
    """

    ratio = ratios.RECALL
    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelRecall(MultilabelRatio):
    r"""Recall, :math:`\frac{TP}{TP + FN}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelRecall
        >>> from fastmetrics.functional.classification import multilabel_recall
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelRecall(num_labels=3)(preds, target)
        tensor(0.6667)
        >>> multilabel_recall(preds, target, num_labels=3, average=None)
        tensor([1., 0., 1.])
    """

    ratio = ratios.RECALL


class Precision(TaskMetric):
    """Precision of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Precision
        >>> Precision(task="multiclass", average="macro", num_classes=3)(
        ...     torch.tensor([2, 0, 2, 1]), torch.tensor([1, 1, 2, 0])
        ... )
        tensor(0.1667)
    """

    tasks = {"binary": BinaryPrecision, "multiclass": MulticlassPrecision, "multilabel": MultilabelPrecision}


class Recall(TaskMetric):
    """Recall of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Recall
        >>> Recall(task="multiclass", average="macro", num_classes=3)(
        ...     torch.tensor([2, 0, 2, 1]), torch.tensor([1, 1, 2, 0])
        ... )
        tensor(0.3333)
    """

    tasks = {"binary": BinaryRecall, "multiclass": MulticlassRecall, "multilabel": MultilabelRecall}
