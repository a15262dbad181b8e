# SPDX-License-Identifier: Apache-2.0
"""Errors relative to the target."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.formulas import errors, moments
from fastmetrics.passes.pairs import LEAST_SCALE
from fastmetrics.regression.base import PairsMetric, positive_outputs


class MeanAbsolutePercentageError(PairsMetric):
    r"""Mean absolute percentage error, :math:`\frac{1}{N}\sum_i \frac{|x_i - y_i|}{\max(|y_i|, 1.17 \cdot 10^{-6})}`.

    Args:
        kwargs: those of :class:`~fastmetrics.Metric`.

    Every element of inputs of any shape is a pair; the value is a scalar: 1 is a hundred per cent. Numeric error,
    gradients and errors are those of :class:`MeanSquaredError`.

    Example:
        >>> import torch
        >>> from fastmetrics import MeanAbsolutePercentageError
        >>> MeanAbsolutePercentageError()(torch.tensor([0.9, 15.0, 1.2e6]), torch.tensor([1.0, 10.0, 1e6]))
        tensor(0.2667)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"percentage_error": True}, **kwargs)

    def formula(self, count: Tensor, percentage_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(errors.mean_error(percentage_error, count))


class SymmetricMeanAbsolutePercentageError(PairsMetric):
    r"""Mean of :math:`\frac{2 |x_i - y_i|}{\max(|x_i| + |y_i|, 1.17 \cdot 10^{-6})}`, which is in [0, 2].

    Args:
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs, numeric error, gradients and errors are those of :class:`MeanAbsolutePercentageError`.

    Example:
        >>> import torch
        >>> from fastmetrics import SymmetricMeanAbsolutePercentageError
        >>> SymmetricMeanAbsolutePercentageError()(torch.tensor([0.9, 15.0, 1.2e6]), torch.tensor([1.0, 10.0, 1e6]))
        tensor(0.2290)
    """

    plot_upper_bound = 2.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"symmetric_percentage_error": True}, **kwargs)

    def formula(self, count: Tensor, symmetric_percentage_error: Tensor) -> Tensor:
        """The mean."""
        return self._result(errors.mean_error(symmetric_percentage_error, count))


class WeightedMeanAbsolutePercentageError(PairsMetric):
    r"""The absolute errors over the absolute targets, :math:`\frac{\sum_i |x_i - y_i|}{\sum_i |y_i|}`.

    Args:
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs, numeric error, gradients and errors are those of :class:`MeanAbsolutePercentageError`; the denominator is at
    least 1.17e-6, so the value is 0 without data.

    Example:
        >>> import torch
        >>> from fastmetrics import WeightedMeanAbsolutePercentageError
        >>> WeightedMeanAbsolutePercentageError()(torch.tensor([1.0, 15.0]), torch.tensor([2.0, 10.0]))
        tensor(0.5000)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"absolute_error": True, "absolute_target": True}, **kwargs)

    def formula(self, absolute_error: Tensor, absolute_target: Tensor, **_: Tensor) -> Tensor:
        """The ratio of the sums."""
        return self._result(errors.relative_error(absolute_error, absolute_target, LEAST_SCALE))


class NormalizedRootMeanSquaredError(PairsMetric):
    r"""Root of the mean squared error over a scale of the target.

    Args:
        normalization: the scale: ``"mean"``, ``"range"`` (greatest less least), ``"std"`` (the standard deviation of a
            population) or ``"l2"`` (the root of the sum of squares).
        num_outputs: D, as in :class:`MeanSquaredError`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    The relative error of the scale is about 1e-15, of ``"std"`` also where the offset of the target is large; NaN or
    infinite if the scale is 0. Inputs, gradients and errors are those of :class:`MeanSquaredError`.

    Example:
        >>> import torch
        >>> from fastmetrics import NormalizedRootMeanSquaredError
        >>> preds, target = torch.tensor([0.0, 1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0, 2.0, 2.0])
        >>> NormalizedRootMeanSquaredError(normalization="mean")(preds, target)
        tensor(0.4000)
        >>> NormalizedRootMeanSquaredError(normalization="range")(preds, target)
        tensor(0.2500)
    """

    def __init__(self, normalization: str = "mean", num_outputs: int = 1, **kwargs: Any) -> None:
        if normalization not in moments.NORMALIZATIONS:
            raise ValueError(
                f"Argument `normalization` should be either 'mean', 'range', 'std' or 'l2', but got {normalization}"
            )
        positive_outputs(num_outputs)
        of_target = "extremes" if normalization == "range" else "moments"
        super().__init__({"squared_error": True, of_target: True}, num_outputs, **kwargs)
        self.normalization = normalization
        self.widens = 2 if num_outputs > 1 and normalization in ("mean", "range") else None
        self.num_outputs = num_outputs

    def formula(self, count: Tensor, squared_error: Tensor, **of_target: Tensor) -> Tensor:
        """The root over the scale."""
        root = (squared_error / count).sqrt()
        return self._result(errors.one_or_all(root / moments.scale(self.normalization, **of_target)))
