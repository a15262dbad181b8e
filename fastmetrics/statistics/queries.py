# SPDX-License-Identifier: Apache-2.0
"""Statistics of documents that were scored for queries."""

from __future__ import annotations

import math
import struct
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native import transforms
from fastmetrics.passes import keep_documents_, query_sums_
from fastmetrics.passes.queries import Asked, Measured, rows_of
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, same_device
from fastmetrics.statistics.decisions import ignored

#: Measures of relevance above 1.
GRADED = ("normalized_dcg",)
COUNTS = ("queries", "without_relevant", "without_irrelevant")


class _OfQueries(Statistics):
    """What both kinds check and say."""

    by_groups = False
    instead_of_groups = "A query is in one group or another as a whole: `per_query()` has its value and id."
    ignore_index: int | None

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` on a wrong shape or dtype, ``RuntimeError`` on different devices."""
        preds, target = inputs[:2]
        shapes = ", ".join(str(tuple(value.shape)) for value in inputs)
        if preds.shape != target.shape:
            raise ValueError(f"`preds` and `target` must be of the same shape, but got {shapes}.")
        if preds.dim() == 0:
            raise ValueError("`preds` and `target` must be non-scalar tensors.")
        if not preds.is_floating_point():
            raise ValueError(f"`preds` must be a tensor of floats, but got {preds.dtype}.")
        if target.is_complex():
            raise ValueError(f"`target` must be a tensor of booleans, integers or floats, but got {target.dtype}.")
        same_device(preds, target)
        if len(inputs) == 2:
            if preds.dim() > 2:
                raise ValueError(f"Without `indexes`, a query is a row of `preds` (Q, D), but got {shapes}.")
            return
        indexes = inputs[2]
        if indexes.shape not in (preds.shape, preds.shape[:1]):
            raise ValueError(
                f"`indexes`, `preds` and `target` must be of the same shape, or `indexes` of one for each row, but got"
                f" {tuple(indexes.shape)}, {shapes}."
            )
        if indexes.dtype != torch.int64:
            raise ValueError(f"`indexes` must be a tensor of long integers, but got {indexes.dtype}.")
        same_device(preds, indexes)

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """Of each document, or of each row of them."""
        return super().per_sample(name, values, inputs[:2])

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which relevance was out of range, or which scores were NaN."""
        if which == "preds":
            return f"`preds` had {count} NaN, the first at place {first} of the batch"
        (value,) = struct.unpack("d", struct.pack("q", first))
        rule = "`binary` values, from 0 to 1" if math.isfinite(value) and value > 1 else "finite values of at least 0"
        return f"`target` must contain {rule}, but {count} were not, the first is {value:g}"


class QueryDocuments(_OfQueries):
    """All documents, 16 bytes each: the batches of a query may be anywhere.

    ``indexes`` int64 [N]: the query. ``preds`` float32 [N]: the score, NaN for a document that does not count.
    ``target`` float32 [N]: the relevance. Of documents with weights also ``weight_indexes`` int64 [W], the query, and
    ``weights`` float64 [W].

    Args:
        ignore_index: a relevance that is skipped.
        asked: what is made of them, and how. It changes nothing of what is kept: one walk over the documents serves
            all that is asked for in the same way.
    """

    samplewise = True
    shapes = {
        "indexes": ((), torch.int64),
        "preds": ((), torch.float32),
        "target": ((), torch.float32),
        "weight_indexes": ((), torch.int64),
        "weights": ((), torch.float64),
    }

    def __init__(self, ignore_index: int | None, asked: dict[Measured, tuple[Asked, ...]]) -> None:
        self.ignore_index = ignore_index
        self.asked = asked

    @property
    def binary(self) -> bool:
        """Whether relevance above 1 is out of range."""
        return any(each.measure not in GRADED for asked in self.asked.values() for each in asked)

    @property
    def key(self) -> Any:
        """Which documents are skipped."""
        return self.ignore_index, type(self.ignore_index)

    def _joined(self, other: Any) -> Statistics:
        """For all that is asked for."""
        ways = [*self.asked, *other.asked]
        self.asked = {how: tuple(dict.fromkeys((*self.asked.get(how, ()), *other.asked.get(how, ())))) for how in ways}
        return self

    def of_batch(self, batch: Batch, faults: Tensor | None, like: States | None = None) -> dict[str, Tensor]:
        """The documents of a batch, in tensors of their own."""
        inputs, weights, valid = batch
        preds, target, indexes = inputs
        n = preds.numel()
        if indexes.dim() < preds.dim():
            indexes = indexes.unsqueeze(-1).expand(-1, n // max(1, len(indexes)))
        kept = {
            "indexes": indexes.reshape(-1).clone(),
            "preds": torch.empty(n, device=preds.device),
            "target": torch.empty(n, device=preds.device),
        }
        keep_documents_(
            *_in_rows(preds.detach(), target, valid, weights),
            kept["preds"],
            kept["target"],
            faults,
            *ignored(self.ignore_index),
            self.binary,
        )
        if weights is None:
            kept["weight_indexes"] = kept["indexes"].new_empty(0)
            kept["weights"] = kept["preds"].new_empty(0, dtype=torch.float64)
        else:
            kept["weight_indexes"] = kept["indexes"].clone()
            kept["weights"] = torch.where(kept["preds"].isnan(), 0.0, weights.reshape(-1))
        return kept

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """There is nothing to add to."""
        raise NotImplementedError("documents are appended, not added")


class QuerySums(_OfQueries):
    """Sums over queries, each of which is whole within its batch; float64.

    A measure ``[K]``: the sum of its values at each k, see :func:`fastmetrics.passes.queries.query_values_body`.
    ``queries`` []: how many there are. ``without_relevant`` [] and ``without_irrelevant`` []: of them, those none of
    whose documents are relevant, and all of whose are; the measures of these are 0.

    Args:
        asked: the measures wanted.
        how: how they are measured.
        ignore_index: a relevance that is skipped.
    """

    weights_in_place = True

    def __init__(self, asked: tuple[Asked, ...], how: Measured, ignore_index: int | None) -> None:
        self.asked = asked
        self.how = how
        self.ignore_index = ignore_index
        self.shapes = {each.measure: ((len(each.ks),), torch.float64) for each in asked}
        self.shapes.update(dict.fromkeys(COUNTS, ((), torch.float64)))

    @property
    def key(self) -> Any:
        """How queries are measured, and which documents are skipped."""
        return self.options_but("asked")

    def _joined(self, other: Any) -> Statistics | None:
        """For all measures; None if one is wanted at other numbers of documents."""
        self.asked = tuple(dict.fromkeys(self.asked + other.asked))
        return self if len({each.measure for each in self.asked}) == len(self.asked) else None

    @property
    def binary(self) -> bool:
        """Whether relevance above 1 is out of range."""
        return any(each.measure not in GRADED for each in self.asked)

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Measure the queries of a batch, and add them to ``states``."""
        inputs, weights, valid = batch
        preds, target, *indexes = inputs
        scores, relevance, kept, amounts = _in_rows(preds.detach(), target, valid, weights)
        measures, ks = rows_of(self.asked, preds.device)
        sums, counts = (
            transforms.like_inputs(preds.new_zeros(size, dtype=torch.float64), *inputs, valid, weights)
            for size in (len(ks), 3)
        )
        queries = indexes[0].reshape(-1).contiguous() if indexes else None
        if queries is not None and len(queries) < preds.numel():
            queries = queries.repeat_interleave(preds.numel() // len(queries), output_size=preds.numel())
        given = scores, relevance, queries, kept, amounts, measures, ks, sums, counts, states.get("faults")
        query_sums_(*given, *self.how.options, *ignored(self.ignore_index), self.binary)
        names, sizes = zip(*((each.measure, len(each.ks)) for each in self.asked), strict=True)
        for name, value in zip((*names, *COUNTS), (*sums.split(sizes), *counts), strict=True):
            states[name].add_(value)


def _in_rows(preds: Tensor, *others: Tensor | None) -> list[Tensor | None]:
    """These as matrices, whose rows are views of what has rows."""
    shape = preds.shape[:1] if preds.dim() > 1 else (1,)
    size = preds.numel() // max(1, shape[0])
    return [None if value is None else value.reshape(*shape, size) for value in (preds, *others)]
