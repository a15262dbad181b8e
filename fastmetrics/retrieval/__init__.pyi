# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

from fastmetrics.retrieval.auroc import RetrievalAUROC
from fastmetrics.retrieval.curve import RetrievalPrecisionRecallCurve, RetrievalRecallAtFixedPrecision
from fastmetrics.retrieval.first import RetrievalHitRate, RetrievalMAP, RetrievalMRR
from fastmetrics.retrieval.gains import RetrievalNormalizedDCG
from fastmetrics.retrieval.shares import RetrievalFallOut, RetrievalPrecision, RetrievalRecall, RetrievalRPrecision

__all__ = [
    "RetrievalAUROC",
    "RetrievalFallOut",
    "RetrievalHitRate",
    "RetrievalMAP",
    "RetrievalMRR",
    "RetrievalNormalizedDCG",
    "RetrievalPrecision",
    "RetrievalPrecisionRecallCurve",
    "RetrievalRPrecision",
    "RetrievalRecall",
    "RetrievalRecallAtFixedPrecision",
]

def __getattr__(name: str) -> Any: ...
