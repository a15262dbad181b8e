# SPDX-License-Identifier: Apache-2.0
"""What the segmentation metrics share: their inputs and the functional form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics.base import Inputs, Statistics
from fastmetrics.statistics.segmentation import ImageScores

FORMATS = ("one-hot", "index", "mixed")


class SegmentationMetric(StatisticMetric):
    """A metric of segmented images; its functional form has a value for each image of the batch."""

    is_differentiable = False
    higher_is_better = True
    plot_lower_bound = 0.0
    plot_upper_bound: float | None = 1.0

    #: The value from the statistics in their order: sums over images, or the scores of each image.
    value: Callable[..., Tensor]

    def formula(self, **statistics: Tensor) -> Tensor:
        """From sums over images; a single number is a scalar, as in torchmetrics."""
        value = self.value(*(statistics[name] for name in self._statistics.shapes))
        return value.reshape(()) if value.numel() == 1 else value

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The value of each image of one batch, without touching the state."""
        value = self.value(*self._states_of(*self._for_function(args, kwargs, per_image)).values())
        return value if isinstance(self._statistics, ImageScores) else value.unsqueeze(0)


def per_image(statistics: Statistics, inputs: Inputs) -> Statistics:
    """Statistics with a score for each image, if they are scores of images."""
    return statistics.per_image() if isinstance(statistics, ImageScores) else statistics


def check_options(
    num_classes: int | None, include_background: bool, input_format: str, ignore_index: int | None
) -> None:
    """Raise ``ValueError`` in torchmetrics' words."""
    if not isinstance(num_classes, int) or num_classes <= 0:
        raise ValueError(f"Expected argument `num_classes` must be a positive integer, but got {num_classes}.")
    boolean("include_background", include_background)
    arguments.one_of("input_format", input_format, FORMATS)
    arguments.ignore_index(ignore_index)


def boolean(name: str, value: object) -> None:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"Expected argument `{name}` must be a boolean, but got {value}.")


def scored(num_classes: int, include_background: bool) -> tuple[int]:
    """(C,): how many classes have a score; a single one always has."""
    return (num_classes if include_background or num_classes == 1 else num_classes - 1,)


def averaged(num_classes: int) -> tuple[()]:
    """(): the score of an image is one number."""
    return ()


def name(score: str, include_background: bool) -> str:
    """What the sum of a score is called."""
    return score if include_background else f"{score}_foreground"


def mean(score: Tensor, images: Tensor) -> Tensor:
    """float32 mean of the scores of the images that have one; NaN without any."""
    return (score / images).float()
