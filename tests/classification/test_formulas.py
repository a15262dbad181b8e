# SPDX-License-Identifier: Apache-2.0
"""Formulas of counts, matrix, ranks and groups by hand, against scikit-learn, and what torchmetrics does not offer."""

import itertools
import math
import pickle
import random

import pytest
import torch
import torchmetrics.classification as their_classes
import torchmetrics.functional.classification as their_functions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import fastmetrics.classification as classes
import fastmetrics.functional.classification as functions
from tests.support.inputs import labels_of

pytestmark = pytest.mark.filterwarnings("ignore")

AVERAGES = ("micro", "macro", "weighted", "none")
# row = target, asymmetric; class 3 never occurs
TABLE = [[5, 2, 1, 0], [0, 3, 4, 0], [6, 0, 2, 0], [0, 0, 0, 0]]
TP, PREDICTED, ACTUAL, N = [5, 3, 2, 0], [11, 5, 7, 0], [8, 7, 8, 0], 23
OF_TWO_RATES = {
    "Informedness": "informedness",
    "Markedness": "markedness",
    "BalancedErrorRate": "balanced_error_rate",
    "GeometricMeanScore": "geometric_mean_score",
    "FowlkesMallowsScore": "fowlkes_mallows_score",
}


def share(part, total):
    return part / total if total else 0.0


def score(name, tp, fp, tn, fn):
    """The scores as they are defined."""
    recall, specificity = share(tp, tp + fn), share(tn, tn + fp)
    precision, npv = share(tp, tp + fp), share(tn, tn + fn)
    return {
        "Specificity": specificity,
        "NegativePredictiveValue": npv,
        "HammingDistance": 1 - recall,
        "FBetaScore": share(5 * tp, 5 * tp + 4 * fn + fp),
        "JaccardIndex": share(tp, tp + fp + fn),
        "Informedness": recall + specificity - 1,
        "Markedness": precision + npv - 1,
        "BalancedErrorRate": 1 - (recall + specificity) / 2,
        "GeometricMeanScore": math.sqrt(recall * specificity),
        "FowlkesMallowsScore": math.sqrt(precision * recall),
    }[name]


NAMES = ("Specificity", "NegativePredictiveValue", "HammingDistance", "FBetaScore", "JaccardIndex", *OF_TWO_RATES)


@pytest.mark.parametrize("name", NAMES)
def test_scores_of_a_multiclass_table(device, name):
    preds, target = labels_of(TABLE, device)
    outcomes = [(tp, p - tp, N - p - a + tp, a - tp) for tp, p, a in zip(TP, PREDICTED, ACTUAL, strict=True)]
    found = [score(name, *each) for each in outcomes]
    together = score(name, *(sum(column) for column in zip(*outcomes, strict=True)))
    weighted = sum(a * x for a, x in zip(ACTUAL, found, strict=True)) / N
    options = {"beta": 2.0} if name == "FBetaScore" else {}
    scores = torch.nn.functional.one_hot(preds, 4).float()
    for average, expected in zip(AVERAGES, (together, sum(found[:3]) / 3, weighted, found), strict=True):
        metric = getattr(classes, f"Multiclass{name}")(num_classes=4, average=average, **options).to(device)
        for given_preds in (preds, scores):
            assert metric(given_preds, target).tolist() == pytest.approx(expected, rel=1e-6)
        # in float64 weights that are no power of two, a class without a sample is still without
        metric.reset()
        value = metric(preds, target, weights=torch.full((N,), 0.1, device=device))
        assert value.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "HammingDistance"])
def test_scores_of_binary_and_multilabel_tables(device, name):
    preds, target = labels_of([[1, 3], [4, 2]], device)  # tp 2, fp 3, tn 1, fn 4
    options = {"beta": 2.0} if name == "FBetaScore" else {}
    first = score(name, 2, 3, 1, 4)
    metric = getattr(classes, f"Binary{name}")(**options).to(device)
    assert metric(preds, target).item() == pytest.approx(first, rel=1e-6)
    second = score(name, 2, 4, 1, 3)
    both = torch.stack([preds, target], 1), torch.stack([target, preds], 1)
    expected = (score(name, 4, 7, 2, 7), (first + second) / 2, (6 * first + 5 * second) / 11, [first, second])
    for average, value in zip(AVERAGES, expected, strict=True):
        metric = getattr(classes, f"Multilabel{name}")(num_labels=2, average=average, **options).to(device)
        assert metric(*both).tolist() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", OF_TWO_RATES)
