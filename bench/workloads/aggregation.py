# SPDX-License-Identifier: Apache-2.0
"""Aggregation: sum, mean, minimum and maximum of values, some of which are NaN."""

from bench import expressions as e
from bench.inputs import Values
from bench.specs import metric
from bench.workloads.table import M, Workload

BARS = {"reads": 1.5, "torchmetrics": 6}
NAMES = (
    ("MeanMetric", "Mean", e.nan_mean),
    ("SumMetric", "Sum", e.nan_sum),
    ("MinMetric", "Min", e.nan_min),
    ("MaxMetric", "Max", e.nan_max),
)


ROWS = [
    *(
        Workload(
            name=f"{name}, 10M f32 values, NaN ignored",
            inputs=Values(10 * M, nans=1e-3),
            ours=metric(name, nan_strategy="ignore"),
            eager=expressed,
            reference=e.in_double(expressed),
            bars=BARS,
            headline=name == "MeanMetric",
        )
        for name, _, expressed in NAMES
    ),
    *(
        Workload(
            name=f"{name}, 10M f32 values, NaN warned of",
            inputs=Values(10 * M),
            ours=metric(name, nan_strategy="warn"),
            torcheval=metric(torcheval),
            eager=expressed,
            reference=e.in_double(expressed),
            bars=BARS,
        )
        for name, torcheval, expressed in NAMES
    ),
    *(
        Workload(
            name=f"one update of 32 values, {name}",
            inputs=Values(32),
            ours=metric(name),
            torcheval=metric(torcheval),
            bars={"torchmetrics": 5},
        )
        for name, torcheval, _ in NAMES[:2]
    ),
]
