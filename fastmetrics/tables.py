# SPDX-License-Identifier: Apache-2.0
"""The columns of a table of counts, which statistics fill and formulas read.

A table has a row for each class or label. Its columns are

- of multiclass statistics, [..., C, 3]: true positives, predicted, actual; or [..., 1, 3], their sums over all classes;
- of binary statistics, [..., L, 4]: tp, fp, tn, fn.
"""

from __future__ import annotations

import torch
from torch import Tensor

# A difference of sums of weights that is at most this share of all weights is treated as rounding error.
ROUNDING = 1e-12


def outcomes(table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """tp, fp, tn, fn, [..., C] each, of the dtype of the table; every sample is a decision on every class."""
    if table.shape[-1] == 4:
        tp, fp, tn, fn = table.unbind(-1)
        return tp, fp, tn, fn
    tp, predicted, actual = table.unbind(-1)
    total = actual.sum(-1, keepdim=True)
    fp, fn = predicted - tp, actual - tp
    tn = total - predicted - fn
    if table.is_floating_point():
        fp, tn, fn = (torch.where(x.abs() > ROUNDING * total, x, 0.0) for x in (fp, tn, fn))
    return tp, fp, tn, fn


def overlap_and_sizes(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """tp, predicted and actual, [..., C] each, of a table [..., C, 3] or [..., C, 4]."""
    if table.shape[-1] == 3:
        tp, predicted, actual = table.unbind(-1)
        return tp, predicted, actual
    tp, fp, _, fn = table.unbind(-1)
    return tp, tp + fp, tp + fn


def of_two_classes(table: Tensor) -> Tensor:
    """The table of the classes 0 and 1, [..., 2, 3], from tp, fp, tn, fn of binary decisions [..., 4]."""
    tp, fp, tn, fn = table.unbind(-1)
    return torch.stack([torch.stack([tn, tn + fn, tn + fp], -1), torch.stack([tp, tp + fp, tp + fn], -1)], -2)
