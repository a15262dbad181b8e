# SPDX-License-Identifier: Apache-2.0
"""What all statistics share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from fastmetrics.passes import FAULTS

States = Mapping[str, Tensor]


class Statistics(ABC):
    """The statistics of one kind of input that a metric needs.

    Attributes:
        shapes: name -> (shape, dtype) of each statistic for one sample group.
        samplewise: whether each sample of dimension 0 has its own statistics, ``[N, *shape]``.
        validate: whether values out of range are recorded and raised. They are never counted.
    """

    shapes: dict[str, tuple[tuple[int, ...], torch.dtype]]
    samplewise: bool = False
    validate: bool = True

    def zeros(self, device: torch.device | None, samples: int | None = None) -> dict[str, Tensor]:
        """Empty statistics; with ``samples``, one set for each."""
        zeros = torch.zeros
        if samples is None:
            return {name: zeros(shape, dtype=dtype, device=device) for name, (shape, dtype) in self.shapes.items()}
        return {
            name: zeros((samples, *shape), dtype=dtype, device=device) for name, (shape, dtype) in self.shapes.items()
        }

    def no_faults(self, device: torch.device | None) -> Tensor | None:
        """An empty record of faults, or None if values are not validated."""
        return torch.zeros(FAULTS, dtype=torch.int64, device=device) if self.validate else None

    @abstractmethod
    def check(self, preds: Tensor, target: Tensor) -> None:
        """Raise if the metadata of the batch is wrong. Reads no values."""

    @abstractmethod
    def add(self, states: States, preds: Tensor, target: Tensor) -> None:
        """Read the batch once and add it to ``states`` (and to ``states["faults"]``, if there)."""

    def differentiable(self, preds: Tensor, target: Tensor) -> dict[str, Tensor] | None:
        """The statistics of a batch in operations that keep the graph, or None if they have no gradient."""
        return None

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say what was wrong with ``count`` values of ``which`` ("target" or "preds")."""
        return f"`{which}` had {count} values out of range, the first is {first}"


def merge_faults(stacked: Tensor) -> Tensor:
    """Reduce ``[ranks, FAULTS]`` to one record: counts add up, the first value is that of the lowest rank with one."""
    merged = torch.zeros_like(stacked[0])
    for offset in (0, 2):
        counts = stacked[:, offset]
        merged[offset] = counts.sum()
        merged[offset + 1] = stacked.index_select(0, (counts > 0).to(torch.uint8).argmax().reshape(1))[0, offset + 1]
    return merged


NO_LABEL = torch.iinfo(torch.int64).min  # no class, and nothing that anyone ignores


def as_labels(values: Tensor) -> Tensor:
    """Labels that came as floats, as int64; one that is no integer becomes ``NO_LABEL``."""
    if not values.is_floating_point():
        return values
    labels = values.to(torch.int64)
    return torch.where(labels == values, labels, NO_LABEL)


def shown(label: int) -> str:
    """How a message shows a label."""
    return "no integer" if label == NO_LABEL else str(label)


def same_device(preds: Tensor, target: Tensor) -> None:
    """Raise as torchmetrics does if the inputs live on different devices."""
    if preds.device != target.device:
        raise RuntimeError(
            f"Expected `preds` and `target` to be on the same device, but got {preds.device} and {target.device}."
        )
