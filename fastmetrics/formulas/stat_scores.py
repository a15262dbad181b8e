# SPDX-License-Identifier: Apache-2.0
"""The counts themselves as a result."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.formulas.counts import Counts


def stat_scores(counts: Counts, average: str | None) -> Tensor:
    """tp, fp, tn, fn and support.

    Args:
        counts: [..., C].
        average: ``micro`` sums them over classes (int64), ``macro`` is their mean, ``weighted`` their mean with the
            class's share of the support of all classes and samples as weight (float32), ``none`` keeps classes apart.

    Returns:
        [..., 5], or [..., C, 5] without an average.
    """
    table = counts.table()
    if average == "micro":
        return table.sum(-2)
    if average == "macro":
        return table.float().mean(-2)
    if average == "weighted":
        weight = counts.actual / counts.actual.sum(-1, keepdim=True)
        return (table * weight.unsqueeze(-1)).sum(-2)
    return table
