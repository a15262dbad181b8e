# SPDX-License-Identifier: Apache-2.0
"""Scores of points in clusters, against torchmetrics, scikit-learn, NumPy, and by hand."""

import numpy as np
import pytest
import torch
import torchmetrics.clustering as theirs
import torchmetrics.functional.clustering as their_functions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import fastmetrics.functional.clustering as functions
from fastmetrics import MetricCollection
from fastmetrics import clustering as ours

KINDS = [
    ("CalinskiHarabaszScore", "calinski_harabasz_score", {}),
    ("CalinskiHarabaszScore", "calinski_harabasz_score", {"num_clusters": 9}),
    ("DaviesBouldinScore", "davies_bouldin_score", {}),
    *(("DunnIndex", "dunn_index", {"p": p}) for p in (1, 2, 3.5, float("inf"))),
]
every_score = pytest.mark.parametrize(("name", "function", "options"), KINDS)


def clouds(n=60, d=4, k=5, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, k, (n,), generator=generator)
    centers = 3 * torch.randn(k, d, generator=generator)
    return (centers[labels] + torch.randn(n, d, generator=generator)).to(dtype), labels


def reference(name, data, labels, p=2, num_clusters=None):
    """By scikit-learn and NumPy, in float64."""
    data, labels = data.double().numpy(), labels.numpy()
    if name != "DunnIndex":
        return getattr(sk, "calinski_harabasz_score" if name.startswith("C") else "davies_bouldin_score")(data, labels)
    parts = [data[labels == k] for k in np.unique(labels)]
    centroids = [part.mean(0) for part in parts]
    norm = lambda x: np.linalg.norm(x, ord=p, axis=-1)  # noqa: E731
    apart = min(norm(a - b) for i, a in enumerate(centroids) for b in centroids[:i])
    return apart / max(norm(part - c).max() for part, c in zip(parts, centroids, strict=True))


