# SPDX-License-Identifier: Apache-2.0
"""Statistics of binary scores, or 0/1 labels, and a 0/1 target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import binary_
from fastmetrics.passes.binary import cutoffs
from fastmetrics.passes.groups import Rows, as_passes_take
from fastmetrics.statistics.base import (
    GROUP_SAMPLES,
    Batch,
    Call,
    Inputs,
    States,
    Statistics,
    as_batch,
    as_labels,
    different_shapes,
    real_on_one_device,
    shown,
)
from fastmetrics.statistics.resampling import Resampling, cells, rows_apart


class BinaryStatistics(Statistics):
    """tp, fp, tn, fn of each label; see :func:`fastmetrics.passes.binary.binary_body`.

    Args:
        num_labels: None for binary input ``[N, ...]``, L for multilabel input ``[N, L, ...]``.
        threshold: in [0, 1]; a probability is positive above it.
        logits: whether scores are logits, or probabilities; None decides for each batch, see
            :func:`fastmetrics.passes.binary.binary_body`. With True or False values are not looked at: a
            probability that overshoots [0, 1] is compared as it is.
        ignore_index: a target that is skipped.
        ignored_decide: whether ignored scores take part in deciding between probabilities and logits.
        samplewise: count each sample of dimension 0 separately.
        validate: record values other than 0 and 1.
    """

    lacks_joint = (
        "Counts of labels do not say which labels a sample has together: `average=None` gives an interval of each"
        " label, and `method='margins'` takes labels for independent."
    )

    def __init__(
        self,
        num_labels: int | None = None,
        *,
        threshold: float = 0.5,
        logits: bool | None = None,
        ignore_index: int | None = None,
        ignored_decide: bool = True,
        samplewise: bool = False,
        validate: bool = True,
    ) -> None:
        self.num_labels = num_labels
        self.ignore_index = ignore_index
        self.ignored_decide = ignored_decide
        self.samplewise = samplewise
        self.validate = validate
        self.shapes = {"counts": ((num_labels or 1, 4), torch.int64)}
        self._threshold = threshold
        self._logits = logits
        self._cutoffs: dict[torch.dtype, tuple[float, float]] = {}

    @property
    def key(self) -> Any:
        """Every option; whether ignored scores decide is one only where there are any."""
        decide = self.ignore_index is None or self.ignored_decide
        return self.options_but("ignored_decide", "_cutoffs"), decide

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, ``ValueError`` on others that do not fit."""
        preds, target = inputs
        shape = preds.shape
        if shape != target.shape:
            raise different_shapes(shape, target.shape)
        if self.num_labels is not None and (len(shape) < 2 or shape[1] != self.num_labels):
            raise ValueError(
                "Expected both `target.shape[1]` and `preds.shape[1]` to be equal to the number of labels"
                f" but got shape {tuple(shape)} and expected {self.num_labels} labels"
            )
        needed = 1 + (self.num_labels is not None) + self.samplewise
        if self.samplewise and len(shape) < needed:
            raise ValueError(f"Expected input to be at least {needed}D when multidim_average is set to `samplewise`")
        real_on_one_device(preds, target)

    def call(self, states: States, batch: Batch, rows: Rows | None = None) -> Call:
        """The binary pass."""
        ((preds, target), weights, valid), rows = as_batch(batch, rows)
        if target.is_floating_point():
            target = as_labels(target)
        to = states["counts"], states.get("faults")
        options = *to, *self._options_for(preds), self.ignored_decide
        if weights is None and rows is None:
            return binary_, (preds, target, valid, *options)
        given, *others = (None,) if rows is None else as_passes_take(rows, target.shape)
        return binary_, (preds, target, valid, *options, weights, given, states.get(GROUP_SAMPLES), *others)

    def resampling(self, states: States, names: Sequence[str], how: str = "joint") -> Resampling | None:
        """The counts of one label are the cells of a table; those of several do not say what a sample has in all."""
        if "counts" not in names:
            return None
        counts = states["counts"]
        if self.num_labels is None:
            return cells("counts", counts)
        return None if how == "joint" else rows_apart("counts", counts)

    def counts_groups(self, inputs: Inputs) -> bool:
        """Wherever a sample has dimensions."""
        return inputs[0].dim() > 0

    def reads_slicings(self, inputs: Inputs) -> bool:
        """Likewise."""
        return self.counts_groups(inputs)

    def _options_for(self, preds: Tensor) -> tuple[float, float, int, bool]:
        """What is positive, and what is skipped, as the passes take it."""
        probability, logit = self._cutoffs_of(preds.dtype) if preds.is_floating_point() else (0.0, 0.0)
        ignore_index = self.ignore_index
        return probability, logit, 0 if ignore_index is None else ignore_index, ignore_index is not None

    def _cutoffs_of(self, dtype: torch.dtype) -> tuple[float, float]:
        found = self._cutoffs.get(dtype)
        if found is None:
            found = cutoffs(self._threshold, dtype)
            if self._logits is not None:  # one cutoff for both readings
                found = (found[self._logits],) * 2
            self._cutoffs[dtype] = found
        return found

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which values were neither 0 nor 1."""
        ignored = "" if self.ignore_index is None or which == "preds" else f" (or ignore_index={self.ignore_index})"
        label = " since `preds` is a label tensor" if which == "preds" else ""
        return (
            f"expected only 0 and 1{ignored} in `{which}`{label}, but {count} other values came,"
            f" the first is {shown(first)}"
        )
