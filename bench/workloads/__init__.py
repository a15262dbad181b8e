# SPDX-License-Identifier: Apache-2.0
"""What is measured: the table, by family. A new metric is one entry."""

from bench.workloads import (
    aggregation,
    classification,
    collections,
    contingency,
    cuda,
    intervals,
    pairwise,
    regression,
    retrieval,
    segmentation,
    text,
)
from bench.workloads.table import Workload

WORKLOADS = [
    *cuda.ROWS,
    *classification.ROWS,
    *segmentation.ROWS,
    *contingency.ROWS,
    *regression.ROWS,
    *text.ROWS,
    *retrieval.ROWS,
    *pairwise.ROWS,
    *aggregation.ROWS,
    *collections.ROWS,
    *intervals.ROWS,
]

__all__ = ["WORKLOADS", "Workload"]
