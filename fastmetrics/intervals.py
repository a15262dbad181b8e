# SPDX-License-Identifier: Apache-2.0
"""How metrics find their intervals from their states; the formulas are in :mod:`fastmetrics.formulas.intervals`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from fastmetrics import arguments
from fastmetrics.accumulator import Part
from fastmetrics.formulas import intervals as formulas
from fastmetrics.native.transforms import without_looking
from fastmetrics.slices import Slicing, each_row
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import GROUP_SAMPLES, States
from fastmetrics.statistics.grouped import Grouped
from fastmetrics.statistics.resampling import Draws, Resampling, clusters_of

#: Numbers of drawn states at a time: on the CPU they stay in a cache, elsewhere there are few kernels to start.
AT_ONCE, AT_ONCE_ELSEWHERE = 1 << 19, 1 << 22
#: Values whose percentiles are taken at a time.
VALUES_AT_ONCE = 1 << 20

Shares = tuple[Tensor, Tensor]  # successes and trials
#: Shares, and what makes values of shares and trials, or None if shares are the values; None if there are none.
SharesOfValue = tuple[Shares, Callable[[Tensor, Tensor], Tensor] | None] | None


class IntervalRequest(NamedTuple):
    """What is asked of an interval.

    Attributes:
        level: the share of intervals that are to hold the value, in (0, 1).
        draws: of a bootstrap.
        seed: of its generator.
    """

    level: float
    draws: int
    seed: int


#: Ways to an interval by their names, the default first: each gives the lower and the upper ends.
IntervalMethods = Mapping[str, Callable[[IntervalRequest], formulas.Pair]]


@dataclass(frozen=True)
class ClosedForm:
    """An interval by a formula, which is that of many groups at once.

    Attributes:
        estimates: what the formula takes of the states; their shapes are that of the value.
        ends: of the estimates and the level; elementwise, and the same for all states.
    """

    estimates: Callable[[], tuple[Tensor, ...]]
    ends: Callable[..., formulas.Pair]

    def __call__(self, request: IntervalRequest) -> formulas.Pair:
        """Both ends."""
        return self.ends(*self.estimates(), request.level)


@dataclass(frozen=True)
class Bootstrap:
    """The percentile bootstrap over samples, of one group or of many at once: the middle part of the values of draws.

    Attributes:
        resampling: how states ``[G, *shape]`` are drawn.
        values: ``[n, *value]`` of drawn states ``[n, *shape]``, by a formula that is the same for all states.
        states: of one group, all that is counted.
    """

    resampling: Callable[[States], Resampling]
    values: Callable[[dict[str, Tensor]], Tensor]
    states: States

    def __call__(self, request: IntervalRequest) -> formulas.Pair:
        """Both ends."""
        low, high = self.of_groups({name: state.unsqueeze(0) for name, state in self.states.items()}, request)
        return low[0], high[0]

    def of_groups(self, states: States, request: IntervalRequest) -> formulas.Pair:
        """Both ends ``[G, *value]`` of states ``[G, *shape]``, of which there is one; NaN if no sample was counted."""
        resampling, groups = self.resampling(states), len(next(iter(states.values())))
        at_once, ends = max(1, VALUES_AT_ONCE // request.draws), []
        for first in range(0, groups, at_once):
            values = self._of_draws(resampling, first, min(groups, first + at_once), request)
            ends.append(torch.stack(formulas.percentile(values.transpose(0, 1), request.level)))
        low, high = torch.cat(ends, 1)
        seen = torch.stack([state.reshape(groups, -1).any(1) for state in states.values()]).any(0)
        absent = torch.where(seen, 0.0, torch.nan).reshape(-1, *(1 for _ in low.shape[1:]))
        return low + absent, high + absent

    def _of_draws(self, resampling: Resampling, begin: int, end: int, request: IntervalRequest) -> Tensor:
        """The values ``[end - begin, draws, *value]`` of all draws of some groups."""
        some = next(iter(self.states.values()))
        at_once = max(1, (AT_ONCE if some.device.type == "cpu" else AT_ONCE_ELSEWHERE) // resampling.numbers)
        draws, groups = min(at_once, request.draws), max(1, at_once // request.draws)
        found = []
        with warnings.catch_warnings():  # what is undefined in a draw is no news
            warnings.simplefilter("ignore")
            for group in range(begin, end, groups):
                rows, values = slice(group, min(end, group + groups)), []
                for first in range(0, request.draws, draws):
                    number = min(draws, request.draws - first)
                    drawn = resampling.draw(Draws(rows, first, number, request.seed))
                    of_draws = self.values({name: state.flatten(0, 1) for name, state in drawn.items()})
                    values.append(of_draws.unflatten(0, (-1, number)))
                found.append(torch.cat(values, 1))
        return torch.cat(found)


class HasIntervals(Protocol):
    """What of a metric its intervals are made of; see :class:`fastmetrics.metric.StatisticMetric`."""

    reads_values: bool
    formula_of_groups: bool
    _slicing: Slicing | None
    _dtype: torch.dtype
    _device: torch.device
    _reader: Any

    @property
    def formula(self) -> Callable[..., Any]:
        """Of the statistics of one group."""

    @property
    def _statistics(self) -> Statistics: ...

    def _label(self) -> str: ...

    def _names_of_formula(self) -> list[str]: ...

    def _interval_methods(self, states: States) -> IntervalMethods: ...


def requested(level: float, draws: int, seed: int) -> IntervalRequest:
    """What is asked of an interval; raises ``ValueError`` for what does not fit."""
    arguments.level(level)
    arguments.draws(draws)
    return IntervalRequest(level, draws, seed)


def interval_of(
    metric: HasIntervals, part: Part, request: IntervalRequest, method: str | None, clusters: str | None
) -> formulas.Pair:
    """The interval of the value of a metric.

    Args:
        metric: says which methods there are.
        part: the states, with those that others have asked for beside.
        request: of the interval.
        method: None takes the first.
        clusters: the slicing whose groups are resampled; None resamples samples.
    """
    if clusters is not None:
        methods = _of_clusters(metric, part, clusters)
    else:
        _require_unweighted(metric, part)
        states = of_all(metric, part)
        methods = metric._interval_methods(states)
        if not methods:
            raise ValueError(_lacks(metric, states))
    low, high = methods[_chosen(metric, methods, method)](request)
    return low.to(metric._dtype), high.to(metric._dtype)


def intervals_by_group(
    metric: HasIntervals,
    part: Part,
    request: IntervalRequest,
    method: str | None,
    clusters: Mapping[str, str] | None = None,
    which: Mapping[str, Tensor] | None = None,
) -> dict[str, formulas.Pair]:
    """The intervals of the value of each group of each slicing, ``[G, *value]``; NaN for a group without samples.

    Args:
        metric: as the others, see :func:`interval_of`.
        part: see there.
        request: see there.
        method: see there.
        clusters: slicings by name, each with the one whose groups are the clusters in its own; only those then.
        which: int64 ``[n]`` of each slicing, the groups that are wanted; all if None.
    """
    if metric.formula_of_groups:
        raise ValueError(f"{metric._label()}: `compute` gives what it says of groups; it has no interval.")
    if clusters is not None:
        return {
            name: _of_clusters_by_group(metric, part, request, method, name, of, None if which is None else which[name])
            for name, of in clusters.items()
        }
    _require_unweighted(metric, part)
    every, found = metric._reader.current().statistics, {}
    assert isinstance(every, Grouped)
    for name, where in every.slicings():
        groups = slice(None) if which is None else which[name]
        rows = {of: part.states[of][where][groups] for of in every.base.shapes if of in part.states}
        seen = part.states[GROUP_SAMPLES][where][groups] > 0
        with without_looking():
            ends = _each_interval(metric, rows, seen, method, request)
        found[name] = ends[0].to(metric._dtype), ends[1].to(metric._dtype)
    return found


def _each_interval(
    metric: HasIntervals, rows: States, seen: Tensor, method: str | None, request: IntervalRequest
) -> formulas.Pair:
    """The intervals of rows of states: all at once, unless a method has no way to; then one after the other."""

    def of_row(row: int) -> Callable[[IntervalRequest], formulas.Pair]:
        return metric._interval_methods({name: state[row] for name, state in rows.items()})[chosen]

    if len(seen) == 0:
        none = torch.zeros(0, dtype=torch.float64, device=seen.device)
        return none, none
    first = {name: state[0] for name, state in rows.items()}
    methods = metric._interval_methods(first)
    if not methods:
        raise ValueError(_lacks(metric, first))
    chosen = _chosen(metric, methods, method)
    form = of_row(0)
    if isinstance(form, ClosedForm):

        def estimates(**states: Tensor) -> Any:
            closed = metric._interval_methods(states)[chosen]
            assert isinstance(closed, ClosedForm)
            return closed.estimates()

        low, high = form.ends(*each_row(estimates, rows, metric.reads_values), request.level)
    else:
        places = seen.nonzero()[:, 0] if bool(seen.any()) else torch.zeros(1, dtype=torch.int64, device=seen.device)
        if isinstance(form, Bootstrap):
            each = torch.stack(form.of_groups({name: state[places] for name, state in rows.items()}, request), 1)
        else:
            each = torch.stack([torch.stack(of_row(row)(request)) for row in places.tolist()])
        ends = each.new_full((len(seen), *each.shape[1:]), torch.nan)
        ends[places] = each
        low, high = ends.unbind(1)
    absent = torch.where(seen, 0.0, torch.nan).reshape(-1, *(1 for _ in low.shape[1:]))
    return low + absent, high + absent


def _require_unweighted(metric: HasIntervals, part: Part) -> None:
    if part.statistics.has_weights(part.states) or any(bool(twin.any()) for twin in part.twins.values()):
        raise ValueError(
            f"{metric._label()}: there is no interval of weighted samples, since the sum of their squared weights is"
            f" not kept. Count them without weights, repeat samples, or {_how_clusters(metric)}."
        )


def of_all(metric: HasIntervals, part: Part) -> States:
    """The states of all samples, those that others have asked for beside among them."""
    states = part.finals(metric._device) if part.statistics.samplewise else part.states
    every = metric._reader.current().statistics
    if metric.formula_of_groups or not isinstance(every, Grouped):
        return states
    return every.overall(states)


def _lacks(metric: HasIntervals, states: States, of: str = " has no interval with these options:") -> str:
    """What an error says of a metric whose states decide no interval of samples, and what would do."""
    statistics = metric._statistics
    would_do = "keep the samples and resample them"
    if statistics.by_groups and not statistics.samplewise and not metric.formula_of_groups:
        rows = {name: states[name].unsqueeze(0) for name in metric._names_of_formula()}
        if statistics.terms(rows) is not None:
            would_do = _how_clusters(metric)
    return f"{metric._label()}{of} {statistics.lacks_joint} Or {would_do}."


def _how_clusters(metric: HasIntervals) -> str:
    """How groups of samples are resampled."""
    how = "with `clusters=`" if metric._slicing is not None else "kept by `num_groups=`, with `clusters=`"
    return f"resample groups of samples, {how}"


def _chosen(metric: HasIntervals, methods: IntervalMethods, method: str | None) -> str:
    """The name of the method that is asked for, or of the first."""
    label = metric._label()
    chosen = next(iter(methods)) if method is None else method
    if chosen not in methods:
        raise ValueError(f"{label}: expected `method` to be one of {[*methods]} or None, but got {method!r}.")
    return chosen


def _of_clusters(metric: HasIntervals, part: Part, clusters: str) -> IntervalMethods:
    """The intervals of data whose independent parts are the groups of a slicing, as far as they have samples."""
    label, slicing = metric._label(), metric._slicing
    if slicing is None or metric.formula_of_groups:
        raise ValueError(
            f"{label}: `clusters` names groups that are independent, which it does not keep. Construct it with"
            f" `num_groups={{{clusters!r}: ...}}` and update it with `groups=`."
        )
    if clusters not in slicing.num_groups:
        raise ValueError(f"{label}: expected `clusters` to be one of {[*slicing.num_groups]}, but got {clusters!r}.")
    grouped = part.statistics
    assert isinstance(grouped, Grouped)
    states = part.finals(metric._device)
    where = dict(grouped.slicings())[clusters]
    seen = states[GROUP_SAMPLES][where] > 0
    rows = {name: states[name][where][seen] for name in metric._names_of_formula()}
    return _resampled_rows(metric, grouped.base, rows)


def _of_clusters_by_group(
    metric: HasIntervals,
    part: Part,
    request: IntervalRequest,
    method: str | None,
    name: str,
    clusters: str,
    which: Tensor | None,
) -> formulas.Pair:
    """The intervals ``[G, *value]`` of the groups of a slicing, whose parts of another one are independent."""
    label, slicing = metric._label(), metric._slicing
    assert slicing is not None
    for asked in (name, clusters):
        if asked not in slicing.num_groups:
            raise ValueError(f"{label}: expected `clusters` to be of {[*slicing.num_groups]}, but got {asked!r}.")
    grouped = part.statistics
    assert isinstance(grouped, Grouped)
    states, slicings = part.finals(metric._device), dict(grouped.slicings())
    number, each = slicing.num_groups[name], slicing.num_groups[clusters] // slicing.num_groups[name]
    samples = states[GROUP_SAMPLES]
    of_clusters = samples[slicings[clusters]]
    each_group = None if len(of_clusters) != number * each else of_clusters.view(number, each).sum(1)
    if each_group is None or not torch.equal(each_group, samples[slicings[name]]):
        raise ValueError(
            f"{label}: {clusters!r} are no clusters within the groups of {name!r}. Of G groups with up to U clusters"
            " each, `num_groups` has G * U of them, and cluster u of group g is number g * U + u."
        )
    rows = {of: states[of][slicings[clusters]].unflatten(0, (number, each)) for of in metric._names_of_formula()}
    seen = of_clusters.view(number, each) > 0
    low, high = [], []
    for group in range(number) if which is None else which.tolist():
        mine = seen[group]
        methods = _resampled_rows(metric, grouped.base, {of: state[group][mine] for of, state in rows.items()})
        ends = methods[_chosen(metric, methods, method)](request)
        low.append(ends[0].to(metric._dtype))
        high.append(ends[1].to(metric._dtype))
    return torch.stack(low), torch.stack(high)


def _resampled_rows(metric: HasIntervals, statistics: Statistics, rows: States) -> IntervalMethods:
    """The intervals of the sum of rows of states, ``[U, *shape]``, which are independent; NaN of less than two."""
    label, terms = metric._label(), statistics.terms(rows)
    if terms is None:
        raise ValueError(
            f"{label}: there is no interval of clusters, since what it keeps does not add up over samples, as extremes"
            " do not."
        )
    sums, of_sums = terms
    total = {name: state.sum(0, keepdim=True) for name, state in sums.items()}

    def values(of: dict[str, Tensor]) -> Tensor:
        with without_looking():
            found = each_row(metric.formula, of_sums(of), metric.reads_values)
        if not isinstance(found, Tensor):
            raise ValueError(f"{label} has several values: there are intervals of a metric with one tensor.")
        return found

    def drawn(request: IntervalRequest) -> formulas.Pair:
        return Bootstrap(lambda _: clusters_of(sums, request.seed), values, rows)(request)

    def left_out(request: IntervalRequest) -> formulas.Pair:
        without = values({name: total[name] - state for name, state in sums.items()}).double()
        return formulas.normal(values(total)[0].double(), formulas.jackknife_error(without), request.level)

    def undefined(request: IntervalRequest) -> formulas.Pair:
        none = values(total)[0].double() * torch.nan
        return none, none

    several = len(next(iter(rows.values()))) > 1
    return {"bootstrap": drawn if several else undefined, "jackknife": left_out if several else undefined}


def of_shares(shares: Shares, value: Callable[[Tensor, Tensor], Tensor] | None = None) -> IntervalMethods:
    """Intervals of proportions, or of a monotone function of them.

    Args:
        shares: successes and trials, of any shape.
        value: takes shares and trials and gives values; None if the shares are the values.
    """

    def estimates() -> tuple[Tensor, ...]:
        return tuple(torch.broadcast_tensors(*shares))

    def ends(interval: Callable[..., formulas.Pair], successes: Tensor, trials: Tensor, level: float) -> formulas.Pair:
        low, high = interval(successes, trials, level)
        if value is None:
            return low, high
        one, other = value(low, trials), value(high, trials)
        return torch.minimum(one, other), torch.maximum(one, other)

    named = {"wilson": formulas.wilson, "exact": formulas.clopper_pearson}
    return {name: ClosedForm(estimates, partial(ends, interval)) for name, interval in named.items()}


def resampled(
    metric: HasIntervals, states: States, of_draws: Callable[[dict[str, Tensor]], Tensor], how: str
) -> Bootstrap:
    """The percentile bootstrap over samples: of the values of states that are drawn.

    Args:
        metric: whose statistics say how states are drawn.
        states: of all that is counted.
        of_draws: the values ``[draws, ...]`` of states with a first dimension for the draws.
        how: see :meth:`fastmetrics.statistics.Statistics.resampling`.
    """

    def resampling(rows: States) -> Resampling:
        found = metric._statistics.resampling(rows, metric._names_of_formula(), how)
        if found is None:
            raise ValueError(_lacks(metric, states, ": its states do not decide this interval."))
        return found

    return Bootstrap(resampling, of_draws, states)


def each_draw(formula: Callable[..., Any]) -> Callable[[dict[str, Tensor]], Tensor]:
    """The values of draws by a formula of one state."""

    def values(states: dict[str, Tensor]) -> Tensor:
        found: Tensor = torch.vmap(lambda drawn: formula(**drawn))(states)
        return found

    return values


def gradients(formula: Callable[..., Tensor], states: States, names: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """The value, and the derivatives of the sum of its elements by the states that it takes."""

    def total(taken: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        value = formula(**taken)
        return value.sum(), value

    with torch.inference_mode(False), torch.enable_grad():
        taken = {name: states[name].detach().clone() for name in names}
        slopes, value = torch.func.grad(total, has_aux=True)(taken)
    return value.detach(), slopes
