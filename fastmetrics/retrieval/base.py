# SPDX-License-Identifier: Apache-2.0
"""What the metrics of retrieval share."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics import arguments
from fastmetrics.docstrings import Documented, Value
from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction, aggregate, counted, mean_of_sums
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.passes.queries import TIES, Asked, Measured, Rankings
from fastmetrics.statistics.base import Statistics
from fastmetrics.statistics.queries import COUNTS, QueryDocuments, QuerySums


class RetrievalMetric(Documented, StatisticMetric):
    """A measure of the documents that were found for queries, of the mean query.

    Documents come in any order and in any batches, on any process: they are kept, 16 bytes each, and sorted once
    for all metrics of a collection. With ``complete`` nothing is kept but sums over queries. Scores are read as
    float32, values are computed in float64 and rounded once.

    Args:
        empty_target_action: the value of a query without relevant documents: ``neg`` 0, ``pos`` 1; ``skip`` leaves it
            out, and if nothing is left the value is 0; ``error`` raises.
        ignore_index: documents whose target is this are left out.
        top_k: how many documents of a query are looked at; None for all. For several numbers there are as many values,
            from one walk.
        aggregation: what is made of the values of all queries: ``mean``, ``median`` (of two the lower), ``min``,
            ``max``, or a function that is called with them, float32 ``(Q,)``, and ``dim=None``.
        ties: the order of documents with equal scores: None as torchmetrics documents it, which is the mean over all
            orders for nDCG and as they come for others; ``first`` as they come; ``trec`` the other way round, as
            trec_eval has them whose names ascend; ``average`` the mean over all orders.
        complete: whether every query is whole within its batch. Then the state is a few sums, whatever there is, and
            ``indexes`` may be left out: each row is a query. The aggregation is the mean.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        preds: scores of a floating type, ``(N, ...)``, or ``(Q, D)`` with the documents of a query in a row.
        target: relevance 0 or 1, of any real type and the same shape; numbers between are partly relevant.
        indexes: int64, the query of each document, any number; of the same shape, or ``(Q,)`` for rows. They may
            be None if ``complete``, and else it is a ``TypeError``.
        weights: ``(N, ...)`` or ``(Q,)`` for rows: what a query counts in the mean and median, finite and at least 0;
            the greatest weight of its documents counts, and a document of weight 0 is left out.
        valid: bool, of such a shape: a document that is not valid, as of padding, is left out.

    Returns:
        float32 ``()``, or ``(K,)`` for several ``top_k``.

    Raises:
        ValueError: an argument, shape or dtype that does not fit; scores that are NaN, or relevance out of range: these
            documents are not counted.
        RuntimeError: inputs on different devices.
    """

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound: float | None = 1.0
    reads_values = True
    inputs_options = ("complete",)

    example_batch: ClassVar[str | tuple[str, ...]] = (
        "torch.tensor([0.2, 0.3, 0.5, 0.1, 0.3, 0.5, 0.2])",
        "torch.tensor([False, False, True, False, True, False, True])",
        "torch.tensor([0, 0, 0, 1, 1, 1, 1])",
    )

    #: What a query without a value lacks.
    lacking: ClassVar[str] = "positive"
    #: The name of the function in torchmetrics, and how the function is shown: the value of its example by options.
    function_name: ClassVar[str]
    function_example: ClassVar[dict[str, Value]]

    def __init__(
        self,
        asked: tuple[Asked, ...],
        how: Measured,
        empty_target_action: str,
        ignore_index: int | None,
        aggregation: Aggregation,
        complete: bool,
        **kwargs: Any,
    ) -> None:
        if empty_target_action not in ("error", "skip", "neg", "pos"):
            raise ValueError(f"Argument `empty_target_action` received a wrong value `{empty_target_action}`.")
        if ignore_index is not None and not isinstance(ignore_index, int):
            raise ValueError("Argument `ignore_index` must be an integer or None.")
        if not (aggregation in ("mean", "median", "min", "max") or callable(aggregation)):
            raise ValueError(
                "Argument `aggregation` must be one of `mean`, `median`, `min`, `max` or a custom callable function"
                f" which takes tensor of values, but got {aggregation}."
            )
        arguments.one_of("complete", complete, (True, False))
        if complete and aggregation != "mean":
            raise ValueError(
                f"With `complete=True` the values of queries are added up: `aggregation` must be `mean`, but got"
                f" {aggregation}."
            )
        statistics: Statistics = QueryDocuments(ignore_index, {how: asked})
        if complete:
            statistics = QuerySums(asked, how, ignore_index)
        super().__init__(statistics, **kwargs)
        self.empty_target_action = empty_target_action
        self.ignore_index = ignore_index
        self.aggregation = aggregation
        self.complete = complete
        self.ties = how.ties
        self._asked = asked
        self._how = how

    def _start(
        self,
        measure: str,
        orders: Sequence[str | None],
        top_k: int | Sequence[int] | None,
        ties: str | None,
        common: tuple[str, int | None, Aggregation, bool],
        exponential: bool = False,
        max_fpr: float | None = None,
        /,
        **kwargs: Any,
    ) -> None:
        """The constructor of metrics of one measure.

        Args:
            measure: one of ``MEASURES``.
            orders: those of documents with equal scores that the metric has.
            top_k: a number, several, or None for all documents.
            ties: one of the ``orders``.
            common: ``empty_target_action``, ``ignore_index``, ``aggregation`` and ``complete``.
            exponential: whether gains are.
            max_fpr: up to which false positive rate; None for all.
            kwargs: those of the class.
        """
        arguments.one_of("ties", ties, tuple(orders))
        ks = tuple(top_k) if isinstance(top_k, Sequence) else (0 if top_k is None else top_k,)
        if not ks or not all(isinstance(k, int) and (k > 0 or top_k is None) for k in ks):
            raise ValueError(
                f"Argument `top_k` has to be a positive integer, several of them, or None, but got {top_k}"
            )
        how = Measured(ties, exponential, 1.0 if max_fpr is None else max_fpr)
        RetrievalMetric.__init__(self, (Asked(measure, ks),), how, *common, **kwargs)
        self.top_k = top_k

    def inputs(  # type: ignore[override]
        self,
        preds: Tensor,
        target: Tensor,
        indexes: Tensor | None = None,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Batch:
        """See the class."""
        if indexes is not None:
            return (preds, target, indexes), weights, valid
        if not self.complete:
            raise TypeError(
                f"{self._label()}: expected `indexes` to be a tensor, but got None: without them, rows are queries, for"
                " a metric with `complete=True`."
            )
        return (preds, target), weights, valid

    def _report(self, faults: list[int], label: str) -> None:
        raise ValueError(f"{label}: {self._statistics.explain_faults(faults)}. They were not counted.")

    # Values.

    def _of_queries(
        self, indexes: Tensor, preds: Tensor, target: Tensor, weight_indexes: Tensor, weights: Tensor
    ) -> tuple[list[Tensor], Tensor | None, Tensor]:
        """The measures of each query that counts, ``[Q, K]``; their weights, or None; and which queries they are."""
        ranked = _rank(indexes, preds, target, weight_indexes, weights)
        found, (documents, relevance) = ranked.values_of(self._asked, self._how)
        empty = relevance == 0 if self.lacking == "positive" else relevance == documents
        values, amount, kept = counted(found, ranked.amount, empty, self.empty_target_action, self.lacking)
        return values, amount, ranked.ids[kept]

    def _asked_together(self) -> tuple[Asked, ...]:
        """What is asked for of the same documents in the same way, by this metric and others of its collection."""
        statistics = self._reader.accumulator.statistics
        return statistics.asked[self._how] if isinstance(statistics, QueryDocuments) else self._asked

    def _aggregated(self, statistics: dict[str, Tensor], curve: bool = False) -> list[Tensor]:
        """One number of each measure and k, ``[K]``, float64."""
        if not self.complete and self.aggregation != "mean":
            values, weights, _ = self._of_queries(**statistics)
            if weights is not None and callable(self.aggregation):
                raise ValueError(f"{self._label()}: a function as `aggregation` takes no `weights`.")
            return [aggregate(each, weights, self.aggregation, curve) for each in values]
        empty = self.empty_target_action, self.lacking
        if not self.complete:
            return _rank(**statistics).means_of(self._asked, self._how, self._asked_together(), empty)
        counts = [statistics[name] for name in COUNTS]
        return [_mean(statistics[each.measure], counts, empty) for each in self._asked]

    def formula(self, **statistics: Tensor) -> Tensor:
        """The value, from documents or from sums."""
        (value,) = self._aggregated(statistics)
        return self._shown(value).to(self._dtype)

    def _shown(self, value: Tensor) -> Tensor:
        """Values at each k, ``[..., K]``, without that dimension if only one k was asked for."""
        top_k = getattr(self, "top_k", None)
        return value if isinstance(top_k, Sequence) else value.squeeze(-1)

    def per_query(self) -> tuple[Tensor, ...]:
        """The value of each query, over all processes.

        Returns:
            The queries, int64 ``(Q,)``, ascending, and their values, float32 ``(Q,)``, or ``(Q, K)`` for several
            ``top_k``. A query that ``empty_target_action`` skips is left out. A curve has two such values.

        Raises:
            ValueError: with ``complete=True``, where the values of queries are not kept.

        Example:
            >>> import torch
            >>> from fastmetrics.retrieval import RetrievalMRR
            >>> metric = RetrievalMRR()
            >>> metric.update(torch.tensor([0.1, 0.9, 0.4]), torch.tensor([1, 0, 1]), torch.tensor([7, 7, 3]))
            >>> metric.per_query()
            (tensor([3, 7]), tensor([1.0000, 0.5000]))
        """
        if self.complete:
            raise ValueError(f"{self._label()}: with `complete=True` the values of queries are not kept.")
        with self.sync_context(
            dist_sync_fn=self.dist_sync_fn,
            should_sync=self._to_sync and not self._is_synced,
            should_unsync=self._should_unsync,
        ):
            part = self._reader.part()
            self._raise_faults(part.faults)
            values, _, ids = self._of_queries(**part.finals(self._device))
            return ids.clone(), *(self._shown(each).to(self._dtype) for each in values)


class TopKMetric(RetrievalMetric):
    """One measure of the first k documents of queries."""

    #: Which one, and the orders of documents with equal scores that it has.
    measure: ClassVar[str]
    orders: ClassVar[tuple[str | None, ...]] = TIES

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        top_k: int | Sequence[int] | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        common = empty_target_action, ignore_index, aggregation, complete
        self._start(self.measure, self.orders, top_k, ties, common, **kwargs)


class _Ranked(Rankings):
    """Rankings that remember what was measured of them.

    Attributes:
        amount: the weights of the queries, or None.
    """

    def __init__(self, indexes: Tensor, preds: Tensor, target: Tensor, weight_indexes: Tensor, weights: Tensor) -> None:
        super().__init__(indexes, preds, target)
        self.amount = self.weights(weight_indexes, weights)
        self._sums: dict[Any, tuple[list[int], Tensor, Sequence[Tensor]]] = {}
        self._means: dict[Any, dict[Asked, Tensor]] = {}

    def values_of(self, asked: tuple[Asked, ...], how: Measured) -> tuple[list[Tensor], Tensor]:
        """See :meth:`values`."""
        return self.values(self.sized(asked), how)

    def means_of(
        self, asked: tuple[Asked, ...], how: Measured, together: tuple[Asked, ...], empty: tuple[str, str]
    ) -> list[Tensor]:
        """The mean of each that is asked for, float64 ``[K]``; one walk serves all ``together``. See :func:`_mean`."""
        key = how, together, empty
        if key not in self._means:
            if (how, together) not in self._sums:
                sized = self.sized(together)
                sums, counts = self.sums(sized, how, self.amount)
                self._sums[how, together] = [len(each.ks) for each in sized], sums, counts.unbind()
            sizes, sums, of_queries = self._sums[how, together]
            means = _mean(sums, of_queries, empty).split(sizes)
            self._means[key] = dict(zip(together, means, strict=True))
        return [self._means[key][each] for each in asked]


def _mean(total: Tensor, counts: Sequence[Tensor], empty: tuple[str, str]) -> Tensor:
    """The mean of values whose sum is given, see :func:`mean_of_sums`, by what queries without a value are and lack."""
    queries, without_relevant, without_irrelevant = counts
    return mean_of_sums(total, queries, without_relevant if empty[1] == "positive" else without_irrelevant, *empty)


def _rank(indexes: Tensor, preds: Tensor, target: Tensor, weight_indexes: Tensor, weights: Tensor) -> _Ranked:
    """Sorted documents. Metrics that are given the same ones, as those of a collection are, have one sort."""
    given = indexes, preds, target, weight_indexes, weights
    if is_compiling() or preds.is_inference():  # which have no version
        return _Ranked(*given)
    last = _last.get("rank")
    versions = [value._version for value in given]
    if last is not None and last[0]() is preds and last[1] == versions:
        return last[2]
    found = _Ranked(*given)
    _last["rank"] = weakref.ref(preds, lambda _: _last.clear()), versions, found
    return found


# The scores that were sorted last, the versions of all that was, and what came of them; gone with the scores.
_last: dict[str, tuple[weakref.ref[Tensor], list[int], _Ranked]] = {}
