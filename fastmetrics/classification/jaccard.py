# SPDX-License-Identifier: Apache-2.0
"""Jaccard index, the intersection over the union."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion, MultilabelConfusion
from fastmetrics.classification.family import Family
from fastmetrics.formulas.ratios import DROP_ABSENT, JACCARD, KEEP_ALL, average_ratio


class JaccardIndex(Family):
    r"""Jaccard index: the intersection of predictions and targets over their union.

    .. math:: \frac{TP}{TP + FP + FN}
    """

    defaults = {"average": "macro"}
    example = {
        "binary": {"": "0.5000"},
        "multiclass": {"": "0.6667", "average=None": "[0.5000, 0.5000, 1.0000]"},
        "multilabel": {"": "0.5000", "average=None": "[1.0000, 0.0000, 0.5000]"},
    }


class BinaryJaccardIndex(BinaryConfusion, family=JaccardIndex):
    """Jaccard index of binary decisions.

    Args:
        zero_division: the index if nothing is positive.
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


class MulticlassJaccardIndex(MulticlassConfusion, family=JaccardIndex):
    """Jaccard index of each class, averaged.

    A class ``ignore_index`` takes no part in the averages. Macro and weighted averages over no samples are NaN.

    Args:
        zero_division: the index of a class that is neither predicted nor the target.

    Returns:
        float32 ``()``, or ``(C,)`` without an average.
    """

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


class MultilabelJaccardIndex(MultilabelConfusion, family=JaccardIndex):
    """Jaccard index of each label, averaged. A weighted average over no positive targets is NaN.

    Args:
        zero_division: the index of a label that is neither predicted nor the target.

    Returns:
        float32 ``()``, or ``(L,)`` without an average.
    """

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