def test_scores_that_torchmetrics_lacks_have_all_options(device, name):
    torch.manual_seed(0)
    scores, target = torch.randn(40, 5, 6, device=device), torch.randint(0, 5, (40, 6), device=device)
    kind, function = getattr(classes, f"Multiclass{name}"), getattr(functions, f"multiclass_{OF_TWO_RATES[name]}")
    for average, k, mark in itertools.product(AVERAGES, (1, 2), (None, -1, 2)):
        options = {"num_classes": 5, "average": average, "top_k": k, "ignore_index": mark}
        marked = target if mark is None else torch.where(torch.rand(40, 6, device=device) < 0.2, mark, target)
        value = kind(**options).to(device)(scores, marked)
        assert torch.equal(value, function(scores, marked, **options))
        # a value of each sample is that of the sample alone
        samplewise = kind(**options, multidim_average="samplewise").to(device)(scores, marked)
        alone = torch.stack(
            [function(s[None], t[None], **options) for s, t in zip(scores[:5], marked[:5], strict=True)]
        )
        assert torch.equal(samplewise[:5], alone)
    wrapper = getattr(classes, name)
    assert type(wrapper(task="multilabel", num_labels=3)).__name__ == f"Multilabel{name}"
    labels = scores.argmax(1).flatten()
    if name == "GeometricMeanScore":  # per class, one against all
        sensitivity = sk.recall_score(target.flatten().cpu(), labels.cpu(), average=None)
        assert kind(5, average=None).to(device)(labels, target.flatten()).shape == sensitivity.shape
    binary = target.flatten() > 2, labels > 2
    if name == "Informedness":
        expected = sk.balanced_accuracy_score(binary[0].cpu(), binary[1].cpu(), adjusted=True)
        assert classes.BinaryInformedness().to(device)(binary[1], binary[0]).item() == pytest.approx(expected, rel=1e-6)


def test_scikit_learn(device):
    torch.manual_seed(0)
    preds, target = (torch.randint(0, 6, (400,)) for _ in range(2))
    weights = torch.rand(400, dtype=torch.float64)
    here = preds.to(device), target.to(device)
    for sample_weight in (None, weights):
        given_weights = {} if sample_weight is None else {"weights": sample_weight.to(device)}
        for kind in (None, "linear", "quadratic"):
            expected = sk.cohen_kappa_score(target, preds, weights=kind, sample_weight=sample_weight)
            ours = classes.MulticlassCohenKappa(6, weights=kind).to(device)(*here, **given_weights)
            assert ours.item() == pytest.approx(expected, abs=1e-7)
        expected = sk.matthews_corrcoef(target, preds, sample_weight=sample_weight)
        ours = classes.MulticlassMatthewsCorrCoef(6).to(device)(*here, **given_weights)
        assert ours.item() == pytest.approx(expected, abs=1e-7)
        for average in ("micro", "macro", "weighted", None):
            options = {"average": average, "sample_weight": sample_weight}
            pairs = (
                (classes.MulticlassJaccardIndex(6, average=average), sk.jaccard_score(target, preds, **options)),
                (
                    classes.MulticlassFBetaScore(0.5, 6, average=average),
                    sk.fbeta_score(target, preds, beta=0.5, **options),
                ),
            )
            for metric, value in pairs:
                ours = metric.to(device)(*here, **given_weights)
                torch.testing.assert_close(ours.cpu(), torch.as_tensor(value).float(), rtol=1e-6, atol=0)


