# SPDX-License-Identifier: Apache-2.0
"""Sample weights and masks of valid samples, on every metric that takes them."""

import math
import pickle

import pytest
import torch
from sklearn import metrics as sk

from fastmetrics import classification as ours
from fastmetrics import functional, regression

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
def test_integer_weights_are_repetitions(device, name, options, batch):
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


REGRESSION = [
    ("MeanSquaredError", {"squared": False}, sk.root_mean_squared_error),
    ("MeanAbsoluteError", {}, sk.mean_absolute_error),
    ("MeanSquaredLogError", {}, sk.mean_squared_log_error),
    ("MeanAbsolutePercentageError", {}, sk.mean_absolute_percentage_error),
    ("R2Score", {}, sk.r2_score),
    (
        "R2Score",
        {"multioutput": "variance_weighted"},
        lambda y, x, **kw: sk.r2_score(y, x, multioutput="variance_weighted", **kw),
    ),
    ("ExplainedVariance", {}, sk.explained_variance_score),
    ("TweedieDevianceScore", {"power": 1.5}, lambda y, x, **kw: sk.mean_tweedie_deviance(y, x, power=1.5, **kw)),
    ("TweedieDevianceScore", {"power": 1}, sk.mean_poisson_deviance),
    ("SymmetricMeanAbsolutePercentageError", {}, None),
    ("WeightedMeanAbsolutePercentageError", {}, None),
    ("NormalizedRootMeanSquaredError", {"normalization": "range"}, None),
    ("NormalizedRootMeanSquaredError", {"normalization": "l2"}, None),
    ("RelativeSquaredError", {}, None),
    ("PearsonCorrCoef", {}, None),
    ("ConcordanceCorrCoef", {}, None),
    ("LogCoshError", {}, None),
    ("MinkowskiDistance", {"p": 2.5}, None),
    ("CriticalSuccessIndex", {"threshold": 1.0}, None),
    ("CriticalSuccessIndex", {"threshold": 1.0, "keep_sequence_dim": 1}, None),
]


@pytest.mark.parametrize(("name", "options", "reference"), REGRESSION)
def test_regression(device, name, options, reference):
    torch.manual_seed(0)
    column = name not in ("PearsonCorrCoef", "ConcordanceCorrCoef", "LogCoshError", "RelativeSquaredError")
    column = column and not name.startswith("Tweedie")
    preds, target = torch.rand(2, *((60, 3) if column else (60,)), dtype=torch.float64, device=device) * 3 + 0.1
    valid, times = torch.rand(60, device=device) < 0.6, torch.randint(0, 4, (60,), device=device)
    hidden = torch.where((valid if preds.dim() == 1 else valid.unsqueeze(1)).expand_as(preds), preds, torch.nan)

    def made():
        return getattr(regression, name)(**options).to(device).set_dtype(torch.float64)

    masked, filtered = made(), made()
    torch.testing.assert_close(masked(hidden, target, valid=valid), filtered(preds[valid], target[valid]))
    torch.testing.assert_close(masked.compute(), filtered.compute())
    weighted, repeated, moved = made(), made(), made()
    again = preds.repeat_interleave(times, 0), target.repeat_interleave(times, 0)
    torch.testing.assert_close(weighted(preds, target, weights=times), repeated(*again))
    weighted.update(preds, target)
    repeated.update(preds, target)
    torch.testing.assert_close(weighted.compute(), repeated.compute())
    moved.update(preds, target, weights=torch.zeros(60, device=device))
    moved.update(preds, target, weights=times, valid=valid)
    keep = times * valid
    both = preds.repeat_interleave(keep, 0), target.repeat_interleave(keep, 0)
    if options.get("keep_sequence_dim") is None:
        torch.testing.assert_close(moved.compute(), made()(*both))
    if reference is not None:  # weights that add up to 1
        weights = torch.rand(60, device=device, dtype=torch.float64)
        weights /= weights.sum()
        expected = reference(target.cpu(), preds.cpu(), sample_weight=weights.cpu())
        value = made()(preds, target, weights=weights).item()
        if options.get("squared") is False:  # there: the mean of the roots of the columns
            expected = sk.mean_squared_error(target.cpu(), preds.cpu(), sample_weight=weights.cpu()) ** 0.5
        assert math.isclose(value, expected, rel_tol=1e-12)


def test_regression_weights_out_of_range():
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 5.0])
    for weight in (-1.0, math.nan, math.inf):
        metric = regression.MeanAbsoluteError()
        with pytest.raises(RuntimeError, match=rf"`weights` of at least 0, but 1 were not, the first is {weight}"):
            metric.update(x, y, weights=torch.tensor([1.0, weight, 2.0]))
        assert metric.compute() == 5 / 3
        with pytest.raises(RuntimeError, match="`weights` of at least 0"):
            metric(x.clone().requires_grad_(), y, weights=torch.tensor([1.0, weight, 2.0]))
        assert metric.compute() == 5 / 3


def test_weights_of_each_output():
    torch.manual_seed(0)
    x, y, weights = torch.rand(3, 50, 2, dtype=torch.float64)
    metric = regression.R2Score(multioutput="raw_values")
    metric.update(x, y, weights)
    expected = [sk.r2_score(y[:, d], x[:, d], sample_weight=weights[:, d]) for d in range(2)]
    torch.testing.assert_close(metric.compute(), torch.tensor(expected, dtype=torch.float64))
