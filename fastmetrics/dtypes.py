# SPDX-License-Identifier: Apache-2.0
"""The dtypes of values."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


def of_values(inputs: Iterable[Tensor]) -> torch.dtype:
    """The dtype that inputs promote to, or the default dtype if they are integers."""
    dtype = reduce(torch.promote_types, (value.dtype for value in inputs))
    return dtype if dtype.is_floating_point else torch.get_default_dtype()


def rounded(values: Any, dtype: torch.dtype | None) -> Any:
    """A tensor, or several in tuples, lists and dictionaries: those of float64 in this dtype, unless it is None."""
    if dtype is None:
        return values
    return pytree.tree_map(lambda value: value.to(dtype) if value.dtype == torch.float64 else value, values)
