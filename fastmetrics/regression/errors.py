# SPDX-License-Identifier: Apache-2.0
"""Metrics that are a mean of errors, or their norm."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics.docstrings import documented
from fastmetrics.formulas import errors
from fastmetrics.regression.base import ErrorsOfOutputs, MeanOfErrors, PairsMetric, TargetsMetric, positive_outputs


@documented()
class MeanSquaredError(PairsMetric):
    r"""Mean squared error, :math:`\frac{1}{N}\sum_i (x_i - y_i)^2`, or its root.

    Args:
        squared: False gives the root of the mean.
        num_outputs: D. With one, every element of inputs of any shape is a pair and the value is a scalar; with more,
            inputs are ``(N, D)`` and the value is ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        preds: of any real dtype and any shape. Gradients flow through ``forward`` and the functional form.
        target: the same.
        weights: of any real dtype: what a sample counts instead of 1; finite and at least 0. The shape is that of
            ``target`` or of its first dimensions.
        valid: bool, of the same shapes: a sample that is not valid is not counted, whatever its values are.

    Returns:
        the mean over all pairs, of the metric's dtype; NaN without data. It is formed in float64, with a relative error
        of about 1e-15.

    Raises:
        ValueError: an argument that does not fit.
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.
    """

    example_batch = "torch.tensor([3.0, 5.0, 2.5, 7.0]), torch.tensor([2.5, 5.0, 4.0, 8.0])"
    example = {"": "0.8750", "squared=False": "0.9354"}

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


@documented(MeanSquaredError)
class MeanAbsoluteError(ErrorsOfOutputs):
    r"""Mean absolute error, :math:`\frac{1}{N}\sum_i |x_i - y_i|`."""

    example = {"": "0.7500"}
    error = "absolute_error"


@documented(MeanSquaredError)
class MeanSquaredLogError(MeanOfErrors):
    r"""Mean squared logarithmic error, :math:`\frac{1}{N}\sum_i (\log(1 + x_i) - \log(1 + y_i))^2`.

    It is NaN if any value is below -1.
    """

    example = {"": "0.0397"}
    error = "squared_log_error"


@documented(MeanSquaredError)
class LogCoshError(ErrorsOfOutputs):
    r"""Mean of :math:`\log\cosh(x_i - y_i)`.

    The relative error of the value is about 1e-11 before it is rounded; no difference overflows. The functional form
    takes every column of ``(N, D)`` as an output.

    Args:
        num_outputs: D.

    Inputs:
        preds: ``(N,)`` or ``(N, 1)`` for one output, ``(N, D)`` for more, of any real dtype.

    Returns:
        the mean, a scalar for one output, ``(D,)`` for more; NaN without data.

    Raises:
        ValueError: an argument that does not fit; inputs of other shapes.
    """

    example = {"": "0.3523"}
    error = "log_cosh_error"

    by_column = True
    at_most_2d = True


@documented(MeanSquaredError)
class MinkowskiDistance(TargetsMetric):
    r"""Minkowski distance, :math:`(\sum_i |x_i - y_i|^p)^{1/p}`.

    The relative error of a power is about 1e-16 times p for a whole p of at most 64, and else about 1e-15 times the
    power's own logarithm.

    Args:
        p: exponent, at least 1.

    Inputs:
        targets: of the same shape, of any real dtype.

    Returns:
        a scalar; 0 without data.

    Raises:
        TorchMetricsUserError: p is less than 1, or no number.
    """

    of_means = False
    example_options = "p=3"
    example = {"": "1.6510"}

    def __init__(self, p: float, **kwargs: Any) -> None:
        if not (isinstance(p, (float, int)) and p >= 1):
            raise TorchMetricsUserError(f"Argument ``p`` must be a float or int greater than 1, but got {p}")
        super().__init__({"powered_error": float(p)}, **kwargs)
        self.p = p

    def formula(self, powered_error: Tensor, **_: Tensor) -> Tensor:
        """The root of the sum."""
        return self._result(errors.norm(powered_error, self.p))
