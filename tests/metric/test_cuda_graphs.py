# SPDX-License-Identifier: Apache-2.0
"""An update that was captured in a CUDA graph and is replayed counts what an ordinary one counts."""

import dataclasses
import warnings

import pytest
import torch

from bench.contestants import flat
from bench.inputs import Binary, Labels, Pairs, Scores, Values, batch_of
from bench.slices import Sliced
from bench.specs import NotThereError, collection, metric

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


def of_classes(c, **options):
    return metric("MulticlassConfusionMatrix", num_classes=c, **options)


def pair(first, second):
    return collection(first=first, second=second)


# Every pass, and every kernel of it that the shape and dtype of the batch choose. Large enough for several blocks.
CASES = {
    "labels": (of_classes(10), Labels(50_000, 10)),
    "many labels": (metric("MulticlassAccuracy", num_classes=5000), Labels(50_000, 5000)),
    "scores, tiles": (of_classes(10), Scores((20_000, 10))),
    "scores, lanes": (of_classes(100), Scores((5000, 100), torch.bfloat16)),
    "scores, warps": (of_classes(1000), Scores((2000, 1000), torch.float16)),
    "scores, blocks": (metric("MulticlassAccuracy", num_classes=6000), Scores((300, 6000))),
    "ranks": (metric("MulticlassAccuracy", num_classes=100, top_k=5), Scores((5000, 100))),
    "planes": (of_classes(19), Scores((2, 19, 64, 128))),
    "ignored": (of_classes(10, ignore_index=3), Scores((20_000, 10), torch.float64)),
    "unchecked": (of_classes(10, validate_args=False), Scores((20_000, 10))),
    "binary": (metric("BinaryAccuracy"), Binary((200_000,))),
    "logits": (metric("BinaryAccuracy"), Binary((200_000,), logits=True)),
    "multilabel": (metric("MultilabelAccuracy", num_labels=20), Binary((20_000, 20))),
    "groups": (metric("BinaryGroupStatRates", num_groups=4), Binary((200_000,), groups=4)),
    "rows of groups": (Sliced(of_classes(10), 1000), Scores((20_000, 10), groups=1000)),
    "decisions of groups": (Sliced(metric("BinaryAccuracy"), 200), Binary((200_000,), groups=200)),
    "squared errors": (metric("MeanSquaredError"), Pairs((200_000,))),
    "absolute errors of outputs": (metric("MeanAbsoluteError", num_outputs=7), Pairs((20_000, 7))),
    "moments": (metric("PearsonCorrCoef"), Pairs((200_000,))),
    "R2 of outputs": (metric("R2Score", multioutput="raw_values"), Pairs((20_000, 7))),
    "mean": (metric("MeanMetric", nan_strategy="ignore"), Values(200_000, nans=0.01)),
    "maximum": (metric("MaxMetric", nan_strategy="ignore"), Values(200_000, nans=0.01)),
    "rows": (metric("KLDivergence"), Pairs((5000, 40), offset=10.0)),
    "exact match": (metric("MulticlassExactMatch", num_classes=19), Scores((2, 19, 64, 128))),
    "hinge": (metric("MulticlassHingeLoss", num_classes=10), Scores((20_000, 10))),
    "ranking": (metric("MultilabelRankingLoss", num_labels=20), Binary((20_000, 20), logits=True)),
    "segmentation": (metric("MeanIoU", num_classes=19, input_format="mixed"), Scores((2, 19, 64, 128))),
    "collection": (pair(of_classes(10), metric("MulticlassF1Score", num_classes=10)), Scores((20_000, 10))),
    "collection of pairs": (pair(metric("MeanSquaredError"), metric("PearsonCorrCoef")), Pairs((200_000,))),
}


def built(name):
    spec, inputs = CASES[name]
    try:
        return spec.build("fastmetrics").to("cuda"), inputs
    except NotThereError as missing:
        pytest.skip(str(missing))


def captured(made, static):
    """A graph of one update with the tensors ``static``; nothing has been counted afterwards."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        made.update(*static)  # what is loaded or allocated once must not happen within the capture
    torch.cuda.current_stream().wait_stream(side)
    made.reset()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made.update(*static)
    made.reset()
    return graph


def replay(graph, static, batches):
    for batch in batches:
        for to, new in zip(static, batch, strict=True):
            to.copy_(new)
        graph.replay()


def states(made):
    """Every state of a metric or a collection, as lists."""
    made = getattr(made, "metrics", made)  # those that bench feeds with groups
    metrics = made.values() if hasattr(made, "values") else [made]
    return [{name: flat(getattr(m, name)).tolist() for name in m._defaults} for m in metrics]


def value(made):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python did not see the replayed updates
        return flat(made.compute())


@pytest.mark.parametrize("name", CASES)
def test_replayed_updates_count_as_ordinary_ones(name):
    made, inputs = built(name)
    ordinary, _ = built(name)
    batches = [batch_of(inputs, "cuda")]
    batches += [tuple(x.flip(0) for x in batches[0]), tuple(x.roll(7, 0) for x in batches[0])]
    static = [x.clone() for x in batches[0]]
    graph = captured(made, static)
    for _ in range(2):  # the addresses of the states stay after a reset
        replay(graph, static, batches)
        for batch in batches:
            ordinary.update(*batch)
        torch.cuda.synchronize()
        assert states(made) == states(ordinary)  # the order of the sums is the same, so the bits are
        made.update(*batches[0])  # which also tells Python of updates
        ordinary.update(*batches[0])
        torch.testing.assert_close(value(made), value(ordinary), rtol=0, atol=0, equal_nan=True)
        made.reset()
        ordinary.reset()


@pytest.mark.parametrize("name", ["labels", "scores, tiles", "planes", "binary"])
def test_faults_of_replayed_updates_are_raised(name):
    made, inputs = built(name)
    preds, target = batch_of(inputs, "cuda")
    static = [preds.clone(), target.clone()]
    graph = captured(made, static)
    bad = target.clone()
    bad.view(-1)[5:8] = 77
    replay(graph, static, [(preds, bad)] * 2)
    made.update(preds, target)
    with pytest.raises(RuntimeError, match="but 6 "):
        made.compute()


KINDS = ("labels", "scores, tiles", "scores, lanes", "scores, warps", "ranks", "planes", "binary", "multilabel")


@pytest.mark.parametrize("name", KINDS)
def test_weights_of_replayed_updates(name):
    made, inputs = built(name)
    ordinary, _ = built(name)
    preds, target = batch_of(inputs, "cuda")
    # eighths: their sums are exact, in whatever order a GPU adds them
    weights = torch.randint(0, 9, target.shape, device="cuda").double() / 8
    batches = [(preds, target, weights), (preds, target, weights.flip(0))]
    static = [x.clone() for x in batches[0]]
    replay(captured(made, static), static, batches)
    for batch in batches:
        ordinary.update(*batch)
    assert states(made) == states(ordinary)


def test_a_smaller_batch_needs_its_own_graph_and_shares_the_states():
    made, inputs = built("scores, tiles")
    ordinary, _ = built("scores, tiles")
    full = batch_of(inputs, "cuda")
    rest = batch_of(dataclasses.replace(inputs, shape=(100, 10)), "cuda")
    graphs = [(captured(made, static), static) for static in ([x.clone() for x in full], [x.clone() for x in rest])]
    for (graph, static), batch in zip(graphs, (full, rest), strict=True):
        replay(graph, static, [batch])
        ordinary.update(*batch)
    assert states(made) == states(ordinary)
