# SPDX-License-Identifier: Apache-2.0
"""Pairwise functions against torchmetrics, scikit-learn, SciPy, and differences in float64."""

import inspect

import numpy as np
import pytest
import torch
import torchmetrics.functional.pairwise as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise as sk
from torch.func import grad, vmap
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics import functional
from fastmetrics.functional import pairwise as ours

NAMES = vars(ours)["__all__"]
KINDS = [(name, {}) for name in NAMES] + [("pairwise_minkowski_distance", {"exponent": p}) for p in (1, 2.5, 4)]
every_function = pytest.mark.parametrize(("name", "options"), KINDS)
METRICS = {"pairwise_euclidean_distance": "euclidean", "pairwise_manhattan_distance": "cityblock"}


def reference(name, x, y, exponent=2):
    """In float64."""
    x, y = (value.double().cpu().numpy() for value in (x, y))
    if name == "pairwise_cosine_similarity":
        return sk.cosine_similarity(x, y)
    if name == "pairwise_linear_similarity":
        return sk.linear_kernel(x, y)
    if name == "pairwise_minkowski_distance":
        return cdist(x, y, "minkowski", p=exponent)
    return cdist(x, y, METRICS[name])


def close(found, expected, rtol=1e-5, atol=1e-5):
    torch.testing.assert_close(found.cpu(), torch.as_tensor(expected).to(found.dtype), rtol=rtol, atol=atol)


@every_function
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", None])
@pytest.mark.parametrize("zero_diagonal", [True, False, None])
@pytest.mark.parametrize("rows", [None, 5, 9])
def test_against_torchmetrics_and_references(device, name, options, reduction, zero_diagonal, rows):
    torch.manual_seed(0)
    x, y = torch.randn(7, 6), None if rows is None else torch.randn(rows, 6)
    arguments = {"reduction": reduction, "zero_diagonal": zero_diagonal, **options}
    kept = x.clone()
    found = getattr(ours, name)(x.to(device), None if y is None else y.to(device), **arguments)
    other = x if y is None else y
    expected = torch.from_numpy(reference(name, x, other, **options))
    if zero_diagonal or (zero_diagonal is None and y is None):
        expected.fill_diagonal_(0)
    if reduction in ("mean", "sum"):
        expected = getattr(expected, reduction)(-1)
    close(found, expected)
    assert torch.equal(x, kept)
    assert getattr(functional, name) is getattr(ours, name)
    if zero_diagonal is not False or y is not None:  # theirs is NaN where rounding makes a square negative
        close(found, getattr(theirs, name)(x, y, **arguments))


@every_function
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtypes(device, name, options, dtype):
    torch.manual_seed(1)
    x, y = torch.randn(40, 33).to(dtype), torch.randn(33, 30).to(dtype).T  # one is a view
    found = getattr(ours, name)(x.to(device), y.to(device), **options)
    assert found.dtype == dtype
    expected = reference(name, x, y, **options)
    error = np.abs(found.double().cpu().numpy() - expected).max()
    assert error <= 4 * torch.finfo(dtype).eps * np.abs(expected).max() + 1e-14
    of_theirs = np.abs(getattr(theirs, name)(x, y, **options).double().numpy() - expected).max()
    assert error <= 2 * of_theirs + 1e-14


