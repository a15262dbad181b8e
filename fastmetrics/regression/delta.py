# SPDX-License-Identifier: Apache-2.0
"""The delta method for metrics of pairs: the variance of a value from the second moments of what each pair adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fastmetrics.passes.pair_squares import products_about


def variance(states: Mapping[str, Tensor], slopes: Mapping[str, Tensor], asked: Sequence[str]) -> Tensor:
    """The variance of a value that does not change if all data is there twice, float64 ``[D]``; NaN of one pair.

    A pair of weight w changes the value by w times a sum of its terms, in first order, and these changes add up to 0.
    Their squares are summed, and multiplied by n / (n - 1) with n pairs of equal weight.

    Args:
        states: of the metric, with ``squares`` or ``monomials``.
        slopes: the derivatives of the value by the states.
        asked: the statistics that the metric asks for beside the count.
    """
    if "monomials" in states:
        by, products = _of_moments(states, slopes), products_about(states["monomials"], states["moments"][:, 1:3])
    else:
        of_sums = [slopes[name][:, 0] if name == "deviance" else slopes[name] for name in asked]
        count = slopes["deviance"][:, 1] if "deviance" in asked else slopes["count"]
        by, products = torch.stack([count, *of_sums], -1), states["squares"]
    total = torch.einsum("di,dij,dj->d", by, products, by)
    weight = states["deviance"][:, 1] if "deviance" in asked else states["count"]
    equal = weight.square() / products[:, 0, 0]
    return total * torch.where(equal > 1, equal / (equal - 1), torch.nan)


def _of_moments(states: Mapping[str, Tensor], slopes: Mapping[str, Tensor]) -> Tensor:
    """The change of the value by the terms 1, u, v, u², v², uv of a pair, u and v centred, ``[D, 6]``."""
    n, mean_x, mean_y, *_ = states["moments"].unbind(-1)
    by_n, by_x, by_y, by_xx, by_yy, by_xy = slopes["moments"].unbind(-1)
    by_error = slopes.get("squared_error", torch.zeros_like(n))
    apart = mean_x - mean_y
    return torch.stack(
        [
            by_n + slopes["count"] + by_error * apart.square(),
            by_x / n + 2 * by_error * apart,
            by_y / n - 2 * by_error * apart,
            by_xx + by_error,
            by_yy + by_error,
            by_xy - 2 * by_error,
        ],
        -1,
    )
