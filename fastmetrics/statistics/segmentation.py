# SPDX-License-Identifier: Apache-2.0
"""Statistics of segmented images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.transforms import like_inputs
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, real_on_one_device, rows_in_parts, shown
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.multiclass import MulticlassStatistics
from fastmetrics.tables import overlap_and_sizes


class PixelCounts(Statistics):
    """``counts`` int64 [C, 3]: the pixels of each class that are its intersection, predicted, and the target.

    Scores and labels are counted by the multiclass pass, masks of 0 and 1 by the multilabel one: neither is expanded
    or converted first. A batch that has both has one of them expanded to masks.

    Args:
        num_classes: C. None takes it from the first batch, whose format has a dimension of classes.
        input_format: ``index`` reads labels [N, ...]; ``one-hot`` reads [N, C, ...], scores if they are floats and
            masks otherwise; ``mixed`` reads one of the two as [N, ...] and the other as [N, C, ...].
        ignore_index: a pixel of this target is skipped: a label, or a pixel in the mask of that class. If it is no
            class, elements of a mask that equal it are skipped.
    """

    sized_by = ("counts", "counts")
    size_name = "classes"
    wrong_size = ValueError

    def __init__(self, num_classes: int | None, input_format: str, ignore_index: int | None = None) -> None:
        self.input_format = input_format
        self.ignore_index = ignore_index
        self._start(num_classes)

    def _set_size(self, size: int) -> None:
        ignore_index = self.ignore_index
        self.num_classes = self.size = size
        self._ignored_class = ignore_index if ignore_index is not None and 0 <= ignore_index < size else None
        self._labels = MulticlassStatistics(size, counts=True, ignore_index=ignore_index)
        self._masks = BinaryStatistics(size, ignore_index=ignore_index if self._ignored_class is None else None)
        self.shapes = {"counts": ((size, 3), torch.int64)}

    def size_in(self, inputs: Inputs) -> int:
        """Dimension 1 of the input with the most dimensions are the classes."""
        preds, target = inputs
        return (preds if preds.dim() >= target.dim() else target).shape[1]

    def check(self, inputs: Inputs) -> None:
        """Raise ``RuntimeError`` on shapes that differ, ``ValueError`` on others that do not fit."""
        preds, target = inputs
        shape, other = preds.shape, target.shape
        if self.size_from_data and max(len(shape), len(other)) < 2:
            raise IndexError(f"Cannot determine `num_classes` from an input of shape {tuple(shape)}.")
        if self.input_format == "mixed" and preds.dim() != target.dim():
            wide, narrow = (shape, other) if preds.dim() > target.dim() else (other, shape)
            same = len(wide) == len(narrow) + 1 and len(wide) > 1 and (wide[0], *wide[2:]) == tuple(narrow)
        else:
            same = self.input_format != "mixed" and shape == other
        if not same:
            raise RuntimeError(
                "Predictions and targets are expected to have the same shape"
                f"{', but for the class dimension of one' if self.input_format == 'mixed' else ''},"
                f" but got {tuple(shape)} and {tuple(other)}."
            )
        dims = max(len(shape), len(other)) + (self.input_format == "index")
        if dims < 3:
            raise ValueError(f"Expected both `preds` and `target` to have at least 3 dimensions, but got {dims}.")
        for name, value in (("preds", preds), ("target", target)):
            if not self._has_classes(value, inputs):
                continue
            if value.shape[1] == 0:
                raise ValueError(
                    f"Expected argument `num_classes` to be a positive integer, but `{name}` has 0 classes."
                )
            if not self.size_from_data and value.shape[1] != self.num_classes:
                raise ValueError(
                    f"Expected `{name}.shape[1]` to be the number of classes, {self.num_classes}, but got `{name}`"
                    f" with shape {tuple(value.shape)}."
                )
        real_on_one_device(preds, target)

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """``weights`` or ``valid`` [N, ...], as labels are; weights of images stay [N]."""
        target = inputs[1]
        if name == "groups":  # an image belongs to a group
            return super().per_sample(name, values, (target.new_empty(()).expand(target.shape[:1]),))
        pixels = target.select(1, 0) if self._has_classes(target, inputs) else target
        expanded = super().per_sample(name, values, (pixels,))
        return values.detach().double() if name == "weights" and values.dim() == 1 else expanded

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        inputs, weights, valid = batch
        weights = self._of_pixels(weights, inputs)
        kept = self._kept(inputs) + (0 if rows is None else 6 * self.num_classes)
        for part, of_some in rows_in_parts(kept, rows, (inputs, weights, valid)):
            leading = () if rows is None else part[0][0].shape[:1]
            table = self._table(leading, states.get("faults"), part)
            counts = torch.stack(overlap_and_sizes(table), -1)
            if rows is None:
                states["counts"].add_(counts)
            else:
                add_amounts(states["counts"], of_some, counts)

    def _of_pixels(self, weights: Tensor | None, inputs: Inputs) -> Tensor | None:
        """Weights of images as those of all of their pixels."""
        if weights is None or weights.dim() != 1:
            return weights
        target = inputs[1]
        pixels = target.select(1, 0) if self._has_classes(target, inputs) else target
        return super().per_sample("weights", weights, (pixels,))

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which labels, or elements of masks, were out of range."""
        return (
            f"expected labels in [0, {self.num_classes - 1}], or masks of 0 and 1, in `{which}`, but {count} other"
            f" values came, the first is {shown(first)}"
        )

    def _has_classes(self, value: Tensor, inputs: Inputs) -> bool:
        """Whether dimension 1 of ``value`` is the class."""
        if self.input_format == "mixed":
            return value.dim() == max(inputs[0].dim(), inputs[1].dim())
        return self.input_format == "one-hot"

    def _kept(self, inputs: Inputs) -> int:
        """How many numbers :meth:`_table` keeps of an image: of masks or labels, where it has to make any."""
        preds, target = inputs
        masks = [self._has_classes(value, inputs) and not value.is_floating_point() for value in inputs]
        if not self._has_classes(target, inputs) and not masks[0]:
            return 0
        if all(masks) and self._ignored_class is None:
            return 0
        return max(preds.numel(), target.numel()) // max(1, preds.shape[0])

    def _table(self, leading: tuple[int, ...], faults: Tensor | None, batch: Batch) -> Tensor:
        """The counts of a batch, [*leading, C, 3] of labels or [*leading, C, 4] of masks; leading is () or (N,)."""
        inputs, weights, valid = batch
        preds, target = inputs
        classes = [self._has_classes(value, inputs) for value in inputs]
        if classes[1] and target.is_floating_point():  # scores of the target are no case to be fast for
            target, classes[1] = target.argmax(1), False
        kind: dict[str, Any] = {"dtype": torch.int64 if weights is None else torch.float64, "device": target.device}
        if not classes[1] and (not classes[0] or preds.is_floating_point()):
            table = like_inputs(torch.zeros((*leading, self.num_classes, 3), **kind), *inputs, weights, valid)
            self._labels.add(_present(counts=table, faults=faults), ((preds, target), weights, valid))
            return table
        if classes[0] and preds.is_floating_point():
            preds, classes[0] = preds.argmax(1), False
        valid = self._not_ignored(target, classes[1], valid)
        if not classes[0]:
            preds, valid = self._as_masks(preds, valid, faults, 2)
        if not classes[1]:
            target, valid = self._as_masks(target, valid, faults, 0)
        weights, valid = (None if v is None else v.unsqueeze(1).expand(target.shape) for v in (weights, valid))
        table = like_inputs(torch.zeros((*leading, self.num_classes, 4), **kind), *inputs, weights, valid)
        self._masks.add(_present(counts=table, faults=faults), ((preds, target), weights, valid))
        return table

    def _not_ignored(self, target: Tensor, classes: bool, valid: Tensor | None) -> Tensor | None:
        if classes:
            kept = None if self._ignored_class is None else target[:, self._ignored_class] == 0
        else:
            kept = None if self.ignore_index is None else target != self.ignore_index
        if kept is None or valid is None:
            return valid if kept is None else kept
        return valid & kept

    def _as_masks(
        self, labels: Tensor, valid: Tensor | None, faults: Tensor | None, offset: int
    ) -> tuple[Tensor, Tensor | None]:
        """Masks, bool [N, C, ...], of labels [N, ...]; those that are no class go to ``faults`` and are not valid."""
        good = (labels >= 0) & (labels < self.num_classes)
        record_faults(faults, offset, ~good if valid is None else valid & ~good, labels)
        each = torch.arange(self.num_classes, device=labels.device).view(-1, *(1 for _ in labels.shape[1:]))
        return labels.unsqueeze(1) == each, good if valid is None else valid & good


