# SPDX-License-Identifier: Apache-2.0
"""What is measured, against whom, and the bars that it must hold on a CPU with two threads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torchmetrics
import torchmetrics.classification as theirs
import torchmetrics.functional.regression as their_functions
import torchmetrics.regression as their_regression

import fastmetrics
import fastmetrics.classification as ours
from fastmetrics import functional
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
        call: ``update`` or ``forward``.
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


class OneCall:
    """A function of a batch, timed as the update of a metric is."""

    def __init__(self, function):
        self.function = function

    def to(self, device):
        return self

    def update(self, *batch):
        self.value = self.function(*batch)

    def compute(self):
        return self.value

    def reset(self):
        self.value = None


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


def values(n, device, scale):
    """One column of numbers."""
    return pairs((n,), device, scale)[:1]


def correlated(n, device, scale):
    """Predictions that have something to do with their targets."""
    preds, noise = pairs((n,), device, scale)
    return preds, preds + noise


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


def aggregation(name, eager, **bars):
    return Workload(
        f"{name}, 10M f32 values, NaN dropped",
        partial(values, 10 * M),
        getattr(fastmetrics, name),
        lambda **kw: [] if kw else [getattr(torchmetrics, name)()],
        eager,
        **bars,
    )


def rank_correlation(name, n, **bars):
    return Workload(
        f"{name}, {n // 1000}k f32 pairs",
        partial(correlated, n),
        lambda: OneCall(getattr(functional, name)),
        lambda **kw: [] if kw else [OneCall(getattr(their_functions, name))],
        None,
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
    aggregation("SumMetric", torch.nansum, most_reads=1.5, least_faster=6),
    aggregation("MeanMetric", torch.nanmean, most_reads=1.5, least_faster=6),
    aggregation(
        "MaxMetric", lambda x: x.nan_to_num(-torch.inf, torch.inf, -torch.inf).amax(), most_reads=1.5, least_faster=6
    ),
    rank_correlation("spearman_corrcoef", M, least_faster=3),
    rank_correlation("kendall_rank_corrcoef", 10_000, least_faster=20),
    Workload(
        "one update of 32 f32 values (MeanMetric)",
        lambda device, scale: values(32, device, 1),
        fastmetrics.MeanMetric,
        lambda **kw: [] if kw else [torchmetrics.MeanMetric()],
        None,
        least_faster=5,
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
