# SPDX-License-Identifier: Apache-2.0
"""The base of all metrics, and the metric whose state is statistics that one pass fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torchmetrics
from lightning_utilities import apply_to_collection
from torch import Tensor
from torch.nn import Module, Parameter
from torch.utils.weak import WeakIdKeyDictionary
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import merge_faults

# Statistics that one metric was given by another, as `torchmetrics.MetricCollection` does within a compute group.
_shared: WeakIdKeyDictionary = WeakIdKeyDictionary()


class Metric(torchmetrics.Metric):
    """Base class of metrics, for those of this library and those that users write.

    It is a ``torchmetrics.Metric``: ``add_state``, ``update``, ``compute``, ``reset``, ``forward``, ``dist_reduce_fx``
    and everything that takes such an object work as they do there.

    Keyword arguments are those of ``torchmetrics.Metric``: ``compute_on_cpu``, ``dist_sync_on_step``,
    ``process_group``, ``dist_sync_fn``, ``distributed_available_fn``, ``sync_on_compute``, ``compute_with_cache``.

    Example:
        >>> import torch
        >>> from fastmetrics import Metric
        >>> class MeanOfPositives(Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        ...         self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")
        ...     def update(self, values):
        ...         self.total += values.clamp(min=0).sum(dtype=torch.float64)
        ...         self.count += (values > 0).sum()
        ...     def compute(self):
        ...         return (self.total / self.count).float()
        >>> metric = MeanOfPositives()
        >>> metric.update(torch.tensor([-1.0, 2.0, 4.0]))
        >>> metric.compute()
        tensor(3.)
    """

    def __setattr__(self, name: str, value: Any) -> None:
        # nn.Module looks through its parameters, buffers and modules on every assignment, which costs more than a
        # small update. A name that is already a plain attribute, and stays one, needs none of that.
        if name in self.__dict__ and not isinstance(value, (Parameter, Module)):
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)


class StatisticMetric(Metric):
    """A metric that is some statistics of its input and a formula of them.

    A subclass passes its :class:`~fastmetrics.statistics.Statistics` to ``__init__`` and defines :meth:`formula`. The
    statistics are its state. ``update`` reads the batch once and adds to them in place, ``forward`` reads it once for
    both the batch value and the state, and ``compute`` applies the formula.

    Values out of range (see the statistics) are never counted. With validation they raise ``RuntimeError``: at once on
    the CPU, at ``compute`` or ``forward`` on other devices, whose updates do not wait for the device. Once
    raised they are forgotten; the rest of the data stays counted.

    Example:
        >>> import torch
        >>> from fastmetrics.metric import StatisticMetric
        >>> from fastmetrics.statistics import PairsStatistics
        >>> class LargestOutputError(StatisticMetric):
        ...     def __init__(self, num_outputs, **kwargs):
        ...         super().__init__(PairsStatistics(num_outputs, absolute_error=True), **kwargs)
        ...     def formula(self, count, absolute_error):
        ...         return (absolute_error / count).max()
        >>> metric = LargestOutputError(2)
        >>> metric(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [2.0, 4.0]]))
        tensor(1., dtype=torch.float64)
    """

    full_state_update = False

    #: The value of the metric; takes each of its statistics by name and does not change them.
    formula: Callable[..., Any]

    def __init__(self, statistics: Statistics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._statistics = statistics
        self._traced = False
        self._device = torch.empty(0, device=self._device).device  # "cuda" becomes "cuda:0"
        with torch.inference_mode(False):  # an inference tensor could not be updated outside of that mode
            self._add_states(statistics)

    def _add_states(self, statistics: Statistics) -> None:
        for name, zeros in statistics.zeros(self._device).items():
            if statistics.samplewise:
                self.add_state(name, [], dist_reduce_fx="cat")
            else:
                self.add_state(name, zeros, dist_reduce_fx="sum")
        faults = statistics.no_faults(self._device)
        if faults is None:
            self.faults = None
        else:
            self.add_state("faults", faults, dist_reduce_fx=merge_faults)

    # The hot path. torchmetrics wraps `update` and `compute`; the ones below do that work themselves.

    def _wrap_update(self, update: Callable[..., None]) -> Callable[..., None]:
        return update

    def _wrap_compute(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        return compute

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add a batch to the statistics."""
        own = self.__dict__
        statistics: Statistics = own["_statistics"]
        self._check(statistics, preds, target)
        self._count_update(own)
        if statistics.samplewise:
            self._append(self._batch(statistics, preds, target))
        else:
            statistics.add(own, preds, target)
        if own["_device"].type == "cpu" and not torch.compiler.is_compiling():
            self._raise_faults()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the statistics and return the value of that batch alone."""
        cls = type(self)
        if cls.update is not StatisticMetric.update or cls.compute is not StatisticMetric.compute:
            return super().forward(*args, **kwargs)  # a subclass changed what they mean
        return self._forward(*args, **kwargs)

    def _forward(self, preds: Tensor, target: Tensor) -> Any:
        own = self.__dict__
        if own["_is_synced"]:
            raise TorchMetricsUserError(
                "The Metric shouldn't be synced when performing ``forward``. HINT: Did you forget to call ``unsync`` ?."
            )
        statistics: Statistics = own["_statistics"]
        self._check(statistics, preds, target)
        self._count_update(own)
        batch = None
        if torch.is_grad_enabled() and (preds.requires_grad or target.requires_grad):
            batch = statistics.differentiable(preds, target)
        if batch is None:
            batch = self._batch(statistics, preds, target)
        if statistics.samplewise:
            self._append(batch)
        else:
            for name, value in batch.items():
                state = own[name]
                if _shared and state in _shared:  # the others of the compute group add the same batch
                    with torch.inference_mode(False):
                        state = own[name] = state.clone()
                state.add_(value.detach() if value.requires_grad else value)
        if not own["dist_sync_on_step"]:  # else all processes raise it, after they have met
            self._raise_faults()
        value = self._synced_formula(batch) if own["dist_sync_on_step"] else self.formula(**batch)
        own["_forward_cache"] = value
        return value

    def compute(self) -> Any:
        """The value of the metric over all batches, and all processes if distributed."""
        own = self.__dict__
        if own["_computed"] is not None:
            return own["_computed"]
        if not self.update_called:
            rank_zero_warn(
                f"The ``compute`` method of metric {self.__class__.__name__}"
                " was called before the ``update`` method which may lead to errors,"
                " as metric states have not yet been updated.",
                UserWarning,
            )
        if own["_to_sync"] and not own["_is_synced"]:
            self.sync(dist_sync_fn=self.dist_sync_fn)
            try:
                value = self._value()
            finally:
                if own["_is_synced"] and own["_should_unsync"]:
                    self.unsync()
        else:
            value = self._value()
        if own["compute_with_cache"]:
            own["_computed"] = value
        return value

    def evaluate(self, preds: Tensor, target: Tensor) -> Any:
        """The value of one batch, without touching the state: the functional form of the metric."""
        statistics = self._statistics
        statistics.check(preds, target)
        batch = None
        if torch.is_grad_enabled() and (preds.requires_grad or target.requires_grad):
            batch = statistics.differentiable(preds, target)
        if batch is None:
            faults = statistics.no_faults(preds.device)
            batch = self._batch(statistics, preds, target, faults)
            if faults is not None:
                self._raise_faults(faults)
        return self.formula(**batch)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw ``val`` (a value or a sequence of them), or the present value; see ``torchmetrics``."""
        return self._plot(val, ax)

    @property
    def update_called(self) -> bool:
        """Whether ``update`` or ``forward`` has been called since the last reset."""
        return self._update_count > 0 or self._traced

    def _count_update(self, own: dict[str, Any]) -> None:
        if torch.compiler.is_compiling():
            # a counter in a traced function would be a constant of it, and every value a new compilation
            own["_traced"] = True
        else:
            own["_update_count"] += 1
        own["_computed"] = None

    def _check(self, statistics: Statistics, preds: Tensor, target: Tensor) -> None:
        statistics.check(preds, target)
        if preds.device != self.__dict__["_device"]:
            raise RuntimeError(
                f"{type(self).__name__} is on {self._device}, but its input is on {preds.device}."
                f" Move the metric with `metric.to({str(preds.device)!r})`."
            )

    def _batch(
        self, statistics: Statistics, preds: Tensor, target: Tensor, faults: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The statistics of one batch; its faults go to ``faults``, else to those of the metric."""
        batch = statistics.zeros(preds.device, preds.shape[0] if statistics.samplewise else None)
        if faults is None:
            faults = self.__dict__["faults"]
        statistics.add(batch if faults is None else {**batch, "faults": faults}, preds, target)
        return batch

    def _append(self, batch: dict[str, Tensor]) -> None:
        for name, value in batch.items():
            getattr(self, name).append(value.cpu() if self.compute_on_cpu else value)

    def _value(self) -> Any:
        self._raise_faults()
        return self.formula(**{name: self._final(name) for name in self._statistics.shapes})

    def _final(self, name: str) -> Tensor:
        state = getattr(self, name)
        if not isinstance(state, list):
            return state  # type: ignore[no-any-return]
        return dim_zero_cat(state) if state else self._no_samples(name)

    def _no_samples(self, name: str) -> Tensor:
        shape, dtype = self._statistics.shapes[name]
        return torch.zeros((0, *shape), dtype=dtype, device=self._device)

    def _raise_faults(self, faults: Tensor | None = None) -> None:
        """Raise what was wrong with the values of the input, and forget it."""
        if faults is None:
            faults = self.__dict__["faults"]
            if faults is None:
                return
        bad_targets, first_target, bad_preds, first_preds = faults.tolist()[:4]
        if not bad_targets and not bad_preds:
            return
        faults.zero_()
        if self._cache is not None and "faults" in self._cache:
            self._cache["faults"].zero_()  # type: ignore[union-attr]
        explain = self._statistics.explain_fault
        found = [explain("target", bad_targets, first_target)] if bad_targets else []
        found += [explain("preds", bad_preds, first_preds)] if bad_preds else []
        raise RuntimeError(f"{type(self).__name__}: {'; '.join(found)}. They were not counted.")

    # Synchronisation. The local states are kept, not copied: the reduced ones are new tensors.

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Replace the state by that of all processes; see ``torchmetrics.Metric.sync``."""
        own = self.__dict__
        local = {name: own[name] for name in self._defaults}
        synced_before = own["_is_synced"]
        try:
            super().sync(*args, **kwargs)
        except BaseException:
            if not synced_before:  # a failed collective leaves the local state as it was
                own.update(local, _cache=None)
            raise
        if own["_is_synced"] and not synced_before:
            own["_cache"] = local

    def _sync_dist(self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: Any = None) -> None:
        for name in self._statistics.shapes:
            if getattr(self, name) == []:  # a rank without data still has to take part, with the right shape
                setattr(self, name, [self._no_samples(name)])
        super()._sync_dist(dist_sync_fn, process_group=process_group)

    def unsync(self, should_unsync: bool = True) -> None:
        """Go back to the state of this process; see ``torchmetrics.Metric.unsync``."""
        own = self.__dict__
        if should_unsync and own["_is_synced"] and own["_cache"] is not None:
            own.update(own["_cache"], _is_synced=False, _cache=None)
        else:
            super().unsync(should_unsync)

    def _synced_formula(self, batch: dict[str, Tensor]) -> Any:
        own = self.__dict__
        local = {name: own[name] for name in self._defaults}
        own.update({name: [value] if self._statistics.samplewise else value for name, value in batch.items()})
        try:
            self.sync(dist_sync_fn=self.dist_sync_fn)
            return self._value()
        finally:
            own.update(local, _is_synced=False, _cache=None)

    def merge_state(self, incoming_state: dict[str, Any] | torchmetrics.Metric) -> None:
        """Add the state of another metric, or its ``metric_state``, to this one."""
        super().merge_state(incoming_state)
        own = self.__dict__
        own["_computed"] = None
        own["_update_count"] += max(1, getattr(incoming_state, "_update_count", 1))

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        own = self.__dict__
        if own["faults"] is not None and "faults" not in incoming_state:
            incoming_state = {**incoming_state, "faults": torch.zeros_like(own["faults"])}
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

    # Lifecycle. States are updated in place, so that their addresses stay.

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if name in own.get("_defaults", ()) and value is not own.get(name):
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
        if own["_cache"] is not None:
            own.update(own["_cache"])
        own.update(_update_count=0, _traced=False, _forward_cache=None, _computed=None, _cache=None, _is_synced=False)
        for name, default in own["_defaults"].items():
            state = own[name]
            if isinstance(state, list):
                own[name] = []
            elif name in self._statistics.shapes or name == "faults":
                state.zero_()
            else:  # one that a subclass added
                own[name] = default.detach().clone()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is rebuilt; a batch value with a graph is kept without it."""
        state = super().__getstate__()
        for name in ("_forward_cache", "_computed"):
            state[name] = apply_to_collection(state[name], Tensor, Tensor.detach)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._keep_ordinary()

    def set_dtype(self, dst_type: str | torch.dtype) -> StatisticMetric:
        """Set the dtype of results that follow it. The statistics keep theirs, and so their exactness."""
        probe = torch.zeros(1, dtype=self._dtype).type(dst_type)
        self.__dict__["_dtype"] = probe.dtype
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Module:
        def move(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

        own = self.__dict__
        before = {name: own[name] for name in self._defaults}
        dtype = own["_dtype"]  # torchmetrics forgets what `set_dtype` said
        super()._apply(move, exclude_state)
        own["_dtype"] = dtype
        for name, old in before.items():
            if isinstance(old, Tensor) and own[name] is not old:
                _shared.pop(own[name], None)  # moved, so it is of this metric alone
        self._keep_ordinary()
        return self

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
        before = {name: own[name] for name in self._defaults}
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        own["_computed"] = None
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
