# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from collections.abc import Sequence
from typing import Any

from torch import Tensor

__all__ = ["dice_score", "generalized_dice_score", "hausdorff_distance", "mean_iou"]

def __getattr__(name: str) -> Any: ...
def dice_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    include_background: bool = True,
    average: str | None = "macro",
    input_format: str = "one-hot",
    aggregation_level: str | None = "samplewise",
    ignore_index: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Dice score, :math:`2 |P \cap T| / (|P| + |T|)`, averaged over classes."""

def generalized_dice_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    include_background: bool = True,
    per_class: bool = False,
    weight_type: str = "square",
    input_format: str = "one-hot",
    ignore_index: int | None = None,
    *,
    zero_division: float = 0.0,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Generalized Dice score, :math:`2 \sum_c w_c |P_c \cap T_c| / \sum_c w_c (|P_c| + |T_c|)`, mean over images."""

def hausdorff_distance(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    include_background: bool = False,
    distance_metric: str = "euclidean",
    spacing: Sequence[float] | Tensor | None = None,
    directed: bool = False,
    input_format: str = "one-hot",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Greatest distance of an edge of a mask to the nearest edge of the other, mean over images and classes."""

def mean_iou(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    include_background: bool = True,
    per_class: bool = False,
    input_format: str = "one-hot",
    ignore_index: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean over images and classes of :math:`|P \cap T| / |P \cup T|`, of those classes that an image has."""
