# SPDX-License-Identifier: Apache-2.0
"""What curves are formulas of: at each threshold, how many positive and negative scores reach it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics.native.operators import define

V = TypeVar("V")

SORT_SCHEMA = (
    "sort_scores_(Tensor scores, Tensor? labels, Tensor(a!) values, Tensor(b!)? sorted_labels, Tensor(c!) counts) -> ()"
)
AREAS_SCHEMA = "curve_areas_(Tensor values, Tensor? labels, Tensor counts, Tensor(a!) areas, bool precision) -> ()"
BLOCKS_SCHEMA = "curve_blocks_(Tensor values, Tensor? labels, Tensor counts, Tensor(a!) blocks) -> ()"
SORTED = "Tensor values, Tensor? labels, Tensor counts, Tensor blocks"
POINTS_SCHEMA = f"curve_points_({SORTED}, Tensor(a!) thresholds, Tensor(b!) tp, Tensor(c!) fp) -> ()"

_BLOCK = 1024  # rows


def sort_scores_body(
    scores: Tensor, labels: Tensor | None, values: Tensor, sorted_labels: Tensor | None, counts: Tensor
) -> None:
    """Sort the scores of each column, the greatest first; those that do not count come last, in no order.

    Args:
        scores: floating ``[N, C]``, NaN for what does not count; unless there are labels the sign is the label,
            negative for 0, and the score its magnitude. See :func:`fastmetrics.passes.scores.keep_scores_body`.
        labels: int8 ``[N, C]``, -1 for what does not count.
        values: the sorted ``scores``, signs and all, ``[C, N]``; what does not count has any value.
        sorted_labels: uint8 ``[C, N]``, if there are labels.
        counts: int64 ``[C, 2]``: how many count, and how many distinct scores those have.
    """
    counted = ~scores.isnan() if labels is None else ~scores.isnan() & (labels >= 0)
    compared = (scores.abs() if labels is None else scores).T
    order = torch.where(counted.T, compared, -torch.inf).sort(dim=1, descending=True, stable=True).indices
    # what does not count stands behind scores of -inf
    order = order.gather(1, (~counted.T.gather(1, order)).to(torch.uint8).sort(dim=1, stable=True).indices)
    values.copy_(scores.T.gather(1, order))
    if labels is not None and sorted_labels is not None:
        sorted_labels.copy_((labels == 1).T.gather(1, order))
    counts[:, 0] = counted.sum(0)
    counts[:, 1] = _ends(values if labels is not None else values.abs(), counts).sum(1)


def _read(values: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
    """Sorted scores and their labels, bool."""
    return (values.abs(), ~values.signbit()) if labels is None else (values, labels != 0)


def _ends(values: Tensor, counts: Tensor) -> Tensor:
    """Where a run of equal values ends, bool [C, N]."""
    n = values.shape[1]
    ends = torch.ones_like(values, dtype=torch.bool)
    ends[:, :-1] = values[:, 1:] != values[:, :-1]
    place = torch.arange(n, device=values.device)
    return (ends & (place < counts[:, :1])) | (place == counts[:, :1] - 1)


def curve_blocks_body(values: Tensor, labels: Tensor | None, counts: Tensor, blocks: Tensor) -> None:
    """Count what comes before each block of 1024 rows, so that kernels begin anywhere.

    Args:
        values: this and the next two are what :func:`sort_scores_body` made.
        labels: see there.
        counts: see there.
        blocks: int64 ``[C, ceil(N / 1024) + 1, 2]``: the positives before each block, and the points, which are the
            ends of runs of equal scores; the last of them are all.
    """
    n = values.shape[1]
    scores, positive = _read(values, labels)
    counted = torch.arange(n, device=values.device) < counts[:, :1]
    of_rows = torch.stack([positive & counted, _ends(scores, counts)], -1).cumsum(1, dtype=torch.int64)
    before = torch.nn.functional.pad(of_rows, (0, 0, 1, 0))
    starts = (torch.arange(blocks.shape[1], device=values.device) * _BLOCK).clamp(max=n)
    blocks.copy_(before.index_select(1, starts))


def curve_points_body(
    values: Tensor,
    labels: Tensor | None,
    counts: Tensor,
    blocks: Tensor,
    thresholds: Tensor,
    tp: Tensor,
    fp: Tensor,
) -> None:
    """Count how many scores reach each of the distinct ones.

    Args:
        values: this and the next two are what :func:`sort_scores_body` made.
        labels: see there.
        counts: see there.
        blocks: what :func:`curve_blocks_body` counted.
        thresholds: ``[points]``: the distinct values of each column, descending, column after column.
        tp: int64 ``[points]``: positive scores that reach them.
        fp: int64 ``[points]``: negative scores that reach them.
    """
    values, positive = _read(values, labels)
    ends = _ends(values, counts)
    positive = positive.cumsum(1, dtype=torch.int64)
    place = torch.arange(1, values.shape[1] + 1, device=values.device)
    thresholds.copy_(values[ends])
    tp.copy_(positive[ends])
    fp.copy_((place - positive)[ends])


def curve_areas_body(values: Tensor, labels: Tensor | None, counts: Tensor, areas: Tensor, precision: bool) -> None:
    """Sums over the points of each curve.

    Args:
        values: this and the next two are what :func:`sort_scores_body` made.
        labels: see there.
        counts: see there.
        areas: float64 ``[C, 4]``: positives; negatives; the area under true over false positives, by trapezes; and the
            sum over positives of the precision at their scores.
        precision: whether the last one is wanted; it is 0 otherwise.
    """
    sizes = counts[:, 1]
    points = int(sizes.sum())
    tp, fp = (torch.empty(points, dtype=torch.int64, device=values.device) for _ in range(2))
    curve_points_body(values, labels, counts, counts, values.new_empty(points), tp, fp)  # it reads no blocks
    column = torch.arange(len(sizes), device=values.device).repeat_interleave(sizes)
    starts = torch.ones_like(column, dtype=torch.bool)
    starts[1:] = column[1:] != column[:-1]
    before_tp, before_fp = (torch.where(starts, 0, torch.cat([v[:1] * 0, v[:-1]])) for v in (tp, fp))
    area = 0.5 * (fp - before_fp).double() * (tp + before_tp).double()
    precisions = (tp - before_tp).double() * (tp.double() / (tp + fp).double())
    areas.zero_()
    for i, value in enumerate((tp - before_tp, fp - before_fp, area, precisions)):
        if i < 3 or precision:
            areas[:, i] = torch.zeros_like(areas[:, i]).index_add(0, column, value.double())


def _fake(*_: object) -> None:
    pass


sort_scores_ = define(SORT_SCHEMA, sort_scores_body, _fake, ("cpu",))
curve_blocks_ = define(BLOCKS_SCHEMA, curve_blocks_body, _fake, ("cpu",))
curve_points_ = define(POINTS_SCHEMA, curve_points_body, _fake, ("cpu",))
curve_areas_ = define(AREAS_SCHEMA, curve_areas_body, _fake, ("cpu",))


class _once(Generic[V]):  # noqa: N801 - as a decorator
    """A property that is computed when first asked for.

    ``functools.cached_property`` takes a lock, which a traced function cannot.
    """

    def __init__(self, compute: Callable[[Any], V]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, points: Any, owner: type | None = None) -> V:
        found = self.compute(points)
        if not is_compiling():
            vars(points)[self.compute.__name__] = found
        return found


@dataclass(frozen=True)
class Points:
    """The points of several curves, one curve after the other, thresholds descending.

    Attributes:
        thresholds: ``[P]``.
        tp: ``[P]``, int64, or float64 of weighted scores: positives that reach a threshold.
        fp: ``[P]``: negatives that do.
        sizes: int64 ``[C]``: points of each curve.
        positives: ``[C]``.
        negatives: ``[C]``.
        width: points of each curve if they are at given thresholds, which come in the order in which they were given;
            None if they are at all distinct scores.
    """

    thresholds: Tensor
    tp: Tensor
    fp: Tensor
    sizes: Tensor
    positives: Tensor
    negatives: Tensor
    width: int | None = None

    @property
    def binned(self) -> bool:
        """Whether they are at given thresholds."""
        return self.width is not None

    @_once
    def starts(self) -> Tensor:
        """The first point of each curve, int64 ``[C]``."""
        return self.sizes.cumsum(0) - self.sizes

    @_once
    def rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Thresholds, tp and fp, see :meth:`in_rows`."""
        return self.in_rows(self.thresholds), self.in_rows(self.tp), self.in_rows(self.fp)

    def in_rows(self, values: Tensor) -> Tensor:
        """Values ``[P]`` as ``[C, points]``; shorter curves repeat their last point, and empty ones have zeros."""
        places = self._places
        if places is None:
            return values.view(len(self.sizes), self._width)
        return values[places].masked_fill((self.sizes == 0)[:, None], 0)

    @_once
    def _width(self) -> int:
        return int(self.sizes.max()) if self.width is None else self.width

    @_once
    def _places(self) -> Tensor | None:
        """The points of rows; None if they are those in order."""
        curves, total = len(self.sizes), len(self.thresholds)
        if self._width * curves == total:
            return None
        places = torch.arange(self._width, device=self.sizes.device).minimum((self.sizes - 1).clamp(min=0)[:, None])
        return (self.starts[:, None] + places).clamp(max=total - 1)

    @_once
    def precision(self) -> Tensor:
        """Precision at each point, float64 ``[P]``; 0 / 0 is NaN."""
        return self.tp / (self.tp + self.fp).double()