def test_matthews_of_degenerate_tables(device):
    for cells in itertools.product((0, 1, 4), repeat=4):
        table = [[cells[0], cells[1]], [cells[2], cells[3]]]
        if not any(cells):
            continue
        preds, target = labels_of(table)
        expected = their_functions.binary_matthews_corrcoef(preds, target).float()
        here = preds.to(device), target.to(device)
        for metric in (classes.BinaryMatthewsCorrCoef(), classes.MulticlassMatthewsCorrCoef(2)):
            torch.testing.assert_close(metric.to(device)(*here).cpu(), expected, rtol=1e-5, atol=1e-7)
        three = classes.MulticlassMatthewsCorrCoef(3).to(device)(*here).cpu()
        torch.testing.assert_close(three, their_functions.multiclass_matthews_corrcoef(preds, target, 3).float())
    one = torch.ones(5, dtype=torch.int64, device=device)
    weights = torch.rand(5, dtype=torch.float64, device=device)
    # all predictions are one class, whatever rounding the weights bring
    for target in (one, torch.tensor([0, 1, 2, 3, 1], device=device)):
        assert classes.MulticlassMatthewsCorrCoef(4).to(device)(one, target, weights=weights).item() == 0


def test_nothing_counted(device):
    empty = torch.zeros(0, dtype=torch.int64, device=device)
    marks = torch.full((4,), -1, device=device)
    for batch in ((empty, empty), (torch.zeros_like(marks), marks)):
        for average, expected in (("micro", 1.0), ("macro", math.nan), ("weighted", math.nan)):
            metric = classes.MulticlassJaccardIndex(3, average, ignore_index=-1, zero_division=1).to(device)
            torch.testing.assert_close(metric(*batch).cpu(), torch.tensor(expected), equal_nan=True)
        for kappa in (classes.BinaryCohenKappa(ignore_index=-1), classes.MulticlassCohenKappa(3, ignore_index=-1)):
            assert kappa.to(device)(*batch).isnan()
        linear = classes.MulticlassCohenKappa(3, ignore_index=-1, weights="linear").to(device)
        assert linear(*batch).isnan()
        assert classes.MulticlassMatthewsCorrCoef(3, ignore_index=-1).to(device)(*batch).item() == 0
        assert classes.BinaryMatthewsCorrCoef(ignore_index=-1).to(device)(*batch).item() == 0
        for name in OF_TWO_RATES:
            assert getattr(classes, f"Multiclass{name}")(3, ignore_index=-1).to(device)(*batch).item() == 0
        scores = torch.rand(batch[1].shape[0], 3, device=device)
        assert classes.MeanReciprocalRank(3, ignore_index=-1).to(device)(scores, batch[1]).item() == 0
        top = classes.TopKAccuracy(3, k=(1, 2), ignore_index=-1).to(device)
        assert top(scores, batch[1]).tolist() == [0.0, 0.0]
        groups = torch.zeros_like(batch[1])
        rates = classes.BinaryGroupStatRates(2, ignore_index=-1).to(device)(*batch, groups)
        assert all(rate.isnan().all() for rate in rates.values())


@pytest.mark.parametrize("start", [2**24, 2**31, 2**53])
def test_cells_past_24_31_and_53_bits(device, start):
    preds, target = labels_of([[3, 1], [2, 4]], device)
    for make in (
        lambda: classes.MulticlassMatthewsCorrCoef(2),
        lambda: classes.MulticlassCohenKappa(2),
        lambda: classes.MulticlassCohenKappa(2, weights="linear"),
        lambda: classes.MulticlassJaccardIndex(2),
        lambda: classes.MulticlassSpecificity(2),
        lambda: classes.MulticlassMarkedness(2),
    ):
        metric = make().to(device)
        metric.update(preds, target)
        (state,) = (s for name, s in metric.metric_state.items() if name in ("counts", "confusion"))
        state.mul_(start)
        expected = make().to(device)(preds, target)
        assert metric.compute().item() == pytest.approx(expected.item(), rel=1e-6)
        before = state.clone()
        metric.update(preds[:1], target[:1])
        assert (state - before).sum() > 0  # one sample more is seen


def test_a_label_out_of_range_is_said_and_not_counted(device):
    target = torch.tensor([0, 1, -1, 2], device=device)
    scores = torch.eye(4, device=device)[:, :3]
    for metric in (
        classes.MulticlassJaccardIndex(3),
        classes.MulticlassCohenKappa(3),
        classes.MulticlassCohenKappa(3, weights="quadratic"),
        classes.MulticlassMatthewsCorrCoef(3),
        classes.MulticlassInformedness(3),
        classes.TopKAccuracy(3, k=(1, 2)),
        classes.MeanReciprocalRank(3),
    ):
        kept = type(metric)(**{k: getattr(metric, k) for k in ("num_classes", "k", "weights") if hasattr(metric, k)})
        expected = kept.to(device)(scores[[0, 1, 3]], target[[0, 1, 3]])
        metric.to(device)
        with pytest.raises(RuntimeError, match=r"1 lay outside, the first is -1\. They were not counted"):
            (metric.update(scores, target), metric.compute())
        assert torch.equal(metric.compute(), expected)


