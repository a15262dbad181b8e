# SPDX-License-Identifier: Apache-2.0
"""Likelihood of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.statistics.tokens import OfTokens, TokenLikelihoods, TokenStatistics
from fastmetrics.text.base import TokenMetric


class Perplexity(TokenMetric):
    r"""Exponential of the mean negative log-likelihood of the targets.

    The logits are not normalized first: of each token the log-sum-exp is taken relative to its greatest logit, so none
    overflows or vanishes. On the CPU its error is up to about 1e-6 for logits up to 32 bits.

    Inputs:
        preds: logits f16, bf16, f32 or f64, ``(B, S, V)``, ``(N, V)`` or any ``(..., V)``; -inf masks an entry.
            Gradients flow through ``forward`` and the functional form.

    Returns:
        a scalar; NaN without tokens, inf if a target has a logit of -inf.
    """

    is_differentiable = True
    plot_lower_bound = 1.0
    example = {"": "1.7484", "ignore_index=2": "1.3347"}

    def __init__(self, ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any) -> None:
        super().__init__(TokenStatistics("total_log_probs", ignore_index=ignore_index), ignore_index, shift, **kwargs)

    def value(self, total_log_probs: Tensor, count: Tensor) -> Tensor:
        """The value, float64."""
        return (total_log_probs / count).exp()


class NegativeLogLikelihood(TokenMetric):
    """Negative log-likelihood of the targets, in nats.

    Args:
        reduction: over the tokens: ``mean``, ``sum``, or ``none`` or None for that of each.

    Inputs:
        preds: logits f16, bf16, f32 or f64, ``(B, S, V)``, ``(N, V)`` or any ``(..., V)``; -inf masks an entry.
            Gradients flow through ``forward`` and the functional form.
        weights: of the shape of ``target`` or of its first dimensions: what a token counts instead of 1; finite and at
            least 0. There are none without a reduction.

    Returns:
        a scalar, or ``(N,)`` for all tokens in their order, NaN where one is not counted.
    """

    is_differentiable = True
    example = {"": "0.5587", 'reduction="none"': "[0.4076, 0.1698, 1.0986]"}

    def __init__(
        self, reduction: str | None = "mean", ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any
    ) -> None:
        arguments.one_of("reduction", reduction, ("mean", "sum", "none", None))
        statistics: OfTokens = (
            TokenStatistics("total_log_probs", ignore_index=ignore_index)
            if reduction in ("mean", "sum")
            else TokenLikelihoods(ignore_index)
        )
        super().__init__(statistics, ignore_index, shift, **kwargs)
        self.reduction = reduction

    def value(
        self, total_log_probs: Tensor | None = None, count: Tensor | None = None, nll: Tensor | None = None
    ) -> Tensor:
        """The value, float64."""
        if nll is not None:
            return nll
        assert total_log_probs is not None
        assert count is not None
        return total_log_probs / count if self.reduction == "mean" else total_log_probs


class BitsPerByte(TokenMetric):
    """Negative log-likelihood of a text in bits, a byte: it does not depend on how the text is cut into tokens.

    Args:
        bytes: integers ``(V,)``: how many bytes each token of the vocabulary stands for.

    Returns:
        a scalar; NaN without bytes.
    """

    example_options = "bytes=[1, 2, 4]"
    example = {"": "0.3454"}

    def __init__(
        self, bytes: Tensor | Sequence[int], ignore_index: int | None = None, *, shift: bool = False, **kwargs: Any
    ) -> None:
        table = torch.as_tensor(bytes)
        if table.dim() != 1 or table.is_floating_point() or table.is_complex() or bool((table < 0).any()):
            raise ValueError(
                "Expected argument `bytes` to be integers of shape (V,), at least 0, but got"
                f" {table.dtype} of shape {tuple(table.shape)}"
            )
        statistics = TokenStatistics("total_log_probs", token_bytes=table.to(torch.int64), ignore_index=ignore_index)
        super().__init__(statistics, ignore_index, shift, **kwargs)
        self.bytes_of_tokens = bytes

    def value(self, total_log_probs: Tensor, bytes: Tensor, count: Tensor) -> Tensor:
        """The value, float64."""
        return total_log_probs / (bytes * log(2))