def _present(**states: Tensor | None) -> dict[str, Tensor]:
    return {name: state for name, state in states.items() if state is not None}


class ImageScores(PixelCounts):
    """A score of each image, float64, summed over images; and ``images`` float64: how many images have it.

    A weight of an image is what it counts in both; weights of pixels are what they count in the score of their image.

    Args:
        num_classes: C.
        input_format: see :class:`PixelCounts`.
        ignore_index: see :class:`PixelCounts`.
        name: of the statistic that is the sum. Different scores need different names: two that are equal in the first
            batch would otherwise become one in a ``torchmetrics.MetricCollection``.
        score: takes the table of each image, [N, C, 3] or [N, C, 4], and gives its score, ``[N, *shape]``, NaN where it
            has none; see :mod:`fastmetrics.formulas.segmentation`.
        shape: takes the number of classes and gives the shape of the score of one image, (C,) or ().
    """

    weights_in_place = True

    def __init__(
        self,
        num_classes: int | None,
        input_format: str,
        ignore_index: int | None,
        name: str,
        score: Callable[[Tensor], Tensor],
        shape: Callable[[int], tuple[int, ...]],
    ) -> None:
        self.name = name
        self.score = score
        self.sized_by = (name, "images")
        self._shape = shape
        super().__init__(num_classes, input_format, ignore_index)

    def _set_size(self, size: int) -> None:
        super()._set_size(size)
        shape = self._shape(size)
        self.shapes = {self.name: (shape, torch.float64), "images": (shape, torch.float64)}

    def size_of(self, states: Mapping[str, Any]) -> int:
        """The number of classes that scores of this shape have; without the background, one more."""
        size = super().size_of(states)
        return next((classes for classes in (size, size + 1) if self._shape(classes) == (size,)), 0)

    def per_image(self) -> ImageScores:
        """The same with a score for each image, [N, *shape]."""
        each = copy.copy(self)
        each.samplewise = True
        return each

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once, score its images and add that to ``states``, or to some rows of them."""
        if self.samplewise:
            self._add_images(states, batch, None)
            return
        kept = self._kept(batch[0]) + (3 if rows is None else 6) * self.num_classes
        for part, of_part in rows_in_parts(kept, rows, batch):
            self._add_images(states, part, of_part)

    def _add_images(self, states: States, batch: Batch, rows: Tensor | None) -> None:
        inputs, weights, valid = batch
        faults = states.get("faults")
        of_images = weights is not None and weights.dim() == 1
        image_weights, pixel_weights = (weights, None) if of_images else (None, weights)
        score = self._scores(faults, (inputs, pixel_weights, valid))
        amount = score == score  # noqa: PLR0124
        if image_weights is not None:
            good = ~bad_weights(faults, image_weights, torch.ones_like(image_weights, dtype=torch.bool))
            image_weights = torch.where(good, image_weights, 0.0).reshape(-1, *(1 for _ in score.shape[1:]))
            score, amount = score * image_weights, amount * image_weights
        if self.samplewise or rows is not None:
            # resampling multiplies rows by how often they are drawn, which an infinite one would make NaN
            score = score.masked_fill(score.isnan(), 0.0) if rows is None else score.nan_to_num(nan=0.0)
            add_amounts(states[self.name], rows, score)
            add_amounts(states["images"], rows, amount)
        else:
            states[self.name].add_(score.nansum(0, dtype=torch.float64))
            states["images"].add_(amount.sum(0))

    def _scores(self, faults: Tensor | None, batch: Batch) -> Tensor:
        """The score of each image, from its table."""
        return self.score(self._table((len(batch[0][0]),), faults, batch))
