# SPDX-License-Identifier: Apache-2.0
"""Queries whose documents are on several processes."""

import pytest
import torch

from fastmetrics import MetricCollection, retrieval
from tests.retrieval.test_torchmetrics import KINDS, documents
from tests.test_distributed import run


def collection(**options):
    return MetricCollection({name: getattr(retrieval, name)(**options) for name in KINDS})


def split_queries(rank, world, folder):
    """Every query has documents on all processes; the last one has another number of batches, or none."""
    preds, target, indexes = documents(11, queries=9)
    weights = (indexes % 3 + 1).double()
    of_rank = torch.arange(len(preds)) % world == rank
    full, metrics = collection(), collection()
    full.update(preds, target, indexes=indexes, weights=weights)
    mine = [value[of_rank] for value in (preds, target, indexes, weights)]
    for parts in zip(*(value.chunk(1 + rank) for value in mine), strict=True):
        metrics.update(*parts[:2], indexes=parts[2], weights=parts[3])
    found, expected = metrics.compute(), full.compute(sync=False)
    for name in KINDS:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=0)
    alone = retrieval.RetrievalNormalizedDCG()
    alone.update(*mine[:3])
    single = retrieval.RetrievalNormalizedDCG(sync_on_compute=False)
    single.update(preds, target, indexes)
    for found, expected in zip(alone.per_query(), single.per_query(), strict=True):
        assert torch.equal(found, expected)
    assert len(alone.per_query()[0]) == len(indexes.unique())
    assert sum(map(len, alone.indexes)) == int(of_rank.sum())  # the state of this process is as before


def whole_queries(rank, world, folder):
    """Sums: no documents are exchanged; the first process has none."""
    scores, target = torch.rand(12, 8, generator=torch.Generator().manual_seed(3)), torch.arange(96).view(12, 8) % 3 % 2
    names = [name for name in KINDS if "Curve" not in name and "Fixed" not in name]
    metrics, full = ({name: getattr(retrieval, name)(complete=True) for name in names} for _ in range(2))
    rows = torch.arange(12) % max(1, world - 1) == rank - 1
    for name in names:
        if rows.any():
            metrics[name].update(scores[rows], target[rows])
        full[name].update(scores, target)
        found, expected = metrics[name].compute(), full[name].compute(sync=False)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("work", [split_queries, whole_queries])
@pytest.mark.filterwarnings("ignore")
def test_processes(work, world, tmp_path):
    run(work, world, tmp_path)
