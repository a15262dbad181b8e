# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

from torch import Tensor

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

def __getattr__(name: str) -> Any: ...
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
    r"""Cramer's V, :math:`\sqrt{(\chi^2 / n) / \min(r - 1, k - 1)}`, of two nominal variables."""

def cramers_v_matrix(
    matrix: Tensor, bias_correction: bool = True, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0
) -> Tensor:
    """The value of :func:`~fastmetrics.functional.nominal.cramers_v` for each pair of columns."""

def fleiss_kappa(
    ratings: Tensor, mode: str = "counts", *, weights: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    r"""Fleiss' kappa, :math:`(\bar p - \bar p_e) / (1 - \bar p_e)`: agreement of raters beyond chance."""

def pearsons_contingency_coefficient(
    preds: Tensor,
    target: Tensor,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Pearson's contingency coefficient, :math:`\sqrt{\chi^2 / (n + \chi^2)}`, of two nominal variables."""

def pearsons_contingency_coefficient_matrix(
    matrix: Tensor, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0
) -> Tensor:
    """The value of :func:`~fastmetrics.functional.nominal.pearsons_contingency_coefficient` for each pair of columns."""

def theils_u(
    preds: Tensor,
    target: Tensor,
    nan_strategy: str = "replace",
    nan_replace_value: float | None = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Theil's U, :math:`(H(P) - H(P | T)) / H(P)`: the share of the entropy of ``preds`` that ``target`` explains."""

def theils_u_matrix(matrix: Tensor, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0) -> Tensor:
    """The value of :func:`~fastmetrics.functional.nominal.theils_u` for each pair of columns."""

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
    r"""Tschuprow's T, :math:`\sqrt{(\chi^2 / n) / \sqrt{(r - 1) (k - 1)}}`, of two nominal variables."""

def tschuprows_t_matrix(
    matrix: Tensor, bias_correction: bool = True, nan_strategy: str = "replace", nan_replace_value: float | None = 0.0
) -> Tensor:
    """The value of :func:`~fastmetrics.functional.nominal.tschuprows_t` for each pair of columns."""
