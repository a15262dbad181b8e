# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

from torch import Tensor

__all__ = [
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "calinski_harabasz_score",
    "cluster_accuracy",
    "completeness_score",
    "davies_bouldin_score",
    "dunn_index",
    "fowlkes_mallows_index",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "rand_score",
    "v_measure_score",
]

def __getattr__(name: str) -> Any: ...
def adjusted_mutual_info_score(
    preds: Tensor,
    target: Tensor,
    average_method: str = "arithmetic",
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Mutual information of two clusterings, chance-corrected and normalized by its maximum."""

def adjusted_rand_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Rand index corrected for chance and normalized by its maximum."""

def calinski_harabasz_score(
    data: Tensor,
    labels: Tensor,
    num_clusters: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Variance between clusters over variance within them, each by its degrees of freedom."""

def cluster_accuracy(
    preds: Tensor, target: Tensor, num_classes: int, *, weights: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """Accuracy under the best one-to-one assignment of clusters to classes."""

def completeness_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """How far the samples of each target lie in a single cluster, :math:`I(P; T) / H(P)`."""

def davies_bouldin_score(
    data: Tensor, labels: Tensor, *, weights: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """How alike each cluster is to the one that is most like it, averaged over clusters."""

def dunn_index(
    data: Tensor, labels: Tensor, p: float = 2, *, weights: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """Least distance of two centroids over the greatest distance of a point from its centroid."""

def fowlkes_mallows_index(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Geometric mean of precision and recall over pairs of samples, :math:`TP / \sqrt{(TP + FP) (TP + FN)}`."""

def homogeneity_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """How far each cluster holds samples of a single target, :math:`I(P; T) / H(T)`."""

def mutual_info_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Mutual information of two clusterings in nats, :math:`\sum_{ij} p_{ij} \log (p_{ij} / p_i p_j)`."""

def normalized_mutual_info_score(
    preds: Tensor,
    target: Tensor,
    average_method: str = "arithmetic",
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Mutual information of two clusterings divided by the mean of their entropies, :math:`I / H`."""

def rand_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    """Rand index: the share of the pairs of samples that two clusterings both join or both separate."""

def v_measure_score(
    preds: Tensor,
    target: Tensor,
    beta: float = 1.0,
    num_classes: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Harmonic mean of homogeneity h and completeness c, :math:`(1 + \beta) h c / (\beta h + c)`."""
