# SPDX-License-Identifier: Apache-2.0
"""Calibration errors."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask, MulticlassTask, MultilabelTask, TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.formulas.calibration import average_of_columns, calibration_error, of_equal_mass
from fastmetrics.statistics import CalibrationStatistics
from fastmetrics.statistics.base import Inputs

NORMS = ("l1", "l2", "max")


class CalibrationError(Family):
    r"""Calibration error: how far probabilities are from how often what they are of is so.

    .. math::
        \text{l1} = \sum_b \frac{n_b}{n} |p_b - c_b| \qquad
        \text{l2} = \sqrt{\sum_b \frac{n_b}{n} (p_b - c_b)^2} \qquad
        \text{max} = \max_b |p_b - c_b|

    Of the :math:`n_b` samples in bin :math:`b`, :math:`c_b` is the mean probability and :math:`p_b` the share that is
    right. The bins have equal width, and a probability of exactly 1 has a last bin of its own, as in torchmetrics;
    edges are those of ``torch.linspace`` in float32. The state has three numbers a bin: counts are int64 and sums
    float64, so the error of the value is about 1e-15 before it is rounded, for any number of samples. Without samples
    the value is NaN for ``l1`` and 0 for the others. Source: Kumar et al., Verified Uncertainty Calibration, NeurIPS
    2019.
    """

    constants = {"higher_is_better": False}
    defaults = {"average": "macro"}
    example = {
        "binary": {"n_bins=2": "0.2900", 'n_bins=2, norm="l2"': "0.2918", 'n_bins=2, norm="max"': "0.3167"},
        "multiclass": {"n_bins=3": "0.2000", 'n_bins=3, norm="l2"': "0.2082", 'n_bins=3, norm="max"': "0.2333"},
        "multilabel": {"n_bins=2": "0.3583", "n_bins=2, average=None": "[0.3500, 0.5000, 0.2250]"},
    }


class AdaptiveCalibrationError(Family):
    r"""Calibration error over bins of equal mass: of as many samples each as can be.

    .. math:: \sum_b \frac{n_b}{n} |p_b - c_b|

    Of the :math:`n_b` samples in bin :math:`b`, :math:`c_b` is the mean probability and :math:`p_b` the share that is
    right; norms are as in :class:`~fastmetrics.classification.CalibrationError`. A bin ends only where one of about
    3,000 fine bins ends, and samples of a fine bin stay together; a fine bin is less than 1/64 of the probability wide,
    or of what it lacks to 1. So the state has the same size for any number of samples, processes add theirs, and counts
    and sums of the bins that are found are exact. Without samples the value is NaN for ``l1`` and 0 for the others.
    Source: Nguyen and O'Connor, Posterior calibration and exploratory analysis for natural language processing models,
    EMNLP 2015.
    """

    constants = {"higher_is_better": False, "equal_mass": True}
    example = {
        "binary": {"n_bins=2": "0.2900", 'n_bins=2, norm="max"': "0.3167"},
        "multiclass": {"n_bins=2": "0.4000", 'n_bins=2, norm="max"': "0.5500"},
    }


class BinsMetric(TaskMetric):
    """A metric of probabilities by bins.

    Args:
        n_bins: number of bins in [0, 1].

    Raises:
        RuntimeError: inputs on different devices; targets out of range, or scores that are no probabilities, which are
            not counted: at once on the CPU, and at ``compute`` or ``forward`` on other devices.
    """

    #: Whether bins have equal mass; else they have equal width.
    equal_mass: ClassVar[bool] = False
    #: Whether each class or label has bins of its own.
    apart: ClassVar[bool] = False

    def _start(
        self,
        columns: int,
        n_bins: int,
        ignore_index: int | None,
        validate_args: bool,
        logits: bool | None,
        **kwargs: Any,
    ) -> None:
        """The constructor."""
        if not isinstance(n_bins, int) or n_bins < 1:
            raise ValueError(f"Expected argument `n_bins` to be an integer larger than 0, but got {n_bins}")
        arguments.logits(logits)
        statistics = CalibrationStatistics(
            self.task_name,
            columns,
            n_bins=None if self.equal_mass else n_bins,
            apart=self.apart,
            logits=logits,
            ignore_index=ignore_index,
            validate=validate_args,
        )
        TaskMetric.__init__(self, statistics, ignore_index, validate_args, **kwargs)
        self.n_bins = n_bins
        self.logits = logits

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return torch.float32 if self.task_name == "multiclass" else inputs[0].dtype


class _Error(BinsMetric):
    """A norm of the gaps between probabilities and hits.

    Args:
        norm: ``l1`` is the expected, ``l2`` the root mean squared and ``max`` the greatest calibration error.
    """

    norm: str
    average: str | None = "macro"

    def formula(self, counts: Tensor, confidences: Tensor, hits: Tensor) -> Tensor:
        """The norm of the gaps."""
        if self.equal_mass:
            counts, confidences, hits = of_equal_mass(self.n_bins, counts, confidences, hits)
        errors = calibration_error(counts, confidences, hits, self.norm)
        value = average_of_columns(errors, counts.sum(-1), self.average) if self.apart else errors
        return value.to(self._dtype)


class _BinaryError(_Error, BinaryTask):
    """Calibration error of probabilities of the class 1, whose share of hits is that of targets that are 1.

    Inputs:
        preds: probabilities or logits ``[N, ...]`` of a floating type.

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
        arguments.one_of("norm", norm, NORMS)
        self._start(1, n_bins, ignore_index, validate_args, logits, **kwargs)
        self.norm = norm


