# SPDX-License-Identifier: Apache-2.0
"""Intervals, from what one update counted."""

from bench.inputs import Agreeing, InGroups
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
        name="interval of macro F1, 10,000 draws of 1000 clusters, 1M labels of 10 classes",
        inputs=InGroups(Agreeing(M, 10, 0.8), (1000,)),
        ours=Sliced(metric("MulticlassF1Score", num_classes=10), (1000,), clusters=True),
        theirs=None,
        call="interval",
    ),
    Workload(
        name="intervals of macro F1 of 100 groups, 10,000 draws each, 1M labels of 10 classes",
        inputs=InGroups(Agreeing(M, 10, 0.8), (100,)),
        ours=Sliced(metric("MulticlassF1Score", num_classes=10, intervals=True), (100,)),
        theirs=None,
        call="interval",
    ),
]
