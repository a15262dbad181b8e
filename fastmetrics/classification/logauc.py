# SPDX-License-Identifier: Apache-2.0
"""The area under the ROC curve over the logarithm of the false positive rate."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassArea, MultilabelArea
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
from fastmetrics.formulas.curve_table import Points, Sorted


class LogAUC(Family):
    r"""The area under the ROC curve over the logarithm of the false positive rate, in a range of it.

    .. math:: \frac{1}{\log b - \log a} \int_a^b TPR \; d \log FPR

    It tells how early positives come among the first negatives, as in virtual screening
    (Mysinger and Shoichet, 2010). Without negatives it is 0, with a warning.
    """

    defaults = {"average": None}
    ordered = True
    function_first = ("thresholds", "num_classes", "num_labels", "fpr_range", "average")
    function_defaults = {"average": "macro"}
    example = {
        "binary": {"fpr_range=(0.1, 0.9)": "0.5295", "fpr_range=(0.1, 0.9), thresholds=5": "0.4360"},
        "multiclass": {'fpr_range=(0.1, 0.9), average="macro"': "1."},
        "multilabel": {
            'fpr_range=(0.1, 0.9), average="macro"': "0.5514",
            "fpr_range=(0.1, 0.9), average=None": "[0.5535, 0.2675, 0.8333]",
        },
    }


class _LogArea(AreaMetric):
    """The area of each column, averaged.

    Args:
        fpr_range: the least and the greatest false positive rate, a < b in [0, 1].
    """

    def of_sorted(self, found: Sorted) -> Tensor:
        return self.of_points(found.points())

    def of_points(self, points: Points) -> Tensor:
        return curves.log_area(points, *self.fpr_range)

    def _between(self, fpr_range: tuple[float, float], validate_args: bool) -> None:
        """Keep the range; a part of a constructor."""
        if validate_args:
            arguments.fpr_range(fpr_range)
        self.fpr_range = fpr_range


class BinaryLogAUC(_LogArea, BinaryCurve, family=LogAUC):
    """The area of binary scores."""

    def __init__(
        self,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._between(fpr_range, validate_args)


class MulticlassLogAUC(_LogArea, MulticlassArea, family=LogAUC):
    """The area of each class against all others, averaged."""

    def __init__(
        self,
        num_classes: int,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        average: str | None = None,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = thresholds, ignore_index, validate_args
        super().__init__(num_classes, average, *given, logits=logits, **kwargs)
        self._between(fpr_range, validate_args)


class MultilabelLogAUC(_LogArea, MultilabelArea, family=LogAUC):
    """The area of each label, averaged.

    Args:
        average: ``macro`` is the mean over labels; ``weighted`` weighs labels by how often they are positive; ``none``
            or None gives a value for each label.
    """

    def __init__(
        self,
        num_labels: int,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        average: str | None = None,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = thresholds, ignore_index, validate_args, logits
        self._start(num_labels, *given, average, ("macro", "weighted", "none", None), **kwargs)
        self._between(fpr_range, validate_args)
