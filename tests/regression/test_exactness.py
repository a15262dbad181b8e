# SPDX-License-Identifier: Apache-2.0
"""Regression metrics: one rounding, every pair of dtypes, shapes, gradients, signatures and merging."""

import inspect
import itertools
import math

import pytest
import torch
import torchmetrics
import torchmetrics.functional
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmetrics
import fastmetrics.functional
from tests.support.calls import outcome

DTYPES = (
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
)
CASES = [("MeanSquaredError", {"squared": True}), ("MeanSquaredError", {"squared": False}), ("MeanAbsoluteError", {})]
FUNCTIONS = {"MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error"}
SHAPES = (
    ((1,), 1),
    ((300,), 1),
    ((6, 5), 1),
    ((3, 2, 4), 1),
    ((), 1),
    ((0,), 1),
    ((7, 3), 3),
    ((1, 2), 2),
    ((0, 3), 3),
)


def both(name, **options):
    """Our metric and function, then theirs."""
    for module in (fastmetrics, torchmetrics):
        yield getattr(module, name)(**options), getattr(module.functional, FUNCTIONS[name])


def reference(name, preds, target, num_outputs=1, squared=True):
    """In Python floats, with exact sums."""
    rows = (x.double().reshape(-1, num_outputs).T.tolist() for x in (preds, target))
    means = []
    for x, y in zip(*rows, strict=True):
        errors = [abs(a - b) if name == "MeanAbsoluteError" else (a - b) ** 2 for a, b in zip(x, y, strict=True)]
        means.append(math.fsum(errors) / len(errors) if errors else math.nan)
    means = means if squared else [math.sqrt(m) for m in means]
    return torch.tensor(means if num_outputs > 1 else means[0], dtype=torch.float64)


def assert_rounded_once(value, expected):
    """``value`` is the float64 mean ``expected`` in another dtype."""
    rtol = max(torch.finfo(value.dtype).eps / 2, 1e-15)
    torch.testing.assert_close(value.cpu().double(), expected, rtol=rtol, atol=0, equal_nan=True)


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("preds_dtype", DTYPES, ids=str)
def test_every_pair_of_dtypes(device, name, options, preds_dtype):
    torch.manual_seed(0)
    for (shape, num_outputs), target_dtype in itertools.product(SHAPES, DTYPES):
        chosen = {**options, "num_outputs": num_outputs}
        (ours, function), (theirs, their_function) = both(name, **chosen)
        ours.to(device)
        # theirs wraps around in small integers and rounds every difference of small floats
        dtype = torch.promote_types(preds_dtype, target_dtype)
        comparable = dtype.itemsize > 2
        batches = [[torch.randint(0, 12, shape).to(d) for d in (preds_dtype, target_dtype)] for _ in range(3)]
        for batch in batches:
            here = [x.to(device) for x in batch]
            found = function(*here, **chosen), their_function(*batch, **chosen)
            for mine, other in ((ours(*here), theirs(*batch)), found):
                assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
                assert_rounded_once(mine, reference(name, *batch, **chosen))
                if comparable:
                    torch.testing.assert_close(mine.cpu(), other, rtol=2e-6, atol=0, equal_nan=True)
        full = (torch.cat([x.reshape(-1, num_outputs) for x in column]) for column in zip(*batches, strict=True))
        assert_rounded_once(ours.compute(), reference(name, *full, **chosen))


def test_integers_do_not_wrap_around(device):
    low, high = (torch.tensor([v], dtype=torch.uint8, device=device) for v in (3, 250))
    small, great = (torch.tensor([v], dtype=torch.int8, device=device) for v in (-128, 127))
    flags = torch.tensor([True, False, True, True], device=device)
    for x, y, absolute in ((low, high, 247.0), (high, low, 247.0), (small, great, 255.0)):
        assert fastmetrics.functional.mean_absolute_error(x, y).item() == absolute
        assert fastmetrics.functional.mean_squared_error(x, y).item() == absolute**2
    assert fastmetrics.MeanAbsoluteError().to(device)(flags, ~flags).item() == 1.0
    assert fastmetrics.MeanSquaredError().to(device)(flags, torch.ones(4, device=device)).item() == 0.25


