# SPDX-License-Identifier: Apache-2.0
"""Classification input that is wrong, ignored, huge or missing, and all averages, with values by hand."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmetrics.classification as classes
import fastmetrics.functional.classification as functions
from tests.support.inputs import labels_of

pytestmark = pytest.mark.filterwarnings("ignore")

AVERAGES = ("micro", "macro", "weighted", "none")
TABLE = [[5, 2, 1], [0, 3, 4], [6, 0, 2]]  # row = target: 8, 7, 8 samples; column = label: 11, 5, 7
SCORES_BY_CLASS = {
    "Accuracy": [5 / 8, 3 / 7, 2 / 8],
    "Precision": [5 / 11, 3 / 5, 2 / 7],
    "Recall": [5 / 8, 3 / 7, 2 / 8],
    "F1Score": [10 / 19, 6 / 12, 4 / 15],
}
RATIOS = tuple(SCORES_BY_CLASS)
FUNCTIONS = dict(zip(RATIOS, ("accuracy", "precision", "recall", "f1_score"), strict=True))
FUNCTIONS |= {"StatScores": "stat_scores", "ConfusionMatrix": "confusion_matrix"}


def values(metric, preds, target):
    """What forward gives, after checking that update and compute give the same."""
    metric.reset()
    metric.update(preds, target)
    updated = metric.compute()
    metric.reset()
    assert torch.equal(metric(preds, target), updated)
    assert torch.equal(metric.compute(), updated)
    return updated.tolist()


def test_averages_of_a_multiclass_table(device):
    preds, target = labels_of(TABLE, device)
    scores = torch.nn.functional.one_hot(preds, 3).float()
    for given_preds, (name, found) in itertools.product((preds, scores), SCORES_BY_CLASS.items()):
        weighted = (8 * found[0] + 7 * found[1] + 8 * found[2]) / 23
        for average, expected in zip(AVERAGES, (10 / 23, sum(found) / 3, weighted, found), strict=True):
            metric = getattr(classes, f"Multiclass{name}")(3, average=average).to(device)
            assert values(metric, given_preds, target) == pytest.approx(expected, rel=1e-7)
    shares = {"true": [[5 / 8, 2 / 8, 1 / 8], [0, 3 / 7, 4 / 7], [6 / 8, 0, 2 / 8]]}
    shares["pred"] = [[5 / 11, 2 / 5, 1 / 7], [0, 3 / 5, 4 / 7], [6 / 11, 0, 2 / 7]]
    shares["all"] = [[n / 23 for n in row] for row in TABLE]
    for normalize, expected in shares.items():
        found = values(classes.MulticlassConfusionMatrix(3, normalize=normalize).to(device), preds, target)
        for row, wanted in zip(found, expected, strict=True):
            assert row == pytest.approx(wanted, rel=1e-7)


def test_averages_of_a_multilabel_table(device):
    preds, target = labels_of([[1, 3], [4, 2]], device)
    first = {"Accuracy": 3 / 10, "Precision": 2 / 5, "Recall": 2 / 6, "F1Score": 4 / 11}
    # the second label exchanges the roles of preds and target: tp 2, fp 4, tn 1, fn 3
    both = torch.stack([preds, target], 1), torch.stack([target, preds], 1)
    second = {"Accuracy": 3 / 10, "Precision": 2 / 6, "Recall": 2 / 5, "F1Score": 4 / 11}
    micro = {"Accuracy": 6 / 20, "Precision": 4 / 11, "Recall": 4 / 11, "F1Score": 8 / 22}
    for name, value in first.items():
        of_labels = [value, second[name]]
        weighted = (6 * value + 5 * second[name]) / 11
        for average, averaged in zip(AVERAGES, (micro[name], sum(of_labels) / 2, weighted, of_labels), strict=True):
            metric = getattr(classes, f"Multilabel{name}")(2, average=average).to(device)
            assert values(metric, *both) == pytest.approx(averaged, rel=1e-7)


def test_classes_without_predictions_against_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    generator = torch.Generator().manual_seed(0)
    for c, zero_division, average in itertools.product((2, 4, 30), (0, 1), AVERAGES):
        preds, target = (torch.randint(0, c, (150,), generator=generator) for _ in range(2))
        preds[:c] = target[:c] = torch.arange(c)
        preds[preds == 1] = 0  # class 1 is a target and never predicted
        options = {"average": None if average == "none" else average, "zero_division": zero_division}
        theirs = sklearn_metrics.precision_recall_fscore_support(target, preds, **options)
        for name, value in zip(("Precision", "Recall", "F1Score"), theirs, strict=False):
            metric = getattr(classes, f"Multiclass{name}")(c, average=average, zero_division=zero_division)
            torch.testing.assert_close(metric(preds, target), torch.as_tensor(value).float(), rtol=1e-6, atol=0)
        for normalize in ("true", "pred", "all"):
            theirs = torch.from_numpy(sklearn_metrics.confusion_matrix(target, preds, normalize=normalize))
            ours = classes.MulticlassConfusionMatrix(c, normalize=normalize)(preds, target)
            torch.testing.assert_close(ours, theirs.float(), rtol=1e-6, atol=0)
        ours = classes.MulticlassAccuracy(c)(preds, target).item()
        assert ours == pytest.approx(sklearn_metrics.balanced_accuracy_score(target, preds), rel=1e-6)


def test_ignored_samples_are_as_if_filtered_out(device):
    torch.manual_seed(0)
    scores, target = torch.rand(200, 6, device=device), torch.randint(0, 6, (200,), device=device)
    for ignore_index, top_k in itertools.product((-100, -1, 2, 6, 255), (1, 3)):
        marked = torch.where(torch.rand(200, device=device) < 0.3, ignore_index, target)
        kept = marked != ignore_index
        for name, average in itertools.product((*RATIOS, "StatScores"), AVERAGES):
            options = {"num_classes": 6, "average": average, "top_k": top_k}
            cls = getattr(classes, f"Multiclass{name}")
            ours = values(cls(**options, ignore_index=ignore_index).to(device), scores, marked)
            assert ours == values(cls(**options).to(device), scores[kept], marked[kept])


def test_ignored_targets_of_small_dtypes(device):
    target = torch.tensor([[0, 1], [1, 1], [0, 1]], device=device)
    preds = torch.tensor([[1, 1], [0, 1], [0, 0]], device=device)
    for dtype in (torch.bool, torch.uint8, torch.int64):
        # the marks that torchmetrics writes into a target, -1 or -4 L, are no values of bool and uint8
        metric = classes.MultilabelConfusionMatrix(2, ignore_index=1).to(device)
        assert values(metric, preds.to(dtype), target.to(dtype)) == [[[1, 1], [0, 0]], [[0, 0], [0, 0]]]
        metric = classes.BinaryStatScores(ignore_index=0).to(device)
        assert values(metric, preds.to(dtype), target.to(dtype)) == [2, 0, 0, 2, 4]


RANGE = r"expected `target` values in \[0, 9\], but 4 lay outside, the first is 77\. They were not counted\.$"
BITS = r"expected only 0 and 1 in `target`, but 4 other values came, the first is 77\. They were not counted\.$"
BAD_TARGETS = [("Multiclass", name, RANGE, {"num_classes": 10}) for name in FUNCTIONS]
BAD_TARGETS += [("Multiclass", name, RANGE, {"num_classes": 10, "top_k": 2}) for name in RATIOS]
BAD_TARGETS += [("Binary", name, BITS, {}) for name in FUNCTIONS]


@pytest.mark.parametrize(("task", "name", "rule", "options"), BAD_TARGETS)
def test_values_out_of_range_are_raised_once_and_not_counted(device, task, name, rule, options):
    torch.manual_seed(0)
    target = torch.tensor([3, 77, -1, 5, 9, 10, 12] if options else [1, 77, -1, 0, 1, 2, 12], device=device)
    scores = torch.rand((7, 10) if options else (7,), device=device)
    cls, good = getattr(classes, task + name), [0, 3, 4]
    expected = values(cls(**options).to(device), scores[good], target[good])
    metric, silent = cls(**options).to(device), cls(**options, validate_args=False).to(device)
    message = f"^{task}{name}: {rule}"
    for call in (metric.update, metric.forward):
        with pytest.raises(RuntimeError, match=message):
            (call(scores, target), metric.compute())  # not every device is waited for in an update
        assert metric.compute().tolist() == metric.compute().tolist() == expected
        metric.reset()
    metric.update(scores[:1], target[:1])
    with pytest.raises(RuntimeError, match=message):
        metric(scores[1:], target[1:])
    assert metric.compute().tolist() == expected
    assert values(silent, scores, target) == expected
    function = getattr(functions, f"{task.lower()}_{FUNCTIONS[name]}")
    with pytest.raises(RuntimeError, match=message):
        function(scores, target, **options)
    assert function(scores, target, **options, validate_args=False).tolist() == expected


def test_bad_labels_and_marks(device):
    labels, ten = torch.arange(3, 13, device=device), "[0, 9]"
    metric = classes.MulticlassConfusionMatrix(10).to(device)
    message = f"MulticlassConfusionMatrix: expected `target` values in {ten}, but 3 lay outside, the first is 10;"
    message += f" expected `preds` values in {ten}, but 3 lay outside, the first is 10. They were not counted."
    with pytest.raises(RuntimeError) as raised:
        metric(labels, labels)
    assert str(raised.value) == message
    assert metric.compute().diagonal().tolist() == [0, 0, 0] + [1] * 7
    # a bad label of an ignored sample is not seen, and a fraction is not the mark of an ignored one
    metric = classes.MulticlassAccuracy(3, average="micro", ignore_index=-1).to(device)
    assert metric(torch.tensor([1, 99, 2], device=device), torch.tensor([1, -1, 0], device=device)) == 0.5
    for bad in (0.5, math.nan, math.inf, -1.5):
        with pytest.raises(RuntimeError, match="ignore_index=-1, but 1 lay outside, the first is no integer"):
            metric(torch.tensor([1, 0], device=device), torch.tensor([1.0, bad], device=device))
    multilabel = classes.MultilabelStatScores(2, average="micro", ignore_index=2).to(device)
    with pytest.raises(RuntimeError, match=r"0 and 1 \(or ignore_index=2\) in `target`, but 1 other values"):
        multilabel(torch.tensor([[1, 1]], device=device), torch.tensor([[1.0, 0.5]], device=device))
    with pytest.raises(RuntimeError, match=r"in `preds` since `preds` is a label tensor, but 2 other .* first is 3\."):
        multilabel(torch.tensor([[1, 3], [7, 0]], device=device), torch.tensor([[1, 0], [1, 0]], device=device))
    assert multilabel.compute().tolist() == [2, 0, 1, 0, 2]


def test_counts_beyond_float32_and_int32(device):
    n = 2**24 + 3
    ones = torch.ones(1, dtype=torch.uint8, device=device).expand(n)
    metric = classes.MulticlassConfusionMatrix(3).to(device)
    for _ in range(2):
        metric.update(ones, ones)
    assert metric.compute()[1, 1].item() == 2 * n
    table = torch.tensor([[2**24 + 1, 2**24 + 3, 2**31 + 5]], device=device)
    for name, expected in (("Precision", (2**24 + 1) / (2**24 + 3)), ("Recall", (2**24 + 1) / (2**31 + 5))):
        metric = getattr(classes, f"Multiclass{name}")(2, average=None).to(device)
        metric.update(torch.tensor([1], device=device), torch.tensor([1], device=device))
        metric.counts[:1] += table
        assert metric.compute().tolist() == [torch.tensor(expected, dtype=torch.float64).float().item(), 1.0]


def test_nothing_counted(device):
    empty, marks = torch.zeros(0, dtype=torch.int64, device=device), torch.full((4,), -1, device=device)
    for name, zero in itertools.product(RATIOS, (0, 1)):
        undefined = 0.0 if name == "Accuracy" else float(zero)  # torchmetrics' accuracy does not use zero_division
        shared = {"zero_division": zero, "ignore_index": -1}
        metrics = [getattr(classes, f"Multiclass{name}")(3, average=a, **shared) for a in ("micro", "macro", "none")]
        for metric, expected in zip(metrics, (undefined, 0.0, [undefined] * 3), strict=True):
            metric.to(device)
            assert values(metric, empty, empty) == expected
            assert values(metric, torch.rand(0, 3, device=device), empty) == expected
            assert values(metric, torch.zeros_like(marks), marks) == expected
        binary = getattr(classes, f"Binary{name}")(**shared).to(device)
        assert values(binary, empty, empty) == undefined
        assert values(binary, torch.rand(4, device=device), marks) == undefined
        labels = getattr(classes, f"Multilabel{name}")(2, average="none", **shared).to(device)
        assert values(labels, empty.reshape(0, 2), empty.reshape(0, 2)) == [undefined] * 2
    # class 2 never occurs: macro drops it, the others count
    never = classes.MulticlassRecall(3).to(device)
    assert values(never, torch.tensor([0, 0], device=device), torch.tensor([0, 1], device=device)) == 0.5


def test_samplewise(device):
    # one sample keeps its dimension, and weights are the support of the sample; torchmetrics does neither
    preds = torch.tensor([[[1, 1], [0, 1]], [[1, 0], [0, 0]]], device=device)
    target = torch.tensor([[[1, 0], [1, 1]], [[1, 1], [0, 0]]], device=device)
    metric = classes.MultilabelStatScores(2, average="weighted", multidim_average="samplewise").to(device)
    expected = [[1.0, 1 / 3, 0.0, 2 / 3, 5 / 3], [1.0, 0.0, 0.0, 1.0, 2.0]]
    for n in (2, 1):
        for row, wanted in zip(values(metric, preds[:n], target[:n]), expected[:n], strict=True):
            assert row == pytest.approx(wanted)
    metric = classes.MulticlassAccuracy(2, average="micro", multidim_average="samplewise").to(device)
    assert values(metric, preds, target) == [0.5, 0.75]
    assert values(metric, preds[:1], target[:1]) == [0.5]
    assert values(metric, preds[:0], target[:0]) == []


def test_shapes_that_torchmetrics_misreads(device):
    with pytest.raises(ValueError, match="shape"):  # it spreads the one row over all targets
        classes.MulticlassConfusionMatrix(3).to(device)(torch.rand(1, 3).to(device), torch.arange(3).to(device))
    for task in ("Binary", "Multiclass"):  # and refuses a sample that is a number
        metric = getattr(classes, f"{task}ConfusionMatrix")(*[3] * (task == "Multiclass")).to(device)
        metric.update(torch.tensor(1, device=device), torch.tensor(1, device=device))
        assert metric.compute()[1, 1].item() == metric.compute().sum().item() == 1
    for name in RATIOS:  # and takes the k greatest of labels
        with pytest.raises(ValueError, match="top_k"):
            getattr(classes, f"Multiclass{name}")(3, top_k=2).update(torch.tensor([1, 2]), torch.tensor([1, 2]))


LABEL = st.integers(-1, 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_split_order_and_merge_is_one_update(data):
    n = data.draw(st.integers(1, 30))
    target = torch.tensor(data.draw(st.lists(LABEL, min_size=n, max_size=n)))
    scores = torch.tensor(data.draw(st.lists(st.lists(LABEL, min_size=4, max_size=4), min_size=n, max_size=n))) * 0.4
    order = torch.tensor(data.draw(st.permutations(range(n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    bits = torch.where(target > 1, 0, target)
    cases = [
        (lambda: classes.MulticlassConfusionMatrix(4, ignore_index=-1), scores, target),
        (lambda: classes.MulticlassF1Score(4, top_k=2, ignore_index=-1), scores, target),
        (lambda: classes.MulticlassStatScores(4, average=None, ignore_index=-1), scores.argmax(1), target),
        (lambda: classes.BinaryPrecision(ignore_index=-1), (scores[:, 0] > 0).long(), bits),
        (lambda: classes.MultilabelAccuracy(4, ignore_index=-1), scores.clamp(0, 1), bits.unsqueeze(1).expand(n, 4)),
    ]
    for make, preds, wanted in cases:
        full, merged, parts = make(), make(), []
        full.update(preds, wanted)
        for begin, end in itertools.pairwise([0, *cuts, n]):
            parts.append(make())
            middle = (begin + end) // 2
            parts[-1].update(preds[order[begin:middle]], wanted[order[begin:middle]])
            parts[-1](preds[order[middle:end]], wanted[order[middle:end]])
        for i in data.draw(st.permutations(range(len(parts)))):
            merged.merge_state(parts[i] if data.draw(st.booleans()) else parts[i].metric_state)
        for name, state in full.metric_state.items():
            assert torch.equal(state, merged.metric_state[name]), name
        assert torch.equal(full.compute(), merged.compute())
