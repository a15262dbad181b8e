# SPDX-License-Identifier: Apache-2.0
"""Specificity, the true negative rate."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class Specificity(Family):
    r"""Specificity: the share of the negative targets that are found.

    .. math:: \frac{TN}{TN + FP}

    It is 0 where nothing is negative; ``zero_division`` is not used, as in torchmetrics.
    """

    ratio = ratios.SPECIFICITY
    constants = {"undefined": 0.0}
    function_lacks = ("zero_division",)
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8889", "average=None": "[1.0000, 0.6667, 1.0000]"},
        "multilabel": {"": "0.6667", "average=None": "[1., 1., 0.]"},
        "family": {"": "0.8750"},
    }


class BinarySpecificity(BinaryRatio, family=Specificity):
    """Specificity of binary decisions."""


class MulticlassSpecificity(MulticlassRatio, family=Specificity):
    """Specificity of each class, averaged."""


class MultilabelSpecificity(MultilabelRatio, family=Specificity):
    """Specificity of each label, averaged."""
