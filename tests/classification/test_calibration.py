# SPDX-License-Identifier: Apache-2.0
"""Calibration, Brier scores and log losses against torchmetrics, scikit-learn and NumPy."""

import itertools
import math
import random

import matplotlib as mpl
import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics import classification as their_classes
from torchmetrics.functional import classification as their_functions

import fastmetrics
from fastmetrics import MetricCollection
from fastmetrics import classification as ours
from fastmetrics.functional import classification as functions
from fastmetrics.statistics.calibration import fine_edges
from tests.support.calls import outcome

mpl.use("Agg")
C = 4
NORMS = ("l1", "l2", "max")
ERRORS = {"Binary": {}, "Multiclass": {"num_classes": C}}
FUNCTIONS = {"Binary": "binary_calibration_error", "Multiclass": "multiclass_calibration_error"}
SCORES = {
    "BinaryBrierScore": {},
    "MulticlassBrierScore": {"num_classes": C},
    "MultilabelBrierScore": {"num_labels": C},
    "BinaryLogLoss": {},
    "MulticlassLogLoss": {"num_classes": C},
    "MultilabelLogLoss": {"num_labels": C},
}


def task_of(name):
    return next((task for task in ("Binary", "Multilabel") if name.startswith(task)), "Multiclass")


def drawn(task, n, more=(), *, logits=False, ignore=None, dtype=torch.float32):
    shape = (n, *more) if task == "Binary" else (n, C, *more)
    preds = torch.randn(shape, dtype=torch.float64) * 3
    target = torch.randint(0, C if task == "Multiclass" else 2, (n, *more) if task != "Multilabel" else shape)
    if ignore is not None:
        target = torch.where(torch.rand(target.shape) < 0.2, ignore, target)
    if not logits:
        preds = preds.softmax(1) if task == "Multiclass" else preds.sigmoid()
    return preds.to(dtype), target


def probabilities(task, preds, logits):
    """float64, of NumPy."""
    x = preds.double().numpy()
    if not logits:
        return x
    if task != "Multiclass":
        return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def error_of(confidence, hit, edges, norm, weights=None):
    """The definition, bin by bin."""
    weights = np.ones(len(hit)) if weights is None else weights
    bins = np.searchsorted(edges, confidence, side="right") - 1
    gaps, mass = [], []
    for b in np.unique(bins):
        own, w = bins == b, weights[bins == b]
        if w.sum() > 0:
            gaps.append(abs((w * hit[own]).sum() / w.sum() - (w * confidence[own]).sum() / w.sum()))
            mass.append(w.sum())
    gaps, mass = np.array(gaps), np.array(mass)
    if norm == "max":
        return gaps.max()
    return (gaps * mass).sum() / mass.sum() if norm == "l1" else math.sqrt((gaps**2 * mass).sum() / mass.sum())


@pytest.mark.parametrize("task", ERRORS)
def test_as_torchmetrics(device, task):
    torch.manual_seed(0)
    for norm, n_bins, ignore, logits in itertools.product(NORMS, (1, 10, 15, 100), (None, -1, 1), (False, True)):
        options = {**ERRORS[task], "norm": norm, "n_bins": n_bins, "ignore_index": ignore}
        batches = [drawn(task, n, more, logits=logits, ignore=ignore) for n, more in ((60, ()), (3, ()), (9, (4, 3)))]
        if ignore is not None:
            batches[1][1][0] = 0  # theirs fails where a batch is ignored entirely
        metric = getattr(ours, f"{task}CalibrationError")(**options).to(device)
        forwarded = getattr(ours, f"{task}CalibrationError")(**options).to(device)
        theirs = getattr(their_classes, f"{task}CalibrationError")(**options)
        for preds, target in batches:
            metric.update(preds.to(device), target.to(device))
            close(forwarded(preds.to(device), target.to(device)), theirs(preds, target))
        for value in (metric.compute(), forwarded.compute()):
            close(value, theirs.compute())
        preds, target = batches[0]
        function, other = (getattr(m, FUNCTIONS[task]) for m in (functions, their_functions))
        close(function(preds.to(device), target.to(device), **options), other(preds, target, **options))


def close(value, theirs, rtol=1e-5, atol=1e-6):
    torch.testing.assert_close(value.cpu(), theirs.to(value.dtype), rtol=rtol, atol=atol, equal_nan=True)


