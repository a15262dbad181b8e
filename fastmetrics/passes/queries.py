# SPDX-License-Identifier: Apache-2.0
"""The passes of retrieval: documents that were scored for queries, sorted, and the values of every query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics import tensors
from fastmetrics.native.operators import constant_in_graphs, define
from fastmetrics.native.transforms import suspended
from fastmetrics.passes.faults import bad_weights, record_faults

KEEP_SCHEMA = (
    "keep_documents_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor(a!) scores, "
    "Tensor(b!) relevance, Tensor(c!)? faults, int ignore_index, bool has_ignore_index, bool binary) -> ()"
)
SORT_SCHEMA = (
    "sort_queries_(Tensor indexes, Tensor scores, Tensor relevance, Tensor(a!) ids, Tensor(b!) starts, "
    "Tensor(c!) sorted_scores, Tensor(d!) sorted_relevance, Tensor(e!) counts) -> ()"
)
VALUES_SCHEMA = (
    "query_values_(Tensor scores, Tensor relevance, Tensor starts, Tensor measures, Tensor ks, "
    "Tensor(a!) values, Tensor(b!) totals, int ties, bool exponential, float max_fpr) -> ()"
)
RANKING_SUMS_SCHEMA = (
    "ranking_sums_(Tensor scores, Tensor relevance, Tensor starts, Tensor? weights, Tensor measures, Tensor ks, "
    "Tensor(a!) sums, Tensor(b!) counts, int ties, bool exponential, float max_fpr) -> ()"
)
SUMS_SCHEMA = (
    "query_sums_(Tensor preds, Tensor target, Tensor? indexes, Tensor? valid, Tensor? weights, "
    "Tensor measures, Tensor ks, Tensor(a!) sums, Tensor(b!) counts, Tensor(c!)? faults, int ties, bool exponential, "
    "float max_fpr, int ignore_index, bool has_ignore_index, bool binary) -> ()"
)

#: In the order of their numbers; see :func:`query_values_body`.
MEASURES = (
    "precision",
    "adaptive_precision",
    "recall",
    "hit_rate",
    "fall_out",
    "average_precision",
    "reciprocal_rank",
    "r_precision",
    "curve_precision",
    "adaptive_curve_precision",
    "curve_recall",
    "normalized_dcg",
    "auroc",
)
#: In the order of their numbers; see :func:`query_values_body`.
TIES = (None, "first", "trec", "average")


def keep_documents_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    scores: Tensor,
    relevance: Tensor,
    faults: Tensor | None,
    ignore_index: int,
    has_ignore_index: bool,
    binary: bool,
) -> None:
    """Write the documents that count.

    A document counts that is ``valid``, whose relevance is not ``ignore_index`` and whose weight is not 0. One whose
    weight is negative or not finite, whose score is NaN, or whose relevance is negative, not finite in float32 or, if
    ``binary``, above 1, does not count and goes to ``faults``: as a bad weight; else its place as a bad prediction, and
    the bits of its relevance, float64, as a bad target.

    Args:
        preds: scores f16/bf16/f32/f64 ``[R, D]``, N in all.
        target: relevance of any real dtype ``[R, D]``.
        valid: bool ``[R, D]``; None if all are.
        weights: float64 ``[R, D]``; None for ones.
        scores: float32 ``[N]``; NaN for a document that does not count.
        relevance: float32 ``[N]``; 0 for such a one.
        faults: int64 ``[FAULTS]``.
        ignore_index: a relevance.
        has_ignore_index: whether there is one.
        binary: whether relevance is at most 1.
    """
    score, given = preds.detach().reshape(-1).float(), target.detach().reshape(-1).double()
    relevant = given.float()
    kept = torch.ones_like(score, dtype=torch.bool) if valid is None else valid.reshape(-1)
    if has_ignore_index:
        kept = kept & (given != ignore_index)
    if weights is not None:
        weights = weights.reshape(-1)
        kept = kept & ~bad_weights(faults, weights, kept) & (weights > 0)
    fits = (relevant >= 0) & (relevant <= (1.0 if binary else torch.finfo(torch.float32).max))
    record_faults(faults, 0, kept & ~fits, given)
    record_faults(faults, 2, kept & score.isnan(), torch.arange(len(score), device=score.device))
    counts = kept & fits  # a score that is NaN says so itself
    scores.copy_(torch.where(counts, score, torch.nan))
    relevance.copy_(torch.where(counts & ~score.isnan(), relevant, 0.0))


def sort_queries_body(
    indexes: Tensor,
    scores: Tensor,
    relevance: Tensor,
    ids: Tensor,
    starts: Tensor,
    sorted_scores: Tensor,
    sorted_relevance: Tensor,
    counts: Tensor,
) -> None:
    """Sort documents by query, those of a query by descending score, those of equal scores as they came.

    Args:
        indexes: int64 ``[N]``, the query of each document.
        scores: float32 ``[N]``; this and the next are what :func:`keep_documents_body` wrote.
        relevance: float32 ``[N]``.
        ids: int64 ``[N]``, of which the first Q are written: the queries with documents, ascending.
        starts: int64 ``[N + 1]``, of which the first Q + 1 are written: where the documents of a query begin.
        sorted_scores: float32 ``[N]``, of which the first M are written.
        sorted_relevance: likewise.
        counts: int64 ``[2]``: Q, and M, the number of documents that count.
    """
    place = (~scores.isnan()).nonzero().squeeze(1)
    place = place[scores[place].sort(descending=True, stable=True).indices]
    order = place[indexes[place].sort(stable=True).indices]
    query, m = indexes[order], len(order)
    begins = torch.ones_like(query, dtype=torch.bool)
    begins[1:] = query[1:] != query[:-1]
    first = begins.nonzero().squeeze(1)
    q = len(first)
    ids[:q], starts[:q], starts[q] = query[first], first, m
    sorted_scores[:m], sorted_relevance[:m] = scores[order], relevance[order]
    counts[0], counts[1] = q, m


def query_values_body(
    scores: Tensor,
    relevance: Tensor,
    starts: Tensor,
    measures: Tensor,
    ks: Tensor,
    values: Tensor,
    totals: Tensor,
    ties: int,
    exponential: bool,
    max_fpr: float,
) -> None:
    """Write measures of each query, of n documents, each at some k.

    With ``hits`` for the sum of the relevance of the first k documents, ``retrieved`` for that of those with a score
    above 0 among them, and ``total`` for that of all:

    - ``precision``: retrieved / k; ``adaptive_precision``: retrieved / min(k, n); ``recall``: retrieved / total;
    - ``hit_rate``: whether hits is above 0; ``fall_out``: (min(k, n) - hits) / (n - total);
    - ``average_precision``: the mean, over the relevant documents among the first k with a score above 0, of the share
      of relevant documents up to there; ``reciprocal_rank``: 1 / the place of the first of them;
    - ``r_precision``: the relevance of the first R documents / R, where R documents are relevant;
    - ``curve_precision``: hits / k; ``adaptive_curve_precision``: hits / min(k, n); ``curve_recall``: hits / total;
    - ``normalized_dcg``: the gains of the first k documents, divided by log2(place + 1), relative to those of the best
      order;
    - ``auroc``: the area under the ROC curve of the first k documents, of which those with relevance 1 are positive;
      0 if they are all alike.

    What would be divided by 0 is 0.

    Args:
        scores: float32 ``[M]``; this and the next two are what :func:`sort_queries_body` wrote.
        relevance: float32 ``[M]``.
        starts: int64 ``[Q + 1]``.
        measures: int64 ``[R]``, places in ``MEASURES``; those of one measure are best neighbours, with ascending k.
        ks: int64 ``[R]``, the k of each of them; 0 for all documents of a query.
        values: float64 ``[Q, R]``.
        totals: float64 ``[2, Q]``: n, and total.
        ties: the order of documents with equal scores, a place in ``TIES``: as they came, or the last one first, or the
            mean over all orders of each sum; None is the mean for ``normalized_dcg``, and else as they came.
        exponential: whether the gain of a document is 2^relevance - 1, or its relevance.
        max_fpr: up to which false positive rate the area counts; below 1 it is standardised as by McClish.
    """
    flat = _Flat(scores, starts)
    r = relevance.double()
    if TIES[ties] == "trec":
        r = flat.reversed_ties(r)
    gains = r.exp2() - 1 if exponential else r
    averaged = flat.mean_of_ties(gains) if TIES[ties] in (None, "average") else gains
    discounts = (flat.place + 2).log2()
    discounted, ideal = averaged / discounts, gains[flat.best(r)] / discounts
    each = flat.mean_of_ties(r) if TIES[ties] == "average" else r
    is_relevant = r > 0
    total, relevant = flat.first(r, flat.sizes), flat.first(is_relevant, flat.sizes).to(torch.int64)
    totals[0], totals[1] = flat.sizes, total
    scored = flat.first(scores > 0, flat.sizes).to(torch.int64)
    precisions = torch.where(is_relevant, flat.found(is_relevant) / (flat.place + 1), 0.0)
    found_at = torch.where(is_relevant & (scores > 0), flat.place, torch.inf)
    place = torch.full_like(total, torch.inf).scatter_reduce(0, flat.query, found_at, "amin")

    def at(asked: Tensor) -> dict[str, Callable[[], Tensor]]:
        seen = torch.minimum(flat.sizes, asked)
        with_score = torch.minimum(seen, scored)
        hits, retrieved = flat.first(each, seen), flat.first(each, with_score)
        return {
            "precision": lambda: _ratio(retrieved, asked),
            "adaptive_precision": lambda: _ratio(retrieved, seen),
            "recall": lambda: _ratio(retrieved, total),
            "hit_rate": lambda: hits > 0,
            "fall_out": lambda: _ratio(seen - hits, flat.sizes - total),
            "average_precision": lambda: _ratio(
                flat.first(precisions, with_score), flat.first(is_relevant, with_score)
            ),
            "reciprocal_rank": lambda: torch.where(place < seen, 1 / (place + 1), 0.0),
            "r_precision": lambda: _ratio(flat.first(each, relevant), relevant),
            "curve_precision": lambda: _ratio(hits, asked),
            "adaptive_curve_precision": lambda: _ratio(hits, seen),
            "curve_recall": lambda: _ratio(hits, total),
            "normalized_dcg": lambda: _ratio(flat.first(discounted, seen), flat.first(ideal, seen)),
            "auroc": lambda: flat.area(r >= 1, seen, max_fpr),
        }

    known = {k: at(torch.full_like(flat.sizes, k) if k else flat.sizes) for k in set(ks.tolist())}
    for i, (measure, k) in enumerate(zip(measures.tolist(), ks.tolist(), strict=True)):
        values[:, i] = known[k][MEASURES[measure]]()


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole, 0.0)


class _Flat:
    """Sums over sorted documents, float64.

    Args:
        scores: ``[M]``.
        starts: ``[Q + 1]``.
    """

    def __init__(self, scores: Tensor, starts: Tensor) -> None:
        self.sizes, self.begins = starts.diff(), starts[:-1]
        self.index = torch.arange(len(scores), device=scores.device)
        queries = torch.arange(len(self.sizes), device=scores.device)
        self.query = queries.repeat_interleave(self.sizes, output_size=len(scores))
        self.place = (self.index - self.begins[self.query]).double()
        opens = torch.ones_like(self.query, dtype=torch.bool)
        opens[1:] = (scores[1:] != scores[:-1]) | (self.query[1:] != self.query[:-1])
        self.run = opens.cumsum(0) - 1  # of equal scores
        self.lengths = self.by_run(torch.ones_like(scores))
        self.run_begins = (self.lengths.cumsum(0) - self.lengths).to(torch.int64)

    def by_run(self, of_documents: Tensor) -> Tensor:
        """The sum of each run, ``[M]``, of which the last may be of none."""
        return torch.zeros_like(self.place).index_add(0, self.run, of_documents.double())

    def mean_of_ties(self, of_documents: Tensor) -> Tensor:
        """The mean of the run of each document."""
        return (self.by_run(of_documents) / self.lengths)[self.run]

    def reversed_ties(self, of_documents: Tensor) -> Tensor:
        """The same in reverse within each run."""
        last = self.run_begins[self.run] + self.lengths[self.run].to(torch.int64) - 1
        return of_documents[last - self.index + self.run_begins[self.run]]

    def best(self, of_documents: Tensor) -> Tensor:
        """The places of the documents of each query in their best order."""
        order = of_documents.sort(descending=True, stable=True).indices
        return order[self.query[order].sort(stable=True).indices]

    def first(self, of_documents: Tensor, numbers: Tensor) -> Tensor:
        """The sum over so many documents of each query, ``[Q]``."""
        counted = torch.where(self.place < numbers[self.query], of_documents.double(), 0.0)
        return torch.zeros_like(numbers, dtype=torch.float64).index_add(0, self.query, counted)

    def before(self, marked: Tensor) -> Tensor:
        """How many documents before those of each query are marked, ``[Q]``."""
        return torch.cat([self.index.new_zeros(1), marked.cumsum(0)])[self.begins]

    def found(self, marked: Tensor) -> Tensor:
        """How many documents of its query up to each one are marked."""
        return marked.cumsum(0) - self.before(marked)[self.query]

    def area(self, positive: Tensor, numbers: Tensor, max_fpr: float) -> Tensor:
        """The area under the ROC curve of so many documents of each query, ``[Q]``."""
        inside = self.place < numbers[self.query]
        positive, negative = inside & positive, inside & ~positive
        tp, fp = self.by_run(positive), self.by_run(negative)
        positives, negatives = self.first(positive, numbers), self.first(negative, numbers)
        query = self.query[self.run_begins.clamp(max=max(len(self.index) - 1, 0))]
        tp_before = tp.cumsum(0) - tp - self.before(positive)[query]
        fp_before = fp.cumsum(0) - fp - self.before(negative)[query]
        taken = torch.minimum(fp, max_fpr * negatives[query] - fp_before).clamp(min=0)
        share = taken * (tp_before + 0.5 * tp * _ratio(taken, fp))
        area = _ratio(torch.zeros_like(positives).index_add(0, query, share), positives * negatives)
        if max_fpr < 1:
            least = 0.5 * max_fpr**2
            area = 0.5 * (1 + (area - least) / (max_fpr - least))
        return torch.where((positives > 0) & (negatives > 0), area, 0.0)


def ranking_sums_body(
    scores: Tensor,
    relevance: Tensor,
    starts: Tensor,
    weights: Tensor | None,
    measures: Tensor,
    ks: Tensor,
    sums: Tensor,
    counts: Tensor,
    ties: int,
    exponential: bool,
    max_fpr: float,
) -> None:
    """Add queries to the sums of their measures.

    Args:
        scores: this and the next two are those of :func:`query_values_body`; each query has documents.
        relevance: see there.
        starts: see there.
        weights: float64 ``[Q]``; None for ones.
        measures: int64 ``[R]``; this, the next and the last three are those of :func:`query_values_body`.
        ks: int64 ``[R]``.
        sums: float64 ``[R]``.
        counts: float64 ``[3]``: how many queries there are; how many of them have no relevance; and how many have no
            documents whose relevance is not 1.
        ties: see there.
        exponential: see there.
        max_fpr: see there.

    The native kernel adds in an order that depends on the sizes alone.
    """
    queries = len(starts) - 1
    values = torch.empty(queries, len(ks), dtype=torch.float64, device=scores.device)
    totals = values.new_empty(2, queries)
    query_values_body(scores, relevance, starts, measures, ks, values, totals, ties, exponential, max_fpr)
    amount = torch.ones_like(totals[0]) if weights is None else weights
    sums += (values * amount.unsqueeze(1)).sum(0)
    none = [torch.where(lacks, amount, 0.0).sum() for lacks in (totals[1] == 0, totals[0] == totals[1])]
    counts += torch.stack([amount.sum(), *none])


def query_sums_body(
    preds: Tensor,
    target: Tensor,
    indexes: Tensor | None,
    valid: Tensor | None,
    weights: Tensor | None,
    measures: Tensor,
    ks: Tensor,
    sums: Tensor,
    counts: Tensor,
    faults: Tensor | None,
    ties: int,
    exponential: bool,
    max_fpr: float,
    ignore_index: int,
    has_ignore_index: bool,
    binary: bool,
) -> None:
    """Add queries, all of whose documents are here, to the sums of their measures.

    A query counts that has a document that does, see :func:`keep_documents_body`; its weight is the greatest of those
    of these documents.

    Args:
        preds: scores f16/bf16/f32/f64 ``[R, D]``.
        target: relevance of any real dtype, of the same shape.
        indexes: int64 ``[R * D]``, the query of each document; None if queries are rows.
        valid: bool, of the shape of ``target``; None if all are.
        weights: float64, of that shape; None for ones.
        measures: this and the next three are those of :func:`ranking_sums_body`.
        ks: see there.
        sums: see there.
        counts: see there.
        faults: int64 ``[FAULTS]``.
        ties: this and the next two are those of :func:`ranking_sums_body`.
        exponential: see there.
        max_fpr: see there.
        ignore_index: this and the next two are those of :func:`keep_documents_body`.
        has_ignore_index: see there.
        binary: see there.

    The native kernel adds in an order that depends on the sizes alone.
    """
    rows, documents = preds.shape
    scores, relevance = (torch.empty(rows * documents, device=preds.device) for _ in range(2))
    rules = faults, ignore_index, has_ignore_index, binary
    keep_documents_body(preds, target, valid, weights, scores, relevance, *rules)
    if indexes is None:
        indexes = torch.arange(rows, device=preds.device).repeat_interleave(documents)
    found = Rankings(indexes, scores, relevance, True)
    amount = None
    if weights is not None:
        counted = ~scores.isnan()
        place = torch.searchsorted(found.ids, indexes[counted])
        amount = torch.zeros_like(found.ids, dtype=torch.float64)
        amount = amount.scatter_reduce(0, place, weights.reshape(-1)[counted], "amax")
    given = found.scores, found.relevance, found.starts, amount, measures, ks, sums, counts
    ranking_sums_body(*given, ties, exponential, max_fpr)


def _fake(*_: object) -> None:
    pass


keep_documents_ = define(KEEP_SCHEMA, keep_documents_body, _fake, ("cpu",), library="documents")
sort_queries_ = define(SORT_SCHEMA, sort_queries_body, _fake, ("cpu",), library="documents")
query_values_ = define(VALUES_SCHEMA, query_values_body, _fake, ("cpu",), library="documents")
ranking_sums_ = define(RANKING_SUMS_SCHEMA, ranking_sums_body, _fake, ("cpu",), library="documents")
query_sums_ = define(SUMS_SCHEMA, query_sums_body, _fake, ("cpu",), library="documents")


class Measured(NamedTuple):
    """How queries are measured; see :func:`query_values_body`.

    Attributes:
        ties: one of ``TIES``.
        exponential: whether gains are.
        max_fpr: up to which false positive rate.
    """

    ties: str | None = None
    exponential: bool = False
    max_fpr: float = 1.0

    @property
    def options(self) -> tuple[int, bool, float]:
        """The last arguments of the passes."""
        return TIES.index(self.ties), self.exponential, self.max_fpr


class Asked(NamedTuple):
    """A measure at some numbers of documents.

    Attributes:
        measure: one of ``MEASURES``.
        ks: 0 for all documents of a query; none of them for each number up to that of the greatest query.
    """

    measure: str
    ks: tuple[int, ...] = (0,)


class Rankings:
    """The documents of queries, sorted; see :func:`sort_queries_body`.

    Args:
        indexes: this and the next two as there.
        scores: see there.
        relevance: see there.
        by_body: whether torch operations are to do it, whatever kernels there are.

    Attributes:
        ids: int64 ``[Q]``.
        starts: int64 ``[Q + 1]``.
        scores: float32 ``[M]``.
        relevance: float32 ``[M]``.
    """

    def __init__(self, indexes: Tensor, scores: Tensor, relevance: Tensor, by_body: bool = False) -> None:
        n = len(indexes)
        given = [value.contiguous() for value in (indexes, scores, relevance)]
        ids, starts = indexes.new_empty(n), indexes.new_empty(n + 1)
        found = [torch.empty_like(value) for value in given[1:]]
        counts = indexes.new_zeros(2)
        sort: Callable[..., None] = sort_queries_body if by_body else sort_queries_
        sort(*given, ids, starts, *found, counts)
        queries, documents = counts.tolist()
        self.ids, self.starts = ids[:queries], starts[: queries + 1]
        self.scores, self.relevance = (value[:documents] for value in found)

    def sized(self, asked: Iterable[Asked]) -> tuple[Asked, ...]:
        """The same at known numbers of documents."""
        each = tuple(asked)
        if all(one.ks for one in each):
            return each
        most = int(self.starts.diff().amax()) if len(self.ids) else 0
        return tuple(one if one.ks else one._replace(ks=tuple(range(1, most + 1))) for one in each)

    def values(self, asked: tuple[Asked, ...], how: Measured) -> tuple[list[Tensor], Tensor]:
        """The values of each that is asked for, float64 ``[Q, K]``, and the totals; see :func:`query_values_body`.

        This and the next are asked for what :meth:`sized` gave.
        """
        rows = rows_of(asked, self.scores.device)
        values = torch.empty(len(self.ids), len(rows[0]), dtype=torch.float64, device=self.scores.device)
        totals = values.new_empty(2, len(self.ids))
        query_values_(self.scores, self.relevance, self.starts, *rows, values, totals, *how.options)
        return list(values.split([len(each.ks) for each in asked], 1)), totals

    def sums(self, asked: tuple[Asked, ...], how: Measured, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        """The sums of all values that are asked for, float64 ``[R]``, and the counts; see :func:`ranking_sums_body`."""
        rows = rows_of(asked, self.scores.device)
        sums = torch.zeros(len(rows[0]), dtype=torch.float64, device=self.scores.device)
        counts = sums.new_zeros(3)
        ranking_sums_(self.scores, self.relevance, self.starts, weights, *rows, sums, counts, *how.options)
        return sums, counts

    def weights(self, indexes: Tensor, weights: Tensor) -> Tensor | None:
        """The weight of each query: the greatest of those that it has, or 1; None if no query has any.

        Args:
            indexes: int64 ``[W]``, queries.
            weights: float64 ``[W]``.
        """
        if not len(indexes):
            return None
        ids = torch.cat([self.ids, self.ids.new_zeros(1)])  # with one for those of queries without documents
        place = torch.searchsorted(self.ids, indexes)
        place = torch.where(ids[place] == indexes, place, len(self.ids))
        given = torch.full(ids.shape, -1.0, dtype=torch.float64, device=weights.device)
        given = given.scatter_reduce(0, place, weights, "amax")[:-1]
        return torch.where(given < 0, 1.0, given)


_known: dict[Any, tuple[Tensor, Tensor]] = {}


def rows_of(asked: tuple[Asked, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Measures and numbers of documents as the passes take them; those of a device are made once."""
    return _rows(tuple(map(tuple, asked)), device.type, device.index)  # type: ignore[no-any-return]


@constant_in_graphs
def _rows(asked: tuple[tuple[str, tuple[int, ...]], ...], device: str, index: int | None) -> tuple[Tensor, Tensor]:
    key = asked, device, index
    if key not in _known:
        with suspended(), tensors.ordinary():
            where = torch.device(device) if index is None else torch.device(device, index)
            measures = [MEASURES.index(measure) for measure, ks in asked for _ in ks]
            numbers = [k for _, ks in asked for k in ks]
            _known[key] = (
                torch.tensor(measures, dtype=torch.int64, device=where),
                torch.tensor(numbers, dtype=torch.int64, device=where),
            )
    return _known[key]
