# SPDX-License-Identifier: Apache-2.0
"""Per-class counts under the names that formulas use."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor


class Counts:
    """How often each class was predicted, was the target, and was both; int64 [..., C] each.

    ``total`` [..., 1] is the number of samples. Everything else follows: ``fp = predicted - tp``, ``fn = actual - tp``,
    ``tn = total - predicted - actual + tp``. They are computed when a formula asks.
    """

    def __init__(self, tp: Tensor, predicted: Tensor, actual: Tensor, total: Tensor | None = None) -> None:
        self.tp = tp
        self.predicted = predicted
        self.actual = actual
        self._total = total

    @classmethod
    def of_classes(cls, counts: Tensor, ranks: Tensor | None = None, top_k: int = 1) -> Counts:
        """From the multiclass statistics.

        Args:
            counts: int64 [..., C, 3], tp, predicted, actual.
            ranks: int64 [..., C, K, 2], for ``top_k`` > 1. A target among the ``top_k`` greatest scores counts as
                predicted; otherwise the label does.
            top_k: at most K.
        """
        tp, predicted, actual = counts.unbind(-1)
        if top_k > 1:
            assert ranks is not None
            hits, labels = ranks[..., :top_k, :].sum(-2).unbind(-1)
            tp, predicted = hits, predicted - labels + hits
        return cls(tp, predicted, actual)

    @classmethod
    def of_labels(cls, counts: Tensor) -> Counts:
        """From the binary statistics: int64 [..., L, 4], tp, fp, tn, fn."""
        tp, fp, _, fn = counts.unbind(-1)
        return cls(tp, tp + fp, tp + fn, counts.sum(-1))

    @cached_property
    def total(self) -> Tensor:
        """Number of samples; every one has one actual class."""
        return self.actual.sum(-1, keepdim=True) if self._total is None else self._total

    @cached_property
    def fp(self) -> Tensor:
        """False positives."""
        return self.predicted - self.tp

    @cached_property
    def fn(self) -> Tensor:
        """False negatives."""
        return self.actual - self.tp

    @cached_property
    def tn(self) -> Tensor:
        """True negatives."""
        return self.total - self.predicted - self.actual + self.tp

    def summed(self) -> Counts:
        """The same counts over all classes together, [...]."""
        total = self.total.expand(self.tp.shape).sum(-1)
        return Counts(self.tp.sum(-1), self.predicted.sum(-1), self.actual.sum(-1), total)

    def table(self) -> Tensor:
        """tp, fp, tn, fn and support (= actual), int64 [..., 5]."""
        return torch.stack(torch.broadcast_tensors(self.tp, self.fp, self.tn, self.fn, self.actual), -1)
