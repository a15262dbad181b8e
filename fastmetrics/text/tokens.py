# SPDX-License-Identifier: Apache-2.0
"""Ranks and entropies of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics.statistics.tokens import TokenStatistics
from fastmetrics.text.base import TokenMetric


class TokenAccuracy(TokenMetric):
    """The share of targets among the k greatest logits, for every k from one read.

    Of equal logits the first one comes first, and NaN comes before all.

    Args:
        k: an integer of at least 1, or several.

    Returns:
        a scalar for one k, ``(K,)`` for a sequence of K; NaN without tokens.
    """

    higher_is_better = True
    plot_upper_bound = 1.0
    example = {"": "0.6667", "k=(1, 2, 3)": "[0.6667, 0.6667, 1.0000]"}

    def __init__(
        self, k: int | Sequence[int] = 1, ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any
    ) -> None:
        ks = (k,) if isinstance(k, int) else tuple(k)
        if not ks or not all(isinstance(each, int) and each >= 1 for each in ks):
            raise ValueError(f"Expected argument `k` to be an integer of at least 1, or several, but got {k}")
        super().__init__(TokenStatistics(top_k=max(ks), ignore_index=ignore_index), ignore_index, shift, **kwargs)
        self.k = k

    def value(self, ranks: Tensor, count: Tensor) -> Tensor:
        """The value, float64."""
        within = ranks.double().cumsum(0) / count
        if isinstance(self.k, int):
            return within[self.k - 1]
        return torch.stack([within[k - 1] for k in self.k])


class TokenEntropy(TokenMetric):
    """Mean entropy of the distributions over the vocabulary, in nats.

    Inputs:
        preds: logits f16, bf16, f32 or f64, ``(B, S, V)``, ``(N, V)`` or any ``(..., V)``; -inf masks an entry.
            Gradients flow through ``forward`` and the functional form.

    Returns:
        a scalar; NaN without tokens.
    """

    is_differentiable = True
    example = {"": "0.8184"}

    def __init__(self, ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any) -> None:
        super().__init__(TokenStatistics("entropy", ignore_index=ignore_index), ignore_index, shift, **kwargs)

    def value(self, entropy: Tensor, count: Tensor) -> Tensor:
        """The value, float64."""
        return entropy / count


class TokenRank(TokenMetric):
    """Mean rank of the target among the logits; 1 is the greatest.

    Of equal logits the first one comes first, and NaN comes before all.

    Returns:
        a scalar; NaN without tokens.
    """

    plot_lower_bound = 1.0
    example = {"": "1.6667"}

    def __init__(self, ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any) -> None:
        super().__init__(TokenStatistics("rank", ignore_index=ignore_index), ignore_index, shift, **kwargs)

    def value(self, rank: Tensor, count: Tensor) -> Tensor:
        """The value, float64."""
        return rank / count + 1
