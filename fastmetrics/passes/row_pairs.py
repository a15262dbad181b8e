# SPDX-License-Identifier: Apache-2.0
"""The rows pass: a figure of each pair of rows."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define, eager_on_cpu
from fastmetrics.passes.blocks import pairs_of_blocks

SCHEMA = "row_pairs(Tensor preds, Tensor target, int figure) -> Tensor"

# The cosine of the angle between the rows; the Kullback-Leibler and the Jensen-Shannon divergence of the distributions
# that they are, as probabilities (which need not add up to one) or as their logarithms.
COSINE, KL, KL_LOG, JS, JS_LOG = range(5)


def _check(preds: Tensor, target: Tensor, figure: int) -> None:
    torch._check(preds.dim() == 2 and target.dim() == 2, lambda: "row_pairs: preds and target must be [N, D]")
    for dim in (0, 1):
        torch._check(preds.shape[dim] == target.shape[dim], lambda: "row_pairs: preds and target must be [N, D]")
    torch._check(COSINE <= figure <= JS_LOG, lambda: "row_pairs: there is no such figure")


def _relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    """The sum of p log(p / q) over each row. What is impossible under p adds nothing, not even to a gradient."""
    impossible = p == 0
    ratio = torch.where(impossible, 1.0, p) / torch.where(impossible, 1.0, q)
    return (p * ratio.log()).sum(-1)


def row_pairs_body(preds: Tensor, target: Tensor, figure: int) -> Tensor:
    """The figure of each pair of rows.

    Elements are widened to float64 before anything is done with them.

    Args:
        preds: [N, D]; f16/bf16/f32/f64, any integer type or bool.
        target: same shape; the dtype may differ.
        figure: ``COSINE``, ``KL``, ``KL_LOG``, ``JS`` or ``JS_LOG``. Of the Kullback-Leibler divergence, ``preds`` is
            the distribution that is averaged over.

    Returns:
        float64 [N]. NaN for a row of zeros, but 0 for the divergences of logarithms that are all -inf.
    """
    _check(preds, target, figure)
    if not eager_on_cpu(preds, target) or (torch.is_grad_enabled() and (preds.requires_grad or target.requires_grad)):
        return row_figures(preds, target, figure)
    # nothing is impossible in most rows; NaN says that something is
    quick = _divergence if figure == KL else row_figures
    found = [quick(x, y, figure) for x, y in pairs_of_blocks(preds, target)]
    figures = found[0] if len(found) == 1 else torch.cat(found)
    if figure == KL and bool(figures.isnan().any()):
        return torch.cat([row_figures(x, y, figure) for x, y in pairs_of_blocks(preds, target)])
    return figures


def _divergence(p: Tensor, q: Tensor, figure: int) -> Tensor:
    """The Kullback-Leibler divergence of rows of positive numbers, float64 [N, D]; ``q`` is overwritten."""
    of_p, of_q = p.sum(-1), q.sum(-1)
    # numbers are divided by the sums of their rows after they have been added
    return torch.div(p, q, out=q).log_().mul_(p).sum(-1) / of_p + (of_q / of_p).log()


def row_figures(preds: Tensor, target: Tensor, figure: int) -> Tensor:
    """:func:`row_pairs_body` of rows that are read at once, in operations that keep the graph."""
    x, y = preds.double(), target.double()
    if figure == COSINE:
        return (x * y).sum(-1) / ((x * x).sum(-1).sqrt() * (y * y).sum(-1).sqrt())
    if figure == KL_LOG:
        impossible = x.isneginf()
        return (x.exp() * torch.where(impossible, 0.0, x - y)).sum(-1)
    if figure == JS_LOG:
        p, q = x.exp(), y.exp()
    else:
        p, q = x / x.sum(-1, keepdim=True), y / y.sum(-1, keepdim=True)
    if figure == KL:
        return _relative_entropy(p, q)
    middle = (p + q) / 2
    return (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2


def _fake(preds: Tensor, target: Tensor, figure: int) -> Tensor:
    _check(preds, target, figure)
    return torch.empty(preds.shape[:1], dtype=torch.float64, device=preds.device)


row_pairs = define(SCHEMA, row_pairs_body, _fake, library="numbers")
