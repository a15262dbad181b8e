# SPDX-License-Identifier: Apache-2.0
"""Calibration of the greatest probabilities of tokens."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.calibration import calibration_error
from fastmetrics.statistics.tokens import TokenStatistics, states_of_bins
from fastmetrics.text.base import TokenMetric


class TokenCalibrationError(TokenMetric):
    r"""Calibration error of the greatest probability of each token: how far it is from how often its token is right.

    .. math::
        \text{l1} = \sum_b \frac{n_b}{n} |p_b - c_b| \qquad
        \text{l2} = \sqrt{\sum_b \frac{n_b}{n} (p_b - c_b)^2} \qquad
        \text{max} = \max_b |p_b - c_b|

    Of the :math:`n_b` tokens in bin :math:`b`, :math:`c_b` is the mean of their greatest probabilities and :math:`p_b`
    the share whose target has it; of equal logits the first one counts. Bins and norms are those of
    :class:`~fastmetrics.classification.MulticlassCalibrationError`, to whose value for the same logits this one is
    equal; a probability is the reciprocal of the sum of exponentials, which on the CPU has an error of up to about 1e-6
    for logits up to 32 bits, so one that is so near to an edge may lie in the bin beside it.
    Source: Kumar et al., Verified Uncertainty Calibration, NeurIPS 2019.

    Args:
        n_bins: number of bins of equal width in [0, 1].
        norm: ``l1`` is the expected, ``l2`` the root mean squared and ``max`` the greatest calibration error.

    Returns:
        a scalar; without tokens NaN for ``l1`` and 0 for the others, and NaN with a token whose logits have no softmax.
    """

    example = {"n_bins=2": "0.2748", 'n_bins=2, norm="max"': "0.3333"}

    def __init__(
        self,
        n_bins: int = 15,
        norm: str = "l1",
        ignore_index: int | None = None,
        *,
        shift: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(n_bins, int) or isinstance(n_bins, bool) or n_bins < 1:
            raise ValueError(f"Expected argument `n_bins` to be an integer larger than 0, but got {n_bins}")
        arguments.one_of("norm", norm, ("l1", "l2", "max"))
        super().__init__(TokenStatistics(n_bins=n_bins, ignore_index=ignore_index), ignore_index, shift, **kwargs)
        self.n_bins = n_bins
        self.norm = norm

    def value(self, **statistics: Tensor) -> Tensor:
        """The value, float64."""
        samples, confidences, hits = (statistics[name] for name in states_of_bins(self.n_bins))
        return calibration_error(samples, confidences, hits, self.norm)
