# SPDX-License-Identifier: Apache-2.0
"""Dice scores of segmented images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.formulas.segmentation import DICE, generalized_dice, ratio
from fastmetrics.segmentation.base import SegmentationMetric, averaged, boolean, check_options, mean, name, scored
from fastmetrics.statistics.segmentation import ImageScores, PixelCounts


class DiceScore(SegmentationMetric):
    r"""Dice score, :math:`2 |P \cap T| / (|P| + |T|)`, averaged over classes.

    Args:
        num_classes: C.
        include_background: whether class 0 is scored.
        average: ``micro`` sums the pixels of all classes first; ``macro`` is the mean over the classes with predicted
            or target pixels; ``weighted`` is the mean over classes weighted by their target pixels; ``none`` or None
            returns the score of each class.
        aggregation_level: ``samplewise`` is the mean over the images that have a score; ``global`` sums the pixels of
            all images first.
        input_format: see :class:`MeanIoU`.
        ignore_index: see :class:`MeanIoU`.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input, weights, errors and precision are those of :class:`MeanIoU`.

    Returns:
        float32, scalar or (C,) without an average (C - 1 without the background); NaN without predicted and target
        pixels. The functional form returns the score of each image, (N,) or (N, C); N is 1 with ``global``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.segmentation import dice_score
        >>> from fastmetrics.segmentation import DiceScore
        >>> target = torch.tensor([[[0, 0], [1, 2]], [[0, 1], [1, 1]]])
        >>> preds = torch.tensor([[[0, 1], [1, 2]], [[0, 1], [1, 0]]])
        >>> DiceScore(num_classes=3, input_format="index")(preds, target)
        tensor(0.7556)
        >>> dice_score(preds, target, num_classes=3, input_format="index", average="none")
        tensor([[0.6667, 0.6667, 1.0000],
                [0.6667, 0.8000,    nan]])
        >>> dice_score(preds, target, 3, input_format="index", aggregation_level="global")
        tensor([0.8056])
    """

    def __init__(
        self,
        num_classes: int,
        include_background: bool = True,
        average: str | None = "macro",
        aggregation_level: str | None = "samplewise",
        input_format: str = "one-hot",
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_options(num_classes, include_background, input_format, ignore_index)
        arguments.one_of("average", average, arguments.AVERAGES)
        arguments.one_of("aggregation_level", aggregation_level, ("samplewise", "global"))
        score = partial(
            ratio, of=DICE, average=average, include_background=include_background, ignore_index=ignore_index
        )
        if aggregation_level == "global":
            statistics = PixelCounts(num_classes, input_format, ignore_index)
        else:
            shape = partial(scored, include_background=include_background) if average in (None, "none") else averaged
            statistics = ImageScores(
                num_classes,
                input_format,
                ignore_index,
                name(f"dice_{average or 'none'}", include_background),
                score,
                shape,
            )
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes
        self.include_background = include_background
        self.average = average
        self.aggregation_level = aggregation_level
        self.input_format = input_format
        self.ignore_index = ignore_index
        self._score: Callable[[Tensor], Tensor] = score

    def value(self, score: Tensor, images: Tensor | None = None) -> Tensor:
        """The value from the sum of scores float64 [...] or [..., C], or from the pixels int64 [C, 3] of all images."""
        return self._score(score) if images is None else mean(score, images)


class GeneralizedDiceScore(SegmentationMetric):
    r"""Generalized Dice score, :math:`2 \sum_c w_c |P_c \cap T_c| / \sum_c w_c (|P_c| + |T_c|)`, mean over images.

    Args:
        num_classes: C.
        include_background: whether class 0 is scored.
        per_class: return the score of each class.
        weight_type: the weight of a class in an image: ``linear`` 1, ``simple`` :math:`1 / |T_c|`, ``square``
            :math:`1 / |T_c|^2`. A class that is not in the target has the greatest weight of the other classes in that
            image.
        input_format: see :class:`MeanIoU`.
        ignore_index: see :class:`MeanIoU`.
        zero_division: the score of a class (with ``per_class``), or of an image, without predicted and target pixels:
            0 as in torchmetrics, 1, or NaN, which leaves it out of the mean over images.
        kwargs: those of :class:`~fastmetrics.Metric`.

    Input, weights and errors are those of :class:`MeanIoU`; all arithmetic is float64.

    Returns:
        float32, scalar or (C,) with ``per_class`` (C - 1 without the background). The functional form returns the score
        of each image, (N,) or (N, C).

    Example:
        >>> import torch
        >>> from fastmetrics.functional.segmentation import generalized_dice_score
        >>> from fastmetrics.segmentation import GeneralizedDiceScore
        >>> target = torch.tensor([[[0, 0], [1, 2]], [[0, 1], [1, 1]]])
        >>> preds = torch.tensor([[[0, 1], [1, 2]], [[0, 1], [1, 0]]])
        >>> GeneralizedDiceScore(num_classes=3, input_format="index")(preds, target)
        tensor(0.7351)
        >>> generalized_dice_score(preds, target, num_classes=3, input_format="index", weight_type="linear")
        tensor([0.7500, 0.7500])
        >>> GeneralizedDiceScore(3, per_class=True, input_format="index")(target, target)  # one image has no class 2
        tensor([1.0000, 1.0000, 0.5000])
        >>> GeneralizedDiceScore(3, per_class=True, input_format="index", zero_division=float("nan"))(target, target)
        tensor([1., 1., 1.])
    """

    def __init__(
        self,
        num_classes: int,
        include_background: bool = True,
        per_class: bool = False,
        weight_type: str = "square",
        input_format: str = "one-hot",
        ignore_index: int | None = None,
        *,
        zero_division: float = 0.0,
        **kwargs: Any,
    ) -> None:
        check_options(num_classes, include_background, input_format, ignore_index)
        boolean("per_class", per_class)
        arguments.one_of("weight_type", weight_type, ("square", "simple", "linear"))
        arguments.zero_one_or_nan("zero_division", zero_division)
        score = partial(
            generalized_dice,
            weight_type=weight_type,
            per_class=per_class,
            include_background=include_background,
            ignore_index=ignore_index,
            zero_division=zero_division,
        )
        shape = partial(scored, include_background=include_background) if per_class else averaged
        of_absent = f"_absent_{zero_division:g}" if zero_division != 0 else ""
        state = name(f"generalized_dice_{weight_type}{of_absent}", include_background)
        statistics = ImageScores(num_classes, input_format, ignore_index, state, score, shape)
        super().__init__(statistics, **kwargs)
        self.num_classes = num_classes
        self.include_background = include_background
        self.per_class = per_class
        self.weight_type = weight_type
        self.input_format = input_format
        self.ignore_index = ignore_index
        self.zero_division = zero_division

    def value(self, score: Tensor, images: Tensor) -> Tensor:
        """The value from the sum of scores and the number of images, float64 [...] or [..., C]."""
        return mean(score, images)
