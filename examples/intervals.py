# SPDX-License-Identifier: Apache-2.0
"""Which of two models is better, and how sure that is: from tables of counts, whatever the number of predictions."""

import argparse

import torch

from fastmetrics import MetricCollection
from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score
from fastmetrics.wrappers import PairedComparison

CLASSES = 20


def batches(samples, size, seed=0):
    """Labels of two models that often err on the same samples, and the true ones, batch by batch; int64 [N] each."""
    generator = torch.Generator().manual_seed(seed)
    for begin in range(0, samples, size):
        n = min(size, samples - begin)
        target = torch.randint(0, CLASSES, (n,), generator=generator)
        first = torch.where(torch.rand(n, generator=generator) < 0.8, target, (target + 1) % CLASSES)
        changed = torch.where(torch.rand(n, generator=generator) < 0.77, target, (target + 2) % CLASSES)
        yield first, torch.where(torch.rand(n, generator=generator) < 0.9, first, changed), target


def metrics():
    """Of one model: the F1 score is resampled from the confusion matrix that is there anyway."""
    return MetricCollection(
        {
            "accuracy": MulticlassAccuracy(CLASSES, average="micro"),
            "F1": MulticlassF1Score(CLASSES),
            "confusion": MulticlassConfusionMatrix(CLASSES, normalize="true"),
        }
    )


def main():
    """Evaluate both models, and print values, intervals, and the interval of the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--batch-size", type=int, default=250_000)
    options = parser.parse_args()
    models = metrics(), metrics()
    comparison = PairedComparison(MulticlassF1Score(CLASSES))
    for first, second, target in batches(options.samples, options.batch_size):
        for model, preds in zip(models, (first, second), strict=True):
            model.update(preds, target)
        comparison.update(first, second, target)
    for name, model in zip(("first", "second"), models, strict=True):
        values = model.compute()
        for metric in ("accuracy", "F1"):
            low, high = model[metric].interval()
            print(f"{name:10} {metric:10} {values[metric]:.4f}  [{low:.4f}, {high:.4f}]")
    low, high = comparison.interval()
    print(f"{'difference':10} {'F1':10} {comparison.compute():.4f}  [{low:.4f}, {high:.4f}]")
    print(f"McNemar's test of equal accuracy: p = {comparison.mcnemar().pvalue:.3g}")


if __name__ == "__main__":
    main()
