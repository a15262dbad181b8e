# SPDX-License-Identifier: Apache-2.0
"""Accuracy."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class Accuracy(Family):
    r"""Accuracy: the share of the decisions that are right.

    .. math:: \frac{TP + TN}{TP + FP + TN + FN}

    In multiclass input it is the share of the samples of a class that got their label, :math:`\frac{TP}{TP + FN}`:
    ``average="micro"`` is the share of all samples, ``"macro"`` is the balanced accuracy. Without samples it is 0;
    ``zero_division`` is not used, as in torchmetrics.
    """

    ratio = ratios.AGREEMENT
    constants = {"undefined": 0.0}
    function_lacks = ("zero_division",)
    example = {
        "binary": {"": "0.6667"},
        "multilabel": {"": "0.6667", "average=None": "[1.0000, 0.5000, 0.5000]"},
        "family": {"": "0.7500", 'average="macro"': "0.8333"},
    }


class BinaryAccuracy(BinaryRatio, family=Accuracy):
    """Accuracy of binary decisions."""


class MulticlassAccuracy(MulticlassRatio, family=Accuracy):
    """Accuracy of each class, averaged: the share of its samples that got their label.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassAccuracy
        >>> scores = torch.tensor([[0.16, 0.26, 0.58], [0.22, 0.61, 0.17], [0.71, 0.09, 0.20], [0.05, 0.82, 0.13]])
        >>> target = torch.tensor([2, 1, 0, 0])
        >>> MulticlassAccuracy(num_classes=3)(scores, target)
        tensor(0.8333)
        >>> MulticlassAccuracy(num_classes=3, average="micro", top_k=2)(scores, target)
        tensor(0.7500)
    """

    ratio = ratios.RECALL
    drop_of_top_k = ratios.DROP_UNTARGETED
    example = {"": "0.8333", 'average="micro"': "0.7500"}


class MultilabelAccuracy(MultilabelRatio, family=Accuracy):
    """Accuracy of each label, averaged."""
