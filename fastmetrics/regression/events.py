# SPDX-License-Identifier: Apache-2.0
"""Forecasts of events."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.docstrings import documented
from fastmetrics.formulas import errors
from fastmetrics.metric import Batch
from fastmetrics.regression.base import PairsMetric
from fastmetrics.regression.errors import MeanSquaredError
from fastmetrics.statistics.base import Inputs


def _spread(values: Tensor | None, target: Tensor) -> Tensor | None:
    """What comes per sample, in the shape of the target; what does not fit is left to the check of the statistics."""
    if values is None or values.shape != target.shape[: values.dim()]:
        return values
    return values.reshape(*values.shape, *(1 for _ in target.shape[values.dim() :])).expand(target.shape)


@documented(MeanSquaredError)
class CriticalSuccessIndex(PairsMetric):
    """Critical success index: hits over hits, misses and false alarms.

    An event is a value of at least ``threshold``.

    Args:
        threshold: where an event begins, in the dtype of the inputs.
        keep_sequence_dim: None for one value; else a dimension whose indices have a value each, in the order in which
            batches bring them.

    Returns:
        float32, ``()`` or ``(S,)``; 0 without events.

    Raises:
        ValueError: ``keep_sequence_dim`` is no dimension of the inputs.
    """

    example_batch = "torch.tensor([[0.2, 0.7], [0.9, 0.3]]), torch.tensor([[0.4, 0.2], [0.8, 0.6]])"
    example_options = "threshold=0.5"
    example = {"": "0.3333", "keep_sequence_dim=0": "[0.0000, 0.5000]"}

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = None

    def __init__(self, threshold: float, keep_sequence_dim: int | None = None, **kwargs: Any) -> None:
        if keep_sequence_dim and (not isinstance(keep_sequence_dim, int) or keep_sequence_dim < 0):
            raise ValueError(f"Expected keep_sequence_dim to be a non-negative integer but got {keep_sequence_dim}")
        asked = {"events": float(threshold), "samplewise": keep_sequence_dim is not None}
        super().__init__(asked, **kwargs)
        self.threshold = float(threshold)
        self.keep_sequence_dim = keep_sequence_dim

    def inputs(
        self, preds: Tensor, target: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See :meth:`fastmetrics.metric.StatisticMetric.inputs`; the dimension that is kept comes first."""
        kept = self.keep_sequence_dim
        if kept is None or preds.shape != target.shape:
            return (preds, target), weights, valid
        if kept >= preds.dim():
            raise ValueError(f"Expected keep_sequence dim to be in range [0, {preds.dim()}] but got {kept}")
        weights, valid = _spread(weights, target), _spread(valid, target)
        weights, valid = (v if v is None or v.dim() <= kept else v.movedim(kept, 0) for v in (weights, valid))
        return (preds.movedim(kept, 0), target.movedim(kept, 0)), weights, valid

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return torch.float32

    def formula(self, events: Tensor, **_: Tensor) -> Tensor:
        """The ratio."""
        value = errors.critical_success_index(events).float()
        return value.squeeze(0) if self.keep_sequence_dim is None else value
