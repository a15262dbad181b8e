# SPDX-License-Identifier: Apache-2.0
"""The states of a metric as torchmetrics has them: by name, to be saved, moved, merged and synchronised."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torchmetrics
from torch import Tensor
from torch.nn import Module
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics import tensors
from fastmetrics.accumulator import TWIN
from fastmetrics.base import Metric
from fastmetrics.reader import Reader
from fastmetrics.slices import Slicing
from fastmetrics.statistics import Statistics
from fastmetrics.sync import all_processes

if TYPE_CHECKING:
    from typing_extensions import Self


class AccumulatedMetric(Metric):
    """A metric whose states are those of an accumulator, beside what a subclass adds with ``add_state``."""

    #: What reads the states; an accumulator may be shared by several metrics.
    _reader: Reader
    _slicing: Slicing | None = None

    # States, by the names under which torchmetrics has them.

    @property
    def _statistics(self) -> Statistics:
        """What the formula reads."""
        return self._reader.asked.plain

    @property
    def _local(self) -> Reader | None:
        """While the metric is synchronised, the reader of the states of this process."""
        cache = self.__dict__.get("_cache")
        return cache.get("_reader") if isinstance(cache, dict) else None

    @property
    def _update_count(self) -> int:
        reader = self.__dict__.get("_reader")
        return 0 if reader is None or reader.was_emptied else reader.accumulator.count

    @_update_count.setter
    def _update_count(self, value: int) -> None:
        reader = self.__dict__.get("_reader")
        if reader is not None and value != self._update_count:
            reader.own().count = value

    @property
    def update_called(self) -> bool:
        """Whether ``update`` or ``forward`` has been called since the last reset."""
        return not self._reader.was_emptied and (self._reader.accumulator.count > 0 or self._reader.accumulator.traced)

    def _list_states(self) -> None:
        """Tell torchmetrics which states there are."""
        reader, persistent = self._reader, any(self._persistent.values())
        for name in [name for name in self._defaults if reader.takes(name) and not reader.has(name)]:
            del self._defaults[name], self._reductions[name]
        for name, (default, reduction) in reader.declared().items():
            self._defaults[name], self._reductions[name] = default, reduction
            self._persistent.setdefault(name, persistent)

    def __getattr__(self, name: str) -> Any:
        reader = self.__dict__.get("_reader")
        if reader is not None:
            if reader.has(name):
                return reader.state(name)
            if name == "faults":
                return None
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        reader = self.__dict__.get("_reader")
        if reader is not None and name not in self.__dict__ and reader.takes(name):
            known, asked = reader.has(name), reader.asked
            if not known or value is not reader.state(name):
                reader.put(name, value)
                if not known or reader.asked is not asked:
                    self._list_states()
            return
        super().__setattr__(name, value)

    def reset(self) -> None:
        """Empty the statistics in place, so that their addresses stay (a captured CUDA graph relies on them)."""
        if self._is_synced:
            self._give_back()
        self._reader.reset()
        for name in self._added():
            default = self._defaults[name]
            self.__dict__[name] = [] if isinstance(default, list) else default.detach().clone()
        self.__dict__.update(_forward_cache=None, _computed=None)

    def _added(self) -> list[str]:
        """Names of the states that a subclass added with ``add_state``."""
        return [name for name in self._defaults if not self._reader.has(name)]

    @contextmanager
    def _only_added(self) -> Iterator[None]:
        """Where torchmetrics sees only the states that a subclass added."""
        every = self._defaults
        self.__dict__["_defaults"] = {name: every[name] for name in self._added()}
        try:
            yield
        finally:
            self.__dict__["_defaults"] = {**every, **self._defaults}

    # Synchronisation. The local states are kept, not copied: the reduced ones are new tensors.

    def sync(
        self,
        dist_sync_fn: Callable[..., Any] | None = None,
        process_group: Any = None,
        should_sync: bool = True,
        distributed_available: Callable[[], bool] | None = None,
    ) -> None:
        """Replace the state by that of all processes; see ``torchmetrics.Metric.sync``."""
        if self._is_synced and should_sync:
            raise TorchMetricsUserError("The Metric has already been synced.")
        available = distributed_available or self.distributed_available_fn
        if not should_sync or not (callable(available) and available()):
            return
        gather = dist_sync_fn or self.dist_sync_fn
        process_group = process_group or self.process_group
        reader = self._reader
        (part,) = all_processes([reader.part()], self._device, process_group, gather)
        if part.twins:  # the states that there are must be those after `unsync` too
            reader.current().weighted()
        added = self._added()
        local = {name: self.__dict__[name] for name in added} | {"_reader": reader}
        self.__dict__["_reader"] = Reader(reader.current().with_part(part))
        self._list_states()
        try:
            self._sync_added(added, gather or gather_all_tensors, process_group)
        except BaseException:
            self.__dict__.update(local)
            raise
        self.__dict__.update(_cache=local, _is_synced=True)

    def _sync_added(self, names: list[str], gather: Callable[..., Any], group: Any) -> None:
        """Reduce the states that a subclass added, as torchmetrics does."""
        every = self._reductions
        if names:
            self.__dict__["_reductions"] = {name: every[name] for name in names}
            try:
                self._sync_dist(gather, process_group=group)
            finally:
                self.__dict__["_reductions"] = every

    def unsync(self, should_unsync: bool = True) -> None:
        """Go back to the state of this process; see ``torchmetrics.Metric.unsync``."""
        if should_unsync and self._is_synced and self._cache is not None:
            self._give_back()
        else:
            super().unsync(should_unsync)

    def _give_back(self) -> None:
        """Have the states of this process again."""
        self.__dict__.update(self._cache or {})
        self.__dict__.update(_is_synced=False, _cache=None)
        self._list_states()  # others may have had weighted samples

    def _require_unsynced(self) -> None:
        if self._is_synced:
            raise TorchMetricsUserError(
                "The Metric shouldn't be synced when performing ``forward``. HINT: Did you forget to call ``unsync`` ?."
            )

    # Merging.

    def merge_state(self, incoming_state: dict[str, Any] | torchmetrics.Metric) -> None:
        """Add the state of another metric, or its ``metric_state``, to this one.

        Raises:
            ValueError: the other metric has other slicings.
        """
        mine, theirs = self._slicing, getattr(incoming_state, "_slicing", None)  # a dictionary has no names
        if mine is not None and theirs is not None and [*mine.num_groups.items()] != [*theirs.num_groups.items()]:
            raise ValueError(
                f"{type(self).__name__} with `num_groups={mine.num_groups}` cannot merge one with {theirs.num_groups}:"
                " both need the same slicings in the same order."
            )
        super().merge_state(incoming_state)
        accumulator = self._reader.accumulator
        accumulator.count += max(1, getattr(incoming_state, "_update_count", 1))

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        reader = self._reader
        for name in self._added():  # all of it fits, or nothing is merged
            if name not in incoming_state:
                raise ValueError(f"Expected state variable {name} to be present in incoming state {incoming_state}")
        reader.merge(incoming_state)
        with self._only_added():
            super()._reduce_states(incoming_state)
        self._list_states()

    # Moving, copying, saving.

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is rebuilt; batch values without their graph, shared states as copies."""
        with self._only_added():
            state = super().__getstate__()
        return {**state, "_meeting": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__["_computed"] = None
        self._update_signature = inspect.signature(self.inputs)
        if self._slicing is not None:
            self._update_signature = self._slicing.signature(self._update_signature)
        self._list_states()

    def __hash__(self) -> int:
        return hash((type(self).__name__, id(self)))

    def set_dtype(self, dst_type: str | torch.dtype) -> Self:
        """Set the dtype of results that follow it. The statistics keep theirs, and so their exactness."""
        probe = torch.zeros(1, dtype=self._dtype).type(dst_type)
        self.__dict__.update(_dtype=probe.dtype, _computed=None)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Module:
        dtype = self._dtype  # torchmetrics forgets what `set_dtype` said
        move = tensors.moving(fn)
        with self._only_added():
            super()._apply(move, exclude_state)
        self.__dict__["_dtype"] = dtype
        for reader in (self._reader, self._local):
            # Lightning moves whatever it logs, every time; a collection has moved what is shared
            if reader is not None and reader.accumulator.device != self._device:
                reader.own().move(move)
        return self

    def state_dict(  # type: ignore[override]
        self, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """The persistent states, without what others share with this metric."""
        reader = self._reader
        if reader.accumulator.arena is not None and any(self._persistent.values()):
            self.__dict__["_reader"] = copy.deepcopy(reader)
        try:
            return super().state_dict(destination=destination, prefix=prefix, keep_vars=keep_vars)
        finally:
            self.__dict__["_reader"] = reader

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
        reader = self._reader
        shapes = reader.asked.shapes
        names = [name for name in (*shapes, "faults", *(TWIN + name for name in shapes)) if reader.takes(name)]
        loaded = {name: state_dict.pop(prefix + name) for name in names if prefix + name in state_dict}
        if loaded:
            for name, message in reader.load(loaded).items():
                error_msgs.append(f"size mismatch for {prefix}{name}: {message}")
            self._list_states()
        with self._only_added():
            super()._load_from_state_dict(
                state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
        self.__dict__["_computed"] = None
