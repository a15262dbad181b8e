# SPDX-License-Identifier: Apache-2.0
"""Reliability diagrams."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics.utilities.plot import _error_on_missing_matplotlib

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask
from fastmetrics.classification.calibration import BinsMetric, ClassScores
from fastmetrics.classification.family import Family
from fastmetrics.formulas.calibration import reliability


class ReliabilityDiagram(Family):
    """What a reliability diagram shows: for each bin of probabilities, how often what they are of is so.

    The value is three tensors of ``n_bins`` numbers each: the share that is right, the mean probability and the number
    of samples (or their weight). The first two are NaN in an empty bin. ``plot`` draws the diagram. Bins have equal
    width; a probability of exactly 1 is in the last one. In a collection the state is shared with a
    :class:`~fastmetrics.classification.CalibrationError` of as many bins.
    """

    constants = {"higher_is_better": None, "plot_upper_bound": None}
    example = {
        "binary": {"n_bins=2": ("[0., 1.]", "[0.2500, 0.6833]", "[2., 3.]")},
        "multiclass": {"n_bins=3": ("[   nan, 0.3333, 1.0000]", "[   nan, 0.5667, 0.9000]", "[0., 3., 1.]")},
    }


class _Diagram(BinsMetric):
    """The shares of hits and the mean probabilities of bins."""

    def formula(self, counts: Tensor, confidences: Tensor, hits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From the states; the bin of the probability 1 goes to the one before it."""
        joined = (torch.cat([x[..., :-2], x[..., -2:].sum(-1, keepdim=True)], -1) for x in (counts, confidences, hits))
        accuracy, confidence, amount = (value.to(self._dtype) for value in reliability(*joined))
        return accuracy, confidence, amount

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw a value, or the present one: a bar for the share of each bin, a point for its mean probability.

        Args:
            val: a value of the metric; None computes it.
            ax: axes of matplotlib to draw in; None makes new ones.

        Returns:
            The figure (None if ``ax`` is given) and the axes.
        """
        accuracy, confidence, _ = (part.detach().cpu().numpy() for part in (self.compute() if val is None else val))
        _error_on_missing_matplotlib()
        from matplotlib import pyplot

        fig, ax = pyplot.subplots() if ax is None else (None, ax)
        n = len(accuracy)
        there = ~np.isnan(accuracy)
        left = [bin / n for bin in range(n)]
        ax.plot([0, 1], [0, 1], color="gray", linestyle="--", label="calibrated")
        ax.bar(left, accuracy, width=1 / n, align="edge", edgecolor="white", alpha=0.7, label="share that is right")
        ax.plot(confidence[there], accuracy[there], marker="o", linestyle="none", label="mean probability")
        ax.set(xlabel="Probability", ylabel="Share that is right", xlim=(0, 1), ylim=(0, 1), title=type(self).__name__)
        ax.legend(loc="upper left")
        return fig, ax


class BinaryReliabilityDiagram(_Diagram, BinaryTask, family=ReliabilityDiagram):
    """What a reliability diagram shows of probabilities of the class 1.

    Inputs:
        preds: probabilities or logits ``[N, ...]`` of a floating type.

    Returns:
        Three tensors ``(n_bins,)`` of the metric's dtype (``set_dtype``); from the function, of the dtype of the
        scores.
    """

    example_batch = "torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1])"

    def __init__(
        self,
        n_bins: int = 15,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(1, n_bins, ignore_index, validate_args, logits, **kwargs)


class MulticlassReliabilityDiagram(_Diagram, ClassScores, family=ReliabilityDiagram):
    """What a reliability diagram shows of the greatest probability of each sample.

    Returns:
        Three tensors ``(n_bins,)`` of the metric's dtype (``set_dtype``); from the function, float32.
    """

    def __init__(
        self,
        num_classes: int,
        n_bins: int = 15,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
        self._start(num_classes, n_bins, ignore_index, validate_args, logits, **kwargs)
        self.num_classes = num_classes
