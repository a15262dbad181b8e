# SPDX-License-Identifier: Apache-2.0
"""What the classification metrics of one task share: their arguments, their statistics and the averages of a ratio.

The classes come in three lines, each for binary, multiclass and multilabel input:

- ``...Counts`` takes the arguments of torchmetrics' stat scores, samples apart included. A metric below it states a
  formula of a table of counts, see :mod:`fastmetrics.formulas.counts`.
- ``...Ratio`` is a ``...Counts`` whose formula is the average of a score of one class. A metric below it states the
  score, see :mod:`fastmetrics.formulas.ratios`.
- ``...Confusion`` takes the arguments of torchmetrics' confusion matrix.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.counts import of_top_k
from fastmetrics.formulas.ratios import DROP_ABSENT, KEEP_ALL, Combination, Ratio, average_ratio
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import BinaryStatistics, MulticlassStatistics


class BinaryCounts(StatisticMetric):
    """A binary metric that is a formula of tp, fp, tn and fn.

    ``update`` takes ``preds``, float scores or 0/1 labels ``[N, ...]``, and ``target``, 0/1 labels of the same shape.

    Args:
        threshold: in [0, 1]; a probability above it is positive.
        multidim_average: ``global`` counts all elements; ``samplewise`` keeps the samples of dimension 0 apart, and
            the value has a first dimension of N.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        zero_division: 0 or 1, a ratio whose denominator is zero.
        logits: whether float ``preds`` are logits (True) or probabilities (False). None reads all scores of a batch as
            logits if any lies outside [0, 1], as torchmetrics does, so a small batch of small logits is misread.
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
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
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
            arguments.zero_division(zero_division)
        arguments.logits(logits)
        statistics = BinaryStatistics(
            threshold=threshold,
            logits=logits,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.threshold = threshold
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.zero_division = zero_division
        self.logits = logits

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [..., 1, 4]."""
        return self.formula_of_counts(counts)

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., 1, 4]."""


class MulticlassCounts(StatisticMetric):
    """A multiclass metric that is a formula of the counts of each class, in memory that is linear in their number.

    ``update`` takes ``preds``, float scores ``[N, C, ...]`` or labels ``[N, ...]``, and ``target``, labels
    ``[N, ...]``.

    Args:
        num_classes: C. It may be None with ``average="micro"``.
        top_k: a target among the ``top_k`` greatest scores counts as predicted, else the greatest score does; above 1
            it needs scores.
        average: ``micro`` counts all classes together; ``macro`` is the mean over the classes that occur; ``weighted``
            weighs classes by how often they are the target; ``none`` or None keeps classes apart.
        multidim_average: ``global`` counts all elements; ``samplewise`` keeps the samples of dimension 0 apart, and
            the value has a first dimension of N.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        zero_division: 0 or 1, a ratio whose denominator is zero.
        exclude_ignored: whether the class ``ignore_index``, if there is such a class, is left out of the averages.
            Its samples are not counted in any case, but samples of other classes that are predicted as it make it
            a class that occurs, with a score of zero, which torchmetrics averages with the others.
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
        num_classes: int | None = None,
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
            if num_classes is None and average != "micro":
                raise ValueError(
                    f"Argument `num_classes` can only be `None` for `average='micro'`, but got `average={average}`."
                )
            if num_classes is not None:
                arguments.more_than_one("num_classes", num_classes)
            arguments.top_k(top_k, num_classes)
            arguments.one_of("average", average, arguments.AVERAGES)
            arguments.ignore_index(ignore_index)
            arguments.zero_division(zero_division)
        statistics = MulticlassStatistics(
            num_classes,
            counts=True,
            top_k=top_k,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes
        self.top_k = top_k
        self.average = average
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.zero_division = zero_division
        self.exclude_ignored = exclude_ignored

    @property
    def excluded(self) -> int | None:
        """The class that takes no part in averages."""
        return self.ignore_index if self.exclude_ignored and self.num_classes is not None else None

    def formula(self, counts: Tensor, ranks: Tensor | None = None) -> Tensor:
        """From int64 [..., C, 3] and, with ``top_k`` > 1, [..., C, K, 2]."""
        return self.formula_of_counts(counts if ranks is None else of_top_k(counts, ranks, self.top_k))

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., C, 3]."""


class MultilabelCounts(StatisticMetric):
    """A multilabel metric that is a formula of tp, fp, tn and fn of each label.

    ``update`` takes ``preds``, float scores or 0/1 labels ``[N, L, ...]``, and ``target``, 0/1 labels of the same
    shape.

    Args:
        num_labels: L.
        threshold: in [0, 1]; a probability above it is positive.
        average: ``micro`` counts all labels together; ``macro`` is the mean over labels; ``weighted`` weighs labels by
            how often they are positive; ``none`` or None keeps labels apart.
        multidim_average: ``global`` counts all elements; ``samplewise`` keeps the samples of dimension 0 apart, and
            the value has a first dimension of N.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        zero_division: 0 or 1, a ratio whose denominator is zero.
        logits: as of :class:`BinaryCounts`.
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
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
            arguments.more_than_one("num_labels", num_labels)
            arguments.threshold(threshold)
            arguments.one_of("average", average, arguments.AVERAGES)
            arguments.ignore_index(ignore_index)
            arguments.zero_division(zero_division)
        arguments.logits(logits)
        statistics = BinaryStatistics(
            num_labels,
            threshold=threshold,
            logits=logits,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.num_labels = num_labels
        self.threshold = threshold
        self.average = average
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.zero_division = zero_division
        self.logits = logits

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [..., L, 4]."""
        return self.formula_of_counts(counts)

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., L, 4]."""


class Score:
    """A score in [0, 1] that is better when it is higher."""

    higher_is_better: bool | None = True
    plot_lower_bound: float | None = 0.0
    plot_upper_bound: float | None = 1.0


class RatioScore(Score):
    """A score of a class that may have no denominator."""

    zero_division: float
    #: The score of a class whose denominator is zero, where ``zero_division`` is taken as in torchmetrics but not used.
    fixed_undefined: ClassVar[float | None] = None

    def undefined(self) -> float:
        """The score of a class whose denominator is zero."""
        return self.zero_division if self.fixed_undefined is None else self.fixed_undefined


class BinaryRatio(RatioScore, BinaryCounts):
    """A ratio of binary counts: float32 ``()``, or ``(N,)`` samplewise; computed in float64 from exact counts."""

    ratio: Ratio | Combination

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The ratio; the one label is all of them."""
        return average_ratio(self.ratio, table, "micro", self.undefined())


