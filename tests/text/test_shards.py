# SPDX-License-Identifier: Apache-2.0
"""Vocabularies that are split over processes, against the same metrics of whole logits."""

import itertools

import pytest
import torch
import torch.distributed as dist

from fastmetrics import MetricCollection
from fastmetrics.classification import MulticlassAccuracy
from fastmetrics.statistics import output_layer
from fastmetrics.text import (
    BitsPerByte,
    NegativeLogLikelihood,
    Perplexity,
    TokenAccuracy,
    TokenCalibrationError,
    TokenEntropy,
    TokenRank,
)
from tests.test_distributed import counted, run

V = 48
ALONE = {"sync_on_compute": False}


def all_metrics(**kwargs):
    return MetricCollection(
        {
            "perplexity": Perplexity(-100, **kwargs),
            "sum": NegativeLogLikelihood("sum", -100, **kwargs),
            "bytes": BitsPerByte(range(1, V + 1), -100, **kwargs),
            "accuracy": TokenAccuracy((1, 3, 9), -100, **kwargs),
            "entropy": TokenEntropy(-100, **kwargs),
            "rank": TokenRank(-100, **kwargs),
            "calibration": TokenCalibrationError(5, "l1", -100, **kwargs),
        }
    )


def batch(seed, dtype=torch.float32):
    """Logits with ties, masked entries and a part that is all masked."""
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(4, 6, V, generator=generator) * 3).round()
    target = torch.randint(0, V, (4, 6), generator=generator)
    logits[0, :, V // 4 :] = -torch.inf
    target[0] %= V // 4
    target[1, 3:] = -100
    return logits.to(dtype), target


def of_whole():
    """The metrics of whole logits, of this process alone."""
    return all_metrics(**ALONE)


def part_of(tensor, bounds, rank, dim=-1):
    return tensor.narrow(dim, bounds[rank], bounds[rank + 1] - bounds[rank])


def same_everywhere(value):
    """Whether all processes have these very numbers."""
    found = [None] * dist.get_world_size()
    dist.all_gather_object(found, value)
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in itertools.pairwise(found))


def compare(found, expected):
    for name, value in expected.items():
        rtol, atol = (0, 0) if name in ("accuracy", "rank") else (2e-6, 1e-7)
        torch.testing.assert_close(found[name], value, rtol=rtol, atol=atol, equal_nan=True)
        assert same_everywhere(found[name]), name


