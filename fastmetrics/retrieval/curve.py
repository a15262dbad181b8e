# SPDX-License-Identifier: Apache-2.0
"""Precision and recall at every number of documents."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.plot import plot_curve

from fastmetrics import arguments
from fastmetrics.formulas.retrieval import Aggregation, EmptyTargetAction, recall_at_precision
from fastmetrics.passes.queries import TIES, Asked, Measured
from fastmetrics.retrieval.base import RetrievalMetric


class RetrievalPrecisionRecallCurve(RetrievalMetric):
    """Precision and recall of the first 1, 2 … ``max_k`` documents.

    Unlike :class:`RetrievalPrecision` and :class:`RetrievalRecall`, documents with a score of 0 or less are found, as
    in torchmetrics.

    Args:
        max_k: up to which number of documents; None for that of the greatest query. ``complete`` needs a number.
        adaptive_k: whether a query of fewer than k documents is measured at all of them.
        aggregation: what is made of the values of all queries: ``mean``, ``median`` (of two the lower), ``min``,
            ``max``, or a function that is called with them, float32 ``(Q, max_k)``, and ``dim=0``.

    Returns:
        precision and recall, float32 ``(max_k,)``, and the numbers of documents, int64 ``(max_k,)``.
    """

    example_batch = (
        "torch.tensor([0.4, 0.01, 0.5, 0.6, 0.2, 0.3, 0.5])",
        "torch.tensor([True, False, False, True, True, False, True])",
        "torch.tensor([0, 0, 0, 0, 1, 1, 1])",
    )
    example = {"max_k=4": ("[1.0000, 0.5000, 0.6667, 0.5000]", "[0.5000, 0.5000, 1.0000, 1.0000]", "[1, 2, 3, 4]")}
    function_name = "retrieval_precision_recall_curve"
    function_example = {"max_k=2": ("[1.0000, 0.5000]", "[0.5000, 0.5000]", "[1, 2]")}

    def __init__(
        self,
        max_k: int | None = None,
        adaptive_k: bool = False,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        if max_k is not None and not (isinstance(max_k, int) and max_k > 0):
            raise ValueError("`max_k` has to be a positive integer or None")
        if not isinstance(adaptive_k, bool):
            raise ValueError("`adaptive_k` has to be a boolean")
        if complete and max_k is None:
            raise ValueError("`max_k` has to be a positive integer with `complete=True`, which keeps sums at each k")
        arguments.one_of("ties", ties, TIES)
        ks = () if max_k is None else tuple(range(1, max_k + 1))
        asked = Asked("adaptive_curve_precision" if adaptive_k else "curve_precision", ks), Asked("curve_recall", ks)
        super().__init__(asked, Measured(ties), empty_target_action, ignore_index, aggregation, complete, **kwargs)
        self.max_k = max_k
        self.adaptive_k = adaptive_k

    def _shown(self, value: Tensor) -> Tensor:
        return value

    def _curve(self, statistics: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        precision, recall = (each.to(self._dtype) for each in self._aggregated(statistics, curve=True))
        return precision, recall, torch.arange(1, len(recall) + 1, device=recall.device)

    def formula(self, **statistics: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        """The curve."""
        return self._curve(statistics)

    def plot(self, curve: tuple[Tensor, Tensor, Tensor] | None = None, ax: Any = None) -> Any:
        """Draw a curve, or the present one.

        Args:
            curve: a value of the metric; None computes it.
            ax: axes of matplotlib to draw in; None makes new ones.
        """
        precision, recall, top_k = curve or self.compute()
        names = "Recall", "Precision"
        return plot_curve((recall, precision, top_k), ax=ax, label_names=names, name=type(self).__name__)


class RetrievalRecallAtFixedPrecision(RetrievalPrecisionRecallCurve):
    """The greatest recall at a number of documents with enough precision, both those of the aggregated curve.

    Args:
        min_precision: the precision that is wanted, a float from 0 to 1.

    Returns:
        the recall, float32 ``()``, and the greatest number of documents that has it, int64 ``()``; 0, and the last
        number, if no recall above 0 is there.
    """

    example = {"min_precision=0.8": ("0.5000", "1")}

    def __init__(
        self,
        min_precision: float = 0.0,
        max_k: int | None = None,
        adaptive_k: bool = False,
        empty_target_action: EmptyTargetAction = "neg",
        ignore_index: int | None = None,
        aggregation: Aggregation = "mean",
        *,
        ties: str | None = None,
        complete: bool = False,
        **kwargs: Any,
    ) -> None:
        if not (isinstance(min_precision, float) and 0 <= min_precision <= 1):
            raise ValueError("`min_precision` has to be a positive float between 0 and 1")
        common = empty_target_action, ignore_index, aggregation
        super().__init__(max_k, adaptive_k, *common, ties=ties, complete=complete, **kwargs)
        self.min_precision = min_precision

    def formula(self, **statistics: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """The recall, and its number of documents."""
        precision, recall, _ = self._curve(statistics)
        return recall_at_precision(precision, recall, self.min_precision)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw recalls (one or a sequence of them), or the present one; see ``torchmetrics``."""
        return self._plot(self.compute()[0] if val is None else val, ax)
