# SPDX-License-Identifier: Apache-2.0
"""A collection of metrics of classes, and the same metrics by themselves."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastmetrics import classification as ours

C = 4


def batch(seed=0, n=8):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, C, 3, generator=generator), torch.randint(0, C, (n, 3), generator=generator)


def members(module=ours):
    """Of every kind: equal and different statistics, options that must not be shared, lists."""
    return {
        "acc": module.MulticlassAccuracy(C),
        "micro": module.MulticlassAccuracy(C, average="micro"),
        "f1": module.MulticlassF1Score(C, average=None),
        "confusion": module.MulticlassConfusionMatrix(C),
        "top2": module.MulticlassAccuracy(C, top_k=2),
        "top3": module.MulticlassRecall(C, top_k=3),
        "ignore": module.MulticlassAccuracy(C, ignore_index=1),
        "ignore2": module.MulticlassAccuracy(C, ignore_index=2),
        "samples": module.MulticlassF1Score(C, multidim_average="samplewise"),
        "samples2": module.MulticlassStatScores(C, multidim_average="samplewise"),
        "silent": module.MulticlassPrecision(C, validate_args=False),
    }


GROUPS = [
    {"acc", "micro", "f1", "confusion", "top2", "top3"},
    {"ignore"},
    {"ignore2"},
    {"samples", "samples2"},
    {"silent"},
]


def same(a, b):
    """Results are equal to the bit."""
    assert list(a) == list(b)
    for name, value in a.items():
        assert value.dtype == b[name].dtype, name
        assert torch.equal(value, b[name]), name


def alone(metrics, calls, **options):
    """The same metrics, each by itself: the values of the last batch and of all."""
    last = {}
    for name, metric in sorted(metrics.items()):
        for call, seed in calls:
            value = getattr(metric, call)(*batch(seed), **options)
            last[name] = value
    return last, {name: metric.compute() for name, metric in sorted(metrics.items())}


CALLS = [("update", 0), ("forward", 1), ("update", 2), ("forward", 3)]
PASSES = ("multiclass_", "pairs_", "simple_pairs_")


class Operators(TorchDispatchMode):
    """Names of the passes that were called."""

    def __enter__(self):
        self.seen = []
        return super().__enter__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.partition("::")[2]
        if func.namespace == "fastmetrics" and name in PASSES:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))
