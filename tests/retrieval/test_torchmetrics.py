# SPDX-License-Identifier: Apache-2.0
"""Values, shapes, dtypes and errors of torchmetrics, over its arguments."""

import itertools

import pytest
import torch
import torchmetrics

import fastmetrics
from fastmetrics import functional, retrieval

KINDS = {
    "RetrievalAUROC": {"top_k": (None, 1, 5), "max_fpr": (None, 0.3, 1.0)},
    "RetrievalFallOut": {"top_k": (None, 1, 5, 100)},
    "RetrievalHitRate": {"top_k": (None, 1, 5, 100)},
    "RetrievalMAP": {"top_k": (None, 1, 5, 100)},
    "RetrievalMRR": {"top_k": (None, 1, 5, 100)},
    "RetrievalNormalizedDCG": {"top_k": (None, 1, 5, 100)},
    "RetrievalPrecision": {"top_k": (None, 1, 5, 100), "adaptive_k": (False, True)},
    "RetrievalPrecisionRecallCurve": {"max_k": (None, 1, 5, 100), "adaptive_k": (False, True)},
    "RetrievalRPrecision": {},
    "RetrievalRecall": {"top_k": (None, 1, 5, 100)},
    "RetrievalRecallAtFixedPrecision": {"min_precision": (0.0, 0.4, 1.0), "max_k": (None, 5), "adaptive_k": (True,)},
}


def spread(values, *, dim=None):
    """An aggregation of one's own."""
    return values.amax() - values.amin() if dim is None else values.amax(dim) - values.amin(dim)


AGGREGATIONS = ("mean", "median", "min", "max", spread)


def options_of(name):
    """Every choice of the arguments of a metric."""
    grid = KINDS[name]
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def documents(seed=0, n=600, queries=50, ties=False):
    """Scores on both sides of 0, relevance and queries: some with only relevant documents, some without."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(-(2**62), 2**62, (queries,), generator=generator)
    indexes = ids[torch.randint(0, queries, (n,), generator=generator)]
    preds = torch.randperm(n, generator=generator).float() / n - 0.2
    if ties:
        preds = preds.mul(4).round() / 4
    target = torch.randint(0, 2, (n,), generator=generator)
    target[indexes % 7 == 0] = 0
    target[indexes % 7 == 1] = 1
    return preds, target, indexes


def compare(name, options, batches, **more):
    ours, theirs = (getattr(of, name)(**options, **more) for of in (retrieval, torchmetrics.retrieval))
    for batch in batches:
        ours.update(*batch)
        theirs.update(*batch)
    found, expected = ours.compute(), theirs.compute()
    if options.get("max_k") == 1:  # a curve of one point stays one
        found = tuple(value.squeeze() for value in found)
    torch.testing.assert_close(found, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("action", ["neg", "pos", "skip"])
def test_arguments(name, action):
    batch = documents()
    parts = list(zip(*(value.split(170) for value in batch), strict=True))
    in_unit = [(preds.clamp(0, 1), *rest) for preds, *rest in parts] if name == "RetrievalAUROC" else parts
    for options in options_of(name):
        compare(name, options, in_unit, empty_target_action=action)


@pytest.mark.parametrize("name", KINDS)
def test_aggregations(name):
    (options, *_) = options_of(name)
    for aggregation, action in itertools.product(AGGREGATIONS, ("neg", "skip")):
        compare(name, options, [documents(1), documents(2)], aggregation=aggregation, empty_target_action=action)


@pytest.mark.parametrize("name", KINDS)
def test_ignored(name):
    preds, target, indexes = documents(3)
    target[torch.arange(len(target)) % 5 == 0] = -1
    for options in options_of(name):
        compare(name, options, [(preds, target, indexes)], ignore_index=-1)


def test_ties():
    """Other metrics of torchmetrics take them in the order of a sort that does not say what it does with them."""
    for options in options_of("RetrievalNormalizedDCG"):
        compare("RetrievalNormalizedDCG", options, [documents(4, ties=True)])


def test_graded():
    generator = torch.Generator().manual_seed(5)
    preds, _, indexes = documents(5, ties=True)
    for target in (torch.randint(0, 6, (600,), generator=generator), torch.rand(600, generator=generator) * 9):
        for options in options_of("RetrievalNormalizedDCG"):
            compare("RetrievalNormalizedDCG", options, [(preds, target, indexes)])


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("RetrievalRPrecision", "RetrievalAUROC")])
def test_partly_relevant(name):
    """Numbers between 0 and 1, which torchmetrics adds up."""
    preds, target, indexes = documents(6)
    for options in options_of(name):
        compare(name, options, [(preds, target * 0.75, indexes)])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("target_dtype", [torch.bool, torch.int32, torch.int64, torch.float32])
def test_types_and_shapes(dtype, target_dtype):
    preds, target, indexes = (value[:256].reshape(8, 32) for value in documents(7))
    batch = preds.to(dtype), target.to(target_dtype), indexes % 5
    for name in ("RetrievalNormalizedDCG", "RetrievalRecall"):
        compare(name, {"top_k": 3}, [batch])


FUNCTIONS = {kind.function_name: name for name in KINDS if "function_name" in vars(kind := getattr(retrieval, name))}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions(function):
    ours = getattr(functional.retrieval, function)
    theirs = getattr(torchmetrics.functional.retrieval, function)
    assert getattr(functional, function, ours) is ours
    for seed, n in ((0, 1), (1, 2), (2, 30)):
        preds, target, _ = documents(seed, n)
        preds = preds.clamp(0, 1) if function == "retrieval_auroc" else preds
        for options in options_of(FUNCTIONS[function]):
            for relevance in (target, target * 0, target * 0 + 1):
                found, expected = ours(preds, relevance, **options), theirs(preds, relevance, **options)
                torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_errors():
    preds, target, indexes = documents()
    for name, arguments in KINDS.items():
        ours, theirs = getattr(retrieval, name), getattr(torchmetrics.retrieval, name)
        for wrong in (
            {"empty_target_action": "casual"},
            {"ignore_index": 0.5},
            {"aggregation": "sum"},
            *({key: -1} for key in arguments if key in ("top_k", "max_k") and name not in ("RetrievalMAP",)),
            *({key: "yes"} for key in arguments if key == "adaptive_k"),
            *({key: 1.5} for key in arguments if key == "min_precision"),
        ):
            with pytest.raises(ValueError):
                ours(**wrong)
            if not (name == "RetrievalMRR" and "top_k" in wrong):  # which does not look
                with pytest.raises(ValueError):
                    theirs(**wrong)
        for batch in (
            (preds, target[:-1], indexes),
            (preds, target, indexes[:-1]),
            (preds, target, indexes.int()),
            (preds.long(), target, indexes),
            (preds, target * (1 + 0j), indexes),
            *([(preds, target * 2, indexes)] if name != "RetrievalNormalizedDCG" else []),
        ):
            for metric in (ours(), theirs()):
                with pytest.raises(ValueError):
                    metric.update(*batch)
        lacking = target * 0 + (name == "RetrievalFallOut")
        for metric in (ours(empty_target_action="error"), theirs(empty_target_action="error")):
            metric.update(preds, lacking, indexes)
            with pytest.raises(ValueError, match=r"query with no (positive|negative) target"):
                metric.compute()


def test_names():
    for name in KINDS:
        assert name in retrieval.__all__
        if name != "RetrievalAUROC":
            assert getattr(fastmetrics, name) is getattr(retrieval, name)
