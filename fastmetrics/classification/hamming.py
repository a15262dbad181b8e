# SPDX-License-Identifier: Apache-2.0
"""Hamming distance."""

from __future__ import annotations

from typing import ClassVar

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class _Distance:
    """torchmetrics' distance takes ``zero_division`` and does not use it; nor does this one."""

    higher_is_better: bool | None = False
    fixed_undefined: ClassVar[float | None] = 1.0


class BinaryHammingDistance(_Distance, BinaryRatio):
    r"""Hamming distance: the share of wrong decisions, :math:`\frac{FP + FN}{TP + FP + TN + FN}`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryHammingDistance
        >>> from fastmetrics.functional.classification import binary_hamming_distance
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryHammingDistance()(preds, target)
        tensor(0.3333)
        >>> binary_hamming_distance(preds, target)
        tensor(0.3333)
    """

    ratio = ratios.DISAGREEMENT


class MulticlassHammingDistance(_Distance, MulticlassRatio):
    r"""Hamming distance: the share of the samples of a class with a wrong label, :math:`\frac{FN}{TP + FN}`, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassHammingDistance
        >>> from fastmetrics.functional.classification import multiclass_hamming_distance
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassHammingDistance(num_classes=3)(preds, target)
        tensor(0.1667)
        >>> multiclass_hamming_distance(preds, target, num_classes=3, average=None)
        tensor([0.5000, 0.0000, 0.0000])
    """

    ratio = ratios.MISS_RATE


class MultilabelHammingDistance(_Distance, MultilabelRatio):
    r"""Hamming distance: the share of wrong decisions on each label, averaged.

    .. math:: \frac{FP + FN}{TP + FP + TN + FN}

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelHammingDistance
        >>> from fastmetrics.functional.classification import multilabel_hamming_distance
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelHammingDistance(num_labels=3)(preds, target)
        tensor(0.3333)
        >>> multilabel_hamming_distance(preds, target, num_labels=3, average=None)
        tensor([0.0000, 0.5000, 0.5000])
    """

    ratio = ratios.DISAGREEMENT


class HammingDistance(TaskMetric):
    """Hamming distance of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import HammingDistance
        >>> HammingDistance(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.2500)
    """

    tasks = {
        "binary": BinaryHammingDistance,
        "multiclass": MulticlassHammingDistance,
        "multilabel": MultilabelHammingDistance,
    }
