# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals, float64, of estimates of any leading shape."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def normal_quantile(level: float) -> float:
    """How many standard errors a two-sided normal interval goes to either side."""
    return math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()


def wilson(successes: Tensor, trials: Tensor, level: float) -> Pair:
    """The score interval of a proportion; NaN without trials.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    z = normal_quantile(level)
    successes, trials = successes.double(), trials.double()
    centre = (successes + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * (successes * (trials - successes) / trials + z * z / 4).sqrt()
    low = torch.where(successes == 0, half * 0, centre - half)
    high = torch.where(successes == trials, half * 0 + 1, centre + half)
    return low.clamp(min=0), high.clamp(max=1)


def clopper_pearson(successes: Tensor, trials: Tensor, level: float) -> Pair:
    """The exact interval of a proportion, from quantiles of the beta distribution; NaN without trials.

    Source: Clopper, Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial, 1934.
    """
    successes, trials = torch.broadcast_tensors(successes.double(), trials.double())
    failures, tail = trials - successes, (1 - level) / 2
    none = torch.where(trials > 0, 0.0, torch.nan)
    low = beta_quantile(successes.clamp(min=1), failures + 1, tail)
    high = beta_quantile(successes + 1, failures.clamp(min=1), 1 - tail)
    return torch.where(successes == 0, 0.0, low) + none, torch.where(failures == 0, 1.0, high) + none


def beta_quantile(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Where the beta distribution has a share of its mass below, float64; the relative error is about 1e-10.

    PyTorch has no incomplete beta function. Newton's method on :func:`incomplete_beta`, kept in a bracket.
    """
    low, high = torch.zeros_like(a), torch.ones_like(a)
    mean = a / (a + b)
    spread = (mean * (1 - mean) / (a + b + 1)).sqrt()
    x = mean - normal_quantile(abs(1 - 2 * share)) * math.copysign(1, 1 - 2 * share) * spread
    x = torch.where((x > 0) & (x < 1), x, mean)
    logs = torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b)
    for _ in range(100):
        below = incomplete_beta(a, b, x) - share
        low, high = torch.where(below < 0, x, low), torch.where(below < 0, high, x)
        density = (logs + (a - 1) * x.log() + (b - 1) * (-x).log1p()).exp()
        step = x - below / density
        moved = torch.where((step > low) & (step < high), step, (low + high) / 2)
        done = bool(((moved - x).abs() <= 1e-12 * moved).all())
        x = moved
        if done:
            break
    return x


_NODES, _WEIGHTS = (torch.from_numpy(of) for of in np.polynomial.legendre.leggauss(40))

#: Where both parameters are greater, the incomplete beta function is a quadrature, whose time does not grow with them.
_LARGE = 1000.0


