# SPDX-License-Identifier: Apache-2.0
"""Sample weights and masks of valid samples, on every metric that takes them."""

import math
import pickle

import pytest
import torch
from sklearn import metrics as sk

from fastmetrics import classification as ours
from fastmetrics import functional

C, L = 4, 3


def multiclass(n=60):
    return torch.randn(n, C, 5), torch.randint(0, C, (n, 5))


def binary(n=60):
    return torch.rand(n, 5), torch.randint(0, 2, (n, 5))


def multilabel(n=60):
    return torch.rand(n, L), torch.randint(0, 2, (n, L))


TASKS = {
    "Binary": ({}, binary),
    "Multiclass": ({"num_classes": C}, multiclass),
    "Multilabel": ({"num_labels": L}, multilabel),
}
METRICS = [
    pytest.param(f"{task}{name}", options, batch, id=f"{task}{name}")
    for task, (options, batch) in TASKS.items()
    for name in ("Accuracy", "Precision", "Recall", "F1Score", "StatScores", "ConfusionMatrix")
]
METRICS += [
    pytest.param(f"{task}{name}", options | more, batch, id=f"{task}{name}{list(more.values())}")
    for task, (options, batch) in TASKS.items()
    for name, more in (
        ("FBetaScore", {"beta": 2.0}),
        ("Specificity", {}),
        ("NegativePredictiveValue", {}),
        ("HammingDistance", {}),
        ("JaccardIndex", {}),
        ("MatthewsCorrCoef", {}),
        ("CohenKappa", {}),
        ("CohenKappa", {"weights": "quadratic"}),
        ("Informedness", {}),
        ("Markedness", {}),
        ("BalancedErrorRate", {}),
        ("GeometricMeanScore", {}),
        ("FowlkesMallowsScore", {}),
    )
    if (task, name) != ("Multilabel", "CohenKappa")
]
for average in ("micro", "macro"):
    ranked = {"num_classes": C, "k": (1, 3), "average": average}
    METRICS.append(pytest.param("TopKAccuracy", ranked, multiclass, id=f"TopKAccuracy {average}"))
METRICS.append(pytest.param("MeanReciprocalRank", {"num_classes": C}, multiclass, id="MeanReciprocalRank"))
METRICS.append(pytest.param("MulticlassAccuracy", {"num_classes": C, "top_k": 2}, multiclass, id="top_k"))
METRICS.append(pytest.param("MulticlassAccuracy", {"average": "micro"}, multiclass, id="no num_classes"))
METRICS += [
    pytest.param(f"{task}{name}", {**TASKS[task][0], **options}, TASKS[task][1], id=f"{task}{name}")
    for task, name, options in (
        ("Multiclass", "ExactMatch", {}),
        ("Multilabel", "ExactMatch", {}),
        ("Binary", "HingeLoss", {}),
        ("Multiclass", "HingeLoss", {"multiclass_mode": "one-vs-all"}),
        ("Multilabel", "CoverageError", {}),
        ("Multilabel", "RankingAveragePrecision", {}),
        ("Multilabel", "RankingLoss", {}),
    )
]
every_metric = pytest.mark.parametrize(("name", "options", "batch"), METRICS)


@every_metric
def test_valid_samples_alone_are_counted(device, name, options, batch):
    torch.manual_seed(0)
    (preds, target), valid = batch(), torch.rand(60) < 0.6
    target[~valid] = 99  # whatever is there is not looked at
    preds, target, valid = preds.to(device), target.to(device), valid.to(device)
    masked, filtered = (getattr(ours, name)(**options).to(device) for _ in range(2))
    value = masked(preds, target, valid=valid)
    assert torch.equal(value, filtered(preds[valid], target[valid]))
    assert torch.equal(masked.compute(), filtered.compute())
    masked.reset()
    masked.update(preds, target, valid=valid)
    assert torch.equal(masked.compute(), value)
    masked.update(preds, target, valid=torch.zeros_like(valid))
    assert torch.equal(masked.compute(), value)


@every_metric
def test_whole_weights_are_repetitions(device, name, options, batch):
    torch.manual_seed(0)
    (preds, target), times = batch(), torch.randint(0, 4, (60,))
    preds, target, times = preds.to(device), target.to(device), times.to(device)
    weighted, repeated = (getattr(ours, name)(**options).to(device) for _ in range(2))
    value = weighted(preds, target, weights=times)
    expected = repeated(preds.repeat_interleave(times, 0), target.repeat_interleave(times, 0))
    torch.testing.assert_close(value.double(), expected.double())
    for metric in (weighted, repeated):  # samples without weights count as 1
        metric.update(preds, target)
    torch.testing.assert_close(weighted.compute().double(), repeated.compute().double())
    again = pickle.loads(pickle.dumps(weighted))
    assert torch.equal(again.compute(), weighted.compute())
    again.merge_state(repeated)
    repeated.merge_state(weighted)
    torch.testing.assert_close(again.compute(), repeated.compute())
    weighted.reset()
    weighted.update(preds, target)
    fresh = getattr(ours, name)(**options).to(device)
    torch.testing.assert_close(weighted.compute().double(), fresh(preds, target).double())


