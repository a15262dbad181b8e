# SPDX-License-Identifier: Apache-2.0
"""A value of each sample is that of a group that has the sample alone."""

import inspect
import itertools

import pytest
import torch

from fastmetrics import classification, regression

N, EXTENT, C, L = 7, 11, 4, 3
SIZES = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": L}}
# What a class needs beside the number of its classes or labels.
NEEDED = {"beta": 0.5}


def task_of(kind):
    return next((task for task in SIZES if kind.__name__.startswith(task)), None)


def parameters(kind):
    return inspect.signature(kind).parameters


SAMPLEWISE = [
    kind
    for kind in (getattr(classification, name) for name in classification.__all__)
    if inspect.isclass(kind) and task_of(kind) and "multidim_average" in parameters(kind)
]


def drawn(task, seed, layout):
    """Scores or labels of N samples in one of three layouts, and their targets, of which -1 is to be ignored."""
    generator = torch.Generator().manual_seed(seed)
    shape = {"Binary": (N, EXTENT), "Multiclass": (N, C, EXTENT), "Multilabel": (N, L, EXTENT)}[task]
    labels = (N, EXTENT) if task == "Multiclass" else shape
    target = torch.randint(-1, C if task == "Multiclass" else 2, labels, generator=generator)
    if layout == "labels":
        return torch.randint(0, C if task == "Multiclass" else 2, labels, generator=generator), target
    preds = torch.randn(shape, generator=generator)
    if layout == "strided":
        return tuple(value.transpose(0, -1).contiguous().transpose(0, -1) for value in (preds, target))
    return preds.sigmoid(), target


def choices(kind, task):
    """Options of a class, each with a layout and whether samples have weights and a mask."""
    needed = {name: value for name, value in NEEDED.items() if name in parameters(kind)}
    averages = [{"average": average} for average in ("macro", None)] if "average" in parameters(kind) else [{}]
    for average, (layout, weighted, masked) in itertools.product(
        averages, (("plain", False, False), ("strided", True, False), ("labels", False, True), ("plain", True, True))
    ):
        yield {**SIZES[task], **needed, **average, "ignore_index": -1}, layout, weighted, masked
    if task == "Multiclass" and "top_k" in parameters(kind):
        yield {**SIZES[task], **needed, "top_k": 2, "ignore_index": -1}, "plain", False, True


@pytest.mark.parametrize("kind", SAMPLEWISE, ids=lambda kind: kind.__name__)
def test_a_sample_is_a_group_of_its_own(kind):
    task = task_of(kind)
    for seed, (options, layout, weighted, masked) in enumerate(choices(kind, task)):
        preds, target = drawn(task, seed, layout)
        generator = torch.Generator().manual_seed(seed)
        given = {}
        if weighted:  # those of exact match are of rows
            size = {"Multilabel": (N, EXTENT), "Multiclass": (N,)}[task] if "Exact" in kind.__name__ else target.shape
            given["weights"] = torch.rand(size, generator=generator)
        if masked:
            given["valid"] = torch.rand(target.shape, generator=generator) > 0.3
        alone, by_groups = kind(**options, multidim_average="samplewise"), kind(**options, num_groups=N)
        for part in (slice(0, 3), slice(3, N)):
            some = {name: value[part] for name, value in given.items()}
            alone.update(preds[part], target[part], **some)
            by_groups.update(preds[part], target[part], groups=torch.arange(N)[part], **some)
        same(by_groups.by_group(), alone.compute())


def same(by_group, alone):
    torch.testing.assert_close(by_group, alone, rtol=2e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize(
    ("each", "whole"),
    [
        (regression.CosineSimilarity(reduction="none"), regression.CosineSimilarity(reduction="mean", num_groups=N)),
        (regression.KLDivergence(reduction="none"), regression.KLDivergence(reduction="mean", num_groups=N)),
        (
            regression.CriticalSuccessIndex(0.5, keep_sequence_dim=0),
            regression.CriticalSuccessIndex(0.5, num_groups=N),
        ),
    ],
    ids=["cosine", "divergence", "events"],
)
def test_rows_without_a_reduction(each, whole):
    first, second = (torch.rand(N, EXTENT, generator=torch.Generator().manual_seed(seed)) for seed in range(2))
    each.update(first, second)
    whole.update(first, second, groups=torch.arange(N))
    same(whole.by_group(), each.compute())
