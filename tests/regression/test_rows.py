# SPDX-License-Identifier: Apache-2.0
"""Metrics of rows against torchmetrics and references."""

import math

import pytest
import torch
import torchmetrics.functional.regression as their_functions
import torchmetrics.regression as theirs

import fastmetrics.regression as ours
from fastmetrics import functional
from tests.support.inputs import pair

METRICS = [
    ("CosineSimilarity", "cosine_similarity", {"reduction": reduction}) for reduction in ("sum", "mean", "none", None)
]
METRICS += [
    (name, function, {"log_prob": log_prob, "reduction": reduction})
    for name, function in (
        ("KLDivergence", "kl_divergence"),
        ("JensenShannonDivergence", "jensen_shannon_divergence"),
    )
    for log_prob, reduction in ((False, "mean"), (False, "sum"), (True, "mean"), (True, None))
]


def batch(options, device="cpu", seed=0):
    return [v.to(device) for v in pair(20, 7, options.get("log_prob", False), seed)]


@pytest.mark.parametrize(("name", "function", "options"), METRICS)
def test_torchmetrics(device, name, function, options):
    mine, other = (getattr(m, name)(**options).to(device) for m in (ours, theirs))
    for seed in range(2):
        x, y = batch(options, device, seed)
        a, b = mine(x, y), other(x, y)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(mine.compute(), other.compute(), rtol=1e-5, atol=1e-6)
    for dtype in (torch.float32, torch.float16):
        x, y = (v.to(dtype) for v in batch(options, device))
        a, b = (getattr(m, function)(x, y, **options) for m in (functional, their_functions))
        assert a.dtype == b.dtype
        if dtype == torch.float32:
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "function", "options"), METRICS)
def test_gradients(device, name, function, options):
    found = []
    for module in (ours, theirs):
        x, y = (v.requires_grad_() for v in batch(options, device))
        metric = getattr(module, name)(**options).to(device)
        metric(x, y).sum().backward()
        found.append((x.grad, y.grad))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)
    x, y = (v[:3].double().requires_grad_() for v in batch(options, device))
    call = getattr(functional, function)
    assert torch.autograd.gradcheck(lambda a, b: call(a, b, **options), (x, y))
    metric.update(x, y)
    mine = getattr(ours, name)(**options).to(device)
    mine.update(x, y)
    assert not mine.compute().requires_grad


def test_impossible_events():
    p, q = torch.tensor([[0.0, 1.0, 0.0]], requires_grad=True), torch.tensor([[0.0, 0.5, 0.5]], requires_grad=True)
    value = functional.kl_divergence(p, q)
    value.backward()
    assert math.isclose(value.item(), math.log(2), rel_tol=1e-6)
    assert torch.isfinite(q.grad).all()
    assert functional.kl_divergence(q.detach(), p.detach()).item() == math.inf
    log_p, log_q = p.detach().log(), q.detach().log()
    # 0 * -inf is NaN in torchmetrics
    assert math.isclose(functional.kl_divergence(log_p, log_q, log_prob=True).item(), math.log(2), rel_tol=1e-6)
    expected = functional.jensen_shannon_divergence(p.detach(), q.detach())
    torch.testing.assert_close(functional.jensen_shannon_divergence(log_p, log_q, log_prob=True), expected)
    for call in (functional.kl_divergence, functional.jensen_shannon_divergence, functional.cosine_similarity):
        assert call(torch.zeros(1, 3), torch.ones(1, 3)).isnan()


@pytest.mark.parametrize(
    ("kind", "logarithms"),
    [(ours.CosineSimilarity, False), (ours.KLDivergence, False), (ours.ContinuousRankedProbabilityScore, False)],
)
def test_weights_and_valid(device, kind, logarithms):
    x, y = (v.to(device) for v in pair(30, 4, logarithms))
    y = y[:, 0] if kind is ours.ContinuousRankedProbabilityScore else y
    options = {"reduction": "mean"} if kind is ours.CosineSimilarity else {}
    times, valid = torch.randint(0, 4, (30,), device=device), torch.rand(30, device=device) < 0.6
    metric, other = (kind(**options).to(device) for _ in range(2))
    torch.testing.assert_close(
        metric(x, y, weights=times), other(x.repeat_interleave(times, 0), y.repeat_interleave(times, 0))
    )
    torch.testing.assert_close(metric(x, y), other(x, y))
    torch.testing.assert_close(metric.compute(), other.compute())
    junk = x.clone()
    junk[~valid] = math.nan
    both = metric(junk, y, weights=times, valid=valid)
    torch.testing.assert_close(both, other(x[valid], y[valid], weights=times[valid]))
    metric.reset()
    metric.update(junk, y, valid=valid)
    other.reset()
    other.update(x[valid], y[valid])
    torch.testing.assert_close(metric.compute(), other.compute())
    junk.requires_grad_()
    kind(**options).to(device)(junk, y, weights=times, valid=valid).backward()
    assert (junk.grad[~valid] == 0).all()
    assert torch.isfinite(junk.grad).all()
    for bad in (-1.0, math.nan, math.inf):
        weights = torch.ones(30, device=device)
        weights[0] = bad
        metric.reset()
        with pytest.raises(RuntimeError, match="finite `weights` of at least 0, but 1 were not"):
            metric(x, y, weights=weights)
        torch.testing.assert_close(metric.compute(), kind(**options).to(device)(x[1:], y[1:]))
    for wrong in (torch.ones(29), torch.ones(30, 4), torch.ones(())[None].expand(1)):
        with pytest.raises(ValueError, match="weights"):
            metric.update(x, y, weights=wrong.to(device))


