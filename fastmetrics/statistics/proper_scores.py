# SPDX-License-Identifier: Apache-2.0
"""Statistics of proper scoring rules."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import proper_scores_, proper_scores_rows_
from fastmetrics.passes.groups import Rows, as_passes_take
from fastmetrics.passes.proper_scores import proper_scores_sums
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, Call, States
from fastmetrics.statistics.calibration import Probabilities
from fastmetrics.statistics.decisions import as_samples


class ProperScoreStatistics(Probabilities):
    """Number of samples and sums of their scores; see :func:`fastmetrics.passes.proper_scores.proper_scores_body`.

    Args:
        task: ``binary`` for scores ``[N, ...]``, ``multiclass`` or ``multilabel`` for ``[N, C, ...]``.
        columns: C; 1 if binary.
        names: the sums wanted beside ``count``: ``brier``, ``log_loss``; ``[1]``, or ``[L]`` of each label.
        logits: whether scores are logits (True) or probabilities (False); None decides for each batch.
        ignore_index: a target that is skipped.
        validate: record targets, and scores, out of range.
    """

    def __init__(self, task: str, columns: int = 1, *, names: tuple[str, ...], **options: Any):
        super().__init__(task, columns, **options)
        shape = (columns if task == "multilabel" else 1,)
        self.shapes = {**dict.fromkeys(names, (shape, torch.float64)), "count": (shape, torch.int64)}

    def call(self, states: States, batch: Batch, rows: Rows | None = None) -> Call:
        """The pass of proper scores."""
        preds, target, valid, weights = as_samples(batch)
        sums = states.get("brier"), states.get("log_loss"), states["count"]
        given = valid, weights, *sums, states.get("faults"), *self._options_for(preds)
        if rows is None:
            return proper_scores_, (preds, target, *given)
        first, *others = as_passes_take(rows, target.shape)
        return proper_scores_rows_, (preds, target, first, *given, states.get(GROUP_SAMPLES), *others)

    def differentiable(self, batch: Batch) -> dict[str, Tensor]:
        """The sums of one batch, in operations that keep the graph."""
        preds, target, valid, weights = as_samples(batch)
        brier, log_loss, count = proper_scores_sums(preds, target, valid, weights, None, *self._options_for(preds))
        found = {"brier": brier, "log_loss": log_loss, "count": count if weights is not None else count.to(torch.int64)}
        return {name: found[name] for name in self.shapes}

    def _options_for(self, preds: Tensor) -> tuple[int, float, bool, int, bool]:
        logits, ignore_index, has_ignore_index = self._reading()
        return logits, torch.finfo(preds.dtype).eps, self.task == "multilabel", ignore_index, has_ignore_index