def test_linear_memory(device):
    c = 200_000
    target = torch.randint(0, c, (1000,), device=device)
    preds = torch.where(torch.rand(1000, device=device) < 0.5, target, torch.randint(0, c, (1000,), device=device))
    for metric in (
        classes.MulticlassJaccardIndex(c),
        classes.MulticlassMatthewsCorrCoef(c),
        classes.MulticlassCohenKappa(c),
        classes.MulticlassSpecificity(c, average="micro"),
        classes.MulticlassFowlkesMallowsScore(c),
    ):
        value = metric.to(device)(preds, target)
        assert sum(state.numel() for state in metric.metric_state.values()) < 4 * c
        assert 0 < value < 1
    expected = sk.matthews_corrcoef(target.cpu(), preds.cpu())
    assert functions.multiclass_matthews_corrcoef(preds, target, c).item() == pytest.approx(expected, abs=1e-6)
    scores = torch.rand(3, c, device=device)
    for k in (1, 5):
        metric = classes.MulticlassRecall(c, top_k=k).to(device)
        metric.update(scores, target[:3])
        assert sum(state.numel() for state in metric.metric_state.values()) <= (3 + 2 * k) * c + 100


# Ranks


def test_top_k_and_reciprocal_rank_by_hand(device):
    # ranks 0, 2, 1 and, behind an equal score of a lower class, 1
    scores = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25], [0.1, 0.45, 0.45]], device=device)
    target = torch.tensor([0, 0, 1, 2], device=device)
    top = classes.TopKAccuracy(3, k=(1, 2, 3)).to(device)
    assert top(scores, target).tolist() == [1 / 4, 3 / 4, 1.0]
    assert top.rank_histogram.tolist() == [1, 2, 1]
    assert classes.TopKAccuracy(3, k=2).to(device)(scores, target).shape == ()
    assert functions.top_k_accuracy(scores, target, 3, k=[1, 2]).tolist() == [1 / 4, 3 / 4]
    expected = (1 + 1 / 3 + 1 / 2 + 1 / 2) / 4
    rank = classes.MeanReciprocalRank(3).to(device)
    assert rank(scores, target).item() == pytest.approx(expected, rel=1e-7)
    assert functions.mean_reciprocal_rank(scores, target, 3).item() == pytest.approx(expected, rel=1e-7)
    weights = torch.tensor([2.0, 0.5, 0.0, 1.0], device=device)
    weighted = (2 + 0.5 / 3 + 1 / 2) / 3.5
    assert classes.MeanReciprocalRank(3).to(device)(scores, target, weights=weights).item() == pytest.approx(weighted)


def test_top_k_is_accuracy_of_each_k(device):
    torch.manual_seed(0)
    scores, target = torch.rand(60, 8, 3, device=device), torch.randint(0, 8, (60, 3), device=device)
    ks = (1, 3, 8)
    for average, mark in itertools.product((*AVERAGES, None), (None, 2, -1)):
        options = {"average": average, "ignore_index": mark}
        marked = torch.where(torch.rand(60, 3, device=device) < 0.2, mark, target) if mark == -1 else target
        ours = classes.TopKAccuracy(8, ks, **options).to(device)
        for _ in range(2):
            value = ours(scores, marked)
        for k, each in zip(ks, value, strict=True):
            assert torch.equal(each, classes.MulticlassAccuracy(8, top_k=k, **options).to(device)(scores, marked))
        assert torch.equal(ours.compute(), value)
    labels, kept = target.flatten().cpu(), scores.movedim(1, -1).reshape(-1, 8).cpu()
    for k in ks:
        expected = sk.top_k_accuracy_score(labels, kept, k=k, labels=range(8))
        assert functions.top_k_accuracy(scores, target, 8, k=k).item() == pytest.approx(expected, rel=1e-6)


