# SPDX-License-Identifier: Apache-2.0
"""Segmentation metrics, against torchmetrics, by hand, and what torchmetrics has not."""

import math

import pytest
import torch
import torchmetrics
import torchmetrics.functional.segmentation as their_functions
import torchmetrics.segmentation as theirs
from torch.nn.functional import one_hot
from torch.utils._python_dispatch import TorchDispatchMode

import fastmetrics.functional.segmentation as functions
from fastmetrics.formulas.segmentation import generalized_dice
from fastmetrics.segmentation import DiceScore, GeneralizedDiceScore, MeanIoU

pytestmark = pytest.mark.filterwarnings("ignore")

C = 5
METRICS = [
    *(("MeanIoU", "mean_iou", {"per_class": p}) for p in (True, False)),
    *(("DiceScore", "dice_score", {"average": a}) for a in ("micro", "macro", "weighted", "none", None)),
    *(("DiceScore", "dice_score", {"average": a, "aggregation_level": "global"}) for a in ("micro", "macro", "none")),
    ("DiceScore", "dice_score", {"average": "weighted", "aggregation_level": "global"}),
    *(("GeneralizedDiceScore", "generalized_dice_score", {"weight_type": w}) for w in ("square", "simple", "linear")),
    ("GeneralizedDiceScore", "generalized_dice_score", {"per_class": True}),
]
# what preds and target are: labels, masks that may overlap, bool masks or scores
INPUTS = [("index", "labels", "labels"), ("one-hot", "masks", "masks"), ("one-hot", "bools", "bools")]
INPUTS += [("one-hot", "scores", "scores"), ("one-hot", "scores", "masks"), ("one-hot", "masks", "scores")]
INPUTS += [("mixed", "scores", "labels"), ("mixed", "masks", "labels"), ("mixed", "labels", "masks")]
INPUTS += [("mixed", "labels", "scores")]


def made(kind, device="cpu", shape=(4, 9, 8)):
    n, *space = shape
    if kind == "labels":
        return torch.randint(0, C, shape).to(device)
    if kind == "scores":
        return torch.randn(n, C, *space).to(device)
    masks = torch.randint(0, 2, (n, C, *space)).to(device)
    return masks.bool() if kind == "bools" else masks


@pytest.mark.parametrize(("input_format", "preds", "target"), INPUTS)
def test_against_torchmetrics(device, input_format, preds, target):
    torch.manual_seed(0)
    batches = [(made(preds, device), made(target, device)) for _ in range(2)]
    for i, (cls, function, own) in enumerate(METRICS):
        options = {"num_classes": C, "include_background": i % 2 == 0, "input_format": input_format, **own}
        metric, other = globals()[cls](**options).to(device), getattr(theirs, cls)(**options).to(device)
        for batch in batches:
            torch.testing.assert_close(metric(*batch), other(*batch))
        torch.testing.assert_close(metric.compute(), other.compute())
        each = getattr(functions, function)(*batches[0], **options)
        torch.testing.assert_close(each, getattr(their_functions, function)(*batches[0], **options))


def test_other_shapes_against_torchmetrics(device):
    torch.manual_seed(0)
    for shape in ((2, 3, 4, 5), (3, 7)):
        labels, scores = made("labels", device, shape), made("scores", device, shape)
        for metric, other in ((DiceScore, theirs.DiceScore), (GeneralizedDiceScore, theirs.GeneralizedDiceScore)):
            options = {"num_classes": C, "input_format": "mixed"}
            value, expected = (m(**options).to(device)(scores, labels) for m in (metric, other))
            torch.testing.assert_close(value, expected)
    for shape in ((7,), (3, 7)):  # one image without its dimension
        preds, target = made("labels", device, shape), made("labels", device, shape)
        options = {"num_classes": C, "input_format": "index"}
        value, expected = (m(**options).to(device)(preds, target) for m in (MeanIoU, theirs.MeanIoU))
        torch.testing.assert_close(value, expected)
        everywhere = torch.ones(shape, device=device)
        found = functions.mean_iou(preds, target, **options, weights=everywhere, valid=everywhere.bool())
        assert found.tolist() == pytest.approx([expected.item()])


