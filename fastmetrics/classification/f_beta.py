# SPDX-License-Identifier: Apache-2.0
"""F-scores."""

from __future__ import annotations

from typing import Any

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas import ratios


class BinaryF1Score(BinaryRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of binary decisions.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryF1Score
        >>> from fastmetrics.functional.classification import binary_f1_score
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryF1Score()(preds, target)
        tensor(0.6667)
        >>> binary_f1_score(preds, target)
        tensor(0.6667)
    """

    ratio = ratios.fbeta(1.0)


class MulticlassF1Score(MulticlassRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of each class, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassF1Score
        >>> from fastmetrics.functional.classification import multiclass_f1_score
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassF1Score(num_classes=3)(preds, target)
        tensor(0.7778)
        >>> multiclass_f1_score(preds, target, num_classes=3, average=None)
        tensor([0.6667, 0.6667, 1.0000])
    """

    ratio = ratios.fbeta(1.0)


class MultilabelF1Score(MultilabelRatio):
    r"""F1 score, :math:`\frac{2TP}{2TP + FP + FN}`, of each label, averaged.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelF1Score
        >>> from fastmetrics.functional.classification import multilabel_f1_score
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelF1Score(num_labels=3)(preds, target)
        tensor(0.5556)
        >>> multilabel_f1_score(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.6667])
    """

    ratio = ratios.fbeta(1.0)


class F1Score(TaskMetric):
    """F1 score of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import F1Score
        >>> F1Score(task="multiclass", num_classes=3)(
        ...     torch.tensor([0, 2, 1, 0, 0, 1]), torch.tensor([0, 1, 2, 0, 1, 2])
        ... )
        tensor(0.3333)
    """

    tasks = {"binary": BinaryF1Score, "multiclass": MulticlassF1Score, "multilabel": MultilabelF1Score}


class BinaryFBetaScore(BinaryRatio):
    r"""F-score, :math:`\frac{(1 + \beta^2) TP}{(1 + \beta^2) TP + \beta^2 FN + FP}`, of binary decisions.

    Args:
        beta: above 0; how many times as much recall weighs as precision.
        threshold: this and the others are those of :class:`~fastmetrics.classification.base.BinaryCounts`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryFBetaScore
        >>> from fastmetrics.functional.classification import binary_fbeta_score
        >>> preds, target = torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryFBetaScore(beta=2.0)(preds, target)
        tensor(0.6667)
        >>> binary_fbeta_score(preds, target, beta=2.0)
        tensor(0.6667)
    """

    def __init__(
        self,
        beta: float,
        threshold: float = 0.5,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.beta(beta)
        super().__init__(
            threshold,
            multidim_average,
            ignore_index,
            validate_args,
            zero_division,
            logits=logits,
            **kwargs,
        )
        self.beta = beta
        self.ratio = ratios.fbeta(beta)


class MulticlassFBetaScore(MulticlassRatio):
    r"""F-score, :math:`\frac{(1 + \beta^2) TP}{(1 + \beta^2) TP + \beta^2 FN + FP}`, of each class, averaged.

    Args:
        beta: above 0; how many times as much recall weighs as precision.
        num_classes: this and the others are those of :class:`~fastmetrics.classification.base.MulticlassCounts`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassFBetaScore
        >>> from fastmetrics.functional.classification import multiclass_fbeta_score
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassFBetaScore(beta=2.0, num_classes=3)(preds, target)
        tensor(0.7963)
        >>> multiclass_fbeta_score(preds, target, beta=2.0, num_classes=3, average=None)
        tensor([0.5556, 0.8333, 1.0000])
    """

    def __init__(
        self,
        beta: float,
        num_classes: int,
        top_k: int = 1,
        average: str | None = "macro",
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.beta(beta)
        super().__init__(
            num_classes,
            top_k,
            average,
            multidim_average,
            ignore_index,
            validate_args,
            zero_division,
            exclude_ignored=exclude_ignored,
            **kwargs,
        )
        self.beta = beta
        self.ratio = ratios.fbeta(beta)


class MultilabelFBetaScore(MultilabelRatio):
    r"""F-score, :math:`\frac{(1 + \beta^2) TP}{(1 + \beta^2) TP + \beta^2 FN + FP}`, of each label, averaged.

    Args:
        beta: above 0; how many times as much recall weighs as precision.
        num_labels: this and the others are those of :class:`~fastmetrics.classification.base.MultilabelCounts`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelFBetaScore
        >>> from fastmetrics.functional.classification import multilabel_fbeta_score
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelFBetaScore(beta=2.0, num_labels=3)(preds, target)
        tensor(0.6111)
        >>> multilabel_fbeta_score(preds, target, beta=2.0, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.8333])
    """

    def __init__(
        self,
        beta: float,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.beta(beta)
        super().__init__(
            num_labels,
            threshold,
            average,
            multidim_average,
            ignore_index,
            validate_args,
            zero_division,
            logits=logits,
            **kwargs,
        )
        self.beta = beta
        self.ratio = ratios.fbeta(beta)


class FBetaScore(TaskMetric):
    """F-score of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import FBetaScore
        >>> metric = FBetaScore(task="multiclass", num_classes=3, beta=0.5)
        >>> metric(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.7500)
    """

    tasks = {"binary": BinaryFBetaScore, "multiclass": MulticlassFBetaScore, "multilabel": MultilabelFBetaScore}
