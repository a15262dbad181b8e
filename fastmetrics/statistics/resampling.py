# SPDX-License-Identifier: Apache-2.0
"""How the states of resampled data are drawn: from the table of which they are sums, without the samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.passes.resample import resample_
from fastmetrics.tables import outcomes

Draw = Callable[[int, torch.Generator], dict[str, Tensor]]

#: A cell with fewer samples than this is resampled sample by sample, which takes less time than a binomial number.
FEW = 16


class Resampling(NamedTuple):
    """How states of resampled data are drawn.

    Attributes:
        numbers: how many numbers one draw takes while it is made.
        draw: of a number of draws and a generator on the device of the states: the states by name, with a first
            dimension for the draws.
    """

    numbers: int
    draw: Draw


class Multinomial:
    """Sums over the cells of a table whose samples are drawn anew, as many as there are, with replacement.

    Cells with many samples are drawn as binomial numbers, each half of the cells given the sum of both; those with few
    samples as samples. One draw of sums takes as long as the lesser of the samples and the cells, about; no draw of the
    cells themselves is kept.

    Args:
        counts: int64 ``[K]``, the samples of each cell.
        places: int64 ``[K]`` each: which of the sums a cell adds to; -1 for none.
        sums: how many sums there are.
    """

    def __init__(self, counts: Tensor, places: Sequence[Tensor], sums: int) -> None:
        self._sums = sums
        many, few = counts >= FEW, (counts > 0) & (counts < FEW)
        leaves = torch.cat([counts[many], counts[few].sum().reshape(1)]).double()
        self._levels = _halves(leaves)
        self._total = leaves.sum()
        self._many = len(leaves) - 1
        places = [torch.where(place < 0, sums, place) for place in places]  # one sum more takes what is in none
        self._places_of_many = [place[many] for place in places]
        samples = [place[few].repeat_interleave(counts[few]).int() for place in places]
        adding = [place for place in samples if bool((place < sums).any())]
        self._places_of_few = torch.stack(adding) if adding else None
        self.numbers = sums + 2 * len(leaves) + 3 * len(samples[0])

    def draw(self, draws: int, generator: torch.Generator) -> Tensor:
        """float64 ``[draws, sums]``."""
        device = self._total.device
        nodes = _split(self._total.expand(draws), self._levels, generator)
        found = torch.zeros(self._sums + 1, draws, dtype=torch.float64, device=device)
        for place in self._places_of_many:
            found.index_add_(0, place, nodes[: self._many])
        found = found.T.contiguous()
        if self._places_of_few is not None:
            drawn = nodes[self._many].long()
            seed = int(torch.randint(2**62, (), generator=generator, device=device))
            resample_(drawn, self._places_of_few, seed, found)
        return found[:, : self._sums]


def _halves(leaves: Tensor) -> list[Tensor]:
    """Of each pair of nodes of a binary tree, from the root to the leaves, the share of the first."""
    size = 1 << max(0, len(leaves) - 1).bit_length()
    nodes = torch.cat([leaves, leaves.new_zeros(size - len(leaves))])
    levels: list[Tensor] = []
    while len(nodes) > 1:
        pairs = nodes.reshape(-1, 2)
        nodes = pairs.sum(1)
        levels.insert(0, torch.where(nodes > 0, pairs[:, 0] / nodes, 0.0))
    return levels


def _split(totals: Tensor, levels: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """Samples ``[draws]`` over the leaves of a tree, ``[leaves, draws]``."""
    nodes = totals.unsqueeze(0)
    for share in levels:
        first = torch.binomial(nodes.contiguous(), share.unsqueeze(1).expand_as(nodes).contiguous(), generator)
        nodes = torch.stack([first, nodes - first], 1).flatten(0, 1)
    return nodes


def cells(name: str, counts: Tensor) -> Resampling:
    """A statistic whose elements are the cells of one table: of every sample, one of them counts it."""
    shape = counts.shape
    places = torch.arange(counts.numel(), device=counts.device)
    table = Multinomial(counts.reshape(-1), [places], counts.numel())
    return Resampling(table.numbers, lambda draws, generator: {name: table.draw(draws, generator).view(-1, *shape)})


def confusion_matrix(confusion: Tensor, names: Sequence[str]) -> Resampling:
    """``counts`` [C, 3] and ``confusion`` [C, C], those of them that are named, from the confusion matrix."""
    c = confusion.shape[0]
    target, predicted = confusion.nonzero(as_tuple=True)
    filled = confusion[target, predicted]
    if "confusion" in names:
        table = Multinomial(filled, [target * c + predicted], c * c)

        def draw_both(draws: int, generator: torch.Generator) -> dict[str, Tensor]:
            drawn = table.draw(draws, generator).view(-1, c, c)
            sums = [drawn.diagonal(dim1=1, dim2=2), drawn.sum(1), drawn.sum(2)]
            found = {"confusion": drawn, "counts": torch.stack(sums, -1)}
            return {name: found[name] for name in names}

        return Resampling(table.numbers + 4 * c, draw_both)
    places = [torch.where(target == predicted, 3 * target, -1), 3 * predicted + 1, 3 * target + 2]
    table = Multinomial(filled, places, 3 * c)
    return Resampling(table.numbers, lambda draws, generator: {"counts": table.draw(draws, generator).view(-1, c, 3)})


def right_and_wrong(counts: Tensor) -> Resampling:
    """``counts`` [1, 3], the sums over all classes: a sample is right or wrong."""
    right, total, _ = counts[0].unbind()
    table = Multinomial(torch.stack([right, total - right]), [torch.arange(2, device=counts.device)], 2)

    def draw(draws: int, generator: torch.Generator) -> dict[str, Tensor]:
        drawn = table.draw(draws, generator)
        total = drawn.sum(1)
        return {"counts": torch.stack([drawn[:, 0], total, total], -1).unsqueeze(1)}

    return Resampling(table.numbers, draw)


def margins(counts: Tensor) -> Resampling:
    """``counts`` [C, 3] as if a wrong prediction said nothing of the target.

    The samples of each class that are right, and the number of wrong ones, are one multinomial draw; the targets of the
    wrong ones and their predictions are two that are independent.
    """
    c = counts.shape[0]
    right, predicted, actual = counts.unbind(-1)
    own = torch.arange(c, device=counts.device)
    wrong = (actual - right).sum()
    among = Multinomial(torch.cat([right, wrong.reshape(1)]), [torch.arange(c + 1, device=counts.device)], c + 1)
    sides = [_halves((side - right).double()) for side in (predicted, actual)]

    def draw(draws: int, generator: torch.Generator) -> dict[str, Tensor]:
        drawn = among.draw(draws, generator)
        found = [drawn[:, :c]]
        for levels in sides:
            found.append(found[0] + _split(drawn[:, c], levels, generator)[own].T)
        return {"counts": torch.stack(found, -1)}

    return Resampling(among.numbers + 8 * c, draw)


def one_against_all(counts: Tensor) -> Resampling:
    """``counts`` [C, 4] from [C, 3]: tp, fp, tn, fn of each class, a table by itself."""
    return rows_apart("counts", torch.stack(outcomes(counts), -1))


def clusters_of(rows: Mapping[str, Tensor]) -> Resampling:
    """Sums over rows that are drawn anew, as many as there are, with replacement.

    Args:
        rows: ``[U, *shape]`` each; the same row of all of them is drawn together.
    """
    shapes = [state.shape[1:] for state in rows.values()]
    flat = torch.cat([state.reshape(len(state), -1).double() for state in rows.values()], 1)
    number, sums = flat.shape
    sizes = [shape.numel() for shape in shapes]

    def draw(draws: int, generator: torch.Generator) -> dict[str, Tensor]:
        drawn = torch.randint(number, (draws, number), generator=generator, device=flat.device)
        times = flat.new_zeros(draws, number).scatter_add_(1, drawn, flat.new_ones(()).expand(draws, number))
        found = (times @ flat).split(sizes, 1)
        return {name: state.view(draws, *shape) for name, state, shape in zip(rows, found, shapes, strict=True)}

    return Resampling(2 * number + sums, draw)


def rows_apart(name: str, counts: Tensor) -> Resampling:
    """A statistic ``[L, k]`` whose rows are tables of the same samples, as if those were independent of each other."""
    of_rows = [cells(name, row) for row in counts]

    def draw(draws: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {name: torch.stack([one.draw(draws, generator)[name] for one in of_rows], 1)}

    return Resampling(sum(one.numbers for one in of_rows), draw)
