# SPDX-License-Identifier: Apache-2.0
"""How compact and how far apart clusters of points are; float64 throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

_AT_ONCE = 1 << 20  # numbers of points that are in float64 at a time


class Clusters(NamedTuple):
    """Points ``[N, d]``, the cluster of each, int64 ``[N]`` in [0, K), and the centroids, float64 ``[K, d]``."""

    points: Tensor
    labels: Tensor
    sizes: Tensor
    centroids: Tensor

    def by_point(self, value: Callable[[Tensor], Tensor]) -> Tensor:
        """``value`` of the differences ``[n, d]`` of points from the centroid of their cluster, float64 ``[N]``."""
        at_once = max(1, _AT_ONCE // max(1, self.points.shape[1]))
        parts = zip(self.points.split(at_once), self.labels.split(at_once), strict=True)
        return torch.cat([value(some.double() - self.centroids[of]) for some, of in parts])


def clusters(points: Tensor, labels: Tensor, dims: Tensor) -> Clusters:
    """The clusters that occur, of points ``[N * d]``, labels int64 ``[N]`` and the d of each.

    Raises:
        ValueError: points of different d.
    """
    distinct = dims.unique().tolist()
    if len(distinct) > 1:
        raise ValueError(f"Expected all `data` to have the same number of columns, but got {distinct}.")
    points = points.reshape(len(labels), -1) if len(labels) else points.reshape(0, 0)
    found, labels = labels.unique(return_inverse=True)
    sums = points.new_zeros(len(found), points.shape[1], dtype=torch.float64)
    at_once = max(1, _AT_ONCE // max(1, points.shape[1]))
    for some, of in zip(points.split(at_once), labels.split(at_once), strict=True):
        sums.index_add_(0, of, some.double())
    sizes = sums.new_zeros(len(found)).index_add_(0, labels, sums.new_ones(len(labels)))
    return Clusters(points, labels, sizes, sums / sizes.unsqueeze(1))


def require_clusters(found: int, samples: float, fewer: bool = True) -> None:
    """Raise ``ValueError`` unless there are two clusters, and, if ``fewer``, fewer than points."""
    if found < 2 or (fewer and found >= samples):
        than = " and less than the number of samples" if fewer else ""
        raise ValueError(
            f"Number of detected clusters must be greater than one{than}."
            f" Got {found} clusters and {int(samples)} samples."
        )


def calinski_harabasz(sizes: Tensor, centroids: Tensor, within: Tensor) -> Tensor:
    """Variance between over variance within clusters; 1 if there is none within.

    Args:
        sizes: float64 ``[K]``, above 0.
        centroids: float64 ``[K, d]``.
        within: float64 ``[]``, the sum of squared distances from the centroids.
    """
    n, k = float(sizes.sum()), len(sizes)
    require_clusters(k, n)
    mean = (sizes.unsqueeze(1) * centroids).sum(0) / n
    between = (sizes * (centroids - mean).square().sum(1)).sum()
    return torch.where(within == 0, 1.0, between * (n - k) / (within * (k - 1.0)))


def davies_bouldin(found: Clusters) -> Tensor:
    """Mean over clusters of the greatest ratio of their spread to their distance; 0 if either is all 0."""
    sizes, k = found.sizes, len(found.sizes)
    require_clusters(k, len(found.labels))
    distances = found.by_point(lambda difference: difference.square().sum(1).sqrt())
    spread = torch.zeros_like(sizes).index_add_(0, found.labels, distances) / sizes
    apart = torch.cdist(found.centroids, found.centroids, compute_mode="donot_use_mm_for_euclid_dist")
    if torch.allclose(spread, torch.zeros_like(spread)) or torch.allclose(apart, torch.zeros_like(apart)):
        return sizes.new_zeros(())
    apart = torch.where(apart == 0, torch.inf, apart)
    return ((spread.unsqueeze(0) + spread.unsqueeze(1)) / apart).amax(1).mean()


def dunn(found: Clusters, p: float) -> Tensor:
    """The least distance of two centroids over the greatest of a point from its centroid, in the p-norm."""
    require_clusters(len(found.sizes), len(found.labels), fewer=False)
    greatest = found.by_point(lambda difference: torch.linalg.vector_norm(difference, ord=p, dim=1)).max()
    return torch.pdist(found.centroids, p=p).min() / greatest
