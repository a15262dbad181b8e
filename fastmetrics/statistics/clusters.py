# SPDX-License-Identifier: Apache-2.0
"""Statistics of two labelings of the same samples."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.passes.faults import bad_weights
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, different_shapes, same_device
from fastmetrics.statistics.multiclass import MulticlassStatistics


class LabelTable(MulticlassStatistics):
    """``confusion`` int64 [C, C] of labels in [0, C).

    Args:
        num_classes: C.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, confusion=True)

    def check(self, inputs: Inputs) -> None:
        """Raise unless both are labels [N]."""
        check_labels(inputs)


class LabelBuffer(Statistics):
    """Labels of any value, kept until the value is asked for: 24 bytes a sample.

    ``labels`` int64 [N, 2]: prediction and target. ``weights`` float64 [N]; 0 for a sample that is not valid.
    """

    samplewise = True
    instead_of_groups = "This metric keeps the labels themselves: give `num_classes`."
    weights_in_place = True
    shapes = {"labels": ((2,), torch.int64), "weights": ((), torch.float64)}

    def check(self, inputs: Inputs) -> None:
        """Raise unless both are labels [N]."""
        check_labels(inputs)

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Write the batch to ``states``."""
        inputs, weights, valid = batch
        for column, labels in enumerate(inputs):
            states["labels"][:, column].copy_(labels)
        amount = torch.ones_like(states["weights"]) if weights is None else weights
        kept = torch.ones_like(amount, dtype=torch.bool) if valid is None else valid
        if weights is not None:
            kept = kept & ~bad_weights(states.get("faults"), weights, kept)
        states["weights"].copy_(torch.where(kept, amount, 0.0))


def check_labels(inputs: Inputs) -> None:
    """Raise ``RuntimeError`` on different shapes or devices, ``ValueError`` unless both are integers [N]."""
    preds, target = inputs
    if preds.shape != target.shape:
        raise different_shapes(preds.shape, target.shape)
    if preds.dim() != 1:
        raise ValueError(f"Expected arguments to be 1-d tensors but got {preds.dim()}-d tensors.")
    if any(labels.is_floating_point() or labels.is_complex() for labels in inputs):
        raise ValueError(f"Expected real, discrete values for x but received {preds.dtype} and {target.dtype}.")
    same_device(preds, target)
