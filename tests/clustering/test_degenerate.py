# SPDX-License-Identifier: Apache-2.0
"""Clustering metrics of one cluster, one sample, no samples and distinct labels, against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import fastmetrics.functional.clustering as functions
from fastmetrics import clustering
from fastmetrics.formulas import clusters, contingency

AVERAGES = ("min", "geometric", "arithmetic", "max")
# class, function, function of scikit-learn, options
METRICS = [
    ("MutualInfoScore", "mutual_info_score", sk.mutual_info_score, {}),
    ("HomogeneityScore", "homogeneity_score", sk.homogeneity_score, {}),
    ("CompletenessScore", "completeness_score", sk.completeness_score, {}),
    ("VMeasureScore", "v_measure_score", sk.v_measure_score, {}),
    ("VMeasureScore", "v_measure_score", sk.v_measure_score, {"beta": 0.25}),
    ("RandScore", "rand_score", sk.rand_score, {}),
    ("AdjustedRandScore", "adjusted_rand_score", sk.adjusted_rand_score, {}),
    ("FowlkesMallowsIndex", "fowlkes_mallows_index", sk.fowlkes_mallows_score, {}),
    *(
        (
            "NormalizedMutualInfoScore",
            "normalized_mutual_info_score",
            sk.normalized_mutual_info_score,
            {"average_method": a},
        )
        for a in AVERAGES
    ),
    *(
        ("AdjustedMutualInfoScore", "adjusted_mutual_info_score", sk.adjusted_mutual_info_score, {"average_method": a})
        for a in AVERAGES
    ),
]
CASES = {
    "no samples": ([], []),
    "one sample": ([3], [0]),
    "two samples, joined by both": ([3, 3], [1, 1]),
    "two samples, joined by the target": ([0, 1], [1, 1]),
    "two samples, joined by the prediction": ([3, 3], [0, 1]),
    "two samples, joined by neither": ([0, 1], [1, 0]),
    "one cluster, one target": ([1] * 6, [2] * 6),
    "one cluster": ([1] * 6, [0, 0, 1, 1, 2, 2]),
    "one target": ([0, 0, 1, 1, 2, 2], [1] * 6),
    "one cluster of distinct targets": ([1] * 6, [*range(6)]),
    "one target of distinct clusters": ([*range(6)], [1] * 6),
    "all distinct": ([*range(6)], [5, 4, 3, 2, 1, 0]),
    "distinct clusters": ([*range(6)], [0, 0, 1, 1, 2, 2]),
    "distinct targets": ([0, 0, 1, 1, 2, 2], [*range(6)]),
    "equal but for the names": ([0, 0, 1, 1, 2], [3, 3, 2, 2, 1]),
    "independent": ([0, 0, 1, 1], [0, 1, 0, 1]),
}


def expected_of(function, options, preds, target):
    """scikit-learn's value, or what is defined where it has none."""
    preds, target = np.array(preds, dtype=int), np.array(target, dtype=int)
    if not len(preds) and function is sk.mutual_info_score:
        return 0.0  # it raises
    if function is sk.adjusted_mutual_info_score and len(preds):
        table = sk.cluster.contingency_matrix(target, preds, sparse=True)
        chance = sk.cluster.expected_mutual_information(table, len(preds))
        entropies = [sk.mutual_info_score(labels, labels) for labels in (preds, target)]
        low, high = min(entropies), max(entropies)
        most = {"min": low, "max": high, "geometric": math.sqrt(low * high), "arithmetic": (low + high) / 2}
        alike = table.nnz == table.shape[0] == table.shape[1]
        if not alike and most[options["average_method"]] - chance < 1e-10:
            return 0.0  # 0 / 0, which it computes as 1 or -1, by rounding
    return float(function(target, preds, **options))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("name", "function", "reference", "options"), METRICS)
