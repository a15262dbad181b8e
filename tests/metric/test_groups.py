# SPDX-License-Identifier: Apache-2.0
"""Every metric by groups against the metric alone on the samples of each group."""

import copy
import inspect
import pickle

import pytest
import torch
from torch.utils import _pytree as pytree

from tests.support.cases import cases, every_metric

G = 5  # the last has no samples


def refused(kind, options):
    """Whether the statistics belong to samples."""
    return kind(**options)._reader.asked.samplewise


grouped = pytest.mark.parametrize(
    ("kind", "options", "batch"), [case for case in cases() if not refused(*case.values[:2])]
)
samplewise = pytest.mark.parametrize(
    ("kind", "options", "batch"), [case for case in cases() if refused(*case.values[:2])]
)


def drawn(n, seed, number=G - 1):
    return torch.randint(0, number, (n,), generator=torch.Generator().manual_seed(seed))


def some(n, seed):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


def close(got, expected):
    torch.testing.assert_close(got, expected, rtol=2e-6, atol=1e-6, equal_nan=True)


def of_parts(kind, options, batches):
    """The metric alone on each group of batches of (inputs, groups, keywords)."""
    alone = [kind(**options) for _ in range(G)]
    for inputs, groups, keywords in batches:
        for group, metric in enumerate(alone):
            mine = groups == group
            if mine.any():
                metric.update(*(value[mine] for value in inputs), **{name: v[mine] for name, v in keywords.items()})
    return alone


def compare(metric, alone):
    """The values of all groups with those of the metrics alone; NaN where there are no samples."""
    values, counts = metric.by_group(), metric.group_counts()
    for group, one in enumerate(alone):
        if one.update_called and counts[group] > 0:
            pytree.tree_map(lambda got, value, group=group: close(got[group], value), values, one.compute())
    for value in pytree.tree_leaves(values):
        assert value.shape[0] == G
        absent = value[counts == 0]
        assert absent.isnan().all() if value.is_floating_point() else (absent == 0).all()


@grouped
@pytest.mark.parametrize("how", ["plain", "valid", "weights"])
def test_groups_are_the_metric_of_their_samples(kind, options, batch, how):
    metric, whole = kind(**options, num_groups=G), kind(**options)
    if how not in inspect.signature(metric.inputs).parameters and how != "plain":
        pytest.skip("the metric has none")
    batches = []
    for seed in (0, 1):
        inputs = batch(seed)
        n = len(inputs[0])
        keywords = {"valid": {"valid": some(n, seed) > 0.2}, "weights": {"weights": 0.5 + some(n, seed)}}.get(how, {})
        batches.append((inputs, drawn(n, seed), keywords))
    for inputs, groups, keywords in batches:
        metric.update(*inputs, groups=groups, **keywords)
        whole.update(*inputs, **keywords)
    pytree.tree_map(close, metric.compute(), whole.compute())
    compare(metric, of_parts(kind, options, batches))
    kept = [keywords.get("valid", torch.ones_like(groups, dtype=torch.bool)) for _, groups, keywords in batches]
    every = torch.cat([groups[mask] for (_, groups, _), mask in zip(batches, kept, strict=True)])
    assert metric.group_counts().tolist() == every.bincount(minlength=G).tolist()


@grouped
def test_forward_merge_and_checkpoints_keep_the_groups(kind, options, batch):
    first, second = (kind(**options, num_groups=G) for _ in range(2))
    inputs = batch(0)
    groups = drawn(len(inputs[0]), 0)
    alone = kind(**options)
    pytree.tree_map(close, first(*inputs, groups=groups), alone(*inputs))
    second.update(*batch(1), groups=drawn(len(batch(1)[0]), 1))
    first.merge_state(second)
    whole = kind(**options, num_groups=G)
    whole.update(*inputs, groups=groups)
    whole.update(*batch(1), groups=drawn(len(batch(1)[0]), 1))
    values = whole.by_group()
    loaded = kind(**options, num_groups=G)
    first.persistent(True)
    loaded.load_state_dict(first.state_dict())
    for same in (first, copy.deepcopy(first), pickle.loads(pickle.dumps(first)), first.clone(), loaded):
        pytree.tree_map(close, same.by_group(), values)
        assert torch.equal(same.group_counts(), whole.group_counts())
    first.reset()
    assert not first.group_counts().any()


@grouped
def test_several_slicings_are_those_of_each(kind, options, batch):
    sizes = {"country": G, "device": 2}
    metric = kind(**options, num_groups=sizes)
    alone = {name: kind(**options, num_groups=number) for name, number in sizes.items()}
    for seed in (0, 1):
        inputs = batch(seed)
        groups = {name: drawn(len(inputs[0]), seed + i, n) for i, (name, n) in enumerate(sizes.items())}
        metric.update(*inputs, groups=groups)
        for name in sizes:
            alone[name].update(*inputs, groups=groups[name])
    pytree.tree_map(close, metric.compute(), alone["country"].compute())
    for name in sizes:
        pytree.tree_map(close, metric.by_group()[name], alone[name].by_group())
        assert torch.equal(metric.group_counts()[name], alone[name].group_counts())


@samplewise
def test_what_belongs_to_samples_is_refused(kind, options, batch):
    with pytest.raises(ValueError, match="`num_groups` needs statistics of a fixed size"):
        kind(**options, num_groups=3)


@every_metric
def test_groups_need_their_number(kind, options, batch):
    metric = kind(**options)
    with pytest.raises(TypeError, match="`groups` need `num_groups`"):
        metric.update(*batch(0), groups=drawn(len(batch(0)[0]), 0))
    with pytest.raises(ValueError, match="has no groups"):
        metric.by_group()
