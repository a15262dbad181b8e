# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from collections.abc import Sequence
from typing import Any

from torch import Tensor

__all__ = [
    "bits_per_byte",
    "negative_log_likelihood",
    "perplexity",
    "token_accuracy",
    "token_calibration_error",
    "token_entropy",
    "token_rank",
]

def __getattr__(name: str) -> Any: ...
def bits_per_byte(
    preds: Tensor,
    target: Tensor,
    bytes: Tensor | Sequence[int],
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Negative log-likelihood of a text in bits, a byte: it does not depend on how the text is cut into tokens."""

def negative_log_likelihood(
    preds: Tensor,
    target: Tensor,
    reduction: str | None = "mean",
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Negative log-likelihood of the targets, in nats."""

def perplexity(
    preds: Tensor,
    target: Tensor,
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Exponential of the mean negative log-likelihood of the targets."""

def token_accuracy(
    preds: Tensor,
    target: Tensor,
    k: int | Sequence[int] = 1,
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The share of targets among the k greatest logits, for every k from one read."""

def token_calibration_error(
    preds: Tensor,
    target: Tensor,
    n_bins: int = 15,
    norm: str = "l1",
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of the greatest probability of each token: how far it is from how often its token is right."""

def token_entropy(
    preds: Tensor,
    target: Tensor,
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Mean entropy of the distributions over the vocabulary, in nats."""

def token_rank(
    preds: Tensor,
    target: Tensor,
    ignore_index: int | None = None,
    *,
    shift: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Mean rank of the target among the logits; 1 is the greatest."""
