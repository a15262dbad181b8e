# SPDX-License-Identifier: Apache-2.0
"""What curves are formulas of: at each threshold, how many positive and negative scores reach it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics import tensors
from fastmetrics.native.memory import empty
from fastmetrics.native.operators import define, eager_on_cpu, in_threads
from fastmetrics.native.transforms import looks, samples

V = TypeVar("V")

SORT_SCHEMA = (
    "sort_scores_(Tensor scores, Tensor? labels, Tensor(a!) values, Tensor(b!)? sorted_labels, Tensor(c!) counts,"
    " Tensor(d!) blocks, Tensor(e!) areas) -> ()"
)
KEYS_SCHEMA = "score_keys_(Tensor scores, Tensor(a!) keys, Tensor(b!) ends) -> ()"
LABELLED_SCHEMA = (
    "sort_labelled_(Tensor scores, Tensor labels, Tensor(a!) values, Tensor(b!) sorted_labels, Tensor(c!) counts) -> ()"
)
WALK_SCHEMA = (
    "walk_scores_(Tensor(a!) values, Tensor? labels, Tensor(b!) counts, Tensor(c!) blocks, Tensor(d!) areas, bool keys)"
    " -> ()"
)
SORTED = "Tensor values, Tensor? labels, Tensor counts, Tensor blocks"
PRECISIONS_SCHEMA = f"sum_precisions_({SORTED}, Tensor(a!) sums) -> ()"
POINTS_SCHEMA = f"curve_points_({SORTED}, Tensor(a!) thresholds, Tensor(b!) tp, Tensor(c!) fp) -> ()"

_BLOCK = 1024  # rows


def sort_scores_body(
    scores: Tensor,
    labels: Tensor | None,
    values: Tensor,
    sorted_labels: Tensor | None,
    counts: Tensor,
    blocks: Tensor,
    areas: Tensor,
) -> None:
    """Sort the scores of each column, the greatest first, and walk down them.

    Args:
        scores: floating ``[N, C]``, NaN for what does not count; unless there are labels the sign is the label,
            negative for 0, and the score its magnitude. See :func:`fastmetrics.passes.scores.keep_scores_body`.
        labels: int8 ``[N, C]``, -1 for what does not count.
        values: the sorted ``scores``, signs and all, ``[C, N]``; what does not count comes last, and has any value.
        sorted_labels: uint8 ``[C, N]``, if there are labels.
        counts: see :func:`walk_scores_body`; so the next two.
        blocks: see there.
        areas: see there.
    """
    keys = labels is None and eager_on_cpu(scores)
    if keys:
        of_bits = values.view(_INTEGERS[values.itemsize])
        threads = min(torch.get_num_threads(), max(1, scores.numel() // _PER_THREAD))
        ends = counts.new_empty(len(values), 1 if len(values) >= threads else threads)
        score_keys_(scores, of_bits, ends)
        sort_parts(of_bits.numpy().view(f"u{values.itemsize}"), ends, threads)
    elif labels is None or sorted_labels is None:
        order_scores(scores, labels, values, sorted_labels, counts)
    else:
        sort_labelled_(scores, labels, values, sorted_labels, counts)
    walk_scores_(values, sorted_labels, counts, blocks, areas, keys)


_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
_PER_THREAD = 1 << 15  # scores that are worth one


def score_keys_body(scores: Tensor, keys: Tensor, ends: Tensor) -> None:
    """Turn scores whose signs are labels to numbers that can be sorted: the ascending order is that of the curve.

    Args:
        scores: floating ``[N, C]``, NaN for what does not count.
        keys: integers of the size of a score ``[C, N]``, to be read as unsigned ones: the greatest magnitudes are the
            least keys, and NaN has the greatest. Keys of a column may be in any order.
        ends: int64 ``[C, parts]``: where parts of a column end, of which each has greater keys than the one before.
    """
    bits = scores.T.view(keys.dtype)
    sign = (bits >> (8 * keys.itemsize - 1)) & 1
    keys.copy_(torch.where(scores.T.isnan(), -1, ~(bits << 1 | sign) - 1))
    ends.fill_(len(scores))


def sort_parts(keys: NDArray[Any], ends: Tensor, threads: int) -> None:
    """Sort numbers ``[C, N]`` in place, row by row, of which the parts that end at ``ends`` ``[C, parts]`` follow.

    numpy sorts with vectors, and lets other threads run meanwhile.
    """
    if ends.shape[1] == 1:
        parts = np.array_split(keys, threads) if threads > 1 else [keys]
    else:
        columns = zip(keys, ends.tolist(), strict=True)
        parts = [row[a:b] for row, of in columns for a, b in pairwise([0, *of]) if b > a + 1]
        parts.sort(key=len)

    def work() -> None:
        while parts:
            try:
                part = parts.pop()
            except IndexError:  # another thread took it
                return
            part.sort(axis=-1)

    in_threads(work, min(threads, len(parts)))


def sort_labelled_body(scores: Tensor, labels: Tensor, values: Tensor, sorted_labels: Tensor, counts: Tensor) -> None:
    """Sort scores that have labels of their own, and count them: ``counts[:, 0]``.

    Args:
        scores: see :func:`sort_scores_body`; so the others.
        labels: see there.
        values: see there.
        sorted_labels: see there.
        counts: see there.
    """
    order_scores(scores, labels, values, sorted_labels, counts)


def order_scores(
    scores: Tensor, labels: Tensor | None, values: Tensor, sorted_labels: Tensor | None, counts: Tensor
) -> Tensor:
    """Sort scores in torch operations, on any device, see :func:`sort_labelled_body`.

    Returns:
        int64 ``[C, N]``: the place of each of the ``values`` among the scores of its column.
    """
    counted = ~scores.isnan() if labels is None else ~scores.isnan() & (labels >= 0)
    compared = (scores.abs() if labels is None else scores).T
    order = torch.where(counted.T, compared, -torch.inf).sort(dim=1, descending=True, stable=True).indices
    # what does not count stands behind scores of -inf
    order = order.gather(1, (~counted.T.gather(1, order)).to(torch.uint8).sort(dim=1, stable=True).indices)
    values.copy_(scores.T.gather(1, order))
    if labels is not None and sorted_labels is not None:
        values += 0.0  # -0 is 0
        sorted_labels.copy_((labels == 1).T.gather(1, order))
    counts[:, 0] = counted.sum(0)
    return order


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


def walk_scores_body(
    values: Tensor, labels: Tensor | None, counts: Tensor, blocks: Tensor, areas: Tensor, keys: bool
) -> None:
    """Count what sorted scores have above each block of 1024 rows, so that others begin anywhere, and in all.

    Args:
        values: ``[C, N]``, sorted.
        labels: uint8 ``[C, N]``, or None, see :func:`sort_scores_body`.
        counts: int64 ``[C, 2]``: how many scores of a column count, and how many distinct ones those are.
        blocks: int64 ``[C, ceil(N / 1024) + 1, 2]``: the positives before each block, and the points, which are the
            ends of runs of equal scores; the last of them are all.
        areas: float64 ``[C, 3]``: positives; negatives; and the area under true over false positives, by trapezes.
        keys: whether values are keys yet, see :func:`score_keys_body`. They become scores, and how many count is found;
            otherwise it is known.
    """
    n = values.shape[1]
    if keys:
        found = values.view(_INTEGERS[values.itemsize])
        counts[:, 0] = (found != -1).sum(1)
        bits = 8 * values.itemsize - 1
        turned = ~(found + 1)
        found.copy_((turned >> 1) & ((1 << bits) - 1) | turned << bits)
    scores, positive = _read(values, labels)
    counted = torch.arange(n, device=values.device) < counts[:, :1]
    ends = _ends(scores, counts)
    of_rows = torch.stack([positive & counted, ends], -1).cumsum(1, dtype=torch.int64)
    before = torch.nn.functional.pad(of_rows, (0, 0, 1, 0))
    starts = (torch.arange(blocks.shape[1], device=values.device) * _BLOCK).clamp(max=n)
    blocks.copy_(before.index_select(1, starts))
    tp = before[:, -1, 0]
    counts[:, 1] = before[:, -1, 1]
    points = torch.where(ends, torch.arange(1, n + 1, device=values.device), 0)
    of_points = torch.where(ends, of_rows[..., 0], 0)
    rows_before, tp_before = (  # at the point before
        torch.nn.functional.pad(v.cummax(1).values, (1, 0))[:, :-1] for v in (points, of_points)
    )
    twice = (points - rows_before - (of_points - tp_before)) * (of_points + tp_before)
    areas[:, 0], areas[:, 1] = tp, counts[:, 0] - tp
    areas[:, 2] = torch.where(ends, twice, 0).sum(1).double() / 2


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
        blocks: see there.
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


def sum_precisions_body(values: Tensor, labels: Tensor | None, counts: Tensor, blocks: Tensor, sums: Tensor) -> None:
    """The sum over the positives of each column of the precision at their scores.

    Args:
        values: this and the next three are what :func:`sort_scores_body` made.
        labels: see there.
        counts: see there.
        blocks: see there.
        sums: float64 ``[C]``.
    """
    sizes = counts[:, 1]
    points = int(sizes.sum())
    tp, fp = (torch.empty(points, dtype=torch.int64, device=values.device) for _ in range(2))
    curve_points_body(values, labels, counts, blocks, values.new_empty(points), tp, fp)
    column = torch.arange(len(sizes), device=values.device).repeat_interleave(sizes)
    starts = torch.ones_like(column, dtype=torch.bool)
    starts[1:] = column[1:] != column[:-1]
    before = torch.where(starts, 0, torch.cat([tp[:1] * 0, tp[:-1]]))
    precisions = (tp - before).double() * (tp.double() / (tp + fp).double())
    sums.copy_(torch.zeros_like(sums).index_add(0, column, precisions))


def _fake(*_: object) -> None:
    pass


sort_scores_ = define(SORT_SCHEMA, sort_scores_body, _fake, ())
score_keys_ = define(KEYS_SCHEMA, score_keys_body, _fake, ("cpu",), library="scores")
sort_labelled_ = define(LABELLED_SCHEMA, sort_labelled_body, _fake, ("cpu",), library="scores")
walk_scores_ = define(WALK_SCHEMA, walk_scores_body, _fake, ("cpu",), library="scores")
sum_precisions_ = define(PRECISIONS_SCHEMA, sum_precisions_body, _fake, ("cpu",), library="scores")
curve_points_ = define(POINTS_SCHEMA, curve_points_body, _fake, ("cpu",), library="scores")


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


class Classes:
    """The positives and negatives of several curves, ``[C]`` each."""

    positives: Tensor
    negatives: Tensor

    @_once
    def lacks(self) -> tuple[bool, bool]:
        """Whether any curve has no positives, and whether any has no negatives. It waits for the device."""
        both = samples(torch.stack((self.positives, self.negatives), 1))
        positives, negatives = (both <= 0).flatten(0, -2).any(0).tolist()
        return positives, negatives


@dataclass(frozen=True)
class Points(Classes):
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


#: Sorted scores, their labels, their counts and those of their blocks: see :func:`sort_scores_body`.
SortedScores = tuple[Tensor, Tensor | None, Tensor, Tensor]


class ScorePoints(Points):
    """The points at all distinct scores, which are looked up when they are asked for.

    Args:
        scores: sorted.
        lacks: see there, if it is known.
    """

    def __init__(self, scores: SortedScores, lacks: tuple[bool, bool] | None = None) -> None:
        vars(self).update({"scores": scores} if lacks is None else {"scores": scores, "lacks": lacks})

    scores: SortedScores

    @_once
    def _counts(self) -> tuple[Tensor, ...]:
        return self.scores[2].unbind(1)

    @_once
    def sizes(self) -> Tensor:
        """int64 ``[C]``."""
        return self._counts[1]

    @_once
    def positives(self) -> Tensor:
        """int64 ``[C]``."""
        return self.scores[3][:, -1, 0]

    @_once
    def negatives(self) -> Tensor:
        """int64 ``[C]``."""
        return self._counts[0] - self.positives

    @_once
    def total(self) -> int:
        """How many points there are in all; it waits for the device."""
        return int(self.sizes.sum())

    @_once
    def _three(self) -> tuple[Tensor, Tensor, Tensor]:
        thresholds = empty(self.scores[0], self.total)
        tp, fp = (empty(thresholds, self.total, dtype=torch.int64) for _ in range(2))
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


class Sorted(Classes):
    """Scores in descending order, column by column. Nothing that comes of them shares their memory.

    Args:
        scores: ``[N, C]``, see :func:`sort_scores_body`.
        labels: int8 ``[N, C]``, or None.
    """

    def __init__(self, scores: Tensor, labels: Tensor | None = None) -> None:
        n, c = scores.shape
        with tensors.ordinary():  # they outlive the mode
            values = empty(scores, c, n)
        of_values = None if labels is None else scores.new_empty((c, n), dtype=torch.uint8)
        counts = torch.zeros(c, 2, dtype=torch.int64, device=scores.device)
        blocks = counts.new_zeros(c, -(-n // _BLOCK) + 1, 2)
        self._areas = torch.zeros(c, 3, dtype=torch.float64, device=scores.device)
        self._sorted: SortedScores = values, of_values, counts, blocks
        self._points: Points | None = None
        if scores.numel():
            labels = None if labels is None else labels.contiguous()
            sort_scores_(scores.contiguous(), labels, *self._sorted, self._areas)

    def areas(self) -> Tensor:
        """Positives, negatives and the area under their counts, float64 ``[C, 3]``; see :func:`walk_scores_body`."""
        return self._areas

    @_once
    def _three(self) -> tuple[Tensor, ...]:
        return self.areas().unbind(1)

    @_once
    def positives(self) -> Tensor:
        """How many there are in each column, float64 ``[C]``."""
        return self._three[0]

    @_once
    def negatives(self) -> Tensor:
        """How many there are in each column, float64 ``[C]``."""
        return self._three[1]

    @_once
    def area(self) -> Tensor:
        """The one under the counts of both, float64 ``[C]``."""
        return self._three[2]

    def precisions(self) -> Tensor:
        """The sum over positives of the precision at their scores, float64 ``[C]``."""
        sums = torch.zeros(len(self._areas), dtype=torch.float64, device=self._areas.device)
        if self._sorted[0].numel():
            sum_precisions_(*self._sorted, sums)
        return sums

    def points(self) -> Points:
        """The points at all distinct scores."""
        if self._points is None:
            self._points = ScorePoints(self._sorted, self.lacks if looks() else None)
        return self._points


class Counted(Sorted):
    """Scores that were counted by their keys.

    Args:
        counts: int64 ``[C, K, 2]``, by the label; float64 of samples with weights.
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

    def areas(self) -> Tensor:
        """See the base."""
        (fp, tp), (_, of_tp) = self._of_keys.unbind(-1), self._above.unbind(-1)
        twice = fp * (2 * of_tp - tp)
        if self._unknown is not None:
            twice = twice + self._order * self._unknown * fp * tp
        return torch.stack([tp.sum(1).double(), fp.sum(1).double(), twice.sum(1).double() / 2], 1)

    def precisions(self) -> Tensor:
        """See the base.

        The sum of the precisions of ``p`` positives that are found behind ``n`` negatives of their key is ``p`` less
        the sum of ``b / (c + i)`` for i from 1 to p: an integral is a bound of it. Of weighted scores they are weights.
        """
        (fp, tp), (of_fp, of_tp) = self._of_keys.unbind(-1), self._above.unbind(-1)
        p = tp.double()
        sums = p * (of_tp.double() / _or_one(of_tp + of_fp))
        if self._unknown is not None:
            if self._order > 0:
                extreme = p * (of_tp.double() / _or_one(of_tp + of_fp - fp))
            else:
                # a sum of steps of 1 is an integral from half a step on; those of weights may be as small as any
                least = (of_tp - tp + of_fp).double() + (0.0 if tp.is_floating_point() else 0.5)
                extreme = p - of_fp.double() * torch.log1p(p / torch.where(least > 0, least, 1.0))
            sums = torch.where(self._unknown, extreme, sums)
        return sums.sum(1)

    def points(self) -> Points:
        """The points at all keys that scores have."""
        found = self._of_keys.any(-1)
        fp, tp = (of[found] for of in self._above.unbind(-1))
        thresholds = self._scores.expand(found.shape)[found]
        negatives, positives = self._above[:, -1].unbind(-1)
        return Points(thresholds, tp, fp, found.sum(1), positives, negatives)


def _or_one(counts: Tensor) -> Tensor:
    """Counts as float64, and 1 in place of 0."""
    return torch.where(counts == 0, 1, counts).double()


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
