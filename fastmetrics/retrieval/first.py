# SPDX-License-Identifier: Apache-2.0
"""Measures of where the relevant documents are."""

from __future__ import annotations

from fastmetrics.retrieval.base import TopKMetric

ORDERS = (None, "first", "trec")  # the mean over all orders has no such short form


class _First(TopKMetric):
    """Where the relevant documents are.

    Args:
        ties: the order of documents with equal scores: None or ``first`` as they come, ``trec`` the other way round, as
            trec_eval has them whose names ascend.
    """

    orders = ORDERS


class RetrievalMAP(_First):
    """Mean average precision: of each query the mean, over its relevant documents, of the precision up to their places.

    Documents with a score of 0 or less are not found. With ``top_k`` the mean is over those that are found, as in
    torchmetrics.
    """

    measure = "average_precision"
    example = {"": "0.7917", "top_k=(1, 2)": "[0.5000, 0.7500]"}
    function_name = "retrieval_average_precision"
    function_example = {"": "0.8333", "top_k=1": "1."}


class RetrievalMRR(_First):
    """Mean reciprocal rank: 1 over the place of the first relevant document; 0 if none is found.

    Documents with a score of 0 or less are not found.
    """

    measure = "reciprocal_rank"
    example = {"": "0.7500", "top_k=(1, 10)": "[0.5000, 0.7500]"}
    function_name = "retrieval_reciprocal_rank"
    function_example = {"": "1."}


class RetrievalHitRate(_First):
    """Hit rate: whether a relevant document is among the first k."""

    measure = "hit_rate"
    example = {"top_k=1": "0.5000", "top_k=(1, 2)": "[0.5000, 1.0000]"}
    function_name = "retrieval_hit_rate"
    function_example = {"top_k=1": "1."}