def test_degenerate_labelings(device, name, function, reference, options, case):
    preds, target = (torch.tensor(labels, dtype=torch.int64, device=device) for labels in CASES[case])
    expected = pytest.approx(expected_of(reference, options, *CASES[case]), rel=1e-6, abs=1e-7)
    for size in ({}, {"num_classes": 6}):
        assert getattr(functions, function)(preds, target, **options, **size).item() == expected
        metric = getattr(clustering, name)(**options, **size).to(device)
        for p, t in zip(preds.split(2), target.split(2), strict=True):
            metric.update(p, t)
        if len(preds):
            assert metric.compute().item() == expected
        weights = torch.ones(len(preds), device=device)
        assert getattr(functions, function)(preds, target, **options, **size, weights=weights).item() == expected


labelings = st.integers(0, 9).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 3), min_size=n, max_size=n) for _ in range(2)))
)


@pytest.mark.parametrize(("name", "function", "reference", "options"), METRICS)
@given(pair=labelings)
@example(pair=([0, 1, 2], [0, 0, 1]))
@settings(max_examples=60, deadline=None)
def test_any_small_labelings(name, function, reference, options, pair):
    preds, target = (torch.tensor(labels, dtype=torch.int64) for labels in pair)
    expected = pytest.approx(expected_of(reference, options, *pair), rel=1e-6, abs=1e-7)
    assert getattr(functions, function)(preds, target, **options).item() == expected


@given(pair=labelings, names=st.permutations(range(4)))
@settings(max_examples=60, deadline=None)
def test_a_labeling_agrees_with_itself(pair, names):
    labels = torch.tensor(pair[0], dtype=torch.int64)
    renamed = torch.tensor(names)[labels]
    weights = torch.ones(len(labels), dtype=torch.float64)
    table = contingency.of_labels(torch.stack([labels, renamed], 1), weights)
    for average in AVERAGES:
        assert clusters.normalized_mutual_information(table, average) == 1
        assert clusters.adjusted_mutual_information(table, average) == 1
    for score in (clusters.homogeneity, clusters.completeness, clusters.rand, clusters.adjusted_rand):
        assert score(table).item() == pytest.approx(1, abs=1e-15)


@given(pair=labelings)
@settings(max_examples=60, deadline=None)
def test_scores_stay_in_their_ranges_and_know_no_order(pair):
    labels = torch.tensor([*zip(*pair, strict=True)], dtype=torch.int64).reshape(-1, 2)
    weights = torch.ones(len(labels), dtype=torch.float64)
    table, swapped = (contingency.of_labels(of, weights) for of in (labels, labels.flip(1)))
    for average in AVERAGES:
        value = clusters.normalized_mutual_information(table, average)
        assert 0 <= value <= 1 + 1e-12
        torch.testing.assert_close(clusters.normalized_mutual_information(swapped, average), value)
        value = clusters.adjusted_mutual_information(table, average)
        assert value <= 1 + 1e-9
        torch.testing.assert_close(clusters.adjusted_mutual_information(swapped, average), value)
    torch.testing.assert_close(clusters.homogeneity(swapped), clusters.completeness(table))
    for score in (clusters.rand, clusters.adjusted_rand, clusters.fowlkes_mallows):
        assert -0.5 - 1e-12 <= score(table) <= 1 + 1e-12
        torch.testing.assert_close(score(swapped), score(table))


def test_equal_labelings_with_one_rare_label_are_equal():
    # one sample in a billion has another label: the mutual information is 2.2e-8
    table = contingency.of_table(torch.tensor([[10**9 - 1, 0], [0, 1]]))
    for average in AVERAGES:
        assert clusters.normalized_mutual_information(table, average) == 1
    # and a labeling that splits one more sample off explains most of it
    table = contingency.of_table(torch.tensor([[10**9 - 2, 0, 1], [0, 1, 0]]))
    share = clusters.normalized_mutual_information(table, "arithmetic").item()
    assert share == pytest.approx(2 / 3, abs=0.01)
