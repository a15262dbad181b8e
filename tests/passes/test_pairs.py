# SPDX-License-Identifier: Apache-2.0
"""The pairs operator against its pure-torch body, exact sums of Python floats, and tables by hand."""

import itertools
import math

import pytest
import torch

from fastmetrics import regression
from fastmetrics.passes import pairs_, simple_pairs_
from fastmetrics.passes.faults import FAULTS
from fastmetrics.passes.pairs import (
    ERRORS,
    SIMPLE_STATES,
    STATES,
    Parameters,
    log_cosh,
    merge_extremes,
    merge_moments,
    pairs_body,
)
from fastmetrics.statistics import PairsStatistics

REALS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
INTEGERS = (torch.int64, torch.uint8, torch.bool, torch.uint64)
# exponent, Tweedie power, thresholds
PARAMETERS = [(3.0, 0.0, 0.5, 0.25), (1.0, 1.0, 3.0, 2.0), (2.0, 2.0, 0.0, 1.0), (2.5, 1.5, -1.0, 9.0)]
PARAMETERS += [(1.5, 3.0, 0.5, 0.5), (7.0, -1.0, 0.5, 0.5)]


def states(outputs, device, names=tuple(STATES), fill=None):
    """The statistics of these names, empty or of some earlier pairs; and the faults."""
    made = [
        torch.zeros(outputs, *STATES[n], dtype=torch.float64, device=device) if n in names else None for n in STATES
    ]
    made.append(torch.zeros(FAULTS, dtype=torch.int64, device=device))
    if fill is not None:
        x, y = torch.rand(2, 4, outputs, generator=fill, dtype=torch.float64).to(device) + 0.5
        pairs_body(x, y, None, None, *made, outputs, 2.0, 1.0, 0.5, 0.5)
    return made


def compare(preds, target, weights, valid, outputs, parameters, names=tuple(STATES), rtol=1e-11):
    generator = torch.Generator().manual_seed(3)
    made = states(outputs, preds.device, names, generator)
    expected = [None if s is None else s.clone() for s in made]
    pairs_(preds, target, weights, valid, *made, outputs, *parameters)
    pairs_body(preds, target, weights, valid, *expected, outputs, *parameters)
    for name, found, wanted in zip((*STATES, "faults"), made, expected, strict=True):
        if found is not None:
            assert_same(name, found, wanted, rtol)


def assert_same(name, found, wanted, rtol):
    scale = 0.0
    if name in ("moments", "deviance"):  # what is not finite is any of them; and there are differences
        found, wanted = (torch.where(state.isfinite(), state, torch.nan) for state in (found, wanted))
        scale = wanted.nan_to_num().abs().max().item()
    try:
        torch.testing.assert_close(found, wanted, rtol=rtol, atol=1e-13 * scale, equal_nan=True)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None


def layouts(shape, make):
    yield make(shape)
    if len(shape) > 1:
        yield make(shape[::-1]).movedim(0, -1).transpose(0, -2) if len(shape) > 2 else make(shape[::-1]).t()
        yield make((shape[0] * 2, *shape[1:-1], shape[-1] * 3))[::2, ..., ::3]
        yield make((1, *shape[1:])).expand(shape)


