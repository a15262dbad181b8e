# SPDX-License-Identifier: Apache-2.0
"""Metrics of the documents of one query as functions, made from their classes; ``retrieval.pyi`` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from fastmetrics import docstrings, retrieval
from fastmetrics.functional.evaluation import Options, metric
from fastmetrics.functional.forms import Function, functional, publish
from fastmetrics.retrieval.base import RetrievalMetric
from fastmetrics.retrieval.curve import RetrievalPrecisionRecallCurve

#: What says something of several queries.
_OF_QUERIES = ("empty_target_action", "ignore_index", "aggregation", "complete", "indexes", "weights")


def _of_query(cls: type[RetrievalMetric], name: str) -> Function:
    """The value of one query, for :func:`functional`."""
    names = tuple(n for n in docstrings.parameters(cls) if n not in (*_OF_QUERIES, "kwargs"))

    def value(options: Options, preds: Tensor, target: Tensor, valid: Tensor | None = None) -> Any:
        if not preds.numel():
            raise ValueError(f"{name}: `preds` and `target` must be non-empty and non-scalar tensors.")
        documents, curve = preds.numel(), issubclass(cls, RetrievalPrecisionRecallCurve)
        if curve and options[0] is None:
            options = documents, *options[1:]
        whole = metric(cls, name, (*names, "empty_target_action", "complete"), (*options, "neg", True))
        found = whole.evaluate(
            preds.reshape(-1), target.reshape(-1), valid=None if valid is None else valid.reshape(-1)
        )
        if not curve:
            return found.float()
        precision, recall, top_k = found
        return precision.float(), recall.float(), top_k.clamp(max=documents) if options[1] else top_k

    shown = "".join(
        f"    >>> {name}(preds, target{', ' if options else ''}{options})\n    {docstrings.printed(printed)}\n"
        for options, printed in cls.function_example.items()
    )
    value.__doc__ = (
        "``preds`` and ``target`` are those of one query, of any shape. It is 0 if the query has no value.\n\n"
        "Inputs:\n"
        "    preds: scores of a floating type, not empty.\n"
        f"Example:\n    >>> import torch\n    >>> from fastmetrics.functional.retrieval import {name}\n"
        f"    >>> preds, target = torch.tensor([0.2, 0.3, 0.5]), torch.tensor([True, False, True])\n{shown}"
    )
    return value


def _all() -> Iterator[Function]:
    for cls in (getattr(retrieval, name) for name in vars(retrieval)["__all__"]):
        if "function_name" in vars(cls):
            name = cls.function_name
            yield functional(cls, name, without=_OF_QUERIES, value=_of_query(cls, name))


publish(__name__, _all())
