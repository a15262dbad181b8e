# SPDX-License-Identifier: Apache-2.0
"""Statistics of the decisions of two models on the same samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.faults import record_faults
from fastmetrics.statistics.base import (
    Batch,
    Inputs,
    States,
    Statistics,
    as_labels,
    at_least_1d,
    in_parts,
    rows_in_parts,
)
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.multiclass import MulticlassStatistics
from fastmetrics.statistics.resampling import Resampling, cells


class PairedStatistics(Statistics):
    """How often each target and both decisions on it come together; the inputs are both ``preds`` and ``target``.

    ``pairs`` is int64 [C, C, C], by target and by the decisions of both; or [2, 2], by whether they are right.

    Args:
        each: how the decisions of one model are read.
        right_only: whether ``pairs`` is by whether decisions are right.
    """

    def __init__(self, each: BinaryStatistics | MulticlassStatistics, right_only: bool) -> None:
        self.each = each
        self.right_only = right_only
        self.validate = each.validate
        self.num_classes = 2 if isinstance(each, BinaryStatistics) else each.num_classes
        self.shapes = {"pairs": ((2, 2) if right_only else (self.num_classes or 1,) * 3, torch.int64)}

    def check(self, inputs: Inputs) -> None:
        """Raise as the statistics of one model do, for both."""
        first, second, target = inputs
        for preds in (first, second):
            self.each.check((preds, target))

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A mask; pairs have no weights."""
        if name == "weights":
            raise ValueError("Pairs of decisions have no `weights`: a weighted table has no distribution of draws.")
        return super().per_sample(name, values, inputs)

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Add a batch to ``states``, or to some rows of them, in PyTorch operations, some samples at a time."""
        inputs, _, valid = batch
        first, second, target = (at_least_1d(value) for value in inputs)
        assert first is not None
        assert second is not None
        assert target is not None
        if target.numel() == 0:
            return
        both = first, second
        kept = 4 * target.numel() // len(target)
        cutoffs: list[Tensor | None] = [None, None]
        if isinstance(self.each, BinaryStatistics):
            cutoffs = [self._cutoff(self.each, kept, preds, target, valid) for preds in both]
        if rows is not None and rows.dim() == 1:
            rows = rows.unsqueeze(-1)
        for (some, _, counted), of_some in rows_in_parts(kept, rows, ((*both, target), None, at_least_1d(valid))):
            true = as_labels(some[-1]).long()
            labels = [self._labels(preds, cutoff, true.dim()) for preds, cutoff in zip(some[:-1], cutoffs, strict=True)]
            self._count(states, labels, true, self._kept(true, counted), of_some)

    def _kept(self, target: Tensor, valid: Tensor | None) -> Tensor:
        """What is neither masked nor ignored."""
        seen = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
        ignore_index = self.each.ignore_index
        return seen if ignore_index is None else seen & (target != ignore_index)

    def _cutoff(
        self, each: BinaryStatistics, kept: int, preds: Tensor, target: Tensor, valid: Tensor | None
    ) -> Tensor | None:
        """The greatest score of a batch that is negative, float64 ``()``; None of labels."""
        if not preds.is_floating_point():
            return None
        outside = torch.zeros((), dtype=torch.bool, device=preds.device)
        for (scores, true), _, counted in in_parts(kept, ((preds, target), None, at_least_1d(valid))):
            out = ~((scores >= 0) & (scores <= 1))
            if each.ignored_decide:
                out = out if counted is None else out & counted
            else:
                out = out & self._kept(true, counted)
            outside = outside | out.any()
        probability, logit = (
            torch.full((), cut, dtype=torch.float64, device=preds.device) for cut in each._cutoffs_of(preds.dtype)
        )
        return torch.where(outside, logit, probability)

    def _labels(self, preds: Tensor, cutoff: Tensor | None, dims: int) -> Tensor:
        """The decisions of a model, int64 of the shape of the target."""
        if cutoff is not None:
            return (preds.double() > cutoff).long()
        return (preds.argmax(1) if preds.dim() > dims else as_labels(preds)).long()

    def _count(self, states: States, labels: list[Tensor], target: Tensor, kept: Tensor, rows: Tensor | None) -> None:
        c, counted = self.num_classes, kept
        for offset, values in ((0, target), (2, labels[0]), (2, labels[1])):
            if c is not None:
                bad = kept & ((values < 0) | (values >= c))
                record_faults(states.get("faults"), offset, bad, values)
                counted = counted & ~bad
        if self.right_only:
            first, second = (label == target for label in labels)
            place = 2 * first.long() + second.long()
        else:
            assert c is not None
            place = ((target * c + labels[0]) * c + labels[1]).masked_fill(~counted, 0)
        add_amounts(states["pairs"], rows, counted, place)

    def resampling(self, states: States, names: Sequence[str], how: str = "joint") -> Resampling | None:
        """The table is that of all samples."""
        return cells("pairs", states["pairs"])

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which labels were out of range."""
        return self.each.explain_fault(which, count, first)
