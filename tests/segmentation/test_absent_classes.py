# SPDX-License-Identifier: Apache-2.0
"""Segmentation scores of images that lack classes, of empty masks, and of perfect masks."""

import math

import numpy as np
import pytest
import torch
import torchmetrics.segmentation
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmetrics.functional.segmentation as functions
from fastmetrics import MetricCollection
from fastmetrics.formulas.segmentation import DICE, INTERSECTION_OVER_UNION, generalized_dice, ratio
from fastmetrics.segmentation import GeneralizedDiceScore

NAN = math.nan
WEIGHTS = ("square", "simple", "linear")
every_weight = pytest.mark.parametrize("weight_type", WEIGHTS)


def close(value, expected):
    torch.testing.assert_close(value.cpu().double(), torch.tensor(expected, dtype=torch.float64), equal_nan=True)


@every_weight
def test_perfect_masks_of_four_images_with_a_class_in_one_of_them(device, weight_type):
    target = torch.zeros(4, 2, 2, dtype=torch.int64, device=device)
    target[0, 0] = 1
    options = {"num_classes": 3, "per_class": True, "weight_type": weight_type, "input_format": "index"}
    close(GeneralizedDiceScore(**options).to(device)(target, target), [1, 0.25, 0])  # as torchmetrics
    close(torchmetrics.segmentation.GeneralizedDiceScore(**options).to(device)(target, target), [1, 0.25, 0])
    close(GeneralizedDiceScore(**options, zero_division=NAN).to(device)(target, target), [1, 1, NAN])
    close(GeneralizedDiceScore(**options, zero_division=1).to(device)(target, target), [1, 1, 1])
    # of the images with the class, or with pixels predicted as it, half are right
    preds = target.clone()
    preds[1] = 1
    found = GeneralizedDiceScore(**options, zero_division=NAN).to(device)(preds, target)
    close(found, [0.75, 0.5, NAN])


@every_weight
def test_images_without_foreground(device, weight_type):
    background = torch.zeros(2, 3, 3, dtype=torch.int64, device=device)
    wrong = background.clone()
    wrong[1, 1] = 1
    options = {"num_classes": 3, "include_background": False, "weight_type": weight_type, "input_format": "index"}
    for zero_division, of_empty in ((0, 0), (1.0, 1), (NAN, NAN)):
        score = functions.generalized_dice_score(wrong, background, **options, zero_division=zero_division)
        close(score, [of_empty, 0])  # predicted pixels of a class that is not there are wrong, not undefined
        close(
            functions.generalized_dice_score(background, background, **options, zero_division=zero_division),
            [of_empty] * 2,
        )
    metric = GeneralizedDiceScore(**options, zero_division=NAN).to(device)
    metric.update(background, background)
    assert metric.compute().isnan()
    metric.update(wrong, background)
    assert metric.compute() == 0


def test_an_ignored_class_is_absent(device):
    target = torch.tensor([[[0, 1], [2, 2]]], device=device)
    options = {"num_classes": 3, "per_class": True, "input_format": "index", "ignore_index": 1}
    close(functions.generalized_dice_score(target, target, **options, zero_division=NAN), [[1, NAN, 1]])


def test_images_without_pixels_have_no_score(device):
    target = torch.zeros(2, 2, 2, dtype=torch.int64, device=device)
    valid = torch.tensor([True, False], device=device)
    for zero_division in (0, 1, NAN):
        options = {"num_classes": 2, "input_format": "index", "zero_division": zero_division}
        close(functions.generalized_dice_score(target, target, **options, valid=valid), [1, NAN])


def test_different_options_keep_different_sums(device):
    target = torch.tensor([[[0, 1], [1, 1]], [[0, 0], [0, 0]]], device=device)
    options = {"num_classes": 3, "per_class": True, "input_format": "index"}
    members = {
        name: GeneralizedDiceScore(**options, zero_division=z) for name, z in (("zero", 0), ("one", 1.0), ("nan", NAN))
    }
    expected = {"zero": [1, 0.5, 0], "one": [1, 1, 1], "nan": [1, 1, NAN]}
    for collection in (MetricCollection(members), torchmetrics.MetricCollection(members)):
        collection.to(device)
        for _ in range(2):
            collection.update(target, target)
        for name, value in collection.compute().items():
            close(value, expected[name])
        collection.reset()


