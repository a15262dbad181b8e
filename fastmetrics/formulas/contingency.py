# SPDX-License-Identifier: Apache-2.0
"""Contingency tables of two labelings as lists of their nonempty cells; their entropies and pair counts.

All arithmetic is float64: counts are exact up to 2^53, and products of four counts do not overflow.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Contingency(NamedTuple):
    """The nonempty cells of a table, and its margins; P cells, R targets and K predictions occur.

    Attributes:
        cells: float64 [P].
        rows: int64 [P], the target of a cell, in [0, R).
        columns: int64 [P], the prediction of a cell, in [0, K).
        targets: float64 [R], sums of the rows.
        preds: float64 [K], sums of the columns.
    """

    cells: Tensor
    rows: Tensor
    columns: Tensor
    targets: Tensor
    preds: Tensor

    @property
    def total(self) -> Tensor:
        """float64 [], the sum of all cells."""
        return self.cells.sum()


def of_table(table: Tensor) -> Contingency:
    """From a table int64 or float64 [R, K], row = target; rows and columns may be empty."""
    rows, columns = table.nonzero(as_tuple=True)
    return _of_cells(rows, columns, table[rows, columns].double())


def of_labels(labels: Tensor, weights: Tensor) -> Contingency:
    """From labels, in memory that grows with the number of samples and of distinct pairs of labels.

    Args:
        labels: int64 [N, 2]: prediction and target of each sample, of any value.
        weights: float64 [N]; a sample of weight 0 does not count.
    """
    (columns, width), (rows, height) = (_codes(part) for part in labels.unbind(1))
    pairs = rows * width + columns
    if width * height <= max(_FEW, 4 * pairs.numel()):  # a whole table costs less than to sort
        table = weights.new_zeros(height * width).index_add_(0, pairs, weights)
        return of_table(table.view(height, width))
    pairs, at = pairs.unique(return_inverse=True)
    cells = weights.new_zeros(pairs.numel()).index_add_(0, at, weights)
    pairs, cells = pairs[cells != 0], cells[cells != 0]
    return _of_cells(pairs // width, pairs % width, cells)


_FEW = 1 << 16


def _codes(labels: Tensor) -> tuple[Tensor, int]:
    """Labels int64 [N] as codes in [0, K), and K; not every code need occur."""
    if labels.numel() == 0:
        return labels, 0
    low, high = (int(value) for value in labels.aminmax())
    if high - low < max(_FEW, 4 * labels.numel()):
        return labels - low, high - low + 1
    distinct, codes = labels.unique(return_inverse=True)
    return codes, distinct.numel()


def _of_cells(rows: Tensor, columns: Tensor, cells: Tensor) -> Contingency:
    (targets, rows), (preds, columns) = (index.unique(return_inverse=True) for index in (rows, columns))
    of_rows = cells.new_zeros(targets.numel()).index_add_(0, rows, cells)
    return Contingency(cells, rows, columns, of_rows, cells.new_zeros(preds.numel()).index_add_(0, columns, cells))


def entropy(margin: Tensor) -> Tensor:
    """Entropy of a labeling in nats, [], from its counts float64 [R], above 0; exactly 0 for a single label."""
    total = margin.sum()
    return (margin / total * (total.log() - margin.log())).sum()


def mutual_information(table: Contingency) -> Tensor:
    """Mutual information of the two labelings in nats, []; at least 0, and 0 without samples."""
    total = table.total
    independent = table.targets.log()[table.rows] + table.preds.log()[table.columns]
    information = table.cells / total * (total.log() + table.cells.log() - independent)
    # independent labelings have a sum of some 1e-16 of either sign, which is treated as rounding error
    value = information.sum()
    return torch.where(value <= 4 * torch.finfo(torch.float64).eps * information.abs().sum(), 0.0, value)


class Pairs(NamedTuple):
    """How many ordered pairs of two samples both labelings join, only one of them, or neither; float64 [] each."""

    both: Tensor
    only_preds: Tensor
    only_target: Tensor
    neither: Tensor


def pairs_of_samples(table: Contingency) -> Pairs:
    """Count the ordered pairs of samples that the labelings join."""
    total = table.total
    squares = table.cells.square().sum()
    # a cell that fills its row or column gives the same product twice, so that equal labelings leave exactly 0
    only_preds = (table.cells * table.preds[table.columns]).sum() - squares
    only_target = (table.cells * table.targets[table.rows]).sum() - squares
    return Pairs(squares - total, only_preds, only_target, total.square() - only_preds - only_target - squares)


# How many terms of the expected mutual information are in memory at a time.
_TERMS = 1 << 20
_LOG_TAIL = 40.0  # minus the logarithm of the probability beyond the window


def expected_mutual_information(targets: Tensor, preds: Tensor) -> Tensor:
    """Mean mutual information of two labelings of these sizes under random permutations of the samples, in nats, [].

    The size of the overlap of two clusters has a hypergeometric distribution. It depends on their sizes alone, so that
    it is summed once for each pair of sizes, over a window around its mean: by the bounds of Hoeffding and Bernstein
    the rest has a probability below 1e-17. Probabilities are products of the ratios of neighbours, divided by
    their sum, so that no factorial is taken and large samples lose no digits. The relative error is about 1e-11.

    Args:
        targets: float64 [R], sizes of the clusters of one labeling; whole numbers.
        preds: float64 [K], sizes of the clusters of the other labeling; the sum is the same.

    Source:
        Vinh, Epps and Bailey, Information theoretic measures for clusterings comparison, 2010.
    """
    if targets.numel() <= 1 or preds.numel() <= 1:
        return targets.new_zeros(())
    n = targets.sum()
    (a, of_a), (b, of_b) = (margin.unique(return_counts=True) for margin in (targets, preds))
    a, b, count = (x.reshape(-1) for x in (*torch.meshgrid(a, b, indexing="ij"), torch.outer(of_a, of_b)))
    mean = a * b / n
    hoeffding = (_LOG_TAIL / 2 * torch.minimum(a, b)).sqrt()
    bernstein = _LOG_TAIL / 3 + (_LOG_TAIL**2 / 9 + 2 * _LOG_TAIL * mean).sqrt()
    reach = torch.minimum(hoeffding, bernstein) + 1.0
    low = torch.maximum(torch.clamp(a + b - n, min=0.0), (mean - reach).floor())
    high = torch.minimum(torch.minimum(a, b), (mean + reach).ceil())
    lengths = (high - low + 1).long()
    expected = targets.new_zeros(())
    begin, ends = 0, lengths.cumsum(0)
    while begin < lengths.numel():
        done = 0 if begin == 0 else int(ends[begin - 1])
        end = max(begin + 1, int(torch.searchsorted(ends, done + _TERMS, right=True)))
        some = slice(begin, end)
        expected += _expected_of(a[some], b[some], low[some], lengths[some], count[some], n)
        begin = end
    return expected


def _expected_of(a: Tensor, b: Tensor, low: Tensor, lengths: Tensor, count: Tensor, n: Tensor) -> Tensor:
    """The summands of P pairs of cluster sizes, [].

    Args:
        a: float64 [P], sizes of clusters of one labeling.
        b: float64 [P], sizes of clusters of the other.
        low: float64 [P], the least overlap of the window.
        lengths: int64 [P], how many overlaps the window has.
        count: int64 [P], how many pairs of clusters have these sizes.
        n: float64 [], number of samples.
    """
    pair = torch.arange(a.numel(), device=a.device).repeat_interleave(lengths)
    first = lengths.cumsum(0) - lengths
    sizes_a, sizes_b = a[pair], b[pair]
    overlap = low[pair] + (torch.arange(pair.numel(), device=a.device) - first[pair])
    ratio = (sizes_a - overlap + 1) * (sizes_b - overlap + 1) / (overlap * (n - sizes_a - sizes_b + overlap))
    log_p = ratio.index_fill_(0, first, 1.0).log_().cumsum(0)
    p = (log_p - torch.segment_reduce(log_p, "max", lengths=lengths)[pair]).exp_()
    information = torch.xlogy(overlap / n, n * overlap / (sizes_a * sizes_b))
    sums = [torch.segment_reduce(x, "sum", lengths=lengths) for x in (p * information, p)]
    return (count * sums[0] / sums[1]).sum()
