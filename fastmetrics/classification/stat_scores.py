# SPDX-License-Identifier: Apache-2.0
"""The counts themselves: tp, fp, tn, fn and support."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.classification.base import BinaryCounts, MulticlassCounts, MultilabelCounts
from fastmetrics.classification.family import Family
from fastmetrics.formulas.counts import stat_scores, stat_scores_of_totals


class StatScores(Family):
    """tp, fp, tn, fn and support, the number of positive targets.

    Counts are int64; their averages ``macro`` and ``weighted`` are float32. See
    :func:`fastmetrics.formulas.counts.stat_scores`. ``zero_division`` is not used.
    """

    constants = {
        "batched": True,
        **dict.fromkeys(("higher_is_better", "plot_lower_bound", "plot_upper_bound", "plot_legend_name")),
    }
    function_lacks = ("zero_division",)
    example = {
        "binary": {"": "[2, 1, 2, 1, 3]"},
        "multiclass": {
            'average="micro"': "[3, 1, 7, 1, 4]",
            "average=None": "[[1, 0, 2, 1, 2], [1, 1, 2, 0, 1], [1, 0, 3, 0, 1]]",
        },
        "multilabel": {
            'average="micro"': "[2, 1, 2, 1, 3]",
            "average=None": "[[1, 0, 1, 0, 1], [0, 0, 1, 1, 1], [1, 1, 0, 0, 1]]",
        },
        "family": {"": "[3, 1, 7, 1, 4]"},
    }


class BinaryStatScores(BinaryCounts, family=StatScores):
    """tp, fp, tn, fn and support of binary decisions.

    Returns:
        int64 ``(5,)``, or ``(N, 5)`` samplewise.
    """

    def formula(self, counts: Tensor) -> Tensor:
        """The counts."""
        return stat_scores(counts, "micro")


class MulticlassStatScores(MulticlassCounts, family=StatScores):
    """tp, fp, tn, fn and support of each class, averaged.

    Returns:
        ``(5,)``, or ``(C, 5)`` without an average; samplewise ``(N, 5)`` or ``(N, C, 5)``.
    """

    takes_totals = True

    def formula(self, counts: Tensor, ranks: Tensor | None = None) -> Tensor:
        """The averaged counts."""
        if counts.shape[-2] == 1:
            return stat_scores_of_totals(counts, self.num_classes or 1)
        return stat_scores(self.table(counts, ranks), self.average, self.excluded)


class MultilabelStatScores(MultilabelCounts, family=StatScores):
    """tp, fp, tn, fn and support of each label, averaged.

    Returns:
        ``(5,)``, or ``(L, 5)`` without an average; samplewise ``(N, 5)`` or ``(N, L, 5)``.
    """

    def formula(self, counts: Tensor) -> Tensor:
        """The averaged counts."""
        return stat_scores(counts, self.average)
