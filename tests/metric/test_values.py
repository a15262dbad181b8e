# SPDX-License-Identifier: Apache-2.0
"""A value shares no memory with a state or another value, and a state none with the caller's tensors."""

import copy

import pytest
import torch
from lightning_utilities import apply_to_collection

from fastmetrics import CatMetric, MetricCollection
from tests.support.cases import every_metric, filled, same_states

pytestmark = pytest.mark.filterwarnings("ignore")


def spoil(value):
    """Write into every tensor of a value."""
    apply_to_collection(value, torch.Tensor, lambda tensor: tensor.fill_(77))


@every_metric
def test_values_are_the_callers(kind, options, batch):
    metric = kind(**options)
    spoil(metric(*batch(0)))
    same_states(metric, filled(kind, options, batch, 0))
    spoil(metric.compute())
    same_states(metric, filled(kind, options, batch, 0))
    collection = MetricCollection({"a": kind(**options), "b": kind(**options)})
    for call in (lambda: collection(*batch(0)), collection.compute, lambda: collection.compute(sync=False)):
        value = call()
        expected = copy.deepcopy(value["b"])
        spoil(value["a"])
        assert torch.equal(value["b"], expected)
        same_states(collection["a"], metric)


@every_metric
def test_states_are_the_metrics(kind, options, batch):
    metric, inputs = kind(**options), [value.clone() for value in batch(0)]
    metric.update(*inputs)
    spoil(inputs)
    same_states(metric, filled(kind, options, batch, 0))


def test_all_values_of_a_stream():
    metric = CatMetric()
    value = metric(torch.tensor([1.0, 2.0]))
    value += 100
    assert metric.compute().tolist() == [1, 2]
    value = metric.compute()
    value += 100
    assert torch.cat(metric.value).tolist() == [1, 2]


def test_a_merge_in_inference_mode_goes_on_outside():
    metric, other = CatMetric(), CatMetric()
    other.update(1.0)
    metric.update(2.0)
    with torch.inference_mode():
        metric.merge_state(other)
    metric.update(3.0)
    assert metric.compute().tolist() == [1, 2, 3]


@every_metric
def test_merged_and_loaded_in_inference_mode(kind, options, batch):
    metric = filled(kind, options, batch, 0)
    with torch.inference_mode():
        metric.merge_state(filled(kind, options, batch, 1))
        metric.persistent(True)
        metric.load_state_dict(metric.state_dict())
    metric.update(*batch(2))
    expected = filled(kind, options, batch, 0)
    expected.merge_state(filled(kind, options, batch, 1))
    expected.update(*batch(2))
    same_states(metric, expected)
