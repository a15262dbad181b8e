# SPDX-License-Identifier: Apache-2.0
"""Statistics that are the samples themselves."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from fastmetrics.statistics.base import Inputs, States, Statistics


class Buffers(Statistics):
    """What no statistic of fixed size decides: a list of the batches; see :class:`~fastmetrics.metric.BufferMetric`."""

    samplewise = True
    validate = False

    @abstractmethod
    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """What is kept of a batch, in tensors of its own."""

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """There is nothing to add to."""
        raise NotImplementedError("samples are appended, not added")