class MulticlassRatio(RatioScore, MulticlassCounts):
    """A ratio of the counts of each class, averaged: float32 ``()``, or ``(C,)`` without an average.

    Samplewise the value is ``(N,)`` or ``(N, C)``. It is computed in float64 from exact counts.
    """

    plot_legend_name = "Class"
    ratio: Ratio | Combination
    #: What macro drops with ``top_k`` > 1; without it, classes neither predicted nor the target.
    drop_of_top_k: ClassVar[int] = DROP_ABSENT

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged ratio."""
        drop = self.drop_of_top_k if self.top_k > 1 else DROP_ABSENT
        return average_ratio(self.ratio, table, self.average, self.undefined(), drop, self.excluded)


class MultilabelRatio(RatioScore, MultilabelCounts):
    """A ratio of the counts of each label, averaged: float32 ``()``, or ``(L,)`` without an average.

    Samplewise the value is ``(N,)`` or ``(N, L)``. Macro keeps all labels, as torchmetrics does. It is computed in
    float64 from exact counts.
    """

    plot_legend_name = "Label"
    ratio: Ratio | Combination

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged ratio."""
        return average_ratio(self.ratio, table, self.average, self.undefined(), KEEP_ALL)


class BinaryConfusion(StatisticMetric):
    """A binary metric with the arguments of a confusion matrix; its statistic is ``counts`` [1, 4].

    ``update`` takes ``preds``, float scores or 0/1 labels ``[N, ...]``, and ``target``, 0/1 labels of the same shape.

    Args:
        threshold: in [0, 1]; a probability above it is positive.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        logits: as of :class:`BinaryCounts`.
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
        arguments.logits(logits)
        # ignored elements are dropped before scores are read as probabilities or logits, as torchmetrics does here
        statistics = BinaryStatistics(
            threshold=threshold,
            logits=logits,
            ignore_index=ignore_index,
            ignored_decide=False,
            validate=validate_args,
        )
        super().__init__(statistics, **kwargs)
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.logits = logits


class MulticlassConfusion(StatisticMetric):
    """A multiclass metric with the arguments of a confusion matrix.

    ``update`` takes ``preds``, float scores ``[N, C, ...]`` or labels ``[N, ...]``, and ``target``, labels
    ``[N, ...]``.

    Args:
        num_classes: C.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        confusion: whether the statistic is ``confusion`` [C, C], or ``counts`` [C, 3].
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        confusion: bool = False,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
            arguments.ignore_index(ignore_index)
        statistics = MulticlassStatistics(
            num_classes, confusion=confusion, counts=not confusion, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.validate_args = validate_args


class MultilabelConfusion(StatisticMetric):
    """A multilabel metric with the arguments of a confusion matrix; its statistic is ``counts`` [L, 4].

    ``update`` takes ``preds``, float scores or 0/1 labels ``[N, L, ...]``, and ``target``, 0/1 labels of the same
    shape.

    Args:
        num_labels: L.
        threshold: in [0, 1]; a probability above it is positive.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        logits: as of :class:`BinaryCounts`.
        kwargs: those of :class:`fastmetrics.Metric`.
    """

    is_differentiable = False

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
        arguments.logits(logits)
        statistics = BinaryStatistics(
            num_labels, threshold=threshold, logits=logits, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, **kwargs)
        self.num_labels = num_labels
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.logits = logits