@pytest.mark.parametrize("dtype", [*REALS, *INTEGERS], ids=str)
def test_native_is_the_body(device, dtype):
    torch.manual_seed(0)

    def make(shape):
        return (torch.rand(shape) * 4 + (0.01 if dtype.is_floating_point else 1)).to(dtype).to(device)

    cases = (((1,), 1), ((0,), 1), ((), 1), ((9003,), 1), ((7, 9, 5), 1), ((700, 3), 3), ((9, 300), 300))
    others = (dtype,) if dtype == torch.float32 else (dtype, torch.float32)
    for number, ((shape, outputs), other) in enumerate(itertools.product((*cases, ((4, 5, 6), 6)), others)):
        for preds in layouts(shape, make):
            if preds.shape != shape:
                continue
            target = (torch.rand(shape) * 4 + 1).to(other).to(device)
            weights = torch.rand(shape, dtype=torch.float64, device=device)
            valid = torch.rand(shape, device=device) < 0.7
            parameters = PARAMETERS[number % len(PARAMETERS)]
            compare(preds, target, None, None, outputs, parameters)
            compare(preds, target, weights, valid, outputs, parameters)
            if preds.is_contiguous():
                compare(preds, target, weights, None, outputs, parameters)
                compare(preds, target, None, valid, outputs, parameters)
            for names in (("moments",), ("squared_error", "absolute_error", "moments")):
                compare(preds, target, None, None, outputs, parameters, names)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_values_out_of_range(device, parameters):
    torch.manual_seed(0)
    x, y = torch.randn(2, 3000, 3, device=device)  # negative ones are outside of the deviance's domain
    x[::7], y[::5], x[1], y[3] = 0.0, 0.0, math.nan, math.inf
    weights = torch.rand(3000, 3, dtype=torch.float64, device=device)
    weights[10:14] = torch.tensor([-1.0, math.nan, math.inf], device=device)
    weights[14:20] = 0.0
    valid = torch.rand(3000, 1, device=device).expand(3000, 3) < 0.5
    for w, v in ((None, None), (weights, None), (weights, valid)):
        for outputs in (1, 3):
            compare(x, y, w, v, outputs, parameters)


def test_what_is_not_counted_may_be_anything(device):
    x = torch.tensor([1.0, math.nan, 3.0, math.inf], device=device)
    y = torch.tensor([2.0, 1.0, 5.0, math.nan], device=device)
    kept = torch.tensor([True, False, True, False], device=device)
    for arguments in ((kept.double(), None), (None, kept)):
        made, alone = states(1, device), states(1, device)
        pairs_(x, y, *arguments, *made, 1, 2.0, 2.0, 0.0, 0.0)
        pairs_(x[kept], y[kept], None, None, *alone, 1, 2.0, 2.0, 0.0, 0.0)
        assert [s.tolist() for s in made] == [s.tolist() for s in alone]


def test_by_hand(device):
    x, y = torch.tensor([1, 2, 6], device=device), torch.tensor([1.0, 4.0, 4.0], device=device)
    weights = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64, device=device)
    made = dict(zip((*STATES, "faults"), states(1, device), strict=True))
    pairs_(x, y, weights, None, *made.values(), 1, 3.0, 2.0, 2.0, 2.0)
    found = {name: state.flatten().tolist() for name, state in made.items()}
    # x: 1, 2, 6, 6 has the mean 3.75; y: 1, 4, 4, 4 has the mean 3.25
    assert found["count"] == [4.0]
    assert found["moments"] == [4.0, 3.75, 3.25, 20.75, 6.75, 8.25]
    assert found["extremes"] == [1.0, 1.0, 4.0]
    assert found["squared_error"] == [12.0]
    assert found["absolute_error"] == [6.0]
    assert found["percentage_error"] == [1.5]
    assert found["symmetric_percentage_error"] == pytest.approx([2 * (2 / 6 + 2 * 2 / 10)])
    assert found["absolute_target"] == [13.0]
    assert found["powered_error"] == pytest.approx([24.0])
    assert found["squared_log_error"] == pytest.approx([math.log(5 / 3) ** 2 + 2 * math.log(7 / 5) ** 2])
    assert found["log_cosh_error"] == pytest.approx([3 * math.log(math.cosh(2))])
    each = [2 * (math.log(a / b) + b / a - 1) for a, b in ((2, 4), (6, 4), (6, 4))]
    assert found["deviance"] == pytest.approx([math.fsum(each), 4.0])
    assert found["events"] == [3.0, 0.0, 0.0]
    assert not any(found["faults"])


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
def test_sums_are_exact(device, offset):
    torch.manual_seed(0)
    dtype = torch.float32 if offset < 1e5 else torch.float64
    x, y = (torch.randn(2, 100_003, dtype=torch.float64) + offset).to(dtype)
    made = dict(zip((*STATES, "faults"), states(1, device), strict=True))
    for a, b in zip(x.split(30_000), y.split(30_000), strict=True):
        pairs_(a.to(device), b.to(device), None, None, *made.values(), 1, 1.0, 0.0, 0.0, 0.0)
    xs, ys = x.double().tolist(), y.double().tolist()
    n = len(xs)
    mean_x, mean_y = math.fsum(xs) / n, math.fsum(ys) / n
    xx, yy = (math.fsum((v - m) ** 2 for v in vs) for vs, m in ((xs, mean_x), (ys, mean_y)))
    xy = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(xs, ys, strict=True))
    found = made["moments"][0].tolist()
    assert found[0] == n
    assert found[1:3] == pytest.approx([mean_x, mean_y], rel=1e-15, abs=1e-15)
    rel = max(1e-12, 1e-17 * offset)  # the means of parts are as exact as their offset lets them be
    assert found[3:5] == pytest.approx([xx, yy], rel=rel)
    assert found[5] == pytest.approx(xy, abs=rel * xx)
    pairs = list(zip(xs, ys, strict=True))
    assert made["squared_error"].item() == pytest.approx(math.fsum((a - b) ** 2 for a, b in pairs), rel=1e-13)
    assert made["absolute_error"].item() == pytest.approx(math.fsum(abs(a - b) for a, b in pairs), rel=1e-13)


