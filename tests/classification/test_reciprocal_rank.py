# SPDX-License-Identifier: Apache-2.0
"""Mean reciprocal ranks averaged over classes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmetrics import MetricCollection
from fastmetrics.classification import MeanReciprocalRank, TopKAccuracy
from fastmetrics.functional.classification import mean_reciprocal_rank

AVERAGES = ("micro", "macro", "weighted", "none", None)
C = 5


def reference(scores, target, average, weights=None):
    """Sample by sample."""
    weights = torch.ones(len(target)) if weights is None else weights
    of_class = {}
    for row, label, weight in zip(scores.tolist(), target.tolist(), weights.tolist(), strict=True):
        rank = 1 + sum(score > row[label] or (score == row[label] and i < label) for i, score in enumerate(row))
        sums = of_class.setdefault(label, [0.0, 0.0])
        sums[0] += weight / rank
        sums[1] += weight
    of_class = {label: sums for label, sums in of_class.items() if sums[1]}
    if average in ("none", None):
        return [of_class[c][0] / of_class[c][1] if c in of_class else 0.0 for c in range(scores.shape[1])]
    if average == "macro":
        return sum(total / count for total, count in of_class.values()) / max(1, len(of_class))
    counted = sum(count for _, count in of_class.values())
    return sum(total for total, _ in of_class.values()) / counted if counted else 0.0


@given(st.integers(0, 30), st.integers(2, 6), st.integers(0, 2**31), st.booleans())
@settings(max_examples=40, deadline=None)
def test_against_a_loop(n, classes, seed, weighted):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 4, (n, classes), generator=generator).float()  # with ties
    target = torch.randint(0, max(1, classes - 1), (n,), generator=generator)  # one class has no target
    weights = torch.randint(0, 3, (n,), generator=generator).float() if weighted else None
    for average in AVERAGES:
        expected = torch.tensor(reference(scores, target, average, weights))
        found = mean_reciprocal_rank(scores, target, classes, average=average, weights=weights)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
        first, second = (MeanReciprocalRank(classes, average=average) for _ in range(2))
        first.update(scores[: n // 3], target[: n // 3], weights=None if weights is None else weights[: n // 3])
        second.update(scores[n // 3 :], target[n // 3 :], weights=None if weights is None else weights[n // 3 :])
        first.merge_state(second)
        torch.testing.assert_close(first.compute(), expected, rtol=1e-6, atol=1e-7)


def test_samples_that_are_ignored(device):
    torch.manual_seed(0)
    scores, target = torch.randn(40, C, device=device), torch.randint(0, C, (40,), device=device)
    kept = target != 2
    for average in AVERAGES:
        expected = torch.tensor(reference(scores[kept].cpu(), target[kept].cpu(), average))
        found = mean_reciprocal_rank(scores, target, C, ignore_index=2, average=average)
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-6, atol=1e-7)


def test_one_read_with_top_k():
    torch.manual_seed(1)
    scores, target = torch.randn(40, C), torch.randint(0, C, (40,))
    both = MetricCollection([MeanReciprocalRank(C, average="macro"), TopKAccuracy(C, k=(1, 3), average="macro")])
    values = both(scores, target)
    assert len(both.compute_groups) == 1
    assert values["MeanReciprocalRank"].item() == pytest.approx(reference(scores, target, "macro"), rel=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="`average` to be one of"):
        MeanReciprocalRank(C, average="sum")
