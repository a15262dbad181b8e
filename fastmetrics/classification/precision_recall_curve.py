# SPDX-License-Identifier: Apache-2.0
"""The precision-recall curve."""

from __future__ import annotations

import torch

from fastmetrics.classification.curves import BinaryCurve, MulticlassWholeCurve, MultilabelWholeCurve, WholeCurve
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
from fastmetrics.formulas.curve_table import Points
from fastmetrics.formulas.curves import Columns


class PrecisionRecallCurve(Family):
    """Precision and recall at each threshold.

    The last point has precision 1, recall 0 and no threshold. Without positives recall is 1, with a warning; with
    given thresholds a share of nothing is NaN.
    """

    lacks = ("average",)
    ordered = True
    example = {
        "binary": {
            "thresholds=3": (
                "[0.5000, 0.6667,    nan, 1.0000]",
                "[1.0000, 0.6667, 0.0000, 0.0000]",
                "[0.0000, 0.5000, 1.0000]",
            )
        },
        "multiclass": {
            'thresholds=3, average="micro"': (
                "[0.3333, 0.7500,    nan, 1.0000]",
                "[1.0000, 0.7500, 0.0000, 0.0000]",
                "[0.0000, 0.5000, 1.0000]",
            )
        },
        "multilabel": {
            "thresholds=2": (
                "[[0.5000,    nan, 1.0000], [0.5000,    nan, 1.0000], [0.7500,    nan, 1.0000]]",
                "[[1., 0., 0.], [1., 0., 0.], [1., 0., 0.]]",
                "[0., 1.]",
            )
        },
        "family": {
            "thresholds=2": (
                "[[0.5000,    nan, 1.0000], [0.2500,    nan, 1.0000], [0.2500,    nan, 1.0000]]",
                "[[1., 0., 0.], [1., 0., 0.], [1., 0., 0.]]",
                "[0., 1.]",
            )
        },
    }


class _PrecisionRecall(WholeCurve):
    """The precision-recall curve of each column.

    Returns:
        precision, recall, float32 ``(T + 1,)``, and thresholds ``(T,)``, ascending;
        of several classes or labels in lists without ``thresholds``, and else ``(C, ...)`` or ``(L, ...)``.
    """

    label_names = ("Recall", "Precision")
    axes = 1, 0, -1.0

    def _three(self, points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
        return curves.precision_recall_curves(points, dtype, self.absent)


class BinaryPrecisionRecallCurve(_PrecisionRecall, BinaryCurve, family=PrecisionRecallCurve):
    """The precision-recall curve of binary scores."""


class MulticlassPrecisionRecallCurve(_PrecisionRecall, MulticlassWholeCurve, family=PrecisionRecallCurve):
    """The precision-recall curve of each class against all others."""


class MultilabelPrecisionRecallCurve(_PrecisionRecall, MultilabelWholeCurve, family=PrecisionRecallCurve):
    """The precision-recall curve of each label."""
