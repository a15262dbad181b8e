# SPDX-License-Identifier: Apache-2.0
"""Formulas of a confusion matrix, [..., C, C], row = target, column = prediction.

Those of its diagonal and margins alone take the table of counts [C, 3], see :mod:`fastmetrics.tables`, so that no
matrix is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.formulas.counts import VALUE
from fastmetrics.native.operators import define
from fastmetrics.native.transforms import any_holds, samples
from fastmetrics.tables import of_two_classes


def normalized(confusion: Tensor, normalize: str | None) -> Tensor:
    """The matrix, or its cells divided by sums, float32.

    Args:
        confusion: int64 [..., C, C].
        normalize: ``true`` divides by the row sums, ``pred`` by the column sums, ``all`` by the sum; None or ``none``
            returns a copy. A class without samples gives zeros, and a warning.
    """
    if normalize is None or normalize == "none":
        return confusion.clone()
    over: dict[str, tuple[int, ...]] = {"true": (-1,), "pred": (-2,), "all": (-2, -1)}
    shares = confusion / confusion.sum(over[normalize], keepdim=True)
    undefined = shares.isnan()
    if any_holds(undefined):
        rank_zero_warn(
            f"{int(samples(undefined).sum())} NaN values found in confusion matrix have been replaced with zeros."
        )
    return torch.nan_to_num(shares, nan=0.0)


def of_labels(counts: Tensor) -> Tensor:
    """[..., 2, 2] from tp, fp, tn, fn [..., 4]."""
    tp, fp, tn, fn = counts.unbind(-1)
    return torch.stack([tn, fp, fn, tp], -1).reshape(*counts.shape[:-1], 2, 2)


def _value(table: Tensor, *_: object) -> Tensor:
    """The result of the operators below on fake tensors."""
    return table.new_empty((), dtype=torch.float32)


def _margins(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """tp, predicted and actual of each class, float64 [C]."""
    if table.shape[-1] == 4:
        table = of_two_classes(table.sum(0))
    tp, predicted, actual = table.double().unbind(-1)
    return tp, predicted, actual


def cohen_kappa_body(table: Tensor) -> Tensor:
    """See :func:`cohen_kappa`."""
    tp, predicted, actual = _margins(table)
    total = actual.sum()
    # sums of terms that are at least 0: nothing is lost by subtraction, and an empty sum is 0
    observed = (actual - tp).clamp(min=0).sum()
    expected = (actual * (predicted.sum() - predicted)).sum() / total
    return (1 - observed / expected).float()


def _result(table: Tensor) -> Tensor:
    return torch.empty_like(VALUE)


_cohen_kappa = define("cohen_kappa(Tensor table) -> Tensor", cohen_kappa_body, _value, kernels=("cpu",), result=_result)


def cohen_kappa(table: Tensor) -> Tensor:
    """Cohen's kappa, 1 - disagreement / disagreement of independent labels; NaN if independent labels agree.

    Args:
        table: int64 or float64 [C, 3]; or [L, 4], read as decisions between two classes, those on all labels together.

    Returns:
        float32 [].
    """
    return _cohen_kappa(table)  # type: ignore[no-any-return]


def weighted_cohen_kappa_body(confusion: Tensor, quadratic: bool) -> Tensor:
    """See :func:`weighted_cohen_kappa`."""
    confusion = confusion.double()
    label = torch.arange(confusion.shape[0], dtype=torch.float64, device=confusion.device)
    distance = (label.unsqueeze(1) - label).abs()
    if quadratic:
        distance = distance.square()
    actual, predicted = confusion.sum(1), confusion.sum(0)
    expected = actual @ distance @ predicted / actual.sum()
    return (1 - (distance * confusion).sum() / expected).float()


_weighted_cohen_kappa = define(
    "weighted_cohen_kappa(Tensor confusion, bool quadratic) -> Tensor",
    weighted_cohen_kappa_body,
    _value,
    kernels=("cpu",),
)


def weighted_cohen_kappa(confusion: Tensor, weights: str) -> Tensor:
    """Cohen's kappa where a disagreement weighs by the distance of the labels.

    Args:
        confusion: int64 or float64 [C, C].
        weights: ``linear`` or ``quadratic``.

    Returns:
        float32 [].
    """
    return _weighted_cohen_kappa(confusion, weights == "quadratic")  # type: ignore[no-any-return]


_EPSILON = torch.finfo(torch.float32).eps


def matthews_corrcoef_body(table: Tensor) -> Tensor:
    """See :func:`matthews_corrcoef`."""
    tp, predicted, actual = _margins(table)
    total_of_predicted, total = predicted.sum(), actual.sum()
    # sums of terms that are at least 0, so exactly 0 if there is one class, whatever the rounding
    spread = (predicted * (total_of_predicted - predicted)).sum() * (actual * (total - actual)).sum()
    covariance = tp.sum() * total - (predicted * actual).sum()
    value = torch.where(spread == 0, 0.0, covariance / spread.sqrt())
    if len(tp) == 2:
        right = tp.sum()
        wrong = total - right
        margins = torch.cat([predicted, actual]) + _EPSILON
        one_class = _EPSILON**0.5 * (right - wrong) / margins.prod().sqrt()
        value = torch.where(spread == 0, one_class, value)
        value = torch.where((wrong == 0) & (right != 0), 1.0, value)
        value = torch.where((right == 0) & (wrong != 0), -1.0, value)
    return value.float()


_matthews_corrcoef = define(
    "matthews_corrcoef(Tensor table) -> Tensor", matthews_corrcoef_body, _value, kernels=("cpu",), result=_result
)


def matthews_corrcoef(table: Tensor, undefined: float | None = None) -> Tensor:
    """The correlation coefficient of Matthews, in Gorodkin's form for any number of classes.

    Args:
        table: see :func:`cohen_kappa`.
        undefined: the value where it is undefined, because all targets or all predictions are of one class. None
            is as in torchmetrics: 0, but for two classes 1 if all labels are right, -1 if all are wrong, and
            otherwise (a - b) / sqrt((a + b) a b) with the right labels a and the wrong ones b.

    Returns:
        float32 [].
    """
    value: Tensor = _matthews_corrcoef(table)
    if undefined is None:
        return value
    _, *margins = _margins(table)
    classes = torch.stack([(margin != 0).sum() for margin in margins])
    return torch.where(classes.amin() <= 1, undefined, value)
