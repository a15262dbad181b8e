# SPDX-License-Identifier: Apache-2.0
"""Mutual information of two clusterings, and scores that normalize it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics.clustering.base import ClusteringMetric, check_average_method
from fastmetrics.formulas import clusters
from fastmetrics.formulas.contingency import Contingency, mutual_information


class MutualInfoScore(ClusteringMetric):
    r"""Mutual information of two clusterings in nats, :math:`\sum_{ij} p_{ij} \log (p_{ij} / p_i p_j)`.

    Args:
        num_classes: C: the labels of both are in [0, C), and the state is their table, int64 (C, C), whatever the size
            of the data. None takes labels of any value and keeps them, 24 bytes a sample, as torchmetrics does.
        kwargs: those of :class:`~fastmetrics.Metric`.

    ``preds`` and ``target`` are labels ``(N,)`` of any integer type or bool. ``compute`` makes the contingency table
    of the pairs of labels that occur, in memory that grows with their number. Counts are exact and all arithmetic is
    float64; the relative error before the value is rounded to float32 is about 1e-14.

    Returns:
        float32 scalar, at least 0; 0 without samples.

    Raises:
        ValueError: labels that are not integers ``(N,)``.
        RuntimeError: inputs of different shape or device; with ``num_classes``, labels out of range.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import MutualInfoScore
        >>> from fastmetrics.functional.clustering import mutual_info_score
        >>> preds, target = torch.tensor([2, 1, 0, 1, 0]), torch.tensor([0, 2, 1, 1, 0])
        >>> MutualInfoScore()(preds, target)
        tensor(0.5004)
        >>> mutual_info_score(preds, target, num_classes=3)
        tensor(0.5004)
    """

    plot_upper_bound = None

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The mutual information."""
        return mutual_information(table)


class _Averaged(ClusteringMetric):
    def __init__(self, average_method: str = "arithmetic", num_classes: int | None = None, **kwargs: Any) -> None:
        check_average_method(average_method)
        super().__init__(num_classes, **kwargs)
        self.average_method = average_method


class NormalizedMutualInfoScore(_Averaged):
    r"""Mutual information of two clusterings divided by the mean of their entropies, :math:`I / H`.

    Args:
        average_method: the mean :math:`H` of the two entropies: ``min``, ``geometric``, ``arithmetic`` or ``max``.
        num_classes: see :class:`MutualInfoScore`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input, state and errors are those of :class:`MutualInfoScore`.

    Returns:
        float32 scalar in [0, 1]; 1 if both group the samples alike, in a single cluster included, and without samples;
        0 if only one of them is a single cluster. These are scikit-learn's values.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import NormalizedMutualInfoScore
        >>> from fastmetrics.functional.clustering import normalized_mutual_info_score
        >>> preds, target = torch.tensor([2, 1, 0, 1, 0]), torch.tensor([0, 2, 1, 1, 0])
        >>> NormalizedMutualInfoScore()(preds, target)
        tensor(0.4744)
        >>> normalized_mutual_info_score(preds, target, average_method="min")
        tensor(0.4744)
    """

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The normalized mutual information."""
        return clusters.normalized_mutual_information(table, self.average_method)


class AdjustedMutualInfoScore(_Averaged):
    r"""Mutual information of two clusterings, chance-corrected and normalized by its maximum.

    It is :math:`(I - E) / (H - E)`, where :math:`E` is the mean of :math:`I` over random clusterings of the same sizes.

    Args:
        average_method: the mean :math:`H` of the two entropies: ``min``, ``geometric``, ``arithmetic`` or ``max``.
        num_classes: see :class:`MutualInfoScore`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input, state and errors are those of :class:`MutualInfoScore`. :math:`E` is summed in constant memory, in time that
    grows with the number of distinct cluster sizes and the root of the number of samples; see
    :func:`fastmetrics.formulas.contingency.expected_mutual_information`.

    Returns:
        float32 scalar, at most 1; 1 if both group the samples alike, in a single cluster included, and without samples;
        0 if only one of them is a single cluster. Where :math:`H = E` and the clusterings differ it is 0, as no
        clustering of these sizes is better than chance; scikit-learn returns 1 or -1 there, as rounding decides.

    Raises:
        ValueError: also, at ``compute``, weights that are not whole numbers: samples are permuted.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import AdjustedMutualInfoScore
        >>> from fastmetrics.functional.clustering import adjusted_mutual_info_score
        >>> preds, target = torch.tensor([2, 1, 0, 1, 0]), torch.tensor([0, 2, 1, 1, 0])
        >>> AdjustedMutualInfoScore()(preds, target)
        tensor(-0.2500)
        >>> adjusted_mutual_info_score(preds, target, average_method="max")
        tensor(-0.2500)
    """

    higher_is_better = None

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The adjusted mutual information."""
        if bool((table.cells != table.cells.round()).any()):
            raise ValueError("AdjustedMutualInfoScore permutes samples: expected whole numbers as `weights`.")
        return clusters.adjusted_mutual_information(table, self.average_method)


class HomogeneityScore(ClusteringMetric):
    r"""How far each cluster holds samples of a single target, :math:`I(P; T) / H(T)`.

    Arguments, input, state and errors are those of :class:`MutualInfoScore`.

    Returns:
        float32 scalar in [0, 1]; 1 for a single target and without samples.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import HomogeneityScore
        >>> from fastmetrics.functional.clustering import homogeneity_score
        >>> preds, target = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 1, 1])
        >>> HomogeneityScore()(preds, target)
        tensor(1.)
        >>> homogeneity_score(target, preds)
        tensor(0.6667)
    """

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The homogeneity."""
        return clusters.homogeneity(table)


class CompletenessScore(ClusteringMetric):
    r"""How far the samples of each target lie in a single cluster, :math:`I(P; T) / H(P)`.

    Arguments, input, state and errors are those of :class:`MutualInfoScore`.

    Returns:
        float32 scalar in [0, 1]; 1 for a single cluster and without samples.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import CompletenessScore
        >>> from fastmetrics.functional.clustering import completeness_score
        >>> preds, target = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 1, 1])
        >>> CompletenessScore()(preds, target)
        tensor(0.6667)
        >>> completeness_score(target, preds)
        tensor(1.)
    """

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The completeness."""
        return clusters.completeness(table)


class VMeasureScore(ClusteringMetric):
    r"""Harmonic mean of homogeneity h and completeness c, :math:`(1 + \beta) h c / (\beta h + c)`.

    Args:
        beta: above 0: how much more completeness weighs.
        num_classes: see :class:`MutualInfoScore`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input, state and errors are those of :class:`MutualInfoScore`.

    Returns:
        float32 scalar in [0, 1]; 0 if both are 0, 1 without samples.

    Example:
        >>> import torch
        >>> from fastmetrics.clustering import VMeasureScore
        >>> from fastmetrics.functional.clustering import v_measure_score
        >>> preds, target = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 1, 1])
        >>> VMeasureScore(beta=2.0)(preds, target)
        tensor(0.7500)
        >>> v_measure_score(preds, target)
        tensor(0.8000)
    """

    def __init__(self, beta: float = 1.0, num_classes: int | None = None, **kwargs: Any) -> None:
        if not (isinstance(beta, float) and beta > 0):
            raise ValueError(f"Argument `beta` should be a positive float. Got {beta}.")
        super().__init__(num_classes, **kwargs)
        self.beta = beta

    def formula_of_table(self, table: Contingency) -> Tensor:
        """The harmonic mean."""
        return clusters.v_measure(table, self.beta)
