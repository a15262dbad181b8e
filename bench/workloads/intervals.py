# SPDX-License-Identifier: Apache-2.0
"""Intervals, from what one update counted."""

from bench.inputs import Agreeing
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
]
