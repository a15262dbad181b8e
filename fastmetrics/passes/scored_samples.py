# SPDX-License-Identifier: Apache-2.0
"""What the bodies of the passes of probabilities make of a batch: samples, and which of them count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fastmetrics.native.operators import eager_on_cpu
from fastmetrics.passes.faults import bad_weights, record_faults

FROM_VALUES = -1  # the values of a batch decide whether its scores are logits


@dataclass(frozen=True)
class ScoredSamples:
    """A batch of N samples.

    Attributes:
        multiclass: whether a sample has a score for each class.
        scores: float64 [N, C], or [N, 1]; 0 where the sample does not count.
        target: int64 [N], 0 where the sample does not count.
        counted: bool [N].
        amount: float64 [N], what each counts.
    """

    multiclass: bool
    scores: Tensor
    target: Tensor
    counted: Tensor
    amount: Tensor

    def outside(self) -> Tensor:
        """Whether each score is no probability; NaN is not."""
        return ~((self.scores >= 0) & (self.scores <= 1))

    def are_logits(self, logits: int) -> Tensor:
        """Whether scores are logits, a bool []: ``logits``, or, ``FROM_VALUES``, if any is no probability."""
        return self.outside().any() if logits == FROM_VALUES else torch.ones_like(self.counted[0]) & (logits == 1)

    def probabilities(self, logits: int) -> Tensor:
        """The softmax over classes, or the sigmoid, of scores that are logits; others as they are."""
        return self._where_logits(logits, lambda s: s.softmax(1) if self.multiclass else s.sigmoid(), self.scores)

    def greatest(self, logits: int) -> tuple[Tensor, Tensor]:
        """The greatest of the probabilities of each sample, and its class, the first one; [N, 1] each."""
        top, label = self.scores.max(1, keepdim=True)
        return self._where_logits(logits, lambda s: (s - top).exp().sum(1, keepdim=True).reciprocal(), top), label

    def _where_logits(self, logits: int, of_logits: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
        found = self.are_logits(logits)
        if eager_on_cpu(found):
            return of_logits(self.scores) if bool(found) else given
        return torch.where(found, of_logits(self.scores), given)


def samples_of(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    faults: Tensor | None,
    ignore_index: int,
    has_ignore_index: bool,
) -> ScoredSamples:
    """The samples of a batch; targets and weights out of range go to ``faults``. It keeps the graph of ``preds``."""
    multiclass = preds.dim() > target.dim()
    c = preds.shape[1] if multiclass else 1
    scores = (preds.movedim(1, -1) if multiclass else preds.unsqueeze(-1)).reshape(-1, c).double()
    target = target.reshape(-1).to(torch.int64)
    kept = torch.ones_like(target, dtype=torch.bool) if valid is None else valid.reshape(-1)
    if has_ignore_index:
        kept = kept & (target != ignore_index)
    bad_target = kept & ((target < 0) | (target >= max(c, 2)))
    record_faults(faults, 0, bad_target, target)
    counted = kept & ~bad_target
    if weights is None:
        amount = counted.double()
    else:
        weights = weights.reshape(-1)
        counted = counted & ~bad_weights(faults, weights, kept)
        amount = torch.where(counted, weights, 0.0)
    # neither the scores of samples that are not counted decide anything, nor do they spoil a gradient
    if not (eager_on_cpu(scores, counted) and bool(counted.all())):
        scores = torch.where(counted.unsqueeze(1), scores, 0.0)
    return ScoredSamples(multiclass, scores, torch.where(counted, target, 0), counted, amount)


def label_of_elements(target: Tensor) -> Tensor:
    """The index of dimension 1 of each element, int64 [N L ...]."""
    labels = torch.arange(target.shape[1], device=target.device)
    return labels.reshape(1, -1, *(1 for _ in target.shape[2:])).expand(target.shape).reshape(-1)
