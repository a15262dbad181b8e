# SPDX-License-Identifier: Apache-2.0
"""What is measured, against whom, and the bars that it must hold on a CPU with two threads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torchmetrics
import torchmetrics.classification as theirs
import torchmetrics.regression as their_regression

import fastmetrics
import fastmetrics.classification as ours
from fastmetrics.metric import StatisticMetric
from fastmetrics.statistics import PairsStatistics


@dataclass
class Workload:
    """One row of the table.

    Attributes:
        name: what is counted from what.
        inputs: device, scale -> the batch.
        ours: our metric; ``theirs``: torchmetrics' twin, made with ``validate_args``, or None of that option.
        eager: the best expression in PyTorch, from the batch to a tensor.
        value: what of our result the expression gives.
        most_reads: bar: at most so many times the time to read the same bytes.
        least_faster: bar: at least so many times faster than torchmetrics with its defaults.
        call: ``update``, ``forward``, ``compute`` or ``reset``.
    """

    name: str
    inputs: Callable[..., tuple[torch.Tensor, torch.Tensor]]
    ours: Callable[[], StatisticMetric]
    theirs: Callable[..., list]
    eager: Callable | None
    value: Callable = lambda value: value
    most_reads: float | None = None
    least_faster: float | None = None
    call: str = "update"


class SquaredAndAbsolute(StatisticMetric):
    """MSE and MAE from one read."""

    def __init__(self):
        super().__init__(PairsStatistics(1, squared_error=True, absolute_error=True))

    def formula(self, count, squared_error, absolute_error):
        return torch.cat([squared_error, absolute_error]) / count


def labels(n, c, share, device, scale):
    """Int64 labels; ``share`` of the samples are of one class."""
    n = int(n * scale)
    generator = torch.Generator().manual_seed(0)
    preds, target = (torch.randint(0, c, (n,), generator=generator) for _ in range(2))
    common = torch.rand(n, generator=generator) < share
    preds[common], target[common] = 1, 1
    return preds.to(device), target.to(device)


def scores(shape, dtype, device, scale):
    """Scores [N, C, ...] and their targets."""
    generator = torch.Generator().manual_seed(0)
    shape = (max(1, int(shape[0] * scale)), *shape[1:])
    preds = torch.randn(shape, generator=generator).to(dtype)
    return preds.to(device), torch.randint(0, shape[1], (shape[0], *shape[2:]), generator=generator).to(device)


def binary(shape, logits, device, scale):
    """Probabilities or logits, and 0/1 targets."""
    generator = torch.Generator().manual_seed(0)
    shape = (max(1, int(shape[0] * scale)), *shape[1:])
    preds = torch.randn(shape, generator=generator) if logits else torch.rand(shape, generator=generator)
    return preds.to(device), torch.randint(0, 2, shape, generator=generator).to(device)


def pairs(shape, device, scale):
    """Predictions and targets."""
    generator = torch.Generator().manual_seed(0)
    shape = (max(1, int(shape[0] * scale)), *shape[1:])
    return tuple((torch.randn(shape, generator=generator) + 3).to(device) for _ in range(2))


def confusion_of_labels(c, preds, target):
    return torch.bincount(target * c + preds, minlength=c * c).reshape(c, c)


def confusion_of_scores(c, preds, target):
    return confusion_of_labels(c, preds.argmax(1).flatten(), target.flatten())


def top_k_share(k, preds, target):
    own = preds.gather(1, target.unsqueeze(1))
    return ((preds > own).sum(1) < k).float().mean()


def binary_share(logits, preds, target):
    return ((preds > (0.0 if logits else 0.5)) == target).float().mean()


def multilabel_share(preds, target):
    return ((preds > 0.5) == target).float().mean(0)


def error_means(preds, target):
    difference = preds - target
    return torch.stack([difference.square().mean(), difference.abs().mean()])


def confusion(name, inputs, c, eager, **bars):
    return Workload(
        name,
        inputs,
        lambda: ours.MulticlassConfusionMatrix(c),
        lambda **kw: [theirs.MulticlassConfusionMatrix(c, **kw)],
        partial(eager, c),
        **bars,
    )


def both_errors(**kw):
    return [] if kw else [their_regression.MeanSquaredError(), their_regression.MeanAbsoluteError()]


TEN = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1Score",
    "specificity": "Specificity",
    "jaccard": "JaccardIndex",
    "kappa": "CohenKappa",
    "mcc": "MatthewsCorrCoef",
    "confusion": "ConfusionMatrix",
    "stat scores": "StatScores",
}


def ten(library, module, c, **kw):
    """The metrics of ``TEN`` that there are."""
    kinds = {name: f"Multiclass{kind}" for name, kind in TEN.items() if hasattr(ours, f"Multiclass{kind}")}
    return library.MetricCollection({name: getattr(module, kind)(c, **kw) for name, kind in kinds.items()})


def collection(call, name, inputs, c, **bars):
    """One call of those metrics; an update costs about what the confusion matrix alone does."""
    size = sum(hasattr(ours, f"Multiclass{kind}") for kind in TEN.values())
    return Workload(
        f"{call} of a collection of {size} metrics, {name}",
        inputs,
        lambda: ten(fastmetrics, ours, c),
        lambda **kw: [ten(torchmetrics, theirs, c, **kw)],
        None,
        call=call,
        **bars,
    )


M = 1_000_000
WORKLOADS = [
    *(
        confusion(
            f"confusion, 10M int64 labels, C = {c}, {entropy}",
            partial(labels, 10 * M, c, share),
            c,
            confusion_of_labels,
            most_reads=1.3,
            least_faster=80,
        )
        for c in (10, 100)
        for entropy, share in (("uniform", 0.0), ("90 % one class", 0.9), ("all one class", 1.0))
    ),
    confusion(
        "confusion, 1M x 10 f32 scores",
        partial(scores, (M, 10), torch.float32),
        10,
        confusion_of_scores,
        most_reads=1.6,
        least_faster=11,
    ),
    confusion(
        "confusion, 50k x 1000 f32 scores",
        partial(scores, (50_000, 1000), torch.float32),
        1000,
        confusion_of_scores,
        most_reads=1.5,
        least_faster=4.5,
    ),
    Workload(
        "top-5 accuracy, 50k x 1000 f32 scores",
        partial(scores, (50_000, 1000), torch.float32),
        lambda: ours.MulticlassAccuracy(1000, average="micro", top_k=5),
        lambda **kw: [theirs.MulticlassAccuracy(1000, average="micro", top_k=5, **kw)],
        partial(top_k_share, 5),
        most_reads=1.4,
        least_faster=100,
    ),
    *(
        Workload(
            f"binary accuracy, 10M f32 {'logits' if logits else 'probabilities'}",
            partial(binary, (10 * M,), logits),
            ours.BinaryAccuracy,
            lambda **kw: [theirs.BinaryAccuracy(**kw)],
            partial(binary_share, logits),
            most_reads=1.6,
            least_faster=20,
        )
        for logits in (False, True)
    ),
    Workload(
        "MSE and MAE, 10M f32 pairs",
        partial(pairs, (10 * M,)),
        SquaredAndAbsolute,
        both_errors,
        error_means,
        most_reads=1.4,
        least_faster=15,
    ),
    *(
        Workload(
            f"one {call} of 32 x 10 f32 scores (accuracy)",
            lambda device, scale: scores((32, 10), torch.float32, device, 1),
            lambda: ours.MulticlassAccuracy(10),
            lambda **kw: [theirs.MulticlassAccuracy(10, **kw)],
            None,
            least_faster=bar,
            call=call,
        )
        for call, bar in (("update", 8), ("forward", 10))
    ),
    *(
        collection(
            call,
            "32 x 10 f32 scores",
            lambda device, scale: scores((32, 10), torch.float32, device, 1),
            10,
            least_faster=bar,
        )
        for call, bar in (("update", 12), ("forward", 20), ("compute", 4), ("reset", 10))
    ),
    *(
        collection(
            "update", f"{shape[0] // 1000}k x {shape[1]} f32 scores", partial(scores, shape, torch.float32), shape[1]
        )
        for shape in ((M, 10), (50_000, 1000))
    ),
    *(
        confusion(
            f"confusion, 50k x 1000 {name} scores",
            partial(scores, (50_000, 1000), dtype),
            1000,
            confusion_of_scores,
        )
        for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16))
    ),
    confusion(
        "confusion, 8 x 19 x 256 x 512 f32 logits",
        partial(scores, (8, 19, 256, 512), torch.float32),
        19,
        confusion_of_scores,
    ),
    Workload(
        "multilabel accuracy, 1M x 20 f32 probabilities",
        partial(binary, (M, 20), False),
        lambda: ours.MultilabelAccuracy(20, average=None),
        lambda **kw: [theirs.MultilabelAccuracy(20, average=None, **kw)],
        multilabel_share,
    ),
]
