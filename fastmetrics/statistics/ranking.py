# SPDX-License-Identifier: Apache-2.0
"""Statistics of the ranks of relevant labels."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.passes import ranking_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.ranking import ranking_figures
from fastmetrics.statistics.base import Batch, Inputs, States, as_labels, rows_in_parts
from fastmetrics.statistics.decisions import OfScores
from fastmetrics.statistics.exact_match import weights_of_rows


class RankingStatistics(OfScores):
    """Number of rows and sums of their ranking scores; see :func:`fastmetrics.passes.ranking.ranking_body`.

    Args:
        num_labels: L of scores and targets ``[N, L, ...]``.
        coverage: ask for ``coverage`` float64 [].
        average_precision: ask for ``average_precision`` float64 [].
        ranking_loss: ask for ``ranking_loss`` float64 [].
        ignore_index: a target that is left out of its row.
        validate: record targets other than 0 and 1.
    """

    def __init__(
        self,
        num_labels: int,
        *,
        coverage: bool = False,
        average_precision: bool = False,
        ranking_loss: bool = False,
        ignore_index: int | None = None,
        validate: bool = True,
    ) -> None:
        super().__init__(None, num_labels, ignore_index, validate)
        asked = {"coverage": coverage, "average_precision": average_precision, "ranking_loss": ranking_loss}
        self.shapes = {name: ((), torch.float64) for name, wanted in asked.items() if wanted}
        self.shapes["count"] = ((), torch.int64)

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """As of all statistics, but there is one weight for all labels of a row."""
        if name != "valid":
            inputs = weights_of_rows(values, inputs[-1], 1, name)
        return super().per_sample(name, values, inputs)

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        inputs, weights, valid = batch
        preds, target = inputs
        faults = states.get("faults")
        if rows is None:
            sums = states.get("coverage"), states.get("average_precision"), states.get("ranking_loss"), states["count"]
            ranking_(preds, as_labels(target), valid, weights, *sums, faults, *self._ignored)
        elif target.numel():
            kept, asked = 8 * target[0].numel(), [name for name in self.shapes if name != "count"]
            for ((some, labels), amounts, counted), of_some in rows_in_parts(kept, rows, batch):
                amount, found = ranking_figures(
                    some, as_labels(labels), counted, amounts, asked, faults, *self._ignored
                )
                for name in asked:
                    add_amounts(states[name], of_some, amount * found[name])
                add_amounts(states["count"], of_some, amount)
