# SPDX-License-Identifier: Apache-2.0
"""Room behind the samples that are kept, for small batches that follow."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from fastmetrics import tensors

SMALL = 1 << 10  # elements of a batch that goes to a room
LEAST, MOST = 1 << 10, 1 << 18  # elements of a room


class Room:
    """The last tensor of each of some lists, and memory behind its rows.

    While it is open the tensors in the lists end where they ended before: :meth:`close` gives them the rows that were
    added, before anyone sees them. After that nothing is added.

    Args:
        dtypes: by the names of the lists.
        columns: of each tensor.
        rows: how many there is memory for.
        device: where.

    Attributes:
        tensors: for the lists.
        whole: all rows of each.
        used: rows that were added.
    """

    __slots__ = ("columns", "dtype", "names", "rows", "tensors", "used", "whole")

    def __init__(self, dtypes: Mapping[str, torch.dtype], columns: int, rows: int, device: torch.device) -> None:
        self.names = tuple(dtypes)
        self.columns = columns
        self.rows = rows
        self.used = 0
        self.dtype = dtypes[self.names[0]]
        with tensors.ordinary():
            self.whole = tuple(torch.empty(rows, columns, dtype=dtype, device=device) for dtype in dtypes.values())
            # of the same memory
            self.tensors = tuple(
                torch.empty(0, dtype=of.dtype, device=device).set_(of.untyped_storage(), 0, (0, columns), (columns, 1))
                for of in self.whole
            )

    def close(self) -> None:
        """Show all rows that were added."""
        for tensor in self.tensors:
            tensor.resize_(self.used, self.columns)
