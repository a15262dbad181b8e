# SPDX-License-Identifier: Apache-2.0
"""The difference of a metric between two models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.formulas.intervals import mcnemar
from fastmetrics.intervals import IntervalMethods, each_draw, of_all, resampled
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics import BinaryStatistics, MulticlassStatistics
from fastmetrics.statistics.paired import PairedStatistics

#: The most classes of which the table of targets and both decisions is kept: 128 MiB.
MOST_CLASSES = 256

_OF_LABELS = {"counts", "confusion"}


class McNemar(NamedTuple):
    """A test of two shares of the same samples.

    Attributes:
        statistic: the lesser number of samples that only one of both has right, or chi-squared; float64 ``()``.
        pvalue: float64 ``()``.
    """

    statistic: Tensor
    pvalue: Tensor


class PairedComparison(StatisticMetric):
    """The value of a metric for one model less that for another, on the same samples, and whether it is real.

    What both models decide goes into one table, int64 [C, C, C]: two models that err on the same samples differ by more
    than their own intervals tell. :meth:`interval` is the paired bootstrap: it draws the cells of that table.

    Args:
        metric: of binary or multiclass decisions, as ``MulticlassF1Score(num_classes=10)``; it is not updated. C is at
            most 256, or any with ``average="micro"``, whose table is of right and wrong decisions, [2, 2].
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``update(first, second, target, valid=None)`` takes the predictions of both models, as the metric takes them.

    Returns:
        the difference of the values, of their shape and dtype.

    Raises:
        ValueError: a metric of another kind; an argument that does not fit, as weights, of which a table has no draws.
        RuntimeError: values out of range, as for the metric; they are not counted.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryAccuracy
        >>> from fastmetrics.wrappers import PairedComparison
        >>> generator = torch.Generator().manual_seed(0)
        >>> target = torch.randint(0, 2, (500,), generator=generator)
        >>> first = torch.where(torch.rand(500, generator=generator) < 0.9, target, 1 - target)
        >>> second = torch.where(torch.rand(500, generator=generator) < 0.9, first, 1 - first)
        >>> comparison = PairedComparison(BinaryAccuracy())
        >>> comparison.update(first, second, target)
        >>> comparison.compute()
        tensor(0.0780)
        >>> comparison.interval()
        (tensor(0.0500), tensor(0.1060))
        >>> comparison.mcnemar().pvalue < 0.001
        tensor(True)
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False
    inputs_options = ()

    def __init__(self, metric: StatisticMetric, **kwargs: Any) -> None:
        each: Any = getattr(metric, "_statistics", None)
        known = isinstance(each, (BinaryStatistics, MulticlassStatistics)) and each.shapes.keys() <= _OF_LABELS
        if not known or each.samplewise or getattr(each, "num_labels", None) is not None:
            raise ValueError(
                "PairedComparison: expected `metric` to be one of binary or multiclass decisions over all samples,"
                f" without `top_k`, but got {metric}."
            )
        self._right_only = hasattr(metric, "_of_right") and metric.average == "micro" and metric.excluded is None
        classes = 2 if isinstance(each, BinaryStatistics) else each.num_classes
        if not self._right_only and (classes is None or classes > MOST_CLASSES):
            raise ValueError(
                f"PairedComparison: expected at most {MOST_CLASSES} classes, but got {classes}, whose table takes"
                f" {8 * (classes or 0) ** 3} bytes. With `average='micro'` there may be any number."
            )
        super().__init__(PairedStatistics(each, self._right_only), **kwargs)
        self._modules["metric"] = metric.clone()

    def inputs(  # type: ignore[override]
        self, first: Tensor, second: Tensor, target: Tensor, valid: Tensor | None = None
    ) -> Batch:
        """What ``update`` reads.

        Args:
            first: predictions of a model.
            second: those of another one, for the same samples.
            target: see the metric.
            valid: bool, of the shape of ``target`` or of its first dimensions: what is not valid is not counted.
        """
        return (first, second, target), None, valid

    def formula(self, pairs: Tensor) -> Tensor:
        """The difference."""
        first, second = self._values(pairs.unsqueeze(0))
        return (first - second).squeeze(0)

    def values(self, sync: bool = True) -> tuple[Tensor, Tensor]:
        """The values of both models; ``sync`` is that of :meth:`compute`."""
        first, second = self._values(of_all(self, self._whole(sync))["pairs"].unsqueeze(0))
        return first.squeeze(0), second.squeeze(0)

    def mcnemar(self, exact: bool = True, sync: bool = True) -> McNemar:
        """McNemar's test of whether both models are right equally often.

        Args:
            exact: the two-sided binomial test; False is the chi-squared one, with the correction of continuity.
            sync: that of :meth:`compute`.

        Returns:
            the statistic and the p-value, float64 ``()``.
        """
        pairs = of_all(self, self._whole(sync))["pairs"]
        if self._right_only:
            first, second = pairs[1, 0], pairs[0, 1]
        else:
            own = torch.arange(pairs.shape[0], device=pairs.device)
            both = pairs[own, own, own].sum()
            first, second = pairs[own, own].sum() - both, pairs[own, :, own].sum() - both
        return McNemar(*mcnemar(first, second, exact))

    def _values(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """The values ``[n, ...]`` of both models from tables ``[n, ...]``."""
        metric: Any = self.metric
        if self._right_only:
            samples = pairs.sum((1, 2))
            rights = pairs[:, 1].sum(1), pairs[:, :, 1].sum(1)
            values = (metric._of_right(right.double() / samples.clamp(min=1), samples) for right in rights)
        else:
            of_draws = metric._of_draws if metric.batched else each_draw(metric.formula)
            values = (of_draws(self._states(pairs.sum(over))) for over in (3, 2))
        first, second = values
        return first, second

    def _states(self, confusion: Tensor) -> dict[str, Tensor]:
        """The statistics of one model from confusion matrices ``[n, C, C]``."""
        metric: Any = self.metric
        if isinstance(metric._statistics, BinaryStatistics):
            (tn, fp), (fn, tp) = (row.unbind(-1) for row in confusion.unbind(-2))
            return {"counts": torch.stack([tp, fp, tn, fn], -1).unsqueeze(-2)}
        sums = confusion.diagonal(dim1=-2, dim2=-1), confusion.sum(-2), confusion.sum(-1)
        found = {"counts": torch.stack(sums, -1), "confusion": confusion}
        return {name: found[name] for name in metric._names_of_formula()}

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        def of_draws(drawn: dict[str, Tensor]) -> Tensor:
            first, second = self._values(drawn["pairs"])
            return first - second

        return {"bootstrap": resampled(self, states, of_draws, "joint")}
