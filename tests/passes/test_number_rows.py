# SPDX-License-Identifier: Apache-2.0
"""Pairs and values that are added to rows: by the kernels and by the bodies."""

import itertools
import math
from functools import partial

import pytest
import torch

from bench.counts import memory
from fastmetrics.aggregation import MaxMetric
from fastmetrics.passes import blocks, pairs_, pairs_rows_, values_rows_
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.groups import rows_of_slicings
from fastmetrics.passes.pairs import STATES, Parameters, pairs_rows_body
from fastmetrics.passes.values import DROP, KEEP, REPLACE, values_rows_body
from fastmetrics.regression import PearsonCorrCoef

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8)
SUMS = tuple(name for name in STATES if name not in ("moments", "extremes"))
VALUES = ("sum", "weight", "minimum", "maximum")


def faults():
    return torch.zeros(FAULTS, dtype=torch.int64)


def pairs_states(s, d, names, start=0.0):
    return {name: torch.full((s, d, *STATES[name]), start, dtype=torch.float64) for name in names}


def add_pairs(run, preds, target, rows, states, weights=None, valid=None, outputs=1, parameters=Parameters()):  # noqa: B008
    found = faults()
    slots = [states.get(name) for name in STATES]
    run(preds, target, *(() if rows is None else (rows,)), weights, valid, *slots, found, outputs, *parameters)
    return found


def compare(preds, target, rows, s, names, *, outputs=1, weights=None, valid=None, parameters=Parameters(), most=1e-11):  # noqa: B008
    """What the kernel adds, which is what the body adds."""
    found = []
    for run in (pairs_rows_, pairs_rows_body):
        states = pairs_states(s, outputs, names, 2.0)
        for name in {"moments", "extremes"} & states.keys():
            states[name].zero_()
        of_faults = add_pairs(run, preds, target, rows, states, weights, valid, outputs, parameters)
        found.append({**states, "faults": of_faults})
    for name, state in found[0].items():
        if name == "moments":  # a sum of products is as near as those of squares are
            products = [of["moments"][..., 5] / (state[..., 3] * state[..., 4]).sqrt().clamp(min=1) for of in found]
            torch.testing.assert_close(*products, rtol=most, atol=most, equal_nan=True)
            state, found[1][name] = state[..., :5], found[1][name][..., :5]  # noqa: PLW2901
        torch.testing.assert_close(state, found[1][name], rtol=most, atol=most, equal_nan=True, msg=lambda m: name + m)  # noqa: B023
    return found[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "s"), [(1, 3), (600, 2), (600, 900), (70_000, 5), (70_000, 3000)])
def test_pairs(n, s, dtype):
    """Few rows have cells in each of several parts, more have one each, and very many are added to at once."""
    generator = torch.Generator().manual_seed(n + s)
    x, y = ((torch.rand(n, generator=generator) * 9).to(dtype) for _ in range(2))
    rows = torch.randint(-1, s + 1, (2, n), generator=generator)
    valid, weights = torch.rand(n, generator=generator) > 0.3, torch.rand(n, generator=generator).double() - 0.01
    parameters = Parameters(3.0, 1.5, 4.0, 5.0)
    compare(x, y, rows[:1], s, ("count", "squared_error"))
    compare(x, y, rows, s, tuple(STATES), parameters=parameters)
    compare(x, y, rows.int(), s, ("count", "moments"), valid=valid)
    found = compare(x, y, rows, s, SUMS, weights=weights, parameters=Parameters(0.5, 2.0))
    assert found["faults"][4] == (weights < 0).sum()
    found = compare(x, y, rows, s, tuple(STATES), weights=weights, valid=valid, parameters=Parameters(power=2.0))
    assert n == 1 or found["count"].sum() > 2 * s
    assert n < 600 or dtype.is_floating_point or found["faults"][0] > 0


