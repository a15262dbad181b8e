# SPDX-License-Identifier: Apache-2.0
"""What the classification metrics of one task share: their arguments, their statistics and the averages of a ratio.

A metric below one of the ``...Ratio`` classes states its ratio and its documentation; one below ``...Counts`` states a
formula of a table of counts, see :mod:`fastmetrics.formulas.counts`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.counts import of_top_k
from fastmetrics.formulas.ratios import DROP_ABSENT, DROP_UNTARGETED, Ratio, average_ratio
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import BinaryStatistics, MulticlassStatistics


class BinaryCounts(StatisticMetric):
    """A binary metric that is a formula of tp, fp, tn and fn."""

    is_differentiable = False

    def __init__(
        self,
        threshold: float = 0.5,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
            arguments.zero_division(zero_division)
        statistics = BinaryStatistics(
            threshold=threshold,
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

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [..., 1, 4]."""
        return self.formula_of_counts(counts)

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., 1, 4]."""


class MulticlassCounts(StatisticMetric):
    """A multiclass metric that is a formula of the counts of each class."""

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

    def formula(self, counts: Tensor, ranks: Tensor | None = None) -> Tensor:
        """From int64 [..., C, 3] and, with ``top_k`` > 1, [..., C, K, 2]."""
        return self.formula_of_counts(counts if ranks is None else of_top_k(counts, ranks, self.top_k))

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., C, 3]."""


class MultilabelCounts(StatisticMetric):
    """A multilabel metric that is a formula of tp, fp, tn and fn of each label."""

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
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
            arguments.threshold(threshold)
            arguments.one_of("average", average, arguments.AVERAGES)
            arguments.ignore_index(ignore_index)
            arguments.zero_division(zero_division)
        statistics = BinaryStatistics(
            num_labels,
            threshold=threshold,
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

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [..., L, 4]."""
        return self.formula_of_counts(counts)

    @abstractmethod
    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The value, from int64 [..., L, 4]."""


class _Score:
    """A score in [0, 1] that is better when it is higher."""

    higher_is_better: bool | None = True
    plot_lower_bound: float | None = 0.0
    plot_upper_bound: float | None = 1.0
    zero_division: float

    def undefined(self) -> float:
        """The score of a class whose denominator is zero."""
        return self.zero_division


class BinaryRatio(_Score, BinaryCounts):
    """A ratio of binary counts."""

    ratio: ClassVar[Ratio]

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The ratio; the one label is all of them."""
        return average_ratio(self.ratio, table, "micro", self.undefined())


class MulticlassRatio(_Score, MulticlassCounts):
    """A ratio of the counts of each class, averaged; macro drops the same classes as torchmetrics."""

    plot_legend_name = "Class"
    ratio: ClassVar[Ratio]

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged ratio."""
        drop = DROP_UNTARGETED if self.top_k > 1 else DROP_ABSENT
        return average_ratio(self.ratio, table, self.average, self.undefined(), drop)


class MultilabelRatio(_Score, MultilabelCounts):
    """A ratio of the counts of each label, averaged; macro keeps all labels, as torchmetrics does."""

    plot_legend_name = "Label"
    ratio: ClassVar[Ratio]

    def formula_of_counts(self, table: Tensor) -> Tensor:
        """The averaged ratio."""
        return average_ratio(self.ratio, table, self.average, self.undefined())
