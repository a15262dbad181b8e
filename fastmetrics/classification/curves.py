# SPDX-License-Identifier: Apache-2.0
"""What the metrics of curves over thresholds share."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from math import nan
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.compiler import is_compiling
from torchmetrics.utilities.compute import _auc_compute_without_check
from torchmetrics.utilities.plot import plot_curve

from fastmetrics import arguments
from fastmetrics.classification import curve_intervals
from fastmetrics.classification.base import BinaryTask, MulticlassTask, MultilabelTask, TaskMetric
from fastmetrics.formulas import curves as formulas
from fastmetrics.formulas.curve_table import Classes, Counted, Points, Sorted, binned_points
from fastmetrics.formulas.curves import Columns
from fastmetrics.formulas.intervals import Pair
from fastmetrics.formulas.weighted_curves import WeightedScores
from fastmetrics.intervals import IntervalMethods, IntervalRequest
from fastmetrics.native.transforms import suspended
from fastmetrics.passes.score_keys import parts_of_keys, scores_of_keys, single_scores
from fastmetrics.statistics.scores import CountedScores, KeptScores, ScoreHistogram


class CurveMetric(TaskMetric):
    """A metric of a curve over thresholds.

    Without ``thresholds`` the curve has a point at each distinct score, and the scores are kept: 4 bytes for each one
    that is float32 (5 with ``logits=False``). Those of 16 bits are counted instead once they are many, by their at most
    65,536 values, which gives the same curve in constant memory. With T thresholds the statistic is a histogram, int64
    ``[C, T + 1, 2]``, however much data there is. Values are computed in float64 and rounded once.

    ``weights`` of samples are kept beside their scores, 4 bytes a sample (8 unless they have at most 32 bits), or added
    up in float64 where scores are counted.

    The keyword ``bins``, a power of two from 2^6 to 2^24, is for scores up to float32 that are too many to be kept:
    they are counted in as many intervals of [0, 1], int64 ``[C, bins, 2]``, that are narrow near 0 and near 1. Scores
    of one interval are taken for equal; areas have bounds of what that changes.

    Args:
        thresholds: None, or the thresholds: T equal steps from 0 to 1 for an int, or the numbers themselves.

    Inputs:
        weights: what a sample counts instead of 1: finite and at least 0, of the shape of ``target`` or of its first
            dimensions. One of weight 0 has no point of a curve.
    """

    #: How the curves of columns become one value.
    average: str | None = None
    #: The argument that says how many columns there are.
    size_name: ClassVar[str]

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        return {}

    @property
    def micro(self) -> bool:
        """Whether all columns make one curve."""
        return self.average == "micro"

    @property
    def absent(self) -> float:
        """The recall of a curve without positives; a class that is never the target has none."""
        return nan if self.task_name == "multiclass" and not self.micro else 1.0

    def __init__(
        self,
        columns: int,
        thresholds: int | list[float] | Tensor | None,
        ignore_index: int | None,
        validate_args: bool,
        logits: bool | None,
        /,
        bins: int | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.thresholds(thresholds)
        arguments.logits(logits)
        options = {"logits": logits, "ignore_index": ignore_index, "validate": validate_args}
        statistics: ScoreHistogram | CountedScores | KeptScores
        if bins is not None:
            arguments.bins(bins, thresholds)
            statistics = CountedScores(bins.bit_length() - 1, self.task_name, columns, **options)
        elif thresholds is None:
            statistics = KeptScores(self.task_name, columns, **options)
        else:
            with suspended():
                given = _as_tensor(thresholds)
                cuts = tuple(given.tolist())
            statistics = ScoreHistogram(cuts, isinstance(thresholds, int), self.task_name, columns, **options)
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.logits = logits
        self.bins = bins
        self._thresholds_dtype = None if thresholds is None else given.dtype

    @property
    def thresholds(self) -> Tensor | None:
        """The thresholds, ``[T]``; None if the curve has a point at each score."""
        return None if self._thresholds_dtype is None else self._thresholds_on(self.device)

    def _thresholds_on(self, device: torch.device) -> Tensor:
        statistics = self._statistics
        assert isinstance(statistics, ScoreHistogram)
        return torch.tensor(statistics.thresholds, dtype=self._thresholds_dtype, device=device)

    def _start(
        self,
        columns: int,
        thresholds: int | list[float] | Tensor | None,
        ignore_index: int | None,
        validate_args: bool,
        logits: bool | None,
        average: str | None = None,
        averages: tuple[str | None, ...] = (None,),
        /,
        **kwargs: Any,
    ) -> None:
        """The constructor of metrics of several columns; ``average`` is one of the ``averages``."""
        if validate_args:
            arguments.more_than_one(self.size_name, columns)
            arguments.one_of("average", average, averages)
        CurveMetric.__init__(self, columns, thresholds, ignore_index, validate_args, logits, **kwargs)
        setattr(self, self.size_name, columns)
        self.average = average

    def _sorted(self, scores: Tensor, labels: Tensor | None = None, sample_weights: Tensor | None = None) -> Sorted:
        if are_counts(scores):
            return self._counted(scores.sum(0, keepdim=True) if self.micro else scores)
        if self.micro:
            if sample_weights is not None:
                sample_weights = sample_weights.expand(scores.shape).reshape(-1, 1)
            scores, labels = scores.reshape(-1, 1), None if labels is None else labels.reshape(-1, 1)
        return _sort(scores, labels, sample_weights)

    def _counted(self, counts: Tensor, order: int = 0) -> Counted:
        device = counts.device
        if self.bins is not None:
            bits = self.bins.bit_length() - 1
            return Counted(counts, scores_of_keys(bits, False, device), single_scores(bits, device), order=order)
        signed = self.logits is False
        return Counted(counts, scores_of_keys(0, signed, device), parts=parts_of_keys(signed))

    def _points(self, histogram: Tensor) -> Points:
        if self.micro:
            histogram = histogram.sum(0, keepdim=True)
        thresholds = self._thresholds_on(histogram.device)
        return binned_points(histogram, thresholds, thresholds.argsort(stable=True).argsort(stable=True))

    def _table(self, **states: Tensor) -> Points:
        """The points at given thresholds, or at all distinct scores."""
        if "histogram" in states:
            return self._points(states["histogram"])
        return self._sorted(**states).points()


def are_counts(scores: Tensor) -> bool:
    """Whether these are counts of scores by their keys, ``[C, K, 2]``, and not the scores ``[N, C]``."""
    return scores.dim() == 3


def _sort(scores: Tensor, labels: Tensor | None, weights: Tensor | None) -> Sorted:
    """Sorted scores. Metrics that are given the same ones, as those of a collection are, have one sort."""

    def sort() -> Sorted:
        return Sorted(scores, labels) if weights is None else WeightedScores(scores, labels, weights)

    if is_compiling() or scores.is_inference():  # which have no version
        return sort()
    last = _last.get("sort")
    if last is not None and last[0]() is scores and last[1] == scores._version:
        return last[2]
    found = sort()
    _last["sort"] = weakref.ref(scores, lambda _: _last.clear()), scores._version, found
    return found


# The scores that were sorted last, their version, and what came of them; gone with the scores.
_last: dict[str, tuple[weakref.ref[Tensor], int, Sorted]] = {}


def _as_tensor(thresholds: int | list[float] | Tensor) -> Tensor:
    if isinstance(thresholds, int):
        return torch.linspace(0, 1, thresholds)
    return torch.tensor(thresholds) if isinstance(thresholds, list) else thresholds.detach()


class BinaryCurve(CurveMetric, BinaryTask):
    """A metric of the curve of binary scores.

    Inputs:
        preds: scores ``[N, ...]`` of a floating type.
    """

    def __init__(
        self,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(1, thresholds, ignore_index, validate_args, logits, **kwargs)


class MulticlassCurve(CurveMetric, MulticlassTask):
    """A metric of the curve of each class against all others.

    Inputs:
        preds: scores ``[N, C, ...]`` of a floating type.
    """

    size_name = "num_classes"
    example_batch = (
        "torch.tensor([[0.75, 0.05, 0.20], [0.05, 0.75, 0.20], [0.10, 0.30, 0.60], [0.30, 0.50, 0.20]]),"
        " torch.tensor([0, 1, 2, 0])"
    )


class MultilabelCurve(CurveMetric, MultilabelTask):
    """A metric of the curve of each label.

    Inputs:
        preds: scores ``[N, L, ...]`` of a floating type.
    """

    size_name = "num_labels"
    example_batch = (
        "torch.tensor([[0.75, 0.05, 0.35], [0.45, 0.75, 0.05], [0.05, 0.55, 0.75], [0.05, 0.65, 0.05]]),"
        " torch.tensor([[1, 0, 1], [0, 0, 0], [0, 1, 1], [1, 1, 1]])"
    )


class AreaMetric(CurveMetric):
    """The area under each curve, averaged.

    Returns:
        float32 ``()``.
    """

    reads_values = True
    average = "macro"
    #: Whether the least and the greatest value follow from counts.
    bounded = False

    @abstractmethod
    def of_sorted(self, found: Sorted) -> Tensor:
        """The value of each curve at all scores, float64 ``[C]``."""

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Two values between which the one at all scores lies, always, in the shape of the value; float32.

        Without ``bins`` both are the value. With them they are as far apart as the order of the scores within each
        interval could make them: with ``bins=2**20`` less than 1e-4 for uniform, beta-distributed and saturated scores.

        Raises:
            ValueError: the metric has ``thresholds``, or is no area that has bounds.

        Example:
            >>> import torch
            >>> from fastmetrics.classification import BinaryAUROC
            >>> metric = BinaryAUROC(bins=2**10)
            >>> metric.update(torch.linspace(0, 1, 6), torch.tensor([0, 1, 0, 1, 0, 1]))
            >>> low, high = metric.bounds()
            >>> bool(low <= metric.compute() <= high)
            True
        """
        if not self.bounded or not isinstance(self._statistics, (CountedScores, KeptScores)):
            raise ValueError(f"{type(self).__name__}.bounds: with these arguments there are none")
        if self.bins is None:
            value = self.compute()
            return value, value
        with self.sync_context(
            dist_sync_fn=self.dist_sync_fn, should_sync=self._to_sync, should_unsync=self._should_unsync
        ):
            part = self._reader.part()
            self._raise_faults(part.faults)
            counts = part.finals(self._device)["scores"]
        counts = counts.sum(0, keepdim=True) if self.micro else counts
        found = []
        for order in (-1, 1):
            counted = self._counted(counts, order)
            value = self._averaged(self.of_sorted(counted), counted)
            found.append(torch.nextafter(value.float(), torch.full_like(value, order * torch.inf).float()))
        low, high = (value.clamp(0, 1) for value in found)
        return low, high

    @abstractmethod
    def of_points(self, points: Points) -> Tensor:
        """The value of each curve at given thresholds, float64 ``[C]``."""

    def _averaged(self, values: Tensor, curves: Classes) -> Tensor:
        """That of the only curve, or the average of all."""
        if self.task_name == "binary" or self.micro:
            return values[0]
        return formulas.average(values, self.average, curves)

    def of_groups(self, groups: Tensor) -> Tensor:
        """The value at all scores, float64 ``[...]``, of the negatives and positives of each, ``[..., P, 2]``.

        A metric without it has intervals at given thresholds only.
        """
        raise NotImplementedError

    def _score_groups(self, states: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """The same of each curve, int64 ``[P, 2]``."""
        if "histogram" in states:
            histogram = states["histogram"]
            return curve_intervals.descending(histogram.sum(0, keepdim=True) if self.micro else histogram)
        return curve_intervals.groups_of(self._sorted(**states).points())

    def _each(self, states: Mapping[str, Tensor]) -> Tensor:
        """The value of each curve, float64 ``[C]``."""
        if "histogram" in states:
            return self.of_points(self._points(states["histogram"]))
        return self.of_sorted(self._sorted(**states))

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        """The bootstrap of a single curve, or of each."""
        if self.task_name != "binary" and self.average not in ("none", None):
            return {}
        if "histogram" not in states and type(self).of_groups is AreaMetric.of_groups:
            return {}
        return {"bootstrap": partial(self._bootstrap, states)}

    def _bootstrap(self, states: Mapping[str, Tensor], request: IntervalRequest) -> Pair:
        binned = "histogram" in states

        def at_thresholds(groups: Tensor) -> Tensor:
            return self.of_points(self._points(groups.flip(1)))

        of_groups = at_thresholds if binned else self.of_groups
        low, high = curve_intervals.resampled_groups(
            self._score_groups(states), self._each(states), of_groups, request, not binned
        )
        return (low.squeeze(0), high.squeeze(0)) if self.task_name == "binary" else (low, high)

    def formula(self, **states: Tensor) -> Tensor:
        """The areas, averaged."""
        if "histogram" in states:
            points = self._points(states["histogram"])
            return self._averaged(self.of_points(points), points).float()
        found = self._sorted(**states)
        return self._averaged(self.of_sorted(found), found).float()


class PointMetric(CurveMetric):
    """A value of a point of each curve, and the threshold there."""

    higher_is_better = None
    reads_values = True

    @abstractmethod
    def _found(self, points: Points) -> tuple[Tensor, Tensor]:
        """The value and the threshold of each curve, float64 ``[C]`` and ``[C]``."""

    def formula(self, **states: Tensor) -> tuple[Tensor, Tensor]:
        """The values and their thresholds."""
        values, thresholds = self._found(self._table(**states))
        if self.task_name == "binary":
            values, thresholds = values[0], thresholds[0]
        return values.float(), thresholds

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw ``val`` (a value, values of classes, or a sequence of them), or the present one."""
        return self._plot(self.compute()[0] if val is None else val, ax)


class WholeCurve(CurveMetric):
    """A metric that is the curve itself."""

    reads_values = True
    label_names: ClassVar[tuple[str, str]]
    #: Where in the value the horizontal and the vertical axis are, and which way the first one goes.
    axes: ClassVar[tuple[int, int, float]]

    @abstractmethod
    def _three(self, points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
        """Each of the three parts of the value, curve by curve; the first two are of ``dtype``."""

    def formula(
        self, **states: Tensor
    ) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """The curves."""
        points = self._table(**states)
        if self.average == "macro":
            x, mean, cuts = formulas.mean_curve(*self._three(points, torch.float64), self.axes[2] > 0)
            return x.float(), mean.float(), cuts
        one, other, thresholds = self._three(points, torch.float32)
        if self.task_name == "binary" or self.micro:
            return one[0], other[0], thresholds[0]
        if points.binned:
            return torch.stack(one), torch.stack(other), thresholds[0]
        return list(one), list(other), list(thresholds)

    def plot(  # type: ignore[override]
        self, curve: Any = None, score: Tensor | bool | None = None, ax: Any = None
    ) -> Any:
        """Draw a curve, or the present one.

        Args:
            curve: a value of the metric; None computes it.
            score: True writes the area under a curve that is computed, by the trapezoidal rule, in the legend.
            ax: axes of matplotlib to draw in; None makes new ones.
        """
        value = curve or self.compute()
        x, y, direction = self.axes
        drawn = value[x], value[y], value[2]
        area = None
        if not curve and score is True:
            if isinstance(drawn[0], Tensor) and drawn[0].ndim == 1:
                area = _auc_compute_without_check(drawn[0], drawn[1], direction)
            else:
                pairs = zip(drawn[0], drawn[1], strict=True)
                area = torch.stack([_auc_compute_without_check(a, b, direction) for a, b in pairs])
        name = type(self).__name__
        return plot_curve(drawn, score=area, ax=ax, label_names=self.label_names, name=name)


class MulticlassArea(AreaMetric, MulticlassCurve):
    """The area under the curve of each class, averaged.

    Args:
        average: ``macro`` is the mean over classes; ``weighted`` weighs classes by how often they are the target;
            ``none`` or None gives a value for each class.

    Returns:
        float32 ``()``, or ``(C,)`` without an average.
    """

    def __init__(
        self,
        num_classes: int,
        average: str | None = "macro",
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = thresholds, ignore_index, validate_args, logits
        self._start(num_classes, *given, average, ("macro", "weighted", "none", None), **kwargs)


class MultilabelArea(AreaMetric, MultilabelCurve):
    """The area under the curve of each label, averaged.

    Args:
        average: ``micro`` makes one curve of all labels; ``macro`` is the mean over labels; ``weighted`` weighs labels
            by how often they are positive; ``none`` or None gives a value for each label.

    Returns:
        float32 ``()``, or ``(L,)`` without an average.
    """

    def __init__(
        self,
        num_labels: int,
        average: str | None = "macro",
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = thresholds, ignore_index, validate_args, logits
        self._start(num_labels, *given, average, ("micro", "macro", "weighted", "none", None), **kwargs)


class MulticlassWholeCurve(WholeCurve, MulticlassCurve):
    """The curve of each class.

    Args:
        average: None gives a curve for each class; ``micro`` makes one of the scores of all classes; ``macro`` is the
            mean of the curves, interpolated where any of them has a point.
    """

    def __init__(
        self,
        num_classes: int,
        thresholds: int | list[float] | Tensor | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = thresholds, ignore_index, validate_args, logits
        self._start(num_classes, *given, average, ("micro", "macro", None), **kwargs)


class MultilabelWholeCurve(WholeCurve, MultilabelCurve):
    """The curve of each label."""

    def __init__(
        self,
        num_labels: int,
        thresholds: int | list[float] | Tensor | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(num_labels, thresholds, ignore_index, validate_args, logits, **kwargs)