def test_valid_without_a_reduction():
    x, y = pair(4, 3)
    valid = torch.tensor([True, False, True, True])
    for metric in (ours.CosineSimilarity(reduction=None), ours.KLDivergence(reduction="none")):
        value = metric(x, y, valid=valid)
        assert value.isnan().tolist() == [False, True, False, False]
        assert torch.equal(value[valid], metric(x[valid], y[valid]))
        with pytest.raises(ValueError, match="no meaning without a reduction"):
            metric.update(x, y, weights=torch.ones(4))


def crps_by_definition(preds, target):
    preds, target = preds.double(), target.double()
    distances = (preds[:, :, None] - preds[:, None]).abs().mean((1, 2))
    return ((preds - target[:, None]).abs().mean(1) - distances / 2).mean()


def test_crps(device):
    for dtype in (torch.float32, torch.float64, torch.float16, torch.int64):
        torch.manual_seed(0)
        mine, other = (m.ContinuousRankedProbabilityScore().to(device) for m in (ours, theirs))
        for members in (2, 9, 9):
            preds, target = (
                (torch.randn(12, members) * 9).to(dtype).to(device),
                (torch.randn(12) * 9).to(dtype).to(device),
            )
            value = mine(preds, target)
            expected = crps_by_definition(preds, target)
            assert math.isclose(value, expected, rel_tol=1e-6)
            if dtype == torch.float32:
                theirs_value = other(preds, target)
                assert (value.dtype, value.shape) == (theirs_value.dtype, theirs_value.shape)
                torch.testing.assert_close(value, theirs_value)
                torch.testing.assert_close(
                    functional.continuous_ranked_probability_score(preds, target),
                    their_functions.continuous_ranked_probability_score(preds, target),
                )
    torch.testing.assert_close(mine.compute().item(), float(mine.compute()))
    far = torch.randn(50, 20, dtype=torch.float64, device=device)
    a, b = (functional.continuous_ranked_probability_score(far + by, far[:, 0] + by) for by in (0.0, 1e8))
    assert math.isclose(a, b, rel_tol=1e-6)
    big = torch.randn(2, 30_000, device=device)  # torchmetrics would take 7 GB
    assert functional.continuous_ranked_probability_score(big, big[:, 0]) > 0
    preds, target = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    call = functional.continuous_ranked_probability_score
    assert torch.autograd.gradcheck(call, (preds.requires_grad_(), target.requires_grad_()))


def test_wrong_inputs_and_arguments():
    one, two = torch.rand(4), torch.rand(4, 3)
    wrong_inputs = {
        "CosineSimilarity": ((one, one), (two, one), (two, two[:2])),
        "KLDivergence": ((one, one), (two, one), (two[None], two[None])),
        "JensenShannonDivergence": ((one, one), (two, one), (two[None], two[None])),
        "ContinuousRankedProbabilityScore": ((two[:, :1], one), (two, one[:3])),
    }
    for name, batches in wrong_inputs.items():
        for wrong in batches:
            kinds = []
            for module in (ours, theirs):
                metric = getattr(module, name)()
                with pytest.raises(Exception) as raised:
                    metric.update(*wrong)
                kinds.append(raised.type)
            assert kinds[0] is kinds[1]
    for module in (ours, theirs):
        for kind in (module.CosineSimilarity, module.KLDivergence, module.JensenShannonDivergence):
            with pytest.raises(ValueError):
                kind(reduction="median")
        for kind in (module.KLDivergence, module.JensenShannonDivergence):
            with pytest.raises(TypeError):
                kind(log_prob=1)
            assert kind().update(p=two, q=two) is None
    for kind in (ours.CosineSimilarity, ours.KLDivergence):
        with pytest.raises(ValueError, match="real"):
            kind().update(two.to(torch.complex64), two)
        empty = kind(reduction="sum")
        empty.update(two[:0], two[:0])
        assert empty.compute() == 0
