# SPDX-License-Identifier: Apache-2.0
"""Documents ranked for queries."""

from bench import expressions as e
from bench.inputs import Documents
from bench.specs import collection, metric
from bench.workloads.table import M, Workload

NDCG = metric("RetrievalNormalizedDCG")
ELEVEN = collection(
    area=metric("RetrievalAUROC"),
    curve=metric("RetrievalPrecisionRecallCurve"),
    fall_out=metric("RetrievalFallOut"),
    gain=NDCG,
    hits=metric("RetrievalHitRate"),
    precision=metric("RetrievalPrecision"),
    precisions=metric("RetrievalMAP"),
    r_precision=metric("RetrievalRPrecision"),
    rank=metric("RetrievalMRR"),
    recall=metric("RetrievalRecall"),
    recall_at_precision=metric("RetrievalRecallAtFixedPrecision", min_precision=0.3),
)
QUERIES = Documents(8000, 40)

ROWS = [
    Workload(
        name="nDCG, 8000 queries x 40, compute",
        inputs=QUERIES,
        ours=NDCG,
        call="compute",
        peers={"ranx": e.ndcg_by_ranx},
        bars={"torchmetrics": 60, "ranx": 2},
        devices=("cpu",),
    ),
    Workload(
        name="all eleven metrics of retrieval, 8000 queries x 40, compute",
        inputs=QUERIES,
        ours=ELEVEN,
        alone=NDCG,
        call="compute",
        shares={"torchmetrics": 1 / 10},
        bars={"alone": 2, "torchmetrics": 200},
        devices=("cpu",),
    ),
    Workload(
        name="nDCG, 1M queries x 100, rows of whole queries",
        inputs=Documents(M, 100, rows=True),
        ours=metric("RetrievalNormalizedDCG", complete=True),
        theirs=None,
        bars={"reads": 6},
        devices=("cpu",),
    ),
]
