# SPDX-License-Identifier: Apache-2.0
"""Scores of two rates: informedness, markedness, balanced error rate, geometric mean and Fowlkes-Mallows.

In multiclass input each class is set against all others together, and ``micro`` sums the counts of all classes first.
"""

from __future__ import annotations

from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class _Difference:
    """A score in [-1, 1]; 0 is that of a guess."""

    plot_lower_bound: float | None = -1.0


class BinaryInformedness(_Difference, BinaryRatio):
    r"""Informedness, Youden's J, of binary decisions: recall + specificity - 1.

    .. math:: \frac{TP}{TP + FN} + \frac{TN}{TN + FP} - 1

    Source: Youden, Index for rating diagnostic tests, Cancer 3, 1950.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryInformedness
        >>> from fastmetrics.functional.classification import binary_informedness
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryInformedness()(preds, target)
        tensor(0.3333)
        >>> binary_informedness(preds, target)
        tensor(0.3333)
    """

    ratio = ratios.INFORMEDNESS


class MulticlassInformedness(_Difference, MulticlassRatio):
    r"""Informedness, Youden's J, of each class, averaged: recall + specificity - 1.

    .. math:: \frac{TP}{TP + FN} + \frac{TN}{TN + FP} - 1

    Source: Youden, Index for rating diagnostic tests, Cancer 3, 1950.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassInformedness
        >>> from fastmetrics.functional.classification import multiclass_informedness
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassInformedness(num_classes=3)(preds, target)
        tensor(0.7222)
        >>> multiclass_informedness(preds, target, num_classes=3, average=None)
        tensor([0.5000, 0.6667, 1.0000])
    """

    ratio = ratios.INFORMEDNESS


class MultilabelInformedness(_Difference, MultilabelRatio):
    r"""Informedness, Youden's J, of each label, averaged: recall + specificity - 1.

    .. math:: \frac{TP}{TP + FN} + \frac{TN}{TN + FP} - 1

    Source: Youden, Index for rating diagnostic tests, Cancer 3, 1950.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelInformedness
        >>> from fastmetrics.functional.classification import multilabel_informedness
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelInformedness(num_labels=3)(preds, target)
        tensor(0.3333)
        >>> multilabel_informedness(preds, target, num_labels=3, average=None)
        tensor([1., 0., 0.])
    """

    ratio = ratios.INFORMEDNESS


class Informedness(TaskMetric):
    """Informedness, Youden's J, of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Informedness
        >>> Informedness(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.6250)
    """

    tasks = {"binary": BinaryInformedness, "multiclass": MulticlassInformedness, "multilabel": MultilabelInformedness}


class BinaryMarkedness(_Difference, BinaryRatio):
    r"""Markedness of binary decisions: precision + negative predictive value - 1.

    .. math:: \frac{TP}{TP + FP} + \frac{TN}{TN + FN} - 1

    Source: Powers, Evaluation: from precision, recall and F-measure to ROC, informedness, markedness and correlation,
    JMLT 2, 2011.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryMarkedness
        >>> from fastmetrics.functional.classification import binary_markedness
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryMarkedness()(preds, target)
        tensor(0.3333)
        >>> binary_markedness(preds, target)
        tensor(0.3333)
    """

    ratio = ratios.MARKEDNESS


class MulticlassMarkedness(_Difference, MulticlassRatio):
    r"""Markedness of each class, averaged: precision + negative predictive value - 1.

    .. math:: \frac{TP}{TP + FP} + \frac{TN}{TN + FN} - 1

    Source: Powers, Evaluation: from precision, recall and F-measure to ROC, informedness, markedness and correlation,
    JMLT 2, 2011.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassMarkedness
        >>> from fastmetrics.functional.classification import multiclass_markedness
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassMarkedness(num_classes=3)(preds, target)
        tensor(0.7222)
        >>> multiclass_markedness(preds, target, num_classes=3, average=None)
        tensor([0.6667, 0.5000, 1.0000])
    """

    ratio = ratios.MARKEDNESS


class MultilabelMarkedness(_Difference, MultilabelRatio):
    r"""Markedness of each label, averaged: precision + negative predictive value - 1.

    .. math:: \frac{TP}{TP + FP} + \frac{TN}{TN + FN} - 1

    Source: Powers, Evaluation: from precision, recall and F-measure to ROC, informedness, markedness and correlation,
    JMLT 2, 2011.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelMarkedness
        >>> from fastmetrics.functional.classification import multilabel_markedness
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelMarkedness(num_labels=3)(preds, target)
        tensor(0.)
        >>> multilabel_markedness(preds, target, num_labels=3, average=None)
        tensor([ 1.0000, -0.5000, -0.5000])
    """

    ratio = ratios.MARKEDNESS