def test_what_ranks_refuse():
    for k, error in ((0, ValueError), ((1, 9), ValueError), ((), ValueError), (1.5, TypeError)):
        with pytest.raises(error):
            classes.TopKAccuracy(8, k)
    metric = classes.MeanReciprocalRank(3)
    with pytest.raises(ValueError, match="should be scores"):
        metric.update(torch.tensor([0, 1]), torch.tensor([0, 1]))
    assert not metric.update_called


# Options


def test_logits_are_what_is_said(device):
    small = torch.tensor([0.2, 0.3, 0.6, 0.9], device=device)  # a batch of logits that looks like probabilities
    target = torch.tensor([1, 1, 0, 1], device=device)
    probabilities = small.sigmoid()
    for name in ("Accuracy", "StatScores", "ConfusionMatrix", "JaccardIndex", "MatthewsCorrCoef", "Informedness"):
        kind = getattr(classes, f"Binary{name}")
        expected = kind(logits=False).to(device)(probabilities, target)
        assert torch.equal(kind(logits=True).to(device)(small, target), expected)
        assert not torch.equal(kind().to(device)(small, target), expected)
    large = torch.tensor([-3.0, 0.4, 2.0, 0.9], device=device)
    stats = functions.binary_stat_scores(large, target, threshold=0.6, logits=False)
    assert stats.tolist() == [1, 1, 0, 2, 3]  # what overshoots a probability is compared as it is
    assert functions.binary_stat_scores(large, target, threshold=0.6, logits=True).tolist() == [1, 1, 0, 2, 3]
    many = torch.stack([small, large], 1), torch.stack([target, target], 1)
    for logits in (True, False):
        labels = functions.multilabel_accuracy(*many, num_labels=2, average=None, logits=logits)
        alone = [functions.binary_accuracy(many[0][:, i], target, logits=logits) for i in range(2)]
        assert torch.equal(labels, torch.stack(alone))
    # labels are labels
    assert functions.binary_accuracy(target, target, logits=True).item() == 1
    with pytest.raises(ValueError, match="logits"):
        classes.BinaryAccuracy(logits="maybe")


def test_an_ignored_class_can_be_left_out_of_averages(device):
    torch.manual_seed(0)
    preds, target = torch.randint(0, 4, (200,), device=device), torch.randint(0, 4, (200,), device=device)
    kept = target != 2
    for name, reference in (
        ("Precision", sk.precision_score),
        ("Recall", sk.recall_score),
        ("F1Score", sk.f1_score),
        ("JaccardIndex", sk.jaccard_score),
    ):
        kind = getattr(classes, f"Multiclass{name}")
        right = {} if name == "JaccardIndex" else {"exclude_ignored": True}  # that one has never counted it
        for average in ("micro", "macro", "weighted"):
            expected = reference(target[kept].cpu(), preds[kept].cpu(), labels=[0, 1, 3], average=average)
            ours = kind(4, average=average, ignore_index=2, **right).to(device)(preds, target)
            assert ours.item() == pytest.approx(expected, rel=1e-6)
        if right:
            theirs = getattr(their_classes, f"Multiclass{name}")(4, average="macro", ignore_index=2)
            ours = kind(4, average="macro", ignore_index=2).to(device)(preds, target)
            torch.testing.assert_close(ours.cpu(), theirs(preds.cpu(), target.cpu()))
    stats = classes.MulticlassStatScores(4, average="macro", ignore_index=2, exclude_ignored=True).to(device)
    each = classes.MulticlassStatScores(4, average=None, ignore_index=2).to(device)(preds, target)
    torch.testing.assert_close(stats(preds, target), each[[0, 1, 3]].double().mean(0).float())


def test_weights_of_kappa_and_of_samples_have_two_names():
    preds, target = labels_of(TABLE)
    weights = torch.rand(N, dtype=torch.float64)
    value = functions.multiclass_cohen_kappa(preds, target, 4, weights="linear", sample_weights=weights)
    expected = sk.cohen_kappa_score(target, preds, weights="linear", sample_weight=weights)
    assert value.item() == pytest.approx(expected, abs=1e-7)
    assert functions.cohen_kappa(preds, target, "multiclass", num_classes=4, sample_weights=weights).isfinite()


