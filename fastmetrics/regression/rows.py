# SPDX-License-Identifier: Apache-2.0
"""Metrics that reduce a figure of each row."""

from __future__ import annotations

from math import log
from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments, dtypes
from fastmetrics.docstrings import documented
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.passes.row_pairs import COSINE, JS, JS_LOG, KL, KL_LOG
from fastmetrics.statistics.base import Inputs, Statistics
from fastmetrics.statistics.ensembles import EnsembleStatistics
from fastmetrics.statistics.rows import RowStatistics

REDUCTIONS = ("mean", "sum", "none", None)


class _RowMetric(StatisticMetric):
    """The figures of rows, or their weighted sum or mean."""

    is_differentiable = True
    full_state_update = False

    def __init__(self, statistics: Statistics, reduction: str | None, **kwargs: Any) -> None:
        super().__init__(statistics, **kwargs)
        self.reduction = reduction

    def formula(self, measures: Tensor, total: Tensor | None = None) -> Tensor:
        """The figures, their sum or their mean."""
        value = measures if total is None or self.reduction == "sum" else measures / total
        return value.to(self._dtype, copy=True)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return dtypes.of_values(inputs)


@documented()
class CosineSimilarity(_RowMetric):
    r"""Cosine of the angle between each pair of rows, :math:`x \cdot y / (|x| |y|)`.

    Rows and their cosines are summed in float64: the error of a cosine is about 1e-15 before it is rounded to the
    metric's dtype.

    Args:
        reduction: over the rows: ``sum``, ``mean``, or ``none`` or None for the cosine of each.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        preds: ``(N, D)`` of any real dtype. Gradients flow through ``forward`` and the functional form.
        target: the same.
        weights: ``(N,)`` of any real dtype: what a row counts instead of 1; finite and at least 0. There are none
            without a reduction.
        valid: bool ``(N,)``: a row that is not valid is not counted; without a reduction it is NaN.

    Returns:
        a scalar, or ``(N,)`` without a reduction; NaN where a row is zero.

    Raises:
        ValueError: inputs that are not ``(N, D)``; another ``reduction``.
        RuntimeError: inputs of different shape or device.
    """

    example_batch = "torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])"
    example = {"": "1.7071", "reduction=None": "[1.0000, 0.7071]"}

    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(self, reduction: str | None = "sum", **kwargs: Any) -> None:
        arguments.one_of("reduction", reduction, REDUCTIONS)
        statistics = RowStatistics(COSINE, ("preds", "target"), samplewise=reduction not in ("mean", "sum"))
        super().__init__(statistics, reduction, **kwargs)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return torch.promote_types(super()._function_dtype(inputs), torch.float32)


class _Divergence(_RowMetric):
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, figures: tuple[int, int], log_prob: bool, reduction: str | None, **kwargs: Any) -> None:
        if not isinstance(log_prob, bool):
            raise TypeError(f"Expected argument `log_prob` to be bool but got {log_prob}")
        arguments.one_of("reduction", reduction, REDUCTIONS)
        statistics = RowStatistics(figures[log_prob], ("p", "q"), samplewise=reduction not in ("mean", "sum"))
        super().__init__(statistics, reduction, **kwargs)
        self.log_prob = log_prob

    def inputs(self, p: Tensor, q: Tensor, weights: Tensor | None = None, valid: Tensor | None = None) -> Batch:
        """What ``update`` reads.

        Args:
            p: see the metric.
            q: see the metric.
            weights: ``(N,)`` of any real dtype: what a row counts instead of 1; finite and at least 0.
            valid: bool ``(N,)``: a row that is not valid is not counted.
        """
        return (p, q), weights, valid


@documented(CosineSimilarity)
class KLDivergence(_Divergence):
    r"""Kullback-Leibler divergence of each pair of rows, :math:`\sum_i p_i \log (p_i / q_i)`.

    What is impossible under ``p`` (0, or a logarithm of -inf) adds nothing; what is impossible under ``q`` alone makes
    the divergence infinite. Rows and their divergences are summed in float64.

    Args:
        log_prob: whether rows are logarithms of probabilities; probabilities are divided by their sum.
        reduction: over the rows: ``mean``, ``sum``, or ``none`` or None for the divergence of each.

    Inputs:
        p: ``(N, D)`` of any real dtype, the distribution of the data. Gradients flow through ``forward`` and the
            functional form.
        q: the same, the distribution that approximates it.

    Returns:
        a scalar, or ``(N,)`` without a reduction.

    Raises:
        TypeError: ``log_prob`` is no bool.
    """

    example_batch = "torch.tensor([[0.36, 0.48, 0.16]]), torch.tensor([[1 / 3, 1 / 3, 1 / 3]])"
    example = {"": "0.0853"}

    def __init__(self, log_prob: bool = False, reduction: str | None = "mean", **kwargs: Any) -> None:
        super().__init__((KL, KL_LOG), log_prob, reduction, **kwargs)


@documented(KLDivergence)
class JensenShannonDivergence(_Divergence):
    """Jensen-Shannon divergence of each pair of rows: the mean of the divergences of both from their middle.

    Rows and their divergences are summed in float64.

    Inputs:
        p: ``(N, D)`` of any real dtype. Gradients flow through ``forward`` and the functional form.
        q: the same.
    """

    example = {"": "0.0225"}

    plot_upper_bound = log(2)

    def __init__(self, log_prob: bool = False, reduction: str | None = "mean", **kwargs: Any) -> None:
        super().__init__((JS, JS_LOG), log_prob, reduction, **kwargs)


@documented(CosineSimilarity)
class ContinuousRankedProbabilityScore(_RowMetric):
    r"""Mean of :math:`\int (F(x) - 1_{x \geq y})^2 dx` over the rows, F the distribution of an ensemble of predictions.

    The score of a row is the mean distance of its members from the target, less half the mean distance between members,
    computed in float64 in O(M log M) time and O(M) memory.

    Inputs:
        preds: ``(N, M)`` of any real dtype, M members of an ensemble.
        target: ``(N,)`` of any real dtype.
        weights: ``(N,)`` of any real dtype: what a row counts instead of 1; finite and at least 0.
        valid: bool ``(N,)``: a row that is not valid is not counted.

    Returns:
        a scalar; NaN without data.

    Raises:
        ValueError: fewer than two members; other shapes.
        RuntimeError: batch sizes or devices that differ.
    """

    example_batch = "torch.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]), torch.tensor([2.0, 0.0])"
    example = {"": "0.3889"}

    is_differentiable = False
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(EnsembleStatistics(), "mean", **kwargs)