class Markedness(TaskMetric):
    """Markedness of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import Markedness
        >>> Markedness(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.6250)
    """

    tasks = {"binary": BinaryMarkedness, "multiclass": MulticlassMarkedness, "multilabel": MultilabelMarkedness}


class _LowerIsBetter:
    higher_is_better: bool | None = False


class BinaryBalancedErrorRate(_LowerIsBetter, BinaryRatio):
    r"""Balanced error rate of binary decisions: the mean of the miss rate and the false alarm rate.

    .. math:: \frac12\left(\frac{FN}{TP + FN} + \frac{FP}{TN + FP}\right)

    A rate of no samples counts as ``1 - zero_division``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryBalancedErrorRate
        >>> from fastmetrics.functional.classification import binary_balanced_error_rate
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryBalancedErrorRate()(preds, target)
        tensor(0.3333)
        >>> binary_balanced_error_rate(preds, target)
        tensor(0.3333)
    """

    ratio = ratios.BALANCED_ERROR_RATE


class MulticlassBalancedErrorRate(_LowerIsBetter, MulticlassRatio):
    r"""Balanced error rate of each class, averaged: the mean of the miss rate and the false alarm rate.

    .. math:: \frac12\left(\frac{FN}{TP + FN} + \frac{FP}{TN + FP}\right)

    A rate of no samples counts as ``1 - zero_division``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassBalancedErrorRate
        >>> from fastmetrics.functional.classification import multiclass_balanced_error_rate
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassBalancedErrorRate(num_classes=3)(preds, target)
        tensor(0.1389)
        >>> multiclass_balanced_error_rate(preds, target, num_classes=3, average=None)
        tensor([0.2500, 0.1667, 0.0000])
    """

    ratio = ratios.BALANCED_ERROR_RATE


class MultilabelBalancedErrorRate(_LowerIsBetter, MultilabelRatio):
    r"""Balanced error rate of each label, averaged: the mean of the miss rate and the false alarm rate.

    .. math:: \frac12\left(\frac{FN}{TP + FN} + \frac{FP}{TN + FP}\right)

    A rate of no samples counts as ``1 - zero_division``.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelBalancedErrorRate
        >>> from fastmetrics.functional.classification import multilabel_balanced_error_rate
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelBalancedErrorRate(num_labels=3)(preds, target)
        tensor(0.3333)
        >>> multilabel_balanced_error_rate(preds, target, num_labels=3, average=None)
        tensor([0.0000, 0.5000, 0.5000])
    """

    ratio = ratios.BALANCED_ERROR_RATE


class BalancedErrorRate(TaskMetric):
    """Balanced error rate of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import BalancedErrorRate
        >>> BalancedErrorRate(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.1875)
    """

    tasks = {
        "binary": BinaryBalancedErrorRate,
        "multiclass": MulticlassBalancedErrorRate,
        "multilabel": MultilabelBalancedErrorRate,
    }