def test_against_scikit_learn():
    torch.manual_seed(0)
    scores, target, weights = torch.randn(500, C), torch.randint(0, C, (500,)), torch.rand(500) * 10
    labels = scores.argmax(1)
    expected = sk.confusion_matrix(target, labels, sample_weight=weights.double())
    metric = ours.MulticlassConfusionMatrix(C)
    metric.update(scores, target, weights)
    torch.testing.assert_close(metric.compute(), torch.from_numpy(expected))
    for average in ("micro", "macro", "weighted"):
        value = functional.f1_score(scores, target, "multiclass", num_classes=C, average=average, weights=weights)
        assert math.isclose(
            value, sk.f1_score(target, labels, average=average, sample_weight=weights.double()), rel_tol=1e-6
        )
    preds, binary_target = torch.rand(500), torch.randint(0, 2, (500,))
    value = functional.classification.binary_precision(preds, binary_target, weights=weights)
    assert math.isclose(value, sk.precision_score(binary_target, preds > 0.5, sample_weight=weights), rel_tol=1e-6)


def test_weights_per_sample_and_per_element():
    metric, other = (ours.MulticlassConfusionMatrix(C) for _ in range(2))
    preds, target = multiclass()
    weights = torch.rand(60)
    metric.update(preds, target, weights=weights)
    other.update(preds, target, weights=weights[:, None].expand(60, 5))
    assert torch.equal(metric.compute(), other.compute())


def test_small_weights_are_not_lost():
    metric, weights = ours.BinaryStatScores(), torch.tensor([1e9, 0.1], dtype=torch.float64)
    for _ in range(1000):
        metric.update(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]), weights=weights)
    tp, _, tn, _, _ = metric.compute().tolist()
    assert tp == 1e12
    assert math.isclose(tn, 100.0, rel_tol=1e-12)


def test_samples_without_weights_stay_exact():
    metric = ours.MulticlassConfusionMatrix(2)
    metric.confusion.fill_(2**53)
    metric.update(torch.tensor([0]), torch.tensor([0]))
    assert metric.compute()[0, 0].item() == 2**53 + 1
    metric.update(torch.tensor([0]), torch.tensor([0]), weights=torch.tensor([0.5]))
    assert metric.confusion[0, 0].item() == 2**53 + 1
    assert metric.weighted_confusion.tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_state_dict_keeps_weighted_samples():
    preds, target = multiclass()
    metric, other = (ours.MulticlassAccuracy(C) for _ in range(2))
    metric.update(preds, target, weights=torch.rand(60))
    metric.persistent(True)
    other.persistent(True)
    other.load_state_dict(metric.state_dict())
    assert torch.equal(other.compute(), metric.compute())


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_out_of_range_is_an_error_and_is_not_counted(weight):
    for metric in (ours.MulticlassStatScores(C, average="micro"), ours.MulticlassStatScores(average="micro")):
        with pytest.raises(RuntimeError, match=rf"`weights` of at least 0, but 1 were not, the first is {weight}"):
            metric.update(torch.tensor([0, 1]), torch.tensor([0, 1]), weights=torch.tensor([weight, 2.0]))
        assert metric.compute()[0] == 2
    metric = ours.BinaryStatScores()
    with pytest.raises(RuntimeError, match="`weights` of at least 0"):
        metric.update(torch.tensor([0, 1]), torch.tensor([1, 1]), weights=torch.tensor([weight, 2.0]))
    assert metric.compute().tolist() == [2, 0, 0, 0, 2]


def test_wrong_shapes_and_types_change_nothing():
    preds, target = multiclass()
    metric = ours.MulticlassAccuracy(C)
    wrong = [
        ({"weights": torch.rand(59)}, "Expected `weights` to have the shape of `target`"),
        ({"weights": torch.rand(5)}, "Expected `weights` to have the shape of `target`"),
        ({"weights": torch.rand(60, 5, 1)}, "Expected `weights`"),
        ({"weights": torch.zeros(60, dtype=torch.complex64)}, "to be real"),
        ({"valid": torch.ones(61, dtype=torch.bool)}, "Expected `valid` to have the shape"),
        ({"valid": torch.ones(60)}, "to be a bool mask"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            metric.update(preds, target, **arguments)
    assert not metric.update_called
    assert metric.counts.sum() == 0
