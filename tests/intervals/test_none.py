# SPDX-License-Identifier: Apache-2.0
"""A metric that has no interval says what would do, and that does."""

import re
import warnings

import pytest
import torch

from fastmetrics.classification import MulticlassAccuracy
from tests.support.cases import C, cases

G = 4


def filled(kind, options, inputs, **keywords):
    metric = kind(**options)
    metric.update(*inputs, **keywords)
    return metric


def drawn(n):
    return torch.randint(0, G, (n,), generator=torch.Generator().manual_seed(0))


def raised(call):
    """The message of what is raised, if anything is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except ValueError as error:
            return str(error)
    return None


@pytest.mark.parametrize(("kind", "options", "batch"), cases())
def test_what_has_no_interval_says_what_would_do(kind, options, batch):
    inputs = batch(0)
    error = raised(filled(kind, options, inputs).interval)
    if error is None:
        return
    assert kind.__name__ in error
    if "resample groups of samples, kept by `num_groups=`, with `clusters=`" not in error:
        assert re.search(r"Or keep the samples and resample them\.$|A metric of each output has one", error)
        return
    metric = filled(kind, {**options, "num_groups": G}, inputs, groups=drawn(len(inputs[0])))
    value = metric.compute()
    if isinstance(value, torch.Tensor):
        low, high = metric.interval(clusters="groups", draws=5)
        assert low.shape == high.shape == value.shape
    else:
        assert "has several values" in raised(lambda: metric.interval(clusters="groups", draws=5))
    again = raised(metric.interval)
    assert "Or resample groups of samples, with `clusters=`." in again
    assert raised(metric.interval_by_group) == again


def test_weighted_samples_have_clusters():
    inputs = torch.arange(60) % C, torch.arange(60) % 3
    of_all = {"num_classes": C, "average": "micro"}
    metric = filled(MulticlassAccuracy, of_all, inputs, weights=torch.rand(60))
    with pytest.raises(ValueError, match="or resample groups of samples, kept by `num_groups=`, with `clusters=`"):
        metric.interval()
    given = {"groups": drawn(60), "weights": torch.rand(60)}
    metric = filled(MulticlassAccuracy, {**of_all, "num_groups": G}, inputs, **given)
    with pytest.raises(ValueError, match="or resample groups of samples, with `clusters=`"):
        metric.interval()
    low, high = metric.interval(clusters="groups", draws=50)
    assert low < metric.compute() < high
