# SPDX-License-Identifier: Apache-2.0
"""Jaccard index, the intersection over the union."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion, Score
from fastmetrics.classification.task import TaskMetric
from fastmetrics.formulas.ratios import DROP_ABSENT, JACCARD, KEEP_ALL, average_ratio


class BinaryJaccardIndex(Score, BinaryConfusion):
    r"""Jaccard index, :math:`\frac{TP}{TP + FP + FN}`, of binary decisions: float32 ``()``.

    Args:
        threshold: this and the others are those of :class:`~fastmetrics.classification.base.BinaryConfusion`.
        zero_division: the index if nothing is positive.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryJaccardIndex
        >>> from fastmetrics.functional.classification import binary_jaccard_index
        >>> preds, target = torch.tensor([0.35, 0.85, 0.48, 0.01]), torch.tensor([1, 1, 0, 0])
        >>> BinaryJaccardIndex()(preds, target)
        tensor(0.5000)
        >>> binary_jaccard_index(preds, target)
        tensor(0.5000)
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.zero_division = zero_division

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return average_ratio(JACCARD, counts, "micro", self.zero_division)


class MulticlassJaccardIndex(Score, MulticlassConfusion):
    r"""Jaccard index, :math:`\frac{TP}{TP + FP + FN}`, of each class, averaged: float32 ``()``, or ``(C,)``.

    A class ``ignore_index`` takes no part in the averages. Macro and weighted averages over no samples are NaN.

    Args:
        num_classes: C.
        average: as of :class:`~fastmetrics.classification.base.MulticlassCounts`; the others are those of
            :class:`~fastmetrics.classification.base.MulticlassConfusion`.
        zero_division: the index of a class that is neither predicted nor the target.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MulticlassJaccardIndex
        >>> from fastmetrics.functional.classification import multiclass_jaccard_index
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> MulticlassJaccardIndex(num_classes=3)(preds, target)
        tensor(0.6667)
        >>> multiclass_jaccard_index(preds, target, num_classes=3, average=None)
        tensor([0.5000, 0.5000, 1.0000])
    """

    plot_legend_name = "Class"

    def __init__(
        self,
        num_classes: int,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("average", average, arguments.AVERAGES)
        super().__init__(num_classes, ignore_index, validate_args, **kwargs)
        self.average = average
        self.zero_division = zero_division

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [C, 3]."""
        return average_ratio(
            JACCARD, counts, self.average, self.zero_division, DROP_ABSENT, self.ignore_index, empty=math.nan
        )


class MultilabelJaccardIndex(Score, MultilabelConfusion):
    r"""Jaccard index, :math:`\frac{TP}{TP + FP + FN}`, of each label, averaged: float32 ``()``, or ``(L,)``.

    A weighted average over no positive targets is NaN.

    Args:
        num_labels: L.
        average: as of :class:`~fastmetrics.classification.base.MultilabelCounts`; the others are those of
            :class:`~fastmetrics.classification.base.MultilabelConfusion`.
        zero_division: the index of a label that is neither predicted nor the target.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import MultilabelJaccardIndex
        >>> from fastmetrics.functional.classification import multilabel_jaccard_index
        >>> preds, target = torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])
        >>> MultilabelJaccardIndex(num_labels=3)(preds, target)
        tensor(0.5000)
        >>> multilabel_jaccard_index(preds, target, num_labels=3, average=None)
        tensor([1.0000, 0.0000, 0.5000])
    """

    plot_legend_name = "Label"

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("average", average, arguments.AVERAGES)
        super().__init__(num_labels, threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.average = average
        self.zero_division = zero_division

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [L, 4]."""
        return average_ratio(JACCARD, counts, self.average, self.zero_division, KEEP_ALL, empty=math.nan)


class JaccardIndex(TaskMetric):
    """Jaccard index of binary, multiclass or multilabel input.

    Example:
        >>> import torch
        >>> from fastmetrics import JaccardIndex
        >>> JaccardIndex(task="multiclass", num_classes=3)(torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0]))
        tensor(0.6667)
    """

    tasks = {"binary": BinaryJaccardIndex, "multiclass": MulticlassJaccardIndex, "multilabel": MultilabelJaccardIndex}
    defaults = {"average": "macro"}