def incomplete_beta(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """The regularised incomplete beta function, of ``0 < x < 1``, float64; the relative error is about 1e-11.

    It is the continued fraction by the method of Lentz or, if both parameters are large, a quadrature by Gauss.

    Source: Press et al., Numerical recipes, 3rd edition, 2007, section 6.4.
    """
    a, b, x = torch.broadcast_tensors(a, b, x)
    above = x > a / (
        a + b
    )  # the fraction converges fast on one side of the mean, and so does the other tail on the other
    p, q, y = torch.where(above, b, a), torch.where(above, a, b), torch.where(above, 1 - x, x)
    large = (a > _LARGE) & (b > _LARGE)
    value = torch.zeros_like(y)
    if bool((~large).any()):
        few = torch.where(large, 2.0, p), torch.where(large, 2.0, q), torch.where(large, 0.25, y)
        value = torch.where(large, value, _fraction(*few))
    if bool(large.any()):
        many = torch.where(large, p, _LARGE), torch.where(large, q, _LARGE), torch.where(large, y, 0.5)
        value = torch.where(large, _tail(*many), value)
    return torch.where(above, 1 - value, value)


def _scaled(p: Tensor, q: Tensor, y: Tensor) -> Tensor:
    """The density of the beta distribution times y (1 - y)."""
    logs = torch.lgamma(p + q) - torch.lgamma(p) - torch.lgamma(q)
    return (logs + p * y.log() + q * (-y).log1p()).exp()


def _fraction(p: Tensor, q: Tensor, y: Tensor) -> Tensor:
    tiny = 1e-300
    c = torch.ones_like(y)
    d = 1 - (p + q) * y / (p + 1)
    d = 1 / torch.where(d.abs() < tiny, tiny, d)
    value = d
    for m in range(1, 100_000):
        for factor in (
            m * (q - m) * y / ((p + 2 * m - 1) * (p + 2 * m)),
            -(p + m) * (p + q + m) * y / ((p + 2 * m) * (p + 2 * m + 1)),
        ):
            d, c = 1 + factor * d, 1 + factor / c
            d, c = (torch.where(v.abs() < tiny, tiny, v) for v in (d, c))
            d = 1 / d
            value = value * d * c
        if bool(((d * c - 1).abs() < 1e-14).all()):
            break
    return _scaled(p, q, y) * value / p


def _tail(p: Tensor, q: Tensor, y: Tensor) -> Tensor:
    """The mass below y, which is below the mean, of a beta distribution with large parameters."""
    mean = p / (p + q)
    spread = (mean * (1 - mean) / (p + q)).sqrt()
    end = torch.minimum((mean - 12 * spread).clamp(min=0), y - 8 * spread).clamp(min=0)
    nodes, weights = _NODES.to(y.device), _WEIGHTS.to(y.device)
    at = ((y - end) / 2).unsqueeze(-1) * nodes + ((y + end) / 2).unsqueeze(-1)
    p1, q1, top = (v.unsqueeze(-1) for v in (p - 1, q - 1, mean))
    density = (p1 * (at / top).log() + q1 * ((1 - at) / (1 - top)).log()).exp()
    logs = torch.lgamma(p + q) - torch.lgamma(p) - torch.lgamma(q)
    peak = (logs + (p - 1) * mean.log() + (q - 1) * (-mean).log1p()).exp()
    return (density * weights).sum(-1) * (y - end) / 2 * peak


def percentile(values: Tensor, level: float) -> Pair:
    """The middle ``level`` of values ``[draws, ...]``, of any order, without the NaNs among them."""
    values = values.double().sort(0).values
    defined = (~values.isnan()).sum(0)

    def at(share: float) -> Tensor:
        place = share * (defined - 1).clamp(min=0).double()
        first = place.floor().long()
        both = [
            values.gather(0, one.unsqueeze(0)).squeeze(0) for one in (first, (first + 1).clamp(max=len(values) - 1))
        ]
        return torch.where(place == first, both[0], torch.lerp(both[0], both[1], place - first))

    tail = (1 - level) / 2
    return at(tail), at(1 - tail)


def normal(value: Tensor, error: Tensor, level: float) -> Pair:
    """A value and its standard error to either side."""
    half = normal_quantile(level) * error
    return value - half, value + half


def jackknife_error(values: Tensor) -> Tensor:
    """The standard error of a value, from those ``[U, ...]`` without each of U independent parts of the data.

    Source: Efron, Stein, The jackknife estimate of variance, 1981.
    """
    parts = values.shape[0]
    return ((values - values.mean(0)).square().sum(0) * (parts - 1) / parts).sqrt()


def error_of_mean(mean: Tensor, weight: Tensor, squares: Tensor) -> Tensor:
    """The standard error of a weighted mean; NaN of one value.

    Args:
        mean: float64 ``[...]``.
        weight: the sum of the weights.
        squares: float64 ``[..., 3]``: sums of w² x², w² x and w² of values x of weight w.
    """
    second, first, zeroth = squares.unbind(-1)
    variance = (second - 2 * mean * first + mean.square() * zeroth).clamp(min=0) / weight.square()
    equal = weight.square() / zeroth  # as many values of equal weight have such a sum of squares
    return (variance * torch.where(equal > 1, equal / (equal - 1), torch.nan)).sqrt()


def fisher(correlation: Tensor, count: Tensor, level: float) -> Pair:
    """The interval of a correlation of pairs, by Fisher's z; NaN of fewer than four.

    Source: Fisher, On the probable error of a coefficient of correlation deduced from a small sample, 1921.
    """
    error = torch.where(count > 3, 1 / (count - 3), torch.nan).sqrt()
    low, high = normal(correlation.clamp(-1, 1).atanh(), error, level)
    exact = correlation.abs() == 1
    return torch.where(exact, correlation, low.tanh()), torch.where(exact, correlation, high.tanh())


def area_error(tp: Tensor, fp: Tensor) -> Pair:
    """The area under the ROC curve and its standard error, of positives and negatives in groups of equal scores.

    Source: DeLong, DeLong, Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
    characteristic curves, 1988; over groups, as midranks are by Sun and Xu, 2014.

    Args:
        tp: ``[..., P]``: positives of each score, the scores descending.
        fp: ``[..., P]``: negatives of each score.

    Returns:
        float64 ``[...]`` each; the error is NaN with fewer than two positives or negatives.
    """
    tp, fp = tp.double(), fp.double()
    positives, negatives = tp.sum(-1, keepdim=True), fp.sum(-1, keepdim=True)
    below = (negatives - fp.cumsum(-1) + fp / 2) / negatives  # the share of the negatives that a positive exceeds
    above = (tp.cumsum(-1) - tp / 2) / positives
    area = (tp * below).sum(-1, keepdim=True) / positives
    variance = (tp * (below - area).square()).sum(-1, keepdim=True) / (positives - 1) / positives
    variance = variance + (fp * (above - area).square()).sum(-1, keepdim=True) / (negatives - 1) / negatives
    enough = (positives > 1) & (negatives > 1)
    return area.squeeze(-1), torch.where(enough, variance, torch.nan).sqrt().squeeze(-1)


def area_placements(scores: Tensor, positive: Tensor, counted: Tensor) -> Tensor:
    """What each sample adds to the error of the area under a ROC curve, float64 ``[N]``; 0 where it does not count.

    The variance of a weighted mean of the areas of several columns is the sum of the squares of the mean of these.
    """
    order = scores[counted]
    order = order if order.dtype == torch.float64 else order.float()
    label = positive[counted]
    of = [order[~label].sort().values, order[label].sort().values]  # negatives, positives
    m, n = len(of[1]), len(of[0])
    found = scores.new_zeros(len(scores), dtype=torch.float64)
    if m < 2 or n < 2:
        return found.fill_(torch.nan)
    places = []
    for values in of:
        both = [torch.searchsorted(values, order, right=right).double() for right in (False, True)]
        places.append((both[0] + both[1]) / 2 / len(values))
    below, above = places[0], 1 - places[1]
    area = below[label].mean()
    share = torch.where(label, (below - area) / math.sqrt(m * (m - 1.0)), (above - area) / math.sqrt(n * (n - 1.0)))
    found[counted] = share
    return found


def average_precision(tp: Tensor, fp: Tensor) -> Tensor:
    """Average precision, float64 ``[...]``; NaN without positives.

    Args:
        tp: ``[..., P]``: positives of each score, the scores descending.
        fp: ``[..., P]``: negatives of each score.
    """
    tp, fp = tp.double(), fp.double()
    reached = tp.cumsum(-1)
    precision = reached / (reached + fp.cumsum(-1)).clamp(min=1)
    return (tp * precision).sum(-1) / tp.sum(-1)


def mcnemar(only_first: Tensor, only_second: Tensor, exact: bool) -> Pair:
    """The statistic and the p-value of McNemar's test of two shares of the same samples.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions, 1947.

    Args:
        only_first: samples that the first has right and the second has wrong.
        only_second: the others that differ.
        exact: the two-sided binomial test, whose statistic is the lesser of both; otherwise the chi-squared one, with
            the correction of continuity.
    """
    first, second = only_first.double(), only_second.double()
    total = first + second
    if not exact:
        statistic = torch.where(total > 0, ((first - second).abs() - 1).clamp(min=0).square() / total, 0.0)
        return statistic, torch.erfc((statistic / 2).sqrt())
    least = torch.minimum(first, second)
    # as many as that of fair tosses, or fewer
    below = incomplete_beta((total - least).clamp(min=1), least + 1, torch.full_like(total, 0.5))
    return least, torch.where(first == second, 1.0, (2 * below).clamp(max=1))
