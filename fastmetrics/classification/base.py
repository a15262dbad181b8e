# SPDX-License-Identifier: Apache-2.0
"""What the classification metrics of one task share: their arguments, their statistics and the averages of a ratio.

The classes come in three lines, each for binary, multiclass and multilabel input:

- ``...Counts`` takes the arguments of torchmetrics' stat scores, samplewise results included. A metric below it states
  a formula of a table of counts, see :mod:`fastmetrics.formulas.counts`.
- ``...Ratio`` is a ``...Counts`` whose formula is the average of a score of one class. A metric below it, or its
  family, states the score, see :mod:`fastmetrics.formulas.ratios`.
- ``...Confusion`` takes the arguments of torchmetrics' confusion matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.docstrings import Documented
from fastmetrics.formulas.counts import of_top_k
from fastmetrics.formulas.ratios import DROP_ABSENT, KEEP_ALL, Combination, Ratio, average_ratio, of_totals, shares_of
from fastmetrics.intervals import IntervalMethods, SharesOfValue, each_draw, of_shares, resampled
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import BinaryStatistics, MulticlassStatistics, Statistics


class TaskMetric(Documented, StatisticMetric):
    """A classification metric for one task.

    A subclass names its family, ``class BinaryPrecision(BinaryRatio, family=Precision)``, and takes what the family
    states: constants, the ratio, the text about it, and the values of an example. What the docstring of a subclass does
    not explain is joined to it, from its family and from the bases.

    Args:
        threshold: in [0, 1]; a probability above it is positive.
        multidim_average: ``global`` counts all elements; ``samplewise`` gives a value for each sample of dimension 0,
            and the value has a first dimension of N.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        zero_division: 0 or 1, a ratio whose denominator is zero.
        logits: whether float ``preds`` are logits (True) or probabilities (False). None reads all scores of a batch as
            logits if any lies outside [0, 1], as torchmetrics does, so a small batch of small logits is misread.
        kwargs: those of :class:`fastmetrics.Metric`.

    Inputs:
        weights: of any real dtype: what a sample counts instead of 1; finite and at least 0. The shape is that of
            ``target`` or of its first dimensions.
        valid: bool, of the same shapes: a sample that is not valid is not counted, whatever its values are.

    Raises:
        ValueError: an argument, a shape or a dtype that does not fit.
        RuntimeError: inputs on different devices; values out of range, at once on the CPU, and at ``compute`` or
            ``forward`` on other devices.
    """

    is_differentiable = False
    higher_is_better: bool | None = True
    plot_lower_bound: float | None = 0.0
    plot_upper_bound: float | None = 1.0

    #: The task, as the argument ``task`` of a family names it.
    task_name: ClassVar[str]

    #: Whether the formula takes states with further dimensions before the others.
    batched = False

    def __init_subclass__(cls, family: type[Any] | None = None, **kwargs: Any) -> None:
        if family is None:
            super().__init_subclass__(**kwargs)
        else:
            family.share(cls)
            super().__init_subclass__(details=family.details(), **kwargs)
            family.add(cls)

    def __init__(
        self, statistics: Statistics, ignore_index: int | None = None, validate_args: bool = True, /, **kwargs: Any
    ) -> None:
        if validate_args:
            arguments.ignore_index(ignore_index)
        super().__init__(statistics, **kwargs)
        self.ignore_index = ignore_index
        self.validate_args = validate_args

    @property
    def each_row(self) -> bool:
        """Whether the value has an element for each row of the statistics, which is of that row alone."""
        return getattr(self, "average", "") in ("none", None)

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        """The proportions that are the values, or what makes values of them; None if values are no proportions."""
        return None

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        methods: dict[str, Any] = {}
        shares = self._shares(states)
        if shares is not None:
            methods.update(of_shares(*shares))
        if not self._statistics.samplewise:
            of_draws = self._of_draws if self.batched else each_draw(self.formula)
            how = "rows" if self.each_row else "joint"
            methods["bootstrap"] = resampled(self, states, of_draws, how)
            methods["margins"] = resampled(self, states, of_draws, "margins")
        return methods

    def _of_draws(self, states: dict[str, Tensor]) -> Tensor:
        value: Tensor = self.formula(**states)
        return value


class BinaryTask(TaskMetric):
    """A metric of decisions between two classes.

    Inputs:
        preds: float scores or 0/1 labels ``[N, ...]``.
        target: 0/1 labels of the same shape.
    """

    task_name = "binary"
    example_batch = "torch.tensor([0.11, 0.22, 0.84, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])"


class MulticlassTask(TaskMetric):
    """A metric of decisions between several classes.

    Args:
        num_classes: C.
        top_k: a target among the ``top_k`` greatest scores counts as predicted, else the greatest score does; above 1
            it needs scores.
        average: ``micro`` counts all classes together; ``macro`` is the mean over the classes that occur; ``weighted``
            weighs classes by how often they are the target; ``none`` or None gives a value for each class.

    Inputs:
        preds: float scores ``[N, C, ...]`` or labels ``[N, ...]``.
        target: labels ``[N, ...]``.
    """

    plot_legend_name: str | None = "Class"

    task_name = "multiclass"
    example_batch = "torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])"
    example_options = "num_classes=3"


class MultilabelTask(TaskMetric):
    """A metric of several decisions, one on each label.

    Args:
        num_labels: L.
        average: ``micro`` counts all labels together; ``macro`` is the mean over labels; ``weighted`` weighs labels by
            how often they are positive; ``none`` or None gives a value for each label.

    Inputs:
        preds: float scores or 0/1 labels ``[N, L, ...]``.
        target: 0/1 labels of the same shape.
    """

    plot_legend_name: str | None = "Label"

    task_name = "multilabel"
    example_batch = "torch.tensor([[0, 0, 1], [1, 0, 1]]), torch.tensor([[0, 1, 0], [1, 0, 1]])"
    example_options = "num_labels=3"


class Decisions(TaskMetric):
    """A metric whose statistic is ``counts``: tp, fp, tn and fn of decisions on each label."""

    def __init__(
        self,
        num_labels: int | None,
        threshold: float,
        ignore_index: int | None,
        validate_args: bool,
        logits: bool | None,
        samplewise: bool = False,
        ignored_decide: bool = True,
        /,  # the names are no keywords of subclasses
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
        arguments.logits(logits)
        statistics = BinaryStatistics(
            num_labels,
            threshold=threshold,
            logits=logits,
            ignore_index=ignore_index,
            ignored_decide=ignored_decide,
            samplewise=samplewise,
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.threshold = threshold
        self.logits = logits


class BinaryCounts(Decisions, BinaryTask):
    """A binary metric that is a formula of ``counts``: tp, fp, tn and fn, int64 [1, 4], or [N, 1, 4] samplewise."""

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
            arguments.zero_division(zero_division)
        samplewise = arguments.multidim_average(multidim_average)
        super().__init__(None, threshold, ignore_index, validate_args, logits, samplewise, **kwargs)
        self.multidim_average = multidim_average
        self.zero_division = zero_division


class MulticlassCounts(MulticlassTask):
    """A multiclass metric that is a formula of the counts of each class, in memory that is linear in their number.

    The statistics are ``counts``, int64 [C, 3], and with ``top_k`` above 1 ``ranks``, [C, K, 2]; [N, ...] samplewise.
    Of all classes together, ``average="micro"``, the sums of ``counts``, [1, 3], do if the formula says so.

    Args:
        num_classes: C. It may be None with ``average="micro"``.
        exclude_ignored: whether the class ``ignore_index``, if there is such a class, is left out of the averages.
            Its samples are not counted in any case, but samples of other classes that are predicted as it make it
            a class that occurs, with a score of zero, which torchmetrics averages with the others.
    """

    #: Whether the formula also takes sums of ``counts`` over all classes, for their average ``micro``.
    takes_totals: ClassVar[bool] = False

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
            arguments.zero_division(zero_division)
        excludes = exclude_ignored and ignore_index is not None
        totals = self.takes_totals and average == "micro" and not excludes
        statistics = MulticlassStatistics(
            num_classes,
            counts=not totals,
            totals=totals,
            top_k=top_k,
            ignore_index=ignore_index,
            samplewise=arguments.multidim_average(multidim_average),
            validate=validate_args,
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes
        self.top_k = top_k
        self.average = average
        self.multidim_average = multidim_average
        self.zero_division = zero_division
        self.exclude_ignored = exclude_ignored

    def table(self, counts: Tensor, ranks: Tensor | None) -> Tensor:
        """The table of counts, int64 [..., C, 3], in which the ``top_k`` greatest scores are predictions.

        It may be the sums over all classes, [..., 1, 3], with the average ``micro``.
        """
        return counts if ranks is None else of_top_k(counts, ranks, self.top_k)

    @property
    def excluded(self) -> int | None:
        """The class that takes no part in averages."""
        return self.ignore_index if self.exclude_ignored and self.num_classes is not None else None


class MultilabelCounts(Decisions, MultilabelTask):
    """A multilabel metric that is a formula of ``counts``: tp, fp, tn and fn of each label, int64 [L, 4].

    Samplewise they are [N, L, 4].
    """

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
            arguments.one_of("average", average, arguments.AVERAGES)
            arguments.zero_division(zero_division)
        samplewise = arguments.multidim_average(multidim_average)
        super().__init__(num_labels, threshold, ignore_index, validate_args, logits, samplewise, **kwargs)
        self.num_labels = num_labels
        self.average = average
        self.multidim_average = multidim_average
        self.zero_division = zero_division


class RatioMetric(TaskMetric):
    """A metric whose formula is a score of one class, averaged."""

    ratio: Ratio | Combination
    #: The score without a denominator, where it is not ``zero_division``, which is taken and not used then, as in
    #: torchmetrics.
    undefined: ClassVar[float | None] = None
    batched = True
    zero_division: float

    @property
    def _undefined(self) -> float:
        return self.zero_division if self.undefined is None else self.undefined


class BinaryRatio(RatioMetric, BinaryCounts):
    """A ratio of binary counts.

    Returns:
        float32 ``()``, or ``(N,)`` samplewise; computed in float64 from exact counts.
    """

    def formula(self, counts: Tensor) -> Tensor:
        """The ratio; the one label is all of them."""
        return average_ratio(self.ratio, counts, "micro", self._undefined)

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        shares = shares_of(self.ratio, states["counts"].squeeze(-2))
        return None if shares is None else (shares, None)


class MulticlassRatio(RatioMetric, MulticlassCounts):
    """A ratio of the counts of each class, averaged.

    Returns:
        float32 ``()``, or ``(C,)`` without an average; samplewise ``(N,)`` or ``(N, C)``. It is computed in float64
        from exact counts.
    """

    takes_totals = True
    #: What macro drops with ``top_k`` > 1; without it, classes neither predicted nor the target.
    drop_of_top_k: ClassVar[int] = DROP_ABSENT

    def formula(self, counts: Tensor, ranks: Tensor | None = None) -> Tensor:
        """The averaged ratio."""
        drop = self.drop_of_top_k if self.top_k > 1 else DROP_ABSENT
        table = self.table(counts, ranks)
        ratio = of_totals(self.ratio, self.num_classes or 1) if table.shape[-2] == 1 else self.ratio
        return average_ratio(ratio, table, self.average, self._undefined, drop, self.excluded)

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        if self.top_k > 1:  # the table has a row more for a sample than it has predictions
            table = self.table(states["counts"], states["ranks"])
            of_predictions = not isinstance(self.ratio, Ratio) or self.ratio.denominator.fp or self.ratio.denominator.tn
            if of_predictions and self.average != "micro":
                return None
        else:
            table = states["counts"]
        if self.each_row:
            shares = shares_of(self.ratio, table)
            return None if shares is None else (shares, None)
        if self.average != "micro" or self.excluded is not None:
            return None
        right, _, samples = table.sum(-2).unbind(-1)
        return (right, samples), self._of_right

    def _of_right(self, share: Tensor, samples: Tensor) -> Tensor:
        """The value over all classes, of a share of the samples that are right."""
        right, samples = (share * samples).double(), samples.double()
        table = torch.stack([right, samples, samples], -1).unsqueeze(-2)
        value = average_ratio(of_totals(self.ratio, self.num_classes or 1), table, "micro", self._undefined)
        return torch.where(share.isnan(), torch.nan, value)


class MultilabelRatio(RatioMetric, MultilabelCounts):
    """A ratio of the counts of each label, averaged. Macro keeps all labels, as torchmetrics does.

    Returns:
        float32 ``()``, or ``(L,)`` without an average; samplewise ``(N,)`` or ``(N, L)``. It is computed in float64
        from exact counts.
    """

    def formula(self, counts: Tensor) -> Tensor:
        """The averaged ratio."""
        return average_ratio(self.ratio, counts, self.average, self._undefined, KEEP_ALL)

    def _shares(self, states: Mapping[str, Tensor]) -> SharesOfValue:
        shares = shares_of(self.ratio, states["counts"]) if self.each_row else None
        return None if shares is None else (shares, None)


class BinaryConfusion(Decisions, BinaryTask):
    """A binary metric with the arguments of a confusion matrix; its statistic is ``counts`` [1, 4].

    Returns:
        float32 ``()``.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        # ignored elements are dropped before scores are read as probabilities or logits, as torchmetrics does here
        super().__init__(None, threshold, ignore_index, validate_args, logits, False, False, **kwargs)


class MulticlassConfusion(MulticlassTask):
    """A multiclass metric with the arguments of a confusion matrix.

    Args:
        confusion: whether the statistic is ``confusion`` [C, C], or ``counts`` [C, 3].

    Returns:
        float32 ``()``.
    """

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
        statistics = MulticlassStatistics(
            num_classes, confusion=confusion, counts=not confusion, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.num_classes = num_classes


class MultilabelConfusion(Decisions, MultilabelTask):
    """A multilabel metric with the arguments of a confusion matrix; its statistic is ``counts`` [L, 4]."""

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
        super().__init__(num_labels, threshold, ignore_index, validate_args, logits, **kwargs)
        self.num_labels = num_labels