#: Sorted scores, their labels, their counts and those of their blocks: see :func:`curve_blocks_body`.
SortedScores = tuple[Tensor, Tensor | None, Tensor, Tensor]


class ScorePoints(Points):
    """The points at all distinct scores, which are looked up when they are asked for.

    Args:
        scores: sorted.
    """

    def __init__(self, scores: SortedScores) -> None:
        *_, counts, blocks = scores
        positives = blocks[:, -1, 0]
        known = {"scores": scores, "sizes": counts[:, 1], "positives": positives, "negatives": counts[:, 0] - positives}
        vars(self).update(known)

    scores: SortedScores

    @_once
    def total(self) -> int:
        """How many points there are in all; it waits for the device."""
        return int(self.sizes.sum())

    @_once
    def _three(self) -> tuple[Tensor, Tensor, Tensor]:
        thresholds = self.scores[0].new_empty(self.total)
        tp, fp = (torch.empty(self.total, dtype=torch.int64, device=thresholds.device) for _ in range(2))
        if self.total:
            curve_points_(*self.scores, thresholds, tp, fp)
        return thresholds, tp, fp

    @_once
    def thresholds(self) -> Tensor:
        """``[P]``."""
        return self._three[0]

    @_once
    def tp(self) -> Tensor:
        """int64 ``[P]``."""
        return self._three[1]

    @_once
    def fp(self) -> Tensor:
        """int64 ``[P]``."""
        return self._three[2]