def log_cosh_of(mpmath, value):
    if value < 1e-10:
        return value**2 / 2
    return value - mpmath.log(2) if value > 1e4 else mpmath.log(mpmath.cosh(value))


def test_elementary_functions(device):
    mpmath = pytest.importorskip("mpmath")
    torch.manual_seed(0)
    values = [0.0, 5e-324, 1e-310, 1e-20, 1e-5, 0.1249, 0.125, 0.5, 1.0, 1.5, 30.0, 700.0, 1e5, 1e300, math.inf]
    values += (torch.rand(40, dtype=torch.float64) * 10).tolist()
    for value, p in itertools.product(values, (1.0, 2.0, 2.5, 7.0)):
        made = dict(zip((*STATES, "faults"), states(1, device), strict=True))
        x, y = (
            torch.tensor([value], dtype=torch.float64, device=device),
            torch.zeros(1, dtype=torch.float64, device=device),
        )
        pairs_(x, y, None, None, *made.values(), 1, p, 0.0, 0.0, 0.0)
        with mpmath.workdps(40):
            exact = mpmath.mpf(value)
            expected = {
                "squared_log_error": mpmath.log1p(exact) ** 2,
                "log_cosh_error": log_cosh_of(mpmath, exact),
                "powered_error": exact**p,
            }
            for name, reference in expected.items():
                rel = 3e-13 if name == "powered_error" else 5e-13
                assert made[name].item() == pytest.approx(float(reference), rel=rel, abs=1e-320), (name, value, p)
        body = log_cosh(x).item()
        assert body == pytest.approx(made["log_cosh_error"].item(), rel=1e-14, abs=1e-320)


def test_the_operator_of_few_arguments(device):
    torch.manual_seed(0)
    for outputs, shape in ((1, (700,)), (3, (200, 3))):
        x, y = torch.randn(2, *shape, device=device)
        weights = torch.rand(shape, dtype=torch.float64, device=device)
        weights.view(-1)[5] = -1.0
        for asked, given in ((SIMPLE_STATES, None), (("count", "moments"), weights), (("absolute_error",), weights)):
            full, few = states(outputs, device, asked), states(outputs, device, asked)
            valid = None if given is None else torch.rand(shape, device=device) < 0.7
            pairs_(x, y, given, valid, *full, outputs, 1.0, 0.0, 0.0, 0.0)
            simple = [few[list(STATES).index(name)] for name in SIMPLE_STATES]
            simple_pairs_(x, y, given, valid, *simple, few[-1], outputs)
            assert all(torch.equal(a, b) for a, b in zip(full, few, strict=True) if a is not None)
            assert full[list(STATES).index(asked[0])].any()