class ClassScores(MulticlassTask):
    """A metric of class scores.

    Inputs:
        preds: probabilities or logits ``[N, C, ...]`` of a floating type.
    """

    example_batch = (
        "torch.tensor([[0.25, 0.20, 0.55], [0.55, 0.05, 0.40], [0.10, 0.30, 0.60], [0.90, 0.05, 0.05]]),"
        " torch.tensor([0, 1, 2, 0])"
    )


class _MulticlassError(_Error, ClassScores):
    """Calibration error of the greatest probability of each sample, a hit if it is that of the target.

    Returns:
        ``()`` of the metric's dtype (``set_dtype``); from the function, float32.
    """

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
        arguments.one_of("norm", norm, NORMS)
        self._start(num_classes, n_bins, ignore_index, validate_args, logits, **kwargs)
        self.num_classes = num_classes
        self.norm = norm


class BinaryCalibrationError(_BinaryError, family=CalibrationError):
    """Calibration error of probabilities of the class 1, whose share of hits is that of targets that are 1."""


class MulticlassCalibrationError(_MulticlassError, family=CalibrationError):
    """Calibration error of the greatest probability of each sample, a hit if it is that of the target."""


class MultilabelCalibrationError(_Error, MultilabelTask, family=CalibrationError):
    """Calibration error of the probabilities of each label, averaged.

    Args:
        average: ``macro`` is the mean over labels that have samples; ``none`` or None gives a value for each label.

    Inputs:
        preds: probabilities or logits ``[N, L, ...]`` of a floating type.

    Returns:
        ``()``, or ``(L,)`` without an average, of the metric's dtype (``set_dtype``); from the function, of the dtype
        of the scores.
    """

    apart = True
    example_batch = "torch.tensor([[0.75, 0.25, 0.35], [0.45, 0.75, 0.20]]), torch.tensor([[1, 0, 1], [0, 0, 0]])"

    def __init__(
        self,
        num_labels: int,
        n_bins: int = 15,
        norm: str = "l1",
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_labels", num_labels)
        arguments.one_of("norm", norm, NORMS)
        arguments.one_of("average", average, ("macro", "none", None))
        self._start(num_labels, n_bins, ignore_index, validate_args, logits, **kwargs)
        self.num_labels = num_labels
        self.norm = norm
        self.average = average


class ClasswiseCalibrationError(_Error, ClassScores):
    r"""Calibration error of the probability of each class, a hit if the class is the target, averaged over classes.

    Norms and bins are those of :class:`~fastmetrics.classification.MulticlassCalibrationError`, which sees the greatest
    probability alone. The state has three numbers a bin and class. Source: Kull et al., Beyond temperature scaling,
    NeurIPS 2019.

    Args:
        average: ``macro`` is the mean over classes; ``none`` or None gives a value for each class.

    Returns:
        ``()``, or ``(C,)`` without an average, of the metric's dtype (``set_dtype``); from the function, float32.
    """

    higher_is_better = False
    apart = True
    example = {"n_bins=2": "0.1750", "n_bins=2, average=None": "[0.2750, 0.1000, 0.1500]"}

    def __init__(
        self,
        num_classes: int,
        n_bins: int = 15,
        norm: str = "l1",
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.more_than_one("num_classes", num_classes)
        arguments.one_of("norm", norm, NORMS)
        arguments.one_of("average", average, ("macro", "none", None))
        self._start(num_classes, n_bins, ignore_index, validate_args, logits, **kwargs)
        self.num_classes = num_classes
        self.norm = norm
        self.average = average


class BinaryAdaptiveCalibrationError(_BinaryError, family=AdaptiveCalibrationError):
    """Calibration error of probabilities of the class 1 over bins of equal mass."""


class MulticlassAdaptiveCalibrationError(_MulticlassError, family=AdaptiveCalibrationError):
    """Calibration error of the greatest probability of each sample over bins of equal mass."""
