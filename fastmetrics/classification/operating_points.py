# SPDX-License-Identifier: Apache-2.0
"""The greatest one of two rates where the other one is at least a given value, and the threshold of that point."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.curves import BinaryCurve, MulticlassCurve, MultilabelCurve, PointMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas import operating_points
from fastmetrics.formulas.curve_table import Points


class OperatingPoint(PointMetric):
    """A point of a curve: a rate there, and the threshold.

    A score that is at least the threshold is positive.
    """

    #: The argument that says how much the other rate is at least.
    bound: ClassVar[str]

    @abstractmethod
    def _best(self, points: Points, least: float) -> tuple[Tensor, Tensor]:
        """The rate and the threshold of each curve, float64 ``[C]`` and ``[C]``."""

    def _found(self, points: Points) -> tuple[Tensor, Tensor]:
        return self._best(points, getattr(self, self.bound))

    def _at_least(self, value: float, validate_args: bool) -> None:
        """Keep the bound; a part of a constructor."""
        if validate_args:
            arguments.share(self.bound, value)
        setattr(self, self.bound, value)


class RecallAtFixedPrecision(Family):
    """The greatest recall where precision is at least ``min_precision``, and the threshold of that point.

    Of several points with that recall it is the one of the greatest precision, then of the greatest threshold. If there
    is none, or recall is 0, recall is 0 and the threshold NaN.
    """

    ordered = True
    example = {
        "binary": {"min_precision=0.6": ("1.", "0.2200")},
        "multiclass": {"min_precision=0.6": ("[1., 1., 1.]", "[0.3000, 0.7500, 0.6000]")},
        "multilabel": {"min_precision=0.6": ("[0.5000, 1.0000, 1.0000]", "[0.7500, 0.5500, 0.0500]")},
    }


class _RecallAtPrecision(OperatingPoint):
    """A point of the curve of each column.

    Args:
        min_precision: how much precision is at least, in [0, 1].

    Returns:
        the recall, float32 ``()``, and the threshold ``()``; ``(C,)`` or ``(L,)`` for classes or labels.
    """

    bound = "min_precision"

    def _best(self, points: Points, least: float) -> tuple[Tensor, Tensor]:
        recall, thresholds = operating_points.recall_at_precision(points, least, self.absent)
        return recall, thresholds


class BinaryRecallAtFixedPrecision(_RecallAtPrecision, BinaryCurve, family=RecallAtFixedPrecision):
    """The greatest recall at a given precision, of binary scores."""

    def __init__(
        self,
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._at_least(min_precision, validate_args)


class MulticlassRecallAtFixedPrecision(_RecallAtPrecision, MulticlassCurve, family=RecallAtFixedPrecision):
    """The greatest recall at a given precision, of each class against all others."""

    def __init__(
        self,
        num_classes: int,
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_classes, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_precision, validate_args)


class MultilabelRecallAtFixedPrecision(_RecallAtPrecision, MultilabelCurve, family=RecallAtFixedPrecision):
    """The greatest recall at a given precision, of each label."""

    def __init__(
        self,
        num_labels: int,
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_precision, validate_args)


class PrecisionAtFixedRecall(Family):
    """The greatest precision where recall is at least ``min_recall``, and the threshold of that point.

    Of several points with that precision it is the one of the greatest recall, then of the greatest threshold. If there
    is none, or precision is 0, precision is 0 and the threshold NaN.
    """

    ordered = True
    example = {
        "binary": {"min_recall=0.6": ("0.6667", "0.7300")},
        "multiclass": {"min_recall=0.6": ("[1., 1., 1.]", "[0.3000, 0.7500, 0.6000]")},
        "multilabel": {"min_recall=0.6": ("[0.5000, 0.6667, 1.0000]", "[0.0500, 0.5500, 0.3500]")},
    }


class _PrecisionAtRecall(OperatingPoint):
    """A point of the curve of each column.

    Args:
        min_recall: how much recall is at least, in [0, 1].

    Returns:
        the precision, float32 ``()``, and the threshold ``()``; ``(C,)`` or ``(L,)`` for classes or labels.
    """

    bound = "min_recall"

    def _best(self, points: Points, least: float) -> tuple[Tensor, Tensor]:
        return operating_points.precision_at_recall(points, least, self.absent)


class BinaryPrecisionAtFixedRecall(_PrecisionAtRecall, BinaryCurve, family=PrecisionAtFixedRecall):
    """The greatest precision at a given recall, of binary scores."""

    def __init__(
        self,
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._at_least(min_recall, validate_args)


class MulticlassPrecisionAtFixedRecall(_PrecisionAtRecall, MulticlassCurve, family=PrecisionAtFixedRecall):
    """The greatest precision at a given recall, of each class against all others."""

    def __init__(
        self,
        num_classes: int,
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_classes, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_recall, validate_args)


class MultilabelPrecisionAtFixedRecall(_PrecisionAtRecall, MultilabelCurve, family=PrecisionAtFixedRecall):
    """The greatest precision at a given recall, of each label."""

    def __init__(
        self,
        num_labels: int,
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_recall, validate_args)


class SensitivityAtSpecificity(Family):
    """The greatest sensitivity where specificity is at least ``min_specificity``, and the threshold of that point.

    Of several points with that sensitivity it is the first one on the ROC curve. Without any point the sensitivity is 0
    and the threshold 1e6. A rate without samples is as in :class:`~fastmetrics.classification.ROC`.
    """

    ordered = True
    example = {
        "binary": {"min_specificity=0.6": ("0.6667", "0.7300")},
        "multiclass": {"min_specificity=0.6": ("[1., 1., 1.]", "[0.3000, 0.7500, 0.6000]")},
        "multilabel": {"min_specificity=0.6": ("[0.5000, 0.0000, 0.6667]", "[0.7500, 1.0000, 0.3500]")},
    }


class _SensitivityAtSpecificity(OperatingPoint):
    """A point of the curve of each column.

    Args:
        min_specificity: how much specificity is at least, in [0, 1].

    Returns:
        the sensitivity, float32 ``()``, and the threshold ``()``; ``(C,)`` or ``(L,)`` for classes or labels.
    """

    bound = "min_specificity"

    def _best(self, points: Points, least: float) -> tuple[Tensor, Tensor]:
        return operating_points.sensitivity_at_specificity(points, least)


class BinarySensitivityAtSpecificity(_SensitivityAtSpecificity, BinaryCurve, family=SensitivityAtSpecificity):
    """The greatest sensitivity at a given specificity, of binary scores."""

    def __init__(
        self,
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._at_least(min_specificity, validate_args)


class MulticlassSensitivityAtSpecificity(_SensitivityAtSpecificity, MulticlassCurve, family=SensitivityAtSpecificity):
    """The greatest sensitivity at a given specificity, of each class against all others."""

    def __init__(
        self,
        num_classes: int,
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_classes, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_specificity, validate_args)


class MultilabelSensitivityAtSpecificity(_SensitivityAtSpecificity, MultilabelCurve, family=SensitivityAtSpecificity):
    """The greatest sensitivity at a given specificity, of each label."""

    def __init__(
        self,
        num_labels: int,
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_specificity, validate_args)


class SpecificityAtSensitivity(Family):
    """The greatest specificity where sensitivity is at least ``min_sensitivity``, and the threshold of that point.

    Of several points with that specificity it is the first one on the ROC curve. Without any point the specificity is 0
    and the threshold 1e6. A rate without samples is as in :class:`~fastmetrics.classification.ROC`.
    """

    ordered = True
    example = {
        "binary": {"min_sensitivity=0.6": ("0.6667", "0.7300")},
        "multiclass": {"min_sensitivity=0.6": ("[1., 1., 1.]", "[0.3000, 0.7500, 0.6000]")},
        "multilabel": {"min_sensitivity=0.6": ("[0.0000, 0.5000, 1.0000]", "[0.0500, 0.5500, 0.3500]")},
    }


class _SpecificityAtSensitivity(OperatingPoint):
    """A point of the curve of each column.

    Args:
        min_sensitivity: how much sensitivity is at least, in [0, 1].

    Returns:
        the specificity, float32 ``()``, and the threshold ``()``; ``(C,)`` or ``(L,)`` for classes or labels.
    """

    bound = "min_sensitivity"

    def _best(self, points: Points, least: float) -> tuple[Tensor, Tensor]:
        return operating_points.specificity_at_sensitivity(points, least)


class BinarySpecificityAtSensitivity(_SpecificityAtSensitivity, BinaryCurve, family=SpecificityAtSensitivity):
    """The greatest specificity at a given sensitivity, of binary scores."""

    def __init__(
        self,
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._at_least(min_sensitivity, validate_args)


class MulticlassSpecificityAtSensitivity(_SpecificityAtSensitivity, MulticlassCurve, family=SpecificityAtSensitivity):
    """The greatest specificity at a given sensitivity, of each class against all others."""

    def __init__(
        self,
        num_classes: int,
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_classes, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_sensitivity, validate_args)


class MultilabelSpecificityAtSensitivity(_SpecificityAtSensitivity, MultilabelCurve, family=SpecificityAtSensitivity):
    """The greatest specificity at a given sensitivity, of each label."""

    def __init__(
        self,
        num_labels: int,
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._at_least(min_sensitivity, validate_args)
