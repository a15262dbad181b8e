# SPDX-License-Identifier: Apache-2.0
"""Calibration error."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask, MulticlassTask, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas.calibration import calibration_error
from fastmetrics.statistics import CalibrationStatistics

NORMS = ("l1", "l2", "max")


class CalibrationError(Family):
    r"""Top-label calibration error: how far confidences are from how often they are right.

    .. math::
        \text{l1} = \sum_b \frac{n_b}{n} |p_b - c_b| \qquad
        \text{l2} = \sqrt{\sum_b \frac{n_b}{n} (p_b - c_b)^2} \qquad
        \text{max} = \max_b |p_b - c_b|

    Of the :math:`n_b` samples in bin :math:`b`, :math:`c_b` is the mean confidence and :math:`p_b` the share that is
    right. The bins have equal width, and a confidence of exactly 1 has a last bin of its own, as in torchmetrics; edges
    are those of ``torch.linspace`` in float32. The state has three numbers a bin: counts are int64 and sums float64, so
    the error of the value is about 1e-15 before it is rounded, for any number of samples. Without samples the value is
    NaN for ``l1`` and 0 for the others. Source: Kumar et al., Verified Uncertainty Calibration, NeurIPS 2019.
    """

    constants = {"higher_is_better": False}
    example = {
        "binary": {"n_bins=2": "0.2900", 'n_bins=2, norm="l2"': "0.2918", 'n_bins=2, norm="max"': "0.3167"},
        "multiclass": {"n_bins=3": "0.2000", 'n_bins=3, norm="l2"': "0.2082", 'n_bins=3, norm="max"': "0.2333"},
        "family": {"n_bins=3": "0.2000"},
    }


class _CalibrationError(TaskMetric):
    """A norm of the gaps between confidences and hits.

    Args:
        n_bins: number of bins of equal width in [0, 1].
        norm: ``l1`` is the expected, ``l2`` the root mean squared and ``max`` the greatest calibration error.

    Inputs:
        weights: what a sample counts instead of 1: of the shape of ``target`` or of its first dimensions, of any real
            dtype, finite and at least 0.
    """

    def __init__(
        self,
        num_classes: int | None,
        n_bins: int,
        norm: str,
        ignore_index: int | None,
        validate_args: bool,
        logits: bool | None,
        /,
        **kwargs: Any,
    ) -> None:
        if not isinstance(n_bins, int) or n_bins < 1:
            raise ValueError(f"Expected argument `n_bins` to be an integer larger than 0, but got {n_bins}")
        arguments.one_of("norm", norm, NORMS)
        arguments.logits(logits)
        statistics = CalibrationStatistics(
            num_classes, n_bins=n_bins, logits=logits, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, ignore_index, validate_args, **kwargs)
        self.n_bins = n_bins
        self.norm = norm
        self.logits = logits

    def formula(self, counts: Tensor, confidences: Tensor, hits: Tensor) -> Tensor:
        """The norm of the gaps."""
        return calibration_error(counts, confidences, hits, self.norm).to(self._dtype)


class BinaryCalibrationError(_CalibrationError, BinaryTask, family=CalibrationError):
    """Calibration error of probabilities of the class 1, whose share of hits is that of targets that are 1.

    Inputs:
        preds: probabilities or logits ``[N, ...]`` of a floating type.
        target: 0/1 labels of the same shape.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, of the dtype of the scores.
    """

    example_batch = "torch.tensor([0.25, 0.25, 0.55, 0.75, 0.75]), torch.tensor([0, 0, 1, 1, 1])"

    def __init__(
        self,
        n_bins: int = 15,
        norm: str = "l1",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(None, n_bins, norm, ignore_index, validate_args, logits, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch in the dtype of the scores."""
        statistics, batch = self._for_function(args, kwargs)
        value = calibration_error(norm=self.norm, **self._states_of(statistics, batch))
        return value.to(batch[0][0].dtype)


class MulticlassCalibrationError(_CalibrationError, MulticlassTask, family=CalibrationError):
    """Calibration error of the greatest probability of each sample, a hit if it is that of the target.

    Inputs:
        preds: probabilities or logits ``[N, C, ...]`` of a floating type.
        target: labels ``[N, ...]``.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, float32.
    """

    example_batch = (
        "torch.tensor([[0.25, 0.20, 0.55], [0.55, 0.05, 0.40], [0.10, 0.30, 0.60], [0.90, 0.05, 0.05]]),"
        " torch.tensor([0, 1, 2, 0])"
    )

    def __init__(
        self,
        num_classes: int,
        n_bins: int = 15,
        norm: str = "l1",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
        super().__init__(num_classes, n_bins, norm, ignore_index, validate_args, logits, **kwargs)
        self.num_classes = num_classes

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch in float32."""
        statistics, batch = self._for_function(args, kwargs)
        return calibration_error(norm=self.norm, **self._states_of(statistics, batch)).to(torch.float32)
