# SPDX-License-Identifier: Apache-2.0
"""Metrics of nominal variables as functions. Categories may be any numbers here: they are found in the data."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastmetrics import nominal
from fastmetrics.native.transforms import each_sample
from fastmetrics.nominal.association import replacement


def cramers_v(
    preds: Tensor,
    target: Tensor,
    bias_correction: bool = True,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """The value of :class:`~fastmetrics.nominal.CramersV` for one batch."""
    options = (bias_correction, nan_strategy, nan_replace_value)
    return _value(nominal.CramersV, options, preds, target, weights, valid)


def tschuprows_t(
    preds: Tensor,
    target: Tensor,
    bias_correction: bool = True,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """The value of :class:`~fastmetrics.nominal.TschuprowsT` for one batch."""
    options = (bias_correction, nan_strategy, nan_replace_value)
    return _value(nominal.TschuprowsT, options, preds, target, weights, valid)


def pearsons_contingency_coefficient(
    preds: Tensor,
    target: Tensor,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """The value of :class:`~fastmetrics.nominal.PearsonsContingencyCoefficient` for one batch."""
    options = (nan_strategy, nan_replace_value)
    return _value(nominal.PearsonsContingencyCoefficient, options, preds, target, weights, valid)


def theils_u(
    preds: Tensor,
    target: Tensor,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """The value of :class:`~fastmetrics.nominal.TheilsU` for one batch."""
    return _value(nominal.TheilsU, (nan_strategy, nan_replace_value), preds, target, weights, valid)


def fleiss_kappa(
    ratings: Tensor, mode: str = "counts", *, weights: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """The value of :class:`~fastmetrics.nominal.FleissKappa` for one batch."""
    metric = nominal.FleissKappa(mode, ratings.shape[1] if ratings.dim() > 1 else None)
    return metric.evaluate(ratings, weights, valid)  # type: ignore[no-any-return]


def cramers_v_matrix(
    matrix: Tensor,
    bias_correction: bool = True,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
) -> Tensor:
    """Cramer's V of each pair of the columns of ``matrix`` [N, V]: float32 [V, V] with ones on the diagonal.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.nominal import cramers_v_matrix
        >>> matrix = torch.tensor([[0, 0, 1], [1, 1, 0], [2, 2, 0], [0, 0, 1], [1, 2, 1], [2, 1, 1], [0, 0, 0]])
        >>> cramers_v_matrix(matrix, bias_correction=False)
        tensor([[1.0000, 0.7071, 0.1667],
                [0.7071, 1.0000, 0.1667],
                [0.1667, 0.1667, 1.0000]])
    """
    return _matrix(nominal.CramersV, (bias_correction, nan_strategy, nan_replace_value), matrix)


def tschuprows_t_matrix(
    matrix: Tensor,
    bias_correction: bool = True,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
) -> Tensor:
    """Tschuprow's T of each pair of columns; see :func:`cramers_v_matrix`."""
    return _matrix(nominal.TschuprowsT, (bias_correction, nan_strategy, nan_replace_value), matrix)


def pearsons_contingency_coefficient_matrix(
    matrix: Tensor, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0
) -> Tensor:
    """Pearson's contingency coefficient of each pair of columns; see :func:`cramers_v_matrix`."""
    return _matrix(nominal.PearsonsContingencyCoefficient, (nan_strategy, nan_replace_value), matrix)


def theils_u_matrix(matrix: Tensor, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0) -> Tensor:
    """Theil's U of each ordered pair of columns: row ``preds``, column ``target``; see :func:`cramers_v_matrix`."""
    return _matrix(nominal.TheilsU, (nan_strategy, nan_replace_value), matrix, symmetric=False)


def _value(
    cls: type, options: tuple[Any, ...], preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None
) -> Tensor:
    """``cls(C, *options)`` of one batch whose categories are numbered first."""
    if preds.dim() == 2:
        preds = preds.argmax(1)
    if target.dim() == 2:
        target = target.argmax(1)
    if preds.dim() != target.dim() or preds.shape != target.shape:
        raise ValueError(
            "The `preds` and `target` should have the same shape, got `preds` with"
            f" shape={tuple(preds.shape)} and `target` with shape={tuple(target.shape)}."
        )
    return each_sample(partial(_of_categories, cls, options), preds, target, weights, valid)  # type: ignore[no-any-return]


def _of_categories(
    cls: type, options: tuple[Any, ...], preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None
) -> Tensor:
    """The value from categories ``[N]`` of any numbers."""
    category = replacement(*options[-2:])
    both = torch.stack([preds, target])
    if both.is_floating_point():
        missing = both.isnan()
        both = torch.where(missing, 0.0 if category is None else category, both)
        if category is None:
            kept = ~missing.any(0)
            valid = kept if valid is None else valid & kept
    categories, codes = both.unique(return_inverse=True)
    metric = cls(max(1, categories.numel()), *options)
    return metric.evaluate(codes[0], codes[1], weights, valid)  # type: ignore[no-any-return]


def _matrix(cls: type, options: tuple[Any, ...], matrix: Tensor, symmetric: bool = True) -> Tensor:
    return each_sample(partial(_of_columns, cls, options, symmetric), matrix)  # type: ignore[no-any-return]


def _of_columns(cls: type, options: tuple[Any, ...], symmetric: bool, matrix: Tensor) -> Tensor:
    variables = matrix.shape[1]
    values = torch.ones(variables, variables, device=matrix.device)
    for i, j in itertools.permutations(range(variables), 2):
        if symmetric and i > j:
            values[i, j] = values[j, i]
        else:
            values[i, j] = _value(cls, options, matrix[:, i], matrix[:, j], None, None)
    return values


__all__ = [
    "cramers_v",
    "cramers_v_matrix",
    "fleiss_kappa",
    "pearsons_contingency_coefficient",
    "pearsons_contingency_coefficient_matrix",
    "theils_u",
    "theils_u_matrix",
    "tschuprows_t",
    "tschuprows_t_matrix",
]
