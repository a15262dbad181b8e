# SPDX-License-Identifier: Apache-2.0
"""Statistics of scores as margins."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.passes import hinge_
from fastmetrics.passes.groups import add_to_rows
from fastmetrics.passes.hinge import hinge_losses, hinge_sums
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, as_labels, at_least_1d
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.multiclass import MulticlassStatistics


class HingeStatistics(Statistics):
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
        self.ignore_index = ignore_index
        self.validate = validate
        self.squared = bool(squared)
        self.one_vs_all = one_vs_all
        sums = num_classes if one_vs_all and num_classes is not None else 1
        self.shapes = {"hinge": ((sums,), torch.float64), "count": ((), torch.int64)}
        # what is a wrong shape, or a wrong target, is the same for metrics of counts
        self._decisions: Statistics = (
            BinaryStatistics(ignore_index=ignore_index)
            if num_classes is None
            else MulticlassStatistics(num_classes, ignore_index=ignore_index)
        )

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` unless ``preds`` are scores, and as the statistics of counts do."""
        preds, target = inputs
        self._decisions.check(inputs)
        scores_needed(preds)
        if isinstance(self._decisions, MulticlassStatistics) and preds.dim() == target.dim():
            raise ValueError(
                f"Expected `preds` to be scores of shape (N, C, ...), but got shape {tuple(preds.shape)}, that of"
                " `target`."
            )

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        preds, target, weights, valid = _samples(batch)
        faults, options = states.get("faults"), self._options()
        if rows is None:
            hinge_(preds, target, valid, weights, states["hinge"], states["count"], faults, *options)
            return
        loss, amount = hinge_losses(preds.detach(), target, valid, weights, faults, *options)
        add_to_rows(states["hinge"], rows, loss * amount.unsqueeze(1))
        add_to_rows(states["count"], rows, amount)

    def differentiable(self, batch: Batch) -> dict[str, Tensor]:
        """The sums of one batch, in operations that keep the graph."""
        preds, target, weights, valid = _samples(batch)
        hinge, count = hinge_sums(preds, target, valid, weights, None, *self._options())
        return {"hinge": hinge, "count": count}

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which targets were out of range."""
        return self._decisions.explain_fault(which, count, first)

    def _options(self) -> tuple[bool, bool, int, bool]:
        ignore_index = self.ignore_index
        return self.squared, self.one_vs_all, 0 if ignore_index is None else ignore_index, ignore_index is not None


def scores_needed(preds: Tensor) -> None:
    """Raise as torchmetrics does if ``preds`` are labels."""
    if not preds.is_floating_point():
        raise ValueError(
            "Expected argument `preds` to be floating tensor with probabilities/logits"
            f" but got tensor with dtype {preds.dtype}"
        )


def _samples(batch: Batch) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    (preds, target), weights, valid = batch
    if target.is_floating_point():
        target = as_labels(target)
    if target.dim() == 0:
        return preds.reshape(1), target.reshape(1), at_least_1d(weights), at_least_1d(valid)
    return preds, target, weights, valid
