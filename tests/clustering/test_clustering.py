# SPDX-License-Identifier: Apache-2.0
"""Clustering metrics, against torchmetrics, scikit-learn and scipy, by hand, and in float64."""

import itertools
import math

import numpy as np
import pytest
import torch
import torchmetrics.clustering as theirs
import torchmetrics.functional.clustering as their_functions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as sk

import fastmetrics.functional.clustering as functions
from fastmetrics import clustering as ours
from fastmetrics.formulas import contingency
from fastmetrics.formulas.assignment import best_matching

pytestmark = pytest.mark.filterwarnings("ignore")

FUNCTIONS = {
    "MutualInfoScore": "mutual_info_score",
    "NormalizedMutualInfoScore": "normalized_mutual_info_score",
    "AdjustedMutualInfoScore": "adjusted_mutual_info_score",
    "HomogeneityScore": "homogeneity_score",
    "CompletenessScore": "completeness_score",
    "VMeasureScore": "v_measure_score",
    "RandScore": "rand_score",
    "AdjustedRandScore": "adjusted_rand_score",
    "FowlkesMallowsIndex": "fowlkes_mallows_index",
}
KINDS = [(name, {}) for name in FUNCTIONS if "ormalized" not in name and "AdjustedMutual" not in name]
KINDS += [("NormalizedMutualInfoScore", {"average_method": m}) for m in ("min", "geometric", "arithmetic", "max")]
KINDS += [("AdjustedMutualInfoScore", {"average_method": m}) for m in ("min", "geometric", "arithmetic", "max")]
KINDS += [("VMeasureScore", {"beta": 0.5})]
every_metric = pytest.mark.parametrize(("name", "options"), KINDS)


def labelings(n=120):
    target = torch.randint(0, 6, (n,))
    return torch.where(torch.rand(n) < 0.6, target // 2, torch.randint(0, 5, (n,))), target


def from_sklearn(name, preds, target, options):
    function = FUNCTIONS[name].replace("mallows_index", "mallows_score")
    return float(getattr(sk, function)(target.numpy(), preds.numpy(), **options))


@every_metric
def test_against_torchmetrics_and_scikit_learn(device, name, options):
    torch.manual_seed(0)
    preds, target = labelings()
    ones = torch.ones(10, dtype=torch.int64)
    cases = [(preds, target), (preds * 7 - 9, target + 2**40), (preds, preds), ((preds + 1) % 5, preds)]
    cases += [(preds.to(torch.uint8), target.to(torch.int16)), (preds > 2, target)]
    cases += [(ones, ones), (ones, preds[:10]), (preds[:10], ones), (torch.arange(10), torch.arange(10))]
    for i, (p, t) in enumerate(cases):
        metric, other = getattr(ours, name)(**options).to(device), getattr(theirs, name)(**options)
        for part in (slice(0, 7), slice(7, None)):
            metric.update(p[part].to(device), t[part].to(device))
            other.update(p[part], t[part])
        value = metric.compute().cpu()
        if i != 6 or not options.keys() & {"average_method"}:  # of one cluster torchmetrics makes 0
            torch.testing.assert_close(value, other.compute().float(), rtol=2e-5, atol=1e-6)
        assert value.item() == pytest.approx(from_sklearn(name, p, t, options), rel=1e-6, abs=1e-7)
        assert getattr(functions, FUNCTIONS[name])(p.to(device), t.to(device), **options).cpu() == value
        if int(p.min()) >= 0 and int(t.max()) < 10:
            table = getattr(ours, name)(**options, num_classes=10).to(device)
            table.update(p.to(device), t.to(device))
            assert set(table.metric_state) == {"confusion", "faults"}
            torch.testing.assert_close(table.compute().cpu(), value, rtol=1e-6, atol=1e-9)


@every_metric
def test_edges(device, name, options):
    def value(preds, target):
        tensors = (torch.tensor(x, dtype=torch.int64, device=device) for x in (preds, target))
        return getattr(functions, FUNCTIONS[name])(*tensors, **options).item()

    pairs_or_information = name in ("FowlkesMallowsIndex", "MutualInfoScore")
    assert value([], []) == value([3], [7]) == (0 if pairs_or_information else 1)
    assert value([3, 3], [7, 7]) == (0 if name == "MutualInfoScore" else 1)
    equal = math.log(3) if name == "MutualInfoScore" else 1
    assert value([5, 5, 2, 2, 9, 9], [0, 0, 1, 1, 2, 2]) == pytest.approx(equal)
    alone = math.log(4) if name == "MutualInfoScore" else 0 if name == "FowlkesMallowsIndex" else 1
    assert value([0, 1, 2, 3], [3, 2, 1, 0]) == pytest.approx(alone)
    independent = {"RandScore": 2 / 6, "AdjustedRandScore": -0.5, "AdjustedMutualInfoScore": -0.5}.get(name, 0)
    assert value([0, 0, 1, 1], [0, 1, 0, 1]) == pytest.approx(independent)


def test_by_hand(device):
    # pairs: (0, 1) together in both; (2, 3) in the target only; (3, 4) in the prediction only; 7 of 10 in neither
    preds, target = torch.tensor([0, 0, 1, 2, 2], device=device), torch.tensor([4, 4, 5, 5, 6], device=device)
    assert functions.rand_score(preds, target).item() == pytest.approx(8 / 10)
    assert functions.fowlkes_mallows_index(preds, target).item() == pytest.approx(1 / 2)
    assert functions.adjusted_rand_score(preds, target).item() == pytest.approx((1 - 0.4) / (2 - 0.4))
    entropy = 0.8 * math.log(5 / 2) + 0.2 * math.log(5)
    shared = 0.4 * math.log(5 / 2) + 2 * 0.2 * math.log(5 / 2) + 0.2 * math.log(5 / 4)
    assert functions.mutual_info_score(preds, target).item() == pytest.approx(shared)
    assert functions.homogeneity_score(preds, target).item() == pytest.approx(shared / entropy)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=5))
