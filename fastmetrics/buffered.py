# SPDX-License-Identifier: Apache-2.0
"""The metric whose state is its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastmetrics.metric import StatisticMetric

if TYPE_CHECKING:
    from fastmetrics.statistics.buffers import Buffers


class BufferMetric(StatisticMetric):
    """A metric that keeps every batch, because no statistic of fixed size decides it.

    Its :class:`~fastmetrics.statistics.buffers.Buffers` say what is kept of a batch. The formula sees all of it,
    concatenated. ``update`` copies what it keeps, so the caller may reuse the memory of a batch.
    """

    _statistics: Buffers
