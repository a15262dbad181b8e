# SPDX-License-Identifier: Apache-2.0
"""Values that are on their way to the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning_utilities import apply_to_collection
from torch import Tensor


class Pending:
    """A value that is copied to the host while others go on; see ``compute_async``.

    Args:
        value: tensors, alone or in dicts, lists and tuples.
        records: of faults, int64 [FAULTS], which are copied along; and what takes the copy and raises if it holds any.
    """

    def __init__(self, value: Any, records: Sequence[tuple[Tensor, Callable[[Tensor], None]]] = ()) -> None:
        self._streams: dict[torch.device, torch.cuda.Stream] = {}
        self._value = apply_to_collection(value, Tensor, self._to_host)
        self._records = [(self._to_host(faults), check) for faults, check in records]
        self._copied = [stream.record_event() for stream in self._streams.values()]

    def _to_host(self, tensor: Tensor) -> Tensor:
        tensor = tensor.detach()
        if tensor.device.type != "cuda":
            return tensor.cpu()
        stream = self._streams.get(tensor.device)
        if stream is None:
            stream = self._streams[tensor.device] = torch.cuda.Stream(tensor.device)
            stream.wait_stream(torch.cuda.current_stream(tensor.device))
        with torch.cuda.stream(stream):
            host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
        tensor.record_stream(stream)  # its memory is not given away before it has been copied
        return host

    def done(self) -> bool:
        """Whether :meth:`result` would not wait."""
        return all(event.query() for event in self._copied)

    def result(self) -> Any:
        """The value, on the host.

        Raises:
            RuntimeError: values out of range were met; once.
        """
        for event in self._copied:
            event.synchronize()
        records, self._records = self._records, []
        for faults, check in records:
            check(faults)
        return self._value
