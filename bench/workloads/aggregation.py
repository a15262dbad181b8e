# SPDX-License-Identifier: Apache-2.0
"""Aggregation: sum, mean, minimum and maximum of values, some of which are NaN."""

from bench import expressions as e
from bench.inputs import Values
from bench.specs import metric
from bench.workloads.table import M, Workload

NAMES = (
    ("MeanMetric", "Mean", e.nan_mean),
    ("SumMetric", "Sum", e.nan_sum),
    ("MinMetric", "Min", e.nan_min),
    ("MaxMetric", "Max", e.nan_max),
)


ROWS = [
    *(
        Workload(
            name=f"{name}, 10M f32 values, NaN {'ignored' if strategy == 'ignore' else 'warned of'}",
            inputs=Values(10 * M, nans=nans),
            ours=metric(name, nan_strategy=strategy),
            torcheval=metric(torcheval) if not nans else None,
            eager=expressed,
            reference=e.in_double(expressed),
            bars={"reads": 1.5, "torchmetrics": 6},
            headline=name == "MeanMetric" and strategy == "ignore",
        )
        for name, torcheval, expressed in NAMES
        for strategy, nans in (("ignore", 1e-3), ("warn", 0.0))
    ),
    *(
        Workload(
            name=f"one update of 32 values, {name}",
            inputs=Values(32),
            ours=metric(name),
            torcheval=metric(torcheval),
            bars={"torchmetrics": 5},
        )
        for name, torcheval, _ in NAMES
    ),
]
