# SPDX-License-Identifier: Apache-2.0
"""How the states of resampled data are drawn: from the table of which they are sums, without the samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.passes.resample import as_int64, resample_
from fastmetrics.tables import outcomes


class Draws(NamedTuple):
    """Which draws are made: some of the rows, some of the draws of each.

    Attributes:
        rows: of the states.
        first: the number of the first draw.
        number: of draws.
        seed: of all draws of all rows.
    """

    rows: slice
    first: int
    number: int
    seed: int


class Resampling(NamedTuple):
    """How rows of states of resampled data are drawn. A draw of a row depends on its number and seed alone.

    Attributes:
        numbers: how many numbers one draw of a row takes while it is made.
        draw: the states by name, ``[rows, draws, *shape]``, float64.
    """

    numbers: int
    draw: Callable[[Draws], dict[str, Tensor]]


class Multinomial:
    """Sums over the cells of tables whose samples are drawn anew, with replacement.

    What is drawn is in :mod:`fastmetrics.passes.resample`.

    Args:
        counts: int64 ``[T, K]``, the samples of each cell.
        places: of cells, int64 ``[n]``: which of the sums they add to, ``[n]`` each; -1 for none.
        sums: how many sums there are.

    Attributes:
        numbers: how many numbers one draw of a table takes.
    """

    def __init__(self, counts: Tensor, places: Callable[[Tensor], Sequence[Tensor]], sums: int) -> None:
        filled = (counts > 0).any(0).nonzero()[:, 0]
        self._counts = counts[:, filled].contiguous()
        self._places = torch.stack([place.int() for place in places(filled)])
        self._sums = sums
        self.numbers = sums

    def draw(self, draws: Draws, sizes: Tensor | None = None, apart: int = 1, stream: int = 1) -> Tensor:
        """float64 ``[tables, draws, sums]``.

        Args:
            draws: which ones.
            sizes: int64 ``[tables, draws]``, how many samples each draw takes; None for as many as the table has.
            apart: tables of a row, one after another, that are independent of each other.
            stream: draws of other streams are independent of these.
        """
        some = slice(*(None if at is None else at * apart for at in (draws.rows.start, draws.rows.stop)))
        counts = self._counts[some]
        streams = stream + torch.arange(apart, device=counts.device)
        seeds = (as_int64(draws.seed) + (streams << 32)).repeat(len(counts) // apart)
        found = counts.new_zeros((len(counts), draws.number, self._sums), dtype=torch.float64)
        resample_(counts, self._places, seeds, sizes, draws.first, found)
        return found


def _own(cell: Tensor) -> list[Tensor]:
    """Sums that are the cells."""
    return [cell]


def cells(name: str, counts: Tensor) -> Resampling:
    """A statistic ``[G, *shape]`` whose elements are the cells of a table: of every sample, one of them counts it."""
    shape, flat = counts.shape[1:], counts.flatten(1)
    table = Multinomial(flat, _own, flat.shape[1])
    return Resampling(table.numbers, lambda draws: {name: table.draw(draws).unflatten(2, shape)})


def confusion_matrix(confusion: Tensor, names: Sequence[str]) -> Resampling:
    """``counts`` [G, C, 3] and ``confusion`` [G, C, C], those of them that are named, from the confusion matrix."""
    c = confusion.shape[1]
    flat = confusion.flatten(1)
    if "confusion" in names:
        table = Multinomial(flat, _own, c * c)

        def draw_both(draws: Draws) -> dict[str, Tensor]:
            drawn = table.draw(draws).unflatten(2, (c, c))
            sums = [drawn.diagonal(dim1=2, dim2=3), drawn.sum(2), drawn.sum(3)]
            found = {"confusion": drawn, "counts": torch.stack(sums, -1)}
            return {name: found[name] for name in names}

        return Resampling(table.numbers + 4 * c, draw_both)

    def places(cell: Tensor) -> list[Tensor]:
        target, predicted = cell // c, cell % c
        return [torch.where(target == predicted, 3 * target, -1), 3 * predicted + 1, 3 * target + 2]

    table = Multinomial(flat, places, 3 * c)
    return Resampling(table.numbers, lambda draws: {"counts": table.draw(draws).unflatten(2, (c, 3))})


def right_and_wrong(counts: Tensor) -> Resampling:
    """``counts`` [G, 1, 3], the sums over all classes: a sample is right or wrong."""
    right, total, _ = counts[:, 0].unbind(-1)
    table = Multinomial(torch.stack([right, total - right], -1), _own, 2)

    def draw(draws: Draws) -> dict[str, Tensor]:
        drawn = table.draw(draws)
        total = drawn.sum(2)
        return {"counts": torch.stack([drawn[..., 0], total, total], -1).unsqueeze(2)}

    return Resampling(table.numbers + 5, draw)


def margins(counts: Tensor) -> Resampling:
    """``counts`` [G, C, 3] as if a wrong prediction said nothing of the target.

    The samples of each class that are right, and the number of wrong ones, are one multinomial draw; the targets of the
    wrong ones and their predictions are two that are independent.
    """
    c = counts.shape[1]
    right, predicted, actual = counts.unbind(-1)
    wrong = (actual - right).sum(1, keepdim=True)
    among = Multinomial(torch.cat([right, wrong], 1), _own, c + 1)
    sides = [Multinomial(side - right, _own, c) for side in (predicted, actual)]

    def draw(draws: Draws) -> dict[str, Tensor]:
        drawn = among.draw(draws)
        found, wrong = [drawn[..., :c]], drawn[..., c].long()
        for stream, side in enumerate(sides, 2):
            found.append(found[0] + side.draw(draws, wrong, stream=stream))
        return {"counts": torch.stack(found, -1)}

    return Resampling(8 * c, draw)


def one_against_all(counts: Tensor) -> Resampling:
    """``counts`` [G, C, 4] from [G, C, 3]: tp, fp, tn, fn of each class, a table by itself."""
    return rows_apart("counts", torch.stack(outcomes(counts), -1))


def rows_apart(name: str, counts: Tensor) -> Resampling:
    """A statistic ``[G, L, k]`` with L tables of the same samples, as if those were independent of each other."""
    labels, k = counts.shape[1:]
    table = Multinomial(counts.flatten(0, 1), _own, k)

    def draw(draws: Draws) -> dict[str, Tensor]:
        return {name: table.draw(draws, apart=labels).unflatten(0, (-1, labels)).transpose(1, 2)}

    return Resampling(labels * table.numbers, draw)


def clusters_of(rows: Mapping[str, Tensor], seed: int) -> Resampling:
    """Sums over rows that are drawn anew, as many as there are, with replacement.

    Args:
        rows: ``[U, *shape]`` each; the same row of all of them is drawn together.
        seed: of a generator, so that draws are to be asked for once, in their order.

    Returns:
        that of a single row of states, which is the sum.
    """
    shapes = [state.shape[1:] for state in rows.values()]
    flat = torch.cat([state.reshape(len(state), -1).double() for state in rows.values()], 1)
    number, sums = flat.shape
    sizes = [shape.numel() for shape in shapes]
    generator = torch.Generator(flat.device).manual_seed(seed)

    def draw(draws: Draws) -> dict[str, Tensor]:
        drawn = torch.randint(number, (draws.number, number), generator=generator, device=flat.device)
        times = flat.new_zeros(draws.number, number)
        times.scatter_add_(1, drawn, flat.new_ones(()).expand(draws.number, number))
        found = (times @ flat).split(sizes, 1)
        return {name: state.view(1, -1, *shape) for name, state, shape in zip(rows, found, shapes, strict=True)}

    return Resampling(2 * number + sums, draw)
