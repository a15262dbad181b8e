# SPDX-License-Identifier: Apache-2.0
"""Metrics that are a mean of errors, or their norm."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics.formulas import errors
from fastmetrics.regression.base import PairsMetric, TargetsMetric, positive_outputs


class MeanSquaredError(PairsMetric):
    r"""Mean squared error, :math:`\frac{1}{N}\sum_i (x_i - y_i)^2`, or its root.

    Args:
        squared: False gives the root of the mean.
        num_outputs: D. With one, every element of inputs of any shape is a pair; with more, inputs are ``(N, D)`` and
            the value is ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs of any real dtype are subtracted and summed in float64: the relative error of the value is about 1e-15 before
    it is rounded to the metric's dtype. Gradients flow through ``forward`` and the functional form, not ``update``.

    Raises:
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanSquaredError
        >>> from fastmetrics.functional import mean_squared_error
        >>> preds, target = torch.tensor([3.0, 5.0, 2.5, 7.0]), torch.tensor([2.5, 5.0, 4.0, 8.0])
        >>> MeanSquaredError()(preds, target)
        tensor(0.8750)
        >>> mean_squared_error(preds, target, squared=False)
        tensor(0.9354)
        >>> mean_squared_error(preds, target, weights=torch.tensor([1.0, 1.0, 0.0, 0.0]))
        tensor(0.1250)
    """

    def __init__(self, squared: bool = True, num_outputs: int = 1, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__({"squared_error": True}, num_outputs, **kwargs)
        if not isinstance(squared, bool):
            raise ValueError(f"Expected argument `squared` to be a boolean but got {squared}")
        self.squared = squared
        self.num_outputs = num_outputs

    def formula(self, count: Tensor, squared_error: Tensor) -> Tensor:
        """The mean, or its root."""
        mean = errors.mean_error(squared_error, count)
        return self._result(mean if self.squared else mean.sqrt())


class MeanAbsoluteError(PairsMetric):
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
        positive_outputs(num_outputs)
        super().__init__({"absolute_error": True}, num_outputs, **kwargs)
        self.num_outputs = num_outputs

    def formula(self, count: Tensor, absolute_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(errors.mean_error(absolute_error, count))


class MeanSquaredLogError(PairsMetric):
    r"""Mean squared logarithmic error, :math:`\frac{1}{N}\sum_i (\log(1 + x_i) - \log(1 + y_i))^2`.

    Args:
        kwargs: those of :class:`~fastmetrics.Metric`.

    Every element of inputs of any shape is a pair; the value is a scalar, NaN if any of them is below -1. Numeric
    error, gradients and errors are those of :class:`MeanSquaredError`.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanSquaredLogError
        >>> MeanSquaredLogError()(torch.tensor([0.5, 1.0, 2.0, 8.0]), torch.tensor([0.5, 1.0, 2.5, 7.0]))
        tensor(0.0094)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"squared_log_error": True}, **kwargs)

    def formula(self, count: Tensor, squared_log_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(errors.mean_error(squared_log_error, count))


class LogCoshError(PairsMetric):
    r"""Mean of :math:`\log\cosh(x_i - y_i)`.

    Args:
        num_outputs: D. With one, inputs are ``(N,)`` or ``(N, 1)``; with more, ``(N, D)``, and the value is ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    The relative error of the value is about 1e-11 before it is rounded; no difference overflows. Gradients flow through
    ``forward`` and the functional form, which takes every column of ``(N, D)`` as an output.

    Raises:
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.
        ValueError: inputs of other shapes.

    Example:
        >>> import torch
        >>> from fastmetrics import LogCoshError
        >>> LogCoshError()(torch.tensor([3.0, 5.0, 2.5, 7.0]), torch.tensor([2.5, 5.0, 4.0, 8.0]))
        tensor(0.3523)
    """

    by_column = True
    at_most_2d = True

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__({"log_cosh_error": True}, num_outputs, **kwargs)
        self.num_outputs = num_outputs

    def formula(self, count: Tensor, log_cosh_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(errors.mean_error(log_cosh_error, count))


class MinkowskiDistance(TargetsMetric):
    r"""Minkowski distance, :math:`(\sum_i |x_i - y_i|^p)^{1/p}`.

    Args:
        p: exponent, at least 1.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Every element of inputs of any shape is a pair; the value is a scalar, 0 without data. The relative error of a power
    is about 1e-16 times p for a whole p of at most 64, and else about 1e-15 times the power's own logarithm. Gradients
    are those of :class:`MeanSquaredError`.

    Raises:
        TorchMetricsUserError: p is less than 1, or no number.
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.

    Example:
        >>> import torch
        >>> from fastmetrics import MinkowskiDistance
        >>> MinkowskiDistance(p=3)(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 3.0]))
        tensor(2.0801)
    """

    def __init__(self, p: float, **kwargs: Any) -> None:
        if not (isinstance(p, (float, int)) and p >= 1):
            raise TorchMetricsUserError(f"Argument ``p`` must be a float or int greater than 1, but got {p}")
        super().__init__({"powered_error": float(p)}, **kwargs)
        self.p = p

    def formula(self, powered_error: Tensor, **_: Tensor) -> Tensor:
        """The root of the sum."""
        return self._result(errors.norm(powered_error, self.p))
