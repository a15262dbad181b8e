# SPDX-License-Identifier: Apache-2.0
"""Correlations of ranks, which keep all samples."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import arguments
from fastmetrics.formulas.rank_correlation import kendall, spearman
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.buffers import PairBuffers

VARIANTS = ("a", "b", "c")
ALTERNATIVES = ("two-sided", "less", "greater")


class _RankCorrelation(StatisticMetric):
    is_differentiable = False
    plot_upper_bound = 1.0
    reads_values = True

    def __init__(self, num_outputs: int, floating: bool, **kwargs: Any) -> None:
        if not isinstance(num_outputs, int) or num_outputs < 1:
            raise ValueError(f"Expected argument `num_outputs` to be an int larger than 0, but got {num_outputs}")
        super().__init__(PairBuffers(num_outputs, floating), **kwargs)
        self.num_outputs = num_outputs

    def inputs(  # type: ignore[override]
        self, preds: Tensor, target: Tensor, valid: Tensor | None = None
    ) -> Batch:
        """What ``update`` reads.

        Args:
            preds: see the metric.
            target: see the metric.
            valid: bool ``(N,)``: a sample that is not valid is left out. The size of what is kept depends on it, so the
                update waits for the device.
        """
        return (preds, target), None, valid

    def _result(self, value: Tensor) -> Tensor:
        value = value.to(self._dtype)
        return value.squeeze(0) if self.num_outputs == 1 else value

    @classmethod
    def _columns(cls, preds: Tensor, target: Tensor, valid: Tensor | None, floating: bool) -> tuple[Tensor, Tensor]:
        """The valid samples of one batch, ``(N, D)``."""
        buffers = PairBuffers(preds.shape[1] if preds.dim() == 2 else 1, floating)
        buffers.check((preds, target))
        if valid is not None:
            valid = buffers.per_sample("valid", valid, (preds, target))
        kept = buffers.kept((preds, target), valid, None)
        return kept["preds"], kept["target"]


class SpearmanCorrCoef(_RankCorrelation):
    r"""Spearman's rank correlation, Pearson's correlation of the ranks; tied values share the mean of their ranks.

    Args:
        num_outputs: D. With one, inputs are ``(N,)`` and the value is a scalar; with more, ``(N, D)`` and ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs are of any floating dtype and kept in it, so that no two different values become ties. The value is computed
    in float64 and has the metric's dtype. It is 0 where all values of an input are the same, as in
    torchmetrics (SciPy has NaN there), and NaN where one is NaN.

    Raises:
        TypeError: inputs that are not floating.
        RuntimeError: inputs of different shape or device.
        ValueError: inputs that are not ``(N,)`` or ``(N, D)``.

    Example:
        >>> import torch
        >>> from fastmetrics import SpearmanCorrCoef
        >>> from fastmetrics.functional import spearman_corrcoef
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 1.0])
        >>> SpearmanCorrCoef()(preds, target)
        tensor(0.4000)
        >>> spearman_corrcoef(preds, target)
        tensor(0.4000)
    """

    higher_is_better = True
    plot_lower_bound = -1.0

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(num_outputs, floating=True, **kwargs)
        rank_zero_warn(
            "Metric `SpearmanCorrcoef` will save all targets and predictions in the buffer."
            " For large datasets, this may lead to large memory footprint."
        )

    def formula(self, preds: Tensor, target: Tensor) -> Tensor:
        """The correlation of each output."""
        return self._result(spearman(preds, target))

    @classmethod
    def of_columns(cls, options: tuple[()], preds: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Columns are outputs, and the value is float32."""
        return _of_outputs(spearman(*cls._columns(preds, target, valid, floating=True)), preds)


class KendallRankCorrCoef(_RankCorrelation):
    r"""Kendall's rank correlation: how many more pairs of samples are ordered alike in both inputs than otherwise.

    With C concordant and D discordant pairs of n samples, :math:`T_x` and :math:`T_y` that are tied in either input,

    .. math::
        \tau_a = \frac{C - D}{C + D}, \quad
        \tau_b = \frac{C - D}{\sqrt{(P - T_x) (P - T_y)}}, \quad P = \frac{n (n - 1)}{2}, \quad
        \tau_c = \frac{2 (C - D)}{n^2 (m - 1) / m}

    where m is the lesser number of different values of an input.

    Args:
        variant: ``a``, ``b`` or ``c``.
        t_test: whether the value is ``(tau, p)``, with the p-value of the hypothesis that there is no association, from
            the normal distribution that C - D approaches.
        alternative: ``two-sided``, ``less`` or ``greater``: what tau is if that hypothesis is wrong.
        num_outputs: D. With one, inputs are ``(N,)`` and values are scalars; with more, ``(N, D)`` and ``(D,)``.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs are of any real dtype. Pairs are counted exactly, in O(n log n) time and O(n) memory; values are computed in
    float64 and have the metric's dtype. NaN where an input has one, or where all values of an input are the same.

    Raises:
        RuntimeError: inputs of different shape or device.
        ValueError: an argument that is none of the above; inputs that are not ``(N,)`` or ``(N, D)``.

    Source: W. R. Knight, A computer method for calculating Kendall's tau with ungrouped data, 1966; variance of the
    p-value with ties: M. G. Kendall, Rank Correlation Methods, 1970.

    Example:
        >>> import torch
        >>> from fastmetrics import KendallRankCorrCoef
        >>> from fastmetrics.functional import kendall_rank_corrcoef
        >>> preds, target = torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 1.0])
        >>> KendallRankCorrCoef()(preds, target)
        tensor(0.3333)
        >>> kendall_rank_corrcoef(preds, target, t_test=True)
        (tensor(0.3333), tensor(0.4969))
    """

    higher_is_better = None
    plot_lower_bound = 0.0

    def __init__(
        self,
        variant: str = "b",
        t_test: bool = False,
        alternative: str | None = "two-sided",
        num_outputs: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_outputs, floating=False, **kwargs)
        check_kendall(variant, t_test, alternative)
        self.variant = variant
        self.alternative = alternative if t_test else None

    def formula(self, preds: Tensor, target: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Tau of each output, and its p-value."""
        tau, p = kendall(preds, target, self.variant, self.alternative)
        return self._result(tau) if p is None else (self._result(tau), self._result(p))

    @classmethod
    def of_columns(
        cls, options: tuple[str, bool, str | None], preds: Tensor, target: Tensor, valid: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Columns are outputs, and the value is float32."""
        variant, t_test, alternative = options
        check_kendall(*options)
        columns = cls._columns(preds, target, valid, floating=False)
        tau, p = kendall(*columns, variant, alternative if t_test else None)
        return _of_outputs(tau, preds) if p is None else (_of_outputs(tau, preds), _of_outputs(p, preds))


def check_kendall(variant: str, t_test: bool, alternative: str | None) -> None:
    """Raise ``ValueError`` if an argument of Kendall's tau is wrong."""
    arguments.one_of("variant", variant, VARIANTS)
    if not isinstance(t_test, bool):
        raise ValueError(f"Argument `t_test` is expected to be of a type `bool`, but got {type(t_test)}.")
    if t_test and alternative is None:
        raise ValueError("Argument `alternative` is required if `t_test=True` but got `None`.")
    if t_test:
        arguments.one_of("alternative", alternative, ALTERNATIVES)


def _of_outputs(value: Tensor, preds: Tensor) -> Tensor:
    value = value.to(torch.float32)
    return value.squeeze(0) if preds.dim() == 1 else value
