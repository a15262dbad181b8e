# SPDX-License-Identifier: Apache-2.0
"""Curves of one query over its documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction
from fastmetrics.retrieval.base import RetrievalMetric
from fastmetrics.retrieval.first import ORDERS


class RetrievalAUROC(RetrievalMetric):
    """The area under the ROC curve of the first k documents: how likely a relevant one comes before another.

    Of documents with equal scores half come before. A query whose documents are all alike has 0.

    Args:
        max_fpr: up to which false positive rate the area counts, above 0 and at most 1, standardised as by McClish;
            None for all of it.
        ties: which of documents with equal scores are the first k: None or ``first`` as they come, ``trec`` the other
            way round, as trec_eval has them whose names ascend.
    """

    example = {"": "0.7500", "max_fpr=0.5": "0.6667"}
    function_name = "retrieval_auroc"
    function_example = {"": "0.5000"}

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        top_k: int | Sequence[int] | None = None,
        max_fpr: float | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        if max_fpr is not None and not (isinstance(max_fpr, float) and 0 < max_fpr <= 1):
            raise ValueError(f"Arguments `max_fpr` should be a float in range (0, 1], but got: {max_fpr}")
        common = empty_target_action, ignore_index, aggregation, complete
        self._start("auroc", ORDERS, top_k, ties, common, False, max_fpr, **kwargs)
        self.max_fpr = max_fpr
