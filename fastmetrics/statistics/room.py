# SPDX-License-Identifier: Apache-2.0
"""Room behind the samples that are kept, for small batches that follow."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fastmetrics import tensors

SMALL = 1 << 10  # elements of a batch that goes to a room
LEAST, MOST = 1 << 10, 1 << 14  # elements of a room


class Room:
    """The last tensor of each of some lists, and memory behind its rows.

    Such a tensor grows in place, which whoever has it sees: it must not grow any more once it was given away, and not
    when it is no longer the last one.

    Args:
        dtypes: by the names of the lists.
        columns: of each tensor.
        rows: how many there is memory for.
        device: where.
    """

    __slots__ = ("columns", "dtype", "names", "rows", "tensors", "used")

    def __init__(self, dtypes: Mapping[str, torch.dtype], columns: int, rows: int, device: torch.device) -> None:
        self.names = tuple(dtypes)
        self.columns = columns
        self.rows = rows
        self.used = 0
        self.dtype = dtypes[self.names[0]]
        with tensors.ordinary():
            empty = [torch.empty(rows, columns, dtype=dtype, device=device) for dtype in dtypes.values()]
            self.tensors = tuple(tensor.resize_(0, columns) for tensor in empty)

    def grow(self, rows: int) -> tuple[Tensor, ...]:
        """The tensors with so many rows more, or fewer if it is negative."""
        self.used += rows
        for tensor in self.tensors:
            tensor.resize_(self.used, self.columns)
        return self.tensors
