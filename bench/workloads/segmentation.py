# SPDX-License-Identifier: Apache-2.0
"""Segmentation: the logits of a network, [N, C, H, W]."""

import torch

from bench import expressions as e
from bench.expressions import expression
from bench.inputs import Discs, Scores
from bench.specs import metric
from bench.workloads.family import confusion, family_rows
from bench.workloads.table import Workload

SHAPE, C = (8, 19, 512, 1024), 19
WHERE = "8 x 19 x 512 x 1024"

BARS = {"reads": 1.6, "torchmetrics": 40}


def of_labels(preds, target):
    """What torchmetrics needs: labels on both sides."""
    return preds.argmax(1), target


ROWS = [
    *(
        Workload(
            name=f"confusion, {WHERE} {name} logits{entropy}",
            inputs=Scores(SHAPE, dtype, share),
            ours=confusion(C),
            eager=expression(e.confusion_of_scores, C),
            bars=BARS if dtype == torch.float32 else {},
            shares={"torchmetrics": 1 / 8, "eager": 1 / 8},
            headline=dtype == torch.float32 and not share,
        )
        for name, dtype, entropy, share in (
            ("bf16", torch.bfloat16, "", 0.0),
            ("f32", torch.float32, ", all one class", 1.0),
            ("f32", torch.float32, "", 0.0),
        )
    ),
    *family_rows(f"{WHERE} f32 logits", Scores(SHAPE), C, 1 / 8, **BARS),
    *(
        Workload(
            name=f"{name}, {WHERE} f32 logits",
            inputs=Scores(SHAPE),
            ours=metric(name, num_classes=C, input_format="mixed"),
            theirs=metric(name, num_classes=C, input_format="index"),
            prepare=of_labels,
            alone=confusion(C),
            bars={**BARS, "alone": 1.1},
            shares={"torchmetrics": 1 / 8},
        )
        for name in ("MeanIoU", "DiceScore", "GeneralizedDiceScore")
    ),
    Workload(
        name="HausdorffDistance, 8 x 5 x 128 x 128 labels",
        inputs=Discs(8, 128, 5),
        ours=metric("HausdorffDistance", num_classes=5, input_format="index"),
        bars={"torchmetrics": 10},
        note="discs; of noise torchmetrics compares all pairs of pixels, which takes minutes",
    ),
]
