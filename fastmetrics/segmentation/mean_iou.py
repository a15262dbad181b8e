# SPDX-License-Identifier: Apache-2.0
"""Mean intersection over union."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastmetrics.formulas.segmentation import INTERSECTION_OVER_UNION, ratio
from fastmetrics.metric import Batch
from fastmetrics.segmentation.base import SegmentationMetric, boolean, check_options, mean, name, scored
from fastmetrics.statistics.segmentation import ImageScores


class MeanIoU(SegmentationMetric):
    r"""Mean over images and classes of :math:`|P \cap T| / |P \cup T|`, of those classes that an image has.

    Args:
        num_classes: C. None takes it from the first batch, unless ``input_format="index"``.
        include_background: whether class 0 is scored.
        per_class: keep classes apart; a class that no image has is -1.
        input_format: what ``preds`` and ``target`` are, see below.
        ignore_index: pixels of this target are skipped, and if it is a class, that class has no score.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input is, for any number of spatial dimensions ``...``:

    - ``index``: labels ``(N, ...)`` of any integer type; ``(H, W)`` and ``(L,)`` are one image;
    - ``one-hot``: ``(N, C, ...)``, masks of 0 and 1 of any integer type or bool, which may overlap, or scores f16,
      bf16, f32 or f64, whose argmax is the label;
    - ``mixed``: one of them as ``index``, the other as ``one-hot``. The logits ``(N, C, H, W)`` of a network with
      labels ``(N, H, W)`` are this: they are read once, and no argmax is written.

    ``weights`` ``(N,)`` are those of the images in the mean, ``(N, ...)`` those of the pixels of an image; ``valid``
    likewise. Pixels are counted exactly; the score of an image is rounded to float32, and scores are summed in float64.

    Returns:
        float32, scalar or (C,) with ``per_class`` (C - 1 without the background). The functional form keeps images
        apart: (N,) or (N, C).

    Raises:
        ValueError: an option or a shape that does not fit.
        RuntimeError: inputs of different shape or device; values that are no class, or neither 0 nor 1 in a mask.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.segmentation import mean_iou
        >>> from fastmetrics.segmentation import MeanIoU
        >>> target = torch.tensor([[[0, 0], [1, 2]], [[0, 1], [1, 1]]])
        >>> preds = torch.tensor([[[0, 1], [1, 2]], [[0, 1], [1, 0]]])
        >>> MeanIoU(num_classes=3, input_format="index")(preds, target)
        tensor(0.6333)
        >>> mean_iou(preds, target, num_classes=3, input_format="index", per_class=True)
        tensor([[ 0.5000,  0.5000,  1.0000],
                [ 0.5000,  0.6667, -1.0000]])
        >>> logits = torch.nn.functional.one_hot(preds, 3).movedim(-1, 1).float()
        >>> MeanIoU(num_classes=3, input_format="mixed", ignore_index=2)(logits, target)
        tensor(0.5417)
    """

    def __init__(
        self,
        num_classes: int | None = None,
        include_background: bool = True,
        per_class: bool = False,
        input_format: str = "one-hot",
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_classes is None and input_format == "index":
            raise ValueError("Argument `num_classes` must be provided when `input_format` is 'index'.")
        check_options(1 if num_classes is None else num_classes, include_background, input_format, ignore_index)
        boolean("per_class", per_class)
        score = partial(
            ratio,
            of=INTERSECTION_OVER_UNION,
            average=None,
            include_background=include_background,
            ignore_index=ignore_index,
        )
        shape = partial(scored, include_background=include_background)
        statistics = ImageScores(num_classes, input_format, ignore_index, name("iou", include_background), score, shape)
        super().__init__(statistics, **kwargs)
        self.include_background = include_background
        self.per_class = per_class
        self.input_format = input_format
        self.ignore_index = ignore_index

    @property
    def num_classes(self) -> int | None:
        """C; None until it is known."""
        return self._statistics.size if self._statistics.sized else None

    def inputs(
        self, preds: Tensor, target: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See the class; one image of labels gets the dimension of images."""
        if self.input_format == "index" and preds.dim() == target.dim() and preds.dim() in (1, 2):
            missing = (1,) * (3 - preds.dim())
            preds, target = preds.reshape(*missing, *preds.shape), target.reshape(*missing, *target.shape)
            weights, valid = (None if v is None else v.reshape(*missing, *v.shape) for v in (weights, valid))
        return (preds, target), weights, valid

    def value(self, score: Tensor, images: Tensor) -> Tensor:
        """From float64 [..., C]."""
        if self.per_class:
            return torch.nan_to_num(mean(score, images), nan=-1.0)
        return mean(score.sum(-1), images.sum(-1))
