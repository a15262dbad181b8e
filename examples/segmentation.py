# SPDX-License-Identifier: Apache-2.0
"""Segmentation of drawn discs and squares: metrics from the logits as they come, pixels at edges left out."""

import argparse
import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from fastmetrics import MetricCollection
from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix
from fastmetrics.segmentation import DiceScore, MeanIoU

NAMES = ("background", "disc", "square")
C, SIZE, VOID = len(NAMES), 32, 255


def pictures(count, seed):
    """Noisy pictures float32 [N, 1, H, W], and labels int64 [N, H, W]; the edges of what is drawn are ``VOID``."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    middle = torch.rand(count, 2, 2, 1, 1, generator=generator) * (SIZE - 14) + 7
    radius = torch.rand(count, 2, 1, 1, generator=generator) * 4 + 3
    dy, dx = (y - middle[:, :, 0]).abs(), (x - middle[:, :, 1]).abs()
    distances = {
        1: (dy[:, 0] ** 2 + dx[:, 0] ** 2).sqrt() - radius[:, 0],
        2: torch.maximum(dy, dx)[:, 1] - radius[:, 1],
    }
    labels = torch.zeros(count, SIZE, SIZE, dtype=torch.int64)
    images = torch.zeros(count, SIZE, SIZE)
    for label, distance in distances.items():
        labels[distance <= 0] = label
        images[distance <= 0] = {1: 0.7, 2: 1.0}[label]
    for distance in distances.values():
        labels[distance.abs() < 1] = VOID
    noise = torch.randn(count, SIZE, SIZE, generator=generator)
    return (images + 0.25 * noise).unsqueeze(1), labels


def metrics():
    """All of them read logits [N, C, H, W] and labels [N, H, W]; no softmax, argmax or copy is made."""
    segmentation = {"num_classes": C, "input_format": "mixed", "ignore_index": VOID}
    return MetricCollection(
        {
            "pixel accuracy": MulticlassAccuracy(C, average="micro", ignore_index=VOID),
            "mean IoU": MeanIoU(**segmentation),
            "IoU": MeanIoU(per_class=True, **segmentation),
            "Dice": DiceScore(average="macro", **segmentation),
            "confusion": MulticlassConfusionMatrix(C, ignore_index=VOID, normalize="true"),
        }
    )


def train(steps):
    """A small convolutional network."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=4, dilation=4),
        nn.ReLU(),
        nn.Conv2d(16, C, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(steps):
        images, labels = pictures(8, seed=step)
        loss = cross_entropy(net(images), labels, ignore_index=VOID)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def evaluate(net, batches=8):
    """The values over pictures that the network has not seen."""
    found = metrics()
    with torch.no_grad():
        for batch in range(batches):
            images, labels = pictures(16, seed=1_000_000 + batch)
            found.update(net(images), labels)
    return found.compute()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    torch.set_num_threads(1)  # the pictures are small: a second thread gains little, and on a busy machine costs much
    values = evaluate(train(parser.parse_args().steps))
    for name, value in values.items():
        if value.ndim == 0:
            print(f"{name}: {value:.4f}")
    print(f"\n{'':<12}{'IoU':>8}   share of its pixels taken for " + ", ".join(NAMES))
    for name, iou, row in zip(NAMES, values["IoU"], values["confusion"], strict=True):
        print(f"{name:<12}{iou:>8.4f}   " + "  ".join(f"{share:>6.1%}" for share in row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