def test_by_hand(device):
    # per image and class: intersection, predicted, target
    target = torch.tensor([[[0, 0], [1, 2]], [[0, 1], [1, 1]]], device=device)  # 1 2 2 | 1 2 1 | 1 1 1
    preds = torch.tensor([[[0, 1], [1, 2]], [[0, 1], [1, 0]]], device=device)  # 1 2 1 | 2 2 3 | 0 0 0
    iou = [[1 / 2, 1 / 2, 1], [1 / 2, 2 / 3, -1]]
    dice = [[2 / 3, 2 / 3, 1], [2 / 3, 4 / 5, math.nan]]

    def value(function, **options):
        found = function(preds, target, num_classes=3, input_format="index", **options)
        return found.double().flatten().tolist()

    def close(found, expected):
        assert found == pytest.approx(expected, rel=1e-6, nan_ok=True)

    close(value(functions.mean_iou, per_class=True), iou[0] + iou[1])
    close(value(functions.mean_iou), [2 / 3, 7 / 12])
    close(value(functions.mean_iou, include_background=False), [3 / 4, 2 / 3])
    close(value(functions.dice_score, average="none"), dice[0] + dice[1])
    close(value(functions.dice_score, average="macro"), [7 / 9, 11 / 15])
    close(value(functions.dice_score, average="micro"), [6 / 8, 6 / 8])
    close(value(functions.dice_score, average="weighted"), [(2 * 2 / 3 + 2 / 3 + 1) / 4, (2 / 3 + 3 * 4 / 5) / 4])
    close(value(functions.dice_score, average="micro", aggregation_level="global"), [12 / 16])
    # weights 1/4, 1, 1 and 1, 1/9, and the greatest for the class that is not there
    close(value(functions.generalized_dice_score), [4.5 / 5.75, (2 + 4 / 9) / (3 + 5 / 9)])
    metric = MeanIoU(3, input_format="index").to(device)
    assert metric(preds, target).item() == pytest.approx((1 / 2 + 1 / 2 + 1 + 1 / 2 + 2 / 3) / 5)


def test_generalized_dice_of_absent_classes_does_not_depend_on_the_batch(device):
    # class 2 is predicted in image 1, and no target there: its weight is that of the smallest class of image 1
    target = torch.tensor([[0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 1, 1]], device=device)
    preds = torch.tensor([[0, 0, 0, 1, 2, 2], [0, 0, 0, 2, 1, 1]], device=device)
    metric = GeneralizedDiceScore(3, weight_type="simple", input_format="index").to(device)
    of_images = [2 * (3 / 3 + 1 / 2 + 1) / (6 / 3 + 3 / 2 + 3), 2 * (3 / 4 + 2 / 2) / (7 / 4 + 4 / 2 + 1 / 2)]
    assert metric(preds, target).item() == pytest.approx(sum(of_images) / 2)
    for i in range(2):
        assert metric(preds[i : i + 1], target[i : i + 1]).item() == pytest.approx(of_images[i])
    assert metric.compute().item() == pytest.approx(sum(of_images) / 2)
    swapped = metric(preds.flip(0), target.flip(0)).item()
    assert swapped == pytest.approx(sum(of_images) / 2)


def filtered(function, preds, target, kept, **options):
    """The value of each image, from its kept pixels alone."""
    values = []
    for p, t, k in zip(preds, target, kept, strict=True):
        pair = (x[None, ..., k, None] if x.dim() == k.dim() else x[None, :, k, None] for x in (p, t))
        values.append(function(*pair, **options)[0])
    return torch.stack(values)


@pytest.mark.parametrize("function", ["mean_iou", "dice_score", "generalized_dice_score"])
@pytest.mark.parametrize(("input_format", "preds", "target"), INPUTS)
def test_what_is_ignored_or_not_valid(device, input_format, preds, target, function):
    torch.manual_seed(1)
    ours, function = getattr(functions, function), getattr(their_functions, function)
    options = {"num_classes": C, "input_format": input_format}
    preds, target = made(preds, device), made(target, device)
    valid = torch.rand(4, 9, 8, device=device) < 0.5
    expected = filtered(ours, preds, target, valid, **options)  # GeneralizedDice: absent classes, so not theirs
    torch.testing.assert_close(ours(preds, target, **options, valid=valid), expected)
    if "dice" not in function.__name__:
        torch.testing.assert_close(filtered(function, preds, target, valid, **options), expected)
    if target.dim() == 3:
        marked = torch.where(valid, target, 255)
        torch.testing.assert_close(ours(preds, marked, **options, ignore_index=255), expected)
    elif target.dtype == torch.int64:
        marked = torch.where(valid.unsqueeze(1), target, 255)
        torch.testing.assert_close(ours(preds, marked, **options, ignore_index=255), expected)
    # images
    kept_images = torch.tensor([True, False, True, True], device=device)
    found = ours(preds, target, **options, valid=kept_images)
    assert found[1].isnan().all()
    torch.testing.assert_close(found[kept_images], ours(preds, target, **options)[kept_images])


