# SPDX-License-Identifier: Apache-2.0
"""Errors relative to the target."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.docstrings import documented
from fastmetrics.formulas import errors, moments
from fastmetrics.passes.pairs import LEAST_SCALE
from fastmetrics.regression.base import MeanOfErrors, PairsMetric, positive_outputs
from fastmetrics.regression.errors import MeanSquaredError


@documented(MeanSquaredError)
class MeanAbsolutePercentageError(MeanOfErrors):
    r"""Mean absolute percentage error, :math:`\frac{1}{N}\sum_i \frac{|x_i - y_i|}{\max(|y_i|, 1.17 \cdot 10^{-6})}`.

    1 is a hundred per cent.
    """

    example = {"": "0.1750"}
    error = "percentage_error"


@documented(MeanSquaredError)
class SymmetricMeanAbsolutePercentageError(MeanOfErrors):
    r"""Mean of :math:`\frac{2 |x_i - y_i|}{\max(|x_i| + |y_i|, 1.17 \cdot 10^{-6})}`, which is in [0, 2]."""

    example = {"": "0.1942"}
    error = "symmetric_percentage_error"

    plot_upper_bound = 2.0


@documented(MeanSquaredError)
class WeightedMeanAbsolutePercentageError(PairsMetric):
    r"""The absolute errors over the absolute targets, :math:`\frac{\sum_i |x_i - y_i|}{\sum_i |y_i|}`.

    The denominator is at least 1.17e-6, so the value is 0 without data.

    Returns:
        a scalar of the metric's dtype, formed in float64 with a relative error of about 1e-15.
    """

    example = {"": "0.1538"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"absolute_error": True, "absolute_target": True}, **kwargs)

    def formula(self, absolute_error: Tensor, absolute_target: Tensor, **_: Tensor) -> Tensor:
        """The ratio of the sums."""
        return self._result(errors.relative_error(absolute_error, absolute_target, LEAST_SCALE))


@documented(MeanSquaredError)
class NormalizedRootMeanSquaredError(PairsMetric):
    """Root of the mean squared error over a scale of the target.

    The relative error of the scale is about 1e-15, of ``"std"`` also where the offset of the target is large.

    Args:
        normalization: the scale: ``"mean"``, ``"range"`` (greatest less least), ``"std"`` (the standard deviation of a
            population) or ``"l2"`` (the root of the sum of squares).

    Returns:
        a scalar, or ``(D,)`` with more outputs than one; NaN or infinite if the scale is 0.
    """

    example = {"": "0.1919", 'normalization="range"': "0.1701"}

    def __init__(self, normalization: str = "mean", num_outputs: int = 1, **kwargs: Any) -> None:
        if normalization not in moments.NORMALIZATIONS:
            raise ValueError(
                f"Argument `normalization` should be either 'mean', 'range', 'std' or 'l2', but got {normalization}"
            )
        positive_outputs(num_outputs)
        of_target = "extremes" if normalization == "range" else "moments"
        super().__init__({"squared_error": True, of_target: True}, num_outputs, **kwargs)
        self.normalization = normalization
        self.of_means = normalization != "l2"
        self.float64_from = 2 if num_outputs > 1 and normalization in ("mean", "range") else None
        self.num_outputs = num_outputs

    def formula(self, count: Tensor, squared_error: Tensor, **of_target: Tensor) -> Tensor:
        """The root over the scale."""
        root = (squared_error / count).sqrt()
        return self._result(errors.one_or_all(root / moments.scale(self.normalization, **of_target)))
