# SPDX-License-Identifier: Apache-2.0
"""Regression metrics against torchmetrics and float64 references, with their gradients."""

import inspect
import itertools
import math
import threading
from concurrent.futures import ThreadPoolExecutor

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


# Name of the class, name of the function, options.
METRICS = [
    ("ConcordanceCorrCoef", "concordance_corrcoef", {}),
    ("CriticalSuccessIndex", "critical_success_index", {"threshold": 0.7}),
    ("CriticalSuccessIndex", "critical_success_index", {"threshold": 1.3, "keep_sequence_dim": 1}),
    ("ExplainedVariance", "explained_variance", {"multioutput": "raw_values"}),
    ("ExplainedVariance", "explained_variance", {}),
    ("ExplainedVariance", "explained_variance", {"multioutput": "variance_weighted"}),
    ("LogCoshError", "log_cosh_error", {}),
    ("MeanAbsoluteError", "mean_absolute_error", {}),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {}),
    ("MeanSquaredError", "mean_squared_error", {"squared": False}),
    ("MeanSquaredLogError", "mean_squared_log_error", {}),
    ("MinkowskiDistance", "minkowski_distance", {"p": 1}),
    ("MinkowskiDistance", "minkowski_distance", {"p": 3.5}),
    *(
        ("NormalizedRootMeanSquaredError", "normalized_root_mean_squared_error", {"normalization": normalization})
        for normalization in ("mean", "range", "std", "l2")
    ),
    ("PearsonCorrCoef", "pearson_corrcoef", {}),
    ("R2Score", "r2_score", {"multioutput": "raw_values", "adjusted": 2}),
    ("R2Score", "r2_score", {}),
    ("R2Score", "r2_score", {"multioutput": "variance_weighted", "adjusted": 5}),
    ("RelativeSquaredError", "relative_squared_error", {"squared": False}),
    ("SymmetricMeanAbsolutePercentageError", "symmetric_mean_absolute_percentage_error", {}),
    *(("TweedieDevianceScore", "tweedie_deviance_score", {"power": power}) for power in (0, 1, 2, 1.5, 3, -1.0)),
    ("WeightedMeanAbsolutePercentageError", "weighted_mean_absolute_percentage_error", {}),
]
every_metric = pytest.mark.parametrize(("name", "function", "options"), METRICS)


@every_metric
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_all_are_those_of_torchmetrics(device, name, function, options, dtype):
    torch.manual_seed(0)
    half = dtype.itemsize == 2
    for shape in ((20,), (20, 1), (20, 3), (5, 4, 3)):
        if len(shape) == 1 and options.get("keep_sequence_dim"):
            continue
        batches = [[(torch.rand(shape) * 4 + 0.2).to(dtype).to(device) for _ in range(2)] for _ in range(3)]
        chosen = dict(options)
        if shape == (20, 3) and "num_outputs" in inspect.signature(getattr(theirs, name)).parameters:
            chosen["num_outputs"] = 3
        found = []
        for module, functions in ((ours, our_functions), (theirs, their_functions)):
            metric = getattr(module, name)(**chosen).to(device)
            try:
                values = [metric(*batches[0])]
                metric.update(*batches[1])
                metric.update(*batches[2])
                values += [metric.compute(), getattr(functions, function)(*batches[0], **options)]
            except (ValueError, RuntimeError) as error:
                values = [type(error)]
            found.append(values)
        for mine, other in zip(*found, strict=True):
            if isinstance(mine, type):
                assert mine is other
                continue
            assert mine.shape == other.shape or options.get("keep_sequence_dim")  # there a single one is squeezed
            # theirs rounds every sum to the input's dtype; its own differ by shape, see docs/differences.md
            assert mine.dtype == other.dtype or half
            if not half:
                torch.testing.assert_close(mine.reshape(other.shape), other, rtol=2e-5, atol=1e-6)
            elif name not in ("ExplainedVariance", "R2Score"):
                torch.testing.assert_close(mine.reshape(other.shape).double(), other.double(), rtol=5e-2, atol=2e-2)