def test_ten_million_samples_with_an_offset(device):
    n = 10_000_000
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, generator=generator) + 1e4
    y = x + torch.randn(n, generator=generator) * 0.5
    difference = x.double() - y.double()
    for name, state, errors in (
        ("MeanSquaredError", "squared_error", difference.square()),
        ("MeanAbsoluteError", "absolute_error", difference.abs()),
    ):
        metric = getattr(fastmetrics, name)().to(device)
        for a, b in zip(x.split(n // 3), y.split(n // 3), strict=True):
            metric.update(a.to(device), b.to(device))
        assert getattr(metric, state).item() == pytest.approx(errors.sum().item(), rel=1e-13)
        assert metric.compute().item() == pytest.approx(errors.mean().item(), rel=2.0**-24)
        assert metric.count.item() == n
        value = getattr(fastmetrics.functional, FUNCTIONS[name])(x.double().to(device), y.to(device))
        assert value.item() == pytest.approx(errors.mean().item(), rel=1e-13)


def test_not_contiguous(device):
    x, y = (torch.arange(12.0, device=device).reshape(3, 4) + shift for shift in (0, 1))
    for preds, target in ((x.T, y.T), (x.T, y.T.contiguous()), (x[:1].expand(3, 4), y[:1].expand(3, 4))):
        assert fastmetrics.functional.mean_squared_error(preds, target).item() == 1.0
        outputs = preds.shape[1]
        assert fastmetrics.MeanAbsoluteError(outputs).to(device)(preds, target).tolist() == [1.0] * outputs


def test_dtype_of_the_value(device):
    x = torch.full((3,), 0.1, dtype=torch.float64, device=device)
    for name, dtype in itertools.product(FUNCTIONS, (torch.float64, torch.float16, torch.bfloat16, torch.float32)):
        (ours, _), (theirs, _) = both(name)
        ours.to(device).set_dtype(dtype).update(x, x * 0)
        theirs.set_dtype(dtype).update(x.cpu(), x.cpu() * 0)
        assert ours.compute().dtype == theirs.compute().dtype == dtype
        torch.testing.assert_close(ours.compute().cpu(), theirs.compute())


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("num_outputs", [1, 3])
def test_gradients(device, name, options, num_outputs):
    torch.manual_seed(0)
    chosen = {**options, "num_outputs": num_outputs}
    (metric, function), (theirs, their_function) = both(name, **chosen)
    metric.to(device).set_dtype(torch.float64)
    x, y = (torch.randn(6, 3, dtype=torch.float64, device=device, requires_grad=True) for _ in range(2))
    calls = [lambda a, b: function(a, b, **chosen), metric, lambda a, b: their_function(a, b, **chosen), theirs]
    for call in calls[:2]:
        assert torch.autograd.gradcheck(call, (x, y))
    theirs.to(device)
    for dtype in (torch.float64, torch.float32):
        found = []
        for call in calls:
            a, b = (v.detach().clone().to(dtype).requires_grad_() for v in (x, y))
            with torch.no_grad():
                b[0] = a[0]  # where the absolute error has no derivative, both take 0
            found.append(torch.stack(torch.autograd.grad(call(a, b).sum(), (a, b))))
        for gradient in found:
            torch.testing.assert_close(gradient, found[2], rtol=1e-6, atol=1e-9)
    metric.reset()
    metric.update(x, y)
    assert not any(state.requires_grad for state in metric.metric_state.values())
    assert metric(x, y.detach()).requires_grad
    assert not metric.compute().requires_grad
    torch.testing.assert_close(metric.compute(), calls[0](x, y).detach())
    with torch.no_grad():
        assert not calls[0](x, y).requires_grad


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_constants_and_errors(name):
    (_, function), (_, their_function) = both(name)
    ours, theirs = getattr(fastmetrics, name), getattr(torchmetrics, name)
    for pair in ((ours, theirs), (function, their_function)):
        parameters = [list(inspect.signature(f).parameters.values()) for f in pair]
        mine, other = (
            [(p.name, p.default, p.kind) for p in of_one if p.name not in ("weights", "valid", "groups", "num_groups")]
            for of_one in parameters
        )
        assert mine == other
    constants = ("higher_is_better", "is_differentiable", "full_state_update", "plot_lower_bound", "plot_upper_bound")
    for constant in (*constants, "plot_legend_name"):
        assert getattr(ours, constant) == getattr(theirs, constant)
    for options in [{"num_outputs": value} for value in (0, -1, 1.0, None, "a")] + [{"foo": 1}, {"squared": 1}]:
        assert outcome(lambda o=options: ours(**o)) is outcome(lambda o=options: theirs(**o)) is ValueError
    metric, other = ours(num_outputs=2), theirs(num_outputs=2)
    for shapes in (((3,), (4,)), ((3, 2), (2, 2)), ((3, 2), (3,)), ((3, 3), (3, 3)), ((2, 3, 2), (2, 3, 2))):
        batch = [torch.ones(shape) for shape in shapes]
        assert [outcome(lambda m=m, b=batch: m(*b)) for m in (metric, other)] == [RuntimeError] * 2, shapes
    for shape in ((3,), (3, 1), ()):  # theirs spreads these over both outputs
        with pytest.raises(RuntimeError, match=r"shape \(N, 2\) since num_outputs=2"):
            metric.update(torch.ones(shape), torch.ones(shape))
    with pytest.raises(ValueError, match="real"):
        metric.update(torch.ones(3, 2) * 1j, torch.ones(3, 2))
    assert metric.update_count == 0


NUMBER = st.floats(-(2.0**20), 2.0**20, width=32)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_split_order_and_merge_is_one_update(data):
    n = data.draw(st.integers(1, 30))
    rows = st.lists(st.lists(NUMBER, min_size=2, max_size=2), min_size=n, max_size=n)
    preds, target = (torch.tensor(data.draw(rows)) for _ in range(2))
    order = torch.tensor(data.draw(st.permutations(range(n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    for name, options in CASES:
        full, merged, part = (getattr(fastmetrics, name)(**options, num_outputs=2) for _ in range(3))
        full.update(preds, target)
        for begin, end in itertools.pairwise([0, *cuts, n]):
            part.reset()
            middle = (begin + end) // 2
            part.update(preds[order[begin:middle]], target[order[begin:middle]])
            part(preds[order[middle:end]], target[order[middle:end]])
            merged.merge_state(part if data.draw(st.booleans()) else part.metric_state)
        assert merged.count.tolist() == [n, n]
        for state, value in full.metric_state.items():
            torch.testing.assert_close(merged.metric_state[state], value, rtol=1e-13, atol=0)
        expected = reference(name, preds, target, 2, **options).float()
        torch.testing.assert_close(merged.compute(), expected, rtol=2e-7, atol=1e-45)
