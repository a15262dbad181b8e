# SPDX-License-Identifier: Apache-2.0
"""How metrics find their intervals from their states; the formulas are in :mod:`fastmetrics.formulas.intervals`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastmetrics.formulas import intervals as formulas
from fastmetrics.metric import IntervalMethods, IntervalRequest, StatisticMetric
from fastmetrics.statistics.resampling import Resampling

#: Numbers that draws which are made together take; the rest of a bootstrap is as large as its values.
AT_ONCE = 1 << 22

Shares = tuple[Tensor, Tensor]  # successes and trials
#: Shares, and what makes values of them, or None if they are the values; None if there are none.
SharesOfValue = tuple[Shares, Callable[[Tensor], Tensor] | None] | None


def of_shares(shares: Shares, value: Callable[[Tensor], Tensor] | None = None) -> IntervalMethods:
    """Intervals of proportions, or of a monotone function of them.

    Args:
        shares: successes and trials, of any shape.
        value: takes a share and gives the value; None if the share is the value.
    """

    def ends(interval: Callable[..., formulas.Pair], request: IntervalRequest) -> formulas.Pair:
        low, high = interval(*shares, request.level)
        if value is None:
            return low, high
        one, other = value(low), value(high)
        return torch.minimum(one, other), torch.maximum(one, other)

    return {"wilson": partial(ends, formulas.wilson), "exact": partial(ends, formulas.clopper_pearson)}


def resampled(
    metric: StatisticMetric, states: Mapping[str, Tensor], of_draws: Callable[[dict[str, Tensor]], Tensor], how: str
) -> Callable[[IntervalRequest], formulas.Pair]:
    """The percentile bootstrap over samples: of the values of states that are drawn.

    Args:
        metric: whose statistics say how states are drawn.
        states: of all that is counted.
        of_draws: the values ``[draws, ...]`` of states with a first dimension for the draws.
        how: see :meth:`fastmetrics.statistics.Statistics.resampling`.
    """

    def interval(request: IntervalRequest) -> formulas.Pair:
        statistics = metric._statistics
        found = statistics.resampling(states, metric._names_of_formula(), how)
        if found is None:
            raise ValueError(f"{metric._label()}: its states do not decide this interval. {statistics.lacks_joint}")
        return bootstrap(found, of_draws, states, request)

    return interval


def bootstrap(
    resampling: Resampling,
    of_draws: Callable[[dict[str, Tensor]], Tensor],
    states: Mapping[str, Tensor],
    request: IntervalRequest,
) -> formulas.Pair:
    """The middle ``request.level`` of the values of ``request.draws`` draws; NaN if no sample was counted."""
    some = next(iter(states.values()))
    generator = torch.Generator(some.device).manual_seed(request.seed)
    at_once = max(1, AT_ONCE // resampling.numbers)
    values = []
    with warnings.catch_warnings():  # what is undefined in a draw is no news
        warnings.simplefilter("ignore")
        for first in range(0, request.draws, at_once):
            values.append(of_draws(resampling.draw(min(at_once, request.draws - first), generator)))
    low, high = formulas.percentile(torch.cat(values), request.level)
    empty = torch.where(torch.stack([state.any() for state in states.values()]).any(), 0.0, torch.nan)
    return low + empty, high + empty


def each_draw(formula: Callable[..., Any]) -> Callable[[dict[str, Tensor]], Tensor]:
    """The values of draws by a formula of one state."""

    def values(states: dict[str, Tensor]) -> Tensor:
        found: Tensor = torch.vmap(lambda drawn: formula(**drawn))(states)
        return found

    return values


def gradients(
    formula: Callable[..., Tensor], states: Mapping[str, Tensor], names: Sequence[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The value, and the derivatives of the sum of its elements by the states that it takes."""
    with torch.inference_mode(False), torch.enable_grad():
        taken = {name: states[name].detach().clone().requires_grad_() for name in names}
        value = formula(**taken)
        found = torch.autograd.grad(value.sum(), [*taken.values()], allow_unused=True)
    slopes = zip(names, found, strict=True)
    return value.detach(), {name: torch.zeros_like(states[name]) if by is None else by for name, by in slopes}
