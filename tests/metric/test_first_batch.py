# SPDX-License-Identifier: Apache-2.0
"""Sizes that the first batch fixes, and batches that are refused: they change nothing."""

import copy
import pickle

import pytest
import torch
import torchmetrics

from fastmetrics import MetricCollection, R2Score
from fastmetrics.functional.nominal import fleiss_kappa
from fastmetrics.functional.regression import explained_variance, r2_score
from fastmetrics.functional.segmentation import mean_iou
from fastmetrics.nominal import FleissKappa
from fastmetrics.regression import ExplainedVariance
from fastmetrics.segmentation import MeanIoU
from tests.support.cases import every_metric, filled, states

pytestmark = pytest.mark.filterwarnings("ignore")


def ratings(size, seed=0):
    return (torch.randint(0, 5, (6, size), generator=torch.Generator().manual_seed(seed)),)


def pairs(size, seed=0):
    return tuple(torch.rand(2, 6, size, generator=torch.Generator().manual_seed(seed)))


def masks(size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(0, 2, (2, 6, size, 4), generator=generator))


SIZED = pytest.mark.parametrize(
    ("make", "batch", "function"),
    [
        pytest.param(FleissKappa, ratings, fleiss_kappa, id="FleissKappa"),
        pytest.param(
            lambda: R2Score(multioutput="raw_values"),
            pairs,
            lambda x, y: r2_score(x, y, multioutput="raw_values"),
            id="R2",
        ),
        pytest.param(
            lambda: ExplainedVariance(multioutput="raw_values"),
            pairs,
            lambda x, y: explained_variance(x, y, multioutput="raw_values"),
            id="ExplainedVariance",
        ),
        pytest.param(
            lambda: MeanIoU(per_class=True), masks, lambda x, y: mean_iou(x, y, per_class=True).mean(0), id="MeanIoU"
        ),
    ],
)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)


@SIZED
def test_a_size_is_fixed_by_data_alone(make, batch, function):
    metric = make()
    for size in (3, 4):
        metric.update(*batch(size))
        close(metric.compute(), function(*batch(size)))
        with pytest.raises((RuntimeError, ValueError), match="Call `reset`"):
            metric.update(*batch(size + 1))
        assert metric.update_count == 1
        close(metric.compute(), function(*batch(size)))
        metric.reset()  # another size is as good as any, then


@SIZED
@pytest.mark.parametrize("library", ["ours", "torchmetrics"])
def test_in_collections(make, batch, function, library):
    kind = MetricCollection if library == "ours" else torchmetrics.MetricCollection
    collection = kind({"one": make(), "two": make()})
    for size in (3, 4):
        values = collection(*batch(size))
        collection.update(*batch(size, 1))
        close(values["one"], function(*batch(size)))
        alone = make()
        alone.update(*batch(size))
        alone.update(*batch(size, 1))
        close(collection.compute()["two"], alone.compute())
        collection.reset()


@SIZED
def test_checkpoints_merges_and_copies(make, batch, function):
    metric = make()
    metric.update(*batch(3))
    metric.persistent(True)
    expected = metric.compute()
    other = make()
    other.update(*batch(4))
    for into in (make(), other):  # what has data of another size takes the size of the checkpoint
        into.persistent(True)
        into.load_state_dict(metric.state_dict())
        close(into.compute().flatten(), expected.flatten())
        into.update(*batch(3, 1))
    for copied in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert torch.equal(copied.compute(), expected)
        copied.update(*batch(3, 1))
    merged = make()
    merged.merge_state(metric)
    assert torch.equal(merged.compute().flatten(), expected.flatten())
    metric.merge_state(make())
    assert torch.equal(metric.compute(), expected)
    sized = make()
    sized.update(*batch(4))
    with pytest.raises(ValueError, match="shape"):
        metric.merge_state(sized)
    assert torch.equal(metric.compute(), expected)


@SIZED
def test_the_first_update_is_compiled(make, batch, function):
    torch.compiler.reset()
    metric = make()
    torch.compile(metric.update, fullgraph=True, backend="eager")(*batch(3))
    close(metric.compute(), function(*batch(3)))


def refused(batch):
    """The batch made wrong in every way that its metadata can be."""
    first, *rest = batch
    yield {"weights": torch.ones(len(first) + 1)}
    yield {"weights": torch.ones(len(first), dtype=torch.complex64)}
    yield {"valid": torch.ones(len(first) + 1, dtype=torch.bool)}
    yield {"valid": torch.ones(len(first))}
    yield {"batch": (first.to(torch.complex64), *rest)}
    yield {"batch": tuple(value.to("meta") for value in batch)}
    if rest:
        yield {"batch": (first[1:], *rest)}


@SIZED
def test_a_refused_batch_fixes_no_size(make, batch, function):
    metric, collection = make(), MetricCollection({"a": make(), "b": make()})
    for wrong in refused(batch(3)):
        inputs = wrong.pop("batch", batch(3))
        for one in (metric, collection):
            for call in (one.update, one.forward):
                with pytest.raises((ValueError, RuntimeError, TypeError)):
                    call(*inputs, **wrong)
    metric.update(*batch(4))
    collection.update(*batch(4))
    close(metric.compute(), function(*batch(4)))
    close(collection.compute()["a"], function(*batch(4)))


@every_metric
def test_a_refused_batch_changes_nothing(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    before = {name: copy.deepcopy(state) for name, state in states(metric).items()}
    value, tried = metric.compute(), 0
    for wrong in refused(batch(1)):
        inputs = wrong.pop("batch", batch(1))
        for call in (metric.update, metric.forward):
            try:
                call(*inputs, **wrong)
            except (ValueError, RuntimeError, TypeError):
                tried += 1
            else:  # values of an aggregation may be complex only by mistake, but weights have other names there
                pytest.fail(f"{wrong or 'the batch'} was accepted")
    assert tried
    assert metric.update_count == 1
    assert metric.compute() is value
    for name, state in states(metric).items():
        old = before[name]
        pairs = zip(state, old, strict=True) if isinstance(state, list) else [(state, old)]
        assert all(torch.equal(a, b) for a, b in pairs), name
