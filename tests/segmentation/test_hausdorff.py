# SPDX-License-Identifier: Apache-2.0
"""Hausdorff distances against torchmetrics, SciPy's distance transforms, all pairs of edges, and by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
import torchmetrics.functional.segmentation as their_functions
import torchmetrics.segmentation as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch.func import vmap
from torch.nn.functional import one_hot

import fastmetrics.functional.segmentation as functions
from fastmetrics.formulas import surfaces
from fastmetrics.segmentation import HausdorffDistance
from tests.metric.test_no_waiting import NoWaiting

C = 3
METRICS = ("euclidean", "chessboard", "taxicab")


@pytest.fixture(params=["by edge", "by transform", "either"])
def way(request, monkeypatch):
    """Both ways to get a distance, and the choice between them."""
    if request.param != "either":
        monkeypatch.setattr(surfaces, "_FEW", 1 << 40 if request.param == "by edge" else -1)


def blobs(n=2, size=18, classes=C, seed=0):
    """Labels of overlapping discs, which leave no class out."""
    generator = torch.Generator().manual_seed(seed)
    at = torch.arange(size)
    images = torch.zeros(n, size, size, dtype=torch.int64)
    for image, label in itertools.product(range(n), range(1, classes)):
        y, x, radius = torch.randint(3, size - 3, (3,), generator=generator).tolist()
        images[image][(at[:, None] - y) ** 2 + (at - x) ** 2 <= min(radius, 4) ** 2] = label
    images[:, 0, :classes] = torch.arange(classes)
    return images


def as_input(images, kind, classes=C):
    masks = one_hot(images, classes).movedim(-1, 1)
    return {"labels": images, "masks": masks, "bools": masks.bool(), "scores": masks.float() * 2 - 1}[kind]


def by_scipy(preds, target, metric, spacing, directed):
    """Of one pair of bool masks of any number of dimensions."""
    preds, target = (mask & ~ndimage.binary_erosion(mask) for mask in (preds.numpy(), target.numpy()))
    if not preds.any() and not target.any():
        return math.nan
    if not preds.any() or not target.any():
        return math.inf

    def one_way(start, end):
        if metric == "euclidean":
            return ndimage.distance_transform_edt(~end, sampling=spacing)[start].max()
        x, y = np.argwhere(start) * spacing, np.argwhere(end) * spacing
        between = np.abs(x[:, None] - y)
        return (between.max(-1) if metric == "chessboard" else between.sum(-1)).min(1).max()

    return one_way(preds, target) if directed else max(one_way(preds, target), one_way(target, preds))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("spacing", [None, [2, 1], [0.5, 1.25]])
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("include_background", [True, False])
def test_against_torchmetrics(device, way, metric, spacing, directed, include_background):
    options = {"distance_metric": metric, "spacing": spacing, "directed": directed}
    options |= {"num_classes": C, "include_background": include_background, "input_format": "index"}
    mine, other = HausdorffDistance(**options).to(device), theirs.HausdorffDistance(**options)
    for seed in (0, 1):
        batch = blobs(seed=seed), blobs(seed=seed + 7)
        expected = their_functions.hausdorff_distance(*batch, **options)
        found = functions.hausdorff_distance(*(value.to(device) for value in batch), **options)
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-6, atol=1e-6)
        other.update(*batch)
        mine.update(*(value.to(device) for value in batch))
    torch.testing.assert_close(mine.compute().cpu(), other.compute(), rtol=1e-6, atol=1e-6)


INPUTS = [("index", "labels", "labels"), ("one-hot", "masks", "masks"), ("one-hot", "bools", "bools")]
INPUTS += [("one-hot", "scores", "scores"), ("one-hot", "scores", "masks"), ("mixed", "scores", "labels")]
INPUTS += [("mixed", "labels", "masks"), ("mixed", "labels", "scores")]


@pytest.mark.parametrize(("input_format", "preds", "target"), INPUTS)
def test_inputs(device, input_format, preds, target):
    images = blobs(3), blobs(3, seed=5)
    expected = functions.hausdorff_distance(*images, C, input_format="index")
    batch = as_input(images[0], preds), as_input(images[1], target)
    found = functions.hausdorff_distance(*(value.to(device) for value in batch), C, input_format=input_format)
    assert torch.equal(found.cpu(), expected)
    if input_format != "mixed" or target != "scores":
        of_theirs = their_functions.hausdorff_distance(*batch, C, input_format=input_format)
        torch.testing.assert_close(expected, of_theirs)


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
    st.sampled_from(METRICS),
    st.booleans(),
    st.sampled_from([0.05, 0.5, 0.95]),
    st.lists(st.sampled_from([1.0, 2.0, 0.3]), min_size=3, max_size=3),
    st.integers(0, 2**31),
)
@settings(max_examples=120, deadline=None)
def test_masks_of_any_shape_against_scipy(space, metric, directed, share, spacing, seed):
    generator = torch.Generator().manual_seed(seed)
    preds, target = (torch.rand(2, 2, *space, generator=generator) < share for _ in range(2))
    spacing = spacing[: len(space)]
    expected = [
        [by_scipy(p, t, metric, spacing, directed) for p, t in zip(*images, strict=True)]
        for images in zip(preds, target, strict=True)
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    for few in (-1, surfaces._FEW, 1 << 40):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(surfaces, "_FEW", few)
            found = surfaces.hausdorff(preds, target, metric, spacing, directed)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_by_hand(device, way):
    preds, target = torch.zeros(1, 1, 5, 9, dtype=torch.bool), torch.zeros(1, 1, 5, 9, dtype=torch.bool)
    preds[0, 0, 0, 0] = preds[0, 0, 4, 8] = target[0, 0, 3, 4] = True
    preds, target = preds.to(device), target.to(device)
    # (0, 0) and (3, 4): 3, 4; (4, 8) and (3, 4): 1, 4
    for metric, expected in (("euclidean", 5), ("chessboard", 4), ("taxicab", 7)):
        assert functions.hausdorff_distance(preds, target, 1, distance_metric=metric).tolist() == [[expected]]
    assert functions.hausdorff_distance(target, preds, 1, directed=True).item() == pytest.approx(math.sqrt(17))
    assert functions.hausdorff_distance(preds, target, 1, spacing=[2.0, 1.0]).item() == pytest.approx(math.sqrt(52))
    assert functions.hausdorff_distance(preds, preds, 1).tolist() == [[0]]


def test_edges():
    full = torch.ones(1, 4, 5, dtype=torch.bool)
    expected = torch.ones(4, 5, dtype=torch.bool)
    expected[1:-1, 1:-1] = False
    assert torch.equal(surfaces.edges(full)[0], expected)
    noise = torch.rand(6, 5, 6, 4) < 0.8
    for mask, found in zip(noise, surfaces.edges(noise), strict=True):
        assert torch.equal(found, mask & ~torch.from_numpy(ndimage.binary_erosion(mask.numpy())))


def test_masks_that_are_empty(device, way):
    preds, target = torch.zeros(3, 2, 4, 4, dtype=torch.bool), torch.zeros(3, 2, 4, 4, dtype=torch.bool)
    preds[:, 0, 1, 1] = target[:, 0, 1, 3] = preds[1, 1, 0, 0] = True
    preds, target = preds.to(device), target.to(device)
    options = {"num_classes": 2, "include_background": True}
    found = functions.hausdorff_distance(preds, target, **options)
    torch.testing.assert_close(
        found.cpu(), torch.tensor([[2, torch.nan], [2, torch.inf], [2, torch.nan]]), equal_nan=True
    )
    metric = HausdorffDistance(**options).to(device)
    assert metric(preds[::2], target[::2]) == 2  # a class that is in neither mask has no distance
    assert metric(preds, target).isinf()
    assert metric(preds[:0], target[:0]).isnan()
    with pytest.raises(RuntimeError):
        their_functions.hausdorff_distance(preds[:1].cpu(), target[:1].cpu(), **options)


def test_images_that_are_no_squares():
    preds, target = torch.zeros(1, 1, 3, 40, dtype=torch.bool), torch.zeros(1, 1, 3, 40, dtype=torch.bool)
    preds[..., 1, 2] = target[..., 1, 37] = True
    assert functions.hausdorff_distance(preds, target, 1).item() == 35
    assert their_functions.hausdorff_distance(preds, target, 1).item() != 35  # it takes rows for columns


@given(st.integers(0, 4), st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_splits_and_merges(cut, seed):
    preds, target = blobs(4, seed=seed), blobs(4, seed=seed + 1)
    options = {"num_classes": C, "input_format": "index"}
    whole, first, second = (HausdorffDistance(**options) for _ in range(3))
    whole.update(preds, target)
    first.update(preds[:cut], target[:cut])
    second.update(preds[cut:], target[cut:])
    first.merge_state(second)
    torch.testing.assert_close(first.compute(), whole.compute())
    each = functions.hausdorff_distance(preds, target, **options)
    torch.testing.assert_close(whole.compute(), each.mean())


def test_weights_and_valid(device):
    preds, target = blobs(4).to(device), blobs(4, seed=3).to(device)
    options = {"num_classes": C, "input_format": "index"}
    each = functions.hausdorff_distance(preds, target, **options)
    metric, weights = HausdorffDistance(**options).to(device), torch.tensor([1.0, 0.0, 2.0, 0.5], device=device)
    torch.testing.assert_close(metric(preds, target, weights=weights), (each.mean(1) * weights).sum() / 3.5)
    valid = torch.tensor([True, False, True, False], device=device)
    torch.testing.assert_close(metric(preds, target, valid=valid), each[::2].mean())
    pixels = torch.ones_like(preds, dtype=torch.bool)
    pixels[:, 9:] = False
    above = functions.hausdorff_distance(preds, target, **options, valid=pixels)
    cut = [torch.where(pixels, images, 0) for images in (preds, target)]
    torch.testing.assert_close(above, functions.hausdorff_distance(*cut, **options), equal_nan=True)
    with pytest.raises(ValueError, match=r"`weights` of images, of shape \(N,\)"):
        metric(preds, target, weights=pixels.float())


def test_vmap_and_compile():
    preds, target = torch.stack([blobs(), blobs(seed=4)]), torch.stack([blobs(seed=2), blobs(seed=3)])

    def distance(preds, target):
        return functions.hausdorff_distance(preds, target, C, input_format="index")

    each = torch.stack([distance(p, t) for p, t in zip(preds, target, strict=True)])
    torch.testing.assert_close(vmap(distance)(preds, target), each)
    torch.testing.assert_close(torch.compile(distance, backend="eager", fullgraph=True)(preds[0], target[0]), each[0])


def test_other_devices_do_not_wait(monkeypatch):
    preds, target = (as_input(blobs(seed=seed), "bools") for seed in (0, 1))
    for metric, spacing in itertools.product(METRICS, ((1.0, 1.0), (0.5, 2.0))):
        options = {"metric": metric, "spacing": spacing, "directed": False}
        expected = surfaces.hausdorff(preds, target, **options)
        with monkeypatch.context() as patched:
            patched.setattr(surfaces, "_may_look", lambda values: False)
            with NoWaiting():
                found = surfaces.hausdorff(preds, target, **options)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert surfaces.hausdorff(preds.to("meta"), target.to("meta"), **options).shape == (2, C)  # there is nothing to see


def test_errors(device):
    for wrong, match in (
        ({"num_classes": 0}, "`num_classes` must be a positive integer"),
        ({"include_background": 1}, "`include_background` must be a boolean"),
        ({"distance_metric": "manhattan"}, "`distance_metric` to be one of"),
        ({"directed": None}, "`directed` must be a boolean"),
        ({"input_format": "labels"}, "`input_format`"),
        ({"spacing": "ab"}, "Arg `spacing` must be a list or tensor"),
        ({"spacing": [1.0, -1.0]}, "`spacing` to be numbers above 0"),
    ):
        with pytest.raises(ValueError, match=match):
            HausdorffDistance(**{"num_classes": C, **wrong})
    labels = blobs().to(device)
    metric = HausdorffDistance(C, spacing=torch.tensor([1.0, 1.0, 1.0]), input_format="index").to(device)
    with pytest.raises(ValueError, match="`spacing` to have a number for each of 2 spatial dimensions, but got 3"):
        metric.update(labels, labels)
    assert not metric.update_called
    metric = HausdorffDistance(C, input_format="index").to(device)
    with pytest.raises(RuntimeError, match=r"labels in \[0, 2\].* in `preds`, but 1 other values came, the first is 7"):
        metric(labels.index_fill(0, torch.tensor([0], device=device), 7)[:1, :1, :1], labels[:1, :1, :1])
    masks = as_input(labels, "masks").clone()
    masks[0, 0, 0, 0] = 5
    metric = HausdorffDistance(C).to(device)
    with pytest.raises(RuntimeError, match="masks of 0 and 1, in `target`, but 1 other values came, the first is 5"):
        metric(as_input(labels, "masks"), masks)
