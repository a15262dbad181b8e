# SPDX-License-Identifier: Apache-2.0
"""Classification metrics against hand-written tables, scikit-learn and explicit filters, and where peers slip."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmetrics.classification import (
    BinaryAccuracy,
    BinaryConfusionMatrix,
    BinaryF1Score,
    BinaryPrecision,
    BinaryRecall,
    BinaryStatScores,
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
    MulticlassStatScores,
    MultilabelAccuracy,
    MultilabelConfusionMatrix,
    MultilabelF1Score,
    MultilabelPrecision,
    MultilabelRecall,
    MultilabelStatScores,
)
from fastmetrics.functional.classification import multiclass_accuracy, multiclass_confusion_matrix

# row = target; class 3 never occurs, class 2 is never predicted
TABLE = [[3, 1, 0, 0], [2, 4, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0]]


def samples(table):
    """Labels and targets that make a confusion matrix."""
    pairs = [(p, t) for t, row in enumerate(table) for p, n in enumerate(row) for _ in range(n)]
    preds, target = zip(*pairs, strict=True)
    return torch.tensor(preds), torch.tensor(target)


def test_multiclass_table(device):
    preds, target = (x.to(device) for x in samples(TABLE))
    assert MulticlassConfusionMatrix(4).to(device)(preds, target).tolist() == TABLE
    expected = {
        (MulticlassPrecision, "none"): [3 / 6, 4 / 7, 0, 0],
        (MulticlassRecall, "none"): [3 / 4, 4 / 6, 0, 0],
        (MulticlassF1Score, "none"): [6 / 10, 8 / 13, 0, 0],
        (MulticlassPrecision, "macro"): (3 / 6 + 4 / 7) / 3,
        (MulticlassRecall, "weighted"): (4 * 3 / 4 + 6 * 4 / 6) / 13,
        (MulticlassAccuracy, "macro"): (3 / 4 + 4 / 6) / 3,
        (MulticlassAccuracy, "micro"): 7 / 13,
        (MulticlassStatScores, "micro"): [7, 6, 33, 6, 13],
        (MulticlassStatScores, "none"): [[3, 3, 6, 1, 4], [4, 3, 4, 2, 6], [0, 0, 10, 3, 3], [0, 0, 13, 0, 0]],
    }
    for (kind, average), value in expected.items():
        torch.testing.assert_close(
            kind(4, average=average).to(device)(preds, target).double().cpu(), torch.tensor(value).double()
        )


def test_binary_table(device):
    preds, target = (x.to(device) for x in samples([[5, 2], [1, 3]]))
    assert BinaryConfusionMatrix().to(device)(preds, target).tolist() == [[5, 2], [1, 3]]
    assert BinaryStatScores().to(device)(preds, target).tolist() == [3, 2, 5, 1, 4]
    for kind, value in (
        (BinaryAccuracy, 8 / 11),
        (BinaryPrecision, 3 / 5),
        (BinaryRecall, 3 / 4),
        (BinaryF1Score, 6 / 9),
    ):
        torch.testing.assert_close(kind().to(device)(preds, target).item(), value, rtol=1e-6, atol=0)


def test_multilabel_table(device):
    target = torch.tensor([[1, 0], [1, 1], [0, 1], [0, 0], [1, 0]], device=device)
    preds = torch.tensor([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], device=device)
    tables = [[[1, 1], [1, 2]], [[2, 1], [1, 1]]]
    assert MultilabelConfusionMatrix(2).to(device)(preds, target).tolist() == tables
    assert MultilabelStatScores(2, average="none").to(device)(preds, target).tolist() == [
        [2, 1, 1, 1, 3],
        [1, 1, 2, 1, 2],
    ]
    expected = {
        MultilabelAccuracy: [3 / 5, 3 / 5],
        MultilabelPrecision: [2 / 3, 1 / 2],
        MultilabelRecall: [2 / 3, 1 / 2],
        MultilabelF1Score: [2 / 3, 1 / 2],
    }
    for kind, value in expected.items():
        torch.testing.assert_close(
            kind(2, average="none").to(device)(preds, target).cpu(), torch.tensor(value), rtol=1e-6, atol=0
        )


def test_top_k_by_hand(device):
    scores = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25], [0.2, 0.5, 0.3]], device=device)
    target = torch.tensor([0, 0, 1, 2], device=device)  # ranks 0, 2, 1, 1
    for k, value in ((1, 1 / 4), (2, 3 / 4), (3, 1.0)):
        assert MulticlassAccuracy(3, average="micro", top_k=k).to(device)(scores, target).item() == value
    # a target among the two best counts as predicted, else the best does
    stats = MulticlassStatScores(3, average="none", top_k=2).to(device)(scores, target)
    assert stats.tolist() == [[1, 0, 2, 1, 2], [1, 0, 3, 0, 1], [1, 1, 2, 0, 1]]


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_scikit_learn(device, average):
    sklearn = pytest.importorskip("sklearn.metrics")
    torch.manual_seed(0)
    preds, target = (torch.randint(0, 6, (500,)) for _ in range(2))
    kinds = (
        (MulticlassPrecision, sklearn.precision_score),
        (MulticlassRecall, sklearn.recall_score),
        (MulticlassF1Score, sklearn.f1_score),
    )
    for kind, reference in kinds:
        expected = torch.as_tensor(reference(target, preds, average=average)).float()
        ours = kind(6, average=average).to(device)(preds.to(device), target.to(device)).cpu()
        torch.testing.assert_close(ours, expected)
    confusion = MulticlassConfusionMatrix(6).to(device)(preds.to(device), target.to(device))
    assert confusion.tolist() == sklearn.confusion_matrix(target, preds).tolist()
    many = torch.randint(0, 2, (200, 4)), torch.randint(0, 2, (200, 4))
    for kind, reference in ((MultilabelPrecision, sklearn.precision_score), (MultilabelF1Score, sklearn.f1_score)):
        expected = torch.as_tensor(reference(many[1], many[0], average=average)).float()
        torch.testing.assert_close(kind(4, average=average).to(device)(*(x.to(device) for x in many)).cpu(), expected)


@pytest.mark.parametrize("ignore_index", [-1, 2, 255])
def test_ignored_samples_are_as_if_filtered(device, ignore_index):
    torch.manual_seed(0)
    scores, target = torch.randn(300, 5, device=device), torch.randint(0, 5, (300,), device=device)
    target[::3] = ignore_index
    kept = target != ignore_index
    # an ignored class in range stays a class for macro, as in torchmetrics, so the averages without it are compared
    for kind, average in itertools.product(
        (MulticlassAccuracy, MulticlassPrecision, MulticlassStatScores), ("micro", None)
    ):
        ours = kind(5, average=average, ignore_index=ignore_index).to(device)(scores, target)
        assert torch.equal(ours, kind(5, average=average).to(device)(scores[kept], target[kept]))
    logits, labels = torch.randn(300, device=device), torch.randint(0, 2, (300,), device=device)
    labels[::4] = ignore_index
    kept = labels != ignore_index
    for kind in (BinaryAccuracy, BinaryF1Score, BinaryConfusionMatrix):
        ours = kind(ignore_index=ignore_index).to(device)(logits, labels)
        assert torch.equal(ours, kind().to(device)(logits[kept], labels[kept]))


def test_nothing_to_count(device):
    empty = torch.zeros((0, 3), device=device), torch.zeros(0, dtype=torch.int64, device=device)
    ignored = torch.randn(5, 3, device=device), torch.full((5,), -1, device=device)
    for batch in (empty, ignored):
        for average in ("micro", "macro", "weighted"):
            assert MulticlassAccuracy(3, average=average, ignore_index=-1).to(device)(*batch).item() == 0
        assert MulticlassPrecision(3, average="micro", zero_division=1, ignore_index=-1).to(device)(*batch).item() == 1
        assert MulticlassConfusionMatrix(3, ignore_index=-1).to(device)(*batch).tolist() == [[0] * 3] * 3


def faults_of(metric, preds, target):
    """The error of a batch, wherever this device raises it."""

    def run():
        metric.update(preds, target)
        metric.compute()

    with pytest.raises(RuntimeError) as raised:
        run()
    return str(raised.value)


def test_values_out_of_range_are_said_and_not_counted(device):
    target = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1], device=device)
    preds = torch.tensor([0, 1, 2, 0, 1, 2, 3, 12], device=device)  # theirs counts the values, which are few enough
    metric = MulticlassConfusionMatrix(3).to(device)
    message = faults_of(metric, preds, target)
    assert "MulticlassConfusionMatrix" in message
    assert "2" in message
    assert "3" in message
    assert "preds" in message
    assert metric.compute().tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]  # raised once; the good values stay

    scores = torch.eye(3, device=device)
    message = faults_of(MulticlassAccuracy(3).to(device), scores, torch.tensor([0, 77, -1], device=device))
    assert "MulticlassAccuracy" in message
    assert "77" in message
    for wrong in (torch.tensor([0, 2, 1], device=device), torch.tensor([0, -1, 1], device=device)):
        message = faults_of(BinaryAccuracy().to(device), torch.tensor([0.1, 0.2, 0.9], device=device), wrong)
        assert str(wrong[1].item()) in message

    quiet = MulticlassConfusionMatrix(3, validate_args=False).to(device)
    quiet.update(preds, target)
    assert quiet.compute().tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    with pytest.raises(RuntimeError, match="77"):
        multiclass_accuracy(scores, torch.tensor([0, 77, 1], device=device), num_classes=3)
    with pytest.raises(RuntimeError):
        MulticlassAccuracy(3).to(device)(scores, torch.tensor([0, 77, 1], device=device))


def test_a_cell_past_32_bits(device):
    labels = torch.tensor([0, 0, 1], device=device), torch.tensor([0, 1, 1], device=device)
    metric = MulticlassConfusionMatrix(2).to(device)
    metric.update(*labels)
    for start in (2**24, 2**31 - 1, 2**32 - 1, 2**53):
        metric.confusion.fill_(start)
        metric.update(*labels)
        metric._computed = None
        assert metric.compute().tolist() == [[start + 1, start], [start + 1, start + 1]]


def test_no_square_of_the_classes(device):
    c = 200_000
    preds, target = (torch.randint(0, c, (1000,), device=device) for _ in range(2))
    preds[:500] = target[:500]
    metric = MulticlassAccuracy(c, average="micro").to(device)
    metric.update(preds, target)
    assert sum(state.numel() for state in metric.metric_state.values()) < 4 * c
    assert metric.compute().item() == (preds == target).float().mean().item()


def test_normalized_rows(device):
    preds, target = (x.to(device) for x in samples(TABLE))
    shares = multiclass_confusion_matrix(preds, target, num_classes=4, normalize="true")
    assert shares[3].tolist() == [0, 0, 0, 0]  # a class that never occurs
    torch.testing.assert_close(shares[0].tolist(), [3 / 4, 1 / 4, 0.0, 0.0])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_split_and_any_order_of_merging(data):
    n = data.draw(st.integers(1, 30))
    labels = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    preds, target = torch.tensor(data.draw(labels)), torch.tensor(data.draw(labels))
    part = torch.tensor(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    full = MulticlassConfusionMatrix(4)
    full.update(preds, target)
    parts = [MulticlassConfusionMatrix(4) for _ in range(4)]
    for i, metric in enumerate(parts):
        metric.update(preds[part == i], target[part == i])
    order = data.draw(st.permutations(range(4)))
    merged = parts[order[0]]
    for i in order[1:]:
        merged.merge_state(parts[i])
    assert torch.equal(merged.confusion, full.confusion)
    assert torch.equal(merged.compute(), full.compute())
