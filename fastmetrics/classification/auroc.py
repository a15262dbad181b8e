# SPDX-License-Identifier: Apache-2.0
"""The area under the ROC curve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastmetrics.classification import curve_intervals
from fastmetrics.classification.curves import AreaMetric, BinaryCurve, MulticlassArea, MultilabelArea, are_counts
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves, intervals
from fastmetrics.formulas.curve_table import Points, Sorted
from fastmetrics.intervals import ClosedForm, IntervalMethods


class AUROC(Family):
    """The area under the curve of true over false positive rates: how often a positive has a higher score.

    Ties count half. Without positives, or without negatives, it is 0, with a warning. The relative error is about 1e-15
    before the value is rounded.
    """

    defaults = {"average": "macro"}
    ordered = True
    example = {
        "binary": {"": "0.6667", "thresholds=5": "0.5556"},
        "multiclass": {"": "1.", "average=None": "[1., 1., 1.]"},
        "multilabel": {"": "0.6528", "average=None": "[0.6250, 0.5000, 0.8333]"},
    }


class _Area(AreaMetric):
    bounded = True

    def of_sorted(self, found: Sorted) -> Tensor:
        return curves.area(found)

    def of_points(self, points: Points) -> Tensor:
        return curves.binned_area(points)

    def of_groups(self, groups: Tensor) -> Tensor:
        return intervals.area_error(groups[..., 1], groups[..., 0])[0]

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        """DeLong's error; that of an average needs the scores."""
        single = self.task_name == "binary" or self.average in ("none", None)
        methods = super()._interval_methods(states)
        if single or _kept(states):
            return {"delong": ClosedForm(partial(self._delong, states, single), _ends), **methods}
        return methods

    def _delong(self, states: Mapping[str, Tensor], single: bool) -> tuple[Tensor, Tensor]:
        values = self._each(states)
        if not single:
            return self.formula(**states).double(), self._error_of_mean(states)
        errors = curve_intervals.area_errors(self._score_groups(states))
        return (values.squeeze(0), errors.squeeze(0)) if self.task_name == "binary" else (values, errors)

    def _error_of_mean(self, states: Mapping[str, Tensor]) -> Tensor:
        """The standard error of an average, from what each sample has in all columns."""
        decisions = curve_intervals.of_decisions(states["scores"], states.get("labels"))
        if self.micro:
            flat = intervals.area_placements(*(v.reshape(-1) for v in decisions))
            errors = [flat.reshape(decisions[0].shape).sum(1)]
            return curve_intervals.together(errors, flat.new_ones(1))
        errors = [intervals.area_placements(*column) for column in zip(*(v.unbind(1) for v in decisions), strict=True)]
        positives = (decisions[1] & decisions[2]).sum(0).double()
        weights = positives if self.average == "weighted" else torch.ones_like(positives)
        return curve_intervals.together(errors, weights / weights.sum())


def _ends(area: Tensor, error: Tensor, level: float) -> intervals.Pair:
    low, high = intervals.normal(area, error, level)
    return low.clamp(min=0), high.clamp(max=1)


def _kept(states: Mapping[str, Tensor]) -> bool:
    """Whether there are scores, and not what was counted of them."""
    return "scores" in states and not are_counts(states["scores"])


class BinaryAUROC(_Area, BinaryCurve, family=AUROC):
    """The area under the ROC curve of binary scores.

    Args:
        max_fpr: the greatest false positive rate: the area up to it, standardised by McClish's correction to 0.5 for
            scores that say nothing. None, or 1, takes all of the curve.
    """

    def __init__(
        self,
        max_fpr: float | None = None,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args and max_fpr is not None and not (isinstance(max_fpr, float) and 0 < max_fpr <= 1):
            raise ValueError(f"Arguments `max_fpr` should be a float in range (0, 1], but got: {max_fpr}")
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self.max_fpr = max_fpr
        self.bounded = max_fpr is None or max_fpr == 1

    def formula(self, **states: Tensor) -> Tensor:
        """The area."""
        if self.max_fpr is None or self.max_fpr == 1:
            return super().formula(**states)
        fpr, tpr = curves.rate_rows(self._table(**states))
        return curves.partial_area(fpr[0], tpr[0], self.max_fpr).float()

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        """There is none of a part of the curve."""
        return super()._interval_methods(states) if self.max_fpr in (None, 1) else {}


class MulticlassAUROC(_Area, MulticlassArea, family=AUROC):
    """The area under the ROC curve of each class against all others, averaged."""


class MultilabelAUROC(_Area, MultilabelArea, family=AUROC):
    """The area under the ROC curve of each label, averaged."""
