# SPDX-License-Identifier: Apache-2.0
"""How many of the documents that are looked at are relevant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction
from fastmetrics.passes.queries import TIES
from fastmetrics.retrieval.base import RetrievalMetric, TopKMetric


class RetrievalPrecision(RetrievalMetric):
    """Precision: of the first k documents, the share that is relevant.

    Documents with a score of 0 or less are not found.

    Args:
        adaptive_k: whether a query of fewer than k documents is measured at all of them.
    """

    example = {"top_k=2": "0.5000", "top_k=(1, 2, 10), adaptive_k=True": "[0.5000, 0.5000, 0.4167]"}
    function_name = "retrieval_precision"
    function_example = {"": "0.6667", "top_k=2": "0.5000"}

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        top_k: int | Sequence[int] | None = None,
        adaptive_k: bool = False,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(adaptive_k, bool):
            raise ValueError("`adaptive_k` has to be a boolean")
        measure = "adaptive_precision" if adaptive_k else "precision"
        common = empty_target_action, ignore_index, aggregation, complete
        self._start(measure, TIES, top_k, ties, common, **kwargs)
        self.adaptive_k = adaptive_k


class RetrievalRecall(TopKMetric):
    """Recall: of the relevant documents, the share that is among the first k.

    Documents with a score of 0 or less are not found.
    """

    measure = "recall"
    example = {"top_k=2": "0.7500", "top_k=(1, 2, 10)": "[0.5000, 0.7500, 1.0000]"}
    function_name = "retrieval_recall"
    function_example = {"": "1.", "top_k=2": "0.5000"}


class RetrievalFallOut(TopKMetric):
    """Fall-out: of the documents that are not relevant, the share that is among the first k.

    Args:
        empty_target_action: the value of a query that has only relevant documents: ``neg`` 0, ``pos`` 1; ``skip``
            leaves it out, and if nothing is left the value is 0; ``error`` raises.
    """

    higher_is_better = False
    lacking = "negative"
    measure = "fall_out"
    example = {"top_k=2": "0.5000", "top_k=(1, 2, 10)": "[0.2500, 0.5000, 1.0000]"}
    function_name = "retrieval_fall_out"
    function_example = {"top_k=2": "1."}

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "pos",
        ignore_index: int | None = None,
        top_k: int | Sequence[int] | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        common = empty_target_action, ignore_index, top_k, aggregation
        super().__init__(*common, ties=ties, complete=complete, **kwargs)


class RetrievalRPrecision(RetrievalMetric):
    """R-precision: of the first R documents the share that is relevant, where R documents of the query are."""

    example = {"": "0.7500"}
    function_name = "retrieval_r_precision"
    function_example = {"": "0.5000"}

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        common = empty_target_action, ignore_index, aggregation, complete
        self._start("r_precision", TIES, None, ties, common, **kwargs)
