# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from collections.abc import Sequence
from typing import Any

from torch import Tensor

__all__ = [
    "retrieval_auroc",
    "retrieval_average_precision",
    "retrieval_fall_out",
    "retrieval_hit_rate",
    "retrieval_normalized_dcg",
    "retrieval_precision",
    "retrieval_precision_recall_curve",
    "retrieval_r_precision",
    "retrieval_recall",
    "retrieval_reciprocal_rank",
]

def __getattr__(name: str) -> Any: ...
def retrieval_auroc(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    max_fpr: float | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """The area under the ROC curve of the first k documents: how likely a relevant one comes before another."""

def retrieval_average_precision(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Mean average precision: of each query the mean, over its relevant documents, of the precision up to their places."""

def retrieval_fall_out(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Fall-out: of the documents that are not relevant, the share that is among the first k."""

def retrieval_hit_rate(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Hit rate: whether a relevant document is among the first k."""

def retrieval_normalized_dcg(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    gain: str = "linear",
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Normalized discounted cumulative gain: the gain of the documents by their places, relative to the best order."""

def retrieval_precision(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    adaptive_k: bool = False,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Precision: of the first k documents, the share that is relevant."""

def retrieval_precision_recall_curve(
    preds: Tensor,
    target: Tensor,
    max_k: int | None = None,
    adaptive_k: bool = False,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Precision and recall of the first 1, 2 … ``max_k`` documents."""

def retrieval_r_precision(
    preds: Tensor, target: Tensor, *, ties: str | None = None, valid: Tensor | None = None
) -> Tensor:
    """R-precision: of the first R documents the share that is relevant, where R documents of the query are."""

def retrieval_recall(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Recall: of the relevant documents, the share that is among the first k."""

def retrieval_reciprocal_rank(
    preds: Tensor,
    target: Tensor,
    top_k: int | Sequence[int] | None = None,
    *,
    ties: str | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Mean reciprocal rank: 1 over the place of the first relevant document; 0 if none is found."""
