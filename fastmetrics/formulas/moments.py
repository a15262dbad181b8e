# SPDX-License-Identifier: Apache-2.0
"""Formulas of the moments of pairs, float64 [D, 6]; see :func:`fastmetrics.passes.pairs.pairs_body`.

Second moments are centred, so an offset of the data costs no digits: no formula subtracts two large numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.formulas.errors import one_or_all

MULTIOUTPUT = ("raw_values", "uniform_average", "variance_weighted")
NORMALIZATIONS = ("mean", "range", "std", "l2")

# torchmetrics' divisor of the squared error of a constant target.
_LEAST_SQUARES = torch.finfo(torch.float32).eps


def pearson(moments: Tensor) -> Tensor:
    """Correlation of preds and target, [D] or []; NaN where one of them is constant."""
    _, _, _, xx, yy, xy = moments.unbind(-1)
    # two roots, since the product of the moments may overflow
    return one_or_all((xy / (xx.sqrt() * yy.sqrt())).clamp(-1, 1))


def concordance(moments: Tensor) -> Tensor:
    """Lin's coefficient with sample variances, [D] or []; NaN where preds or target is constant."""
    n, mean_x, mean_y, xx, yy, xy = moments.unbind(-1)
    value = 2 * xy / (xx + yy + (n - 1) * (mean_x - mean_y).square())
    return one_or_all(torch.where((xx == 0) | (yy == 0), torch.nan, value))


def _score(error: Tensor, total: Tensor) -> Tensor:
    """``1 - error / total``; with a total of 0 it is 1 if there is no error, and 0 otherwise."""
    return torch.where(total == 0, (error == 0).to(error.dtype), 1 - error / torch.where(total == 0, 1.0, total))


def _over_outputs(scores: Tensor, variance: Tensor, multioutput: str) -> Tensor:
    if multioutput == "uniform_average":
        return scores.mean()
    if multioutput == "variance_weighted":
        return (variance / variance.sum() * scores).sum()
    return scores


def r2(moments: Tensor, squared_error: Tensor, multioutput: str, adjusted: int) -> Tensor:
    """Coefficient of determination, [] or, as raw values, [D]; ``adjusted`` for that many regressors."""
    total = moments[:, 4]
    value = _over_outputs(_score(squared_error, total), total, multioutput)
    if not adjusted:
        return value
    n = moments[:, 0] if value.dim() else moments[:, 0].mean()
    return torch.where(n - 1 > adjusted, 1 - (1 - value) * (n - 1) / (n - adjusted - 1), value)


def explained_variance(moments: Tensor, multioutput: str) -> Tensor:
    """1 - variance of the error / variance of the target, [] or, as raw values, [D]."""
    n, _, _, xx, yy, xy = moments.unbind(-1)
    error, total = (xx + yy - 2 * xy).clamp(min=0) / n, yy / n
    return _over_outputs(_score(error, total), total, multioutput)


def relative_squared_error(moments: Tensor, squared_error: Tensor) -> Tensor:
    """Squared error divided by the squared error of predicting the mean, [D]; NaN without pairs."""
    n, total = moments[:, 0], moments[:, 4]
    ratio = squared_error / torch.where(total == 0, _LEAST_SQUARES, total)
    return torch.where(n > 0, ratio, torch.nan)


def scale(normalization: str, moments: Tensor | None = None, extremes: Tensor | None = None) -> Tensor:
    """The divisor of a normalized root mean squared error, a property of the target, [D].

    Args:
        normalization: one of ``NORMALIZATIONS``: the mean, the range, the population standard deviation, or the
            root of the sum of squares.
        moments: for all but the range.
        extremes: float64 [D, 3], for the range.
    """
    if normalization == "range":
        assert extremes is not None
        return extremes[:, 2] - extremes[:, 1]
    assert moments is not None
    n, _, mean, _, yy, _ = moments.unbind(-1)
    if normalization == "mean":
        return mean
    return (yy / n).sqrt() if normalization == "std" else (yy + n * mean.square()).sqrt()
