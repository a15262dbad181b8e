# SPDX-License-Identifier: Apache-2.0
"""Precision and recall."""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class Precision(Family):
    r"""Precision: the share of the positive decisions that are right.

    .. math:: \frac{TP}{TP + FP}
    """

    ratio = ratios.PRECISION
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8333", "average=None": "[1.0000, 0.5000, 1.0000]"},
        "multilabel": {"": "0.5000", "average=None": "[1.0000, 0.0000, 0.5000]"},
        "family": {"": "0.7500", 'average="macro"': "0.8333"},
    }


class BinaryPrecision(BinaryRatio, family=Precision):
    """Precision of binary decisions."""


class MulticlassPrecision(MulticlassRatio, family=Precision):
    """Precision of each class, averaged."""

    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelPrecision(MultilabelRatio, family=Precision):
    """Precision of each label, averaged."""


class Recall(Family):
    r"""Recall, also called sensitivity: the share of the positive targets that are found.

    .. math:: \frac{TP}{TP + FN}
    """

    ratio = ratios.RECALL
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8333", "average=None": "[0.5000, 1.0000, 1.0000]"},
        "multilabel": {"": "0.6667", "average=None": "[1., 0., 1.]"},
        "family": {"": "0.7500", 'average="macro"': "0.8333"},
    }


class BinaryRecall(BinaryRatio, family=Recall):
    """Recall of binary decisions."""


class MulticlassRecall(MulticlassRatio, family=Recall):
    """Recall of each class, averaged."""

    drop_of_top_k = ratios.DROP_UNTARGETED


class MultilabelRecall(MultilabelRatio, family=Recall):
    """Recall of each label, averaged."""
