# SPDX-License-Identifier: Apache-2.0
"""Deviances of distributions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.formulas import errors
from fastmetrics.regression.base import TargetsMetric


class TweedieDevianceScore(TargetsMetric):
    r"""Mean deviance of a Tweedie distribution: 0 for normal, 1 for Poisson, 2 for gamma, 3 for inverse Gaussian.

    Args:
        power: of the distribution; not between 0 and 1.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Every element of inputs of any shape is a pair; the value is a scalar. Unless ``power`` is 0, ``preds`` must be
    greater than 0; ``targets`` must be at least 0 from a power of 1 on and greater than 0 from 2 on. A deviance is the
    difference of terms as great as the target's own power, so its absolute error is about 1e-15 of them. Gradients are
    those of :class:`MeanSquaredError`.

    Raises:
        ValueError: a power between 0 and 1; a value outside of the domain, which is not counted: at once on the CPU,
            at ``compute`` or ``forward`` on other devices.
        RuntimeError: inputs of different shape or device; a weight that is negative, infinite or NaN.

    Example:
        >>> import torch
        >>> from fastmetrics import TweedieDevianceScore
        >>> TweedieDevianceScore(power=2)(torch.tensor([4.0, 3.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.2083)
    """

    higher_is_better = None

    def __init__(self, power: float = 0.0, **kwargs: Any) -> None:
        if 0 < power < 1:
            raise ValueError(f"Deviance Score is not defined for power={power}.")
        super().__init__({"deviance": float(power)}, **kwargs)
        self.power = power

    def formula(self, deviance: Tensor, **_: Tensor) -> Tensor:
        """The mean over the pairs in the domain."""
        return self._result(errors.mean_error(deviance[:, 0], deviance[:, 1]))

    def _report(self, faults: list[int], label: str) -> None:
        try:
            super()._report(faults, label)
        except RuntimeError as error:
            raise (ValueError if "for power=" in str(error) else RuntimeError)(str(error)) from None
