# SPDX-License-Identifier: Apache-2.0
"""What happens to the states of a metric between its updates: moved, copied, saved, merged, synchronised, emptied.

States are updated in place, so that their addresses stay. That of a metric in a collection is shared with others; a
metric that is changed by itself leaves them first, see :mod:`fastmetrics.group`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torchmetrics
from lightning_utilities import apply_to_collection
from torch import Tensor
from torch.nn import Module
from torch.utils.weak import WeakIdKeyDictionary
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics.distributed import Part, all_processes
from fastmetrics.passes.faults import merge_faults
from fastmetrics.statistics import Statistics

if TYPE_CHECKING:
    from fastmetrics.metric import StatisticMetric

# Statistics that one metric was given by another, as `torchmetrics.MetricCollection` does within a compute group.
_shared: WeakIdKeyDictionary = WeakIdKeyDictionary()


class Lifecycle(torchmetrics.Metric):
    """The states of a metric of statistics. Everything else is in :class:`~fastmetrics.metric.StatisticMetric`."""

    inputs: Callable[..., Any]

    def _set_up_states(self, statistics: Statistics) -> None:
        self._update_signature = inspect.signature(self.inputs)
        self._statistics = statistics
        self._twins: dict[str, str] = {}  # statistic -> state of its weighted samples
        self._traced = False  # whether a compiled update may have run
        self._filled = False  # whether states may hold data that no update brought
        self._starts: dict[str, Tensor] = {}  # of the states that do not start at zero
        if type(statistics).zeros is not Statistics.zeros:
            starts = statistics.zeros(torch.device("cpu"))
            self._starts = {name: start for name, start in starts.items() if bool(start.any())}
        self._device = torch.empty(0, device=self._device).device  # "cuda" becomes "cuda:0"
        with torch.inference_mode(False):  # an inference tensor could not be updated outside of that mode
            for name, zeros in statistics.zeros(self._device).items():
                if statistics.samplewise:
                    self.add_state(name, [], dist_reduce_fx="cat")
                else:
                    self.add_state(name, zeros, dist_reduce_fx=statistics.reductions.get(name, "sum"))
                    if name not in self._starts:  # a default of zeros needs no memory as large as the state
                        self._defaults[name] = zeros.new_zeros(()).expand(zeros.shape)
            faults = statistics.no_faults(self._device)
            if faults is None:
                self.faults = None
            else:
                self.add_state("faults", faults, dist_reduce_fx=merge_faults)

    def _ours(self) -> set[str]:
        """Names of the states that are not a subclass's own."""
        return {*self._statistics.shapes, *self._twins.values(), "faults"}

    def _part(self) -> Part:
        """The states by the names of their statistics."""
        own = self.__dict__
        states = {name: own[name] for name in own["_statistics"].shapes}
        return Part(own["_statistics"], states, {n: own[twin] for n, twin in own["_twins"].items()}, own["faults"])

    def _part_of(self, states: dict[str, Tensor], weighted: bool) -> Part:
        """The same of one batch."""
        own = self.__dict__
        statistics: Statistics = own["_statistics"]
        if weighted and own["_twins"]:
            return Part(statistics, statistics.zeros(own["_device"]), states, own["faults"])
        return Part(statistics, states, {}, own["faults"])

    def _weighted(self, own: dict[str, Any]) -> dict[str, Tensor]:
        """Where the statistics of weighted samples are, by the names of the statistics; and the faults."""
        if own["_statistics"].weights_in_place or own["_statistics"].samplewise:
            return own
        if not own["_twins"]:
            self._open_twins()
        return {name: own[twin] for name, twin in own["_twins"].items()} | {"faults": own["faults"]}

    def _open_twins(self) -> None:
        with torch.inference_mode(False):
            self._add_twins(self._statistics.zeros(self._device, weighted=True))

    def _add_twins(self, twins: dict[str, Tensor]) -> None:
        persistent = any(self._persistent.values())
        for name, zeros in twins.items():
            self._twins[name] = f"weighted_{name}"
            self.add_state(f"weighted_{name}", zeros, dist_reduce_fx="sum", persistent=persistent)
            self.__dict__[f"weighted_{name}"] = zeros

    def _forget_faults(self, own: dict[str, Any]) -> None:
        own["faults"].zero_()
        if own["_cache"] is not None and "faults" in own["_cache"]:
            own["_cache"]["faults"].zero_()

    # Sharing.

    def _leave(self) -> None:
        """Take a copy of the states that are shared with others of a collection."""
        group = self.__dict__["_group"]
        if group is not None:
            self._take(self.__dict__, self._copies())
            group.release(self, emptied=False)

    def _copies(self) -> dict[str, Any]:
        with torch.inference_mode(False):
            return {
                name: list(state) if isinstance(state, list) else state.clone()
                for name, state in ((name, self.__dict__[name]) for name in self._defaults)
            }

    def _take(self, own: dict[str, Any], states: dict[str, Any]) -> None:
        own.update(states)
        own["_group"] = None

    def _own_states(self, own: dict[str, Any]) -> None:
        """Stop sharing states: the others of a compute group of torchmetrics add the same batch to theirs."""
        if not _shared:
            return
        for name in own["_defaults"]:
            state = own[name]
            if isinstance(state, Tensor) and state in _shared:
                with torch.inference_mode(False):
                    own[name] = state.clone()

    # Synchronisation. The local states are kept, not copied: the reduced ones are new tensors.

    def sync(
        self,
        dist_sync_fn: Callable[..., Any] | None = None,
        process_group: Any = None,
        should_sync: bool = True,
        distributed_available: Callable[[], bool] | None = None,
    ) -> None:
        """Replace the state by that of all processes; see ``torchmetrics.Metric.sync``."""
        own = self.__dict__
        if own["_is_synced"] and should_sync:
            raise TorchMetricsUserError("The Metric has already been synced.")
        available = distributed_available or self.distributed_available_fn
        if not should_sync or not (callable(available) and available()):
            return
        gather = dist_sync_fn or own["dist_sync_fn"]
        process_group = process_group or own["process_group"]
        (part,) = all_processes([self._part()], own["_device"], process_group, gather)
        if part.twins:
            self._weighted(own)
        local = {name: own[name] for name in own["_defaults"]}
        own.update(part.states)
        own.update({own["_twins"][name]: twin for name, twin in part.twins.items()})
        if part.faults is not None:
            own["faults"] = part.faults
        try:
            self._sync_others(own, gather or gather_all_tensors, process_group)
        except BaseException:
            own.update(local)
            raise
        own.update(_cache=local, _is_synced=True)

    def _sync_others(self, own: dict[str, Any], gather: Callable[..., Any], group: Any) -> None:
        """Reduce the states that a subclass added, as torchmetrics does."""
        every, ours = own["_reductions"], self._ours()
        others = {name: reduction for name, reduction in every.items() if name not in ours}
        if others:
            own["_reductions"] = others
            try:
                self._sync_dist(gather, process_group=group)
            finally:
                own["_reductions"] = every

    def unsync(self, should_unsync: bool = True) -> None:
        """Go back to the state of this process; see ``torchmetrics.Metric.unsync``."""
        own = self.__dict__
        if should_unsync and own["_is_synced"] and own["_cache"] is not None:
            own.update(own["_cache"], _is_synced=False, _cache=None)
        else:
            super().unsync(should_unsync)

    # Merging.

    def merge_state(self, incoming_state: dict[str, Any] | torchmetrics.Metric) -> None:
        """Add the state of another metric, or its ``metric_state``, to this one."""
        self._leave()
        super().merge_state(incoming_state)
        own = self.__dict__
        own["_computed"] = own["_whole"] = None
        own["_update_count"] += max(1, getattr(incoming_state, "_update_count", 1))

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        own = self.__dict__
        if own["faults"] is not None and "faults" not in incoming_state:
            incoming_state = {**incoming_state, "faults": torch.zeros_like(own["faults"])}
        if any(f"weighted_{name}" in incoming_state for name in self._statistics.shapes):
            self._weighted(own)
        zeros = {twin: torch.zeros_like(own[twin]) for twin in self._twins.values()}
        incoming_state = {**zeros, **incoming_state}  # what has no weights has no twins
        for name in self._defaults:  # all of it fits, or nothing is merged
            if name not in incoming_state:
                raise ValueError(f"Expected state variable {name} to be present in incoming state {incoming_state}")
        for name, (shape, _) in self._statistics.shapes.items():
            value = incoming_state[name]
            for part in value if isinstance(value, list) else [value]:
                if tuple(part.shape[self._statistics.samplewise :]) != shape:
                    raise ValueError(
                        f"Expected state variable {name} of shape {shape}, but got {tuple(part.shape)} to merge."
                    )
        before = {name: own[name] for name in self._defaults}
        super()._reduce_states(incoming_state)
        self._keep_addresses(before)

    # Emptying, moving, copying, saving.

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if name in own.get("_defaults", ()) and value is not own.get(name):
            if own.get("_group") is not None:
                self._leave()
            own["_filled"] = True
            if isinstance(value, Tensor):
                _shared[value] = True
            elif isinstance(value, list):
                value = list(value)
        super().__setattr__(name, value)

    def _keep_addresses(self, before: dict[str, Any]) -> None:
        """Move states that were replaced since ``before`` to where they have been."""
        own = self.__dict__
        for name, old in before.items():
            new = own[name]
            if isinstance(old, Tensor) and new is not old and old.shape == new.shape and old not in _shared:
                own[name] = old.copy_(new)

    def _keep_ordinary(self) -> None:
        """Turn statistics that were copied in inference mode into tensors that can be updated outside of it."""
        own = self.__dict__
        for name in own["_defaults"]:
            state = own[name]
            if isinstance(state, Tensor) and state.is_inference():
                with torch.inference_mode(False):
                    own[name] = state.clone()

    def reset(self) -> None:
        """Empty the statistics in place, so that their addresses stay (a captured CUDA graph relies on them)."""
        own = self.__dict__
        group, empty = own["_group"], not (self.update_called or own["_filled"])
        self._forget(own)
        if group is None:
            self._empty(own, own["_defaults"])
        elif not empty:
            self._take(own, self._copies())
            self._empty(own, own["_defaults"])
            group.release(self, emptied=True)

    def _forget(self, own: dict[str, Any]) -> None:
        """Forget what was derived from the states, a sync among it."""
        if own["_cache"] is not None:
            own.update(own["_cache"])
        own.update(
            _update_count=0,
            _traced=False,
            _filled=False,
            _forward_cache=None,
            _computed=None,
            _whole=None,
            _cache=None,
            _is_synced=False,
            _known=None,
        )

    def _empty(self, own: dict[str, Any], names: Iterable[str]) -> None:
        ours = self._ours()
        for name in names:
            state = own[name]
            if isinstance(state, list):
                own[name] = []
            elif name not in ours:  # one that a subclass added
                own[name] = own["_defaults"][name].detach().clone()
            elif name in self._starts:
                state.copy_(self._starts[name])
            else:
                state.zero_()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is rebuilt; batch values without their graph, shared states as copies."""
        state = super().__getstate__()
        for name in ("_forward_cache", "_computed"):
            state[name] = apply_to_collection(state[name], Tensor, Tensor.detach)
        if state["_group"] is not None:
            self._take(state, self._copies())
        state["_home"] = state["_whole"] = state["_known"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._update_signature = inspect.signature(self.inputs)
        self._keep_ordinary()

    def set_dtype(self, dst_type: str | torch.dtype) -> StatisticMetric:
        """Set the dtype of results that follow it. The statistics keep theirs, and so their exactness."""
        probe = torch.zeros(1, dtype=self._dtype).type(dst_type)
        self.__dict__["_dtype"] = probe.dtype
        self.__dict__["_computed"] = None
        return self  # type: ignore[return-value]

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Module:
        own = self.__dict__
        if own["_group"] is not None:
            # the group moves them with it, or they stay where they are: Lightning moves whatever it logs, every time
            if own["_group"].moves or fn(torch.empty(0, device=own["_device"])).device == own["_device"]:
                exclude_state = list(self._defaults)
            else:
                self._leave()
        before = {name: own[name] for name in self._defaults}
        dtype = own["_dtype"]  # torchmetrics forgets what `set_dtype` said
        super()._apply(moving(fn), exclude_state)
        own["_dtype"] = dtype
        if own["_group"] is not None:
            return self
        for name, old in before.items():
            if isinstance(old, Tensor) and own[name] is not old:
                _shared.pop(own[name], None)  # moved, so it is of this metric alone
        self._keep_ordinary()
        return self

    def state_dict(  # type: ignore[override]
        self, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """The persistent states; copies, so that what others share with this metric is not saved along."""
        own = self.__dict__
        if own["_group"] is None or not any(own["_persistent"].values()):
            return super().state_dict(destination=destination, prefix=prefix, keep_vars=keep_vars)
        shared = {name: own[name] for name in own["_defaults"]}
        own.update(self._copies())
        try:
            return super().state_dict(destination=destination, prefix=prefix, keep_vars=keep_vars)
        finally:
            own.update(shared)

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
        own = self.__dict__
        if any(f"{prefix}weighted_{name}" in state_dict for name in self._statistics.shapes):
            self._leave()
            self._weighted(own)
        if any(f"{prefix}{name}" in state_dict for name in self._defaults):
            self._leave()
        before = {name: own[name] for name in self._defaults}
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        own["_computed"] = own["_whole"] = None
        for name, old in before.items():
            new = own[name]
            if new is old:
                continue
            got, wanted = (list if isinstance(state, list) else tuple(state.shape) for state in (new, old))
            if got != wanted and name in self._statistics.shapes:
                own[name] = old
                error_msgs.append(f"size mismatch for {prefix}{name}: the checkpoint has {got}, the metric {wanted}.")
            elif isinstance(new, list):
                own[name] = [value.to(self._device, copy=True) for value in new]
            else:
                own[name] = new.detach().to(self._device, copy=True)
        self._keep_addresses(before)
        self._keep_ordinary()


def moving(fn: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """What ``fn`` does to the device of a tensor, and not what it does to its dtype."""

    def move(tensor: Tensor) -> Tensor:
        moved = fn(tensor)
        return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

    return move