def test_family_and_arguments():
    for norm in NORMS:
        mine = fastmetrics.CalibrationError(task="multiclass", num_classes=C, norm=norm, n_bins=7)
        assert type(mine) is ours.MulticlassCalibrationError
        preds, target = drawn("Multiclass", 50)
        theirs = torchmetrics.CalibrationError(task="multiclass", num_classes=C, norm=norm, n_bins=7)
        close(mine(preds, target), theirs(preds, target))
        close(
            functions.calibration_error(preds, target, task="multiclass", num_classes=C, norm=norm),
            their_functions.calibration_error(preds, target, task="multiclass", num_classes=C, norm=norm),
        )
    for wrong in ({"n_bins": 0}, {"n_bins": 1.5}, {"norm": "l3"}, {"ignore_index": "a"}, {"foo": 1}):
        for task, size in ERRORS.items():
            name = f"{task}CalibrationError"
            expected = outcome(lambda n=name, s=size, w=wrong: getattr(their_classes, n)(**s, **w))
            assert outcome(lambda n=name, s=size, w=wrong: getattr(ours, n)(**s, **w)) is expected is ValueError
    with pytest.raises(ValueError, match="`logits`"):
        ours.BinaryLogLoss(logits="yes")
    with pytest.raises(ValueError, match="`average`"):
        ours.MultilabelBrierScore(C, average="weighted")
    with pytest.raises(ValueError, match="floating"):
        ours.BinaryCalibrationError()(torch.tensor([0, 1]), torch.tensor([0, 1]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ERRORS)
def test_against_numpy(task, weighted):
    torch.manual_seed(1)
    for norm, n_bins, logits, dtype in itertools.product(NORMS, (5, 15), (False, True), (torch.float32, torch.float64)):
        preds, target = drawn(task, 500, logits=logits, dtype=dtype)
        weights = torch.rand(500, dtype=torch.float64) * 3 if weighted else None
        p = probabilities(task, preds, logits)
        rounded = p if dtype == torch.float64 and task == "Binary" else p.astype(np.float32).astype(np.float64)
        edge = torch.linspace(0, 1, n_bins + 1, dtype=dtype if task == "Binary" else torch.float32).double().numpy()
        if task == "Binary":
            confidence, hit = rounded, target.numpy() == 1
        else:
            confidence, hit = rounded.max(1), p.argmax(1) == target.numpy()
        metric = getattr(ours, f"{task}CalibrationError")(**ERRORS[task], n_bins=n_bins, norm=norm).set_dtype(
            torch.float64
        )
        metric.update(preds, target, weights=weights)
        expected = error_of(confidence, hit, edge, norm, None if weights is None else weights.numpy())
        assert float(metric.compute()) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_classwise_and_multilabel():
    torch.manual_seed(2)
    for norm, logits, more in itertools.product(NORMS, (False, True), ((), (3,))):
        preds, target = drawn("Multiclass", 300, more, logits=logits)
        each = ours.ClasswiseCalibrationError(C, norm=norm, average=None)(preds, target)
        p = probabilities("Multiclass", preds, logits)
        edge = torch.linspace(0, 1, 16).double().numpy()
        for c in range(C):
            confidence = p[:, c].astype(np.float32).astype(np.float64).ravel()
            expected = error_of(confidence, target.numpy().ravel() == c, edge, norm)
            assert float(each[c]) == pytest.approx(expected, rel=1e-5)
        assert ours.ClasswiseCalibrationError(C, norm=norm)(preds, target) == pytest.approx(float(each.mean()))
        preds, target = drawn("Multilabel", 300, more, logits=logits, ignore=-1)
        metric = ours.MultilabelCalibrationError(C, norm=norm, average=None, ignore_index=-1)
        value = metric(preds, target)
        single = [
            ours.BinaryCalibrationError(norm=norm, ignore_index=-1, logits=logits)(preds[:, c], target[:, c])
            for c in range(C)
        ]
        torch.testing.assert_close(value, torch.stack(single), rtol=1e-6, atol=0)
    preds, target = drawn("Multilabel", 20)
    target[:, 0] = -1  # a label without samples is left out of the mean
    mean = ours.MultilabelCalibrationError(C, ignore_index=-1)(preds, target)
    each = ours.MultilabelCalibrationError(C, ignore_index=-1, average="none")(preds, target)
    assert each[0].isnan()
    assert mean == pytest.approx(float(each[1:].mean()))


def adaptive(confidence, hit, n_bins, norm):
    """Equal shares of the samples in the order of their confidence."""
    order = np.argsort(confidence, kind="stable")
    gaps, mass = [], []
    for part in np.array_split(order, n_bins):
        gaps.append(abs(hit[part].mean() - confidence[part].mean()))
        mass.append(len(part))
    gaps, mass = np.array(gaps), np.array(mass)
    if norm == "max":
        return gaps.max()
    return (gaps * mass).sum() / mass.sum() if norm == "l1" else math.sqrt((gaps**2 * mass).sum() / mass.sum())


@pytest.mark.parametrize("task", ERRORS)
def test_adaptive(task):
    torch.manual_seed(3)
    edges = torch.tensor(fine_edges(), dtype=torch.float64)
    assert (edges.diff() > 0).all()
    for norm in NORMS:
        # each sample in a fine bin of its own: exactly the shares of the sorted samples
        places = torch.randperm(len(edges) - 900)[:600].sort().values + 800
        confidence = edges[places].float()
        confidence = confidence[confidence > 0.5][:40] if task == "Multiclass" else confidence
        confidence = confidence[: len(confidence) // 8 * 8]
        target = torch.randint(0, 2, confidence.shape)
        preds = confidence if task == "Binary" else torch.stack([1 - confidence, confidence], 1)
        size = {} if task == "Binary" else {"num_classes": 2}
        metric = getattr(ours, f"{task}AdaptiveCalibrationError")(**size, n_bins=8, norm=norm)
        expected = adaptive(confidence.double().numpy(), target.numpy() == 1, 8, norm)
        assert float(metric(preds, target)) == pytest.approx(expected, rel=1e-6)
        # many samples, saturated as those of trained networks: nearly those
        x = torch.randn(200_000, dtype=torch.float64) * 4 + 4
        confidence = x.sigmoid().float()
        target = (torch.rand(x.shape, dtype=torch.float64) < (x * 0.7).sigmoid()).long()
        if task == "Binary":
            expected = adaptive(confidence.double().numpy(), target.numpy() == 1, 15, norm)
            value = ours.BinaryAdaptiveCalibrationError(norm=norm)(confidence, target)
            assert float(value) == pytest.approx(expected, abs=2e-3)
    counts = ours.BinaryAdaptiveCalibrationError(n_bins=10)
    counts.update(torch.zeros(5), torch.zeros(5, dtype=torch.long))  # ties stay together
    assert float(counts.compute()) == 0


def test_edges_of_bins():
    # a confidence of 1 has a last bin; an edge belongs to the bin that it begins
    preds, target = torch.tensor([0.0, 0.2, 0.2, 1.0, 1.0]), torch.tensor([0, 1, 0, 1, 0])
    metric = ours.BinaryCalibrationError(n_bins=5)
    theirs = their_classes.BinaryCalibrationError(n_bins=5)
    close(metric(preds, target), theirs(preds, target))
    assert metric.counts.tolist() == [1, 2, 0, 0, 0, 2]
    diagram = ours.BinaryReliabilityDiagram(n_bins=5)(preds, target)
    assert diagram[2].tolist() == [1, 2, 0, 0, 2]
    for n_bins in (1, 3, 7, 10, 15, 64, 1000):
        for dtype in (torch.float32, torch.float64, torch.float16):
            edges = torch.linspace(0, 1, n_bins + 1, dtype=dtype)
            beside = [torch.nextafter(edges, edges.new_full((), side)) for side in (0, 1)] if dtype.itemsize > 2 else []
            around = torch.cat([edges, *beside])
            metric = ours.BinaryCalibrationError(n_bins=n_bins, logits=False)
            metric.update(around, torch.ones(len(around), dtype=torch.long))
            bins = torch.bucketize(around, edges, right=True) - 1
            assert metric.counts.tolist() == bins.bincount(minlength=n_bins + 1).tolist()


def test_more_samples_than_float32_counts():
    # 2**25 samples at one confidence: theirs add ones to float32 sums, which stay at 2**24
    preds, target = torch.tensor([0.75]), torch.tensor([1])
    metric = ours.BinaryCalibrationError(n_bins=2)
    metric.update(preds, target)
    for _ in range(25):
        metric.merge_state(metric.clone())
    metric.update(torch.tensor([0.25, 0.25]), torch.tensor([1, 0]))
    assert metric.counts.tolist() == [2, 2**25, 0]
    n = 2**25
    expected = (n * 0.25 + 2 * 0.25) / (n + 2)
    assert float(metric.set_dtype(torch.float64).compute()) == pytest.approx(expected, rel=1e-14)
    many = torch.full((1 << 20,), 0.75)
    metric = ours.BinaryCalibrationError(n_bins=2)
    for _ in range(17):
        metric.update(many, torch.ones(1 << 20, dtype=torch.uint8))
    assert metric.counts.tolist() == [0, 17 << 20, 0]
    assert metric.confidences[1] == 0.75 * (17 << 20)
    weighted = ours.BinaryCalibrationError(n_bins=2).set_dtype(torch.float64)
    weighted.update(torch.tensor([0.75, 0.25]), torch.tensor([1, 1]), weights=torch.tensor([2.0**40, 1.0]))
    assert float(weighted.compute()) == pytest.approx((2.0**40 * 0.25 + 0.75) / (2.0**40 + 1), rel=1e-14)


def test_far_logits():
    # beyond the range of exp
    x = torch.tensor([[800.0, -800.0], [-1e4, 1e4], [710.0, 0.0], [0.0, -3e38]])
    target = torch.tensor([0, 1, 0, 1])
    metric = ours.MulticlassCalibrationError(2)
    close(metric(x, target), torch.tensor(0.25))
    assert float(ours.MulticlassLogLoss(2)(x[:3], target[:3])) == 0.0
    assert float(ours.MulticlassLogLoss(2, logits=True)(x[:2], 1 - target[:2])) == pytest.approx((1600 + 2e4) / 2)
    assert float(ours.MulticlassBrierScore(2)(x, target)) == pytest.approx(0.5)
    z = torch.tensor([800.0, -800.0, 1e30, -1e30])
    hit = torch.tensor([1, 0, 1, 0])
    assert float(ours.BinaryCalibrationError()(z, hit)) == 0.0
    assert float(ours.BinaryBrierScore()(z, hit)) == 0.0
    assert float(ours.BinaryLogLoss()(z, hit)) == 0.0
    assert float(ours.BinaryLogLoss()(z[:2], 1 - hit[:2])) == 800.0
    masked = torch.tensor([[1.0, 2.0, -math.inf]])
    assert float(ours.MulticlassLogLoss(3)(masked, torch.tensor([2]))) == math.inf
    assert float(ours.MulticlassLogLoss(3)(masked, torch.tensor([1]))) == pytest.approx(math.log1p(math.exp(-1)))


@pytest.mark.parametrize(
    "kind",
    [
        "BinaryCalibrationError",
        "BinaryLogLoss",
        "MulticlassBrierScore",
        "MulticlassCalibrationError",
        "ClasswiseCalibrationError",
        "MultilabelLogLoss",
    ],
)
def test_bad_values(device, kind):
    task = task_of(kind)
    size = {"Binary": {}, "Multiclass": {"num_classes": C}, "Multilabel": {"num_labels": C}}[task]
    torch.manual_seed(4)
    preds, target = drawn(task, 30)
    good = getattr(ours, kind)(**size)
    good.update(preds, target)
    for logits, value in ((None, math.nan), (True, math.nan), (False, 1.5), (False, math.nan)):
        wrong = preds.clone()
        wrong.view(30, -1)[7, 0] = value
        metric = getattr(ours, kind)(**size, logits=logits).to(device)
        with pytest.raises(RuntimeError, match=r"probabilities in \[0, 1\].*place"):
            metric.forward(wrong.to(device), target.to(device))
    # what is left out decides nothing
    wrong = preds.clone()
    wrong.view(30, -1)[7] = math.nan
    valid = torch.arange(30) != 7
    metric, expected = getattr(ours, kind)(**size), getattr(ours, kind)(**size)
    metric.update(wrong, target, valid=valid)
    expected.update(preds[valid], target[valid])
    torch.testing.assert_close(metric.compute(), expected.compute())
    # a target out of range is named, the others are counted
    metric = getattr(ours, kind)(**size)
    bad = target.clone()
    bad.view(30, -1)[3, 0] = 9
    with pytest.raises(RuntimeError, match="9"):
        metric.update(preds, bad)
    quiet, kept = getattr(ours, kind)(**size, validate_args=False), getattr(ours, kind)(**size, ignore_index=9)
    quiet.update(preds, bad)
    kept.update(preds, bad)
    torch.testing.assert_close(quiet.compute(), kept.compute())


def test_nothing():
    for task, size in ERRORS.items():
        for norm, expected in (("l1", math.nan), ("l2", 0.0), ("max", 0.0)):
            for name in ("CalibrationError", "AdaptiveCalibrationError"):
                metric = getattr(ours, task + name)(**size, norm=norm, ignore_index=0)
                preds, target = drawn(task, 5)
                metric.update(preds, torch.zeros_like(target))
                metric.update(preds[:0], target[:0])
                assert metric.compute().item() == pytest.approx(expected, nan_ok=True)
    for name, size in SCORES.items():
        metric = getattr(ours, name)(**size)
        preds, target = drawn(task_of(name), 5)
        metric.update(preds[:0], target[:0])
        assert metric.compute().isnan().all()
    accuracy, confidence, count = ours.BinaryReliabilityDiagram(n_bins=3)(torch.rand(0), torch.rand(0).long())
    assert accuracy.isnan().all()
    assert confidence.isnan().all()
    assert count.tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("logits", [False, True])
def test_scores_of_scikit_learn(logits, dtype):
    torch.manual_seed(5)
    eps = torch.finfo(dtype).eps
    for weighted in (False, True):
        for task in ("Binary", "Multiclass", "Multilabel"):
            preds, target = drawn(task, 400, logits=logits, dtype=dtype)
            if not logits and task != "Multiclass":
                preds[:4] = 1.0
                preds[4:9] = 0.0
            p, y = probabilities(task, preds, logits), target.numpy()
            w = torch.rand(400, dtype=torch.float64) * 2 if weighted else None
            weights = None if w is None else w.numpy()
            clip = (lambda q: q) if logits else (lambda q: np.clip(q, eps, 1 - eps))
            if task == "Multiclass":
                labels = list(range(C))
                unit = p / p.sum(1, keepdims=True)
                brier = np.average(((p - np.eye(C)[y]) ** 2).sum(1), weights=weights)
                if dtype != torch.float16:
                    close_to(brier, brier_score_loss(y, unit, labels=labels, sample_weight=weights), 1e-4)
                own = clip(p[np.arange(400), y])
                loss = np.average(-np.log(own), weights=weights)
                if logits or dtype == torch.float64:
                    close_to(loss, log_loss(y, unit, labels=labels, sample_weight=weights))
            elif task == "Binary":
                brier = brier_score_loss(y, p, sample_weight=weights)
                loss = log_loss(y, clip(p), sample_weight=weights)
            else:
                brier = [brier_score_loss(y[:, c], p[:, c], sample_weight=weights) for c in range(C)]
                loss = [log_loss(y[:, c], clip(p[:, c]), sample_weight=weights) for c in range(C)]
            for name, expected in (("BrierScore", brier), ("LogLoss", loss)):
                options = {**SCORES[task + name], **({"average": None} if task == "Multilabel" else {})}
                metric = getattr(ours, task + name)(**options).set_dtype(torch.float64)
                metric.update(preds, target, weights=w)
                close_to(metric.compute().numpy(), expected, 1e-12)
                if task == "Multilabel":
                    for average in ("macro", "micro"):
                        mean = getattr(ours, task + name)(**{**options, "average": average})
                        close_to(
                            mean.set_dtype(torch.float64)(preds, target, weights=w).numpy(), np.mean(expected), 1e-12
                        )


def close_to(value, expected, rtol=1e-7):
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=1e-14)


def test_log_loss_is_cross_entropy():
    torch.manual_seed(6)
    x, target = torch.randn(300, C) * 5, torch.randint(0, C, (300,))
    close(ours.MulticlassLogLoss(C, logits=True)(x, target), torch.nn.functional.cross_entropy(x, target))
    z, hit = torch.randn(300) * 5, torch.randint(0, 2, (300,))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(z, hit.float())
    close(ours.BinaryLogLoss(logits=True)(z, hit), expected)
    close(fastmetrics.text.NegativeLogLikelihood()(x[None], target[None]), ours.MulticlassLogLoss(C)(x, target))


@pytest.mark.parametrize("name", SCORES)
def test_gradients(name):
    torch.manual_seed(7)
    task = task_of(name)
    for logits in (False, True):
        preds, target = drawn(task, 12, logits=logits, dtype=torch.float64)
        target.view(12, -1)[2] = -1
        function = ours.__dict__[name](**SCORES[name], ignore_index=-1, logits=logits).set_dtype(torch.float64)
        leaf = preds.clone().requires_grad_()
        value = function(leaf, target)
        (slope,) = torch.autograd.grad(value, leaf)
        assert slope[2].abs().sum() == 0
        step = torch.randn_like(preds) * 1e-6
        function.reset()
        up, down = (float(function(preds + s * step, target)) for s in (1, -1))
        assert (slope * step).sum().item() * 2 == pytest.approx(up - down, rel=1e-4)


def test_reliability_diagram():
    torch.manual_seed(8)
    preds, target = torch.rand(2000), torch.randint(0, 2, (2000,))
    metric = ours.BinaryReliabilityDiagram(n_bins=10).set_dtype(torch.float64)
    accuracy, confidence, count = metric(preds, target)
    true, predicted = calibration_curve(target.numpy(), preds.double().numpy(), n_bins=10)
    close_to(accuracy[count > 0].numpy(), true, 1e-12)
    close_to(confidence[count > 0].numpy(), predicted, 1e-12)
    assert count.sum() == 2000
    error = (count * (accuracy - confidence).abs()).sum() / count.sum()
    close(ours.BinaryCalibrationError(n_bins=10)(preds, target), error)
    figure, axes = metric.plot()
    assert figure is not None
    assert len(axes.patches) == 10
    assert [patch.get_height() for patch in axes.patches] == pytest.approx(accuracy.tolist())
    classes, labels = drawn("Multiclass", 50)
    wide = ours.MulticlassReliabilityDiagram(C, n_bins=4)
    value = wide(classes, labels)
    assert math.isnan(value[0][0])  # nothing is below 1 / C
    figure, again = wide.plot(value, ax=axes)
    assert figure is None
    assert again is axes
    mpl.pyplot.close("all")


def test_collections_share_a_read():
    torch.manual_seed(9)
    metrics = {
        **{norm: ours.MulticlassCalibrationError(C, norm=norm) for norm in NORMS},
        "diagram": ours.MulticlassReliabilityDiagram(C),
        "brier": ours.MulticlassBrierScore(C),
        "loss": ours.MulticlassLogLoss(C),
    }
    collection = MetricCollection(metrics)
    alone = {name: metric.clone() for name, metric in metrics.items()}
    for _ in range(3):
        preds, target = drawn("Multiclass", 40, logits=True)
        collection.update(preds, target)
        for metric in alone.values():
            metric.update(preds, target)
    found = collection.compute()
    for name, metric in alone.items():
        torch.testing.assert_close(found[name], metric.compute(), equal_nan=True)
    groups = sorted(sorted(group) for group in collection.compute_groups.values())
    assert groups == [["brier", "loss"], ["diagram", *NORMS]]


KINDS = {
    "BinaryCalibrationError": ("Binary", {"n_bins": 7}),
    "MulticlassAdaptiveCalibrationError": ("Multiclass", {"num_classes": C}),
    "ClasswiseCalibrationError": ("Multiclass", {"num_classes": C}),
    "MultilabelCalibrationError": ("Multilabel", {"num_labels": C}),
    "MulticlassLogLoss": ("Multiclass", {"num_classes": C}),
    "MultilabelBrierScore": ("Multilabel", {"num_labels": C}),
}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 60), st.lists(st.integers(0, 60), max_size=4), st.randoms())
def test_splits_orders_and_merges(kind, n, cuts, chance):
    task, options = KINDS[kind]
    torch.manual_seed(chance.randint(0, 1000))
    preds, target = drawn(task, n)
    whole = getattr(ours, kind)(**options).set_dtype(torch.float64)
    whole.update(preds, target)
    order = torch.randperm(n)
    ends = sorted({0, n, *(min(cut, n) for cut in cuts)})
    parts = []
    for begin, end in itertools.pairwise(ends):
        part = getattr(ours, kind)(**options).set_dtype(torch.float64)
        part.update(preds[order[begin:end]], target[order[begin:end]])
        parts.append(part)
    random.Random(n).shuffle(parts)
    first, *others = parts
    for other in others:
        first.merge_state(other)
    torch.testing.assert_close(first.compute(), whole.compute(), rtol=1e-12, atol=1e-14)
    for name in ("counts", "hits", "count"):
        if name in first._defaults:
            assert torch.equal(getattr(first, name), getattr(whole, name))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_updates_are_one_graph(kind):
    task, options = KINDS[kind]
    torch.manual_seed(10)
    metric, eager = (getattr(ours, kind)(**options) for _ in range(2))
    update = torch.compile(metric.update, fullgraph=True, backend="eager")
    for n in (20, 20, 33):
        preds, target = drawn(task, n, logits=n == 33)
        update(preds, target)
        eager.update(preds, target)
    torch.testing.assert_close(metric.compute(), eager.compute())
