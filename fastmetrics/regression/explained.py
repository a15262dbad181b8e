# SPDX-License-Identifier: Apache-2.0
"""How much of the target's variance is explained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.docstrings import documented
from fastmetrics.formulas import moments as formulas
from fastmetrics.formulas.intervals import Pair, normal
from fastmetrics.native.transforms import any_holds
from fastmetrics.regression.base import MultioutputMetric, PairsMetric, positive_outputs
from fastmetrics.regression.correlation import PearsonCorrCoef


@documented(PearsonCorrCoef)
class R2Score(MultioutputMetric):
    r"""Coefficient of determination, :math:`R^2 = 1 - \frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`.

    The relative error of :math:`1 - R^2` is about 1e-12 before it is rounded, or 1e-17 times the offset of the data in
    units of its spread.

    Args:
        adjusted: number k of regressors; the value is :math:`1 - (1 - R^2) \frac{N - 1}{N - k - 1}` unless it is 0.
        multioutput: of inputs ``(N, D)``: ``"uniform_average"``, ``"variance_weighted"``, or ``"raw_values"``.

    Inputs:
        preds: ``(N,)`` or ``(N, D)``, of any real dtype.

    Returns:
        a scalar, or ``(D,)`` with raw values. With a constant target it is 1 if that is met, else 0.

    Raises:
        ValueError: an argument that does not fit; inputs of other shapes; less than two samples at ``compute``, which
            is a total weight below 2 of which nothing differs.
    """

    example = {"": "0.9486", "adjusted=1": "0.9229"}

    higher_is_better = True
    plot_lower_bound = None
    plot_upper_bound = 1.0

    at_most_2d = True

    def __init__(self, adjusted: int = 0, multioutput: str = "uniform_average", **kwargs: Any) -> None:
        if not isinstance(adjusted, int) or adjusted < 0:
            raise ValueError("`adjusted` parameter should be an integer larger or equal to 0.")
        super().__init__({"moments": True, "squared_error": True}, multioutput, **kwargs)
        self.adjusted = adjusted

    def formula(self, moments: Tensor, squared_error: Tensor, **_: Tensor) -> Tensor:
        """The score."""
        few = (moments[:, 0] < 2) & (moments[:, 3:5] == 0).all(-1)
        if any_holds(few):
            raise ValueError("Needs at least two samples to calculate r2 score.")
        adjusted = self.adjusted
        if adjusted and any_holds(moments[:, 0] - 1 <= adjusted):
            rank_zero_warn(
                f"The adjusted r2 score of {adjusted} regressors needs more than {adjusted + 1} samples."
                " Falls back to the standard r2 score."
            )
            adjusted = 0
        value = formulas.r2(moments, squared_error, self.multioutput, adjusted)
        return self._over_outputs(torch.where(few.any(), torch.nan, value))


@documented(R2Score)
class ExplainedVariance(MultioutputMetric):
    r"""Explained variance, :math:`1 - \frac{\mathrm{Var}(y - x)}{\mathrm{Var}(y)}`.

    Numeric error and gradients are those of :class:`R2Score`.

    Inputs:
        preds: ``(N, ...)``, of any real dtype; dimensions after the first are outputs.

    Returns:
        a scalar, or the shape of a sample with raw values. Where the target is constant, it is 1 if the error is
        constant too, else 0.

    Raises:
        ValueError: an argument that does not fit; inputs without a dimension of samples.
    """

    example = {"": "0.9572"}

    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, multioutput: str = "uniform_average", **kwargs: Any) -> None:
        super().__init__({"moments": True}, multioutput, **kwargs)

    def formula(self, moments: Tensor, **_: Tensor) -> Tensor:
        """The share of the variance."""
        return self._over_outputs(formulas.explained_variance(moments, self.multioutput))

    def _ends(self, value: Tensor, error: Tensor, level: float) -> Pair:
        low, high = normal(value, error, level)  # plots begin at 0, as those of torchmetrics do, but values do not
        return low, high.clamp(max=1)


@documented(PearsonCorrCoef)
class RelativeSquaredError(PairsMetric):
    r"""Squared errors over those of a prediction of the mean, :math:`\frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`.

    A constant target counts as one whose squares add up to 2 ** -23. Numeric error and gradients are those of
    :class:`R2Score`; the functional form takes every column of ``(N, D)`` as an output.

    Args:
        squared: False gives the mean of the roots.

    Returns:
        a scalar, the mean over the outputs.

    Raises:
        RuntimeError: inputs of different shape or device, or of other shapes; a weight that is negative, infinite or
            NaN.
        ValueError: an argument that does not fit.
    """  # noqa: E501

    example = {"": "0.0514"}

    plot_lower_bound = None
    by_column = True
    at_most_2d = True
    wrong_columns = RuntimeError

    def __init__(self, num_outputs: int = 1, squared: bool = True, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__({"moments": True, "squared_error": True}, num_outputs, **kwargs)
        self.num_outputs = num_outputs
        self.squared = squared

    def formula(self, moments: Tensor, squared_error: Tensor, **_: Tensor) -> Tensor:
        """The ratio, or its root."""
        ratio = formulas.relative_squared_error(moments, squared_error)
        return self._result((ratio if self.squared else ratio.sqrt()).mean())