@every_metric
def test_signatures_and_constants(name, function, options):
    mine, other = getattr(ours, name), getattr(theirs, name)
    for pair in (
        (mine, other),
        (getattr(our_functions, function), getattr(their_functions, function)),
        (mine.inputs, other.update),
    ):
        a, b = (
            [
                (p.name, p.default, p.kind)
                for p in inspect.signature(f).parameters.values()
                if p.name not in ("weights", "valid", "groups", "num_groups")
            ]
            for f in pair
        )
        assert a == b
    for constant in (
        "higher_is_better",
        "is_differentiable",
        "plot_lower_bound",
        "plot_upper_bound",
        "plot_legend_name",
    ):
        assert getattr(mine, constant) == getattr(other, constant)
    assert not mine.full_state_update


@every_metric
def test_all_gradients(device, name, function, options):
    torch.manual_seed(0)
    call = getattr(our_functions, function)
    for shape in ((6,), (5, 2)):
        if name == "CriticalSuccessIndex":
            continue
        x, y = (torch.rand(shape, dtype=torch.float64, device=device) + 0.5 for _ in range(2))
        x, y, weights = x.requires_grad_(), y.requires_grad_(), torch.rand(shape[0], device=device) + 0.1
        assert torch.autograd.gradcheck(lambda a, b: call(a, b, **options), (x, y))
        assert torch.autograd.gradcheck(lambda a, b, w=weights: call(a, b, **options, weights=w), (x, y))
        with torch.no_grad():
            torch.testing.assert_close(call(x, y, **options), call(x.detach(), y.detach(), **options))
        metric = getattr(ours, name)(**options).to(device)
        if len(shape) == 1:
            assert metric(x, y).requires_grad
            assert not metric.compute().requires_grad


def test_errors_of_arguments_are_those_of_torchmetrics():
    for name, wrong in (
        ("R2Score", {"adjusted": -1}),
        ("R2Score", {"multioutput": "all"}),
        ("ExplainedVariance", {"multioutput": "all"}),
        ("MinkowskiDistance", {"p": 0.5}),
        ("MinkowskiDistance", {"p": "2"}),
        ("TweedieDevianceScore", {"power": 0.5}),
        ("NormalizedRootMeanSquaredError", {"normalization": "max"}),
        ("NormalizedRootMeanSquaredError", {"num_outputs": 0}),
        ("CriticalSuccessIndex", {"threshold": 0.5, "keep_sequence_dim": -1}),
        ("PearsonCorrCoef", {"foo": 1}),
    ):
        kinds = []
        for module in (ours, theirs):
            with pytest.raises(Exception) as raised:
                getattr(module, name)(**wrong)
            kinds.append(raised.type)
        assert kinds[0] is kinds[1], (name, wrong)


def test_errors_of_shapes_are_those_of_torchmetrics():
    cubes, rows = (torch.ones(2, 3, 4),) * 2, (torch.ones(5, 3),) * 2
    for name, options, batch in (
        *((name, {}, (torch.ones(3), torch.ones(4))) for name in ("R2Score", "PearsonCorrCoef", "LogCoshError")),
        *((name, {}, cubes) for name in ("R2Score", "RelativeSquaredError", "PearsonCorrCoef", "LogCoshError")),
        *(
            (name, {}, rows)
            for name in ("PearsonCorrCoef", "ConcordanceCorrCoef", "LogCoshError", "RelativeSquaredError")
        ),
        *(
            (name, {"num_outputs": 2}, rows)
            for name in ("PearsonCorrCoef", "LogCoshError", "NormalizedRootMeanSquaredError")
        ),
        ("CriticalSuccessIndex", {"threshold": 0.5, "keep_sequence_dim": 2}, rows),
    ):
        kinds = []
        for module in (ours, theirs):
            metric = getattr(module, name)(**options)
            with pytest.raises(Exception) as raised:
                metric.update(*batch)
            kinds.append(raised.type)
        assert kinds[0] is kinds[1], (name, batch[0].shape)


