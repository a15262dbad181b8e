# SPDX-License-Identifier: Apache-2.0
"""Statistics of scores as margins."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.passes import hinge_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.hinge import hinge_losses, hinge_sums
from fastmetrics.statistics.base import Batch, States
from fastmetrics.statistics.decisions import OfScores, as_samples


class HingeStatistics(OfScores):
    """Number of samples and sums of their hinge losses; see :func:`fastmetrics.passes.hinge.hinge_body`.

    Args:
        num_classes: None for binary scores ``[N, ...]``, C for multiclass scores ``[N, C, ...]``.
        squared: sum the squares of the losses.
        one_vs_all: a sum for each class, ``hinge`` float64 [C]; else ``hinge`` is [1].
        ignore_index: a target that is skipped.
        validate: record targets out of range.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        *,
        squared: bool = False,
        one_vs_all: bool = False,
        ignore_index: int | None = None,
        validate: bool = True,
    ) -> None:
        super().__init__(num_classes, None, ignore_index, validate)
        self.squared = bool(squared)
        self.one_vs_all = one_vs_all
        sums = num_classes if one_vs_all and num_classes is not None else 1
        self.shapes = {"hinge": ((sums,), torch.float64), "count": ((), torch.int64)}

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        preds, target, valid, weights = as_samples(batch)
        faults, options = states.get("faults"), (self.squared, self.one_vs_all, *self._ignored)
        if rows is None:
            hinge_(preds, target, valid, weights, states["hinge"], states["count"], faults, *options)
            return
        loss, amount = hinge_losses(preds.detach(), target, valid, weights, faults, *options)
        add_amounts(states["hinge"], rows, loss * amount.unsqueeze(1))
        add_amounts(states["count"], rows, amount)

    def differentiable(self, batch: Batch) -> dict[str, Tensor]:
        """The sums of one batch, in operations that keep the graph."""
        options = self.squared, self.one_vs_all, *self._ignored
        hinge, count = hinge_sums(*as_samples(batch), None, *options)
        return {"hinge": hinge, "count": count}
