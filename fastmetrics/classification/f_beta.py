# SPDX-License-Identifier: Apache-2.0
"""F-scores."""

from __future__ import annotations

from typing import Any

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryRatio, MulticlassRatio, MultilabelRatio, RatioMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas import ratios


class F1Score(Family):
    r"""F1 score: the harmonic mean of precision and recall.

    .. math:: \frac{2TP}{2TP + FP + FN}
    """

    ratio = ratios.fbeta(1.0)
    example = {
        "binary": {"": "0.6667"},
        "multiclass": {"": "0.7778", "average=None": "[0.6667, 0.6667, 1.0000]"},
        "multilabel": {"": "0.5556", "average=None": "[1.0000, 0.0000, 0.6667]"},
        "family": {"": "0.7500"},
    }


class BinaryF1Score(BinaryRatio, family=F1Score):
    """F1 score of binary decisions."""


class MulticlassF1Score(MulticlassRatio, family=F1Score):
    """F1 score of each class, averaged."""


class MultilabelF1Score(MultilabelRatio, family=F1Score):
    """F1 score of each label, averaged."""


class FBetaScore(Family):
    r"""F-score: the weighted harmonic mean of precision and recall.

    .. math:: \frac{(1 + \beta^2) TP}{(1 + \beta^2) TP + \beta^2 FN + FP}
    """

    example = {
        "binary": {"beta=2.0": "0.6667"},
        "multiclass": {"beta=2.0": "0.7963", "beta=2.0, average=None": "[0.5556, 0.8333, 1.0000]"},
        "multilabel": {"beta=2.0": "0.6111", "beta=2.0, average=None": "[1.0000, 0.0000, 0.8333]"},
        "family": {"beta=0.5": "0.7500"},
    }


class _FBeta(RatioMetric):
    """An F-score.

    Args:
        beta: above 0; how many times as much recall weighs as precision.
    """

    def _set_beta(self, beta: float) -> None:
        if self.validate_args:
            arguments.beta(beta)
        self.beta = beta
        self.ratio = ratios.fbeta(beta)


class BinaryFBetaScore(_FBeta, BinaryRatio, family=FBetaScore):
    """F-score of binary decisions."""

    def __init__(
        self,
        beta: float,
        threshold: float = 0.5,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        options = (multidim_average, ignore_index, validate_args, zero_division)
        super().__init__(threshold, *options, logits=logits, **kwargs)
        self._set_beta(beta)


class MulticlassFBetaScore(_FBeta, MulticlassRatio, family=FBetaScore):
    """F-score of each class, averaged."""

    def __init__(
        self,
        beta: float,
        num_classes: int,
        top_k: int = 1,
        average: str | None = "macro",
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> None:
        options = (multidim_average, ignore_index, validate_args, zero_division)
        super().__init__(num_classes, top_k, average, *options, exclude_ignored=exclude_ignored, **kwargs)
        self._set_beta(beta)


class MultilabelFBetaScore(_FBeta, MultilabelRatio, family=FBetaScore):
    """F-score of each label, averaged."""

    def __init__(
        self,
        beta: float,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        options = (multidim_average, ignore_index, validate_args, zero_division)
        super().__init__(num_labels, threshold, average, *options, logits=logits, **kwargs)
        self._set_beta(beta)
