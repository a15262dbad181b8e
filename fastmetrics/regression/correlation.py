# SPDX-License-Identifier: Apache-2.0
"""Correlation of predictions and target."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas import moments as formulas
from fastmetrics.native.transforms import samples
from fastmetrics.regression.base import PairsMetric, positive_outputs


class PearsonCorrCoef(PairsMetric):
    r"""Pearson's correlation, :math:`\frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sqrt{\sum_i (x_i - \bar x)^2 \sum_i (y_i - \bar y)^2}}`.

    Args:
        num_outputs: D. With one, inputs are ``(N,)`` or ``(N, 1)`` and the value is a scalar; with more, inputs are
            ``(N, D)`` and the value is ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    The value is in [-1, 1], and NaN (on the CPU with a warning) where the predictions or the target are constant. Its
    error is about 1e-12 before it is rounded to the metric's dtype, or 1e-17 times the offset of the data in units of
    its spread: moments are centred while they are read and merged as by Chan, Golub and LeVeque, 1983. Gradients flow
    through ``forward`` and the functional form, which takes every column of ``(N, D)`` as an output.

    Raises:
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.
        ValueError: inputs of other shapes.

    Example:
        >>> import torch
        >>> from fastmetrics import PearsonCorrCoef
        >>> from fastmetrics.functional import pearson_corrcoef
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0])
        >>> PearsonCorrCoef()(preds, target)
        tensor(0.9849)
        >>> pearson_corrcoef(preds + 1e5, target)
        tensor(0.9849)
    """  # noqa: E501

    higher_is_better: bool | None = None
    plot_lower_bound = -1.0
    plot_upper_bound = 1.0

    by_column = True
    at_most_2d = True
    widens = 2

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__({"moments": True}, num_outputs, **kwargs)
        self.num_outputs = num_outputs

    def formula(self, moments: Tensor, **_: Tensor) -> Tensor:
        """The correlation."""
        if moments.device.type == "cpu" and samples(moments[:, 3:5] == 0).any():
            rank_zero_warn("The predictions or the target are constant, so they have no correlation: it is NaN.")
        return self._of_moments(moments)

    def _of_moments(self, moments: Tensor) -> Tensor:
        return self._result(formulas.pearson(moments))


class ConcordanceCorrCoef(PearsonCorrCoef):
    r"""Lin's concordance correlation, :math:`\frac{2 s_{xy}}{s_x^2 + s_y^2 + (\bar x - \bar y)^2}`.

    Args:
        num_outputs: D, as in :class:`PearsonCorrCoef`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    The variances are those of a sample, with N - 1. The value of the function is ``(D,)`` also for one output. Inputs,
    numeric error, gradients and errors are those of :class:`PearsonCorrCoef`.

    Example:
        >>> import torch
        >>> from fastmetrics import ConcordanceCorrCoef
        >>> ConcordanceCorrCoef()(torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0]))
        tensor(0.9777)
    """

    higher_is_better = True

    def _shaped(self, value: Tensor, row: tuple[int, ...]) -> Tensor:
        return value.reshape(-1)

    def _of_moments(self, moments: Tensor) -> Tensor:
        return self._result(formulas.concordance(moments))
