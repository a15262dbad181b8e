# SPDX-License-Identifier: Apache-2.0
"""How much of the target's variance is explained."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas import moments as formulas
from fastmetrics.native.transforms import samples
from fastmetrics.regression.base import MultioutputMetric, PairsMetric, positive_outputs


class R2Score(MultioutputMetric):
    r"""Coefficient of determination, :math:`R^2 = 1 - \frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`.

    Args:
        adjusted: number k of regressors; the value is :math:`1 - (1 - R^2) \frac{N - 1}{N - k - 1}` unless it is 0.
        multioutput: of inputs ``(N, D)``: ``"uniform_average"``, ``"variance_weighted"``, or ``"raw_values"`` (D,).
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs are ``(N,)`` or ``(N, D)``. With a constant target the value is 1 if it is met, else 0. The relative error of
    :math:`1 - R^2` is about 1e-12 before it is rounded, or 1e-17 times the offset of the data in units of its spread.
    Gradients flow through ``forward`` and the functional form.

    Raises:
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.
        ValueError: inputs of other shapes; less than two samples at ``compute``, which is a total weight below 2 of
            which nothing differs.

    Example:
        >>> import torch
        >>> from fastmetrics import R2Score
        >>> from fastmetrics.functional import r2_score
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])
        >>> R2Score()(preds, target)
        tensor(0.9486)
        >>> preds = torch.tensor([[0.0, 2.0], [-1.0, 2.0], [8.0, -5.0]])
        >>> r2_score(preds, torch.tensor([[0.5, 1.0], [-1.0, 1.0], [7.0, -6.0]]), multioutput="raw_values")
        tensor([0.9654, 0.9082])
    """

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
        if samples((moments[:, 0] < 2) & (moments[:, 3:5] == 0).all(-1)).any():
            raise ValueError("Needs at least two samples to calculate r2 score.")
        adjusted = self.adjusted
        if adjusted and samples(moments[:, 0] - 1 <= adjusted).any():
            rank_zero_warn(
                f"The adjusted r2 score of {adjusted} regressors needs more than {adjusted + 1} samples."
                " Falls back to the standard r2 score."
            )
            adjusted = 0
        return self._over_outputs(formulas.r2(moments, squared_error, self.multioutput, adjusted))


class ExplainedVariance(MultioutputMetric):
    r"""Explained variance, :math:`1 - \frac{\mathrm{Var}(y - x)}{\mathrm{Var}(y)}`.

    Args:
        multioutput: as in :class:`R2Score`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs are ``(N, ...)``; dimensions after the first are outputs, and raw values have their shape. Where the target
    is constant, the value is 1 if the error is constant too, else 0. Numeric error, gradients and errors are those of
    :class:`R2Score`, but for the number of samples.

    Example:
        >>> import torch
        >>> from fastmetrics import ExplainedVariance
        >>> ExplainedVariance()(torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0]))
        tensor(0.9572)
    """

    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, multioutput: str = "uniform_average", **kwargs: Any) -> None:
        super().__init__({"moments": True}, multioutput, **kwargs)

    def formula(self, moments: Tensor, **_: Tensor) -> Tensor:
        """The share of the variance."""
        return self._over_outputs(formulas.explained_variance(moments, self.multioutput))


class RelativeSquaredError(PairsMetric):
    r"""Squared errors over those of a prediction of the mean, :math:`\frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`.

    Args:
        num_outputs: D: inputs are ``(N,)`` or ``(N, 1)`` for one, ``(N, D)`` for more.
        squared: False gives the mean of the roots.
        kwargs: those of :class:`~fastmetrics.Metric`.

    The value is a scalar, the mean over the outputs. A constant target counts as one whose squares add up to 2 ** -23.
    Numeric error, gradients and errors are those of :class:`R2Score`, but for the number of samples; the functional
    form takes every column of ``(N, D)`` as an output.

    Example:
        >>> import torch
        >>> from fastmetrics import RelativeSquaredError
        >>> RelativeSquaredError()(torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0]))
        tensor(0.0514)
    """  # noqa: E501

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
