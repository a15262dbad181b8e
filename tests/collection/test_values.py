# SPDX-License-Identifier: Apache-2.0
"""Collections read a batch once, and give the values of their metrics alone."""

import pytest
import torch
import torchmetrics
import torchmetrics.classification as theirs

from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from tests.support.collections import CALLS, GROUPS, C, Operators, alone, batch, members, same

pytestmark = pytest.mark.filterwarnings("ignore")


def test_values_are_those_of_metrics_alone():
    collection = MetricCollection(members())
    assert [set(names) for names in collection.compute_groups.values()] == GROUPS
    for call, seed in CALLS:
        last = getattr(collection, call)(*batch(seed))
    expected_last, expected = alone(members(), CALLS)
    same(last, expected_last)
    same(collection.compute(), expected)
    for name, metric in collection.items():
        assert metric.update_count == len(CALLS)
        assert torch.equal(metric.compute(), expected[name])
        assert torch.equal(metric._forward_cache, expected_last[name])
    ungrouped = MetricCollection(members(), compute_groups=False)
    assert len(ungrouped.compute_groups) == len(members())
    for call, seed in CALLS:
        getattr(ungrouped, call)(*batch(seed))
    same(ungrouped.compute(), expected)
    reference = torchmetrics.MetricCollection(members(theirs), compute_groups=False)
    for call, seed in CALLS:
        getattr(reference, call)(*batch(seed))
    for name, value in reference.compute().items():
        torch.testing.assert_close(collection.compute()[name], value, msg=name)


@pytest.mark.parametrize("call", ["update", "forward"])
def test_one_call_a_batch_for_each_kind_of_input(call):
    collection = MetricCollection(members())
    with Operators() as called:
        getattr(collection, call)(*batch())
    assert called.seen.count("multiclass_") == len(GROUPS)
    one = MetricCollection({name: metric for name, metric in members().items() if name in GROUPS[0]})
    with Operators() as called:
        getattr(one, call)(*batch())
    assert called.seen.count("multiclass_") == 1


def test_weights_and_masks_pass_through():
    options = {"weights": torch.rand(8), "valid": torch.rand(8) < 0.7}
    calls = CALLS[:3]
    collection = MetricCollection(members())
    for call, seed in calls:
        last = getattr(collection, call)(*batch(seed), **options)
    _, expected = alone(members(), calls, **options)
    same(collection.compute(), expected)
    assert last is None
    collection.update(*batch(5))  # and samples without weights beside them
    for metric in collection.values():
        assert metric.update_count == 4
    others = members()
    for metric in others.values():
        for call, seed in calls:
            getattr(metric, call)(*batch(seed), **options)
        metric.update(*batch(5))
    same(collection.compute(), {name: others[name].compute() for name in sorted(others)})
    collection.reset()
    collection.update(*batch(6))
    for name, metric in collection.items():
        fresh = members()[name]
        fresh.update(*batch(6))
        torch.testing.assert_close(metric.compute().double(), fresh.compute().double())


def test_bad_input_changes_nothing():
    collection = MetricCollection({**members(), "theirs": theirs.MulticlassAccuracy(C)})
    collection.update(*batch())
    before = {name: value.clone() for name, value in collection.compute().items()}
    for wrong in (
        {"preds": torch.zeros(2, C + 1, 3), "target": torch.zeros(2, 3, dtype=torch.long)},
        {"preds": torch.zeros(2, C, 3), "target": torch.zeros(3, 3, dtype=torch.long)},
        {"preds": batch()[0], "target": batch()[1], "weights": torch.rand(3)},
        {"preds": torch.zeros(2, 3, dtype=torch.long), "target": torch.zeros(2, 3, dtype=torch.long)},  # top_k
    ):
        for call in (collection.update, collection):
            with pytest.raises(ValueError):
                call(**wrong)
    same(collection.compute(), before)
    assert all(metric.update_count == 1 for metric in collection.values())


def test_a_value_out_of_range_is_raised_once_for_those_that_validate():
    collection = MetricCollection(members())
    preds, target = batch()
    target[2, 1] = 99
    for call in (collection.update, collection):
        with pytest.raises(RuntimeError, match=r"1 lay outside, .* 99(.|\n)*MulticlassF1Score, MulticlassStat"):
            call(preds, target)
    collection.compute()
    assert int(collection["confusion"].compute().sum()) == 2 * (24 - 1)
    silent = MetricCollection([ours.MulticlassAccuracy(C, validate_args=False)])
    silent.update(preds, target)
    assert silent["MulticlassAccuracy"].update_count == 1
