# SPDX-License-Identifier: Apache-2.0
"""The ROC curve."""

from __future__ import annotations

import torch

from fastmetrics.classification.curves import BinaryCurve, MulticlassWholeCurve, MultilabelWholeCurve, WholeCurve
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
from fastmetrics.formulas.curve_table import Points
from fastmetrics.formulas.curves import Columns


class ROC(Family):
    """False and true positive rates at each threshold.

    Without ``thresholds`` the first point is (0, 0), at threshold 1. A rate without samples is 0; without
    ``thresholds`` with a warning.
    """

    lacks = ("average",)
    ordered = True
    example = {
        "binary": {
            "thresholds=3": ("[0.0000, 0.3333, 1.0000]", "[0.0000, 0.6667, 1.0000]", "[1.0000, 0.5000, 0.0000]")
        },
        "multiclass": {
            'thresholds=3, average="micro"': (
                "[0.0000, 0.1250, 1.0000]",
                "[0.0000, 0.7500, 1.0000]",
                "[1.0000, 0.5000, 0.0000]",
            )
        },
        "multilabel": {
            "thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[0., 1.], [0., 1.], [0., 1.]]", "[1., 0.]")
        },
        "family": {"thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[0., 1.], [0., 1.], [0., 1.]]", "[1., 0.]")},
    }


class Rates(WholeCurve):
    """The ROC curve of each column.

    Returns:
        false and true positive rates, float32 ``(T,)``, and thresholds ``(T,)``, descending;
        of several classes or labels in lists without ``thresholds``, and else ``(C, ...)`` or ``(L, ...)``.
    """

    label_names = ("False positive rate", "True positive rate")
    axes = 0, 1, 1.0

    def _three(self, points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
        return curves.roc_curves(points, dtype)


class BinaryROC(Rates, BinaryCurve, family=ROC):
    """The ROC curve of binary scores."""


class MulticlassROC(Rates, MulticlassWholeCurve, family=ROC):
    """The ROC curve of each class against all others."""


class MultilabelROC(Rates, MultilabelWholeCurve, family=ROC):
    """The ROC curve of each label."""
