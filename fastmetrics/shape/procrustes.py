# SPDX-License-Identifier: Apache-2.0
"""Procrustes disparity."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.docstrings import Documented
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.procrustes import ProcrustesStatistics


class ProcrustesDisparity(Documented, StatisticMetric):
    """Squared distance of two clouds of points after the best translation, scaling and rotation of one of them.

    Both clouds are moved to a mean of 0 and scaled to a norm of 1, and the second is then rotated or reflected and
    scaled to lie nearest to the first, as in ``scipy.spatial.procrustes``; in float64. The sum over pairs of clouds is
    the state.

    Args:
        reduction: over pairs of clouds, ``mean`` or ``sum``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        point_cloud1: N clouds of M points of D dimensions, ``(N, M, D)`` of a floating type.
        point_cloud2: the same.
        weights: ``(N,)`` of any real dtype: what a pair counts instead of 1; finite and at least 0.
        valid: bool ``(N,)``: a pair that is not valid is not counted.

    Returns:
        float32 scalar (or what ``set_dtype`` says), of a pair in [0, 1]; NaN without pairs, or if all points of a cloud
        are the same or one is not finite.

    Raises:
        ValueError: an argument or a shape that does not fit, or clouds that are no floats.
        RuntimeError: inputs of different shape or device.
    """

    is_differentiable = False
    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    example_batch = (
        "torch.tensor([[[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]]), torch.tensor([[[5.0, 5.0], [5.0, 9.0], [3.0, 5.5]]])"
    )
    example = {"": "0.0082", 'reduction="sum"': "0.0082"}

    def __init__(self, reduction: str = "mean", **kwargs: Any) -> None:
        if reduction not in ("mean", "sum"):
            raise ValueError(f"Argument `reduction` must be one of ['mean', 'sum'], got {reduction}")
        super().__init__(ProcrustesStatistics(), **kwargs)
        self.reduction = reduction

    def inputs(
        self, point_cloud1: Tensor, point_cloud2: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See the class."""
        return (point_cloud1, point_cloud2), weights, valid

    def formula(self, measures: Tensor, total: Tensor) -> Tensor:
        """From the sum over pairs and their number."""
        return (measures / total if self.reduction == "mean" else measures).to(self._dtype, copy=True)
