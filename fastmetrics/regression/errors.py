# SPDX-License-Identifier: Apache-2.0
"""Metrics that are a mean of errors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.formulas.errors import mean_error
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import PairsStatistics


class _MeanError(StatisticMetric):
    """Sums are float64; values have the metric's dtype (``set_dtype``), those of a function the dtype of its inputs."""

    is_differentiable = True
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, num_outputs: int, *, squared_error: bool = False, absolute_error: bool = False, **kwargs: Any):
        if not (isinstance(num_outputs, int) and num_outputs > 0):
            raise ValueError(f"Expected num_outputs to be a positive integer but got {num_outputs}")
        statistics = PairsStatistics(num_outputs, squared_error=squared_error, absolute_error=absolute_error)
        super().__init__(statistics, **kwargs)
        self.num_outputs = num_outputs

    def _result(self, value: Tensor) -> Tensor:
        return value.to(self._dtype)

    def evaluate(self, preds: Tensor, target: Tensor, **kwargs: Any) -> Tensor:
        """The value of one batch in the dtype of the inputs, or the default dtype if they are integers."""
        value: Tensor = super().evaluate(preds, target, **kwargs)
        dtype = torch.promote_types(preds.dtype, target.dtype)
        return value.to(dtype if dtype.is_floating_point else torch.get_default_dtype())


class MeanSquaredError(_MeanError):
    r"""Mean squared error, :math:`\frac{1}{N}\sum_i (x_i - y_i)^2`, or its root.

    Args:
        squared: False gives the root of the mean.
        num_outputs: D. With one, every element of inputs of any shape is a pair; with more, inputs are ``(N, D)`` and
            the value is ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs of any real dtype are subtracted and summed in float64: the relative error of the value is about 1e-15 before
    it is rounded to the metric's dtype. Gradients flow through ``forward`` and the functional form, not ``update``.

    Raises:
        RuntimeError: inputs of different shape or device.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanSquaredError
        >>> from fastmetrics.functional import mean_squared_error
        >>> preds, target = torch.tensor([3.0, 5.0, 2.5, 7.0]), torch.tensor([2.5, 5.0, 4.0, 8.0])
        >>> MeanSquaredError()(preds, target)
        tensor(0.8750)
        >>> mean_squared_error(preds, target, squared=False)
        tensor(0.9354)
    """

    def __init__(self, squared: bool = True, num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(num_outputs, squared_error=True, **kwargs)
        if not isinstance(squared, bool):
            raise ValueError(f"Expected argument `squared` to be a boolean but got {squared}")
        self.squared = squared

    def formula(self, count: Tensor, squared_error: Tensor) -> Tensor:
        """The mean, or its root."""
        mean = mean_error(squared_error, count)
        return self._result(mean if self.squared else mean.sqrt())


class MeanAbsoluteError(_MeanError):
    r"""Mean absolute error, :math:`\frac{1}{N}\sum_i |x_i - y_i|`.

    Args:
        num_outputs: D, as in :class:`MeanSquaredError`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs, numeric error, gradients and errors are those of :class:`MeanSquaredError`.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanAbsoluteError
        >>> from fastmetrics.functional import mean_absolute_error
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])
        >>> MeanAbsoluteError()(preds, target)
        tensor(0.5000)
        >>> mean_absolute_error(preds, target)
        tensor(0.5000)
    """

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(num_outputs, absolute_error=True, **kwargs)

    def formula(self, count: Tensor, absolute_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(mean_error(absolute_error, count))
