# SPDX-License-Identifier: Apache-2.0
"""MSE and MAE against torchmetrics and a float64 reference, with their gradients."""

import itertools
import math

import pytest
import torch
import torchmetrics.functional.regression as their_functions
import torchmetrics.regression as theirs

import fastmetrics.functional.regression as our_functions
import fastmetrics.regression as ours

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32)
OPTIONS = [
    ("MeanSquaredError", {}),
    ("MeanSquaredError", {"squared": False}),
    ("MeanSquaredError", {"num_outputs": 3}),
    ("MeanSquaredError", {"num_outputs": 3, "squared": False}),
    ("MeanAbsoluteError", {}),
    ("MeanAbsoluteError", {"num_outputs": 3}),
]
FUNCTIONS = {"MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error"}


def pairs(options, dtype, device, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (20, options["num_outputs"]) if "num_outputs" in options else (4, 5)
    x, y = (torch.randn(shape, generator=generator) * 8 for _ in range(2))
    return x.to(dtype).to(device), y.to(dtype).to(device)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_torchmetrics(device, name, options, dtype):
    mine, other = getattr(ours, name)(**options).to(device), getattr(theirs, name)(**options).to(device)
    # theirs keeps sums in float32 or the batch's own dtype, so it is only as exact as that
    exact = 1e-6 if dtype in (torch.float32, torch.float64, torch.int32, torch.int64) else 2e-2
    for seed in range(3):
        batch = pairs(options, dtype, device, seed)
        a, b = mine(*batch), other(*batch)
        torch.testing.assert_close(a, b.to(a.dtype), rtol=exact, atol=0)
        reference = (batch[0].double() - batch[1].double()).reshape(-1, options.get("num_outputs", 1))
        expected = reference.square().mean(0) if name == "MeanSquaredError" else reference.abs().mean(0)
        expected = expected.sqrt() if options.get("squared") is False else expected
        torch.testing.assert_close(a.double().reshape(-1), expected, rtol=1e-6, atol=0)
        if dtype.is_floating_point:
            function, their_function = (getattr(m, FUNCTIONS[name]) for m in (our_functions, their_functions))
            value = function(*batch, **options)
            torch.testing.assert_close(value, their_function(*batch, **options).to(value.dtype), rtol=exact, atol=0)
    a, b = mine.compute(), other.compute()
    assert a.shape == b.shape
    torch.testing.assert_close(a, b.to(a.dtype), rtol=exact, atol=0)
    if dtype == torch.float32:
        assert a.dtype == b.dtype


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_gradients(device, name, options):
    x, y = pairs(options, torch.float32, device)
    found = []
    for module in (ours, theirs):
        preds, target = x.clone().requires_grad_(), y.clone().requires_grad_()
        metric = getattr(module, name)(**options).to(device)
        metric(preds, target).sum().backward()
        found.append((preds.grad, target.grad))
        assert not any(state.requires_grad for state in metric.metric_state.values() if isinstance(state, torch.Tensor))
    torch.testing.assert_close(*found)
    function = getattr(our_functions, FUNCTIONS[name])
    x, y = (v.double().requires_grad_() for v in pairs(options, torch.float64, device))
    assert torch.autograd.gradcheck(lambda a, b: function(a, b, **options), (x, y))
    metric = getattr(ours, name)(**options).to(device)
    metric.update(x, y)  # keeps no graph
    assert not metric.compute().requires_grad


def test_training_with_the_metric_as_loss(device):
    torch.manual_seed(0)
    weight = torch.zeros(3, device=device, requires_grad=True)
    features, truth = torch.randn(50, 3, device=device), torch.tensor([1.0, -2.0, 3.0], device=device)
    metric = ours.MeanSquaredError().to(device)
    optimizer = torch.optim.SGD([weight], lr=0.2)
    for _ in range(60):
        optimizer.zero_grad()
        metric(features @ weight, features @ truth).backward()
        optimizer.step()
    torch.testing.assert_close(weight.detach(), truth, rtol=1e-3, atol=1e-3)


def test_long_sums_are_exact(device):
    metric = ours.MeanAbsoluteError().to(device)
    ones = torch.ones(1_000_000, device=device)
    metric.absolute_error.fill_(2.0**24)
    metric.count.fill_(2**24)
    for _ in range(3):
        metric.update(ones, torch.zeros_like(ones))
    # float32 sums would stay where they are for single ones, and round for blocks of them
    metric.update(ones[:1], ones[:1] * 0)
    assert metric.absolute_error.item() == 2**24 + 3_000_001
    assert metric.compute().item() == 1


def test_offset_and_half_precision(device):
    torch.manual_seed(0)
    x = torch.randn(1_000_000) + 1e4
    y = x + torch.randn(1_000_000) * 1e-2
    metric = ours.MeanSquaredError().to(device)
    for a, b in zip(x.to(device).split(7777), y.to(device).split(7777), strict=True):
        metric.update(a, b)
    expected = math.fsum(((x.double() - y.double()) ** 2).tolist()) / len(x)
    assert math.isclose(metric.compute().item(), expected, rel_tol=1e-6)
    for dtype in (torch.float16, torch.bfloat16):
        a, b = (torch.rand(100_000).to(dtype) for _ in range(2))
        expected = (a.double() - b.double()).square().mean().item()
        metric = ours.MeanSquaredError().to(device)
        metric.update(a.to(device), b.to(device))
        assert math.isclose(metric.compute().item(), expected, rel_tol=1e-6)


def test_special_values(device):
    for name, value in itertools.product(FUNCTIONS, (math.nan, math.inf)):
        metric = getattr(ours, name)().to(device)
        got = metric(torch.tensor([1.0, value], device=device), torch.zeros(2, device=device)).item()
        assert math.isnan(got) if math.isnan(value) else got == math.inf
    strided = torch.randn(20, 6, device=device)[:, ::2]
    metric = ours.MeanSquaredError(num_outputs=3).to(device)
    torch.testing.assert_close(metric(strided, strided.flip(0)), (strided - strided.flip(0)).square().mean(0))


def test_wrong_inputs_and_arguments():
    for name in FUNCTIONS:
        mine, other = getattr(ours, name)(), getattr(theirs, name)()
        for batch in ((torch.ones(3), torch.ones(4)), (torch.ones(3, 2), torch.ones(3))):
            kinds = []
            for metric in (mine, other):
                with pytest.raises(Exception) as raised:
                    metric.update(*batch)
                kinds.append(raised.type)
            assert kinds[0] is kinds[1]
        for wrong in ({"num_outputs": 0}, {"num_outputs": 1.5}, {"foo": 1}):
            with pytest.raises(ValueError):
                getattr(ours, name)(**wrong)
            with pytest.raises(ValueError):
                getattr(theirs, name)(**wrong)
    with pytest.raises(ValueError):
        ours.MeanSquaredError(squared=1)
    empty = ours.MeanSquaredError()
    empty.update(torch.zeros(0), torch.zeros(0))
    assert math.isnan(empty.compute())
