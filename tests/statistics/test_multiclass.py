# SPDX-License-Identifier: Apache-2.0
"""Statistics of classes that serve several metrics."""

import torch

from fastmetrics.statistics import MulticlassStatistics, PairsStatistics
from tests.support.collections import C


def test_union_and_view():
    small = MulticlassStatistics(C, counts=True, top_k=2)
    great = MulticlassStatistics(C, confusion=True, top_k=3)
    both = small.union(great)
    assert both.shapes == {
        "counts": ((C, 3), torch.int64),
        "ranks": ((C, 3, 2), torch.int64),
        "confusion": ((C, C), torch.int64),
    }
    assert small.shapes["ranks"] == ((C, 2, 2), torch.int64)
    ranks = torch.arange(2 * C * 3 * 2).reshape(2, C, 3, 2)
    assert torch.equal(small.view("ranks", ranks), ranks[:, :, :2])
    assert small.view("ranks", ranks).data_ptr() == ranks.data_ptr()
    assert small.union(MulticlassStatistics(C, counts=True, ignore_index=0)) is None
    assert small.union(PairsStatistics()) is None
