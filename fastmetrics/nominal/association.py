# SPDX-License-Identifier: Apache-2.0
"""Association of two nominal variables."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.docstrings import Documented
from fastmetrics.formulas import association as formulas
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.nominal import NominalStatistics

NAN_STRATEGIES = ["replace", "drop"]


def replacement(nan_strategy: str, nan_replace_value: float | None) -> float | None:
    """The category of a missing value, or None if the sample is skipped; ``ValueError`` on wrong options."""
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


class _Association(Documented, StatisticMetric):
    """A formula of the table of two variables; counts are int64 and all arithmetic is float64.

    Args:
        num_classes: C, the categories of either variable are 0 … C - 1.
        bias_correction: correct for the bias of small samples.
        nan_strategy: ``replace`` counts a missing value, NaN, as ``nan_replace_value``; ``drop`` skips the sample.
        nan_replace_value: a category.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        preds: categories ``(N,)`` of any integer type or as whole floats, or scores ``(N, K)`` whose argmax is the
            category.
        target: the same.
        weights: ``(N,)`` of any real dtype: what a sample counts instead of 1; finite and at least 0.
        valid: bool ``(N,)``: a sample that is not valid is not counted.

    Raises:
        ValueError: an option or a shape that does not fit.
        RuntimeError: inputs of different device; values that are no category.
    """

    reads_values = True  # categories that do not occur leave the table

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    example_batch = "torch.tensor([0, 0, 1, 1, 2, 2, 0, 1]), torch.tensor([0, 0, 1, 1, 2, 1, 0, 0])"
    example_options = "num_classes=3"

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
        """Of scores [N, K] the argmax is the category; those of ``preds`` with K = C are read as they are."""
        if target.dim() == 2:
            target = target.argmax(1)
        if preds.dim() == 2 and not (preds.is_floating_point() and preds.shape[1] == self.num_classes):
            preds = preds.argmax(1)
        return (preds, target), weights, valid

    @classmethod
    def of_any_categories(
        cls,
        options: tuple[Any, ...],
        preds: Tensor,
        target: Tensor,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Tensor:
        """Categories may be any numbers: they are found in the data, which waits for the device.

        Inputs:
            preds: categories ``(N,)`` of any real dtype, or scores ``(N, K)`` whose argmax is the category.
        """
        category = replacement(*options[-2:])
        preds, target = (values.argmax(1) if values.dim() == 2 else values for values in (preds, target))
        if preds.shape != target.shape:
            raise ValueError(
                "The `preds` and `target` should have the same shape, got `preds` with"
                f" shape={tuple(preds.shape)} and `target` with shape={tuple(target.shape)}."
            )
        both = torch.stack([preds, target])
        if both.is_floating_point():
            missing = both.isnan()
            both = torch.where(missing, 0.0 if category is None else category, both)
            if category is None:
                kept = ~missing.any(0)
                valid = kept if valid is None else valid & kept
        categories, codes = both.unique(return_inverse=True)
        return cls(max(1, categories.numel()), *options).evaluate(*codes, weights, valid)  # type: ignore[no-any-return]


class _Corrected(_Association):
    """An association that may be corrected for its bias."""

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

    Returns:
        float32 scalar in [0, 1]; NaN, with a warning if corrected, where a variable has one category or none.
    """

    example = {"bias_correction=False": "0.6872", "": "0.5110"}

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return self._warned(formulas.cramers_v(confusion, self.bias_correction), "Cramer's V")


class TschuprowsT(_Corrected):
    r"""Tschuprow's T, :math:`\sqrt{(\chi^2 / n) / \sqrt{(r - 1) (k - 1)}}`, of two nominal variables.

    Returns:
        float32 scalar in [0, 1]; NaN, with a warning if corrected, where a variable has one category or none.
    """

    example = {"bias_correction=False": "0.6872", "": "0.5110"}

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return self._warned(formulas.tschuprows_t(confusion, self.bias_correction), "Tschuprow's T")


class PearsonsContingencyCoefficient(_Association):
    r"""Pearson's contingency coefficient, :math:`\sqrt{\chi^2 / (n + \chi^2)}`, of two nominal variables.

    Returns:
        float32 scalar in [0, 1]; 0 where a variable has one category, NaN without samples.
    """

    example = {"": "0.6969"}

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return formulas.pearsons_contingency_coefficient(confusion).float()


class TheilsU(_Association):
    r"""Theil's U, :math:`(H(P) - H(P | T)) / H(P)`: the share of the entropy of ``preds`` that ``target`` explains.

    Returns:
        float32 scalar in [0, 1]; 0 where ``preds`` has one category or none.
    """

    example = {"": "0.5196"}

    def formula(self, confusion: Tensor) -> Tensor:
        """From int64 [C, C]."""
        return formulas.theils_u(confusion).float()
