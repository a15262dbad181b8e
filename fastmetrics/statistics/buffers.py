# SPDX-License-Identifier: Apache-2.0
"""Statistics that are the samples themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, different_shapes, real_on_one_device

AT_ONCE = 16  # tensors that are joined
LARGE = 1 << 17  # elements of one that is not


class Buffers(Statistics):
    """The samples themselves, batch by batch, where no statistic of fixed size decides the value.

    The formula sees all of them, concatenated. What is kept of a batch is copied, so the caller may reuse its memory.
    Batches are joined to tensors that grow geometrically: there are few of them, without room that is not used.
    """

    samplewise = True
    validate = False
    instead_of_groups = "This metric keeps the samples themselves: update a metric for each group."

    @abstractmethod
    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """What is kept of a batch, in tensors of its own."""

    def of_batch(self, batch: Batch, faults: Tensor | None, like: States | None = None) -> dict[str, Tensor]:
        """What is kept of it."""
        return self.kept(batch[0], batch[2], faults)

    def tidy(self, states: Mapping[str, list[Tensor]]) -> None:
        """Join the last tensors of each list where they are many; each sample is copied a few times in all."""
        for name in self.shapes:
            join(states[name])

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """There is nothing to add to."""
        raise NotImplementedError("samples are appended, not added")


def join(parts: list[Tensor], *beside: list[Tensor]) -> None:
    """Replace the last tensors by one, while they are many and the first of them is not most of it.

    Args:
        parts: tensors of samples.
        beside: tensors of the same samples, which are joined where those are; the greatest of their dtypes remains.
    """
    while len(parts) >= AT_ONCE:
        last = parts[-AT_ONCE:]
        first, size = last[0].numel(), sum(part.numel() for part in last)
        if 4 * first > size or size > AT_ONCE * LARGE or len({(part.dtype, part.device) for part in last}) > 1:
            return
        with torch.no_grad():
            for some in (parts, *beside):
                some[-AT_ONCE:] = [torch.cat(some[-AT_ONCE:])]


class PairBuffers(Buffers):
    """All pairs of real numbers: ``preds`` and ``target``, [N, D] each, in the dtype in which they came.

    Args:
        num_outputs: D. With one, inputs are ``(N,)`` or ``(N, 1)``; with more, ``(N, D)``.
        floating: whether integers are refused.
    """

    def __init__(self, num_outputs: int, floating: bool) -> None:
        self.num_outputs = num_outputs
        self.floating = floating
        self.shapes = dict.fromkeys(("preds", "target"), ((num_outputs,), torch.get_default_dtype()))

    def check(self, inputs: Inputs) -> None:
        """Raise ``TypeError``, ``RuntimeError`` or ``ValueError`` on a wrong dtype, different shapes, a wrong shape."""
        preds, target = inputs
        if self.floating and not (preds.is_floating_point() and target.is_floating_point()):
            raise TypeError(
                "Expected `preds` and `target` both to be floating point tensors, but got"
                f" {preds.dtype} and {target.dtype}"
            )
        if preds.shape != target.shape:
            raise different_shapes(preds.shape, target.shape)
        if preds.dim() not in (1, 2):
            raise ValueError(
                "Expected both predictions and target to be either 1- or 2-dimensional tensors,"
                f" but got {target.dim()} and {preds.dim()}."
            )
        columns = preds.shape[1] if preds.dim() == 2 else 1
        if columns != self.num_outputs:
            raise ValueError(
                "Expected argument `num_outputs` to match the second dimension of input, but got"
                f" {self.num_outputs} and {columns}."
            )
        real_on_one_device(preds, target)

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """Both columns; with a mask of valid samples, those of the samples alone."""
        columns = [value.detach().reshape(-1, self.num_outputs) for value in inputs]
        if valid is None:
            preds, target = (value.clone(memory_format=torch.contiguous_format) for value in columns)
        else:
            counted = valid.reshape(-1, self.num_outputs)[:, 0]
            preds, target = (value[counted] for value in columns)
        return {"preds": preds, "target": target}

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A sample is a row: a mask has the shape ``(N,)``."""
        if values.dim() > 1 and self.num_outputs > 1:
            raise ValueError(f"Expected `{name}` of shape ({len(inputs[0])},), but got {tuple(values.shape)}.")
        return super().per_sample(name, values, inputs)
