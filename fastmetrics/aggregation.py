# SPDX-License-Identifier: Apache-2.0
"""Metrics that aggregate a stream of values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas.intervals import error_of_mean, normal
from fastmetrics.intervals import ClosedForm, IntervalMethods
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics import Statistics, ValuesStatistics
from fastmetrics.statistics.base import Inputs
from fastmetrics.statistics.buffers import Buffers
from fastmetrics.statistics.values import explain_nans
from fastmetrics.wrappers.running import Running

__all__ = ["CatMetric", "MaxMetric", "MeanMetric", "MinMetric", "Running", "RunningMean", "RunningSum", "SumMetric"]

_STRATEGIES = ("error", "warn", "ignore", "disable")


class _Aggregator(StatisticMetric):
    """What the aggregations share: values of any kind, and the strategies for NaN."""

    is_differentiable = None
    higher_is_better = None

    def __init__(self, statistics: Statistics, nan_strategy: str | float, **kwargs: Any) -> None:
        super().__init__(statistics, **kwargs)
        self.nan_strategy = nan_strategy

    def inputs(self, value: Any, valid: Tensor | None = None) -> Batch:  # type: ignore[override]
        """What ``update`` reads.

        Args:
            value: a number, a tensor of any shape and real dtype, or what ``torch.as_tensor`` takes.
            valid: bool, of the shape of ``value`` or of its first dimensions: what is not valid is not counted.
        """
        return (self._tensor(value),), None, valid

    def _tensor(self, value: Any) -> Tensor:
        if isinstance(value, Tensor):
            return value
        return torch.as_tensor(value, dtype=torch.float64, device=self._device)

    def _result(self, value: Tensor) -> Tensor:
        return value.to(self._dtype, copy=True)

    def _report(self, faults: list[int], label: str) -> None:
        """Raise or warn, as the strategy says, if there were NaNs since the last time."""
        if self.nan_strategy != "warn" or faults[6]:
            super()._report(faults, label)
        rank_zero_warn("Encountered `nan` values in tensor. Will be removed.", UserWarning)


def _checked(nan_strategy: str | float) -> str | float:
    if nan_strategy not in _STRATEGIES and not isinstance(nan_strategy, float):
        raise ValueError(f"Arg `nan_strategy` should either be a float or one of {_STRATEGIES} but got {nan_strategy}.")
    return nan_strategy


class SumMetric(_Aggregator):
    """The sum of all values.

    Args:
        nan_strategy: what is done about NaN, without a look at the values before they are counted:

            - ``"warn"`` (default): it is not counted, with a warning;
            - ``"error"``: it is not counted, with a ``RuntimeError``; both come at once on the CPU, at ``compute`` or
              ``forward`` on other devices, whose updates do not wait for the device;
            - ``"ignore"``: it is not counted;
            - ``"disable"``: it counts like any value;
            - a float: that is counted instead.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values are numbers or tensors of any shape, real dtype and strides; they are widened to float64 and summed there, in
    an order that depends on the sizes alone. The relative error of a sum of positive values is about 1e-15 before it is
    rounded to the metric's dtype. Values carry no gradient.

    Raises:
        ValueError: another ``nan_strategy``; complex values.

    Example:
        >>> import torch
        >>> from fastmetrics import SumMetric
        >>> metric = SumMetric()
        >>> metric.update(1)
        >>> metric.update(torch.tensor([2, 3]))
        >>> metric.compute()
        tensor(6.)
    """

    def __init__(self, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(ValuesStatistics("sum_value", nan_strategy=_checked(nan_strategy)), nan_strategy, **kwargs)

    def formula(self, sum_value: Tensor) -> Tensor:
        """The sum."""
        return self._result(sum_value)


class MeanMetric(_Aggregator):
    """The weighted mean of all values.

    Args:
        nan_strategy: as in :class:`SumMetric`; a value whose weight is NaN is treated as NaN itself. A float
            that takes its place has the weight 1.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``update(value, weight=None)``: the weight is a number or a tensor that broadcasts to the shape of ``value``, of any
    real dtype. Values, numeric error and errors are those of :class:`SumMetric`. NaN without values.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanMetric
        >>> metric = MeanMetric()
        >>> metric.update(1)
        >>> metric.update(torch.tensor([2.0, 5.0]), weight=torch.tensor([2.0, 1.0]))
        >>> metric.compute()
        tensor(2.5000)
    """

    def __init__(self, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        statistics = ValuesStatistics("sum_value", "weight", nan_strategy=_checked(nan_strategy))
        super().__init__(statistics, nan_strategy, **kwargs)

    def inputs(  # type: ignore[override]
        self, value: Any, weight: Any = None, valid: Tensor | None = None
    ) -> Batch:
        """What ``update`` reads.

        Args:
            value: a number, a tensor of any shape and real dtype, or what ``torch.as_tensor`` takes.
            weight: the same; broadcast to the shape of ``value``. None is 1.
            valid: bool, of the shape of ``value`` or of its first dimensions: what is not valid is not counted.
        """
        return (self._tensor(value),), None if weight is None else self._tensor(weight), valid

    def formula(self, sum_value: Tensor, weight: Tensor) -> Tensor:
        """The mean."""
        return (sum_value / weight).to(self._dtype)

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        return {"delta": ClosedForm(partial(self._delta, states), normal)} if "squares" in states else {}

    def _delta(self, states: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        mean = states["sum_value"] / states["weight"]
        return mean, error_of_mean(mean, states["weight"], states["squares"])


class MinMetric(_Aggregator):
    """The least of all values.

    Args:
        nan_strategy: as in :class:`SumMetric`; with ``"disable"`` the value is NaN once there was one.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values and errors are those of :class:`SumMetric`. Infinity without values.

    Example:
        >>> import torch
        >>> from fastmetrics import MinMetric
        >>> metric = MinMetric()
        >>> metric.update(1)
        >>> metric.update(torch.tensor([2, 3]))
        >>> metric.compute()
        tensor(1.)
    """

    def __init__(self, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(ValuesStatistics("min_value", nan_strategy=_checked(nan_strategy)), nan_strategy, **kwargs)

    def formula(self, min_value: Tensor) -> Tensor:
        """The least value."""
        return self._result(min_value)


class MaxMetric(_Aggregator):
    """The greatest of all values.

    Args:
        nan_strategy: as in :class:`SumMetric`; with ``"disable"`` the value is NaN once there was one.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values and errors are those of :class:`SumMetric`. Negative infinity without values.

    Example:
        >>> import torch
        >>> from fastmetrics import MaxMetric
        >>> metric = MaxMetric()
        >>> metric.update(1)
        >>> metric.update(torch.tensor([2, 3]))
        >>> metric.compute()
        tensor(3.)
    """

    def __init__(self, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(ValuesStatistics("max_value", nan_strategy=_checked(nan_strategy)), nan_strategy, **kwargs)

    def formula(self, max_value: Tensor) -> Tensor:
        """The greatest value."""
        return self._result(max_value)


class _Values(Buffers):
    """Values as they came, in the dtype of the metric; NaNs that are dropped are counted now and dropped at the end."""

    def __init__(self, nan_strategy: str | float) -> None:
        self.shapes = {"value": ((), torch.get_default_dtype())}
        self.validate = nan_strategy in ("error", "warn")
        self.replacement = nan_strategy if isinstance(nan_strategy, float) else None

    def check(self, inputs: Inputs) -> None:
        if inputs[0].is_complex():
            raise ValueError(f"Expected real values, but got {inputs[0].dtype}.")

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        value = inputs[0].detach()
        value = value.to(self.shapes["value"][1], copy=True)
        value = value.reshape(1) if value.dim() == 0 else value
        if valid is not None:
            value = value[valid.reshape(value.shape)]
        if self.replacement is not None:
            value.masked_fill_(value.isnan(), self.replacement)
        elif faults is not None:
            faults[2] += value.isnan().sum()
        return {"value": value}

    def fits(self, name: str, state: Tensor) -> bool:
        """Batches may have any shape."""
        return True

    def explain_faults(self, faults: list[int]) -> str | None:
        return explain_nans(faults)


class CatMetric(_Aggregator):
    """All values, one after another.

    Args:
        nan_strategy: as in :class:`SumMetric`. NaN that is not counted leaves the values when they are computed.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values are those of :class:`SumMetric`; batches are concatenated along their first dimension, and flattened if NaN
    is left out. They have the metric's dtype. An empty tensor without values. A mask ``valid`` makes the update wait
    for the device, because the size of what is kept depends on it.

    Example:
        >>> import torch
        >>> from fastmetrics import CatMetric
        >>> metric = CatMetric()
        >>> metric.update(1)
        >>> metric.update(torch.tensor([2, 3]))
        >>> metric.compute()
        tensor([1., 2., 3.])
    """

    def __init__(self, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(_Values(_checked(nan_strategy)), nan_strategy, **kwargs)

    def formula(self, value: Tensor) -> Tensor:
        """The values, without those that are dropped."""
        value = value.to(self._dtype, copy=True)  # the state is not the caller's to write into
        if isinstance(self.nan_strategy, float) or self.nan_strategy == "disable":
            return value
        wanted = ~value.isnan()
        return value if bool(wanted.all()) else value[wanted]


class RunningMean(Running):
    """The mean of the values of the last ``window`` updates.

    Args:
        window: how many updates.
        nan_strategy: as in :class:`SumMetric`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values and errors are those of :class:`MeanMetric`; see :class:`~fastmetrics.wrappers.Running`.

    Example:
        >>> import torch
        >>> from fastmetrics import RunningMean
        >>> metric = RunningMean(window=3)
        >>> for i in range(6):
        ...     metric.update(torch.tensor([i]))
        >>> metric.compute()
        tensor(4.)
    """

    def __init__(self, window: int = 5, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(base_metric=MeanMetric(nan_strategy=nan_strategy, **kwargs), window=window)


class RunningSum(Running):
    """The sum of the values of the last ``window`` updates.

    Args:
        window: how many updates.
        nan_strategy: as in :class:`SumMetric`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Values and errors are those of :class:`SumMetric`; see :class:`~fastmetrics.wrappers.Running`.

    Example:
        >>> import torch
        >>> from fastmetrics import RunningSum
        >>> metric = RunningSum(window=3)
        >>> for i in range(6):
        ...     metric.update(torch.tensor([i]))
        >>> metric.compute()
        tensor(12.)
    """

    def __init__(self, window: int = 5, nan_strategy: str | float = "warn", **kwargs: Any) -> None:
        super().__init__(base_metric=SumMetric(nan_strategy=nan_strategy, **kwargs), window=window)
