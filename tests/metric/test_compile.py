# SPDX-License-Identifier: Apache-2.0
"""Updates under ``torch.compile(fullgraph=True)``, the first call of a metric included."""

import pytest
import torch

from fastmetrics import MetricCollection, R2Score
from fastmetrics.regression import MeanSquaredError
from tests.support.cases import every_metric

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


def compiled(function):
    torch.compiler.reset()
    return torch.compile(function, fullgraph=True, backend="eager")


@every_metric
def test_the_first_update(kind, options, batch):
    metric, plain = kind(**options), kind(**options)
    step = compiled(metric.update)
    for seed in range(2):
        step(*batch(seed))
        plain.update(*batch(seed))
        torch.testing.assert_close(metric.compute(), plain.compute(), equal_nan=True)  # no cached value stays
    assert metric.update_called
    metric.reset()
    assert not metric.update_called


@every_metric
def test_the_first_weighted_update(kind, options, batch):
    metric, plain = kind(**options), kind(**options)
    weights = torch.arange(1, len(batch(0)[0]) + 1)
    try:
        plain.update(*batch(0), weights=weights)
    except (TypeError, ValueError):
        return  # it takes no weights
    compiled(metric.update)(*batch(0), weights=weights)
    torch.testing.assert_close(metric.compute(), plain.compute(), equal_nan=True)


@every_metric
def test_a_collection(kind, options, batch):
    collection, plain = MetricCollection({"a": kind(**options), "b": kind(**options)}), kind(**options)
    compiled(collection.update)(*batch(0))
    plain.update(*batch(0))
    torch.testing.assert_close(collection.compute()["b"], plain.compute(), equal_nan=True)


def test_a_collection_that_takes_the_size_of_its_first_batch():
    collection = MetricCollection([R2Score(multioutput="raw_values"), MeanSquaredError()])
    x, y = torch.rand(2, 5, 3)
    compiled(collection.update)(x, y)
    alone = R2Score(multioutput="raw_values")
    alone.update(x, y)
    torch.testing.assert_close(collection.compute()["R2Score"], alone.compute())