class Sorted:
    """Scores in descending order, column by column.

    Args:
        scores: ``[N, C]``, see :func:`sort_scores_body`.
        labels: int8 ``[N, C]``, or None.
    """

    def __init__(self, scores: Tensor, labels: Tensor | None = None) -> None:
        n, c = scores.shape
        self._values = scores.new_empty(c, n)
        self._labels = None if labels is None else scores.new_empty((c, n), dtype=torch.uint8)
        self._counts = torch.zeros(c, 2, dtype=torch.int64, device=scores.device)
        self._points: ScorePoints | None = None
        if n > 0:
            labels = None if labels is None else labels.contiguous()
            sort_scores_(scores.contiguous(), labels, self._values, self._labels, self._counts)

    def areas(self, precision: bool = False) -> Tensor:
        """See :func:`curve_areas_body`."""
        areas = torch.zeros(len(self._counts), 4, dtype=torch.float64, device=self._values.device)
        if self._values.numel():
            curve_areas_(self._values, self._labels, self._counts, areas, precision)
        return areas

    def points(self) -> Points:
        """The points at all distinct scores."""
        if self._points is None:
            c, n = self._values.shape
            blocks = self._counts.new_zeros(c, -(-n // _BLOCK) + 1, 2)
            if n > 0:
                curve_blocks_(self._values, self._labels, self._counts, blocks)
            self._points = ScorePoints((self._values, self._labels, self._counts, blocks))
        return self._points


class Counted(Sorted):
    """Scores that were counted by their keys.

    Args:
        counts: int64 ``[C, K, 2]``, by the label.
        values: ``[K]``: the scores of the keys; they ascend, but for parts that each have their own order.
        single: bool ``[K]``: whether a key is that of one score only; None if all are.
        parts: sizes of those parts, and the dtype of the scores of each.
        order: in which the scores of a key are taken by :meth:`areas`: 0 for that of equal scores; -1, or 1, for the
            order in which areas are the least, or the greatest.
    """

    def __init__(
        self,
        counts: Tensor,
        values: Tensor,
        single: Tensor | None = None,
        parts: Sequence[tuple[int, torch.dtype]] = (),
        order: int = 0,
    ) -> None:
        if parts:
            found = counts.split([size for size, _ in parts], 1)
            some = [i for i, part in enumerate(found) if bool(part.any())] or [0]
            if len(some) == 1:
                counts, dtype = found[some[0]], parts[some[0]][1]
                values = values.split([size for size, _ in parts])[some[0]].to(dtype)
            else:  # equal scores of several types are one
                values, inverse = values.unique(return_inverse=True)
                merged = counts.new_zeros(counts.shape[0], len(values), 2)
                counts = merged.index_add(1, inverse, counts)
        self._of_keys = counts.flip(1)
        self._above = self._of_keys.cumsum(1)
        self._scores = values.flip(0)
        self._unknown = None if single is None or order == 0 else ~single.flip(0)
        self._order = order

    def areas(self, precision: bool = False) -> Tensor:
        """See :func:`curve_areas_body`.

        The sum of the precisions of ``p`` positives that are found behind ``n`` negatives of their key is ``p`` less
        the sum of ``b / (c + i)`` for i from 1 to p: an integral is a bound of it.
        """
        (fp, tp), (of_fp, of_tp) = self._of_keys.unbind(-1), self._above.unbind(-1)
        areas = torch.zeros(len(fp), 4, dtype=torch.float64, device=fp.device)
        areas[:, 0], areas[:, 1] = tp.sum(1), fp.sum(1)
        twice = fp * (2 * of_tp - tp)
        if self._unknown is not None:
            twice = twice + self._order * self._unknown * fp * tp
        areas[:, 2] = twice.sum(1).double() / 2
        if not precision:
            return areas
        p = tp.double()
        sums = p * (of_tp.double() / (of_tp + of_fp).clamp(min=1).double())
        if self._unknown is not None:
            if self._order > 0:
                extreme = p * (of_tp.double() / (of_tp + of_fp - fp).clamp(min=1).double())
            else:
                extreme = p - of_fp.double() * torch.log1p(p / ((of_tp - tp + of_fp).double() + 0.5))
            sums = torch.where(self._unknown, extreme, sums)
        areas[:, 3] = sums.sum(1)
        return areas

    def points(self) -> Points:
        """The points at all keys that scores have."""
        found = self._of_keys.any(-1)
        fp, tp = (of[found] for of in self._above.unbind(-1))
        thresholds = self._scores.expand(found.shape)[found]
        negatives, positives = self._above[:, -1].unbind(-1)
        return Points(thresholds, tp, fp, found.sum(1), positives, negatives)


def binned_points(histogram: Tensor, thresholds: Tensor, order: Tensor) -> Points:
    """The points at given thresholds.

    Args:
        histogram: int64 or float64 ``[C, T + 1, 2]``, see :func:`fastmetrics.passes.scores.score_histogram_body`.
        thresholds: ``[T]``, in the order in which they were given.
        order: int64 ``[T]``: of the points, the indices of the ascending cuts.
    """
    above = histogram.flip(1).cumsum(1).flip(1)
    fp, tp = above[:, 1:].index_select(1, order).unbind(-1)
    negatives, positives = above[:, 0].unbind(-1)
    c, t = tp.shape
    sizes = torch.full((c,), t, dtype=torch.int64, device=tp.device)
    return Points(thresholds.repeat(c), tp.reshape(-1), fp.reshape(-1), sizes, positives, negatives, width=t)
