# SPDX-License-Identifier: Apache-2.0
"""Points at all distinct scores of samples with weights: sums of weights in place of counts."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.formulas.curve_table import Points, Sorted, order_scores
from fastmetrics.native.operators import define

SCHEMA = (
    "weighted_points_(Tensor scores, Tensor? labels, Tensor weights, Tensor(a!) thresholds, Tensor(b!) tp,"
    " Tensor(c!) fp, Tensor(d!) sizes, Tensor(e!) sums) -> ()"
)


def weighted_points_body(
    scores: Tensor,
    labels: Tensor | None,
    weights: Tensor,
    thresholds: Tensor,
    tp: Tensor,
    fp: Tensor,
    sizes: Tensor,
    sums: Tensor,
) -> None:
    """Sort the scores of each column, the greatest first, and add up the weights of those that reach each of them.

    A score that does not count is NaN, has a negative label, or a weight that is not above 0. Sums are float64; the
    kernel of the CPU adds what rounding took from them, so that their error does not grow with the samples.

    Args:
        scores: floating ``[N, C]``; unless there are labels the sign is the label, negative for 0, and the score its
            magnitude. See :func:`fastmetrics.passes.scores.keep_scores_body`.
        labels: int8 ``[N, C]``, or None.
        weights: float64 ``[N, C]``, or ``[N, 1]`` for all columns.
        thresholds: of the dtype of ``scores``, ``[C, N]``: the distinct scores of each column, descending; behind the
            last one, as in the next two, it has any values.
        tp: float64 ``[C, N]``: weights of the positive scores that reach them.
        fp: float64 ``[C, N]``: weights of the negative ones.
        sizes: int64 ``[C]``: how many distinct scores there are.
        sums: float64 ``[C, 4]``: weights of positives; of negatives; the area under true over false positives, by
            trapezes; and the sum of the precisions at positive scores, times their weights.
    """
    n, c = scores.shape
    weights = weights.expand(n, c)
    scores = torch.where(weights > 0, scores, torch.nan)
    values, counts = torch.empty_like(thresholds), sizes.new_zeros(c, 2)
    order = order_scores(scores, labels, values, None, counts)
    positive = ~scores.signbit() if labels is None else labels == 1
    weights, positive = (of.T.gather(1, order) for of in (weights, positive))
    values = values.abs() if labels is None else values + 0.0  # -0 is 0
    counted = torch.arange(n, device=scores.device) < counts[:, :1]
    ends = torch.ones_like(counted)
    ends[:, :-1] = (values[:, 1:] != values[:, :-1]) | ~counted[:, 1:]
    ends &= counted
    all_tp, all_fp = (torch.where(some, weights, 0.0).cumsum(1) for some in (counted & positive, counted & ~positive))
    sizes.copy_(ends.sum(1))
    # the points of a column come first, in their order
    order = (~ends).to(torch.uint8).sort(dim=1, stable=True).indices
    thresholds.copy_(values.gather(1, order))
    tp.copy_(all_tp.gather(1, order))
    fp.copy_(all_fp.gather(1, order))
    inside = torch.arange(n, device=scores.device) < sizes[:, None]
    more_tp, more_fp = (torch.where(inside, of.diff(dim=1, prepend=of.new_zeros(c, 1)), 0.0) for of in (tp, fp))
    sums[:, 0], sums[:, 1] = (of[:, -1:].sum(1) for of in (all_tp, all_fp))
    sums[:, 2] = (more_fp * (2 * tp - more_tp)).sum(1) / 2
    sums[:, 3] = torch.where(more_tp > 0, more_tp * (tp / (tp + fp)), 0.0).sum(1)


def _fake(*_: object) -> None:
    pass


weighted_points_ = define(SCHEMA, weighted_points_body, _fake, ("cpu",), library="scores")


class WeightedScores(Sorted):
    """Scores in descending order, column by column, whose samples have weights.

    Args:
        scores: ``[N, C]``, see :func:`weighted_points_body`.
        labels: int8 ``[N, C]``, or None.
        weights: ``[N, C]`` or ``[N, 1]``.
    """

    def __init__(self, scores: Tensor, labels: Tensor | None, weights: Tensor) -> None:
        n, c = scores.shape
        self._thresholds = scores.new_empty(c, n)
        self._tp, self._fp = (torch.empty(c, n, dtype=torch.float64, device=scores.device) for _ in range(2))
        self._sizes = torch.zeros(c, dtype=torch.int64, device=scores.device)
        self._sums = torch.zeros(c, 4, dtype=torch.float64, device=scores.device)
        self._points: Points | None = None
        if scores.numel():
            labels = None if labels is None else labels.contiguous()
            given = scores.contiguous(), labels, weights.double().contiguous()
            weighted_points_(*given, self._thresholds, self._tp, self._fp, self._sizes, self._sums)

    def areas(self) -> Tensor:
        """See the base."""
        return self._sums[:, :3]

    def precisions(self) -> Tensor:
        """See the base."""
        return self._sums[:, 3]

    def points(self) -> Points:
        """See the base."""
        if self._points is None:
            inside = torch.arange(self._tp.shape[1], device=self._tp.device) < self._sizes[:, None]
            thresholds, tp, fp = (of[inside] for of in (self._thresholds, self._tp, self._fp))
            positives, negatives, *_ = self._sums.unbind(1)
            self._points = Points(thresholds, tp, fp, self._sizes, positives, negatives)
        return self._points
