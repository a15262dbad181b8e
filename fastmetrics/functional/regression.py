# SPDX-License-Identifier: Apache-2.0
"""Regression metrics as functions, made from their classes; ``regression.pyi`` lists them."""

from __future__ import annotations

from collections.abc import Iterator

from fastmetrics import regression
from fastmetrics.functional.forms import Function, functional, publish


def _all() -> Iterator[Function]:
    for cls in (getattr(regression, name) for name in vars(regression)["__all__"]):
        # those take every column of the input as an output
        columns = getattr(cls, "by_column", False) or hasattr(cls, "of_columns")
        yield functional(cls, without=("num_outputs",) if columns else (), value=getattr(cls, "of_columns", None))


publish(__name__, _all())
