# SPDX-License-Identifier: Apache-2.0
"""Matthews' coefficient of targets or predictions of one class, against scikit-learn and torchmetrics."""

import math
import warnings

import pytest
import torch
import torchmetrics.functional.classification as their_functions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import fastmetrics.functional.classification as functions
from fastmetrics import classification

pairs = st.integers(1, 6).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 1), min_size=n, max_size=n) for _ in range(2)))
)


def values(preds, target, **options):
    """Of the three tasks, which are the same for two classes."""
    preds, target = torch.tensor(preds), torch.tensor(target)
    return [
        functions.binary_matthews_corrcoef(preds, target, **options).item(),
        functions.multiclass_matthews_corrcoef(preds, target, 2, **options).item(),
        functions.multilabel_matthews_corrcoef(
            preds.reshape(-1, 1).repeat(1, 2), target.reshape(-1, 1).repeat(1, 2), 2, **options
        ).item(),
    ]


@given(pairs)
@settings(max_examples=100, deadline=None)
def test_matthews_of_few_samples(labels):
    preds, target = labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.matthews_corrcoef(target, preds)
        theirs = their_functions.binary_matthews_corrcoef(torch.tensor(preds), torch.tensor(target)).item()
    assert values(preds, target, undefined=0) == pytest.approx([expected] * 3, abs=1e-6)
    assert values(preds, target)[:2] == pytest.approx([theirs] * 2, abs=1e-6)
    one_class = len(set(preds)) == 1 or len(set(target)) == 1
    for undefined in (1, math.nan):
        wanted = undefined if one_class else expected
        assert values(preds, target, undefined=undefined) == pytest.approx([wanted] * 3, abs=1e-6, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_matthews_of_several_classes(labels):
    preds, target = (torch.tensor(column) for column in zip(*labels, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.matthews_corrcoef(target, preds)
    for options in ({}, {"undefined": 0.0}):
        found = functions.multiclass_matthews_corrcoef(preds, target, 4, **options)
        assert found.item() == pytest.approx(expected, abs=1e-6)
    weights = torch.full((len(preds),), 0.1)  # sums of which round
    found = functions.multiclass_matthews_corrcoef(preds, target, 4, weights=weights, undefined=math.nan)
    one_class = len(set(preds.tolist())) == 1 or len(set(target.tolist())) == 1
    assert found.item() == pytest.approx(math.nan if one_class else expected, abs=1e-6, nan_ok=True)


def test_without_samples_and_wrong_options(device):
    nothing = torch.empty(0, dtype=torch.int64, device=device)
    assert functions.binary_matthews_corrcoef(nothing, nothing, undefined=math.nan).isnan()
    constant = classification.MatthewsCorrCoef(task="binary", undefined=0.0).to(device)
    right = torch.tensor([1, 1, 1, 1, 0, 0], device=device)
    assert constant(torch.ones_like(right), right) == 0
    for make in (
        classification.BinaryMatthewsCorrCoef,
        lambda **options: classification.MulticlassMatthewsCorrCoef(3, **options),
        lambda **options: classification.MultilabelMatthewsCorrCoef(3, **options),
    ):
        with pytest.raises(ValueError, match=r"Expected argument `undefined` to be 0, 1 or NaN, but got 0.5"):
            make(undefined=0.5)
