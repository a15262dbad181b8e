# SPDX-License-Identifier: Apache-2.0
"""Association of two nominal variables."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas import association as formulas
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.nominal import NominalStatistics

NAN_STRATEGIES = ["replace", "drop"]


def replacement(nan_strategy: str, nan_replace_value: float | None) -> float | None:
    """The category that a missing value counts as, or None to skip the sample; ``ValueError`` on wrong options."""
    if nan_strategy not in NAN_STRATEGIES:
        raise ValueError(f"Argument `nan_strategy` is expected to be one of `{NAN_STRATEGIES}`, but got {nan_strategy}")
    if nan_strategy == "drop":
        return None
    if not isinstance(nan_replace_value, (float, int)):
        raise ValueError(
            "Argument `nan_replace` is expected to be of a type `int` or `float` when `nan_strategy = 'replace`, but"
            f" got {nan_replace_value}"
        )
    return float(nan_replace_value)


class _Association(StatisticMetric):
    """A formula of the contingency table of two variables.

    Args:
        num_classes: C: the categories of both variables are in [0, C).
        nan_strategy: ``replace`` counts a missing value, NaN, as ``nan_replace_value``; ``drop`` skips the sample.
        nan_replace_value: a category.
    """

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(
        self, num_classes: int, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0, **kwargs: Any
    ) -> None:
        if not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"Expected argument `num_classes` to be a positive integer, but got {num_classes}")
        super().__init__(NominalStatistics(num_classes, replacement(nan_strategy, nan_replace_value)), **kwargs)
        self.num_classes = num_classes
        self.nan_strategy = nan_strategy
        self.nan_replace_value = nan_replace_value

    def inputs(
        self, preds: Tensor, target: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """The category of scores [N, K] is their argmax; the pass takes it from ``preds`` with K = C itself."""
        if target.dim() == 2:
            target = target.argmax(1)
        if preds.dim() == 2 and not (preds.is_floating_point() and preds.shape[1] == self.num_classes):
            preds = preds.argmax(1)
        return (preds, target), weights, valid


class _Corrected(_Association):
    """An association that may be corrected for bias."""

    def __init__(
        self,
        num_classes: int,
        bias_correction: bool = True,
        nan_strategy: str = "replace",
        nan_replace_value: float | None = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, nan_strategy, nan_replace_value, **kwargs)
        self.bias_correction = bias_correction

    def _warned(self, value: Tensor, name: str) -> Tensor:
        if self.bias_correction and bool(value.isnan()):
            rank_zero_warn(
                f"Unable to compute {name} using bias correction. Please consider to set `bias_correction=False`."
            )
        return value.float()


class CramersV(_Corrected):
    r"""Cramer's V, :math:`\sqrt{(\chi^2 / n) / \min(r - 1, k - 1)}`, of two nominal variables.

    Args:
        num_classes: C.
        bias_correction: correct for the bias of small samples.
        nan_strategy: ``replace`` counts a missing value, NaN, as ``nan_replace_value``; ``drop`` skips the sample.
        nan_replace_value: a category.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` and ``target`` are categories ``(N,)`` in [0, C), of any integer type or as whole floats, or scores
    ``(N, K)`` whose argmax is the category. Counts are int64 and all arithmetic float64.

    Returns:
        float32 scalar in [0, 1]; NaN, with a warning if corrected, where a variable has one category or none.

    Raises:
        ValueError: an option or a shape that does not fit.
        RuntimeError: inputs of different device; values that are no category.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import cramers_v
        >>> from fastmetrics.nominal import CramersV
        >>> preds = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
        >>> target = torch.tensor([0, 0, 1, 1, 2, 1, 0, 0])
        >>> CramersV(num_classes=3, bias_correction=False)(preds, target)
        tensor(0.6872)
        >>> cramers_v(preds, target)
        tensor(0.5110)
    """

    def formula(self, confusion: Tensor) -> Tensor:
        """The value from the table int64 [C, C]."""
        return self._warned(formulas.cramers_v(confusion, self.bias_correction), "Cramer's V")


class TschuprowsT(_Corrected):
    r"""Tschuprow's T, :math:`\sqrt{(\chi^2 / n) / \sqrt{(r - 1) (k - 1)}}`, of two nominal variables.

    Arguments, input, result and errors are those of :class:`CramersV`.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import tschuprows_t
        >>> from fastmetrics.nominal import TschuprowsT
        >>> preds = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
        >>> target = torch.tensor([0, 0, 1, 1, 1, 1, 0, 0])
        >>> TschuprowsT(num_classes=3, bias_correction=False)(preds, target)
        tensor(0.6866)
        >>> tschuprows_t(preds, target)
        tensor(0.5867)
    """

    def formula(self, confusion: Tensor) -> Tensor:
        """The value from the table int64 [C, C]."""
        return self._warned(formulas.tschuprows_t(confusion, self.bias_correction), "Tschuprow's T")


class PearsonsContingencyCoefficient(_Association):
    r"""Pearson's contingency coefficient, :math:`\sqrt{\chi^2 / (n + \chi^2)}`, of two nominal variables.

    Arguments, input, result and errors are those of :class:`CramersV`, without the correction.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import pearsons_contingency_coefficient
        >>> from fastmetrics.nominal import PearsonsContingencyCoefficient
        >>> preds, target = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1]), torch.tensor([0, 0, 1, 1, 2, 1, 0, 0])
        >>> PearsonsContingencyCoefficient(num_classes=3)(preds, target)
        tensor(0.6969)
        >>> pearsons_contingency_coefficient(preds, target)
        tensor(0.6969)
    """

    def formula(self, confusion: Tensor) -> Tensor:
        """The value from the table int64 [C, C]."""
        return formulas.pearsons_contingency_coefficient(confusion).float()


class TheilsU(_Association):
    r"""Theil's U, :math:`(H(P) - H(P | T)) / H(P)`: the share of the entropy of ``preds`` that ``target`` explains.

    Arguments, input and errors are those of :class:`CramersV`, without the correction.

    Returns:
        float32 scalar in [0, 1]; 0 where ``preds`` has one category or none.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import theils_u
        >>> from fastmetrics.nominal import TheilsU
        >>> preds, target = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1]), torch.tensor([0, 0, 1, 1, 2, 1, 0, 0])
        >>> TheilsU(num_classes=3)(preds, target)
        tensor(0.5196)
        >>> theils_u(target, preds)
        tensor(0.5772)
    """

    def formula(self, confusion: Tensor) -> Tensor:
        """The value from the table int64 [C, C]."""
        return formulas.theils_u(confusion).float()