@pytest.mark.parametrize(("input_format", "preds", "target"), INPUTS)
def test_an_ignored_class_has_no_score(device, input_format, preds, target):
    torch.manual_seed(2)
    preds, target = made(preds, device), made(target, device)
    options = {"num_classes": C, "input_format": input_format}
    if target.dim() == 3:
        kept = target != 2
    else:
        kept = (target.argmax(1) if target.is_floating_point() else torch.where(target[:, 2] != 0, 2, 0)) != 2
    each = filtered(functions.mean_iou, preds, target, kept, **options, per_class=True)
    each[:, 2] = -1  # predicted where it is no target, and yet not scored
    found = functions.mean_iou(preds, target, **options, per_class=True, ignore_index=2)
    torch.testing.assert_close(found, each)
    others = [c for c in range(C) if c != 2]
    expected = each[:, others].mean(-1)
    torch.testing.assert_close(functions.mean_iou(preds, target, **options, ignore_index=2), expected)
    metric = DiceScore(**options, average="none", ignore_index=2).to(device)
    assert metric(preds, target)[2].isnan()
    assert not metric.compute()[others].isnan().any()


@pytest.mark.parametrize("cls", [MeanIoU, DiceScore, GeneralizedDiceScore])
@pytest.mark.parametrize(("input_format", "preds", "target"), [INPUTS[1], INPUTS[6]])
def test_weights_are_repetitions(device, cls, input_format, preds, target):
    torch.manual_seed(3)
    preds, target = made(preds, device), made(target, device)
    times = torch.tensor([2, 0, 1, 3], device=device)
    repeated = preds.repeat_interleave(times, 0), target.repeat_interleave(times, 0)
    for level in ("samplewise", "global") if cls is DiceScore else (None,):
        options = {"num_classes": C, "input_format": input_format}
        options |= {} if level is None else {"aggregation_level": level}
        metric, plain = cls(**options).to(device), cls(**options).to(device)
        torch.testing.assert_close(metric(preds, target, weights=times), plain(*repeated))
        for each in (metric, plain):
            each.update(preds, target)
        torch.testing.assert_close(metric.compute(), plain.compute())
        # columns of pixels
        columns = torch.randint(1, 4, (8,), device=device)
        weights = columns.expand(4, 9, 8)
        repeated_columns = preds.repeat_interleave(columns, -1), target.repeat_interleave(columns, -1)
        metric.reset()
        plain.reset()
        torch.testing.assert_close(metric(preds, target, weights=weights), plain(*repeated_columns))
        with pytest.raises(RuntimeError, match=r"`weights` of at least 0, but \d+ were not, the first is -1"):
            metric(preds, target, weights=torch.tensor([1.0, -1.0, 0.0, 0.0], device=device))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_and_layouts(device, dtype):
    torch.manual_seed(4)
    scores, target = made("scores", device).to(dtype), made("labels", device)
    expected = functions.mean_iou(scores.argmax(1), target, C, input_format="index")
    channels_last = scores.to(memory_format=torch.channels_last)
    strided = torch.stack([scores, scores], -1)[..., 0]
    for found in (scores, channels_last, strided):
        for labels in (target, target.to(torch.uint8), target.to(torch.int16), target.transpose(1, 2).mT):
            assert torch.equal(functions.mean_iou(found, labels, C, input_format="mixed"), expected)
    masks = one_hot(target, C).movedim(-1, 1)
    for kind in (torch.bool, torch.uint8, torch.int32):
        found = functions.mean_iou(one_hot(scores.argmax(1), C).movedim(-1, 1).to(kind), masks.to(kind))
        assert torch.equal(found, expected)


class Sizes(TorchDispatchMode):
    """The operators that see, or make, a tensor of at least ``pixels`` elements; views aside."""

    def __init__(self, pixels):
        super().__init__()
        self.pixels = pixels
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [x for x in (*args, out) if isinstance(x, torch.Tensor)]
        if not func.is_view and any(x.numel() >= self.pixels for x in tensors):
            self.seen.append(func.name())
        return out


def test_pixels_are_read_by_the_pass_alone():
    torch.manual_seed(5)
    for (input_format, preds, target), name in (
        (INPUTS[6], "multiclass_"),
        (INPUTS[0], "multiclass_"),
        (INPUTS[2], "binary_"),
    ):
        batch = made(preds), made(target)
        for cls, options in ((MeanIoU, {}), (DiceScore, {"aggregation_level": "global"}), (GeneralizedDiceScore, {})):
            metric = cls(num_classes=C, input_format=input_format, ignore_index=255, **options)
            metric.update(*batch)
            with Sizes(4 * 9 * 8) as sizes:
                metric.update(*batch)
                metric(*batch)
            assert sizes.seen == [f"fastmetrics::{name}"] * 2


