# SPDX-License-Identifier: Apache-2.0
"""A metric over the last updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_mean
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.wrappers.running import Running as _Running

from fastmetrics.metric import StatisticMetric

_SEEN = "updates_seen"


class Running(_Running):
    """The value of a metric over the last ``window`` updates; ``forward`` returns the value of the batch alone.

    The window has a slot for each update, which holds a copy of the states of the metric after that update:
    ``<name>_<slot>`` for each state. ``updates_seen``, int64 [] on the CPU, says how many updates there were, and so
    which slot is the oldest. Checkpoints, pickles, copies and ``sync`` cover all of these. A checkpoint of
    ``torchmetrics.wrappers.Running`` has no ``updates_seen``: all of its slots count, and the next update replaces the
    first.

    Args:
        base_metric: any metric whose ``full_state_update`` is False, of this library or of torchmetrics.
        window: how many updates.

    Raises:
        ValueError: ``base_metric`` is no such metric, or has a state that is a mean, of which windows cannot be merged;
            ``window`` is no positive integer.

    Example:
        >>> import torch
        >>> from fastmetrics import SumMetric
        >>> from fastmetrics.wrappers import Running
        >>> metric = Running(SumMetric(), window=3)
        >>> for i in range(6):
        ...     _ = metric(torch.tensor([i]))
        >>> metric.compute()
        tensor(12.)
    """

    __jit_unused_properties__ = [*_Running.__jit_unused_properties__, "_num_vals_seen"]
    __jit_ignored_attributes__ = ["device", "updates_seen"]

    updates_seen: Tensor

    def __init__(self, base_metric: Metric, window: int = 5) -> None:
        super().__init__(base_metric, window)
        means = [name for name, reduce in base_metric._reductions.items() if reduce is dim_zero_mean]
        if means:
            raise ValueError(
                f"Expected states that can be merged, but {means} of {type(base_metric).__name__} are means."
            )
        self.add_state(_SEEN, torch.tensor(0), dist_reduce_fx="max")

    @property
    def _num_vals_seen(self) -> int:
        return int(self.updates_seen)

    @_num_vals_seen.setter
    def _num_vals_seen(self, seen: int) -> None:
        # a tensor, since a state is what torchmetrics saves, caches and shares; on the CPU, where reading it is free
        with torch.inference_mode(False):
            self.updates_seen = torch.tensor(seen, device="cpu")

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add an update of the metric to the window; the oldest one leaves it."""
        self._call(self.base_metric.update, *args, **kwargs)

    @torch.jit.unused
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The same, and return the value of the batch."""
        return self._call(self.base_metric.forward, *args, **kwargs)

    def compute(self) -> Any:
        """The value over the window."""
        base, seen = self.base_metric, self._num_vals_seen
        to_sync = base._to_sync
        base.reset()
        try:
            for update in range(seen - 1, max(0, seen - self.window) - 1, -1):  # lists get what is merged in front
                self._merge(update % self.window)
            base._update_count = seen
            base._to_sync = to_sync and not self._is_synced  # the slots of all processes are merged already
            return base.compute()
        finally:
            base._to_sync = to_sync
            base.reset()

    def _call(self, step: Any, *args: Any, **kwargs: Any) -> Any:
        base = self.base_metric
        try:
            value = step(*args, **kwargs)
        except Exception:
            # what was right in a batch stays counted, as without a window
            if isinstance(base, StatisticMetric) and base.update_called:
                self._add_update()
            base.reset()
            raise
        self._add_update()
        base.reset()
        self._computed = None
        return value

    def _add_update(self) -> None:
        seen = self._num_vals_seen
        self._store(seen % self.window)
        self._num_vals_seen = seen + 1

    def _store(self, slot: int) -> None:
        """Copy the states of the metric into a slot."""
        base = self.base_metric
        for name, default in base._defaults.items():
            if f"{name}_0" not in self._defaults:  # the first weighted update brings states
                self._add_name(name, default, base._reductions[name])
        for name in self._names():
            key = f"{name}_{slot}"
            with torch.inference_mode(False):
                state = getattr(base, name) if name in base._defaults else torch.zeros_like(getattr(self, key))
                if isinstance(state, Tensor) and isinstance(getattr(self, key), list):
                    state = [state]  # reduced over processes
                setattr(self, key, state.clone() if isinstance(state, Tensor) else list(state))

    def _merge(self, slot: int) -> None:
        """Add the states in a slot to those of the metric."""
        self.base_metric._reduce_states({name: getattr(self, f"{name}_{slot}") for name in self._names()})

    def _names(self) -> list[str]:
        """The states of the metric that slots have, also those of weighted samples if any update had weights."""
        own = self.base_metric._defaults
        # attributes are asked, since a collection of torchmetrics sets them without adding states
        return [name for name in dict.fromkeys([*own, *map(_twin, own)]) if hasattr(self, f"{name}_0")]

    def _add_name(self, name: str, default: Any, reduction: Any) -> None:
        """Give each slot another state, empty so far."""
        for slot in range(self.window):
            self.add_state(f"{name}_{slot}", default, reduction, persistent=self._persistent[_SEEN])

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> torch.nn.Module:
        return super()._apply(fn, [*exclude_state, _SEEN])

    def set_dtype(self, dst_type: str | torch.dtype) -> Running:
        """Set the dtype of results; see the metric for what becomes of its states."""
        base = self.base_metric
        if not isinstance(base, StatisticMetric):
            return super().set_dtype(dst_type)  # type: ignore[return-value]
        self._dtype = base.set_dtype(dst_type)._dtype
        return self

    def _sync_dist(self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: Any = None) -> None:
        """Reduce each slot as the metric reduces its states, whichever of them a process has."""
        base = self.base_metric
        own_fn = None if dist_sync_fn is gather_all_tensors else dist_sync_fn
        group = process_group or self.process_group
        try:
            for slot in range(self.window):
                _empty(base)
                self._merge(slot)
                base.sync(own_fn, process_group=group, distributed_available=lambda: True)
                self._store(slot)
            seen = dist_sync_fn(self.updates_seen.to(self.device), group=group)
            self._num_vals_seen = max(int(of_rank) for of_rank in seen)
        except BaseException:
            self._restore()
            self._cache = None
            raise
        finally:
            _empty(base)

    def unsync(self, should_unsync: bool = True) -> None:
        """Go back to the window of this process; see ``torchmetrics.Metric.unsync``."""
        if should_unsync and self._is_synced:
            self._restore()
        super().unsync(should_unsync)

    def _restore(self) -> None:
        """Take the states from before ``sync``; one that only another process had is empty again."""
        before = self._cache or {}
        for key, default in self._defaults.items():
            value = before.get(key, default)
            setattr(self, key, value.clone() if isinstance(value, Tensor) else list(value))

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        names = list(self.base_metric._defaults)
        twins = [*map(_twin, names)]
        for twin in twins:
            saved = state_dict.get(f"{prefix}{twin}_0")
            if isinstance(saved, Tensor) and f"{twin}_0" not in self._defaults:
                self._add_name(twin, torch.zeros_like(saved, device=self.device), "sum")
        # a checkpoint may have no weighted samples, and one of torchmetrics has no record of faults
        required = [f"{name}_{slot}" for name in names if name not in ("faults", *twins) for slot in range(self.window)]
        loaded = [key for key in self._defaults if f"{prefix}{key}" in state_dict]
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        if not loaded:
            return
        missing_keys += [f"{prefix}{key}" for key in required if key not in loaded]
        for key, default in self._defaults.items():
            value = getattr(self, key) if key in loaded else default
            setattr(self, key, _copied(value, self.device))
        self._num_vals_seen = self._num_vals_seen if _SEEN in loaded else self.window
        self._computed = None


def _twin(name: str) -> str:
    """What a metric calls a state of its weighted samples."""
    return f"weighted_{name}"


def _empty(metric: Metric) -> None:
    """Reset a metric that may be synchronised; list states are tensors then, which torchmetrics does not expect."""
    for name, default in metric._defaults.items():
        if isinstance(default, list):
            setattr(metric, name, [])
    metric.reset()


def _copied(state: Tensor | list[Tensor], device: torch.device) -> Tensor | list[Tensor]:
    with torch.inference_mode(False):
        if isinstance(state, Tensor):
            return state.detach().to(device, copy=True)
        return [value.detach().to(device, copy=True) for value in state]
