# SPDX-License-Identifier: Apache-2.0
"""Mutual information of two labelings, and what it is compared with."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.clustering.base import ClusteringMetric
from fastmetrics.formulas import clusters
from fastmetrics.formulas.contingency import Contingency, mutual_information


class MutualInfoScore(ClusteringMetric):
    r"""Mutual information of two clusterings in nats, :math:`\sum_{ij} p_{ij} \log (p_{ij} / p_i p_j)`.

    The relative error before the value is rounded to float32 is about 1e-14.

    Returns:
        float32 scalar, at least 0; 0 without samples.
    """

    plot_upper_bound = None
    example = {"": "0.7804"}
    formula_of_table = staticmethod(mutual_information)


class _Averaged(ClusteringMetric):
    """A score that is compared with the mean of the entropies of the two labelings.

    Args:
        average_method: the mean :math:`H` of the two entropies: ``min``, ``geometric``, ``arithmetic`` or ``max``.
    """

    def __init__(self, average_method: str = "arithmetic", num_classes: int | None = None, **kwargs: Any) -> None:
        arguments.one_of("average_method", average_method, clusters.AVERAGE_METHODS)
        super().__init__(num_classes, **kwargs)
        self.average_method = average_method


class NormalizedMutualInfoScore(_Averaged):
    r"""Mutual information of two clusterings divided by the mean of their entropies, :math:`I / H`.

    Returns:
        float32 scalar in [0, 1]; 1 if both group the samples alike, in a single cluster included, and without samples;
        0 if only one of them is a single cluster. These are scikit-learn's values.
    """

    example = {"": "0.7397", 'average_method="min"': "0.7716"}

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The normalized mutual information."""
        return clusters.normalized_mutual_information(table, self.average_method)


class AdjustedMutualInfoScore(_Averaged):
    r"""Mutual information of two clusterings, chance-corrected and normalized by its maximum.

    It is :math:`(I - E) / (H - E)`, where :math:`E` is the mean of :math:`I` over random clusterings of the same sizes.
    It is summed in constant memory, in time that grows with the number of distinct cluster sizes and the root of the
    number of samples; see :func:`fastmetrics.formulas.contingency.expected_mutual_information`.

    Returns:
        float32 scalar, at most 1; 1 if both group the samples alike, in a single cluster included, and without samples;
        0 if only one of them is a single cluster. Where :math:`H = E` and the clusterings differ it is 0, as no
        clustering of these sizes is better than chance; scikit-learn returns 1 or -1 there, as rounding decides.

    Raises:
        ValueError: an argument that does not fit, labels that are not integers ``(N,)``; at ``compute``, weights that
            are not whole numbers: samples are permuted.
    """

    higher_is_better = None
    example = {"": "0.5024", 'average_method="max"': "0.4656"}

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The adjusted mutual information."""
        if bool((table.cells != table.cells.round()).any()):
            raise ValueError("AdjustedMutualInfoScore permutes samples: expected whole numbers as `weights`.")
        return clusters.adjusted_mutual_information(table, self.average_method)


class HomogeneityScore(ClusteringMetric):
    r"""How far each cluster holds samples of a single target, :math:`I(P; T) / H(T)`.

    Returns:
        float32 scalar in [0, 1]; 1 for a single target and without samples.
    """

    example = {"": "0.7716"}
    formula_of_table = staticmethod(clusters.homogeneity)


class CompletenessScore(ClusteringMetric):
    r"""How far the samples of each target lie in a single cluster, :math:`I(P; T) / H(P)`.

    Returns:
        float32 scalar in [0, 1]; 1 for a single cluster and without samples.
    """

    example = {"": "0.7103"}
    formula_of_table = staticmethod(clusters.completeness)


class VMeasureScore(ClusteringMetric):
    r"""Harmonic mean of homogeneity h and completeness c, :math:`(1 + \beta) h c / (\beta h + c)`.

    Args:
        beta: above 0: how much more completeness weighs.

    Returns:
        float32 scalar in [0, 1]; 0 if both are 0, 1 without samples.
    """

    example = {"": "0.7397", "beta=2.0": "0.7296"}

    def __init__(self, beta: float = 1.0, num_classes: int | None = None, **kwargs: Any) -> None:
        if not (isinstance(beta, float) and beta > 0):
            raise ValueError(f"Argument `beta` should be a positive float. Got {beta}.")
        super().__init__(num_classes, **kwargs)
        self.beta = beta

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The harmonic mean."""
        return clusters.v_measure(table, self.beta)