def test_task_without_such_a_metric():
    with pytest.raises(ValueError, match="multilabel"):
        classes.CohenKappa(task="multilabel", num_labels=3)


def test_an_index_of_a_target_is_no_label():
    # their function takes label 1 out of the average, where 1 is a target that is not counted
    preds, target = torch.tensor([[1, 0], [1, 1], [0, 1]]), torch.tensor([[1, 0], [0, 1], [0, 1]])
    ours = functions.multilabel_jaccard_index(preds, target, 2, ignore_index=1)
    theirs = their_classes.MultilabelJaccardIndex(2, ignore_index=1)(preds, target)
    assert torch.equal(ours, theirs)


# Groups


def same_dicts(ours, theirs):
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        torch.testing.assert_close(value.cpu(), theirs[name], rtol=1e-6, atol=1e-7, equal_nan=True)


@pytest.mark.parametrize("form", ["probabilities", "logits", "labels"])
def test_groups(device, form):
    torch.manual_seed(0)
    pick = random.Random(form)
    for mark, threshold, task in itertools.product(
        (None, -1), (0.5, 0.3), ("all", "demographic_parity", "equal_opportunity")
    ):
        options = {"threshold": threshold, "ignore_index": mark, "validate_args": pick.random() < 0.8}
        ours = (
            classes.BinaryGroupStatRates(3, **options).to(device),
            classes.BinaryFairness(3, task, **options).to(device),
        )
        theirs = their_classes.BinaryGroupStatRates(3, **options), their_classes.BinaryFairness(3, task, **options)
        for n in (30, 50):  # all groups are in every batch: theirs numbers those that are
            scores = torch.rand(n) if form == "probabilities" else torch.randn(n)
            preds = (scores > 0).long() if form == "labels" else scores
            target, groups = torch.randint(0, 2, (n,)), torch.randint(0, 3, (n,))
            groups[:3] = torch.arange(3)
            if mark is not None:
                target[5::4] = mark
            here = [x.to(device) for x in (preds, target, groups)]
            for metric, reference in zip(ours, theirs, strict=True):
                metric.update(*here)
                reference.update(preds, target, groups)
        for metric, reference in zip(ours, theirs, strict=True):
            same_dicts(metric.compute(), reference.compute())
        call = [getattr(m, "binary_fairness") for m in (functions, their_functions)]  # noqa: B009
        same_dicts(call[0](*here, task, **options), call[1](preds, target, groups, task, **options))
        call = [m.binary_groups_stat_rates for m in (functions, their_functions)]
        same_dicts(call[0](*here, 3, **options), call[1](preds, target, groups, 3, **options))


def test_groups_by_hand(device):
    preds = torch.tensor([[0.9, 0.1], [0.8, 0.7], [0.2, 0.6], [0.4, 0.3]], device=device)
    target = torch.tensor([[1, 0], [0, 1], [1, 1], [1, 0]], device=device)
    groups = torch.tensor([2, 2, 0, 0], device=device)  # of whole samples; group 1 has none
    rates = classes.BinaryGroupStatRates(3).to(device)
    found = rates(preds, target, groups)
    assert found["group_0"].tolist() == [0.25, 0, 0.25, 0.5]
    assert found["group_2"].tolist() == [0.5, 0.25, 0.25, 0]
    assert found["group_1"].isnan().all()
    assert rates.counts[:, 0].tolist() == [[1, 0, 1, 2], [0, 0, 0, 0], [2, 1, 1, 0]]
    fairness = functions.binary_fairness(preds, target, groups)  # numbers what is there
    assert {name: value.item() for name, value in fairness.items()} == {
        "DP_0_1": pytest.approx((1 / 4) / (3 / 4)),
        "EO_0_1": pytest.approx((1 / 3) / 1),
    }
    column = groups.unsqueeze(1)
    assert torch.equal(
        functions.binary_groups_stat_rates(preds[:, 0], target[:, 0], column, 3)["group_2"],
        torch.tensor([0.5, 0.5, 0, 0], device=device),
    )
    weights = torch.tensor([1.0, 0.0, 2.0, 0.0], device=device)
    metric = classes.BinaryGroupStatRates(3).to(device)
    assert metric(preds, target, groups, weights=weights)["group_0"].tolist() == [0.5, 0, 0, 0.5]
    valid = torch.tensor([True, False, True, False], device=device)
    unweighted = classes.BinaryGroupStatRates(3).to(device)
    assert unweighted(preds, target, groups, valid=valid)["group_0"].tolist() == [0.5, 0, 0, 0.5]
    parity = classes.BinaryFairness(3, "demographic_parity").to(device)
    assert parity(preds, None, groups).keys() == {"DP_1_2"}


