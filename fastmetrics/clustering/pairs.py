# SPDX-License-Identifier: Apache-2.0
"""Agreement of two clusterings, counted in pairs of samples."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.clustering.base import ClusteringMetric
from fastmetrics.formulas import clusters
from fastmetrics.formulas.contingency import Contingency


class RandScore(ClusteringMetric):
    r"""Rand index: the share of the pairs of samples that two clusterings both join or both separate.

    Arguments, input, state and errors are those of :class:`~fastmetrics.clustering.MutualInfoScore`. Pairs are counted
    in float64, exact up to 2^53.

    Returns:
        float32 scalar in [0, 1]; 1 if there are no pairs.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import RandScore
        >>> from fastmetrics.functional.clustering import rand_score
        >>> preds, target = torch.tensor([2, 1, 0, 1, 0]), torch.tensor([0, 2, 1, 1, 0])
        >>> RandScore()(preds, target)
        tensor(0.6000)
        >>> rand_score(preds, target, num_classes=3)
        tensor(0.6000)
    """

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The Rand index."""
        return clusters.rand(table)


class AdjustedRandScore(ClusteringMetric):
    r"""Rand index, chance-corrected and normalized by its maximum.

    Arguments, input, state and errors are those of :class:`~fastmetrics.clustering.MutualInfoScore`. Pairs are counted
    in float64, whose products do not overflow. Chance is a random clustering with clusters of the same sizes.

    Returns:
        float32 scalar in [-0.5, 1]; 1 if the clusterings agree on all pairs, a single sample and none included.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import AdjustedRandScore
        >>> from fastmetrics.functional.clustering import adjusted_rand_score
        >>> preds, target = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 1, 1])
        >>> AdjustedRandScore()(preds, target)
        tensor(0.5714)
        >>> adjusted_rand_score(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]))
        tensor(-0.5000)
    """

    higher_is_better = None
    plot_lower_bound = -0.5

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The adjusted Rand index."""
        return clusters.adjusted_rand(table)


class FowlkesMallowsIndex(ClusteringMetric):
    r"""Geometric mean of precision and recall over pairs of samples, :math:`TP / \sqrt{(TP + FP) (TP + FN)}`.

    Arguments, input, state and errors are those of :class:`~fastmetrics.clustering.MutualInfoScore`.

    Returns:
        float32 scalar in [0, 1]; 0 if no pair is joined by both clusterings, a single sample and none included.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import FowlkesMallowsIndex
        >>> from fastmetrics.functional.clustering import fowlkes_mallows_index
        >>> preds, target = torch.tensor([2, 2, 0, 1, 0]), torch.tensor([2, 2, 1, 1, 0])
        >>> FowlkesMallowsIndex()(preds, target)
        tensor(0.5000)
        >>> fowlkes_mallows_index(preds, target, num_classes=3)
        tensor(0.5000)
    """

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The Fowlkes-Mallows index."""
        return clusters.fowlkes_mallows(table)
