# SPDX-License-Identifier: Apache-2.0
"""Agreement of several raters."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.formulas import association as formulas
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.nominal import RatingStatistics


class FleissKappa(StatisticMetric):
    r"""Fleiss' kappa, :math:`(\bar p - \bar p_e) / (1 - \bar p_e)`: agreement of raters beyond chance.

    Args:
        mode: ``counts`` reads how many raters chose each category, integers ``(N, K)``; ``probs`` reads scores
            ``(N, K, raters)`` f16, bf16, f32 or f64, whose argmax is the category that a rater chose.
        num_categories: K. None takes it from the first batch.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``weights`` and ``valid``, ``(N,)``, are those of subjects. The state is sums over subjects, float64, exact up to
    2^53. As in torchmetrics the most ratings of a subject are the number of raters, and the divisor has 1e-5 added.

    Returns:
        float32 scalar, at most 1.

    Raises:
        ValueError: a mode, a shape or a dtype that does not fit.
        RuntimeError: counts below 0, which are not counted.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import fleiss_kappa
        >>> from fastmetrics.nominal import FleissKappa
        >>> ratings = torch.tensor([[4, 0, 1], [0, 5, 0], [1, 1, 3], [0, 0, 5]])
        >>> FleissKappa(mode="counts")(ratings)
        tensor(0.5736)
        >>> fleiss_kappa(ratings)
        tensor(0.5736)
    """

    is_differentiable = False
    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, mode: str = "counts", num_categories: int | None = None, **kwargs: Any) -> None:
        if mode not in ("counts", "probs"):
            raise ValueError("Argument ``mode`` must be one of 'counts' or 'probs'.")
        if num_categories is not None and (not isinstance(num_categories, int) or num_categories < 1):
            raise ValueError(
                f"Expected argument `num_categories` to be None or a positive integer, got {num_categories}"
            )
        super().__init__(RatingStatistics(num_categories, mode == "probs"), **kwargs)
        self.mode = mode
        self.num_categories = num_categories

    def inputs(  # type: ignore[override]
        self, ratings: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See the class."""
        return (ratings,), weights, valid

    def formula(self, categories: Tensor, squares: Tensor, subjects: Tensor, raters: Tensor) -> Tensor:
        """From float64 sums over subjects."""
        return formulas.fleiss_kappa(categories, squares, subjects, raters).float()
