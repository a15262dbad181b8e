# SPDX-License-Identifier: Apache-2.0
"""The threshold whose decisions are best."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.curves import BinaryCurve, MulticlassCurve, MultilabelCurve, PointMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas import operating_points
from fastmetrics.formulas.curve_table import Points
from fastmetrics.formulas.operating_points import Decisions

CRITERIA = ("f_beta", "youden", "cost")


class BestThreshold(Family):
    """The threshold whose decisions are best, and how good they are.

    A score that is at least the threshold is positive. ``f_beta`` is the F-beta score; ``youden`` is Youden's J,
    sensitivity and specificity less 1; ``cost`` is the mean cost of a decision, which is to be least. Of several
    thresholds that are as good it is the greatest one. Without ``thresholds`` all distinct scores are compared, and an
    infinite threshold, at which nothing is positive;
    :meth:`~fastmetrics.classification.BinaryBestThreshold.table` has them all. Value and threshold are NaN where the
    criterion is not defined: F-beta without positives, J without positives or negatives, a cost without samples.
    """

    defaults = {"criterion": "f_beta", "costs": (1.0, 1.0)}
    ordered = True
    example = {
        "binary": {"": ("0.7500", "0.2200"), 'criterion="cost", costs=(1.0, 5.0)': ("0.3333", "0.2200")},
        "multiclass": {"": ("[1., 1., 1.]", "[0.3000, 0.7500, 0.6000]")},
        "multilabel": {'criterion="youden"': ("[0.5000, 0.5000, 0.6667]", "[0.7500, 0.5500, 0.3500]")},
    }


class _Best(PointMetric):
    """The best decisions of each column.

    Args:
        criterion: ``f_beta``, ``youden`` or ``cost``.
        beta: of F-beta: recall weighs that many times as much as precision.
        costs: of ``cost``: those of a false positive and of a false negative, finite and at least 0.

    Returns:
        the criterion, float32 ``()``, and the threshold ``()``; ``(C,)`` or ``(L,)`` for classes or labels.
    """

    plot_upper_bound = None
    plot_lower_bound = None

    def _found(self, points: Points) -> tuple[Tensor, Tensor]:
        of = operating_points.decisions(points)
        values, thresholds = operating_points.best(of, self._goodness(of))
        return -values if self.criterion == "cost" else values, thresholds

    def table(self) -> list[dict[str, Tensor]]:
        """What decisions at each threshold count, a table for each column, the greatest threshold first.

        It is of all processes, as the value is.

        Returns:
            for each class or label, one for binary scores: ``threshold``, ``tp``, ``fp``, ``tn``, ``fn`` and ``value``,
            the criterion, float64; each ``(T,)``.
        """
        synced = self._is_synced or not self._to_sync
        with self.sync_context(dist_sync_fn=self.dist_sync_fn, should_sync=not synced, should_unsync=not synced):
            points = self._table(**self._reader.part().finals(self._device))
        of = operating_points.decisions(points)
        values = self._goodness(of)
        columns = {"threshold": of.thresholds, "tp": of.tp, "fp": of.fp, "tn": of.tn, "fn": of.fn}
        columns["value"] = -values if self.criterion == "cost" else values
        sizes = (points.sizes + (not points.binned)).tolist()
        return [{name: value[i, :size].clone() for name, value in columns.items()} for i, size in enumerate(sizes)]

    def _goodness(self, of: Decisions) -> Tensor:
        """What is to be greatest, float64 ``[C, points]``."""
        if self.criterion == "f_beta":
            return operating_points.f_beta(of, self.beta)
        return (
            operating_points.youden(of) if self.criterion == "youden" else operating_points.saved_cost(of, self.costs)
        )

    def _decide_by(self, criterion: str, beta: float, costs: tuple[float, float], validate_args: bool) -> None:
        """Keep the criterion; a part of a constructor."""
        if validate_args:
            arguments.one_of("criterion", criterion, CRITERIA)
            arguments.beta(beta)
            arguments.costs(costs)
        self.criterion, self.beta, self.costs = criterion, beta, costs


class BinaryBestThreshold(_Best, BinaryCurve, family=BestThreshold):
    """The best threshold of binary scores."""

    def __init__(
        self,
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(thresholds, ignore_index, validate_args, logits=logits, **kwargs)
        self._decide_by(criterion, beta, costs, validate_args)


class MulticlassBestThreshold(_Best, MulticlassCurve, family=BestThreshold):
    """The best threshold of each class against all others."""

    def __init__(
        self,
        num_classes: int,
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_classes, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._decide_by(criterion, beta, costs, validate_args)


class MultilabelBestThreshold(_Best, MultilabelCurve, family=BestThreshold):
    """The best threshold of each label."""

    def __init__(
        self,
        num_labels: int,
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
        self._decide_by(criterion, beta, costs, validate_args)
