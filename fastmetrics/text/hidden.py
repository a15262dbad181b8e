# SPDX-License-Identifier: Apache-2.0
"""Logits of hidden states, of some tokens at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BUFFER = 32 << 20  # bytes


def check_hidden(
    label: str, hidden: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None, softcap: float | None
) -> None:
    """Raise ``ValueError``, naming ``label``, unless these are what :func:`logits_in_parts` takes."""
    if weight.dim() != 2 or hidden.dim() < 1 or hidden.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"{label}: expected `hidden` of shape (..., D) and `weight` of shape (V, D), but got"
            f" {tuple(hidden.shape)} and {tuple(weight.shape)}."
        )
    if hidden.shape[:-1] != target.shape:
        raise ValueError(
            f"{label}: expected `hidden` of shape (..., D) and `target` of shape (...), but got"
            f" {tuple(hidden.shape)} and {tuple(target.shape)}."
        )
    if not hidden.is_floating_point() or weight.dtype != hidden.dtype:
        raise ValueError(
            f"{label}: expected `hidden` and `weight` of one floating type, but got {hidden.dtype} and {weight.dtype}."
        )
    if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype != weight.dtype):
        raise ValueError(
            f"{label}: expected `bias` of shape {tuple(weight.shape[:1])} and type {weight.dtype}, but got"
            f" {tuple(bias.shape)} and {bias.dtype}."
        )
    if softcap is not None and not softcap > 0:
        raise ValueError(f"{label}: expected `softcap` to be None or above 0, but got {softcap}.")


def tokens_at_once(weight: Tensor) -> int:
    """Of how many tokens the logits fit into the buffer; at least one."""
    return max(1, BUFFER // max(1, weight.shape[0] * weight.element_size()))


def logits_in_parts(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, softcap: float | None, at_once: int
) -> Iterator[tuple[Tensor, slice]]:
    """The logits of some tokens after the other, and which they are of all tokens in their order.

    Args:
        hidden: ``(..., D)``.
        weight: ``(V, D)``.
        bias: ``(V,)``, or None.
        softcap: the greatest magnitude of a logit, or None.
        at_once: of how many tokens at most; the parts are about equally large.

    Yields:
        logits ``(n, V)`` in a buffer that the next ones overwrite; and a slice.
    """
    v = weight.shape[0]
    buffer: Tensor | None = None
    done = 0
    for block in _blocks(hidden):
        for some in block.tensor_split(-(-len(block) // at_once)):
            if buffer is None:
                buffer = hidden.new_empty(min(at_once, max(1, hidden.numel() // max(1, hidden.shape[-1]))), v)
            logits = buffer[: len(some)]
            if bias is None:
                torch.mm(some, weight.t(), out=logits)
            else:
                torch.addmm(bias, some, weight.t(), out=logits)
            if softcap is not None:
                logits.div_(softcap).tanh_().mul_(softcap)
            yield logits, slice(done, done + len(some))
            done += len(some)


def _blocks(hidden: Tensor) -> Iterator[Tensor]:
    """The rows of ``hidden`` in order, as matrices that are views of it."""
    if hidden.numel() == 0:
        return
    if hidden.dim() <= 2 or hidden.is_contiguous():
        yield hidden.reshape(-1, hidden.shape[-1])
    else:
        for part in hidden:
            yield from _blocks(part)
