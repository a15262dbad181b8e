# SPDX-License-Identifier: Apache-2.0
"""Tables whose samples are drawn anew, with replacement, and what they add up to."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.native.operators import define

SCHEMA = "resample_(Tensor counts, Tensor places, Tensor seeds, Tensor? sizes, int first, Tensor(a!) sums) -> ()"

#: A cell with fewer samples than this is resampled sample by sample, which takes less time than a binomial number.
FEW = 16
#: A binomial number with a lesser mean is searched from 0 on, up to ``SEARCHED``, which no uniform number exceeds.
MEAN, SEARCHED = 10, 128
#: Numbers that samples take which are drawn one by one.
AT_ONCE = 1 << 22


def as_int64(value: int) -> int:
    """The integer of 64 bits that has the same last bits."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


# Constants of SplitMix64, as int64.
_STEP, _FIRST, _SECOND = map(as_int64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def resample_body(
    counts: Tensor, places: Tensor, seeds: Tensor, sizes: Tensor | None, first: int, sums: Tensor
) -> None:
    """Draw the samples of tables with replacement and add each to its sums.

    Cells with many samples are drawn as binomial numbers: the samples of a draw go down a binary tree whose leaves are
    these cells, in their order, and then all cells with few samples together; the first child of a node gets a binomial
    number of them. Those that reach the last leaf are drawn one by one. All random numbers are hashes of the seed of
    the table, of the number of the draw, and of the node or the sample: draw d of a table is the same whatever else is
    drawn, in whatever parts. Devices may differ where a logarithm does in its last bit.

    These operations take some numbers for each cell and each sample of each draw while they run; the kernel does not.

    Args:
        counts: int64 ``[T, K]``: the samples of the cells of T tables.
        places: int32 ``[P, K]``: the sums that a sample of each cell adds 1 to; those outside of [0, S) are none.
        seeds: int64 ``[T]``.
        sizes: int64 ``[T, D]``: how many samples each draw takes; None for as many as the table has. Those of cells
            with few samples are less than 2^32.
        first: the number of the first of D draws.
        sums: float64 ``[T, D, S]``.

    Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014; Hörmann, The generation of
    binomial random variates, 1993.
    """
    tables, draws = sums.shape[:2]
    many, few = counts >= FEW, (counts > 0) & (counts < FEW)
    in_few = torch.where(few, counts, 0).sum(1)
    leaf_of_few = many.sum(1)
    leaves = int((leaf_of_few + (in_few > 0)).max()) if tables else 0
    if leaves == 0 or draws == 0:
        return
    leaf = torch.where(many, many.cumsum(1) - 1, 0)
    weights = torch.zeros(tables, 1 << (leaves - 1).bit_length(), dtype=torch.float64, device=counts.device)
    weights.scatter_add_(1, leaf, torch.where(many, counts, 0).double())
    last = leaf_of_few.clamp(max=weights.shape[1] - 1).unsqueeze(1)
    weights.scatter_add_(1, last, in_few.double().unsqueeze(1))
    draw = torch.arange(first + 1, first + draws + 1, device=counts.device)
    hashed = _mixed(seeds.unsqueeze(1) + draw * _STEP)
    totals = weights.sum(1, keepdim=True).expand(tables, draws) if sizes is None else sizes.double()
    nodes = _split(totals, weights, hashed)
    drawn = nodes.gather(2, last.unsqueeze(1).expand(-1, draws, -1)).squeeze(2).long() * (in_few > 0).unsqueeze(1)
    of_cells = torch.where(many.unsqueeze(1), nodes.gather(2, leaf.unsqueeze(1).expand(-1, draws, -1)), 0.0)
    for place in places.long():
        inside = (place >= 0) & (place < sums.shape[2])
        sums.index_add_(2, place[inside], of_cells[:, :, inside])
    at_once = max(1, AT_ONCE // max(1, int(drawn.max())))
    for table in in_few.nonzero()[:, 0].tolist():
        cell = few[table].nonzero()[:, 0].repeat_interleave(counts[table][few[table]])
        for start in range(0, draws, at_once):
            some = slice(start, start + at_once)
            _add_few(places.long()[:, cell], hashed[table, some], drawn[table, some], sums[table, some])


def _add_few(places: Tensor, hashed: Tensor, drawn: Tensor, sums: Tensor) -> None:
    """Add samples of one table that are drawn one by one, of places ``[P, n]``, to sums ``[D, S]``."""
    n = places.shape[1]
    sample = torch.arange(1, int(drawn.max()) + 1, device=places.device)
    chosen = (_uniform(hashed.unsqueeze(1) + sample * _STEP) * n).long().clamp(max=n - 1)
    counted = sample <= drawn.unsqueeze(1)
    for place in places:
        mine = place[chosen]
        inside = counted & (mine >= 0) & (mine < sums.shape[1])
        sums.scatter_add_(1, torch.where(inside, mine, 0), inside.double())


def _split(totals: Tensor, weights: Tensor, hashed: Tensor) -> Tensor:
    """Samples ``[T, D]`` over the leaves of trees whose weights are ``[T, leaves]``, by hashes of draws ``[T, D]``."""
    levels = [weights]
    while levels[-1].shape[1] > 1:
        levels.append(levels[-1].unflatten(1, (-1, 2)).sum(2))
    nodes, of_tree = totals.unsqueeze(2), _mixed(hashed).unsqueeze(2)
    for height in range(len(levels) - 1, 0, -1):
        first, second = levels[height - 1].unflatten(1, (-1, 2)).unbind(2)
        node = (height << 48) + torch.arange(first.shape[1], device=totals.device)
        of_first = _binomials(nodes, first.unsqueeze(1), second.unsqueeze(1), _mixed(of_tree + node * _STEP))
        nodes = torch.stack([of_first, nodes - of_first], -1).flatten(2)
    return nodes


def _binomials(n: Tensor, first: Tensor, second: Tensor, of_node: Tensor) -> Tensor:
    """How many of n samples the first of two children gets, by the weights of both; all if the second has none."""
    both = first + second
    lesser = torch.minimum(first, second)
    p = torch.where(both > 0, lesser / both, 0.0)
    q = torch.where(both > 0, (both - lesser) / both, 1.0)
    n, p, q, of_node = torch.broadcast_tensors(n, p, q, of_node)
    found = torch.zeros_like(n)
    searched = (n * p < MEAN) & (n * p > 0)
    found[searched] = _searched(n[searched], p[searched], q[searched], _uniform(of_node[searched] + _STEP))
    left = (n * p >= MEAN).nonzero(as_tuple=True)
    attempt = 0
    while len(left[0]):
        hashes = (_uniform(of_node[left] + as_int64((attempt + i) * _STEP)) for i in (1, 2))
        accepted, number = _proposed(n[left], p[left], q[left], *hashes)
        found[tuple(place[accepted] for place in left)] = number[accepted]
        left = tuple(place[~accepted] for place in left)
        attempt += 2
    return torch.where(second <= first, n - found, found)


def _searched(n: Tensor, p: Tensor, q: Tensor, u: Tensor) -> Tensor:
    """Binomial numbers of a small mean, by one uniform number each."""
    share, k, end = (n * torch.log1p(-p)).exp(), torch.zeros_like(n), n.clamp(max=SEARCHED)
    while bool((more := (u > share) & (k < end)).any()):
        u = torch.where(more, u - share, u)
        k = torch.where(more, k + 1, k)
        share = torch.where(more, share * ((n - k + 1) / k * (p / q)), share)
    return k


def _proposed(n: Tensor, p: Tensor, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Whether proposals for binomial numbers are accepted, and what they are."""
    spread, odds = (n * p * q).sqrt(), p / q
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    u = u - 0.5
    us = 0.5 - u.abs()
    k = ((2 * a / us + b) * u + (n * p + 0.5)).floor()
    m = ((n + 1) * p).floor()
    at = k.clamp(min=0).minimum(n)
    bound = (m + 0.5) * ((m + 1) / (odds * (n - m + 1))).log() + (n + 1) * ((n - m + 1) / (n - at + 1)).log()
    bound = bound + (at + 0.5) * (odds * (n - at + 1) / (at + 1)).log()
    bound = bound + _beyond_stirling(m) + _beyond_stirling(n - m) - _beyond_stirling(at) - _beyond_stirling(n - at)
    accepted = (k == at) & ((v * ((2.83 + 5.1 / b) * spread) / (a / (us * us) + b)).log() <= bound)
    return ((us >= 0.07) & (v <= 0.92 - 4.2 / b)) | accepted, k


def _beyond_stirling(k: Tensor) -> Tensor:
    """What log(k!) is more than Stirling's formula."""
    r = 1 / (k + 1)
    series = (1 / 12 - (1 / 360 - 1 / 1260 * (r * r)) * (r * r)) * r
    return torch.where(k < len(_OF_FEW), _OF_FEW.to(k.device)[k.long().clamp(max=len(_OF_FEW) - 1)], series)


_OF_FEW = torch.tensor(
    [
        0.0810614667953272,
        0.0413406959554092,
        0.0276779256849983,
        0.02079067210376509,
        0.0166446911898211,
        0.0138761288230707,
        0.0118967099458917,
        0.0104112652619720,
        0.00925546218271273,
        0.00833056343336287,
    ],
    dtype=torch.float64,
)


def _shifted(values: Tensor, bits: int) -> Tensor:
    """int64 shifted to the right, as unsigned numbers are."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(values: Tensor) -> Tensor:
    values = (values ^ _shifted(values, 30)) * _FIRST
    values = (values ^ _shifted(values, 27)) * _SECOND
    return values ^ _shifted(values, 31)


def _uniform(values: Tensor) -> Tensor:
    """float64 in [0, 1), by the hash of int64."""
    return _shifted(_mixed(values), 11).double() * 2.0**-53


def _fake(counts: Tensor, places: Tensor, seeds: Tensor, sizes: Tensor | None, first: int, sums: Tensor) -> None:
    torch._check(counts.dtype == torch.int64 and counts.dim() == 2, lambda: "resample_: counts must be int64 [T, K]")
    torch._check(places.dtype == torch.int32 and places.dim() == 2, lambda: "resample_: places must be int32 [P, K]")
    torch._check(seeds.dtype == torch.int64 and seeds.dim() == 1, lambda: "resample_: seeds must be int64 [T]")
    torch._check(sums.dtype == torch.float64 and sums.dim() == 3, lambda: "resample_: sums must be float64 [T, D, S]")


resample_ = define(SCHEMA, resample_body, _fake, ("cpu",))
