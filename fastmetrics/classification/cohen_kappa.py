# SPDX-License-Identifier: Apache-2.0
"""Cohen's kappa, the agreement beyond that of independent labels."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryConfusion, MulticlassConfusion
from fastmetrics.classification.family import Family
from fastmetrics.formulas.confusion import cohen_kappa, weighted_cohen_kappa

_WEIGHTS = ("linear", "quadratic", "none", None)


class CohenKappa(Family):
    r"""Cohen's kappa: the agreement of predictions and targets beyond chance.

    .. math:: \frac{p_o - p_e}{1 - p_e}

    Here :math:`p_o` is the share of equal labels and :math:`p_e` that of independent labels of the same frequencies.
    It is NaN if :math:`p_e` is 1, and without samples.
    """

    example = {
        "binary": {"": "0.3333"},
        "multiclass": {"": "0.6364", 'weights="quadratic"': "0.8000"},
    }


class BinaryCohenKappa(BinaryConfusion, family=CohenKappa):
    """Cohen's kappa of binary decisions.

    Args:
        weights: ``linear``, ``quadratic``, ``none`` or None. Two labels are never farther apart than 1, so all of them
            are the same. The function calls weights of samples ``sample_weights``.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("weights", weights, _WEIGHTS)
        super().__init__(threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.weights = weights

    def formula(self, counts: Tensor) -> Tensor:
        """From int64 [1, 4]."""
        return cohen_kappa(counts)


class MulticlassCohenKappa(MulticlassConfusion, family=CohenKappa):
    """Cohen's kappa of several classes. Without weights it needs memory in O(C); with them, the confusion matrix.

    Args:
        weights: how much a disagreement weighs: its distance (``linear``), the square of that (``quadratic``), or 1
            (``none`` or None). The function calls weights of samples ``sample_weights``.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("weights", weights, _WEIGHTS)
        distance = weights in ("linear", "quadratic")
        super().__init__(num_classes, ignore_index, validate_args, confusion=distance, **kwargs)
        self.weights = weights

    def formula(self, counts: Tensor | None = None, confusion: Tensor | None = None) -> Tensor:
        """From int64 [C, 3], or with weights [C, C]."""
        if counts is not None:
            return cohen_kappa(counts)
        assert confusion is not None
        assert self.weights is not None
        return weighted_cohen_kappa(confusion, self.weights)
