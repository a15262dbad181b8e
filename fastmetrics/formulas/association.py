# SPDX-License-Identifier: Apache-2.0
"""Association of two nominal variables, from their contingency table [C, C], row = target; float64 [].

Empty rows and columns do not count. A quotient with a divisor of 0 is NaN.
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
    """Theil's U, the share of the prediction's entropy that the target explains; 0 if the entropy is 0."""
    contingency = of_table(table)
    if contingency.preds.numel() <= 1:
        return contingency.preds.new_zeros(())
    return mutual_information(contingency) / entropy(contingency.preds)


def _phi_squared(table: Tensor, bias_correction: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Chi-squared divided by the number of samples, and the numbers of rows and columns; float64 [] each.

    With ``bias_correction``, chi-squared of a 2 x 2 table has Yates' correction and all three have Bergsma's;
    chi-squared is NaN if that leaves a single row or column.
    """
    table = table.double()
    row_sums, column_sums = table.sum(1), table.sum(0)
    total = table.sum()
    rows, columns = (row_sums != 0).sum().double(), (column_sums != 0).sum().double()
    expected = torch.outer(row_sums, column_sums) / total
    degrees = (rows - 1) * (columns - 1)
    deviation = (table - expected).abs()
    if bias_correction:
        deviation = torch.where(degrees == 1, (deviation - 0.5).clamp(min=0.0), deviation)
    phi_squared = torch.where(expected > 0, deviation.square() / expected, 0.0).sum() / total
    phi_squared = torch.where((degrees == 0) & (total > 0), 0.0, phi_squared)
    if bias_correction:
        phi_squared = (phi_squared - degrees / (total - 1)).clamp(min=0.0)
        rows, columns = (n - (n - 1).square() / (total - 1) for n in (rows, columns))
        phi_squared = torch.where(torch.minimum(rows, columns) == 1, torch.nan, phi_squared)
    return phi_squared, rows, columns


def fleiss_kappa(categories: Tensor, squares: Tensor, subjects: Tensor, raters: Tensor) -> Tensor:
    """Fleiss' kappa, with the 1e-5 that torchmetrics adds to the divisor.

    Args:
        categories: float64 [K], number of ratings of each category.
        squares: float64 [], sum over subjects and categories of the squared number of ratings.
        subjects: float64 [], number of subjects.
        raters: float64 [], greatest number of ratings of a subject.
    """
    agreement = (squares / subjects - raters) / (raters * (raters - 1))
    by_chance = (categories / (subjects * raters)).square().sum()
    return (agreement - by_chance) / (1 - by_chance + 1e-5)
