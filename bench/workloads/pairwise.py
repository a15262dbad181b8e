# SPDX-License-Identifier: Apache-2.0
"""All pairs of rows of two matrices."""

from bench.inputs import Pairs
from bench.specs import function
from bench.workloads.table import Workload

ROWS = [
    Workload(
        name=f"pairwise_{name}, {rows} x {rows} x 128",
        inputs=Pairs((rows, 128)),
        ours=function(f"pairwise_{name}", **options),
        bars={"torchmetrics": bar} if bar else {},
    )
    for name, rows, bar, options in (
        ("cosine_similarity", 4000, None, {}),  # a matrix product in both libraries
        ("linear_similarity", 4000, None, {}),
        ("euclidean_distance", 4000, 1, {}),
        ("manhattan_distance", 1000, 1, {}),  # torchmetrics forms differences, 512 MB
        ("minkowski_distance", 1000, 1, {"exponent": 3}),
    )
]