@pytest.mark.parametrize("name", [name for name in NAMES if "cosine" not in name])
def test_integers(name):
    x, y = torch.randint(-9, 10, (6, 4)), torch.randint(-9, 10, (5, 4))
    found = getattr(ours, name)(x, y)
    exact = name in ("pairwise_linear_similarity", "pairwise_manhattan_distance")
    assert found.dtype == (torch.int64 if exact else torch.float32)
    close(found, reference(name, x, y), rtol=0 if exact else 1e-6, atol=0 if exact else 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_without_rows(name):
    function = getattr(ours, name)
    x, none = torch.randn(3, 4), torch.empty(0, 4)
    assert function(x, none).shape == (3, 0)
    assert function(none, x).shape == (0, 3)
    assert function(none).shape == (0, 0)
    assert function(none, x, reduction="sum").shape == (0,)
    assert function(x, none, reduction="sum").tolist() == [0, 0, 0]
    if name != "pairwise_cosine_similarity":
        assert function(torch.empty(2, 0), torch.empty(3, 0)).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_common_offset_costs_no_digits():
    torch.manual_seed(2)
    x, y = torch.randn(20, 5, dtype=torch.float64), torch.randn(10, 5, dtype=torch.float64)
    exact = cdist(x.numpy() + 2.0**30, y.numpy() + 2.0**30)
    found = ours.pairwise_euclidean_distance(x + 2.0**30, y + 2.0**30)
    assert np.abs(found.numpy() - exact).max() <= 1e-12
    lost = theirs.pairwise_euclidean_distance(x + 2.0**30, y + 2.0**30).nan_to_num(0.0)
    assert np.abs(lost.numpy() - exact).max() > 1e-3  # so that the comparison above says something


def test_distances_that_nearly_cancel():
    torch.manual_seed(3)
    x = torch.randn(200, 64)
    twice = torch.cat([x, x])
    found = ours.pairwise_euclidean_distance(twice, zero_diagonal=False)
    assert not found.isnan().any()
    assert found.diagonal(200).max() <= 1e-6
    assert theirs.pairwise_euclidean_distance(twice, zero_diagonal=False).isnan().any()
    near = x.double() + 1e-6
    exact = torch.from_numpy(cdist(x.double().numpy(), near.numpy()))
    torch.testing.assert_close(ours.pairwise_euclidean_distance(x.double(), near), exact, rtol=1e-12, atol=2e-7)


def test_what_is_too_large_for_the_square_of_its_dtype():
    x = torch.tensor([[3e30, 4e30], [0.0, 1e-30]])
    close(ours.pairwise_euclidean_distance(x, torch.zeros(1, 2)), [[5e30], [1e-30]], rtol=1e-6, atol=1e23)
    close(ours.pairwise_cosine_similarity(x, torch.tensor([[0.0, 2.0]])), [[0.8], [1.0]])
    half = torch.full((1, 4), 300.0, dtype=torch.float16)
    assert ours.pairwise_euclidean_distance(half, half * 0).item() == 600
    assert theirs.pairwise_euclidean_distance(half, half * 0).isinf()


def test_rows_that_are_not_finite_leave_the_others_alone():
    x = torch.tensor([[1.0, 2.0], [torch.nan, 0.0], [torch.inf, 1.0], [4.0, 6.0]])
    for name in NAMES:
        found = getattr(ours, name)(x, zero_diagonal=False)
        kept = torch.tensor([0, 3])
        close(found[kept][:, kept], reference(name, x[kept], x[kept]), atol=1e-6)
        assert found[1].isnan().all()
    assert ours.pairwise_cosine_similarity(torch.zeros(1, 2), torch.ones(1, 2)).isnan()


@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.floats(1, 8), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_laws(n, m, d, p, seed):
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(rows, d, generator=generator, dtype=torch.float64) for rows in (n, m))
    for name in NAMES:
        function = getattr(ours, name)
        torch.testing.assert_close(function(x, y), function(y, x).T)
        torch.testing.assert_close(function(x, y), torch.cat([function(x[:2], y), function(x[2:], y)]))
    greatest = ours.pairwise_minkowski_distance(x, y, torch.inf)
    minkowski = ours.pairwise_minkowski_distance(x, y, p)
    assert (greatest <= minkowski + 1e-9).all()
    assert (minkowski <= ours.pairwise_manhattan_distance(x, y) + 1e-9).all()
    torch.testing.assert_close(
        ours.pairwise_minkowski_distance(x, y), ours.pairwise_euclidean_distance(x, y), rtol=1e-6, atol=1e-6
    )


@every_function
def test_gradients(name, options):
    torch.manual_seed(4)
    x, y = (torch.randn(rows, 3, dtype=torch.float64, requires_grad=True) for rows in (4, 5))
    assert torch.autograd.gradcheck(lambda a, b: getattr(ours, name)(a, b, **options), (x, y))
    getattr(ours, name)(x, **options).sum().backward()
    assert x.grad.isfinite().all()
    single = grad(lambda a: getattr(ours, name)(a, y.detach(), **options).sum())(x.detach())
    assert single.shape == x.shape


@every_function
def test_vmap_and_compile(name, options):
    torch.manual_seed(5)
    x, y = torch.randn(3, 4, 5), torch.randn(3, 6, 5)
    function = getattr(ours, name)
    each = torch.stack([function(a, b, **options) for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close(vmap(lambda a, b: function(a, b, **options))(x, y), each)
    traced = torch.compile(function, backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(x[0], y[0], **options), each[0])


@pytest.mark.parametrize("name", NAMES)
def test_no_differences_of_all_pairs(name):
    x = torch.randn(300, 400)
    before = torch.empty(300, 300, 400).element_size() * 300 * 300 * 400
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        getattr(ours, name)(x)
    most = max(abs(event.self_cpu_memory_usage) for event in profile.key_averages())
    assert 0 < most < before / 10


@pytest.mark.parametrize("name", NAMES)
def test_errors(name):
    function, x = getattr(ours, name), torch.randn(3, 2)
    with pytest.raises(ValueError, match=rf"{name}: Expected argument `x` to be a 2D .*\(3,\)"):
        function(x[:, 0])
    for wrong in (x[:, :1], x[0]):
        with pytest.raises(ValueError, match=f"{name}: Expected argument `y` to be a 2D"):
            function(x, wrong)
    with pytest.raises(ValueError, match=f"{name}: Expected reduction .* but got max"):
        function(x, reduction="max")
    with pytest.raises(TypeError, match=f"{name}: expected `x` to be a tensor, but got list"):
        function([[1.0]])
    with pytest.raises(TypeError, match=f"{name}: expected `y` of a real type"):
        function(x, x.to(torch.complex64))
    with pytest.raises(ValueError, match=f"{name}: expected `x` to be a dense tensor"):
        function(x.to_sparse())
    of_theirs = list(inspect.signature(getattr(theirs, name)).parameters.items())
    mine = list(inspect.signature(function).parameters.items())
    assert [(key, p.default) for key, p in mine] == [(key, p.default) for key, p in of_theirs]


def test_errors_of_one_function():
    x = torch.randn(3, 2)
    with pytest.raises(TypeError, match="expected `x` and `y` of a floating type"):
        ours.pairwise_cosine_similarity(x.long(), x)
    for wrong in (0.5, "2", None):
        with pytest.raises(TorchMetricsUserError, match="`exponent` to be a number of at least 1"):
            ours.pairwise_minkowski_distance(x, exponent=wrong)
