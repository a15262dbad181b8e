# SPDX-License-Identifier: Apache-2.0
"""The difference of two models on the same samples."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fastmetrics import classification as ours
from fastmetrics.regression import MeanSquaredError
from fastmetrics.wrappers import PairedComparison

C = 4
METRICS = [
    ours.MulticlassAccuracy(C),
    ours.MulticlassAccuracy(C, average="micro"),
    ours.MulticlassF1Score(C),
    ours.MulticlassF1Score(C, average=None),
    ours.MulticlassSpecificity(C, average="micro"),
    ours.MulticlassCohenKappa(C, weights="linear"),
    ours.MulticlassMatthewsCorrCoef(C, ignore_index=1),
    ours.MulticlassConfusionMatrix(C),
]


def models(n=300, seed=0, c=C):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, c, (n,), generator=generator)

    def changed(labels, share):
        other = torch.randint(0, c, (n,), generator=generator)
        return torch.where(torch.rand(n, generator=generator) < share, labels, other)

    first = changed(target, 0.7)
    return first, changed(first, 0.8), target


def filled(metric, batch, **keywords):
    metric.update(*batch, **keywords)
    return metric


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_it_is_the_difference_of_two_metrics(metric):
    first, second, target = models()
    comparison = PairedComparison(metric)
    for part in torch.arange(300).split(70):
        comparison.update(first[part], second[part], target[part])
    values = [filled(metric.clone(), (preds, target)).compute() for preds in (first, second)]
    torch.testing.assert_close(comparison.compute(), (values[0] - values[1]).to(comparison.compute().dtype))
    for found, expected in zip(comparison.values(), values, strict=True):
        torch.testing.assert_close(found, expected.to(found.dtype))
    valid = torch.arange(300) % 3 > 0
    masked = filled(PairedComparison(metric), (first, second, target), valid=valid).compute()
    alone = filled(PairedComparison(metric), (first[valid], second[valid], target[valid])).compute()
    assert torch.equal(masked, alone)
    assert metric.update_count == 0


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_scores_are_read_as_the_metric_reads_them(scale):
    generator = torch.Generator().manual_seed(0)
    for kind, shape in ((ours.BinaryF1Score(0.3, ignore_index=-1), (200,)), (ours.MulticlassF1Score(C), (200, C))):
        first, second = (torch.rand(shape, generator=generator) * scale - (scale > 1) * 3 for _ in range(2))
        target = torch.randint(0, 2, (200,), generator=generator)
        expected = filled(kind.clone(), (first, target)).compute() - filled(kind.clone(), (second, target)).compute()
        assert filled(PairedComparison(kind), (first, second, target)).compute() == expected


@pytest.mark.parametrize("metric", METRICS[1:4], ids=lambda metric: str(metric.average))
def test_the_bootstrap_is_that_of_pairs(metric):
    first, second, target = models(150)
    comparison = filled(PairedComparison(metric), (first, second, target))
    generator = torch.Generator().manual_seed(9)
    again, values = PairedComparison(metric), []
    for _ in range(1500):
        drawn = torch.randint(0, 150, (150,), generator=generator)
        again.reset()
        again.update(first[drawn], second[drawn], target[drawn])
        values.append(again.compute())
    expected = torch.stack(values).quantile(torch.tensor([0.05, 0.95]), dim=0)
    low, high = comparison.interval(0.9)
    assert ((low - expected[0]).abs() < 0.012).all()
    assert ((high - expected[1]).abs() < 0.012).all()
    assert all(map(torch.equal, comparison.interval(0.9), (low, high)))


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_mcnemar_counts_who_alone_is_right(average):
    first, second, target = models()
    comparison = filled(PairedComparison(ours.MulticlassAccuracy(C, average=average)), (first, second, target))
    only = [((a == target) & (b != target)).sum().item() for a, b in ((first, second), (second, first))]
    assert comparison.mcnemar().statistic == min(only)
    assert comparison.mcnemar().pvalue.item() == pytest.approx(stats.binomtest(min(only), sum(only)).pvalue)
    chi = (abs(only[0] - only[1]) - 1) ** 2 / sum(only)
    assert comparison.mcnemar(exact=False).pvalue.item() == pytest.approx(stats.chi2.sf(chi, 1), rel=1e-6)


def test_mcnemar_is_that_of_statsmodels():
    """``mcnemar([[50, 9], [3, 38]])`` of statsmodels 0.15.0 gave these."""
    right = torch.tensor([(1, 1)] * 50 + [(1, 0)] * 9 + [(0, 1)] * 3 + [(0, 0)] * 38)
    comparison = PairedComparison(ours.MulticlassAccuracy(2, average="micro"))
    comparison.update(right[:, 0], right[:, 1], torch.ones(100, dtype=torch.int64))
    for exact, statistic, pvalue in ((True, 3.0, 0.14599609375), (False, 2.0833333333333335, 0.14891467317876161)):
        found = comparison.mcnemar(exact=exact)
        assert found.statistic == pytest.approx(statistic)
        assert found.pvalue.item() == pytest.approx(pvalue, rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 5))
def test_batches_and_merges_do_not_matter(sizes, seed):
    first, second, target = models(sum(sizes), seed)
    whole = filled(PairedComparison(ours.MulticlassF1Score(C)), (first, second, target))
    parts = [
        filled(PairedComparison(ours.MulticlassF1Score(C)), batch)
        for batch in zip(*(values.split(sizes) for values in (first, second, target)), strict=True)
    ]
    for part in parts[1:]:
        parts[0].merge_state(part)
    assert torch.equal(parts[0].pairs, whole.pairs)
    assert torch.equal(pickle.loads(pickle.dumps(whole)).compute(), whole.compute())
    assert torch.equal(whole.forward(first, second, target), whole.compute())


def test_any_number_of_classes_of_shares_of_all():
    first, second, target = models(c=5000)
    for size in (5000, None):
        comparison = PairedComparison(ours.MulticlassAccuracy(size, average="micro"))
        comparison.update(first, second, target)
        assert comparison.pairs.shape == (2, 2)
        difference = ((first == target).float().mean() - (second == target).float().mean()).item()
        assert comparison.compute().item() == pytest.approx(difference, abs=1e-6)


def test_bad_input():
    for metric in (
        ours.MultilabelF1Score(3),
        ours.MulticlassAccuracy(C, top_k=2),
        ours.MulticlassF1Score(C, multidim_average="samplewise"),
        ours.TopKAccuracy(C),
        MeanSquaredError(),
        "accuracy",
    ):
        with pytest.raises(ValueError, match="expected `metric` to be one of binary or multiclass decisions"):
            PairedComparison(metric)
    with pytest.raises(ValueError, match="at most 256 classes, but got 300, whose table takes 216000000 bytes"):
        PairedComparison(ours.MulticlassF1Score(300))
    comparison = filled(PairedComparison(ours.MulticlassF1Score(C)), models())
    before = comparison.pairs.clone()
    first, second, target = models()
    with pytest.raises(ValueError, match="same shape"):
        comparison.update(first, second[1:], target)
    with pytest.raises(TypeError):
        comparison.update(first, second, target, weights=torch.ones(300))
    assert torch.equal(comparison.pairs, before)
    with pytest.raises(RuntimeError, match=r"PairedComparison: expected `preds` values in \[0, 3\], but 1 lay outside"):
        comparison.update(first[:2], torch.tensor([9, 0]), target[:2])
    assert comparison.pairs.sum() == before.sum() + 1