@pytest.mark.parametrize("s", [4, 9000])
def test_outputs_and_strides(s):
    generator = torch.Generator().manual_seed(s)
    x, y = torch.randn(3, 700, 8, generator=generator).unbind(0)[:2]
    rows = torch.randint(-1, s + 1, (2, 700, 8), generator=generator)
    names = ("count", "moments", "extremes", "absolute_error", "events")
    weights, valid = torch.rand(700, 8, generator=generator).double() - 0.01, x > -1
    compare(x, y, rows, s, names, outputs=8)
    compare(x, y, rows, s, names, outputs=8, weights=weights, valid=valid)
    compare(x[:, ::2], y[:, ::2], rows[..., ::2], s, names, outputs=4, valid=valid[:, ::2])
    compare(x.t(), y.t(), rows.transpose(1, 2), s, names)
    compare(x, y, rows[:1, :, :1].expand(1, 700, 8), s, names, outputs=8)
    compare(x, y, rows[:, :1, :1].expand(2, 700, 8).to(torch.int8), s, names)
    compare(x[:0], y[:0], rows[:, :0], s, names, outputs=8)
    compare(x, y, rows[:0], s, names, outputs=8)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("sizes", [(4,), (5, 3), (300, 1, 7)])
def test_groups_of_several_slicings_are_the_rows_that_they_say(sizes, outputs):
    """To the bit; a sample with a group out of range in any slicing is in none."""
    generator = torch.Generator().manual_seed(len(sizes) + outputs)
    shape = (900, outputs) if outputs > 1 else (900,)
    x, y = torch.randn(2, *shape, generator=generator).unbind(0)
    kinds = torch.int64, torch.int16, torch.uint8
    each = [
        torch.randint(-(k == 1), size + (k == 1), (900,), generator=generator).to(kinds[k])
        for k, size in enumerate(sizes)
    ]
    each = [of.view(-1, *(1 for _ in shape[1:])).expand(shape) for of in each]
    weights, valid = torch.rand(shape, generator=generator).double(), torch.rand(shape, generator=generator) > 0.3
    rows, given = rows_of_slicings(each[0].unsqueeze(0), each[1:], [*sizes], None, None), ([*each[1:]], [*sizes])
    s, names = sum(sizes), ("count", "moments", "extremes", "squared_error", "events")
    for run, amounts, mask in itertools.product((pairs_rows_, pairs_rows_body), (None, weights), (None, valid)):
        found = []
        for to, slicings in ((rows, ()), (each[0].unsqueeze(0), given)):
            states, of_faults = pairs_states(s, outputs, names), faults()
            slots = [states.get(name) for name in STATES]
            run(x, y, to, amounts, mask, *slots, of_faults, outputs, *Parameters(), None, *slicings)
            found.append([*states.values(), of_faults])
        assert all(map(torch.equal, *found))
        assert found[0][0].sum() > 0
    for run, amounts, mask in itertools.product((values_rows_, values_rows_body), (None, weights), (None, valid)):
        found = []
        for to, slicings in ((rows, ()), (each[0].unsqueeze(0), given)):
            states, of_faults = [torch.zeros(s, dtype=torch.float64) for _ in VALUES], faults()
            run(x, to, amounts, mask, *states, of_faults, DROP, 0.0, None, *slicings)
            found.append([*states, of_faults])
        assert all(map(torch.equal, *found))
        assert found[0][1].sum() > 0


def test_groups_of_several_slicings_need_a_size_each():
    x, groups, slots = torch.rand(9), torch.zeros(9, dtype=torch.int64), [torch.zeros(3, 1, dtype=torch.float64)]
    slots += [None] * (len(STATES) - 1)
    for others, sizes in (([groups], [3]), ([groups[:3]], [1, 2]), ([groups], [1, 1]), ([groups], None)):
        with pytest.raises(RuntimeError):
            pairs_rows_(x, x, groups.unsqueeze(0), None, None, *slots, None, 1, *Parameters(), None, others, sizes)
    assert slots[0].sum() == 0


