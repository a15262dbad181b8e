# SPDX-License-Identifier: Apache-2.0
"""Deviances of distributions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.docstrings import documented
from fastmetrics.formulas import errors
from fastmetrics.regression.base import TargetsMetric
from fastmetrics.regression.errors import MeanSquaredError


@documented(MeanSquaredError)
class TweedieDevianceScore(TargetsMetric):
    """Mean deviance of a Tweedie distribution: 0 for normal, 1 for Poisson, 2 for gamma, 3 for inverse Gaussian.

    Args:
        power: of the distribution; not between 0 and 1.

    Inputs:
        preds: of any real dtype and any shape; greater than 0, unless ``power`` is 0.
        targets: of the same shape; at least 0 from a power of 1 on, and greater than 0 from 2 on.

    Returns:
        the mean over all pairs, of the metric's dtype; NaN without data. A deviance is the difference of terms as great
        as the target's own power; its absolute error is about 1e-15 of them.

    Raises:
        ValueError: a power between 0 and 1; a value outside of the domain, which is not counted: at once on the CPU,
            at ``compute`` or ``forward`` on other devices.
    """

    example = {"": "0.8750", "power=2": "0.0775"}

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