@settings(max_examples=15, deadline=None)
def test_expected_information_is_the_mean_over_permutations(pairs):
    preds, target = (np.array(column) for column in zip(*pairs, strict=True))
    mean = np.mean([sk.mutual_info_score(target, np.array(order)) for order in itertools.permutations(preds)])
    sizes = (torch.tensor([n for n in np.bincount(x) if n], dtype=torch.float64) for x in (target, preds))
    assert contingency.expected_mutual_information(*sizes).item() == pytest.approx(mean, rel=1e-12, abs=1e-15)


def test_expected_information_in_float64(monkeypatch):
    generator = np.random.default_rng(0)
    for n, rows, columns in ((5000, 3, 4), (20_000, 30, 7), (3000, 900, 2)):
        target, preds = (generator.integers(0, k, n) ** 2 // k for k in (rows, columns))
        table = contingency.of_labels(
            torch.from_numpy(np.stack([preds, target], 1)), torch.ones(n, dtype=torch.float64)
        )
        expected = sk.cluster.expected_mutual_information(sk.cluster.contingency_matrix(target, preds, sparse=True), n)
        value = contingency.expected_mutual_information(table.targets, table.preds).item()
        assert value == pytest.approx(expected, rel=1e-9)
        monkeypatch.setattr(contingency, "_TERMS", 100)  # in parts that hold one pair of sizes, or a few
        assert contingency.expected_mutual_information(table.targets, table.preds).item() == pytest.approx(
            value, rel=1e-12
        )
        monkeypatch.undo()
    # to first order (R - 1)(K - 1) / 2n, where lgamma has lost its digits
    halves = torch.tensor([5e8, 5e8], dtype=torch.float64)
    assert contingency.expected_mutual_information(halves, halves).item() == pytest.approx(5e-10, rel=1e-6)


def test_information_in_float64():
    torch.manual_seed(1)
    preds, target = torch.randint(0, 50, (100_000,)), torch.randint(0, 40, (100_000,))  # nearly independent
    table = contingency.of_labels(torch.stack([preds, target], 1), torch.ones(100_000, dtype=torch.float64))
    counts = np.histogram2d(target, preds, [range(41), range(51)])[0].astype(np.longdouble)
    share = counts / counts.sum()
    outer = share.sum(1, keepdims=True) * share.sum(0, keepdims=True)
    expected = float((share * np.log(share / outer)).sum())
    assert contingency.mutual_information(table).item() == pytest.approx(expected, rel=1e-11)
    margin = share.sum(1)
    expected = float(-(margin * np.log(margin)).sum())
    assert contingency.entropy(table.targets).item() == pytest.approx(expected, rel=1e-13)


def test_pairs_of_many_samples():
    torch.manual_seed(2)
    n = 100_000  # products of pairs pass 2^63
    target = torch.randint(0, 3, (n,))
    preds = torch.where(torch.rand(n) < 0.9, target, torch.randint(0, 3, (n,)))
    for name in ("RandScore", "AdjustedRandScore", "FowlkesMallowsIndex"):
        expected = from_sklearn(name, preds, target, {})
        assert getattr(functions, FUNCTIONS[name])(preds, target).item() == pytest.approx(expected, rel=1e-6)
        assert getattr(functions, FUNCTIONS[name])(preds, target, num_classes=3).item() == pytest.approx(
            expected, rel=1e-6
        )


def test_many_labels_take_no_table_of_all_pairs():
    distinct = torch.arange(60_000)  # a table would have 3.6e9 cells
    assert ours.VMeasureScore()(distinct * 3, distinct.flip(0)) == 1
    assert ours.AdjustedRandScore()(distinct * 3, distinct.flip(0)) == 1
    halves = ours.HomogeneityScore()(distinct // 2, distinct)
    assert halves.item() == pytest.approx(math.log(30_000) / math.log(60_000))


@every_metric
def test_weights_and_valid(device, name, options):
    torch.manual_seed(3)
    preds, target = (labels.to(device) for labels in labelings())
    times, valid = torch.randint(0, 3, (120,), device=device), torch.rand(120, device=device) < 0.5
    for size in ({}, {"num_classes": 6}):
        metric, other = (getattr(ours, name)(**options, **size).to(device) for _ in range(2))
        expected = other(preds.repeat_interleave(times), target.repeat_interleave(times))
        torch.testing.assert_close(metric(preds, target, weights=times), expected)
        torch.testing.assert_close(metric(preds, target, valid=valid), other(preds[valid], target[valid]))
        torch.testing.assert_close(metric.compute(), other.compute())
        metric.reset()
        with pytest.raises(RuntimeError, match="`weights` of at least 0, but 1 were not, the first is -1"):
            metric(preds, target, weights=torch.where(torch.arange(120, device=device) == 5, -1.0, 1.0))
        kept = torch.arange(120, device=device) != 5
        torch.testing.assert_close(metric.compute(), other(preds[kept], target[kept]))


def test_weights_that_are_no_numbers_of_samples(device):
    preds, target = torch.tensor([0, 0, 1], device=device), torch.tensor([0, 1, 1], device=device)
    weights = torch.tensor([0.25, 0.5, 0.25], device=device)
    expected = 0.25 * math.log(0.25 / (0.75 * 0.25)) + 0.5 * math.log(0.5 / (0.75 * 0.75))
    expected += 0.25 * math.log(0.25 / (0.25 * 0.75))
    assert functions.mutual_info_score(preds, target, weights=weights).item() == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="whole numbers"):
        functions.adjusted_mutual_info_score(preds, target, weights=weights)


def test_cluster_accuracy(device):
    torch.manual_seed(4)
    metric = ours.ClusterAccuracy(6).to(device)
    tables = []
    for _ in range(2):
        preds, target = labelings()
        metric.update(preds.to(device), target.to(device))
        tables.append(sk.confusion_matrix(target, preds, labels=range(6)))
    table = sum(tables)
    expected = table[linear_sum_assignment(table, maximize=True)].sum() / 240
    assert metric.compute().item() == pytest.approx(expected, rel=1e-6)
    torch.manual_seed(4)
    preds, target = (labels.to(device) for labels in labelings())
    of_first = tables[0][linear_sum_assignment(tables[0], maximize=True)].sum() / 120
    assert functions.cluster_accuracy(preds, target, 6).item() == pytest.approx(of_first, rel=1e-6)
    weights = torch.full((120,), 0.5, device=device)
    assert functions.cluster_accuracy(preds, target, 6, weights=weights).item() == pytest.approx(of_first, rel=1e-6)
    assert ours.ClusterAccuracy(1).to(device)(preds * 0, target * 0) == 1
    assert functions.cluster_accuracy(preds[:0], target[:0], 6).isnan()


@given(st.integers(1, 9), st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_best_matching_against_scipy(size, seed, greatest):
    gain = np.random.default_rng(seed).integers(0, greatest, (size, size))
    expected = gain[linear_sum_assignment(gain, maximize=True)].sum()
    assert best_matching(torch.from_numpy(gain)) == expected
    halves = torch.from_numpy(gain) * 0.5
    assert best_matching(halves).item() == pytest.approx(expected / 2)


def test_best_matching_of_large_counts():
    gain = torch.tensor([[2**61, 2**61 + 1], [2**61 - 2, 2**61]])
    assert best_matching(gain) == 2**62  # of 2^62 - 1
    table = torch.from_numpy(np.random.default_rng(0).integers(0, 1000, (150, 150)))
    assert best_matching(table) == table.numpy()[linear_sum_assignment(table.numpy(), maximize=True)].sum()


def test_errors(device):
    labels = torch.tensor([0, 1, 2], device=device)
    makes = [ours.RandScore, lambda: ours.RandScore(num_classes=3), lambda: ours.ClusterAccuracy(3)]
    for make in makes:
        metric = make().to(device)
        with pytest.raises(RuntimeError, match="same shape"):
            metric.update(labels, labels[:2])
        with pytest.raises(ValueError, match="1-d"):
            metric.update(labels.reshape(3, 1), labels.reshape(3, 1))
        with pytest.raises(ValueError, match="discrete"):
            metric.update(labels.float(), labels)
        with pytest.raises(ValueError, match="Expected `valid`"):
            metric.update(labels, labels, valid=torch.ones(2, dtype=torch.bool, device=device))
        assert not metric.update_called
    for make in makes[1:]:
        metric = make().to(device)
        with pytest.raises(RuntimeError, match=r"`preds` values in \[0, 2\], but 1 lay outside, the first is 7"):
            metric(torch.tensor([0, 1, 7], device=device), labels)
        assert metric.compute() == 1
    for wrong in ({"beta": 0.0}, {"beta": 1}):
        with pytest.raises(ValueError, match="beta"):
            ours.VMeasureScore(**wrong)
    for cls in (ours.NormalizedMutualInfoScore, ours.AdjustedMutualInfoScore):
        with pytest.raises(ValueError, match="average_method"):
            cls("mean")
    for size in (0, 1.5):
        with pytest.raises(ValueError, match="positive integer"):
            ours.RandScore(num_classes=size)
        with pytest.raises(ValueError, match="positive integer"):
            ours.ClusterAccuracy(size)
    with pytest.raises(ValueError, match="1-d"):
        their_functions.rand_score(labels.reshape(3, 1), labels.reshape(3, 1))
