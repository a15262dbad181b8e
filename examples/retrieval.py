# SPDX-License-Identifier: Apache-2.0
"""Ranked search results: all metrics from one sort, values of queries, and the same sums in constant memory."""

import argparse

import torch

from fastmetrics import MetricCollection
from fastmetrics.retrieval import RetrievalMAP, RetrievalMRR, RetrievalNormalizedDCG, RetrievalRecall


def batches(queries, documents, size, seed=0):
    """Scores float32 [Q, D] and grades from 0 to 3 of the documents of each query, better ones with higher scores."""
    generator = torch.Generator().manual_seed(seed)
    for begin in range(0, queries, size):
        shape = min(size, queries - begin), documents
        grades = (torch.rand(shape, generator=generator) ** 4 * 4).long()
        yield torch.randn(shape, generator=generator) + grades, grades


def metrics(**options):
    """Two metrics of graded relevance and three of binary."""
    graded = {"nDCG at 1, 10 and 100": RetrievalNormalizedDCG(top_k=(1, 10, 100), gain="exponential", **options)}
    binary = {
        "mean average precision": RetrievalMAP(**options),
        "mean reciprocal rank": RetrievalMRR(**options),
        "recall at 10": RetrievalRecall(top_k=10, **options),
    }
    return MetricCollection(graded), MetricCollection(binary)


def main():
    """Evaluate both ways, and print the values and what is kept for them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=1_000)
    options = parser.parse_args()
    kept, sums = metrics(), metrics(complete=True)
    seen = 0
    for scores, grades in batches(options.queries, options.documents, options.batch_size):
        indexes = torch.arange(seen, seen + len(scores))  # a number for each row
        seen += len(scores)
        for (graded, binary), more in ((kept, {"indexes": indexes}), (sums, {})):
            graded.update(scores, grades, **more)
            binary.update(scores, grades > 1, **more)
    for graded, binary in (kept, sums):
        for name, value in {**graded.compute(), **binary.compute()}.items():
            print(f"{name}: {', '.join(f'{number:.6f}' for number in value.reshape(-1).tolist())}")
    query, value = kept[1]["mean reciprocal rank"].per_query()
    print(f"queries whose first document is relevant: {int((value == 1).sum()):,} of {len(query):,}")


if __name__ == "__main__":
    main()