def test_constant_inputs_have_no_variance(device):
    for value, n in itertools.product((0.1, 1e8 + 0.3, -7.0), (1, 3, 65, 100_000)):
        made = states(1, device, ("moments",))
        for weights in (None, torch.rand(n, dtype=torch.float64, device=device) + 0.1):
            x = torch.full((n,), value, dtype=torch.float64, device=device)
            pairs_(x, x + 1, weights, None, *made, 1, 1.0, 0.0, 0.0, 0.0)
        found = made[1][0].tolist()
        assert found[1:] == [value, value + 1, 0.0, 0.0, 0.0]


def test_merging_is_that_of_the_kernels(device):
    torch.manual_seed(0)
    parts = [torch.randn(2, n, 3, dtype=torch.float64, device=device) + 50 for n in (5, 1, 0, 300)]
    full, batches = states(3, device), []
    for x, y in parts:
        pairs_(x, y, None, None, *full, 3, 1.0, 0.0, 0.0, 0.0)
        batches.append(states(3, device))
        pairs_(x, y, None, None, *batches[-1], 3, 1.0, 0.0, 0.0, 0.0)
    for index, merge in ((1, merge_moments), (2, merge_extremes)):
        stacked = torch.stack([batch[index] for batch in batches])
        assert torch.equal(merge(stacked), full[index])
        torch.testing.assert_close(merge(stacked.flip(0)), full[index], rtol=1e-13, atol=0)
        empty = torch.zeros_like(stacked[:1])
        assert torch.equal(merge(torch.cat([empty, stacked, empty])), full[index])
    huge = states(1, device)
    for _ in range(2):
        pairs_(*torch.full((2, 1), 1e200, dtype=torch.float64, device=device), None, None, *huge, 1, 1.0, 0.0, 0.0, 0.0)
    assert huge[1].tolist() == [[2.0, 1e200, 1e200, 0.0, 0.0, 0.0]]


def test_the_same_data_gives_the_same_bits(device):
    torch.manual_seed(0)
    x, y = torch.rand(2, 300_001, device=device)
    weights = torch.rand(300_001, dtype=torch.float64, device=device)
    found = []
    for _ in range(3):
        made = states(1, device)
        pairs_(x, y, weights, None, *made, 1, 2.5, 0.0, 0.0, 0.0)
        found.append([s.tolist() for s in made])
    assert found[0] == found[1] == found[2]


def test_parameters_and_errors_have_one_order():
    assert [name for name in STATES if name in ERRORS] == list(ERRORS)
    assert Parameters._fields == ("p", "power", "preds_threshold", "target_threshold")


def test_what_several_metrics_ask_for():
    asked = [m()._statistics.asked for m in (regression.R2Score, regression.MeanAbsoluteError)]
    asked.append(regression.TweedieDevianceScore(0)._statistics.asked)
    union = PairsStatistics(**{name: option for each in asked for name, option in each.items()})
    assert list(union.shapes) == ["count", "moments", "squared_error", "absolute_error", "deviance"]
    assert union.asked["deviance"] == 0.0


@pytest.mark.parametrize("name", ["MeanSquaredError", "PearsonCorrCoef", "R2Score", "MeanAbsolutePercentageError"])
def test_compiled_update_with_changing_batches(name):
    torch.compiler.reset()
    metric, plain = (getattr(regression, name)() for _ in range(2))
    compiles = []

    def backend(module, inputs):
        compiles.append(1)
        return module.forward

    step = torch.compile(metric.update, fullgraph=True, dynamic=True, backend=backend)
    for n in (7, 5, 11, 30, 2):
        x, y = torch.rand(2, n)
        step(x, y)
        plain.update(x, y)
    assert torch.equal(metric.compute(), plain.compute())
    assert len(compiles) <= 2
