# SPDX-License-Identifier: Apache-2.0
"""Distances between the edges of masks.

Masks with few edges are compared edge by edge. Where they have many, as noise has, an exact distance transform goes
along one axis after the other, as distances are made of their coordinates: along the last one by a scan in each
direction, along each other one by the least over offsets, which ends as soon as the offset alone is farther than what
was found. Neither needs more memory than some numbers a pixel. On other devices than the CPU, for which nothing waits,
there is the transform alone, over all offsets.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics.native.transforms import active

_CHECK = 4  # offsets between two looks at whether there is more to find


def hausdorff(preds: Tensor, target: Tensor, metric: str, spacing: Sequence[float], directed: bool) -> Tensor:
    """The greatest distance of an edge of one mask to the nearest edge of the other.

    Args:
        preds: bool ``[N, C, *space]``.
        target: the same.
        metric: ``euclidean``, ``chessboard`` or ``taxicab``.
        spacing: of pixels along each dimension of space, above 0.
        directed: whether only edges of ``preds`` are looked at, and else those of both.

    Returns:
        float64 ``[N, C]``; inf if one of the masks is empty, NaN if both are.
    """
    shape = preds.shape[:2]
    if preds.numel() == 0:
        return preds.new_full(shape, torch.nan, dtype=torch.float64)
    mine, theirs = edges(preds.flatten(0, 1)), edges(target.flatten(0, 1))
    numbers = [mask.flatten(1).sum(1) for mask in (mine, theirs)]
    apart = torch.where(numbers[0] + numbers[1] > 0, torch.inf, torch.nan).double()
    if not _may_look(preds):  # which pairs have few edges decides sizes
        both = (numbers[0] > 0) & (numbers[1] > 0)
        return torch.where(both, _by_transform(mine, theirs, metric, spacing, directed), apart).reshape(shape)
    pairs = numbers[0] * numbers[1]
    most = _FEW * mine[0].numel()
    for i in ((pairs > 0) & (pairs <= most)).nonzero().flatten().tolist():
        apart[i] = _by_edge(mine[i], theirs[i], metric, spacing, directed)
    many = ((pairs > 0) & (pairs > most)).nonzero().flatten()
    if len(many):
        apart[many] = _by_transform(mine[many], theirs[many], metric, spacing, directed)
    return apart.reshape(shape)


_FEW = 16  # pairs of edges a pixel


def _may_look(values: Tensor) -> bool:
    """Whether values may decide what is done: a trace has none, and nothing waits for another device."""
    return values.is_cpu and not (is_compiling() or active())


def _by_edge(mine: Tensor, theirs: Tensor, metric: str, spacing: Sequence[float], directed: bool) -> Tensor:
    """Of two masks, float64 ``[]``."""
    steps = torch.tensor(spacing, dtype=torch.float64, device=mine.device)
    x, y = (mask.nonzero() * steps for mask in (mine, theirs))
    norm = {"euclidean": 2.0, "chessboard": torch.inf, "taxicab": 1.0}[metric]
    apart = torch.cdist(x, y, p=norm, compute_mode="donot_use_mm_for_euclid_dist")
    farthest = apart.amin(1).max()
    return farthest if directed else torch.maximum(farthest, apart.amin(0).max())


def _by_transform(mine: Tensor, theirs: Tensor, metric: str, spacing: Sequence[float], directed: bool) -> Tensor:
    """Of each of M pairs, float64 ``[M]``; of no meaning where a mask is empty."""
    start, end = (mine, theirs) if directed else (torch.cat([mine, theirs]), torch.cat([theirs, mine]))
    found = to_nearest(end, start, metric, spacing)
    apart = torch.where(start, found, 0).flatten(1).amax(1).double()
    if not directed:
        apart = torch.maximum(*apart.chunk(2))
    return apart.sqrt() if metric == "euclidean" else apart


def edges(masks: Tensor) -> Tensor:
    """The pixels of masks, bool ``[M, *space]``, with a neighbor along an axis that is not in the mask, or outside."""
    inside = masks.clone()
    for dim in range(1, masks.dim()):
        n = masks.shape[dim]
        for to, of in ((0, 1), (1, 0)):
            inside.narrow(dim, to, n - 1).logical_and_(masks.narrow(dim, of, n - 1))
            inside.select(dim, (n - 1) * of).fill_(False)
    return masks & ~inside


def to_nearest(points: Tensor, asked: Tensor, metric: str, spacing: Sequence[float]) -> Tensor:
    """The distance of each pixel that is asked for to the nearest of the points; squared if it is Euclidean.

    Args:
        points: bool ``[M, *space]``.
        asked: the same; the distances of other pixels may be too great.
        metric: as for :func:`hausdorff`.
        spacing: as for :func:`hausdorff`.

    Returns:
        float32 ``[M, *space]`` if that is exact, else float64; inf without points.
    """
    space = points.shape[1:]
    *steps, last = spacing
    whole = all(float(step).is_integer() for step in spacing)
    greatest = sum((n * step) ** 2 for n, step in zip(space, spacing, strict=True))
    dtype = torch.float32 if whole and greatest < 1 << 24 else torch.float64

    place = torch.arange(space[-1], device=points.device, dtype=dtype)
    before = torch.where(points, place, -torch.inf).cummax(-1).values
    after = torch.where(points, place, torch.inf).flip(-1).cummin(-1).values.flip(-1)
    found = torch.minimum(place - before, after - place).mul(last)
    if metric == "euclidean":
        found = found.square()
    for dim in range(len(steps), 0, -1):
        step, near, n = steps[dim - 1], found, space[dim - 1]
        found = near.clone()
        for offset in range(1, n):
            alone = (offset * step) ** 2 if metric == "euclidean" else offset * step
            if offset % _CHECK == 1 and _may_look(points):
                open_ = found > alone
                if not bool((open_ & asked if dim == 1 else open_).any()):
                    break
            for to, of in ((0, offset), (offset, 0)):
                part, other = found.narrow(dim, to, n - offset), near.narrow(dim, of, n - offset)
                farther = other.clamp(min=alone) if metric == "chessboard" else other + alone
                part.copy_(torch.minimum(part, farther))
    return found
