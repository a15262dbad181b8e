# SPDX-License-Identifier: Apache-2.0
"""Hausdorff distance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.surfaces import hausdorff
from fastmetrics.segmentation.base import SegmentationMetric, boolean, check_options, mean, name, per_image
from fastmetrics.statistics.masks import MaskScores

METRICS = ("euclidean", "chessboard", "taxicab")


class HausdorffDistance(SegmentationMetric):
    r"""Greatest distance of an edge of a mask to the nearest edge of the other, mean over images and classes.

    .. math:: \max\left\{\max_{x \in \partial P} d(x, \partial T), \max_{y \in \partial T} d(y, \partial P)\right\}

    Edges are the pixels of a mask with a neighbor along an axis that is not in it, or outside of the image. A class
    that neither mask of an image has is left out of the mean; one that only one of them has is infinitely far.

    Distances are exact, in any number of dimensions, without further packages: few edges are compared one by one, many
    by a distance transform, in memory that grows with the pixels and not with their pairs.

    Args:
        num_classes: C.
        include_background: whether class 0 is scored.
        distance_metric: ``euclidean``; ``chessboard``, the greatest difference of a coordinate; or ``taxicab``, the sum
            of all differences.
        spacing: of pixels along each spatial dimension, numbers above 0; None is 1 for all.
        directed: look only at edges of ``preds``, and how far the nearest one of ``target`` is.
        input_format: see :class:`MeanIoU`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input is that of :class:`MeanIoU`. ``weights`` ``(N,)`` are those of
    images in the mean; pixels that are not ``valid`` are in no mask.

    Returns:
        float32 scalar; NaN without masks. The functional form returns the distance of each class in each image,
        ``(N, C)`` (C - 1 without the background), NaN where it has none.

    Raises:
        ValueError: an option or a shape that does not fit.
        RuntimeError: inputs of different shape or device; values that are no class, or neither 0 nor 1 in a mask.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.segmentation import hausdorff_distance
        >>> from fastmetrics.segmentation import HausdorffDistance
        >>> target = torch.tensor([[[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 2]]])
        >>> preds = torch.tensor([[[0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 2, 2]]])
        >>> HausdorffDistance(num_classes=3, input_format="index")(preds, target)
        tensor(1.6180)
        >>> hausdorff_distance(preds, target, num_classes=3, distance_metric="taxicab", input_format="index")
        tensor([[3., 1.]])
    """

    higher_is_better = False
    plot_upper_bound = None

    def __init__(
        self,
        num_classes: int,
        include_background: bool = False,
        distance_metric: str = "euclidean",
        spacing: Sequence[float] | Tensor | None = None,
        directed: bool = False,
        input_format: str = "one-hot",
        **kwargs: Any,
    ) -> None:
        check_options(num_classes, include_background, input_format, None)
        arguments.one_of("distance_metric", distance_metric, METRICS)
        boolean("directed", directed)
        steps = _steps(spacing)
        score = partial(_distances, metric=distance_metric, spacing=steps, directed=directed)
        state = name(f"{'directed_' * directed}hausdorff_{distance_metric}", include_background)
        if steps is not None:
            state += "".join(f"_{step:g}" for step in steps).replace(".", "p")
        first = 0 if include_background or num_classes == 1 else 1
        super().__init__(MaskScores(num_classes, input_format, state, score, first, steps), **kwargs)
        self.num_classes = num_classes
        self.include_background = include_background
        self.distance_metric = distance_metric
        self.spacing = spacing
        self.directed = directed
        self.input_format = input_format

    def value(self, score: Tensor, images: Tensor) -> Tensor:
        """The mean, from sums over images float64 [C]."""
        return mean(score.sum(), images.sum())

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The distance of each class in each image of one batch, (N, C), without touching the state."""
        statistics, batch = self._for_function(args, kwargs, per_image)
        return mean(*self._states_of(statistics, batch).values())


def _distances(preds: Tensor, target: Tensor, metric: str, spacing: tuple[float, ...] | None, directed: bool) -> Tensor:
    steps = (1.0,) * (preds.dim() - 2) if spacing is None else spacing
    return hausdorff(preds, target, metric, steps, directed)


def _steps(spacing: Sequence[float] | Tensor | None) -> tuple[float, ...] | None:
    """The numbers of ``spacing``."""
    if spacing is None:
        return None
    if not isinstance(spacing, (list, tuple, Tensor)):
        raise ValueError(f"Arg `spacing` must be a list or tensor, but got {type(spacing)}.")
    steps = tuple(float(step) for step in (spacing.tolist() if isinstance(spacing, Tensor) else spacing))
    if not all(0 < step < float("inf") for step in steps):
        raise ValueError(f"Expected argument `spacing` to be numbers above 0, but got {spacing}.")
    return steps
