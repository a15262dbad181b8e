# SPDX-License-Identifier: Apache-2.0
"""The pairs pass: x and y for D outputs, their moments and the sums of their errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define, eager_on_cpu
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.blocks import pairs_of_blocks, samples_of_parts
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.groups import by_rows, check_rows, define_by_rows, within

LEAST_SCALE = 1.17e-06  # of a percentage


class Parameters(NamedTuple):
    """What some of the statistics depend on.

    Attributes:
        p: exponent of ``powered_error``, at least 0.
        power: of the Tweedie distribution of ``deviance``.
        preds_threshold: an event is predicted from this value on; one that the dtype of ``preds`` has.
        target_threshold: an event happened from this value on; one that the dtype of ``target`` has.
    """

    p: float = 1.0
    power: float = 0.0
    preds_threshold: float = 0.0
    target_threshold: float = 0.0


_DEFAULTS = Parameters()

# Name -> x, y, parameters -> the errors that are summed. x is predicted, y is true; both float64.
ERRORS: dict[str, Callable[[Tensor, Tensor, Parameters], Tensor]] = {
    "squared_error": lambda x, y, _: (x - y).square(),
    "absolute_error": lambda x, y, _: (x - y).abs(),
    "squared_log_error": lambda x, y, _: (x.log1p() - y.log1p()).square(),
    "percentage_error": lambda x, y, _: (x - y).abs() / y.abs().clamp(min=LEAST_SCALE),
    "symmetric_percentage_error": lambda x, y, _: 2 * (x - y).abs() / (x.abs() + y.abs()).clamp(min=LEAST_SCALE),
    "absolute_target": lambda x, y, _: y.abs(),
    "log_cosh_error": lambda x, y, _: log_cosh(x - y),
    "powered_error": lambda x, y, parameters: (x - y).abs().pow(parameters.p),
}

# Name -> shape of a statistic of one output, in the order of the operator's arguments.
STATES: dict[str, tuple[int, ...]] = {
    "count": (),
    "moments": (6,),
    "extremes": (3,),
    **dict.fromkeys(ERRORS, ()),
    "deviance": (2,),
    "events": (3,),
}

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ARGUMENTS = [f"Tensor({letter}!)? {name}" for letter, name in zip(_LETTERS, (*STATES, "faults"), strict=False)]
SCHEMA = (
    f"pairs_(Tensor preds, Tensor target, Tensor? weights, Tensor? valid, {', '.join(_ARGUMENTS)}, int num_outputs, "
    "float p, float power, float preds_threshold, float target_threshold) -> ()"
)

ROWS_SCHEMA = SCHEMA.replace("pairs_(", "pairs_rows_(").replace("Tensor target,", "Tensor target, Tensor rows,")

# The statistics that most metrics ask for have an operator of fewer arguments, which cost more than a small batch.
SIMPLE_STATES = ("count", "moments", "squared_error", "absolute_error")
_ARGUMENTS = [f"Tensor({letter}!)? {name}" for letter, name in zip(_LETTERS, (*SIMPLE_STATES, "faults"), strict=False)]
SIMPLE_SCHEMA = (
    f"simple_pairs_(Tensor preds, Tensor target, Tensor? weights, Tensor? valid, {', '.join(_ARGUMENTS)}, "
    "int num_outputs) -> ()"
)


def log_cosh(d: Tensor) -> Tensor:
    """``log(cosh(d))`` without overflow, and by its series where the other form would cancel."""
    a = d.abs()
    z = torch.where(a < 0.125, d, 0.0).square()
    series = z * (31 / 14175 + z * (-691 / 935550))
    series = z * (0.5 + z * (-1 / 12 + z * (1 / 45 + z * (-17 / 2520 + series))))
    return torch.where(a < 0.125, series, a + (-2 * a).exp().log1p() - math.log(2))


def deviance(x: Tensor, y: Tensor, power: float) -> Tensor:
    """Tweedie deviance of each pair, within its domain."""
    if power == 0:
        return (x - y).square()
    if power == 1:
        return 2 * (torch.xlogy(y, y / x) + x - y)
    if power == 2:
        return 2 * ((x / y).log() + y / x - 1)
    first = y.clamp(min=0).pow(2 - power) / ((1 - power) * (2 - power))
    return 2 * (first - y * x.pow(1 - power) / (1 - power) + x.pow(2 - power) / (2 - power))


def outside(x: Tensor, y: Tensor, power: float) -> tuple[Tensor, Tensor]:
    """Which x, and which y, are outside of the domain of the deviance; bool. NaN is not."""
    bad_y = y <= 0 if power >= 2 else y < 0 if power >= 1 else torch.zeros_like(y, dtype=torch.bool)
    return (x <= 0 if power != 0 else torch.zeros_like(bad_y)), bad_y


def statistics_of(
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    names: tuple[str, ...],
    faults: Tensor | None,
    num_outputs: int,
    parameters: Parameters,
) -> dict[str, Tensor]:
    """The statistics ``names`` (of ``STATES``) of one batch, differentiable by both inputs.

    The other arguments are those of :func:`pairs_body`.
    """
    if target.numel() == 0:
        return {n: preds.new_zeros((num_outputs, *STATES[n]), dtype=torch.float64) for n in names}
    x, y = (values.double().reshape(-1, num_outputs) for values in (preds, target))
    counted = torch.ones_like(y, dtype=torch.bool) if valid is None else valid.reshape(-1, num_outputs)
    if weights is None:
        amount = counted.double()
    else:
        weights = weights.reshape(-1, num_outputs)
        counted = counted & ~bad_weights(faults, weights, counted) & (weights != 0)
        amount = torch.where(counted, weights, 0.0)
    x, y = (torch.where(counted, values, 1.0) for values in (x, y))  # what is not counted may be anything

    def total(values: Tensor) -> Tensor:
        return (amount * values).sum(0)

    n = amount.sum(0)
    found: dict[str, Tensor] = {}
    for name in names:
        if name == "count":
            found[name] = n
        elif name == "moments":
            some = torch.where(n > 0, n, 1.0)
            mean_x, mean_y = total(x) / some, total(y) / some
            dx, dy = x - mean_x, y - mean_y
            found[name] = torch.stack([n, mean_x, mean_y, total(dx * dx), total(dy * dy), total(dx * dy)], -1)
        elif name == "extremes":
            low, high = (torch.where(counted, y, edge) for edge in (torch.inf, -torch.inf))
            ends = torch.stack([low.amin(0), high.amax(0)], -1)
            seen = counted.any(0).unsqueeze(-1)
            found[name] = torch.cat([seen.double(), torch.where(seen, ends, 0.0)], -1)
        elif name == "deviance":
            bad_x, bad_y = (counted & bad for bad in outside(x, y, parameters.power))
            record_faults(faults, 2, bad_x, x.detach())
            record_faults(faults, 0, bad_y, y.detach())
            bad = bad_x | bad_y
            part = torch.where(bad, 0.0, amount)
            of_each = deviance(torch.where(bad, 1.0, x), torch.where(bad, 1.0, y), parameters.power)
            found[name] = torch.stack([(part * of_each).sum(0), part.sum(0)], -1)
        elif name == "events":
            predicted, happened = x >= parameters.preds_threshold, y >= parameters.target_threshold
            hits, misses, false_alarms = predicted & happened, ~predicted & happened, predicted & ~happened
            found[name] = torch.stack([total(hits), total(misses), total(false_alarms)], -1)
        else:
            found[name] = total(ERRORS[name](x, y, parameters))
    return found


def _merged_pair(a: Tensor, b: Tensor) -> Tensor:
    n_a, n_b = a[..., :1], b[..., :1]
    n = n_a + n_b
    share = n_b / n
    delta = b[..., 1:3] - a[..., 1:3]
    mean = a[..., 1:3] + delta * share
    second = (a[..., 3:] + b[..., 3:]) + _products(delta) * (n_a * share)
    return torch.where(n_b == 0, a, torch.where(n_a == 0, b, torch.cat([n, mean, second], -1)))


def merge_moments(stacked: Tensor) -> Tensor:
    """Moments ``[K, D, 6]`` to those of all, ``[D, 6]``, in the order that they have.

    The rule is that of Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
    """
    return reduce(_merged_pair, stacked.unbind())


def moments_as_sums(moments: Tensor, centre: Tensor) -> Tensor:
    """Moments ``[..., D, 6]`` as sums of 1, u, v, u², v², uv of x and y less ``centre`` ``[D, 2]``, which add up."""
    n, apart = moments[..., :1], moments[..., 1:3] - centre
    return torch.cat([n, n * apart, moments[..., 3:] + n * _products(apart)], -1)


def sums_as_moments(sums: Tensor, centre: Tensor) -> Tensor:
    """The moments of such sums; zeros where there is nothing."""
    n = sums[..., :1]
    apart = sums[..., 1:3] / torch.where(n > 0, n, 1.0)
    moments = torch.cat([n, centre + apart, sums[..., 3:] - n * _products(apart)], -1)
    return torch.where(n > 0, moments, 0.0)


def _products(of_both: Tensor) -> Tensor:
    """u², v² and uv of u and v ``[..., 2]``."""
    return torch.cat([of_both.square(), of_both.prod(-1, keepdim=True)], -1)


def merge_moments_body(moments: Tensor, batch: Tensor) -> None:
    """Add moments ``[D, 6]`` to others in place, by the rule of :func:`merge_moments`."""
    moments.copy_(_merged_pair(moments, batch))


def _merge_fake(moments: Tensor, batch: Tensor) -> None:
    torch._check(moments.shape == batch.shape, lambda: "merge_moments_: the batch must have the shape of the moments")


merge_moments_ = define(
    "merge_moments_(Tensor(a!) moments, Tensor batch) -> ()",
    merge_moments_body,
    _merge_fake,
    kernels=("cpu",),
    library="numbers",
)


def merge_extremes(stacked: Tensor) -> Tensor:
    """Extremes ``[K, D, 3]`` to those of all, ``[D, 3]``."""
    seen = stacked[..., :1] != 0
    low, high = (torch.where(seen[..., 0], stacked[..., i], edge) for i, edge in ((1, torch.inf), (2, -torch.inf)))
    ends = torch.stack([low.amin(0), high.amax(0)], -1)
    any_seen = seen.any(0)
    return torch.cat([any_seen.double(), torch.where(any_seen, ends, 0.0)], -1)


# How statistics become one; those that are not here are summed.
MERGES: Mapping[str, Callable[[Tensor], Tensor]] = {"moments": merge_moments, "extremes": merge_extremes}


def pairs_body(
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    count: Tensor | None,
    moments: Tensor | None,
    extremes: Tensor | None,
    squared_error: Tensor | None,
    absolute_error: Tensor | None,
    squared_log_error: Tensor | None,
    percentage_error: Tensor | None,
    symmetric_percentage_error: Tensor | None,
    absolute_target: Tensor | None,
    log_cosh_error: Tensor | None,
    powered_error: Tensor | None,
    deviance: Tensor | None,
    events: Tensor | None,
    faults: Tensor | None,
    num_outputs: int,
    p: float,
    power: float,
    preds_threshold: float,
    target_threshold: float,
) -> None:
    """Add a batch of pairs to the statistics that are given; all of them are float64.

    x is an element of ``preds``, y that of ``target``. Both are widened to float64 before anything else, so only sums
    round. A pair that is not ``valid``, or has a weight of 0, is not counted, whatever its values are.

    Args:
        preds: f16/bf16/f32/f64, any integer type or bool. Any shape with one output; ``[..., D]`` with more.
        target: same shape; the dtype may differ.
        weights: float64, same shape: how much a pair counts, 1 if None. One that is negative, infinite or NaN is not
            counted and goes to ``faults``.
        valid: bool, same shape; None if all pairs are.
        count: ``[D]``: weight of all pairs.
        moments: ``[D, 6]``: weight of all pairs, mean of x, mean of y, sums of ``(x - mean x) ** 2``,
            ``(y - mean y) ** 2`` and ``(x - mean x) * (y - mean y)``. They are infinite or NaN if any value is.
        extremes: ``[D, 3]``: whether there is any pair, least y, greatest y.
        squared_error: ``[D]``, sum of ``(x - y) ** 2``.
        absolute_error: ``[D]``, sum of ``|x - y|``.
        squared_log_error: ``[D]``, sum of ``(log(1 + x) - log(1 + y)) ** 2``.
        percentage_error: ``[D]``, sum of ``|x - y| / max(|y|, LEAST_SCALE)``.
        symmetric_percentage_error: ``[D]``, sum of ``2 |x - y| / max(|x| + |y|, LEAST_SCALE)``.
        absolute_target: ``[D]``, sum of ``|y|``.
        log_cosh_error: ``[D]``, sum of ``log(cosh(x - y))``.
        powered_error: ``[D]``, sum of ``|x - y| ** p``.
        deviance: ``[D, 2]``: sum of the Tweedie deviances, and the weight of the pairs in its domain. Others are left
            out of it, and their x or y goes to ``faults``.
        events: ``[D, 3]``: hits, misses and false alarms of x and y that reach their thresholds.
        faults: int64 ``[FAULTS]``; the first preds and target are the bits of a float64.
        num_outputs: D.
        p: see :class:`Parameters`, as the rest.
        power: see there.
        preds_threshold: see there.
        target_threshold: see there.
    """
    given = locals()
    states = {name: given[name] for name in STATES if given[name] is not None}
    parameters = Parameters(p, power, preds_threshold, target_threshold)
    _read((preds, target), weights, valid, states, faults, num_outputs, parameters)


@by_rows(ROWS_SCHEMA)
def pairs_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    count: Tensor | None,
    moments: Tensor | None,
    extremes: Tensor | None,
    squared_error: Tensor | None,
    absolute_error: Tensor | None,
    squared_log_error: Tensor | None,
    percentage_error: Tensor | None,
    symmetric_percentage_error: Tensor | None,
    absolute_target: Tensor | None,
    log_cosh_error: Tensor | None,
    powered_error: Tensor | None,
    deviance: Tensor | None,
    events: Tensor | None,
    faults: Tensor | None,
    num_outputs: int,
    p: float,
    power: float,
    preds_threshold: float,
    target_threshold: float,
) -> None:
    """Add each pair of a batch to the statistics of its rows, which are those of :func:`pairs_body`.

    Args:
        preds: see there.
        target: see there.
        rows: of any integer type or bool ``[K, *target.shape]``: K rows of each pair. What lies outside of [0, S) is
            left out, without a fault.
        weights: see there.
        valid: see there.
        count: ``[S, D]``.
        moments: ``[S, D, 6]``.
        extremes: ``[S, D, 3]``.
        squared_error: ``[S, D]``, as the other errors.
        absolute_error: see there.
        squared_log_error: see there.
        percentage_error: see there.
        symmetric_percentage_error: see there.
        absolute_target: see there.
        log_cosh_error: see there.
        powered_error: see there.
        deviance: ``[S, D, 2]``.
        events: ``[S, D, 3]``.
        faults: see there.
        num_outputs: see there.
        p: see there.
        power: see there.
        preds_threshold: see there.
        target_threshold: see there.

    On the CPU sums are formed in an order that depends on the sizes alone, on CUDA in none.
    """
    given = locals()
    states = {name: given[name] for name in STATES if given[name] is not None}
    if target.numel() == 0 or not states:
        return
    parameters, size = Parameters(p, power, preds_threshold, target_threshold), next(iter(states.values())).shape[0]
    output = torch.arange(num_outputs, device=preds.device)
    numbers = sum(math.prod(STATES[name]) for name in states) + 3
    for x, y, of_some, *others in samples_of_parts(numbers, preds, target, rows, weights, valid):
        # each pair is an output of its own, whose statistics then go to the rows
        amount, counted = (None if of is None else of.reshape(1, -1) for of in others)
        each = x.reshape(1, -1), y.reshape(1, -1), amount, counted
        found = statistics_of(*each, tuple(states), faults, y.numel(), parameters)
        for of_slicing in of_some:
            row, inside = within(of_slicing.reshape(-1, num_outputs), size)
            add_pairs_to_rows(states, (row * num_outputs + output).reshape(-1), inside.reshape(-1), found)


def simple_pairs_body(
    preds: Tensor,
    target: Tensor,
    weights: Tensor | None,
    valid: Tensor | None,
    count: Tensor | None,
    moments: Tensor | None,
    squared_error: Tensor | None,
    absolute_error: Tensor | None,
    faults: Tensor | None,
    num_outputs: int,
) -> None:
    """:func:`pairs_body` for the statistics ``SIMPLE_STATES``, with its arguments."""
    given = zip(SIMPLE_STATES, (count, moments, squared_error, absolute_error), strict=True)
    states = {name: state for name, state in given if state is not None}
    _read((preds, target), weights, valid, states, faults, num_outputs, _DEFAULTS)


def _read(
    inputs: tuple[Tensor, Tensor],
    weights: Tensor | None,
    valid: Tensor | None,
    states: Mapping[str, Tensor],
    faults: Tensor | None,
    num_outputs: int,
    parameters: Parameters,
) -> None:
    preds, target = inputs
    plain = num_outputs == 1 and weights is None and valid is None and states.keys() <= _PLAIN
    if plain and eager_on_cpu(preds, target):
        _add_unweighted(preds, target, states, parameters)
        return
    batch = statistics_of(preds, target, weights, valid, tuple(states), faults, num_outputs, parameters)
    add_statistics(states, batch)


# What needs no look for values out of range.
_PLAIN = {"count", "moments", *ERRORS}

# Of some errors, the sum, where both inputs may be overwritten.
_SUMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared_error": lambda x, y: torch.dot(x.sub_(y), x),
    "absolute_error": lambda x, y: x.sub_(y).abs_().sum(),
}


def _add_unweighted(x: Tensor, y: Tensor, states: Mapping[str, Tensor], parameters: Parameters) -> None:
    """Add pairs of any shape to the statistics ``states`` of one output, of ``_PLAIN``, block by block."""
    n = x.numel()
    if not n:
        return
    if x.dim() != 1:
        x, y = x.reshape(-1), y.reshape(-1)
    asked = [name for name in states if name in ERRORS]
    totals = dict.fromkeys(asked, 0.0)
    moments = states.get("moments")
    in_place = _SUMS.get(asked[0]) if len(asked) == 1 and moments is None else None
    sum_x = sum_y = 0.0
    for a, b in pairs_of_blocks(x, y):
        if in_place is not None:
            totals[asked[0]] += in_place(a, b).item()
            continue
        for name in asked:
            totals[name] += ERRORS[name](a, b, parameters).sum().item()
        if moments is not None:
            sum_x += a.sum().item()
            sum_y += b.sum().item()
    for name, total in totals.items():
        states[name].add_(total)
    if "count" in states:
        states["count"].add_(n)
    if moments is None:
        return
    mean_x, mean_y = sum_x / n, sum_y / n
    xx = yy = xy = 0.0
    for a, b in pairs_of_blocks(x, y):
        a.sub_(mean_x)
        b.sub_(mean_y)
        xy += (a * b).sum().item()
        xx += a.square_().sum().item()
        yy += b.square_().sum().item()
    merged = _merged_of_one(moments.reshape(-1).tolist(), [n, mean_x, mean_y, xx, yy, xy])
    moments.copy_(torch.tensor(merged, dtype=torch.float64, device=moments.device).reshape(moments.shape))


def _merged_of_one(a: list[float], b: list[float]) -> list[float]:
    """What :func:`merge_moments` does, of one output whose second part is not empty."""
    n_a, n_b = a[0], b[0]
    if n_a == 0:
        return b
    share = n_b / (n_a + n_b)
    dx, dy = b[1] - a[1], b[2] - a[2]
    products = (dx * dx, dy * dy, dx * dy)
    second = [p + q + product * (n_a * share) for p, q, product in zip(a[3:], b[3:], products, strict=True)]
    return [n_a + n_b, a[1] + dx * share, a[2] + dy * share, *second]


def add_pairs_to_rows(states: Mapping[str, Tensor], place: Tensor, inside: Tensor, pairs: Mapping[str, Tensor]) -> None:
    """Add the statistics of each pair to those of its row and output, in place.

    Args:
        states: ``[S, D, *shape]`` each.
        place: int64 ``[N]``, the row times D plus the output.
        inside: bool ``[N]``; the others are left out.
        pairs: ``[N, *shape]`` each, of one pair.
    """
    for name, value in pairs.items():
        shape = value.shape[1:]
        state = states[name].view(-1, *shape)
        kept = torch.where(inside.reshape(-1, *(1 for _ in shape)), value, 0.0)
        if name == "moments":
            batch = _moments_of_rows(place, kept, state.shape[0])
            merge_moments_(state, batch)
        elif name == "extremes":
            seen = kept[:, 0] != 0
            low, high = (torch.where(seen, kept[:, i], edge) for i, edge in ((1, torch.inf), (2, -torch.inf)))
            found = torch.zeros_like(state)
            found[:, 0].index_put_((place,), seen.double(), accumulate=True)
            some = found[:, 0] > 0
            ends = [
                torch.full_like(found[:, 0], edge).scatter_reduce(0, place, values, how)
                for values, how, edge in ((low, "amin", torch.inf), (high, "amax", -torch.inf))
            ]
            batch = torch.stack([some.double(), *(torch.where(some, end, 0.0) for end in ends)], -1)
            state.copy_(merge_extremes(torch.stack([state, batch])))
        else:
            add_amounts(state, place.unsqueeze(0), kept)


def _moments_of_rows(place: Tensor, pairs: Tensor, size: int) -> Tensor:
    """The moments ``[size, 6]`` of the pairs of each place: means first, then the deviations from them."""
    n, x, y = (pairs[:, i] for i in range(3))
    sums = pairs.new_zeros(size, 3).index_add(0, place, torch.stack([n, n * x, n * y], -1))
    total = sums[:, 0]
    means = sums[:, 1:] / torch.where(total > 0, total, 1.0).unsqueeze(1)
    dx, dy = x - means[place, 0], y - means[place, 1]
    products = torch.stack([n * dx * dx, n * dy * dy, n * dx * dy], -1)
    second = pairs.new_zeros(size, 3).index_add(0, place, torch.where((n > 0).unsqueeze(1), products, 0.0))
    return torch.cat([total.unsqueeze(1), means, second], 1)


def add_statistics(states: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
    """Add the statistics of a batch to ``states``, in place."""
    for name, value in batch.items():
        if name == "moments":
            if value.dim() == 2:
                merge_moments_(states[name], value)
            else:  # of several groups
                merge_moments_(states[name].view(-1, 6), value.reshape(-1, 6))
        elif name in MERGES:
            states[name].copy_(MERGES[name](torch.stack([states[name], value])))
        else:
            states[name].add_(value)


def _check(name: str, inputs: tuple[Tensor | None, ...], states: tuple[Tensor | None, ...]) -> None:
    dims = {values.dim() for values in inputs if values is not None}
    torch._check(len(dims) == 1, lambda: f"{name}: all inputs must have the same shape")
    for state in states:
        torch._check(state is None or state.dtype == torch.float64, lambda: f"{name}: states must be float64")


def _fake(preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None, *rest: Any) -> None:
    _check("pairs_", (preds, target, weights, valid), rest[: len(STATES)])


def _rows_fake(
    preds: Tensor, target: Tensor, rows: Tensor, weights: Tensor | None, valid: Tensor | None, *rest: Any
) -> None:
    _check("pairs_rows_", (preds, target, weights, valid), rest[: len(STATES)])
    check_rows(rows, target, "pairs_rows_")


def _simple_fake(preds: Tensor, target: Tensor, weights: Tensor | None, valid: Tensor | None, *rest: Any) -> None:
    _check("simple_pairs_", (preds, target, weights, valid), rest[: len(SIMPLE_STATES)])


pairs_ = define(SCHEMA, pairs_body, _fake, library="numbers")
pairs_rows_ = define_by_rows(ROWS_SCHEMA, pairs_rows_body, _rows_fake, library="numbers")
simple_pairs_ = define(SIMPLE_SCHEMA, simple_pairs_body, _simple_fake, library="numbers")
