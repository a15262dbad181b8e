# SPDX-License-Identifier: Apache-2.0
"""Hamming distance."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class HammingDistance(Family):
    r"""Hamming distance: the share of the decisions that are wrong.

    .. math:: \frac{FP + FN}{TP + FP + TN + FN}

    In multiclass input it is the share of the samples of a class with a wrong label, :math:`\frac{FN}{TP + FN}`.
    Without samples it is 1; ``zero_division`` is not used, as in torchmetrics.
    """

    ratio = ratios.DISAGREEMENT
    function_lacks = ("zero_division",)
    constants = {"undefined": 1.0, "higher_is_better": False}
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.1667", "average=None": "[0.5000, 0.0000, 0.0000]"},
        "multilabel": {"": "0.3333", "average=None": "[0.0000, 0.5000, 0.5000]"},
        "family": {"": "0.2500"},
    }


class BinaryHammingDistance(BinaryRatio, family=HammingDistance):
    """Hamming distance of binary decisions: the share that is wrong."""


class MulticlassHammingDistance(MulticlassRatio, family=HammingDistance):
    """Hamming distance of each class, averaged: the share of its samples with a wrong label."""

    ratio = ratios.MISS_RATE


class MultilabelHammingDistance(MultilabelRatio, family=HammingDistance):
    """Hamming distance of each label, averaged: the share of the decisions on it that are wrong."""
