# SPDX-License-Identifier: Apache-2.0
"""Statistics of rows that are right in every place."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.transforms import like_inputs
from fastmetrics.passes import exact_match_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.binary import cutoffs
from fastmetrics.statistics.base import Batch, Inputs, States, as_labels, at_least_1d
from fastmetrics.statistics.decisions import OfDecisions


class ExactMatchStatistics(OfDecisions):
    """Number of rows, and number of rows without an error; see :func:`fastmetrics.passes.exact_match.exact_match_body`.

    Args:
        num_classes: C of multiclass rows: all labels of a sample.
        num_labels: L of multilabel rows; exactly one of both is given.
        threshold: in [0, 1]; a probability of a label is positive above it.
        ignore_index: a target that is right whatever is predicted.
        samplewise: count each sample of dimension 0 separately.
        validate: record labels out of range.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        num_labels: int | None = None,
        *,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        samplewise: bool = False,
        validate: bool = True,
    ) -> None:
        super().__init__(num_classes, num_labels, ignore_index, validate, samplewise)
        self.num_classes = num_classes
        self.samplewise = samplewise
        self.threshold = threshold
        self.shapes = {"matched": ((), torch.int64), "count": ((), torch.int64)}

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """As of all statistics, but there is one weight for all places of a row."""
        if name == "groups":  # those of a sample are added up before they go to its group
            inputs = weights_of_rows(values, inputs[-1], None, name)
        elif name == "weights":
            inputs = weights_of_rows(values, inputs[-1], 1 if self.num_classes is None else None)
        return super().per_sample(name, values, inputs)

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        (preds, target), weights, valid = batch
        target = as_labels(target)
        if self.num_classes is not None and preds.dim() == target.dim():
            preds = as_labels(preds)
        if target.dim() == 0:
            preds, target = preds.reshape(1), target.reshape(1)
            weights, valid = at_least_1d(weights), at_least_1d(valid)
        to = states
        if rows is not None:  # those of each sample are added up before they go to its rows
            samples = self.zeros(target.device, len(target), weights is not None)
            to = {name: like_inputs(state, preds, target, weights, valid) for name, state in samples.items()}
        scores = self.num_classes is None and preds.is_floating_point()
        exact_match_(
            preds,
            target,
            valid,
            weights,
            to["matched"],
            to["count"],
            states.get("faults"),
            self.num_classes or 0,
            *(cutoffs(self.threshold, preds.dtype) if scores else (0.0, 0.0)),
            *self._ignored,
        )
        if rows is not None:
            for name, value in to.items():
                add_amounts(states[name], rows, value)


def weights_of_rows(weights: Tensor, target: Tensor, dimension: int | None, name: str = "weights") -> Inputs:
    """What has the shape of the rows of ``target``: it without ``dimension``, or (N,). Raises if weights do not fit."""
    shape = target.shape
    rows = shape[:1] if dimension is None else shape[:dimension] + shape[dimension + 1 :]
    if weights.shape != rows[: weights.dim()]:
        raise ValueError(
            f"Expected `{name}` to be one value a row, {tuple(rows)}, or of its first dimensions, since the labels of"
            f" a row count together, but got {tuple(weights.shape)}."
        )
    return (target.new_empty(()).expand(rows),)
