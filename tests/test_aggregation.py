# SPDX-License-Identifier: Apache-2.0
"""Aggregations against torchmetrics and exact sums."""

import copy
import math
import pickle
import warnings

import pytest
import torch
import torchmetrics

import fastmetrics as ours

NAMES = ("SumMetric", "MeanMetric", "MinMetric", "MaxMetric", "CatMetric")
STRATEGIES = ("warn", "error", "ignore", "disable", 2.0)


def both(name, device="cpu", **options):
    return [getattr(module, name)(**options).to(device) for module in (ours, torchmetrics)]


@pytest.mark.parametrize("name", NAMES)
def test_torchmetrics(device, name):
    mine, theirs = both(name, device)
    torch.manual_seed(0)
    for value in (
        1,
        2.5,
        [3, 4.5],
        torch.tensor(7, device=device),
        torch.randn(5, device=device),
        torch.randn(4, device=device).double(),
        torch.randint(0, 9, (3,), device=device),
        torch.tensor([True, False], device=device),
        torch.randn(8, device=device)[::2],
    ):
        a, b = mine(value), theirs(value)
        assert a.dtype == b.dtype
        torch.testing.assert_close(a.squeeze(), b.squeeze())
        mine.update(value)
        theirs.update(value)
    a, b = mine.compute(), theirs.compute()
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    torch.testing.assert_close(a, b)
    for module_dtype in (torch.float64, torch.float16):
        for metric in (mine, theirs):
            metric.reset()
            metric.set_dtype(module_dtype)
            metric.update(torch.tensor([1.0, 2.0], device=device))
        assert mine.compute().dtype == theirs.compute().dtype == module_dtype


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", NAMES)
def test_nan_strategies(device, name, strategy):
    values = torch.tensor([1.0, math.nan, 3.0, math.nan], device=device)
    found = []
    for metric in both(name, device, nan_strategy=strategy):
        given = values.clone()
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            if strategy == "error":
                with pytest.raises(RuntimeError, match="Encountered `nan` values in tensor"):
                    metric(given)
                metric.reset()
            else:
                metric(given)
            assert isinstance(metric, torchmetrics.Metric)
        assert {str(w.message) for w in raised} == (
            {"Encountered `nan` values in tensor. Will be removed."} if strategy == "warn" else set()
        )
        metric.update(torch.tensor([2.0, 0.5], device=device))
        found.append(metric.compute())
        if type(metric).__module__.startswith("fastmetrics"):
            assert torch.equal(given.isnan(), values.isnan())  # torchmetrics writes into the caller's tensor
    torch.testing.assert_close(*found, equal_nan=True)


def test_an_error_keeps_what_is_right(device):
    for name, expected in (("SumMetric", 4.0), ("MeanMetric", 2.0), ("MinMetric", 1.0), ("MaxMetric", 3.0)):
        metric = getattr(ours, name)(nan_strategy="error").to(device)
        with pytest.raises(RuntimeError, match=f"{name}: Encountered `nan` values in tensor, 1 of them"):  # noqa: PT012
            metric.update(torch.tensor([1.0, math.nan, 3.0], device=device))
            metric.compute()
        assert metric.compute().item() == expected  # and it is forgotten


def test_weights(device):
    torch.manual_seed(0)
    value, weight = torch.randn(4, 5, device=device), torch.rand(4, 5, device=device)
    for weights in (weight, weight[:1], weight[:, :1], 2, 0.5, (weight * 9).long(), weight.half(), [1.0, 2, 3, 4, 5]):
        mine, theirs = both("MeanMetric", device)
        torch.testing.assert_close(mine(value, weights), theirs(value, weights))
        mine.update(value)
        theirs.update(value)
        torch.testing.assert_close(mine.compute(), theirs.compute())
    for strategy in (*STRATEGIES[2:], 0.0):
        bad = weight.clone()
        bad[0, 0] = math.nan
        mine, theirs = both("MeanMetric", device, nan_strategy=strategy)
        a, b = mine(value, bad), theirs(value.clone(), bad.clone())
        if strategy == "disable":
            assert a.isnan()  # torchmetrics drops the weights
            assert not b.isnan()
        else:
            torch.testing.assert_close(a, b)
    kept = ours.MeanMetric(nan_strategy="disable").to(device)
    kept.update(torch.tensor([1.0, 4.0], device=device), torch.tensor([3.0, 1.0], device=device))
    assert kept.compute().item() == 1.75
    for metric in both("MeanMetric", device):
        with pytest.raises(RuntimeError):
            metric.update(value, torch.rand(7, device=device))
    with pytest.raises(ValueError, match="real"):
        ours.MeanMetric().update(1.0, torch.zeros((), dtype=torch.complex64))