def test_the_state_does_not_grow_and_sums_do_not_round():
    torch.manual_seed(6)
    metric, total = MeanIoU(2, input_format="index"), 0.0
    for _ in range(300):
        preds, target = torch.randint(0, 2, (2, 16, 11))
        metric.update(preds.unsqueeze(0), target.unsqueeze(0))
        for c in (0, 1):
            both, either = (preds == c) & (target == c), (preds == c) | (target == c)
            total += both.sum().item() / either.sum().item()
    assert sum(state.numel() for name, state in metric.metric_state.items() if name != "faults") == 4
    assert metric.compute().item() == pytest.approx(total / 600, rel=1e-7)


def test_more_pixels_than_float32_counts():
    n = 2**24 + 1
    zeros = torch.zeros(1, 1, dtype=torch.uint8).expand(1, n)
    metric = DiceScore(2, input_format="index", aggregation_level="global", average="none")
    metric.update(zeros, zeros)
    metric.update(zeros[:, :2], zeros[:, :2] + 1)
    assert metric.counts.tolist() == [[n, n + 2, n], [0, 0, 2]]
    assert metric.compute()[0].item() == torch.tensor(2 * n / (2 * n + 2)).item()
    of_image = torch.tensor([[[n, n + 2, n], [0, 0, 2]]])
    score = generalized_dice(of_image, "linear", True, include_background=True, ignore_index=None)
    assert score[0, 0].item() == 2 * n / (2 * n + 2)


def test_nothing_counted(device):
    empty = torch.zeros(0, 4, 4, dtype=torch.int64, device=device)
    ignored = torch.full((2, 4, 4), 255, device=device)
    for cls in (MeanIoU, DiceScore, GeneralizedDiceScore):
        metric = cls(num_classes=C, input_format="index", ignore_index=255).to(device)
        assert metric(empty, empty).isnan()
        assert metric(ignored * 0, ignored).isnan()
        assert metric.compute().isnan()
        metric.update(empty.new_ones(1, 4, 4), empty.new_ones(1, 4, 4))
        assert metric.compute() == 1  # images without a score do not count
    metric = MeanIoU(C, per_class=True, input_format="index").to(device)
    assert metric(ignored * 0, ignored * 0).tolist() == [1, -1, -1, -1, -1]
    assert functions.mean_iou(empty, empty, C, input_format="index").shape == (0,)


def test_a_number_of_classes_that_the_data_has(device):
    metric, other = MeanIoU(per_class=True).to(device), theirs.MeanIoU(per_class=True).to(device)
    assert metric.compute() == -1
    for n in (2, 3):
        preds, target = made("masks", device, (n, 4, 4)), made("masks", device, (n, 4, 4))
        torch.testing.assert_close(metric(preds, target), other(preds, target))
    torch.testing.assert_close(metric.compute(), other.compute())
    with pytest.raises(ValueError, match="number of classes, 5"):
        metric.update(preds[:, :3], target[:, :3])
    metric.reset()
    metric.update(preds, target)
    again = metric.clone()
    again.update(preds, target)
    assert torch.equal(again.compute(), metric.compute())
    for c in (3, 5):  # functions keep nothing of it
        assert functions.mean_iou(preds[:, :c], target[:, :c], per_class=True).shape == (3, c)
    with pytest.raises(IndexError, match="Cannot determine"):
        MeanIoU().update(preds[0, 0, 0], target[0, 0, 0])


def test_errors(device):
    index = {"num_classes": C, "input_format": "index"}
    wrong = [
        (MeanIoU, {"num_classes": 0}, "positive integer"),
        (MeanIoU, {"input_format": "index"}, "must be provided"),
        (MeanIoU, {"include_background": 1}, "must be a boolean"),
        (MeanIoU, {"per_class": "yes"}, "must be a boolean"),
        (DiceScore, {"num_classes": C, "input_format": "logits"}, "one of"),
        (DiceScore, {"num_classes": C, "average": "mean"}, "`average` to be one of"),
        (DiceScore, {"num_classes": C, "aggregation_level": "image"}, "`aggregation_level` to be one of"),
        (DiceScore, {"num_classes": 1.5}, "positive integer"),
        (GeneralizedDiceScore, {"num_classes": C, "weight_type": "cubic"}, "`weight_type` to be one of"),
        (GeneralizedDiceScore, {"num_classes": C, "ignore_index": 0.5}, "ignore_index"),
    ]
    for cls, options, message in wrong:
        with pytest.raises(ValueError, match=message):
            cls(**options)
    labels, scores = made("labels", device), made("scores", device)
    for cls in (MeanIoU, DiceScore, GeneralizedDiceScore):
        metric = cls(**index).to(device)
        with pytest.raises(RuntimeError, match="same shape"):
            metric.update(labels, labels[:, :3])
        with pytest.raises(ValueError, match="Expected `weights`"):
            metric.update(labels, labels, weights=torch.ones(3, device=device))
        with pytest.raises(ValueError, match="Expected `valid`"):
            metric.update(labels, labels, valid=torch.ones(4, C, device=device, dtype=torch.bool))
        mixed = cls(num_classes=C, input_format="mixed").to(device)
        for pair in ((labels, labels), (scores, scores), (scores[:3], labels), (scores[..., :3], labels)):
            with pytest.raises(RuntimeError, match="same shape, but for the class dimension"):
                mixed.update(*pair)
        with pytest.raises(ValueError, match="number of classes"):
            mixed.update(scores[:, :3], labels)
        assert not metric.update_called
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        DiceScore(**index).to(device).update(labels[:, 0, 0], labels[:, 0, 0])


