# SPDX-License-Identifier: Apache-2.0
"""Statistics of probabilities by bins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import tensors
from fastmetrics.native.operators import constant_in_graphs
from fastmetrics.native.transforms import suspended
from fastmetrics.passes import calibration_, calibration_rows_
from fastmetrics.passes.groups import Rows, as_passes_take
from fastmetrics.passes.scored_samples import FROM_VALUES
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, Call, States, Statistics
from fastmetrics.statistics.decisions import as_samples
from fastmetrics.statistics.scores import ScoresOfTask

_OCTAVES, _STEPS = 24, 64  # of fine bins: down to 2**-24, the steps of each doubling


class Probabilities(ScoresOfTask):
    """Statistics of probabilities, whose passes read batches alike."""

    lacks_joint = Statistics.lacks_joint

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which targets were out of range, or which scores were no probabilities."""
        if which == "preds":
            return (
                "expected `preds` to be probabilities in [0, 1], or logits that are not NaN, but"
                f" {count} were not, the first at place {first} of the batch"
            )
        return super().explain_fault(which, count, first)

    def _reading(self) -> tuple[int, int, bool]:
        """How scores are read, and what is skipped, as the passes take it."""
        logits = FROM_VALUES if self.logits is None else int(self.logits)
        return logits, *self._ignored


class CalibrationStatistics(Probabilities):
    """Samples, sums of probabilities and hits by bins; see :func:`fastmetrics.passes.calibration.calibration_body`.

    Bins begin at ``linspace(0, 1, n_bins + 1)`` of float32, or of the dtype of scores that are no class scores. There
    is one more than ``n_bins``, that of the probability 1. Fine bins are those of :func:`fine_edges`.

    Args:
        task: ``binary`` for scores ``[N, ...]``, ``multiclass`` or ``multilabel`` for ``[N, C, ...]``.
        columns: C; 1 if binary.
        n_bins: number of bins of equal width; None for fine bins.
        apart: whether each class or label has bins of its own, ``[C, B]``; else one probability of a sample is taken.
        logits: whether scores are logits (True) or probabilities (False); None decides for each batch.
        ignore_index: a target that is skipped.
        validate: record targets, and probabilities, out of range.
    """

    def __init__(self, task: str, columns: int = 1, *, n_bins: int | None = 15, apart: bool = False, **options: Any):
        super().__init__(task, columns, **options)
        self.n_bins = n_bins
        self.apart = apart
        bins = len(fine_edges()) if n_bins is None else n_bins + 1
        shape = (columns, bins) if apart else (bins,)
        self.shapes = {
            "counts": (shape, torch.int64),
            "confidences": (shape, torch.float64),
            "hits": (shape, torch.int64),
        }

    def call(self, states: States, batch: Batch, rows: Rows | None = None) -> Call:
        """The pass of calibration."""
        preds, target, valid, weights = as_samples(batch)
        to = states["counts"], states["confidences"], states["hits"], states.get("faults")
        given = valid, weights, self._edges_for(preds), *to, *self._reading()
        if rows is None:
            return calibration_, (preds, target, *given)
        first, *others = as_passes_take(rows, target.shape)
        return calibration_rows_, (preds, target, first, *given, states.get(GROUP_SAMPLES), *others)

    def _edges_for(self, preds: Tensor) -> Tensor:
        dtype = torch.float32 if self.task == "multiclass" else preds.dtype
        edges: Tensor = edges_of_bins(self.n_bins, dtype, preds.device)
        return edges


def fine_edges() -> list[float]:
    """Where bins begin that serve to find bins of any mass: 64 to each doubling of p, and of 1 - p, from 2**-24 on.

    A bin is less than 1/64 of p, or of 1 - p, wide, so confidences near 1 are told from each other as those near 0 are.
    """
    low = [2.0**-e * (1 + step / _STEPS) for e in range(_OCTAVES, 1, -1) for step in range(_STEPS)]
    return [0.0, *low, 0.5, *(1 - p for p in reversed(low)), 1.0]


_known: dict[Any, Tensor] = {}


@constant_in_graphs
def edges_of_bins(n_bins: int | None, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The edges of bins, float64; they are looked up once."""
    key = n_bins, dtype, device
    found = _known.get(key)
    if found is None:
        with suspended(), tensors.ordinary():
            if n_bins is None:
                edges = torch.tensor(fine_edges(), dtype=torch.float64, device="cpu")
            else:
                edges = torch.linspace(0, 1, n_bins + 1, dtype=dtype, device="cpu").double()
            found = _known[key] = edges.to(device)
    return found