def values(rank, world, folder):
    group = dist.group.WORLD
    equal = [r * V // world for r in range(world + 1)]
    uneven = [0, 1, *range(20, 20 + world - 2), V]
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        for bounds, kwargs in ((equal, {}), (uneven, {"vocab_start": uneven[rank]})):
            logits, target = batch(world, dtype)
            weights, valid = torch.arange(24.0).reshape(4, 6), torch.arange(4) != 2
            for options in ({}, {"weights": weights}, {"valid": valid}):
                ours, whole = all_metrics(vocab_group=group, **kwargs), of_whole()
                ours.update(part_of(logits, bounds, rank), target, **options)
                whole.update(logits, target, **options)
                compare(ours.compute(), whole.compute())
    logits, target = batch(7)
    part, shifted = part_of(logits, equal, rank), target.clamp(min=0)
    compare(all_metrics(vocab_group=group, shift=True)(part, shifted), all_metrics(shift=True)(logits, shifted))
    each = NegativeLogLikelihood("none", -100, vocab_group=group)
    compare({"": each(part, target)}, {"": NegativeLogLikelihood("none", -100)(logits, target)})
    groups = torch.tensor([0, 1, 1, 0])
    sliced, whole = (
        TokenAccuracy(3, -100, num_groups=2, **given) for given in ({"vocab_group": group}, {"sync_on_compute": False})
    )
    sliced.update(part, target, groups=groups)
    whole.update(logits, target, groups=groups)
    compare({"accuracy": sliced.by_group()}, {"accuracy": whole.by_group()})
    for value in (torch.nan, torch.inf):  # on one process
        bad = logits.clone()
        bad[2, 2, V - 1] = value
        compare(all_metrics(vocab_group=group)(part_of(bad, equal, rank), target), all_metrics()(bad, target))


def collectives(rank, world, folder):
    """Likelihoods take one a batch, ranks two, and the value none; sums are those of one process."""
    logits, target = batch(1)
    part = logits.chunk(world, -1)[rank]
    for names, expected in ((["perplexity", "entropy"], {"all_gather": 1}), (None, {"all_gather": 1, "all_reduce": 1})):
        metrics = all_metrics(vocab_group=dist.group.WORLD)
        metrics = metrics if names is None else MetricCollection({name: metrics[name] for name in names})
        with counted() as calls:
            metrics.update(part, target)
            assert calls == expected, calls
            metrics.compute()
            assert calls == expected, calls
    total = NegativeLogLikelihood("sum", -100, vocab_group=dist.group.WORLD)
    both = MetricCollection({"sum": total, "other": MulticlassAccuracy(3, average="micro")})
    both["sum"].update(part, target)
    both["other"].update(torch.tensor([0]), torch.tensor([min(rank, 1)]))  # the others are told of each other
    found = both.compute()
    torch.testing.assert_close(found["sum"], NegativeLogLikelihood("sum", -100)(logits, target), rtol=1e-6, atol=0)
    assert found["other"].item() == pytest.approx(1 / world)
    assert total.clone().compute() == found["sum"]
    part.requires_grad_()
    assert not Perplexity(-100, vocab_group=dist.group.WORLD)(part, target).requires_grad
    empty = all_metrics(vocab_group=dist.group.WORLD)
    empty.update(part[:0], target[:0])
    assert all(value.isnan().all() for name, value in empty.compute().items() if name != "sum")


def hidden_states(rank, world, folder):
    generator = torch.Generator().manual_seed(3)
    states, weight = torch.randn(5, 8, 6, generator=generator), torch.randn(V, 6, generator=generator)
    bias, target = torch.randn(V, generator=generator), torch.randint(0, V, (8, 5), generator=generator).t()
    bounds = [0, 1, *range(20, 20 + world - 2), V]
    output_layer.BUFFER = 7 * 4 * V  # some tokens at a time, fewer on a process with a greater part
    ours, whole = all_metrics(vocab_group=dist.group.WORLD, vocab_start=bounds[rank]), of_whole()
    some = part_of(weight, bounds, rank, 0), target, part_of(bias, bounds, rank, 0), 5.0
    strided = states.transpose(0, 1).contiguous().transpose(0, 1) if rank else states
    for metric in ours.values():
        metric.update_hidden(strided, *some)
    logits = 5.0 * torch.tanh((states @ weight.t() + bias) / 5.0)
    whole.update(logits, target)
    for name, value in whole.compute().items():
        torch.testing.assert_close(ours[name].compute(), value, rtol=1e-5, atol=0)
    assert ours["rank"].update_count == 1
    nothing = [0, V, *(V for _ in range(world - 1))]  # all but the first have no tokens
    alone = Perplexity(vocab_group=dist.group.WORLD, vocab_start=nothing[rank])
    with counted() as calls:
        alone.update_hidden(states, part_of(weight, nothing, rank, 0), target)
    assert calls == {"all_gather": 1}, calls
    torch.testing.assert_close(alone.compute(), Perplexity(**ALONE)(states @ weight.t(), target), rtol=1e-5, atol=0)


def bad_input(rank, world, folder):
    logits, target = batch(2)
    part, group = logits.chunk(world, -1)[rank], dist.group.WORLD
    wrong = target.clone()
    wrong[0, 0], wrong[3, 1] = V, -7
    whole, ours = of_whole(), all_metrics(vocab_group=group)
    with pytest.raises(RuntimeError, match=f"token ids that one part of the vocabulary has.*but 2 were not.*is {V}"):
        ours.update(part, wrong)
    with pytest.raises(RuntimeError, match="but 2 were not"):
        whole.update(logits, wrong)
    compare(ours.compute(), whole.compute())
    assert ours["sum"].count == 19
    twice = Perplexity(-100, vocab_group=group, vocab_start=0)  # each part is said to be the first
    with pytest.raises(RuntimeError, match="that one part of the vocabulary has"):
        twice.update(part, target)
    for match, kwargs in (
        ("`vocab_start`", {"vocab_group": group, "vocab_start": -1}),
        ("`vocab_start`", {"vocab_group": group, "vocab_start": 1.0}),
        ("`vocab_group`", {"vocab_start": 1}),
        ("`process_group`.* one process of `vocab_group`", {"vocab_group": group, "process_group": group}),
    ):
        with pytest.raises(ValueError, match=match):
            Perplexity(**kwargs)
    with pytest.raises(ValueError, match="`bytes`"):
        BitsPerByte(range(V - 1), vocab_group=group).update(part, target)


def grid(rank, world, folder):
    """Two parts of the vocabulary times two of the data."""
    vocabularies, data = ([dist.new_group(ranks) for ranks in pairs] for pairs in (((0, 1), (2, 3)), ((0, 2), (1, 3))))
    kwargs = {"vocab_group": vocabularies[rank // 2], "process_group": data[rank % 2]}
    ours, whole = all_metrics(**kwargs), of_whole()
    for seed in range(3):  # one batch here, two there
        logits, target = batch(seed)
        whole.update(logits, target)
        if rank // 2 == seed % 2:
            ours.update(logits.chunk(2, -1)[rank % 2], target)
    compare(ours.compute(), whole.compute())
    each = NegativeLogLikelihood("none", -100, **kwargs)
    logits, target = batch(rank // 2)
    each.update(logits.chunk(2, -1)[rank % 2], target)
    each_of_whole = NegativeLogLikelihood("none", -100, **ALONE)
    for seed in range(2):
        each_of_whole.update(*batch(seed))
    compare({"": each.compute()}, {"": each_of_whole.compute()})
    with pytest.raises(ValueError, match="`process_group` with `vocab_group`"):
        Perplexity(vocab_group=kwargs["vocab_group"])
    alone = Perplexity(-100, vocab_group=kwargs["vocab_group"], sync_on_compute=False)
    torch.testing.assert_close(
        alone(logits.chunk(2, -1)[rank % 2], target), Perplexity(-100)(logits, target), rtol=1e-6, atol=0
    )
    with pytest.raises(ValueError, match="of which this process is a member"):
        Perplexity(vocab_group=vocabularies[1 - rank // 2])


def split(rank, world, folder):
    for work in (values, collectives, hidden_states, bad_input, *([grid] if world == 4 else [])):
        work(rank, world, folder)


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, 4])
def test_a_split_vocabulary_is_as_the_whole(tmp_path, world):
    run(split, world, tmp_path)


def compiled(rank, world, folder):
    """A metric of ranks has both collectives."""
    torch._dynamo.reset()
    ours, whole = TokenAccuracy((1, 3, 9), -100, vocab_group=dist.group.WORLD), TokenAccuracy((1, 3, 9), -100, **ALONE)
    step = torch.compile(ours.update, fullgraph=True, backend="aot_eager")
    for seed in range(2):
        logits, target = batch(seed)
        step(logits.chunk(world, -1)[rank], target)
        whole.update(logits, target)
    assert torch.equal(ours.compute(), whole.compute())


@pytest.mark.slow
def test_a_split_vocabulary_in_a_graph(tmp_path):
    run(compiled, 2, tmp_path)