def test_a_number_of_outputs_that_the_data_has(device):
    torch.manual_seed(0)
    x, y = torch.rand(2, 40, 3, dtype=torch.float64, device=device)
    metric, merged = (ours.R2Score(multioutput="raw_values").to(device).set_dtype(torch.float64) for _ in range(2))
    metric.update(x[:10], y[:10])
    metric(x[10:], y[10:])
    expected = our_functions.r2_score(x, y, multioutput="raw_values")
    torch.testing.assert_close(metric.compute(), expected)
    with pytest.raises(RuntimeError, match="Call `reset`"):
        metric.update(x[:, :2], y[:, :2])
    torch.testing.assert_close(metric.compute(), expected)
    merged.merge_state(metric)  # it had no data, and so no number of outputs
    merged.merge_state(ours.R2Score(multioutput="raw_values").to(device))
    torch.testing.assert_close(merged.compute(), expected)
    metric.persistent(True)
    loaded = ours.R2Score(multioutput="raw_values").to(device).set_dtype(torch.float64)
    loaded.persistent(True)
    loaded.load_state_dict(metric.state_dict())
    torch.testing.assert_close(loaded.compute(), expected)
    with pytest.raises(RuntimeError, match="Call `reset`"):
        loaded.update(x[:, :2], y[:, :2])
    loaded.reset()
    loaded.update(x[:, 0], y[:, 0])
    torch.testing.assert_close(loaded.compute(), expected[0])
    cube = ours.ExplainedVariance(multioutput="raw_values").to(device).set_dtype(torch.float64)
    weights, valid = torch.rand(40, device=device), torch.rand(40, 3, device=device) < 0.8
    spread = [v.reshape(40, 3, 1).expand(40, 3, 2) for v in (x, y)]
    value = cube(*spread, weights=weights, valid=valid)
    assert value.shape == (3, 2)
    alone = our_functions.explained_variance(x[:, 1], y[:, 1], weights=weights, valid=valid[:, 1])
    torch.testing.assert_close(value[1], alone.expand(2))


def world(*calls):
    """What the calls return, each on a process of its own (here a thread); they take a function that gathers."""
    given, meeting = [None] * len(calls), threading.Barrier(len(calls), timeout=30)

    def gathering(rank):
        def gather(state, group=None):
            given[rank] = state
            meeting.wait()
            states = list(given)
            meeting.wait()
            return states

        return gather

    with ThreadPoolExecutor(len(calls)) as threads:
        return [done.result() for done in [threads.submit(call, gathering(i)) for i, call in enumerate(calls)]]


def test_a_rank_without_data(device):
    x, y = torch.rand(2, 40, 3, device=device)
    full, empty, single = (ours.R2Score(multioutput="raw_values").to(device) for _ in range(3))
    full.update(x, y)
    single.update(x[:, 0], y[:, 0])
    used = ours.R2Score(multioutput="raw_values").to(device)
    used.update(x[:, :2], y[:, :2])
    used.reset()

    def synced(metric):
        def call(gather):
            metric.sync(dist_sync_fn=gather, distributed_available=lambda: True)
            states, value = metric.metric_state, metric._value()
            metric.unsync()
            return states, value

        return call

    expected = full.compute()
    for metrics in ((empty, full), (full, empty), (empty, full, used)):
        for states, value in world(*map(synced, metrics)):
            torch.testing.assert_close(value, expected)
            torch.testing.assert_close(states["moments"], full.moments)
    assert empty.count.tolist() == [0.0]
    assert used.count.tolist() == [0.0, 0.0]
    for _, value in world(*map(synced, (used, single))):
        torch.testing.assert_close(value, expected[0])

    def failed(metric):
        def call(gather):
            with pytest.raises(RuntimeError, match="different numbers of outputs: 3, 1, 0"):
                metric.sync(dist_sync_fn=gather, distributed_available=lambda: True)

        return call

    world(*map(failed, (full, single, empty)))
    torch.testing.assert_close(full._value(), expected)