def test_wrong_options():
    for wrong in (0.5, 2, None, "nan"):
        with pytest.raises(ValueError, match="Expected argument `zero_division` to be 0, 1 or NaN, but got"):
            GeneralizedDiceScore(3, zero_division=wrong)


# A table of an image: intersection, predicted and target pixels of each class, many of them absent.
classes = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(
    lambda c: [c[0], c[0] + c[1], c[0] + c[2]]
)
tables = st.lists(st.one_of(st.just([0, 0, 0]), classes), min_size=1, max_size=4)


def by_hand(table, weight_type, zero_division):
    """Scores of the classes and of the image, in numpy."""
    overlap, predicted, actual = np.array(table, dtype=np.float64).T
    exponent = {"linear": 0, "simple": -1, "square": -2}[weight_type]
    weight = np.array([size**exponent if size or not exponent else NAN for size in actual])
    weight = np.where(np.isnan(weight), np.nanmax(weight) if not np.isnan(weight).all() else 0.0, weight)

    def score(o, p, a, w, pixels):
        if not pixels:
            return zero_division
        return 2 * (w * o).sum() / (w * (p + a)).sum() if (w * (p + a)).sum() else 0.0

    each = [score(o, p, a, w, p + a) for o, p, a, w in zip(overlap, predicted, actual, weight, strict=True)]
    return each, score(overlap, predicted, actual, weight, (predicted + actual).sum())


@given(tables, st.sampled_from(WEIGHTS), st.sampled_from([0.0, 1.0, NAN]))
@settings(max_examples=200, deadline=None)
def test_generalized_dice_of_any_table(table, weight_type, zero_division):
    each, whole = by_hand(table, weight_type, zero_division)
    counts = torch.tensor(table)
    if not counts.any():
        each, whole = [NAN] * len(table), NAN  # an image without pixels
    arguments = {"include_background": True, "ignore_index": None, "zero_division": zero_division}
    close(generalized_dice(counts, weight_type, per_class=True, **arguments), each)
    close(generalized_dice(counts, weight_type, per_class=False, **arguments), whole)
    # the same counts as tp, fp, tn, fn of masks, which also count where nothing is
    tp, predicted, actual = counts.unbind(-1)
    masks = torch.stack([tp, predicted - tp, torch.ones_like(tp), actual - tp], -1)
    close(
        generalized_dice(masks, weight_type, per_class=True, **arguments), by_hand(table, weight_type, zero_division)[0]
    )


@given(
    tables, st.sampled_from(["micro", "macro", "weighted", "none"]), st.sampled_from([DICE, INTERSECTION_OVER_UNION])
)
@settings(max_examples=200, deadline=None)
def test_ratios_of_any_table(table, average, of):
    overlap, predicted, actual = np.array(table, dtype=np.float64).T
    size = predicted + actual if of is DICE else predicted + actual - overlap
    factor = 2 if of is DICE else 1
    with np.errstate(invalid="ignore"):
        each = factor * overlap / size
        known = size > 0
        expected = {
            "micro": factor * overlap.sum() / size.sum(),
            "macro": each[known].mean() if known.any() else NAN,
            "weighted": (actual * np.where(known, each, 0)).sum() / actual.sum() if actual.sum() else 0.0,
            "none": each,
        }[average]
    if not known.any():
        expected = [NAN] * len(table) if average == "none" else NAN
    found = ratio(torch.tensor(table), of, average, include_background=True, ignore_index=None)
    torch.testing.assert_close(found.double(), torch.tensor(expected).double(), equal_nan=True, rtol=1e-6, atol=0)


@given(tables, st.sampled_from(WEIGHTS))
@settings(max_examples=100, deadline=None)
def test_perfect_masks_have_a_score_of_one_or_none(table, weight_type):
    counts = torch.tensor(table)
    perfect = counts[:, 2:].expand(-1, 3)
    arguments = {"include_background": True, "ignore_index": None, "zero_division": NAN}
    for per_class in (True, False):
        score = generalized_dice(perfect, weight_type, per_class=per_class, **arguments)
        present = perfect.any(-1) if per_class else perfect.any()
        close(score, torch.where(present, 1.0, NAN).tolist())