def test_rows_are_what_they_would_be_alone():
    generator = torch.Generator().manual_seed(7)
    x, y = torch.rand(2, 50_000, generator=generator)
    rows = torch.randint(0, 3, (1, 50_000), generator=generator)
    names = tuple(STATES)
    states = pairs_states(3, 1, names)
    add_pairs(pairs_rows_, x, y, rows, states)
    for row in range(3):
        alone = pairs_states(1, 1, names)
        of_row = rows[0] == row
        add_pairs(pairs_, x[of_row], y[of_row], None, {name: state[0] for name, state in alone.items()})
        for name, state in states.items():
            torch.testing.assert_close(state[row], alone[name][0], rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize(("s", "n"), [(3, 200_000), (5000, 9000)])
def test_moments_far_from_zero(s, n):
    """Each row lies elsewhere, with hardly any spread: of whole numbers, in which the truth is exact."""
    generator = torch.Generator().manual_seed(s)
    rows = torch.randint(0, s, (1, n), generator=generator)
    u, v = torch.randint(-8, 9, (2, n), generator=generator)
    v = (u + v) % 5
    x, y = (of.double() / 1024 + 2.0**20 * (rows[0] % 7 - 3) for of in (u, v))
    states = pairs_states(s, 1, ("moments",))
    held = torch.tensor([4.0, 1e9, -3.0, 5.0, 6.0, 1.0], dtype=torch.float64)
    for batch in (slice(0, n // 2), slice(n // 2, n)):
        add_pairs(pairs_rows_, x[batch], y[batch], rows[:, batch], states)
    count = torch.zeros(s, dtype=torch.int64).index_add(0, rows[0], torch.ones_like(u))

    def total(of):
        return torch.zeros(s, dtype=torch.int64).index_add(0, rows[0], of)

    some = count.clamp(min=1).double()
    for place, a, b in ((3, u, u), (4, v, v), (5, u, v)):
        truth = (total(a * b) * count - total(a) * total(b)).double() / some / 1024**2  # whole numbers up to here
        torch.testing.assert_close(states["moments"][:, 0, place], truth, rtol=1e-8, atol=1e-9)
    # a state elsewhere does not spoil those of the batch
    spoiled = pairs_states(1, 1, ("moments",))
    spoiled["moments"][0, 0] = held
    add_pairs(pairs_rows_, x, y, torch.zeros_like(rows), spoiled)
    other = pairs_states(1, 1, ("moments",))
    other["moments"][0, 0] = held
    add_pairs(pairs_rows_body, x, y, torch.zeros_like(rows), other)
    torch.testing.assert_close(spoiled, other, rtol=1e-12, atol=0)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("s", [2, 5000])
def test_numbers_that_are_not_finite(s, value):
    generator = torch.Generator().manual_seed(s)
    x, y = torch.randn(2, 4000, generator=generator)
    rows = torch.randint(0, s, (1, 4000), generator=generator)
    x[5] = value
    y[3999] = -value
    found = compare(x, y, rows, s, ("count", "moments", "extremes", "squared_error", "absolute_error"))
    assert not found["moments"][rows[0, 5], 0, 3].isfinite()
    others = torch.ones(s, dtype=torch.bool)
    others[rows[0, [5, 3999]]] = False
    assert found["moments"][others].isfinite().all()


def test_the_same_bits_for_any_number_of_threads():
    generator = torch.Generator().manual_seed(0)
    x, y, weights = torch.rand(3, 300_000, generator=generator)
    rows = torch.randint(0, 6, (2, 300_000), generator=generator)
    threads, found = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        states = pairs_states(6, 1, tuple(STATES))
        add_pairs(pairs_rows_, x, y, rows, states, weights.abs().double())
        for name in VALUES:
            states[f"{name} of values"] = torch.zeros(6, dtype=torch.float64)
        of_values = (states[f"{name} of values"] for name in VALUES)
        values_rows_(x, rows, weights, None, *of_values, None, KEEP, 0.0)
        found.append(states)
    torch.set_num_threads(threads)
    for others in found[1:]:
        for name, state in found[0].items():
            assert torch.equal(state, others[name]), name


def compare_values(given, rows, s, nans=KEEP, weights=None, valid=None, wanted=VALUES):
    found = []
    for run in (values_rows_, values_rows_body):
        states = {name: torch.full((s,), 0.5, dtype=torch.float64) for name in wanted}
        of_faults = faults()
        run(given, rows, weights, valid, *(states.get(name) for name in VALUES), of_faults, nans, 2.5)
        found.append({**states, "faults": of_faults})
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12, equal_nan=True)
    return found[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "s"), [(1, 3), (600, 2), (600, 900), (200_000, 5), (200_000, 30_000)])
def test_values(n, s, dtype):
    generator = torch.Generator().manual_seed(n + s)
    given = (torch.randn(n, generator=generator) * 9).to(dtype)
    rows = torch.randint(-1, s + 1, (2, n), generator=generator)
    valid, weights = torch.rand(n, generator=generator) > 0.3, torch.rand(n, generator=generator)
    if dtype.is_floating_point:
        given[3:20:5] = torch.tensor([math.nan, math.inf, -math.inf, math.nan])[: len(given[3:20:5])].to(dtype)
    weights[7:8] = math.nan
    for nans in (KEEP, DROP, REPLACE):
        compare_values(given, rows, s, nans)
        compare_values(given, rows[:1].int(), s, nans, weights, valid)
    for wanted in ((name,) for name in VALUES):
        compare_values(given, rows, s, DROP, weights, wanted=wanted)
    found = compare_values(given, rows, s, DROP, weights)
    assert found["faults"][2] == (given.double().isnan() | weights.isnan()).sum()


def test_strided_values():
    generator = torch.Generator().manual_seed(1)
    given = torch.randn(40, 30, 6, generator=generator)
    rows = torch.randint(-1, 8, (2, 40, 30, 6), generator=generator)
    compare_values(given.transpose(0, 2), rows.transpose(1, 3), 7, weights=given.transpose(0, 2).half())
    compare_values(given[::2, 3:], rows[:, ::2, 3:], 7, valid=given[::2, 3:] > 0)
    compare_values(given, rows[:, :, :1, :1].expand(2, 40, 30, 6), 7)
    compare_values(given[:0], rows[:, :0], 7)
    compare_values(given[0, 0, 0], rows[:, 0, 0, 0], 7)


def test_bodies_take_batches_in_parts(monkeypatch):
    generator = torch.Generator().manual_seed(2)
    x, y = torch.rand(2, 50, 4, generator=generator)
    rows = torch.randint(-1, 4, (2, 50, 4), generator=generator)
    whole = pairs_states(3, 4, tuple(STATES))
    add_pairs(pairs_rows_body, x, y, rows, whole, outputs=4)
    sums = torch.zeros(3, dtype=torch.float64)
    values_rows_body(x, rows, None, None, sums, None, None, None, None, KEEP, 0.0)
    monkeypatch.setattr(blocks, "AT_ONCE", 600)
    parts = pairs_states(3, 4, tuple(STATES))
    add_pairs(pairs_rows_body, x, y, rows, parts, outputs=4)
    of_parts = torch.zeros(3, dtype=torch.float64)
    values_rows_body(x, rows, None, None, of_parts, None, None, None, None, KEEP, 0.0)
    torch.testing.assert_close([*parts.values(), of_parts], [*whole.values(), sums], rtol=1e-12, atol=1e-12)


def test_nothing_is_asked_for():
    x, rows = torch.ones(4), torch.zeros(1, 4, dtype=torch.int64)
    of_faults = add_pairs(pairs_rows_, x, x, rows, {})
    values_rows_(x, rows, None, None, None, None, None, None, of_faults, DROP, 0.0)
    assert not of_faults.any()


@pytest.mark.parametrize("kind", [PearsonCorrCoef, MaxMetric])
def test_no_memory_for_a_sample(kind):
    n, metric = 400_000, kind(num_groups=9)
    given = torch.rand(2, n)[: 1 if kind is MaxMetric else 2].unbind(0)
    update = partial(metric.update, *given, groups=torch.arange(n) % 9)
    update()
    assert memory(update, "cpu") < 10**4


def test_operators():
    x, rows = torch.rand(6), torch.randint(0, 3, (1, 6))
    slots = [*pairs_states(3, 1, tuple(STATES)).values(), faults()]
    torch.library.opcheck(
        torch.ops.fastmetrics.pairs_rows_.default, (x, x + 1, rows, None, None, *slots, 1, *Parameters())
    )
    slots = [torch.zeros(3, dtype=torch.float64) for _ in VALUES]
    torch.library.opcheck(
        torch.ops.fastmetrics.values_rows_.default, (x, rows, None, None, *slots, faults(), DROP, 0.0)
    )


def test_what_is_no_row_of_the_batch_is_refused():
    x = torch.ones(4)
    states = pairs_states(3, 1, ("count",))
    for rows in (torch.zeros(1, 5, dtype=torch.int64), torch.zeros(1, 4)):
        with pytest.raises(RuntimeError, match="rows must be"):
            add_pairs(pairs_rows_, x, x, rows, states)
        with pytest.raises(RuntimeError, match="rows must be"):
            values_rows_(x, rows, None, None, states["count"][:, 0].contiguous(), *(None,) * 4, KEEP, 0.0)
