# SPDX-License-Identifier: Apache-2.0
"""Statistics of pairs of point clouds."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.statistics.base import Batch, Inputs, different_shapes, same_device
from fastmetrics.statistics.rows import RowValues


class ProcrustesStatistics(RowValues):
    """The disparity of two clouds ``[N, M, D]``: sums over N, see :func:`procrustes`."""

    def __init__(self) -> None:
        super().__init__(samplewise=False)

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on different shapes or devices, ``ValueError`` unless they are floats (N, M, D)."""
        check_clouds(*inputs)

    def row_values(self, inputs: Inputs) -> Tensor:
        """By :func:`procrustes`."""
        return procrustes(*(cloud.detach() for cloud in inputs))[0]

    def kept(self, inputs: Inputs) -> int:
        """Both clouds in float64, before and after they are moved."""
        return 4 * inputs[0][0].numel() if len(inputs[0]) else 0

    def graph(self, inputs: Inputs) -> Tensor:
        """There is none."""
        raise NotImplementedError("A disparity has no gradient here.")

    def differentiable(self, batch: Batch) -> None:
        """There is no gradient, as in torchmetrics."""


def check_clouds(first: Tensor, second: Tensor) -> None:
    """Raise as :meth:`ProcrustesStatistics.check`."""
    if first.shape != second.shape:
        raise different_shapes(first.shape, second.shape)
    if first.dim() != 3:
        raise ValueError(
            "Expected both datasets to be 3D tensors of shape (N, M, D), where N is the batch size, M is the number of"
            f" data points and D is the dimensionality of the data points, but got {first.dim()} dimensions."
        )
    if not (first.is_floating_point() and second.is_floating_point()):
        raise ValueError(f"Expected floating point datasets, but got {first.dtype} and {second.dtype}.")
    same_device(first, second)


def procrustes(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How far clouds are apart after the best translation, scaling, and rotation or reflection of the second.

    Args:
        first: of a floating type, ``[N, M, D]``.
        second: the same.

    Returns:
        float64: the disparity ``[N]``, in [0, 1]; the scale ``[N, 1]``, and the rotation ``[N, D, D]``, of the second
        cloud after both have their mean at 0 and the norm 1. NaN if all points of a cloud are the same, or one is not
        finite.
    """
    clouds = [cloud.double() - cloud.double().mean(1, keepdim=True) for cloud in (first, second)]
    norms = [torch.linalg.vector_norm(cloud, dim=(1, 2), keepdim=True) for cloud in clouds]
    good = torch.stack([(norm > 0) & norm.isfinite() for norm in norms]).all(0)
    x, y = (torch.where(good, cloud / norm, 0.0) for cloud, norm in zip(clouds, norms, strict=True))
    u, w, v = torch.linalg.svd(x.transpose(1, 2) @ y, full_matrices=False)
    rotation, scale = u @ v, w.sum(1, keepdim=True)
    disparity = (x - scale.unsqueeze(2) * (y @ rotation.transpose(1, 2))).square().sum((1, 2))
    good = good.reshape(-1, 1)
    return (
        torch.where(good[:, 0], disparity, torch.nan),
        torch.where(good, scale, torch.nan),
        torch.where(good.unsqueeze(2), rotation, torch.nan),
    )
