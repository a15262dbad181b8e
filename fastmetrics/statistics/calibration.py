# SPDX-License-Identifier: Apache-2.0
"""Statistics of confidences and of how often they are right."""

from __future__ import annotations

import struct
from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import calibration_
from fastmetrics.passes.calibration import FROM_VALUES
from fastmetrics.statistics.base import Inputs, States, Statistics, as_labels, at_least_1d
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.hinge import scores_needed
from fastmetrics.statistics.multiclass import MulticlassStatistics

_SCORES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class CalibrationStatistics(Statistics):
    """Samples, sums of confidences and hits by bins; see :func:`fastmetrics.passes.calibration.calibration_body`.

    Bins begin at ``linspace(0, 1, n_bins + 1)`` of float32, or of the dtype of binary scores. There is one more than
    ``n_bins``, that of the confidence 1.

    Args:
        num_classes: None for binary scores ``[N, ...]``, C for multiclass scores ``[N, C, ...]``.
        n_bins: number of bins of equal width.
        logits: whether scores are logits (True) or probabilities (False); None decides for each batch.
        ignore_index: a target that is skipped.
        validate: record targets, and confidences, out of range.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        *,
        n_bins: int = 15,
        logits: bool | None = None,
        ignore_index: int | None = None,
        validate: bool = True,
    ) -> None:
        self.num_classes = num_classes
        self.n_bins = n_bins
        self.ignore_index = ignore_index
        self.validate = validate
        self.shapes = {
            "counts": ((n_bins + 1,), torch.int64),
            "confidences": ((n_bins + 1,), torch.float64),
            "hits": ((n_bins + 1,), torch.int64),
        }
        self._logits = FROM_VALUES if logits is None else int(logits)
        self._edges = {dtype: torch.linspace(0, 1, n_bins + 1, dtype=dtype, device="cpu").double() for dtype in _SCORES}
        self._decisions: Statistics = (
            BinaryStatistics(ignore_index=ignore_index)
            if num_classes is None
            else MulticlassStatistics(num_classes, ignore_index=ignore_index)
        )

    @property
    def key(self) -> Any:
        """Every option; what is derived from them apart."""
        return self.options_but("_edges", "_decisions")

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` unless ``preds`` are scores, and as the statistics of counts do."""
        preds, target = inputs
        self._decisions.check(inputs)
        scores_needed(preds)
        if self.num_classes is not None and preds.dim() == target.dim():
            raise ValueError(
                f"Expected `preds` to be scores of shape (N, C, ...), but got shape {tuple(preds.shape)}, that of"
                " `target`."
            )

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``."""
        preds, target = inputs
        if target.is_floating_point():
            target = as_labels(target)
        if target.dim() == 0:
            preds, target = preds.reshape(1), target.reshape(1)
            weights, valid = at_least_1d(weights), at_least_1d(valid)
        edges = self._edges[preds.dtype if self.num_classes is None else torch.float32]
        ignore_index = self.ignore_index
        calibration_(
            preds,
            target,
            valid,
            weights,
            edges if preds.is_cpu else edges.to(preds.device),
            states["counts"],
            states["confidences"],
            states["hits"],
            states.get("faults"),
            self._logits,
            0 if ignore_index is None else ignore_index,
            ignore_index is not None,
        )

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which targets, or confidences, were out of range."""
        if which != "preds":
            return self._decisions.explain_fault(which, count, first)
        (confidence,) = struct.unpack("d", struct.pack("q", first))
        return f"expected confidences in [0, 1], but those of {count} samples were not, the first is {confidence}"
