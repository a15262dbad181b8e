# SPDX-License-Identifier: Apache-2.0
"""Agreement of two clusterings, counted in pairs of samples."""

from __future__ import annotations

from fastmetrics.clustering.base import ClusteringMetric
from fastmetrics.formulas import clusters


class RandScore(ClusteringMetric):
    """Rand index: the share of the pairs of samples that two clusterings both join or both separate.

    Pairs are counted exactly up to 2^53.

    Returns:
        float32 scalar in [0, 1]; 1 if there are no pairs.
    """

    example = {"": "0.8000"}
    formula_of_table = staticmethod(clusters.rand)


class AdjustedRandScore(ClusteringMetric):
    """Rand index corrected for chance and normalized by its maximum.

    Pairs are counted in float64, whose products do not overflow. Chance is a random clustering with clusters of the
    same sizes.

    Returns:
        float32 scalar in [-0.5, 1]; 1 if the clusterings agree on all pairs, a single sample and none included.
    """

    higher_is_better = None
    plot_lower_bound = -0.5
    example = {"": "0.4444"}
    formula_of_table = staticmethod(clusters.adjusted_rand)


class FowlkesMallowsIndex(ClusteringMetric):
    r"""Geometric mean of precision and recall over pairs of samples, :math:`TP / \sqrt{(TP + FP) (TP + FN)}`.

    Returns:
        float32 scalar in [0, 1]; 0 if no pair is joined by both clusterings, a single sample and none included.
    """

    example = {"": "0.5774"}
    formula_of_table = staticmethod(clusters.fowlkes_mallows)
