# SPDX-License-Identifier: Apache-2.0
"""The best matching of the rows and columns of a table."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def best_matching(table: Tensor) -> Tensor:
    """The greatest sum of cells of which no two share a row or a column, [] of the table's dtype.

    The Hungarian method by shortest augmenting paths, O(C³) in the worst case, on the CPU; exact for integers.

    Args:
        table: int64 or float64 [C, C], at least 0.

    Source:
        Crouse, On implementing 2D rectangular assignment algorithms, 2016.
    """
    gain = table.detach().cpu().numpy()
    cost = gain.max(initial=0) - gain
    size = len(cost)
    column_of = _assign(cost)
    matched = gain[np.arange(size), column_of].sum() if size else 0
    return torch.as_tensor(matched, dtype=table.dtype, device=table.device)


def _assign(cost: np.ndarray) -> np.ndarray:
    """The assignment of columns to rows that minimizes the sum: the column of each row, int64 [C].

    Args:
        cost: [C, C].
    """
    size = len(cost)
    row_price, column_price = np.zeros(size, cost.dtype), np.zeros(size, cost.dtype)
    column_of, row_of = np.full(size, -1), np.full(size, -1)
    unknown = np.iinfo(np.int64).max if cost.dtype.kind == "i" else np.inf
    for first in range(size):
        # the shortest path from row `first` to a free column; reduced costs, the lengths of its edges, are at least 0
        length = np.full(size, unknown, cost.dtype)
        before = np.full(size, -1)  # the row before each column on the path to it
        done = np.zeros(size, bool)
        row, so_far, path = first, cost.dtype.type(0), [first]
        while True:
            through = so_far + cost[row] - row_price[row] - column_price
            shorter = ~done & (through < length)
            length[shorter] = through[shorter]
            before[shorter] = row
            column = int(np.where(done, unknown, length).argmin())
            so_far = length[column]
            done[column] = True
            if row_of[column] < 0:
                break
            row = int(row_of[column])
            path.append(row)
        # prices change by the difference of a node's distance to that of the free column
        row_price[first] += so_far
        for other in path[1:]:
            row_price[other] += so_far - length[column_of[other]]
        column_price[done] -= so_far - length[done]
        while True:
            row = int(before[column])
            row_of[column] = row
            column, column_of[row] = int(column_of[row]), column
            if row == first:
                break
    return column_of
