# SPDX-License-Identifier: Apache-2.0
"""Scores of two rates: informedness, markedness, balanced error rate, geometric mean and Fowlkes-Mallows.

In multiclass input each class is set against all others together, and ``micro`` sums the counts of all classes first.
"""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class Informedness(Family):
    r"""Informedness, Youden's J: recall + specificity - 1; that of a guess is 0.

    .. math:: \frac{TP}{TP + FN} + \frac{TN}{TN + FP} - 1

    Source: Youden, Index for rating diagnostic tests, Cancer 3, 1950.
    """

    ratio = ratios.INFORMEDNESS
    constants = {"plot_lower_bound": -1.0}
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.7222", "average=None": "[0.5000, 0.6667, 1.0000]"},
        "multilabel": {"": "0.3333", "average=None": "[1., 0., 0.]"},
        "family": {"": "0.6250"},
    }


class BinaryInformedness(BinaryRatio, family=Informedness):
    """Informedness, Youden's J, of binary decisions: recall + specificity - 1."""


class MulticlassInformedness(MulticlassRatio, family=Informedness):
    """Informedness, Youden's J, of each class, averaged: recall + specificity - 1."""


class MultilabelInformedness(MultilabelRatio, family=Informedness):
    """Informedness, Youden's J, of each label, averaged: recall + specificity - 1."""


class Markedness(Family):
    r"""Markedness: precision + negative predictive value - 1; that of a guess is 0.

    .. math:: \frac{TP}{TP + FP} + \frac{TN}{TN + FN} - 1

    Source: Powers, Evaluation: from precision, recall and F-measure to ROC, informedness, markedness and correlation,
    JMLT 2, 2011.
    """

    ratio = ratios.MARKEDNESS
    constants = {"plot_lower_bound": -1.0}
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.7222", "average=None": "[0.6667, 0.5000, 1.0000]"},
        "multilabel": {"": "0.", "average=None": "[ 1.0000, -0.5000, -0.5000]"},
        "family": {"": "0.6250"},
    }


class BinaryMarkedness(BinaryRatio, family=Markedness):
    """Markedness of binary decisions: precision + negative predictive value - 1."""


class MulticlassMarkedness(MulticlassRatio, family=Markedness):
    """Markedness of each class, averaged: precision + negative predictive value - 1."""


class MultilabelMarkedness(MultilabelRatio, family=Markedness):
    """Markedness of each label, averaged: precision + negative predictive value - 1."""


class BalancedErrorRate(Family):
    r"""Balanced error rate: the mean of the miss rate and the false alarm rate.

    .. math:: \frac12\left(\frac{FN}{TP + FN} + \frac{FP}{TN + FP}\right)

    A rate of no samples counts as ``1 - zero_division``.
    """

    ratio = ratios.BALANCED_ERROR_RATE
    constants = {"higher_is_better": False}
    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.1389", "average=None": "[0.2500, 0.1667, 0.0000]"},
        "multilabel": {"": "0.3333", "average=None": "[0.0000, 0.5000, 0.5000]"},
        "family": {"": "0.1875"},
    }


class BinaryBalancedErrorRate(BinaryRatio, family=BalancedErrorRate):
    """Balanced error rate of binary decisions: the mean of the miss rate and the false alarm rate."""


class MulticlassBalancedErrorRate(MulticlassRatio, family=BalancedErrorRate):
    """Balanced error rate of each class, averaged: the mean of the miss rate and the false alarm rate."""


class MultilabelBalancedErrorRate(MultilabelRatio, family=BalancedErrorRate):
    """Balanced error rate of each label, averaged: the mean of the miss rate and the false alarm rate."""


class GeometricMeanScore(Family):
    r"""Geometric mean of recall and specificity.

    .. math:: \sqrt{\frac{TP}{TP + FN} \cdot \frac{TN}{TN + FP}}

    Source: Kubat and Matwin, Addressing the curse of imbalanced training sets, ICML 1997.
    """

    ratio = ratios.GEOMETRIC_MEAN
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8412", "average=None": "[0.7071, 0.8165, 1.0000]"},
        "multilabel": {"": "0.3333", "average=None": "[1., 0., 0.]"},
        "family": {"": "0.8101"},
    }


class BinaryGeometricMeanScore(BinaryRatio, family=GeometricMeanScore):
    """Geometric mean of recall and specificity of binary decisions."""


class MulticlassGeometricMeanScore(MulticlassRatio, family=GeometricMeanScore):
    """Geometric mean of recall and specificity of each class, averaged."""


class MultilabelGeometricMeanScore(MultilabelRatio, family=GeometricMeanScore):
    """Geometric mean of recall and specificity of each label, averaged."""


class FowlkesMallowsScore(Family):
    r"""Fowlkes-Mallows score: the geometric mean of precision and recall.

    .. math:: \sqrt{\frac{TP}{TP + FP} \cdot \frac{TP}{TP + FN}}

    It scores a classifier, whose labels have names. The index of two clusterings, whose labels have none, is
    :class:`~fastmetrics.clustering.FowlkesMallowsIndex`; it compares pairs of samples.

    Source: Fowlkes and Mallows, A method for comparing two hierarchical clusterings, JASA 78, 1983.
    """

    ratio = ratios.FOWLKES_MALLOWS
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.8047", "average=None": "[0.7071, 0.7071, 1.0000]"},
        "multilabel": {"": "0.5690", "average=None": "[1.0000, 0.0000, 0.7071]"},
        "family": {"": "0.7500"},
    }


class BinaryFowlkesMallowsScore(BinaryRatio, family=FowlkesMallowsScore):
    """Fowlkes-Mallows score of binary decisions: the geometric mean of precision and recall."""


class MulticlassFowlkesMallowsScore(MulticlassRatio, family=FowlkesMallowsScore):
    """Fowlkes-Mallows score of each class, averaged: the geometric mean of precision and recall."""


class MultilabelFowlkesMallowsScore(MultilabelRatio, family=FowlkesMallowsScore):
    """Fowlkes-Mallows score of each label, averaged: the geometric mean of precision and recall."""
