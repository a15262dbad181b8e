# SPDX-License-Identifier: Apache-2.0
"""Discounted gains of graded documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastmetrics import arguments
from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction
from fastmetrics.passes.queries import TIES
from fastmetrics.retrieval.base import RetrievalMetric


class RetrievalNormalizedDCG(RetrievalMetric):
    r"""Normalized discounted cumulative gain: the gain of the documents by their places, relative to the best order.

    .. math:: \frac{1}{\text{best}} \sum_{i=1}^{k} \frac{\text{gain}_i}{\log_2(i + 1)}

    Args:
        gain: of a document with relevance r: ``linear`` is r, ``exponential`` :math:`2^r - 1`.

    Inputs:
        target: relevance of any real type and the same shape, at least 0.

    Source: K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002; ties: F. McSherry,
    M. Najork, Computing information retrieval performance measures efficiently in the presence of tied scores, 2008.
    """

    example_batch = (
        "torch.tensor([0.2, 0.3, 0.5, 0.1, 0.3, 0.5, 0.2])",
        "torch.tensor([0, 0, 1, 0, 3, 0, 1])",
        "torch.tensor([0, 0, 0, 1, 1, 1, 1])",
    )
    example = {"": "0.8295", 'top_k=(1, 2), gain="exponential"': "[0.5000, 0.7894]"}
    function_name = "retrieval_normalized_dcg"
    function_example = {"": "0.9197", "top_k=(1, 2)": "[1.0000, 0.6131]"}

    def __init__(
        self,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        top_k: int | Sequence[int] | None = None,
        aggregation: Aggregation = "mean",
        *,
        gain: str = "linear",
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("gain", gain, ("linear", "exponential"))
        common = empty_target_action, ignore_index, aggregation, complete
        self._start("normalized_dcg", TIES, top_k, ties, common, gain == "exponential", **kwargs)
        self.gain = gain
