# SPDX-License-Identifier: Apache-2.0
"""Cumulative gains and lift: what is found among the samples with the greatest scores."""

from __future__ import annotations

import torch

from fastmetrics.classification.curves import BinaryCurve, MulticlassWholeCurve, MultilabelWholeCurve, WholeCurve
from fastmetrics.classification.family import Family
from fastmetrics.formulas import curves
from fastmetrics.formulas.curve_table import Points
from fastmetrics.formulas.curves import Columns


class CumulativeGains(Family):
    """The cumulative gains curve: the share of all positives among the samples with the greatest scores.

    A point at each threshold has the share of all samples whose scores reach it, and the share of all positives that
    do. Without ``thresholds`` the first point is (0, 0), at an infinite threshold. A share of nothing is 0.
    """

    lacks = ("average",)
    ordered = True
    example = {
        "binary": {
            "thresholds=3": ("[0.0000, 0.5000, 1.0000]", "[0.0000, 0.6667, 1.0000]", "[1.0000, 0.5000, 0.0000]")
        },
        "multiclass": {
            'thresholds=3, average="micro"': (
                "[0.0000, 0.3333, 1.0000]",
                "[0.0000, 0.7500, 1.0000]",
                "[1.0000, 0.5000, 0.0000]",
            )
        },
        "multilabel": {
            "thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[0., 1.], [0., 1.], [0., 1.]]", "[1., 0.]")
        },
        "family": {"thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[0., 1.], [0., 1.], [0., 1.]]", "[1., 0.]")},
    }


class _Gains(WholeCurve):
    """The cumulative gains curve of each column.

    Returns:
        shares of samples and of positives, float32 ``(T,)``, and thresholds ``(T,)``, descending;
        of several classes or labels in lists without ``thresholds``, and else ``(C, ...)`` or ``(L, ...)``.
    """

    label_names = ("Share of samples", "Share of positives")
    axes = 0, 1, 1.0

    def _three(self, points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
        values = [*curves.gains(points, dtype), points.thresholds]
        ends = [None, None, None] if points.binned else [0.0, 0.0, float("inf")]
        return curves.curve(values, points, points.binned, ends, before=True)


class BinaryCumulativeGains(_Gains, BinaryCurve, family=CumulativeGains):
    """The cumulative gains curve of binary scores."""


class MulticlassCumulativeGains(_Gains, MulticlassWholeCurve, family=CumulativeGains):
    """The cumulative gains curve of each class against all others."""


class MultilabelCumulativeGains(_Gains, MultilabelWholeCurve, family=CumulativeGains):
    """The cumulative gains curve of each label."""


class Lift(Family):
    """The lift curve: how much more frequent positives are among the samples with the greatest scores than among all.

    A point at each threshold has the share of all samples whose scores reach it, and the precision there over the share
    of positives among all samples. It ends at (1, 1). Where no score reaches a threshold, or without positives, lift is
    NaN.
    """

    lacks = ("average",)
    ordered = True
    example = {
        "binary": {
            "thresholds=3": ("[0.0000, 0.5000, 1.0000]", "[   nan, 1.3333, 1.0000]", "[1.0000, 0.5000, 0.0000]")
        },
        "multiclass": {
            'thresholds=3, average="micro"': (
                "[0.0000, 0.3333, 1.0000]",
                "[   nan, 2.2500, 1.0000]",
                "[1.0000, 0.5000, 0.0000]",
            )
        },
        "multilabel": {
            "thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[nan, 1.], [nan, 1.], [nan, 1.]]", "[1., 0.]")
        },
        "family": {"thresholds=2": ("[[0., 1.], [0., 1.], [0., 1.]]", "[[nan, 1.], [nan, 1.], [nan, 1.]]", "[1., 0.]")},
    }


class _Lift(WholeCurve):
    """The lift curve of each column.

    Returns:
        shares of samples and lift, float32 ``(T,)``, and thresholds ``(T,)``, descending;
        of several classes or labels in lists without ``thresholds``, and else ``(C, ...)`` or ``(L, ...)``.
    """

    label_names = ("Share of samples", "Lift")
    axes = 0, 1, 1.0
    plot_upper_bound = None

    def _three(self, points: Points, dtype: torch.dtype) -> tuple[Columns, Columns, Columns]:
        share, _ = curves.gains(points, dtype)
        values = [share, curves.lift(points).to(dtype), points.thresholds]
        return curves.curve(values, points, points.binned, [None, None, None], before=True)


class BinaryLift(_Lift, BinaryCurve, family=Lift):
    """The lift curve of binary scores."""


class MulticlassLift(_Lift, MulticlassWholeCurve, family=Lift):
    """The lift curve of each class against all others."""


class MultilabelLift(_Lift, MultilabelWholeCurve, family=Lift):
    """The lift curve of each label."""
