# SPDX-License-Identifier: Apache-2.0
"""Scores of images that need the place of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from fastmetrics.passes.faults import record_faults
from fastmetrics.statistics.base import Batch, Inputs
from fastmetrics.statistics.segmentation import ImageScores


class MaskScores(ImageScores):
    """:class:`ImageScores` of the masks of classes, instead of counts of pixels.

    Args:
        num_classes: C.
        input_format: see :class:`~fastmetrics.statistics.segmentation.PixelCounts`.
        name: of the statistic that is the sum.
        score: takes the masks of predictions and targets, bool [N, C, ...], and gives float64 [N, C], NaN where a class
            has no score in an image.
        first: the class with which scores begin: 0, or 1 without the background.
        spacing: of pixels; its length, unless it is None, is the number of spatial dimensions.
    """

    def __init__(
        self,
        num_classes: int,
        input_format: str,
        name: str,
        score: Callable[[Tensor, Tensor], Tensor],
        first: int,
        spacing: Sequence[float] | None,
    ) -> None:
        self._score_of_masks = score
        self._first = first
        self._spacing = spacing
        super().__init__(num_classes, input_format, None, name, _no_counts, partial(_scored, first=first))

    def check(self, inputs: Inputs) -> None:
        """As its bases; ``ValueError`` if the spacing is of another number of dimensions."""
        super().check(inputs)
        dims = max(value.dim() for value in inputs) - (1 if self.input_format == "index" else 2)
        if self._spacing is not None and len(self._spacing) != dims:
            raise ValueError(
                f"Expected argument `spacing` to have a number for each of {dims} spatial dimensions, but got"
                f" {len(self._spacing)}."
            )

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """As its bases, but pixels have no weights."""
        if name == "weights" and values.dim() != 1:
            raise ValueError(f"Expected `weights` of images, of shape (N,), but got {tuple(values.shape)}.")
        return super().per_sample(name, values, inputs)

    def _kept(self, inputs: Inputs) -> int:
        """Masks and distances of an image, whatever its format."""
        pixels = min(value[0].numel() for value in inputs if len(value)) if len(inputs[0]) else 0
        return 4 * pixels * (1 if self.input_format == "one-hot" else self.num_classes)

    def _scores(self, faults: Tensor | None, batch: Batch) -> Tensor:
        """Of each class of each image, float64 [N, C]."""
        inputs, _, valid = batch
        masks = [
            self._masks_of(value, faults, offset, inputs, valid) for value, offset in zip(inputs, (2, 0), strict=True)
        ]
        return self._score_of_masks(*(mask[:, self._first :] for mask in masks))

    def _masks_of(
        self, value: Tensor, faults: Tensor | None, offset: int, inputs: Inputs, valid: Tensor | None
    ) -> Tensor:
        """Masks, bool [N, C, ...]; what is neither 0 nor 1, or no class, goes to the faults and is in no mask."""
        if not self._has_classes(value, inputs):
            masks, good = self._as_masks(value, valid, faults, offset)
            return masks if good is None else masks & good.unsqueeze(1)
        if value.is_floating_point():
            masks = value.argmax(1, keepdim=True) == _classes(value)
        elif value.dtype == torch.bool:
            masks = value
        else:
            masks, bad = value == 1, (value != 0) & (value != 1)
            record_faults(faults, offset, bad if valid is None else bad & valid.unsqueeze(1), value)
        return masks if valid is None else masks & valid.unsqueeze(1)


def _classes(scores: Tensor) -> Tensor:
    """0 … C - 1 along dimension 1."""
    return torch.arange(scores.shape[1], device=scores.device).view(-1, *(1 for _ in scores.shape[2:]))


def _no_counts(table: Tensor) -> Tensor:
    raise NotImplementedError("There are masks, and no table.")


def _scored(num_classes: int, first: int) -> tuple[int]:
    """The shape of the scores of an image."""
    return (num_classes - first,)
