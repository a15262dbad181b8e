# SPDX-License-Identifier: Apache-2.0
"""Measures of where the relevant documents are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction
from fastmetrics.retrieval.base import RetrievalMetric, measured

ORDERS = (None, "first", "trec")  # the mean over all orders has no such short form


class RetrievalMAP(RetrievalMetric):
    """Mean average precision: of each query the mean, over its relevant documents, of the precision up to their places.

    Documents with a score of 0 or less are not found. With ``top_k`` the mean is over those that are found, as in
    torchmetrics.

    Args:
        ties: the order of documents with equal scores: None or ``first`` as they come, ``trec`` the other way round, as
            trec_eval has them whose names ascend.

    Example:
        >>> import torch
        >>> from fastmetrics.retrieval import RetrievalMAP
        >>> indexes = torch.tensor([0, 0, 0, 1, 1, 1, 1])
        >>> preds = torch.tensor([0.2, 0.3, 0.5, 0.1, 0.3, 0.5, 0.2])
        >>> target = torch.tensor([False, False, True, False, True, False, True])
        >>> RetrievalMAP()(preds, target, indexes)
        tensor(0.7917)
        >>> RetrievalMAP(top_k=(1, 2))(preds, target, indexes)
        tensor([0.5000, 0.7500])
    """

    function_name = "retrieval_average_precision"
    function_example = {"": "0.8333", "top_k=1": "1."}

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
        asked, how = measured("average_precision", top_k, ties, ORDERS)
        common = empty_target_action, ignore_index, aggregation, complete
        super().__init__(asked, how, *common, **kwargs)
        self.top_k = top_k


class RetrievalMRR(RetrievalMetric):
    """Mean reciprocal rank: 1 over the place of the first relevant document; 0 if none is found.

    Documents with a score of 0 or less are not found.

    Args:
        ties: the order of documents with equal scores: None or ``first`` as they come, ``trec`` the other way round, as
            trec_eval has them whose names ascend.

    Example:
        >>> import torch
        >>> from fastmetrics.retrieval import RetrievalMRR
        >>> indexes = torch.tensor([0, 0, 0, 1, 1, 1, 1])
        >>> preds = torch.tensor([0.2, 0.3, 0.5, 0.1, 0.3, 0.5, 0.2])
        >>> target = torch.tensor([False, False, True, False, True, False, True])
        >>> RetrievalMRR()(preds, target, indexes)
        tensor(0.7500)
        >>> RetrievalMRR(top_k=(1, 10))(preds, target, indexes)
        tensor([0.5000, 0.7500])
    """

    function_name = "retrieval_reciprocal_rank"
    function_example = {"": "1."}

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
        asked, how = measured("reciprocal_rank", top_k, ties, ORDERS)
        common = empty_target_action, ignore_index, aggregation, complete
        super().__init__(asked, how, *common, **kwargs)
        self.top_k = top_k


class RetrievalHitRate(RetrievalMetric):
    """Hit rate: whether a relevant document is among the first k.

    Args:
        ties: the order of documents with equal scores: None or ``first`` as they come, ``trec`` the other way round, as
            trec_eval has them whose names ascend.

    Example:
        >>> import torch
        >>> from fastmetrics.retrieval import RetrievalHitRate
        >>> indexes = torch.tensor([0, 0, 0, 1, 1, 1, 1])
        >>> preds = torch.tensor([0.2, 0.3, 0.5, 0.1, 0.3, 0.5, 0.2])
        >>> target = torch.tensor([False, False, True, False, True, False, True])
        >>> RetrievalHitRate(top_k=1)(preds, target, indexes)
        tensor(0.5000)
        >>> RetrievalHitRate(top_k=(1, 2))(preds, target, indexes)
        tensor([0.5000, 1.0000])
    """

    function_name = "retrieval_hit_rate"
    function_example = {"top_k=1": "1."}

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
        asked, how = measured("hit_rate", top_k, ties, ORDERS)
        common = empty_target_action, ignore_index, aggregation, complete
        super().__init__(asked, how, *common, **kwargs)
        self.top_k = top_k
