# SPDX-License-Identifier: Apache-2.0
"""Hidden states as the inputs of a metric."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor


def check_hidden(
    label: str, hidden: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None, softcap: float | None
) -> None:
    """Raise ``ValueError``, naming ``label``, unless logits can be made of these."""
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


def blocks(hidden: Tensor) -> Iterator[Tensor]:
    """The rows of ``hidden`` in order, as matrices that are views of it."""
    if hidden.numel() == 0:
        return
    if hidden.dim() <= 2 or hidden.is_contiguous():
        yield hidden.reshape(-1, hidden.shape[-1])
    else:
        for part in hidden:
            yield from blocks(part)
