# SPDX-License-Identifier: Apache-2.0
"""Association of two nominal variables, from their table [C, C], row = target; float64 [].

Rows and columns that are empty do not count. NaN where there is nothing to divide by.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.formulas.contingency import entropy, mutual_information, of_table


def cramers_v(table: Tensor, bias_correction: bool) -> Tensor:
    """Cramer's V."""
    phi_squared, rows, columns = _phi_squared(table, bias_correction)
    return (phi_squared / (torch.minimum(rows, columns) - 1)).sqrt().clamp(0.0, 1.0)


def tschuprows_t(table: Tensor, bias_correction: bool) -> Tensor:
    """Tschuprow's T."""
    phi_squared, rows, columns = _phi_squared(table, bias_correction)
    return (phi_squared / ((rows - 1) * (columns - 1)).sqrt()).sqrt().clamp(0.0, 1.0)


def pearsons_contingency_coefficient(table: Tensor) -> Tensor:
    """Pearson's contingency coefficient."""
    phi_squared, _, _ = _phi_squared(table, bias_correction=False)
    return (phi_squared / (1 + phi_squared)).sqrt().clamp(0.0, 1.0)


def theils_u(table: Tensor) -> Tensor:
    """Theil's U: how much of the prediction's entropy the target tells; 0 if there is none."""
    contingency = of_table(table)
    if contingency.preds.numel() <= 1:
        return contingency.preds.new_zeros(())
    return mutual_information(contingency) / entropy(contingency.preds)


def _phi_squared(table: Tensor, bias_correction: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Chi-squared over the number of samples, and the numbers of rows and columns; float64 [] each.

    With ``bias_correction``, Yates' correction of a table of 2 x 2, and Bergsma's of all three; NaN where that leaves
    no row or column to compare.
    """
    table = table.double()
    of_rows, of_columns = table.sum(1), table.sum(0)
    total = table.sum()
    rows, columns = (of_rows != 0).sum().double(), (of_columns != 0).sum().double()
    expected = torch.outer(of_rows, of_columns) / total
    degrees = (rows - 1) * (columns - 1)
    off = (table - expected).abs()
    if bias_correction:
        off = torch.where(degrees == 1, (off - 0.5).clamp(min=0.0), off)
    phi_squared = torch.where(expected > 0, off.square() / expected, 0.0).sum() / total
    phi_squared = torch.where((degrees == 0) & (total > 0), 0.0, phi_squared)
    if bias_correction:
        phi_squared = (phi_squared - degrees / (total - 1)).clamp(min=0.0)
        rows, columns = (n - (n - 1).square() / (total - 1) for n in (rows, columns))
        phi_squared = torch.where(torch.minimum(rows, columns) == 1, torch.nan, phi_squared)
    return phi_squared, rows, columns


def fleiss_kappa(categories: Tensor, squares: Tensor, subjects: Tensor, raters: Tensor) -> Tensor:
    """Fleiss' kappa, with the 1e-5 that torchmetrics adds to the divisor.

    Args:
        categories: float64 [K], ratings of each category.
        squares: float64 [], sum of the squared numbers of ratings that a subject has of a category.
        subjects: float64 [].
        raters: float64 [], the most ratings of a subject.
    """
    agreement = (squares / subjects - raters) / (raters * (raters - 1))
    by_chance = (categories / (subjects * raters)).square().sum()
    return (agreement - by_chance) / (1 - by_chance + 1e-5)
