# SPDX-License-Identifier: Apache-2.0
"""Where a classifier is bad: its metrics by country and by device, from one read of many predictions."""

import argparse

import torch

from fastmetrics import MetricCollection
from fastmetrics.classification import MulticlassAccuracy, MulticlassF1Score

SLICINGS = {"country": 200, "device": 4}
C = 5


def batches(samples, size, seed=0):
    """Labels and predictions int64 [N], and the groups of each sample; device 3 and country 7 are the hard ones."""
    generator = torch.Generator().manual_seed(seed)
    for begin in range(0, samples, size):
        n = min(size, samples - begin)
        groups = {name: torch.randint(0, number, (n,), generator=generator) for name, number in SLICINGS.items()}
        target = torch.randint(0, C, (n,), generator=generator)
        wrong = 0.1 + 0.2 * (groups["device"] == 3) + 0.5 * (groups["country"] == 7)
        missed = torch.rand(n, generator=generator) < wrong
        yield torch.where(missed, (target + 1) % C, target), target, groups


def metrics():
    """Two metrics, by both slicings."""
    return MetricCollection(
        {
            "accuracy": MulticlassAccuracy(C, average="micro", num_groups=SLICINGS),
            "f1": MulticlassF1Score(C, num_groups=SLICINGS),
        }
    )


def main():
    """Evaluate, and print the values of all samples and the worst groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--batch-size", type=int, default=1_000_000)
    options = parser.parse_args()
    found = metrics()
    for preds, target, groups in batches(options.samples, options.batch_size):
        found.update(preds, target, groups=groups)
    for name, value in found.compute().items():
        print(f"{name}: {value:.4f}")
    for name, slicings in found.worst_groups(2).items():
        for slicing, found_worst in slicings.items():
            rows = zip(found_worst.groups, found_worst.values, found_worst.counts, strict=True)
            worst = ", ".join(f"{group} ({value:.4f} of {count:,} samples)" for group, value, count in rows)
            print(f"{name}, worst of {slicing}: {worst}")
    print(found.explain())


if __name__ == "__main__":
    main()