def test_groups_are_metrics_like_others(device):
    torch.manual_seed(0)
    batches = [
        [x.to(device) for x in (torch.rand(20), torch.randint(0, 2, (20,)), torch.randint(0, 3, (20,)))]
        for _ in range(3)
    ]
    make = lambda: classes.BinaryGroupStatRates(3).to(device)  # noqa: E731
    full, stepwise, parts = make(), make(), [make() for _ in batches]
    for batch, part in zip(batches, parts, strict=True):
        full.update(*batch)
        part.update(*batch)
        same_dicts(stepwise(*batch), {name: value.cpu() for name, value in part.compute().items()})
    merged = pickle.loads(pickle.dumps(parts[0])).clone()
    merged.merge_state(parts[2])
    merged.merge_state(parts[1].metric_state)
    for metric in (stepwise, merged):
        assert torch.equal(metric.counts, full.counts)
        assert metric.compute().keys() == full.compute().keys()
    address = full.counts.data_ptr()
    full.reset()
    assert full.counts.data_ptr() == address
    assert not full.counts.any()


def test_what_groups_refuse(device):
    preds, target = torch.tensor([0.9, 0.2, 0.7], device=device), torch.tensor([1, 0, 1], device=device)
    metric = classes.BinaryGroupStatRates(2).to(device)
    for groups in (torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0, 1]), torch.tensor([[0, 1, 0]])):
        with pytest.raises(ValueError, match="groups"):
            metric.update(preds, target, groups.to(device))
    assert not metric.update_called
    with pytest.raises(RuntimeError, match=r"`groups` in \[0, 1\], but 2 lay outside, the first is 2"):
        (metric.update(preds, target, torch.tensor([0, 2, -1], device=device)), metric.compute())
    assert metric.counts[:, 0].tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    for wrong in (0, 2.0, None):
        with pytest.raises(ValueError, match="num_groups"):
            classes.BinaryFairness(wrong)
    with pytest.raises(ValueError, match="task"):
        classes.BinaryFairness(2, task="some")
    with pytest.raises(ValueError, match="target"):
        classes.BinaryFairness(2).to(device).update(preds, None, torch.tensor([0, 1, 0], device=device))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_bounds_and_identities(data):
    c = data.draw(st.integers(2, 4))
    n = data.draw(st.integers(1, 20))
    labels = st.lists(st.integers(0, c - 1), min_size=n, max_size=n)
    preds, target = torch.tensor(data.draw(labels)), torch.tensor(data.draw(labels))

    def value(name, average="none", **options):
        return getattr(classes, f"Multiclass{name}")(c, average=average, **options)(preds, target)

    jaccard, f1 = value("JaccardIndex"), value("F1Score")
    torch.testing.assert_close(f1, 2 * jaccard / (1 + jaccard))
    torch.testing.assert_close(value("BalancedErrorRate"), (1 - value("Informedness")) / 2)
    torch.testing.assert_close(value("HammingDistance", "micro"), 1 - value("Accuracy", "micro"))
    assert (value("FowlkesMallowsScore") + 1e-6 >= f1).all()  # a geometric mean is no less than the harmonic one
    assert -1 - 1e-6 <= classes.MulticlassMatthewsCorrCoef(c)(preds, target) <= 1 + 1e-6
    kappa = classes.MulticlassCohenKappa(c)(preds, target)
    assert kappa.isnan() or -1 - 1e-6 <= kappa <= 1
    order = torch.tensor(data.draw(st.permutations(range(c))))  # names of classes do not matter
    for kind in (classes.MulticlassMatthewsCorrCoef, classes.MulticlassCohenKappa, classes.MulticlassMarkedness):
        renamed = kind(c)(order[preds], order[target])
        torch.testing.assert_close(renamed, kind(c)(preds, target), rtol=1e-5, atol=1e-6, equal_nan=True)
