# SPDX-License-Identifier: Apache-2.0
"""Correlation of predictions and target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.docstrings import documented
from fastmetrics.formulas import intervals
from fastmetrics.formulas import moments as formulas
from fastmetrics.formulas.errors import one_or_all
from fastmetrics.intervals import ClosedForm, IntervalMethods
from fastmetrics.native.transforms import any_holds
from fastmetrics.regression.base import PairsMetric, positive_outputs
from fastmetrics.regression.errors import MeanSquaredError


@documented(MeanSquaredError)
class PearsonCorrCoef(PairsMetric):
    r"""Pearson's correlation, :math:`\frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sqrt{\sum_i (x_i - \bar x)^2 \sum_i (y_i - \bar y)^2}}`.

    The error is about 1e-12 before the value is rounded to the metric's dtype, or 1e-17 times the offset of the data in
    units of its spread: moments are centred while they are read and merged as by Chan, Golub and LeVeque, 1983. The
    functional form takes every column of ``(N, D)`` as an output.

    Args:
        num_outputs: D.

    Inputs:
        preds: ``(N,)`` or ``(N, 1)`` for one output, ``(N, D)`` for more, of any real dtype.

    Returns:
        a scalar, or ``(D,)`` with more outputs than one, in [-1, 1]; NaN (on the CPU with a warning) where the
        predictions or the target are constant.

    Raises:
        ValueError: an argument that does not fit; inputs of other shapes.
    """  # noqa: E501

    example_batch = "torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])"
    example = {"": "0.9849"}

    higher_is_better: bool | None = None
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0

    by_column = True
    at_most_2d = True
    float64_from = 2

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__({"moments": True}, num_outputs, **kwargs)
        self.num_outputs = num_outputs

    def formula(self, moments: Tensor, **_: Tensor) -> Tensor:
        """The correlation."""
        if moments.device.type == "cpu" and any_holds(moments[:, 3:5] == 0):
            rank_zero_warn("The predictions or the target are constant, so they have no correlation: it is NaN.")
        return self._of_moments(moments)

    def _of_moments(self, moments: Tensor) -> Tensor:
        return self._result(formulas.pearson(moments))

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        fisher = ClosedForm(partial(self._fisher, states["moments"]), intervals.fisher)
        return {"fisher": fisher, **super()._interval_methods(states)}

    def _fisher(self, moments: Tensor) -> tuple[Tensor, Tensor]:
        return formulas.pearson(moments), one_or_all(moments[:, 0])


@documented(PearsonCorrCoef)
class ConcordanceCorrCoef(PearsonCorrCoef):
    r"""Lin's concordance correlation, :math:`\frac{2 s_{xy}}{s_x^2 + s_y^2 + (\bar x - \bar y)^2}`.

    The variances are those of a sample, with N - 1. Numeric error and gradients are those of :class:`PearsonCorrCoef`.

    Returns:
        a scalar, or ``(D,)`` with more outputs than one and from the function; NaN where the predictions or the target
        are constant.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.regression import concordance_corrcoef
        >>> from fastmetrics.regression import ConcordanceCorrCoef
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])
        >>> ConcordanceCorrCoef()(preds, target)
        tensor(0.9777)
        >>> concordance_corrcoef(preds, target)
        tensor([0.9777])
    """

    higher_is_better = True

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch, [D]; of one output too, as in torchmetrics."""
        value: Tensor = super().evaluate(*args, **kwargs)
        return value.reshape(-1)

    def _of_moments(self, moments: Tensor) -> Tensor:
        return self._result(formulas.concordance(moments))

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        return PairsMetric._interval_methods(self, states)