class BinaryGeometricMeanScore(BinaryRatio):
    r"""Geometric mean of binary decisions: that of recall and specificity.

    .. math:: \sqrt{\frac{TP}{TP + FN} \cdot \frac{TN}{TN + FP}}

    Source: Kubat and Matwin, Addressing the curse of imbalanced training sets, ICML 1997.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryGeometricMeanScore
        >>> from fastmetrics.functional.classification import binary_geometric_mean_score
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryGeometricMeanScore()(preds, target)
        tensor(0.6667)
        >>> binary_geometric_mean_score(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.GEOMETRIC_MEAN


class MulticlassGeometricMeanScore(MulticlassRatio):
    r"""Geometric mean of each class, averaged: that of recall and specificity.

    .. math:: \sqrt{\frac{TP}{TP + FN} \cdot \frac{TN}{TN + FP}}

    Source: Kubat and Matwin, Addressing the curse of imbalanced training sets, ICML 1997.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassGeometricMeanScore
        >>> from fastmetrics.functional.classification import multiclass_geometric_mean_score
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassGeometricMeanScore(num_classes=3)(preds, target)
        tensor(0.8412)
        >>> multiclass_geometric_mean_score(preds, target, num_classes=3, average=None)
        tensor([0.7071, 0.8165, 1.0000])
    """

    ratio = ratios.GEOMETRIC_MEAN


class MultilabelGeometricMeanScore(MultilabelRatio):
    r"""Geometric mean of each label, averaged: that of recall and specificity.

    .. math:: \sqrt{\frac{TP}{TP + FN} \cdot \frac{TN}{TN + FP}}

    Source: Kubat and Matwin, Addressing the curse of imbalanced training sets, ICML 1997.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelGeometricMeanScore
        >>> from fastmetrics.functional.classification import multilabel_geometric_mean_score
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelGeometricMeanScore(num_labels=3)(preds, target)
        tensor(0.3333)
        >>> multilabel_geometric_mean_score(preds, target, num_labels=3, average=None)
        tensor([1., 0., 0.])
    """

    ratio = ratios.GEOMETRIC_MEAN


class GeometricMeanScore(TaskMetric):
    """Geometric mean of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import GeometricMeanScore
        >>> GeometricMeanScore(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.8101)
    """

    tasks = {
        "binary": BinaryGeometricMeanScore,
        "multiclass": MulticlassGeometricMeanScore,
        "multilabel": MultilabelGeometricMeanScore,
    }


class BinaryFowlkesMallowsScore(BinaryRatio):
    r"""Fowlkes-Mallows score of binary decisions: the geometric mean of precision and recall.

    .. math:: \sqrt{\frac{TP}{TP + FP} \cdot \frac{TP}{TP + FN}}

    It is that of a classifier, whose labels have names. The index of two clusterings, whose labels have none, compares
    pairs of samples and is another figure.

    Source: Fowlkes and Mallows, A method for comparing two hierarchical clusterings, JASA 78, 1983.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryFowlkesMallowsScore
        >>> from fastmetrics.functional.classification import binary_fowlkes_mallows_score
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryFowlkesMallowsScore()(preds, target)
        tensor(0.6667)
        >>> binary_fowlkes_mallows_score(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.FOWLKES_MALLOWS


class MulticlassFowlkesMallowsScore(MulticlassRatio):
    r"""Fowlkes-Mallows score of each class, averaged: the geometric mean of precision and recall.

    .. math:: \sqrt{\frac{TP}{TP + FP} \cdot \frac{TP}{TP + FN}}

    It is that of a classifier, whose labels have names. The index of two clusterings, whose labels have none, compares
    pairs of samples and is another figure.

    Source: Fowlkes and Mallows, A method for comparing two hierarchical clusterings, JASA 78, 1983.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassFowlkesMallowsScore
        >>> from fastmetrics.functional.classification import multiclass_fowlkes_mallows_score
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassFowlkesMallowsScore(num_classes=3)(preds, target)
        tensor(0.8047)
        >>> multiclass_fowlkes_mallows_score(preds, target, num_classes=3, average=None)
        tensor([0.7071, 0.7071, 1.0000])
    """

    ratio = ratios.FOWLKES_MALLOWS


class MultilabelFowlkesMallowsScore(MultilabelRatio):
    r"""Fowlkes-Mallows score of each label, averaged: the geometric mean of precision and recall.

    .. math:: \sqrt{\frac{TP}{TP + FP} \cdot \frac{TP}{TP + FN}}

    It is that of a classifier, whose labels have names. The index of two clusterings, whose labels have none, compares
    pairs of samples and is another figure.

    Source: Fowlkes and Mallows, A method for comparing two hierarchical clusterings, JASA 78, 1983.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelFowlkesMallowsScore
        >>> from fastmetrics.functional.classification import multilabel_fowlkes_mallows_score
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelFowlkesMallowsScore(num_labels=3)(preds, target)
        tensor(0.5690)
        >>> multilabel_fowlkes_mallows_score(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.7071])
    """

    ratio = ratios.FOWLKES_MALLOWS


class FowlkesMallowsScore(TaskMetric):
    """Fowlkes-Mallows score of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import FowlkesMallowsScore
        >>> metric = FowlkesMallowsScore(task="multiclass", num_classes=3)
        >>> metric(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.7500)
    """

    tasks = {
        "binary": BinaryFowlkesMallowsScore,
        "multiclass": MulticlassFowlkesMallowsScore,
        "multilabel": MultilabelFowlkesMallowsScore,
    }
