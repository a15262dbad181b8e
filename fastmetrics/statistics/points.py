# SPDX-License-Identifier: Apache-2.0
"""Statistics of points in clusters."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.passes.faults import record_faults
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, in_parts, same_device
from fastmetrics.statistics.buffers import Buffers


class _OfPoints(Statistics):
    """What statistics of points ``[N, d]`` and labels ``[N]`` check."""

    by_groups = False
    instead_of_groups = "Clusters are of all points: give those of each group to a metric of its own."

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` on a wrong shape or dtype, ``RuntimeError`` on other devices."""
        data, labels = inputs
        if data.dim() != 2:
            raise ValueError(f"Expected 2D data, got {data.dim()}D data instead")
        if data.shape[1] == 0:
            raise ValueError("Expected data of at least one column, got none")
        if not data.is_floating_point():
            raise ValueError(f"Expected floating point data, got {data.dtype} data instead")
        if labels.dim() != 1:
            raise ValueError(f"Expected 1D labels, got {labels.dim()}D labels instead")
        if labels.is_floating_point() or labels.is_complex():
            raise ValueError(f"Expected integer labels, got {labels.dtype} labels instead")
        if len(data) != len(labels):
            raise ValueError(f"Expected a label for each of {len(data)} points, got {len(labels)} labels")
        same_device(data, labels)

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """There are no weights."""
        if name == "weights":
            raise ValueError("Points have no weights: expected `weights` to be None.")
        return super().per_sample(name, values, inputs)


class PointBuffer(_OfPoints, Buffers):
    """All points: ``points`` [N * d] in the dtype in which they came, ``labels`` int64 [N], and ``dims`` int64 [N]: d.

    Points of several batches, or processes, are of one d if ``dims`` are equal.
    """

    def __init__(self) -> None:
        self.shapes = {
            "points": ((), torch.get_default_dtype()),
            "labels": ((), torch.int64),
            "dims": ((), torch.int64),
        }

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """The points, or the valid ones."""
        data, labels = (value.detach() for value in inputs)
        if valid is not None:
            data, labels = data[valid], labels[valid]
        return {
            "points": data.reshape(-1).clone(),
            "labels": labels.to(torch.int64, copy=True),
            "dims": torch.full_like(labels, data.shape[1], dtype=torch.int64),
        }


class ClusterMoments(_OfPoints):
    """``moments`` float64 [d, K, 3]: of each coordinate, the points of each cluster, their mean and squared deviations.

    Deviations are from the mean of the cluster, so that points far from zero lose no digits.

    Args:
        num_clusters: K; labels are in [0, K).
    """

    sized_by = ("moments", "moments")
    size_name = "coordinates"
    wrong_size = ValueError
    weights_in_place = True

    def __init__(self, num_clusters: int) -> None:
        self.num_clusters = num_clusters
        self.reductions = {"moments": merged}
        self._start(None)

    def _set_size(self, size: int) -> None:
        self.size = size
        self.shapes = {"moments": ((size, self.num_clusters, 3), torch.float64)}

    def size_in(self, inputs: Inputs) -> int:
        """D is that of the points."""
        return inputs[0].shape[1]

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Add the points to ``states``; labels out of range go to the faults."""
        d = batch[0][0].shape[1]
        for (data, labels), _, counted in in_parts(4 * d, batch):
            good = (labels >= 0) & (labels < self.num_clusters)
            kept = torch.ones_like(good) if counted is None else counted
            record_faults(states.get("faults"), 0, kept & ~good, labels)
            index = torch.where(kept & good, labels, self.num_clusters).to(torch.int64)  # others go to one row more
            moments = moments_of(data.detach(), index, self.num_clusters + 1)[:, :-1]
            self.merge(states, {"moments": moments})

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which labels were out of range."""
        return f"expected `labels` in [0, {self.num_clusters - 1}], but {count} lay outside, the first is {first}"


def moments_of(points: Tensor, labels: Tensor, clusters: int) -> Tensor:
    """``[d, K, 3]`` of :class:`ClusterMoments`.

    Args:
        points: ``[N, d]`` of a floating type.
        labels: int64 ``[N]`` in [0, K).
        clusters: K.
    """
    x = points.double()
    zeros = x.new_zeros(clusters, x.shape[1])
    count = x.new_zeros(clusters).index_add(0, labels, x.new_ones(len(x))).unsqueeze(1)
    mean = zeros.index_add(0, labels, x) / count.clamp(min=1)
    squares = zeros.index_add(0, labels, (x - mean[labels]).square())
    return torch.stack([count.expand_as(mean), mean, squares], -1).transpose(0, 1)


def merged(parts: Tensor) -> Tensor:
    """The moments of all points from those of parts of them, ``[P, d, K, 3]``."""
    counts, means, squares = parts.unbind(-1)
    count = counts.sum(0)
    mean = (counts * means).sum(0) / count.clamp(min=1)
    return torch.stack([count, mean, (squares + counts * (means - mean).square()).sum(0)], -1)
