# SPDX-License-Identifier: Apache-2.0
"""Values by hand and by independent references; ties, graded relevance, weights, padding, values of queries."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from fastmetrics import MetricCollection, functional, retrieval
from fastmetrics.functional.retrieval import retrieval_normalized_dcg
from tests.retrieval.test_torchmetrics import KINDS, documents

pytestmark = pytest.mark.filterwarnings("ignore")

ROWS = [name for name in KINDS if not name.startswith(("RetrievalPrecisionRecall", "RetrievalRecallAt"))]


def filled(name, *batches, **options):
    metric = getattr(retrieval, name)(**options)
    for batch in batches:
        metric.update(*batch)
    return metric


def assert_same(found, expected, **options):
    torch.testing.assert_close(found, expected, **{"rtol": 1e-6, "atol": 1e-7, **options})


# Two queries: 7 finds its relevant documents at the places 2 and 3 of 4, -1 at 1 of 2.
HAND = (
    torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
    torch.tensor([0, 1, 1, 0, 1, 0]),
    torch.tensor([7, 7, 7, 7, -1, -1]),
)
LOG3 = float(np.log2(3))
BY_HAND = {
    "RetrievalMAP": (1, (1 / 2 + 2 / 3) / 2),
    "RetrievalMRR": (1, 1 / 2),
    "RetrievalPrecision": (1 / 2, 1 / 2),
    "RetrievalRecall": (1, 1),
    "RetrievalRPrecision": (1, 1 / 2),
    "RetrievalHitRate": (1, 1),
    "RetrievalFallOut": (1, 1),
    "RetrievalAUROC": (1, 1 / 2),
    "RetrievalNormalizedDCG": (1, (1 / LOG3 + 1 / 2) / (1 + 1 / LOG3)),
}
BY_HAND_AT_2 = {
    "RetrievalMAP": (1, 1 / 2),
    "RetrievalPrecision": (1 / 2, 1 / 2),
    "RetrievalRecall": (1, 1 / 2),
    "RetrievalFallOut": (1, 1 / 2),
    "RetrievalAUROC": (1, 0),
    "RetrievalNormalizedDCG": (1, (1 / LOG3) / (1 + 1 / LOG3)),
}


def test_by_hand():
    for name, values in BY_HAND.items():
        metric = filled(name, HAND)
        ids, found = metric.per_query()
        assert ids.tolist() == [-1, 7]
        assert_same(found, torch.tensor(values, dtype=torch.float32))
        assert_same(metric.compute(), torch.tensor(values, dtype=torch.float32).mean())
    for name, values in BY_HAND_AT_2.items():
        assert_same(filled(name, HAND, top_k=2).per_query()[1], torch.tensor(values, dtype=torch.float32))
        both = filled(name, HAND, top_k=(2, 100)).per_query()[1]
        assert_same(both[:, 0], torch.tensor(values, dtype=torch.float32))
    assert_same(filled("RetrievalPrecision", HAND, top_k=4).per_query()[1], torch.tensor([1 / 4, 1 / 2]))
    assert_same(
        filled("RetrievalPrecision", HAND, top_k=4, adaptive_k=True).per_query()[1], torch.tensor([1 / 2, 1 / 2])
    )
    ids, precision, recall = filled("RetrievalPrecisionRecallCurve", HAND).per_query()
    assert ids.tolist() == [-1, 7]
    assert_same(precision, torch.tensor([[1, 1 / 2, 1 / 3, 1 / 4], [0, 1 / 2, 2 / 3, 1 / 2]]))
    assert_same(recall, torch.tensor([[1, 1, 1, 1], [0, 1 / 2, 1, 1]]))
    gain = filled("RetrievalNormalizedDCG", (HAND[0], HAND[1] * 3, HAND[2]), gain="exponential")
    assert_same(gain.compute(), filled("RetrievalNormalizedDCG", HAND).compute())


def test_any_int64_is_a_query():
    ids = [-(2**63), -(2**62), -1, 0, 1, 2**62, 2**63 - 1]
    indexes = torch.tensor(ids[::-1]).repeat(3)
    preds, target = torch.arange(21.0) + 1, torch.arange(21) < 7
    found, values = filled("RetrievalMRR", (preds, target, indexes)).per_query()
    assert found.tolist() == ids
    assert_same(values, torch.full((7,), 1 / 3))
    assert_same(filled("RetrievalMRR", (preds, target, indexes), complete=True).compute(), torch.tensor(1 / 3))


@pytest.mark.parametrize("name", ROWS)
def test_several_k_are_each_k(name):
    if name == "RetrievalRPrecision":
        return
    ks = (10, 1, 100, 5)
    batch = documents(1)
    together = filled(name, batch, top_k=ks)
    assert_same(together.compute(), torch.stack([filled(name, batch, top_k=k).compute() for k in ks]), rtol=0, atol=0)
    whole = filled(name, batch, top_k=ks, complete=True)
    assert_same(whole.compute(), together.compute())


# Ties.


def test_ndcg_of_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    preds = torch.randint(0, 5, (40, 12), generator=generator).float()
    target = torch.randint(0, 4, (40, 12), generator=generator)
    target[:, 0] = 1  # scikit-learn drops no query
    for k in (None, 1, 5):
        expected = ndcg_score(target.numpy(), preds.numpy(), k=k)
        for ties in (None, "average"):
            metric = retrieval.RetrievalNormalizedDCG(top_k=k, ties=ties, complete=True)
            assert float(metric(preds, target)) == pytest.approx(expected, rel=1e-6)
        of_rows = [float(retrieval_normalized_dcg(p, t, top_k=k)) for p, t in zip(preds, target, strict=True)]
        assert np.mean(of_rows) == pytest.approx(expected, rel=1e-6)
    distinct = torch.rand(40, 12, generator=generator)
    for ties in (None, "first", "trec", "average"):
        metric = retrieval.RetrievalNormalizedDCG(gain="exponential", ties=ties, complete=True)
        expected = ndcg_score(2.0 ** target.numpy() - 1, distinct.numpy())
        assert float(metric(distinct, target)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name", ["RetrievalNormalizedDCG", "RetrievalPrecision", "RetrievalRecall", "RetrievalFallOut"]
)
def test_the_mean_of_all_orders(name):
    """A query of 6 documents with two scores, in every order of them."""
    preds = torch.tensor([0.5, 0.5, 0.2, 0.5, 0.2, 0.5])
    target = torch.tensor([1, 0, 1, 0, 0, 1])
    for k in (1, 2, 3, 5):
        values = []
        for order in itertools.permutations(range(6)):
            scores, relevance = preds[list(order)], target[list(order)]
            metric = getattr(retrieval, name)(top_k=k, ties="first", complete=True)
            values.append(metric(scores, relevance).double())
        averaged = getattr(retrieval, name)(top_k=k, ties="average", complete=True)(preds, target)
        assert_same(averaged, torch.stack(values).mean().float(), rtol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_the_order_of_ties(name):
    """Ties as they come, or the other way round, are small differences of the scores."""
    preds, target, indexes = documents(3, ties=True)
    preds = preds + 1
    place = torch.arange(len(preds)) / len(preds) / 8
    for ties, moved in (("first", preds - place), ("trec", preds + place)):
        expected = filled(name, (moved, target, indexes), ties="first").per_query()
        if name == "RetrievalAUROC":
            continue  # where only the first k depend on it
        for found, other in zip(filled(name, (preds, target, indexes), ties=ties).per_query(), expected, strict=True):
            assert_same(found, other)
    if name in ("RetrievalMAP", "RetrievalMRR", "RetrievalHitRate", "RetrievalAUROC"):
        with pytest.raises(ValueError, match="`ties`"):
            filled(name, ties="average")
    with pytest.raises(ValueError, match="`ties`"):
        filled(name, ties="last")


def test_trec_eval():
    trec = pytest.importorskip("pytrec_eval")
    measures = {
        "map": ("RetrievalMAP", {}),
        "recip_rank": ("RetrievalMRR", {}),
        "Rprec": ("RetrievalRPrecision", {}),
        "ndcg": ("RetrievalNormalizedDCG", {}),
        "P_5": ("RetrievalPrecision", {"top_k": 5}),
        "recall_10": ("RetrievalRecall", {"top_k": 10}),
        "ndcg_cut_10": ("RetrievalNormalizedDCG", {"top_k": 10}),
        "success_1": ("RetrievalHitRate", {"top_k": 1}),
    }
    for ties in (False, True):
        preds, target, indexes = documents(5, ties=ties)
        preds = preds + 1
        relevant, run = {}, {}
        for i, (score, relevance, query) in enumerate(
            zip(preds.tolist(), target.tolist(), indexes.tolist(), strict=True)
        ):
            run.setdefault(str(query), {})[f"{i:05}"] = score
            relevant.setdefault(str(query), {})[f"{i:05}"] = relevance
        expected = trec.RelevanceEvaluator(
            relevant, {"map", "recip_rank", "Rprec", "ndcg", "P", "recall", "ndcg_cut"} | {"success"}
        )
        expected = expected.evaluate(run)
        for measure, (name, options) in measures.items():
            ids, values = filled(name, (preds, target, indexes), ties="trec", **options).per_query()
            of_trec = torch.tensor([expected[str(query)][measure] for query in ids.tolist()])
            assert_same(values, of_trec, rtol=1e-5, atol=1e-6)


def test_ranx():
    ranx = pytest.importorskip("ranx")
    measures = {
        "map": ("RetrievalMAP", {}),
        "mrr": ("RetrievalMRR", {}),
        "r-precision": ("RetrievalRPrecision", {}),
        "ndcg": ("RetrievalNormalizedDCG", {}),
        "ndcg@10": ("RetrievalNormalizedDCG", {"top_k": 10}),
        "ndcg_burges": ("RetrievalNormalizedDCG", {"gain": "exponential"}),
        "precision@5": ("RetrievalPrecision", {"top_k": 5}),
        "recall@10": ("RetrievalRecall", {"top_k": 10}),
        "hit_rate@1": ("RetrievalHitRate", {"top_k": 1}),
    }
    for ties in (False, True):
        # of more than 15 documents of a query, ranx lists those with equal scores in no stable order
        preds, target, indexes = documents(5, n=200 if ties else 600, ties=ties)
        preds = preds + 1
        for graded in (target, target * torch.randint(1, 4, target.shape, generator=torch.Generator().manual_seed(0))):
            relevant, run = {}, {}
            for i, (score, relevance, query) in enumerate(
                zip(preds.tolist(), graded.tolist(), indexes.tolist(), strict=True)
            ):
                run.setdefault(str(query), {})[f"{i:05}"] = score
                relevant.setdefault(str(query), {})[f"{i:05}"] = relevance
            expected = ranx.evaluate(ranx.Qrels(relevant), ranx.Run(run), list(measures), return_mean=False)
            for measure, (name, options) in measures.items():
                judged = graded if name == "RetrievalNormalizedDCG" else target
                ids, values = filled(name, (preds, judged, indexes), ties="first", **options).per_query()
                by_id = dict(zip(sorted(run), expected[measure], strict=True))  # ranx sorts the queries by name
                of_ranx = torch.tensor([by_id[str(query)] for query in ids.tolist()], dtype=torch.float32)
                assert_same(values, of_ranx, rtol=1e-5, atol=1e-6)


def test_auroc_of_scikit_learn():
    generator = torch.Generator().manual_seed(2)
    for scores in (torch.randn(60, generator=generator), torch.randint(0, 6, (60,), generator=generator).float()):
        target = torch.randint(0, 2, (60,), generator=generator)
        for most in (None, 0.25, 1.0):
            metric = retrieval.RetrievalAUROC(max_fpr=most, complete=True)
            assert float(metric(scores, target)) == pytest.approx(roc_auc_score(target, scores, max_fpr=most), rel=1e-6)


# Where the documents are.


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_splits_orders_and_merges(data):
    """Any split into batches, any order of documents with distinct scores, and any merge give the same bits."""
    n = data.draw(st.integers(1, 60))
    seed = data.draw(st.integers(0, 1000))
    preds, target, indexes = documents(seed, n, queries=data.draw(st.integers(1, 12)))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    parts = [[value[order][a:b] for value in (preds, target, indexes)] for a, b in itertools.pairwise([0, *cuts, n])]
    for name in ("RetrievalNormalizedDCG", "RetrievalMAP", "RetrievalPrecision", "RetrievalAUROC"):
        options = {"top_k": data.draw(st.sampled_from([None, 1, 4, (1, 4)])), "empty_target_action": "skip"}
        expected = filled(name, (preds, target, indexes), **options).compute()
        metrics = [filled(name, part, **options) for part in parts]
        merged = metrics[0]
        for other in metrics[1:]:
            merged.merge_state(other)
        assert torch.equal(filled(name, *parts, **options).compute(), expected)
        assert torch.equal(merged.compute(), expected)


@pytest.mark.parametrize("name", KINDS)
def test_whole_queries(name):
    """Sums over queries that are whole in their batch, by index or in rows, are the values of kept documents."""
    options = {"max_k": 5} if name.startswith(("RetrievalPrecisionRecall", "RetrievalRecallAt")) else {}
    for action in ("neg", "pos", "skip"):
        preds, target, indexes = documents(6)
        kept = filled(name, (preds, target, indexes), empty_target_action=action, **options).compute()
        early = indexes < 0
        parts = [[value[some] for value in (preds, target, indexes)] for some in (early, ~early)]
        whole = filled(name, *parts, empty_target_action=action, complete=True, **options)
        assert_same(whole.compute(), kept)
        ids, place = indexes.unique(return_inverse=True)
        rows, most = len(ids), int(place.bincount().max())
        scores, relevance = torch.zeros(rows, most), torch.zeros(rows, most, dtype=torch.int64)
        valid = torch.zeros(rows, most, dtype=torch.bool)
        for row in range(rows):
            some = place == row
            n = int(some.sum())
            scores[row, :n], relevance[row, :n], valid[row, :n] = preds[some], target[some], True
        scores[~valid], relevance[~valid] = torch.nan, 77  # padding is not looked at
        in_rows = getattr(retrieval, name)(empty_target_action=action, complete=True, **options)
        for some in torch.arange(rows).split(7):
            in_rows.update(scores[some], relevance[some], valid=valid[some])
        assert_same(in_rows.compute(), kept)
        assert all(state.numel() < 20 for state in in_rows.metric_state.values())
        by_row = getattr(retrieval, name)(empty_target_action=action, **options)
        by_row.update(scores, relevance, ids, valid=valid)
        assert_same(by_row.compute(), kept, rtol=0, atol=0)


def test_what_whole_queries_have_not():
    for aggregation in ("median", "min", lambda values, dim: values.sum()):
        with pytest.raises(ValueError, match="`aggregation` must be `mean`"):
            retrieval.RetrievalMRR(complete=True, aggregation=aggregation)
    with pytest.raises(ValueError, match="not kept"):
        filled("RetrievalMRR", HAND, complete=True).per_query()
    with pytest.raises(ValueError, match="`max_k`"):
        retrieval.RetrievalPrecisionRecallCurve(complete=True)
    metric = filled("RetrievalMRR", HAND, complete=True, empty_target_action="error")
    metric.update(torch.rand(2, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="no positive target"):
        metric.compute()


# Weights.


@pytest.mark.parametrize("name", ["RetrievalNormalizedDCG", "RetrievalMRR", "RetrievalFallOut"])
@pytest.mark.parametrize("complete", [False, True])
def test_weights_are_repeated_queries(name, complete):
    preds, target, indexes = documents(8)
    numbers = indexes % 4
    repeated = [torch.cat([v[numbers > i] for i in range(3)]) for v in (preds, target)]
    copies = torch.cat([indexes[numbers > i] + i for i in range(3)])  # other queries, as the numbers are far apart
    for aggregation in ("mean",) if complete else ("mean", "median", "min", "max"):
        metric = getattr(retrieval, name)(aggregation=aggregation, complete=complete, empty_target_action="skip")
        metric.update(preds, target, indexes, weights=numbers)
        expected = filled(name, (*repeated, copies), aggregation=aggregation, empty_target_action="skip").compute()
        assert_same(metric.compute(), expected)
    if not complete:
        metric = getattr(retrieval, name)(aggregation=lambda values, dim: values.mean())
        metric.update(preds, target, indexes, weights=numbers)
        with pytest.raises(ValueError, match="takes no `weights`"):
            metric.compute()


def test_weights_of_some_batches_and_of_rows():
    metric = retrieval.RetrievalMRR()
    metric.update(
        torch.rand(3), torch.tensor([0, 1, 0]), torch.tensor([1, 1, 1]), weights=torch.tensor([2.0, 2.0, 3.0])
    )
    metric.update(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]), torch.tensor([5, 5]))
    (_, values), weights = metric.per_query(), torch.tensor([3.0, 1.0])
    assert_same(metric.compute(), (values * weights).sum() / 4)
    scores, target = torch.rand(5, 9), torch.randint(0, 2, (5, 9))
    weights = torch.tensor([1.0, 0.0, 2.5, 3.0, 0.5])
    whole, kept = retrieval.RetrievalMAP(complete=True), retrieval.RetrievalMAP()
    whole.update(scores, target, weights=weights)
    kept.update(scores, target, torch.arange(5), weights=weights)
    assert_same(whole.compute(), kept.compute())
    assert len(kept.per_query()[0]) == 4  # of weight 0 nothing counts


# Bad input.


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, torch.nan, r"RetrievalMAP: `preds` had 2 NaN, the first at place 1 of the batch. They were not counted"),
        (1, 2.0, r"RetrievalMAP: `target` must contain `binary` values, from 0 to 1, but 2 were not, the first is 2"),
        (1, -1.0, r"RetrievalMAP: `target` must contain finite values of at least 0, but 2 were not, the first is -1"),
        (1, torch.nan, r"RetrievalMAP: `target` must contain finite .* the first is nan"),
        (1, torch.inf, r"RetrievalMAP: `target` must contain finite .* the first is inf"),
        (3, -0.5, r"expected finite `weights` of at least 0, but 2 were not, the first is -0.5"),
    ],
)
def test_bad_values_are_named_and_not_counted(complete, place, value, message):
    preds, target, indexes = documents(9)
    batch = [preds, target.double(), indexes, torch.ones(len(preds))]
    bad = torch.zeros(len(preds), dtype=torch.bool)
    bad[[1, 300]] = True
    batch[place] = torch.where(bad, value, batch[place])
    metric = retrieval.RetrievalMAP(complete=complete)
    *inputs, weights = batch
    with pytest.raises(ValueError, match=message):
        metric.update(*inputs, weights=weights if place == 3 else None)
    expected = filled("RetrievalMAP", (preds[~bad], target[~bad], indexes[~bad])).compute()
    assert_same(metric.compute(), expected)
    graded = retrieval.RetrievalNormalizedDCG(complete=complete)
    if value == 2.0:
        graded.update(*inputs)
        collection = MetricCollection([retrieval.RetrievalMAP(), retrieval.RetrievalNormalizedDCG()])
        with pytest.raises(RuntimeError, match="`binary` values"):
            collection.update(*inputs)


def test_bad_batches_change_nothing():
    metric = filled("RetrievalMAP", HAND)
    before = metric.compute()
    preds, target, indexes = HAND
    for batch, error, message in (
        ((preds, target[:-1], indexes), ValueError, "same shape"),
        ((preds, target, indexes[:-1]), ValueError, "same shape"),
        ((preds[0], target[0], indexes[0]), ValueError, "non-scalar"),
        ((preds.int(), target, indexes), ValueError, "tensor of floats"),
        ((preds, target, indexes.int()), ValueError, "long integers"),
        ((preds, target, None), TypeError, "RetrievalMAP: expected `indexes` to be a tensor"),
        ((preds, target, [1]), TypeError, "RetrievalMAP: expected `indexes` to be a tensor"),
        ((preds.to("meta"), target, indexes), RuntimeError, "device"),
    ):
        with pytest.raises(error, match=message):
            metric.update(*batch)
    with pytest.raises(ValueError, match="`weights`"):
        metric.update(*HAND, weights=torch.ones(3))
    with pytest.raises(ValueError, match="`valid`"):
        metric.update(*HAND, valid=torch.ones(6))
    assert torch.equal(metric.compute(), before)
    assert metric.update_count == 1
    with pytest.raises(ValueError, match=r"a row of `preds` \(Q, D\)"):
        retrieval.RetrievalMAP(complete=True).update(torch.rand(2, 2, 2), torch.zeros(2, 2, 2))
    for wrong in (0, -2, 1.5, (), (1, 0), "5"):
        with pytest.raises(ValueError, match="`top_k`"):
            retrieval.RetrievalMAP(top_k=wrong)
    with pytest.raises(ValueError, match="max_fpr"):
        retrieval.RetrievalAUROC(max_fpr=1)
    with pytest.raises(ValueError, match="gain"):
        retrieval.RetrievalNormalizedDCG(gain="quadratic")
    with pytest.raises(ValueError, match=r"retrieval_normalized_dcg: .*non-empty"):
        retrieval_normalized_dcg(torch.rand(0), torch.rand(0))


def test_nothing():
    for name in ROWS:
        for options in ({}, {"complete": True}):
            metric = filled(name, tuple(value[:0] for value in HAND), **options)
            assert metric.compute() == 0
            metric = filled(name, HAND, ignore_index=0, **options)
            metric.update(HAND[0], HAND[1] * 0, HAND[2])  # all are ignored
            assert torch.equal(metric.compute(), filled(name, HAND, ignore_index=0, **options).compute())
    precision, recall, top_k = filled("RetrievalPrecisionRecallCurve").compute()
    assert precision.shape == recall.shape == top_k.shape == (0,)


# One sort.


def counted(monkeypatch, name):
    """The calls of an operator from now on."""
    from fastmetrics.passes import queries

    calls, real = [], getattr(queries, name)

    def counting(*given):
        calls.append(1)
        real(*given)

    monkeypatch.setattr(queries, name, counting)
    return calls


def test_a_collection_sorts_once_and_walks_once(monkeypatch):
    sorts, walks = counted(monkeypatch, "sort_queries_"), counted(monkeypatch, "ranking_sums_")
    collection = MetricCollection([getattr(retrieval, name)() for name in KINDS])
    for seed in (1, 2):
        collection.update(*documents(seed))
    found = collection.compute()
    assert len(sorts) == len(walks) == 1
    collection.update(*documents(3))
    collection.compute()
    assert len(sorts) == len(walks) == 2
    for name in KINDS:
        alone = filled(name, documents(1), documents(2)).compute()
        torch.testing.assert_close(found[name], alone, rtol=0, atol=0)
    metric = filled("RetrievalMRR", HAND)
    first = metric.compute()
    metric.preds[0].mul_(-1)  # what was sorted has changed
    metric._computed = None
    assert not torch.equal(metric.compute(), first)
    with torch.inference_mode():
        assert torch.equal(filled("RetrievalMRR", HAND).compute(), first)


def test_plots():
    plt = pytest.importorskip("matplotlib.pyplot")
    for name in ("RetrievalMRR", "RetrievalPrecisionRecallCurve", "RetrievalRecallAtFixedPrecision"):
        figure, axes = filled(name, HAND).plot()
        assert axes.lines
        plt.close(figure)


def test_whole_queries_of_a_collection_are_walked_once():
    scores, target = (
        torch.rand(20, 9, generator=torch.Generator().manual_seed(0)),
        torch.arange(180).view(20, 9) % 5 % 2,
    )
    metrics = {
        "gains": retrieval.RetrievalNormalizedDCG(top_k=5, complete=True),
        "precisions": retrieval.RetrievalMAP(complete=True),
        "recalls": retrieval.RetrievalRecall(top_k=(1, 2), complete=True),
        "curve": retrieval.RetrievalPrecisionRecallCurve(max_k=9, complete=True),
        "other": retrieval.RetrievalRecall(top_k=3, complete=True),
    }
    expected = {name: metric.clone()(scores, target) for name, metric in metrics.items()}
    collection = MetricCollection(metrics)
    collection.update(scores, target)
    # one measure at other numbers of documents is by itself
    assert sorted(map(len, collection.compute_groups.values())) == [1, 4]
    torch.testing.assert_close(collection.compute(), expected, rtol=0, atol=0)


@pytest.mark.slow
def test_a_million_queries():
    generator = torch.Generator().manual_seed(0)
    queries = 10**6
    ids = torch.randperm(queries, generator=generator) * 2**40 - 2**59
    indexes = ids.repeat_interleave(3)
    preds = torch.rand(3 * queries, generator=generator)
    target = torch.zeros(3 * queries, dtype=torch.int64)
    target[::3] = 1
    order = torch.randperm(3 * queries, generator=generator)
    metric = filled(
        "RetrievalMRR", *zip(*(value[order].split(10**6) for value in (preds, target, indexes)), strict=True)
    )
    rank = 1 + (preds.view(-1, 3)[:, 1:] > preds.view(-1, 3)[:, :1]).sum(1)
    found, values = metric.per_query()
    assert torch.equal(found, ids.sort().values)
    assert_same(values, (1 / rank)[ids.argsort()])
    whole = retrieval.RetrievalMRR(complete=True)
    whole.update(preds.view(-1, 3), target.view(-1, 3))
    assert_same(metric.compute(), (1 / rank).double().mean().float())
    assert_same(whole.compute(), metric.compute())


@pytest.mark.parametrize("name", vars(functional.retrieval)["__all__"])
def test_functions_under_vmap(name):
    function = getattr(functional.retrieval, name)
    preds, target = torch.rand(3, 9), torch.randint(0, 2, (3, 9))
    found, one_by_one = torch.func.vmap(function)(preds, target), list(map(function, preds, target))
    if not isinstance(found, tuple):
        found, one_by_one = (found,), [(value,) for value in one_by_one]
    for values, expected in zip(found, zip(*one_by_one, strict=True), strict=True):
        assert torch.equal(values, torch.stack(expected))
