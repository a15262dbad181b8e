# SPDX-License-Identifier: Apache-2.0
"""The token rows pass: what the logits of each token add up to."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define, eager_on_cpu
from fastmetrics.passes.blocks import PER_THREAD

SCHEMA = "token_rows(Tensor logits, Tensor target, bool entropy, bool rank, Tensor? own) -> Tensor"

# Targets that are no index of the vocabulary: the token is not read; or it is, and its target is among logits that are
# not here and come before these. A target among those that come behind is an index from V on.
SKIPPED, ELSEWHERE = -1, -2
# Logits whose exponentials PyTorch adds up in float32.
_CHUNK = 2048


class TokenValues(NamedTuple):
    """Values of tokens, float64 [N] each, the rows of what the pass returns.

    Attributes:
        greatest: the greatest logit, m.
        sum: of exp(x - m) over the logits x.
        weighted: the sum of exp(x - m) (x - m), if the entropy was asked for.
        own: the target's logit, -inf if it is not among these.
        rank: how many of these logits come before the target's, if the rank was asked for. Of equal logits the first
            one comes first, and NaN before all.
    """

    greatest: Tensor
    sum: Tensor
    weighted: Tensor
    own: Tensor
    rank: Tensor


def token_rows_body(logits: Tensor, target: Tensor, entropy: bool, rank: bool, own: Tensor | None) -> Tensor:
    """Read the logits of each token once.

    The sums are NaN for a token with a logit that is NaN or inf, as its softmax is; of one with nothing but -inf, the
    greatest logit is -inf and the sums are 0.

    Args:
        logits: f16/bf16/f32/f64 ``[..., V]``, of any strides.
        target: int64 ``[N]``, contiguous, N tokens: an index in [0, V), ``SKIPPED``, V or more if the target comes
            behind these logits, or any other number as ``ELSEWHERE``. A skipped token has the values of one without
            logits.
        entropy: whether ``weighted`` is wanted; else it is 0.
        rank: likewise.
        own: float64 ``[N]``, contiguous: the target's logit, which is read where the target is not here; None if it is
            not known there, and the rank is 0.

    Returns:
        float64 ``[5, N]``, the rows of :class:`TokenValues`. On a CPU and in the native kernels the exponentials of
        logits up to 32 bits are those of float32: relative errors of ``sum`` and ``weighted`` are up to about 1e-6. The
        rest is in float64.
    """
    _check(logits, target)
    x = logits.reshape(target.shape[0], logits.shape[-1])
    if not eager_on_cpu(logits, target) or logits.dtype == torch.float64 or not x.numel():
        return _values(x, target, entropy, rank, own)
    step = max(1, 16 * PER_THREAD * torch.get_num_threads() // x.shape[1])  # of float32
    # memory that is written again and again is not asked for again and again
    room = torch.empty(1 + entropy, min(step, x.shape[0]) * x.shape[1])
    parts = []
    for first in range(0, x.shape[0], step):
        part = slice(first, first + step)
        found = _values_of_finite(x[part], target[part], room, entropy, rank and own is None)
        if found is None or (rank and own is not None):
            found = _values(x[part], target[part], entropy, rank, None if own is None else own[part])
        parts.append(found)
    return torch.cat(parts, 1)


def _values_of_finite(x: Tensor, target: Tensor, room: Tensor, entropy: bool, rank: bool) -> Tensor | None:
    """What :func:`_values` returns for logits up to 32 bits, in float32; None if the greatest of a row is not finite.

    As in the native kernels, exponentials are those of float32. ``room``, float32 ``[1, N V]`` or ``[2, N V]`` for the
    entropy, is written over.
    """
    x = x.float()
    whole = x.shape[1] - x.shape[1] % _CHUNK
    chunks = [x[:, :whole].unflatten(1, (-1, _CHUNK))] if whole else []
    chunks += [x[:, whole:].unsqueeze(1)] if whole < x.shape[1] else []
    tops, sums, weighted = (torch.cat(each, 1) for each in zip(*(_sums(c, room, entropy) for c in chunks), strict=True))
    top = tops.amax(1)
    if not bool(top.isfinite().all()):
        return None
    found = torch.zeros(len(TokenValues._fields), x.shape[0], dtype=torch.float64)
    values = TokenValues(*found)
    values.greatest.copy_(top)
    below = tops - top.unsqueeze(1)
    scale = below.exp()
    torch.sum(sums * scale, 1, out=values.sum)
    if entropy:
        torch.sum((weighted + sums * below.clamp_(min=torch.finfo(torch.float64).min)) * scale, 1, out=values.weighted)
    here = (target >= 0) & (target < x.shape[1])
    own = x.gather(1, torch.where(here, target, 0).unsqueeze(1))
    values.own.copy_(torch.where(here, own.squeeze(1), -torch.inf))
    if rank:
        ahead = x > own
        equal = x == own
        if int(equal.sum()) > x.shape[0]:
            ahead |= equal & (torch.arange(x.shape[1]) < target.unsqueeze(1))
        values.rank.copy_(torch.where(here, ahead.sum(1), 0))
    skipped = target == SKIPPED
    if bool(skipped.any()):
        found[:, skipped] = 0
        for value in (values.greatest, values.own):
            value[skipped] = -torch.inf
    return found


def _sums(x: Tensor, room: Tensor, entropy: bool) -> tuple[Tensor, Tensor, Tensor]:
    """What chunks of logits add up to, by a softmax, which is one operation.

    Args:
        x: float32 ``[N, K, W]``. W is small enough that the sum within a softmax is as exact as its terms.
        room: float32 ``[1, N K W]`` or more, or ``[2, N K W]`` for the entropy; it is written over.
        entropy: whether the third result is wanted.

    Returns:
        The greatest logit of a chunk m, the sum of exp(x - m), and that of exp(x - m) (x - m) or 0; float64 ``[N, K]``.
        The sums are 0 for a chunk with nothing but -inf, and anything for one with NaN or inf.
    """
    top = x.amax(2)
    shares, *rest = room[:, : x.numel()].unflatten(1, x.shape)
    torch.softmax(x, 2, out=shares)
    none = top == -torch.inf
    sums = shares.amax(2).double().reciprocal_().masked_fill_(none, 0)
    weighted = torch.zeros_like(sums)
    if entropy:
        shifted = torch.sub(x, top.unsqueeze(2), out=rest[0]).clamp_(min=torch.finfo(torch.float32).min)
        weighted = (shares.mul_(shifted).sum(2) * sums).masked_fill_(none, 0)
    return top.double(), sums, weighted


def _values(x: Tensor, target: Tensor, entropy: bool, rank: bool, own: Tensor | None) -> Tensor:
    """The values of rows ``[N, V]``, in operations that take any logits and never wait for a device."""
    x = x.double()
    tokens, v = x.shape
    read = (target != SKIPPED).unsqueeze(1)
    x = torch.where(read, x, -torch.inf)
    top = x.amax(1) if v else x.new_full((tokens,), -torch.inf)
    bad = top.isnan() | (top == torch.inf)
    shifted = torch.where((x == -torch.inf) | bad.unsqueeze(1), -torch.inf, x - top.unsqueeze(1))
    exponentials = shifted.exp()
    here = (target >= 0) & (target < v)
    index = torch.where(here, target, 0).unsqueeze(1)
    own_here = torch.where(here, x.gather(1, index).squeeze(1) if v else -torch.inf, -torch.inf)
    sums = [torch.where(bad, torch.nan, value) for value in (top, exponentials.sum(1))]
    if entropy:
        weighted = (exponentials * torch.where(shifted == -torch.inf, 0.0, shifted)).sum(1)
        sums.append(torch.where(bad, torch.nan, weighted))
    else:
        sums.append(torch.zeros_like(top))
    before = torch.zeros_like(top)
    if rank:
        mine = (own_here if own is None else torch.where(here, own_here, own)).unsqueeze(1)
        nan, mine_nan = x.isnan(), mine.isnan()
        earlier = torch.arange(v, device=x.device) < target.unsqueeze(1)
        ahead = torch.where(nan | mine_nan, nan & (~mine_nan | earlier), (x > mine) | ((x == mine) & earlier))
        ranked = here if own is None else target != SKIPPED
        before = (ahead & ranked.unsqueeze(1)).sum(1).double()
    return torch.stack([*sums, own_here, before])


def _check(logits: Tensor, target: Tensor) -> None:
    torch._check(
        logits.is_floating_point() and logits.dim() >= 1, lambda: "token_rows: logits must be floats, [..., V]"
    )
    torch._check(target.dtype == torch.int64 and target.dim() == 1, lambda: "token_rows: target must be int64, [N]")


def _fake(logits: Tensor, target: Tensor, entropy: bool, rank: bool, own: Tensor | None) -> Tensor:
    _check(logits, target)
    return _result(logits, target)


def _result(logits: Tensor, target: Tensor, *rest: Any) -> Tensor:
    return torch.empty(5, target.shape[0], dtype=torch.float64, device=logits.device)


token_rows = define(SCHEMA, token_rows_body, _fake, result=_result, library="documents")
