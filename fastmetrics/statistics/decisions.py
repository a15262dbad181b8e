# SPDX-License-Identifier: Apache-2.0
"""What statistics share whose inputs are those of counts."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.statistics.base import Batch, Inputs, Statistics, as_labels, at_least_1d
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.multiclass import MulticlassStatistics


class OfDecisions(Statistics):
    """Statistics for which the same shapes, and the same labels, are wrong as for counts of decisions.

    Args:
        num_classes: C of multiclass samples; None for binary and multilabel ones.
        num_labels: L of multilabel samples.
        ignore_index: a target that is not counted.
        validate: record what is out of range.
        samplewise: whether samples of dimension 0 are counted separately.
    """

    def __init__(
        self,
        num_classes: int | None,
        num_labels: int | None,
        ignore_index: int | None,
        validate: bool,
        samplewise: bool = False,
    ) -> None:
        self.ignore_index = ignore_index
        self._ignored = ignored(ignore_index)
        self.validate = validate
        self._decisions: Statistics = (
            BinaryStatistics(num_labels, ignore_index=ignore_index, samplewise=samplewise)
            if num_classes is None
            else MulticlassStatistics(num_classes, ignore_index=ignore_index, samplewise=samplewise)
        )

    def check(self, inputs: Inputs) -> None:
        """Raise as the statistics of counts do."""
        self._decisions.check(inputs)

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which labels were out of range."""
        return self._decisions.explain_fault(which, count, first)


class OfScores(OfDecisions):
    """Statistics of decisions that are read from scores."""

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` unless ``preds`` are scores, and as the statistics of counts do."""
        super().check(inputs)
        preds, target = inputs
        if not preds.is_floating_point():
            raise ValueError(
                "Expected argument `preds` to be floating tensor with probabilities/logits"
                f" but got tensor with dtype {preds.dtype}"
            )
        if isinstance(self._decisions, MulticlassStatistics) and preds.dim() == target.dim():
            raise ValueError(
                f"Expected `preds` to be scores of shape (N, C, ...), but got shape {tuple(preds.shape)}, that of"
                " `target`."
            )


def ignored(ignore_index: int | None) -> tuple[int, bool]:
    """What is skipped, as the passes take it: a target, and whether there is one."""
    return (0, False) if ignore_index is None else (ignore_index, True)


def as_samples(batch: Batch) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """``preds``, ``target``, mask and weights: labels as integers, a single value as a batch of one."""
    (preds, target), weights, valid = batch
    if target.is_floating_point():
        target = as_labels(target)
    if target.dim() == 0:
        return preds.reshape(1), target.reshape(1), at_least_1d(valid), at_least_1d(weights)
    return preds, target, valid, weights
