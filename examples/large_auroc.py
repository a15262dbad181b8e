# SPDX-License-Identifier: Apache-2.0
"""Areas under curves of many scores: exact from kept scores, and from a histogram in constant memory."""

import argparse

import torch

from fastmetrics import MetricCollection
from fastmetrics.classification import BinaryAUROC, BinaryAveragePrecision


def batches(samples, size, seed=0):
    """Scores float32 [N] of two overlapping kinds, and their labels, as a model would give them batch by batch."""
    generator = torch.Generator().manual_seed(seed)
    for begin in range(0, samples, size):
        labels = torch.randint(0, 2, (min(size, samples - begin),), generator=generator)
        yield (torch.randn(len(labels), generator=generator) + labels).sigmoid(), labels


def metrics():
    """Both ways to the same areas."""
    return MetricCollection(
        {
            "exact area": BinaryAUROC(),
            "exact precision": BinaryAveragePrecision(),
            "area at 1001 thresholds": BinaryAUROC(thresholds=1001),
            "precision at 1001 thresholds": BinaryAveragePrecision(thresholds=1001),
        }
    )


def main():
    """Evaluate, and print the values and what is kept for them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--batch-size", type=int, default=1_000_000)
    options = parser.parse_args()
    found = metrics()
    for scores, labels in batches(options.samples, options.batch_size):
        found.update(scores, labels)
    for name, value in found.compute().items():
        print(f"{name}: {value:.6f}")
    kept = sum(part.numel() * part.element_size() for part in found["exact area"].scores)
    binned = found["area at 1001 thresholds"].histogram
    print(f"kept: {kept:,} bytes of scores, {binned.numel() * binned.element_size():,} bytes of the histogram")


if __name__ == "__main__":
    main()
