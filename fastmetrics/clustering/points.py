# SPDX-License-Identifier: Apache-2.0
"""Scores of a clustering of points that need no target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastmetrics.docstrings import Documented
from fastmetrics.formulas import points as formulas
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.base import Statistics
from fastmetrics.statistics.points import ClusterMoments, PointBuffer


class PointsMetric(Documented, StatisticMetric):
    """A score of points and the clusters that they are in, computed in float64.

    Args:
        kwargs: those of :class:`~fastmetrics.Metric`.

    Inputs:
        data: points ``(N, d)`` of a floating type.
        labels: the cluster of each, ``(N,)`` of any integer type.
        weights: None: points have none.
        valid: bool ``(N,)``: a point that is not valid is not counted.

    Raises:
        ValueError: an argument or a shape that does not fit, ``data`` that are no floats, ``labels`` that are no
            integers; at ``compute``, points of different d, or too few clusters.
        RuntimeError: inputs on different devices.
    """

    is_differentiable = False
    higher_is_better: bool | None = True
    plot_lower_bound = 0.0
    reads_values = True
    inputs_options = ()

    example_batch = "torch.tensor([[0.0], [2.0], [6.0], [7.0], [8.0]]), torch.tensor([0, 0, 1, 1, 1])"

    #: The value, float64.
    value: Callable[[formulas.Clusters], Tensor]

    def inputs(self, data: Tensor, labels: Tensor, weights: Tensor | None = None, valid: Tensor | None = None) -> Batch:
        """See the class."""
        return (data, labels), weights, valid

    def formula(self, points: Tensor, labels: Tensor, dims: Tensor) -> Tensor:
        """From points [N * d], labels int64 [N], and the d of each."""
        return self.value(formulas.clusters(points, labels, dims)).float()


class CalinskiHarabaszScore(PointsMetric):
    r"""Variance between clusters over variance within them, each by its degrees of freedom.

    .. math:: \frac{\sum_k n_k |c_k - c|^2 / (K - 1)}{\sum_k \sum_{x \in C_k} |x - c_k|^2 / (N - K)}

    The points of each cluster, their mean and their squared deviations decide it: with ``num_clusters`` they are the
    state.

    Args:
        num_clusters: K: labels are in [0, K), and the state is float64 (d, K, 3), whatever the number of points. None
            takes labels of any value and keeps all points, as torchmetrics does.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Returns:
        float32 scalar, at least 0; 1 if all points are at their centroids.

    Raises:
        ValueError: an argument or a shape that does not fit, ``data`` that are no floats, ``labels`` that are no
            integers; at ``compute``, points of different d, fewer than two clusters, or as many as points.
        RuntimeError: inputs on different devices; with ``num_clusters``, labels out of range, which are not counted.

    Source: Caliński and Harabasz, A dendrite method for cluster analysis, 1974.
    """

    example = {"": "32.4000", "num_clusters=2": "32.4000"}

    def __init__(self, num_clusters: int | None = None, **kwargs: Any) -> None:
        if num_clusters is not None and (not isinstance(num_clusters, int) or num_clusters <= 0):
            raise ValueError(f"Expected argument `num_clusters` to be a positive integer, but got {num_clusters}.")
        statistics: Statistics = PointBuffer() if num_clusters is None else ClusterMoments(num_clusters)
        super().__init__(statistics, **kwargs)
        self.num_clusters = num_clusters

    def formula(  # type: ignore[override]
        self,
        moments: Tensor | None = None,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        dims: Tensor | None = None,
    ) -> Tensor:
        """From float64 [d, K, 3], or from points as the others."""
        if moments is None:
            assert points is not None
            assert labels is not None
            assert dims is not None
            return super().formula(points, labels, dims)
        count, mean, squares = moments.unbind(-1)
        found = count[0] > 0
        return formulas.calinski_harabasz(count[0, found], mean[:, found].T, squares.sum()).float()

    def value(self, found: formulas.Clusters) -> Tensor:
        """From points."""
        within = found.by_point(lambda difference: difference.square().sum(1)).sum()
        return formulas.calinski_harabasz(found.sizes, found.centroids, within)


class DaviesBouldinScore(PointsMetric):
    r"""How alike each cluster is to the one that is most like it, averaged over clusters.

    .. math:: \frac1K \sum_i \max_{j \ne i} \frac{s_i + s_j}{|c_i - c_j|}

    where :math:`s_k` is the mean distance of the points of a cluster from its centroid :math:`c_k`. That centroid is
    known only when all points are, so they are kept.

    Returns:
        float32 scalar, at least 0, the best value.

    Raises:
        ValueError: an argument or a shape that does not fit, ``data`` that are no floats, ``labels`` that are no
            integers; at ``compute``, points of different d, fewer than two clusters, or as many as points.
        RuntimeError: inputs on different devices.

    Source: Davies and Bouldin, A cluster separation measure, 1979.
    """

    higher_is_better = False
    example = {"": "0.2778"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(PointBuffer(), **kwargs)

    def value(self, found: formulas.Clusters) -> Tensor:
        """From points."""
        return formulas.davies_bouldin(found)


class DunnIndex(PointsMetric):
    r"""Least distance of two centroids over the greatest distance of a point from its centroid.

    .. math:: \frac{\min_{i < j} |c_i - c_j|_p}{\max_k \max_{x \in C_k} |x - c_k|_p}

    The centroids are known only when all points are, so they are kept.

    Args:
        p: the norm of distances, a number of at least 0; infinity is the greatest coordinate.

    Returns:
        float32 scalar, at least 0; the greater, the better apart. inf if all points are at their centroids.
    """

    example = {"": "6.", "p=1": "6."}

    def __init__(self, p: float = 2, **kwargs: Any) -> None:
        if not isinstance(p, (int, float)) or not p >= 0:
            raise ValueError(f"Expected argument `p` to be a number of at least 0, but got {p}.")
        super().__init__(PointBuffer(), **kwargs)
        self.p = p

    def value(self, found: formulas.Clusters) -> Tensor:
        """From points."""
        return formulas.dunn(found, self.p)
