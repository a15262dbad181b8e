# SPDX-License-Identifier: Apache-2.0
"""Intervals, from what one update counted."""

from bench.inputs import Agreeing, Binary, Scores
from bench.slices import Sliced
from bench.specs import metric
from bench.workloads.table import M, Workload

ROWS = [
    *(
        Workload(
            name=f"interval of macro F1, 10,000 draws, {name} labels of 1000 classes",
            inputs=Agreeing(n, 1000, 0.8),
            ours=metric("MulticlassF1Score", num_classes=1000, intervals=True),
            theirs=None,
            call="interval",
            bars={"seconds": 3.0},
            note="torchmetrics' BootStrapper updates a copy of the metric for each draw",
        )
        for name, n in (("50k", 50_000), ("1M", M))
    ),
    Workload(
        name="interval of micro accuracy, 1M labels of 1000 classes",
        inputs=Agreeing(M, 1000, 0.8),
        ours=metric("MulticlassAccuracy", num_classes=1000, average="micro"),
        theirs=None,
        call="interval",
    ),
    Workload(
        name="interval of macro F1 by 1000 clusters, 10,000 draws, 1M x 10 f32 scores",
        inputs=Scores((M, 10), groups=1000),
        ours=Sliced(metric("MulticlassF1Score", num_classes=10), 1000, clusters=True),
        theirs=None,
        call="interval",
    ),
    Workload(
        name="intervals of macro F1 of 100 groups, 10,000 draws each, 100k x 10 f32 scores",
        inputs=Scores((100_000, 10), groups=100),
        ours=Sliced(metric("MulticlassF1Score", num_classes=10, intervals=True), 100),
        theirs=None,
        call="interval",
    ),
    Workload(
        name="intervals of accuracy of 1000 groups, 1M f32 probabilities",
        inputs=Binary((M,), groups=1000),
        ours=Sliced(metric("BinaryAccuracy"), 1000),
        theirs=None,
        call="interval",
        note="Wilson's, of all groups at once",
    ),
]
