# SPDX-License-Identifier: Apache-2.0
"""Samplers of distributed loaders: which of their samples are padding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DistributedSampler


def valid_mask(
    sampler: DistributedSampler[Any],
    batch_idx: int | None = None,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Which samples of a ``DistributedSampler`` are not padding, as ``valid=`` takes it.

    The sampler gives every process equally many samples, and repeats some to make up the number. With this mask they
    are counted once, and the metric of all processes is that of one process that reads the data.

    Args:
        sampler: a ``torch.utils.data.DistributedSampler``, or one that deals samples out as it does.
        batch_idx: of the batch; None for all samples of this process.
        batch_size: of the loader; needed with ``batch_idx``.
        device: of the mask.

    Returns:
        bool ``[len(sampler)]``, or that of the batch.

    Raises:
        ValueError: ``batch_idx`` without ``batch_size``, or one that lies outside the sampler.

    Example:
        >>> from torch.utils.data import DistributedSampler
        >>> from fastmetrics.distributed import valid_mask
        >>> sampler = DistributedSampler(range(5), num_replicas=2, rank=1)
        >>> valid_mask(sampler)
        tensor([ True,  True, False])
        >>> valid_mask(sampler, batch_idx=1, batch_size=2)
        tensor([False])
    """
    first, last = 0, len(sampler)
    if batch_idx is not None:
        if batch_size is None:
            raise ValueError("Expected `batch_size` with `batch_idx`.")
        first, last = batch_idx * batch_size, min(last, (batch_idx + 1) * batch_size)
        if not 0 <= first < last:
            raise ValueError(f"Expected `batch_idx` of one of the {len(sampler)} samples, but got {batch_idx}.")
    place = torch.arange(first, last, device=device) * sampler.num_replicas + sampler.rank
    samples: int = len(sampler.dataset)  # type: ignore[arg-type]
    return place < samples