def test_valid_values_alone_are_counted(device):
    torch.manual_seed(0)
    value, weight = torch.randn(30, 2, device=device), torch.rand(30, 1, device=device)
    valid = torch.rand(30, device=device) < 0.6
    value[~valid] = math.nan  # is not looked at, so nothing is said of it
    for name in NAMES:
        metric, other = (getattr(ours, name)(nan_strategy="error").to(device) for _ in range(2))
        arguments, expected = (
            ((value, weight), (value[valid], weight[valid]))
            if name == "MeanMetric"
            else (
                (value,),
                (value[valid],),
            )
        )
        if name == "CatMetric":
            valid_of = valid[:, None].expand(30, 2)
            torch.testing.assert_close(metric(value, valid=valid_of), other(value[valid]).flatten())
            continue
        torch.testing.assert_close(metric(*arguments, valid=valid), other(*expected))


def test_long_sums():
    metric = ours.SumMetric()
    metric.update(2**24)
    for _ in range(100):  # torchmetrics' sum stays at 16777216
        metric.update(torch.ones(1))
    assert metric.set_dtype(torch.float64).compute().item() == 2**24 + 100
    mean = ours.MeanMetric()
    for _ in range(200_000):  # torchmetrics: 0.09980
        mean.update(0.1)
    assert math.isclose(mean.set_dtype(torch.float64).compute().item(), 0.1, rel_tol=1e-11)
    assert mean.weight.item() == 200_000
    torch.manual_seed(0)
    for dtype in (torch.float16, torch.bfloat16):
        values = (torch.rand(100_000) * 100).to(dtype)
        mean = ours.MeanMetric()
        mean.update(values)
        expected = math.fsum(values.double().tolist()) / len(values)
        assert math.isclose(mean.compute().item(), expected, rel_tol=1e-7)


def test_infinities_nothing_and_one():
    for name, empty, one in (
        ("SumMetric", 0.0, -3.0),
        ("MeanMetric", math.nan, -3.0),
        ("MinMetric", math.inf, -3.0),
        ("MaxMetric", -math.inf, -3.0),
    ):
        for metric in both(name):
            metric.update(torch.zeros(0))
            torch.testing.assert_close(metric.compute().item(), empty, equal_nan=True)
            metric.update(-3.0)
            assert metric.compute().item() == one
            metric.reset()
            metric.update(torch.tensor([math.inf, 1.0]))
            assert metric.compute().item() == (1.0 if name == "MinMetric" else math.inf)
            metric.update(-math.inf)
            torch.testing.assert_close(
                metric.compute().item(),
                {"MinMetric": -math.inf, "MaxMetric": math.inf}.get(name, math.nan),
                equal_nan=True,
            )
    assert ours.CatMetric().compute().shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_merging_in_any_order(name):
    torch.manual_seed(0)
    batches = [torch.randn(n) for n in (5, 1, 30)]
    full = getattr(ours, name)()
    parts = [getattr(ours, name)() for _ in batches]
    for part, batch in zip(parts, batches, strict=True):
        full.update(batch)
        part.update(batch)
    for order in ((0, 1, 2), (2, 0, 1)):
        merged = copy.deepcopy(parts[order[0]])
        for i in order[1:]:
            merged.merge_state(pickle.loads(pickle.dumps(parts[i])))
        torch.testing.assert_close(merged.compute().sort()[0], full.compute().sort()[0])
    fresh = getattr(ours, name)()
    fresh.merge_state(full)
    assert torch.equal(fresh.compute(), full.compute())


def test_shapes_of_kept_values():
    mine, theirs = both("CatMetric")
    for metric in (mine, theirs):
        metric.update(torch.ones(2, 3))
        metric.update(torch.zeros(1, 3))
    assert torch.equal(mine.compute(), theirs.compute())
    caller = torch.ones(2)
    mine = ours.CatMetric()
    mine.update(caller)
    caller.zero_()
    assert mine.compute().tolist() == [1.0, 1.0]
    other = ours.CatMetric()
    other.update(torch.ones(2, 2))
    other.merge_state({"value": [torch.zeros(1, 2)]})
    assert other.compute().shape == (3, 2)


def test_wrong_arguments():
    for name in (*NAMES, "RunningMean", "RunningSum"):
        for metric in (getattr(ours, name), getattr(torchmetrics, name)):
            for wrong in ({"nan_strategy": "drop"}, {"nan_strategy": 1}, {"foo": 1}):
                with pytest.raises(ValueError):
                    metric(**wrong)
    for name in NAMES:
        metric = getattr(ours, name)()
        with pytest.raises(ValueError, match="real"):
            metric.update(torch.zeros(2, dtype=torch.complex64))
        assert not metric.update_called


def test_compiled_update():
    torch.compiler.reset()
    metric, plain = ours.MeanMetric(), ours.MeanMetric()
    step = torch.compile(metric.update, fullgraph=True, dynamic=True, backend="aot_eager")
    for n in (7, 5, 11):
        value, weight = torch.randn(n), torch.rand(n)
        step(value, weight)
        plain.update(value, weight)
    assert torch.equal(metric.compute(), plain.compute())
