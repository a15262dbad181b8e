# SPDX-License-Identifier: Apache-2.0
"""Negative predictive value."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class NegativePredictiveValue(Family):
    r"""Negative predictive value: the share of the negative decisions that are right.

    .. math:: \frac{TN}{TN + FN}
    """

    ratio = ratios.NEGATIVE_PREDICTIVE_VALUE
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8889", "average=None": "[0.6667, 1.0000, 1.0000]"},
        "multilabel": {"": "0.5000", "average=None": "[1.0000, 0.5000, 0.0000]"},
        "family": {"": "0.8750"},
    }


class BinaryNegativePredictiveValue(BinaryRatio, family=NegativePredictiveValue):
    """Negative predictive value of binary decisions."""


class MulticlassNegativePredictiveValue(MulticlassRatio, family=NegativePredictiveValue):
    """Negative predictive value of each class, averaged."""

    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelNegativePredictiveValue(MultilabelRatio, family=NegativePredictiveValue):
    """Negative predictive value of each label, averaged."""
