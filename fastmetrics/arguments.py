# SPDX-License-Identifier: Apache-2.0
"""Checks of the arguments that many metrics share; each raises ``ValueError`` in torchmetrics' words."""

from __future__ import annotations

import math
from collections.abc import Collection

from torch import Tensor

AVERAGES = ("micro", "macro", "weighted", "none", None)
NORMALIZATIONS = ("true", "pred", "all", "none", None)


def one_of(name: str, value: object, allowed: Collection[object]) -> None:
    """``value`` is among ``allowed``."""
    if value not in allowed:
        raise ValueError(f"Expected argument `{name}` to be one of {allowed}, but got {value}")


def multidim_average(value: object) -> bool:
    """Whether samples are counted separately: ``global`` or ``samplewise``."""
    one_of("multidim_average", value, ("global", "samplewise"))
    return value == "samplewise"


def ignore_index(value: object) -> None:
    """None or an integer."""
    if value is not None and not isinstance(value, int):
        raise ValueError(f"Expected argument `ignore_index` to either be `None` or an integer, but got {value}")


def zero_division(value: object) -> None:
    """0 or 1."""
    if value not in (0, 1):
        raise ValueError(f"Expected argument `zero_division` to be 0 or 1, but got {value}.")


def zero_one_or_nan(name: str, value: object) -> None:
    """0, 1 or NaN."""
    if value not in (0, 1) and not (isinstance(value, float) and math.isnan(value)):
        raise ValueError(f"Expected argument `{name}` to be 0, 1 or NaN, but got {value}.")


def threshold(value: object) -> None:
    """A float in [0, 1]."""
    if not (isinstance(value, float) and 0 <= value <= 1):
        raise ValueError(f"Expected argument `threshold` to be a float in the [0,1] range, but got {value}.")


def more_than_one(name: str, value: object) -> None:
    """An integer above 1."""
    if not isinstance(value, int) or value < 2:
        raise ValueError(f"Expected argument `{name}` to be an integer larger than 1, but got {value}")


def top_k(value: object, num_classes: int | None, name: str = "top_k") -> None:
    """An integer in [1, num_classes]."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"Expected argument `{name}` to be an integer larger than or equal to 1, but got {value}")
    if value > (1 if num_classes is None else num_classes):
        raise ValueError(
            f"Expected argument `{name}` to be smaller or equal to `num_classes` but got {value} and {num_classes}"
        )


def bins(value: object, given: object = None) -> None:
    """A power of two from 2^6 to 2^24, without ``thresholds``."""
    if not isinstance(value, int) or not 1 << 6 <= value <= 1 << 24 or value & (value - 1):
        raise ValueError(f"Expected argument `bins` to be a power of two from 2**6 to 2**24, but got {value}")
    if given is not None:
        raise ValueError("Expected either `bins` or `thresholds`, but got both")


def logits(value: object) -> None:
    """None, True or False."""
    if value not in (None, True, False):
        raise ValueError(f"Expected argument `logits` to be None, True or False, but got {value}")


def thresholds(value: object) -> None:
    """None, an integer above 1, a list of floats in [0, 1], or a tensor of one dimension."""
    if value is not None and not isinstance(value, (list, int, Tensor)):
        raise ValueError(
            "Expected argument `thresholds` to either be an integer, list of floats or"
            f" tensor of floats, but got {value}"
        )
    if isinstance(value, int) and value < 2:
        raise ValueError(f"If argument `thresholds` is an integer, expected it to be larger than 1, but got {value}")
    if isinstance(value, list) and not all(isinstance(t, float) and 0 <= t <= 1 for t in value):
        raise ValueError(
            "If argument `thresholds` is a list, expected all elements to be floats in the [0,1] range,"
            f" but got {value}"
        )
    if isinstance(value, Tensor) and value.ndim != 1:
        raise ValueError("If argument `thresholds` is an tensor, expected the tensor to be 1d")


def share(name: str, value: object) -> None:
    """A number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"Expected argument `{name}` to be an float in the [0,1] range, but got {value}")


def fpr_range(value: object) -> None:
    """A tuple of two numbers in [0, 1], the first one less."""
    if not (isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, (int, float)) for v in value)):
        raise ValueError(f"The `fpr_range` should be a tuple of two floats, but got {value}.")
    if not 0 <= value[0] < value[1] <= 1:
        raise ValueError(f"The `fpr_range` should be a tuple of two floats in the range [0, 1], but got {value}.")


def costs(value: object) -> None:
    """Two finite numbers that are at least 0."""
    if not (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(v, (int, float)) and 0 <= v < math.inf for v in value)
    ):
        raise ValueError(
            f"Expected argument `costs` to be a tuple of two finite numbers of at least 0, but got {value}"
        )


def beta(value: object) -> None:
    """A float above 0."""
    if not (isinstance(value, float) and value > 0):
        raise ValueError(f"Expected argument `beta` to be a float larger than 0, but got {value}.")


def level(value: object) -> None:
    """A number in (0, 1)."""
    if not isinstance(value, float) or not 0 < value < 1:
        raise ValueError(f"Expected argument `level` to be a float in (0, 1), but got {value}.")


def draws(value: object) -> None:
    """A positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"Expected argument `draws` to be a positive integer, but got {value}.")