@every_score
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_against_torchmetrics_and_scikit_learn(device, name, function, options, dtype):
    data, labels = clouds(dtype=dtype)
    expected = reference(name, data, labels, **options)
    metric = getattr(ours, name)(**options).to(device)
    for some in (slice(0, 11), slice(11, 12), slice(12, None)):
        metric.update(data[some].to(device), labels[some].to(device))
    value = metric.compute()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected, rel=1e-6)
    called = getattr(functions, function)(data.to(device), labels.to(device, torch.int16), **options)
    assert called.item() == pytest.approx(expected, rel=1e-6)
    if dtype in (torch.float32, torch.float64) and "num_clusters" not in options:
        other = getattr(theirs, name)(**options)
        torch.testing.assert_close(value.cpu(), other(data, labels).float(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            called.cpu(), getattr(their_functions, function)(data, labels, **options).float(), rtol=1e-4, atol=1e-5
        )


@every_score
def test_labels_of_any_value(name, function, options):
    data, labels = clouds()
    expected = getattr(functions, function)(data, labels, **options)
    if "num_clusters" in options:
        assert getattr(functions, function)(data, labels + 4, **options) == expected  # clusters 0 to 3 are empty
    else:
        assert getattr(functions, function)(data, labels * 2**40 - 7, **options) == expected


def test_by_hand():
    data, labels = torch.tensor([[0.0, 0], [0.5, 0], [1, 0], [0.5, 1]]), torch.tensor([0, 0, 0, 1])
    assert functions.dunn_index(data, labels) == 2
    # centroids (0.5, 0) and (0.5, 1), all (0.5, 0.25); between 3/16 + 9/16, within 1/2
    assert functions.calinski_harabasz_score(data, labels).item() == pytest.approx(0.75 * 2 / 0.5)
    assert functions.davies_bouldin_score(data, labels).item() == pytest.approx((1 / 3 + 0) / 1)
    same = torch.ones(4, 2)
    assert functions.calinski_harabasz_score(same, labels) == 1
    assert functions.calinski_harabasz_score(same, labels, num_clusters=2) == 1
    assert functions.davies_bouldin_score(same, labels) == 0
    assert functions.davies_bouldin_score(data[[0, 2, 1, 1]], torch.tensor([0, 0, 1, 1])) == 0  # one centroid


def test_points_far_from_zero():
    data, labels = clouds(n=500, dtype=torch.float64)
    for name, function, options in KINDS:
        expected = reference(name, data, labels, **options)  # scikit-learn's own loses digits there
        far = getattr(functions, function)(data + 2.0**20, labels, **options)
        assert far.item() == pytest.approx(expected, rel=1e-6)
    metric = ours.CalinskiHarabaszScore(num_clusters=5)
    for some in range(0, 500, 20):
        metric.update(data[some : some + 20] + 2.0**20, labels[some : some + 20])
    assert metric.compute().item() == pytest.approx(sk.calinski_harabasz_score(data.numpy(), labels.numpy()), rel=1e-6)


@given(st.integers(3, 40), st.integers(1, 5), st.integers(2, 4), st.integers(0, 2**31), st.data())
@settings(max_examples=40, deadline=None)
def test_splits_orders_and_merges(n, d, k, seed, drawn):
    data, _ = clouds(n, d, k, seed)
    labels = torch.arange(n) % min(k, n - 1)
    cut, order = drawn.draw(st.integers(0, n)), torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    for name, function, options in (KINDS[0], KINDS[1], KINDS[2], KINDS[5]):
        whole = getattr(functions, function)(data, labels, **options)
        first, second = getattr(ours, name)(**options), getattr(ours, name)(**options)
        first.update(data[order[:cut]], labels[order[:cut]])
        second.update(data[order[cut:]], labels[order[cut:]])
        first.merge_state(second)
        torch.testing.assert_close(first.compute(), whole, rtol=1e-5, atol=1e-6)


def test_states():
    data, labels = clouds()
    metric = ours.CalinskiHarabaszScore(num_clusters=5)
    metric.update(data, labels)
    metric.update(data, labels)
    assert metric.moments.shape == (4, 5, 3)
    assert metric.moments[0, :, 0].tolist() == (2 * labels.bincount(minlength=5)).tolist()
    collection = MetricCollection([ours.CalinskiHarabaszScore(), ours.DaviesBouldinScore(), ours.DunnIndex()])
    collection.update(data, labels)
    assert len(collection.compute_groups) == 1  # the points are kept once
    values = collection.compute()
    assert values["DunnIndex"] == functions.dunn_index(data, labels)


@every_score
def test_valid(name, function, options):
    data, labels = clouds()
    valid = torch.rand(60, generator=torch.Generator().manual_seed(1)) < 0.7
    data[~valid] = torch.nan
    value = getattr(functions, function)(data, torch.where(valid, labels, 777), valid=valid, **options)
    assert value.item() == pytest.approx(reference(name, data[valid], labels[valid], **options), rel=1e-6)


@every_score
def test_errors(name, function, options):
    metric, (data, labels) = getattr(ours, name)(**options), clouds()
    for wrong, match in (
        ((data[0], labels), "Expected 2D data, got 1D"),
        ((data.long(), labels), "Expected floating point data, got torch.int64"),
        ((data, labels[:, None]), "Expected 1D labels, got 2D"),
        ((data, labels.float()), "Expected integer labels, got torch.float32"),
        ((data, labels[:5]), "a label for each of 60 points, got 5"),
        ((data[:, :0], labels), "at least one column"),
    ):
        with pytest.raises(ValueError, match=match):
            metric.update(*wrong)
    with pytest.raises(ValueError, match="Points have no weights"):
        metric.update(data, labels, weights=torch.ones(60))
    assert not metric.update_called
    with pytest.raises(ValueError, match="Got 0 clusters and 0 samples"), pytest.warns(UserWarning, match="before"):
        metric.compute()
    metric.update(data, labels * 0)
    with pytest.raises(ValueError, match="Got 1 clusters and 60 samples"):
        metric.compute()
    if name != "DunnIndex":
        with pytest.raises(ValueError, match=r"less than the number of samples\. Got 3 clusters and 3 samples"):
            getattr(functions, function)(data[:3], torch.arange(3), **options)
    if "num_clusters" not in options:
        metric.update(data[:, :3], labels)
        with pytest.raises(ValueError, match=r"same number of columns, but got \[3, 4\]"):
            metric.compute()


def test_errors_of_arguments_and_of_labels_out_of_range():
    for wrong in (0, 2.0):
        with pytest.raises(ValueError, match="`num_clusters` to be a positive integer"):
            ours.CalinskiHarabaszScore(wrong)
    for wrong in (-1, "2", float("nan")):
        with pytest.raises(ValueError, match="`p` to be a number of at least 0"):
            ours.DunnIndex(wrong)
    data, labels = clouds()
    metric = ours.CalinskiHarabaszScore(num_clusters=4)
    with pytest.raises(RuntimeError, match=r"`labels` in \[0, 3\], but \d+ lay outside, the first is 4"):
        metric.update(data, labels)
    kept = labels < 4
    expected = sk.calinski_harabasz_score(data[kept].double().numpy(), labels[kept].numpy())
    assert metric.compute().item() == pytest.approx(expected, rel=1e-6)  # the others stay counted
    with pytest.raises(ValueError, match="coordinates"):
        metric.update(data[:, :2], labels)