def test_values_out_of_range_are_raised_and_not_counted(device):
    torch.manual_seed(7)
    labels, bad = made("labels", device), made("labels", device)
    masks = one_hot(labels, C).movedim(-1, 1).contiguous()
    good = torch.ones_like(bad, dtype=torch.bool)
    bad[0, 0, :2], good[0, 0, :2] = 77, False
    message = "or masks of 0 and 1, in `{}`, but 2 other values came, the first is 77"
    for which, pair, kept in (
        ("target", (labels, bad), (labels, bad)),
        ("preds", (bad, labels), (bad, labels)),
        ("target", (masks, bad), (masks, bad)),
        ("preds", (bad, masks), (bad, masks)),
    ):
        input_format = "mixed" if masks.dim() in (pair[0].dim(), pair[1].dim()) else "index"
        metric = MeanIoU(C, input_format=input_format).to(device)
        with pytest.raises(RuntimeError, match=message.format(which)):
            (metric.update(*pair), metric.compute())
        expected = MeanIoU(C, input_format=input_format).to(device)(*kept, valid=good)
        assert metric.compute() == expected
    masks[0, 0, 0, 0] = 2
    with pytest.raises(RuntimeError, match="but 1 other values came, the first is 2"):
        (MeanIoU(C).to(device)(masks, masks), 0)


def test_a_perfect_first_batch_does_not_join_different_scores():
    labels = made("labels")
    kinds = {
        "iou": MeanIoU(C, input_format="index"),
        "foreground": MeanIoU(C, include_background=False, input_format="index", per_class=True),
        "dice": DiceScore(C, input_format="index"),
        "micro": DiceScore(C, input_format="index", average="micro"),
        "weighted": DiceScore(C, input_format="index", average="weighted"),
        "generalized": GeneralizedDiceScore(C, input_format="index"),
        "linear": GeneralizedDiceScore(C, input_format="index", weight_type="linear"),
    }
    alone = {name: metric.clone() for name, metric in kinds.items()}
    collection = torchmetrics.MetricCollection(kinds)
    for preds in (labels, made("labels")):
        collection.update(preds, labels)
        for metric in alone.values():
            metric.update(preds, labels)
    found = collection.compute()
    for name, metric in alone.items():
        assert torch.equal(found[name], metric.compute()), name


def test_compiled_update():
    torch.compiler.reset()
    torch.manual_seed(8)
    metric, plain = (MeanIoU(C, input_format="mixed", ignore_index=0) for _ in range(2))
    step = torch.compile(metric.update, fullgraph=True, backend="eager")
    for _ in range(2):
        batch = made("scores"), made("labels")
        step(*batch)
        plain.update(*batch)
    assert torch.equal(metric.compute(), plain.compute())


def test_large_images_are_not_mixed():
    torch.manual_seed(9)
    target = torch.randint(0, C, (5, 40, 50)).repeat_interleave(5, 2)
    scores = torch.randn(5, C, 40, 250) + 3 * one_hot(target, C).movedim(-1, 1)
    labels = scores.argmax(1)
    for c in range(C):
        both, either = (labels == c) & (target == c), (labels == c) | (target == c)
        expected = both.sum((1, 2)) / either.sum((1, 2))
        found = functions.mean_iou(scores, target, C, input_format="mixed", per_class=True)[:, c]
        torch.testing.assert_close(found, expected)
        masks = one_hot(labels, C).movedim(-1, 1), one_hot(target, C).movedim(-1, 1)
        torch.testing.assert_close(functions.mean_iou(*masks, per_class=True)[:, c], expected)
