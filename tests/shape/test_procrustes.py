# SPDX-License-Identifier: Apache-2.0
"""Procrustes disparity against torchmetrics and SciPy."""

import pytest
import torch
import torchmetrics.functional.shape as their_functions
import torchmetrics.shape as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes as by_scipy

from fastmetrics.functional.shape import procrustes_disparity
from fastmetrics.shape import ProcrustesDisparity


def clouds(n=6, m=10, d=3, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(n, m, d, generator=generator).to(dtype) for _ in range(2))


def reference(first, second):
    pairs = zip(first.double().numpy(), second.double().numpy(), strict=True)
    return torch.tensor([by_scipy(x, y)[2] for x, y in pairs], dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("m", "d"), [(10, 3), (2, 5), (40, 1), (7, 7)])
def test_against_torchmetrics_and_scipy(device, dtype, m, d):
    batch = clouds(m=m, d=d, dtype=dtype)
    expected = reference(*batch)
    found = procrustes_disparity(*(cloud.to(device) for cloud in batch))
    assert found.dtype == dtype
    torch.testing.assert_close(found.cpu(), expected.to(dtype), rtol=1e-2 if dtype.itemsize == 2 else 1e-5, atol=1e-6)
    for reduction in ("mean", "sum"):
        metric = ProcrustesDisparity(reduction).to(device)
        for some in (slice(0, 1), slice(1, None)):
            metric.update(*(cloud[some].to(device) for cloud in batch))
        assert metric.compute().item() == pytest.approx(getattr(expected, reduction)().item(), rel=1e-6, abs=1e-9)
        if dtype.itemsize >= 4:
            other = theirs.ProcrustesDisparity(reduction)
            other.update(*batch)
            torch.testing.assert_close(metric.compute().cpu(), other.compute().float(), rtol=1e-4, atol=1e-5)
    if dtype.itemsize >= 4 and m > d:
        mine, other = procrustes_disparity(*batch, return_all=True), their_functions.procrustes_disparity(*batch, True)
        for value, of_theirs in zip(mine, other, strict=True):
            assert value.shape == of_theirs.shape
            torch.testing.assert_close(value, of_theirs, rtol=1e-3, atol=1e-4)


def test_clouds_that_are_moved_turned_and_scaled(device):
    first, _ = clouds(dtype=torch.float64)
    turned = 3 * first @ torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q + 1000
    found = procrustes_disparity(first.to(device), turned.to(device))
    assert found.abs().max() < 1e-20


def test_one_cloud_that_is_a_point_leaves_the_others(device):
    first, second = (cloud.to(device) for cloud in clouds())
    first[1], second[3, 0, 0] = 2.0, torch.nan
    found = procrustes_disparity(first, second)
    assert found.isnan().tolist() == [False, True, False, True, False, False]
    kept = ~found.isnan()
    torch.testing.assert_close(found[kept], procrustes_disparity(first[kept], second[kept]))
    metric = ProcrustesDisparity().to(device)
    assert metric(first, second).isnan()
    metric.reset()
    torch.testing.assert_close(metric(first, second, valid=kept), found[kept].mean())
    weights = torch.tensor([1.0, 0.0, 2.0, 0.0, 0.5, 0.0], device=device)
    expected = (found * weights)[kept].sum() / 3.5
    metric.reset()
    torch.testing.assert_close(metric(first, second, weights=weights, valid=kept), expected)


@given(st.integers(0, 6), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_splits_and_merges(cut, seed):
    first, second = clouds(seed=seed)
    one, other = ProcrustesDisparity(), ProcrustesDisparity()
    one.update(first[:cut], second[:cut])
    other.update(first[cut:], second[cut:])
    one.merge_state(other)
    torch.testing.assert_close(one.compute(), procrustes_disparity(first, second).mean())


def test_errors():
    first, second = clouds()
    for call in (ProcrustesDisparity().update, procrustes_disparity):
        with pytest.raises(RuntimeError, match="same shape"):
            call(first, second[:, :3])
        with pytest.raises(ValueError, match="3D tensors"):
            call(first[0], second[0])
        with pytest.raises(ValueError, match=r"floating point datasets, but got torch\.int64"):
            call(first.long(), second)
    with pytest.raises(ValueError, match="`reduction` must be one of"):
        ProcrustesDisparity("none")
    with pytest.raises(TypeError, match="expected `point_cloud2` to be a tensor"):
        procrustes_disparity(first, [1])
