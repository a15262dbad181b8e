# SPDX-License-Identifier: Apache-2.0
"""Metrics of shapes as functions."""

from __future__ import annotations

from torch import Tensor

from fastmetrics.checks import require_dense_tensor
from fastmetrics.statistics.procrustes import check_clouds, procrustes

__all__ = ["procrustes_disparity"]


def procrustes_disparity(
    point_cloud1: Tensor, point_cloud2: Tensor, return_all: bool = False
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Squared distance of two clouds of points after the best translation, scaling and rotation of one of them.

    It is that of :class:`~fastmetrics.shape.ProcrustesDisparity`, for each pair of clouds, computed in float64.

    Args:
        point_cloud1: N clouds of M points of D dimensions, ``(N, M, D)`` of a floating type.
        point_cloud2: the same.
        return_all: whether the scale and the rotation of the second cloud are returned too.

    Returns:
        the disparity ``(N,)``, and with ``return_all`` the scale ``(N, 1)`` and the rotation ``(N, D, D)``, in the
        dtype of ``point_cloud1``; NaN if all points of a cloud are the same or one is not finite.

    Raises:
        TypeError: an input that is no tensor.
        ValueError: a shape that does not fit, or clouds that are no floats.
        RuntimeError: inputs of different shape or device.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.shape import procrustes_disparity
        >>> first = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]])
        >>> second = torch.tensor([[[5.0, 5.0], [5.0, 9.0], [3.0, 5.5]]])
        >>> procrustes_disparity(first, second)
        tensor([0.0082])
    """
    for name, cloud in (("point_cloud1", point_cloud1), ("point_cloud2", point_cloud2)):
        require_dense_tensor("procrustes_disparity", name, cloud)
    check_clouds(point_cloud1, point_cloud2)
    disparity, scale, rotation = (value.to(point_cloud1.dtype) for value in procrustes(point_cloud1, point_cloud2))
    return (disparity, scale, rotation) if return_all else disparity
