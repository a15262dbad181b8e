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
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import merge_faults


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
    the CPU, at ``compute``, ``forward`` or ``sync`` on other devices, whose updates do not wait for the device. Once
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
                own[name].add_(value.detach() if value.requires_grad else value)
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

    # Lifecycle. States are updated in place, so they are never shared with anyone else's tensors.

    def reset(self) -> None:
        """Empty the statistics in place, so that their addresses stay (a captured CUDA graph relies on them)."""
        own = self.__dict__
        if own["_cache"] is not None:
            own.update(own["_cache"])
        own.update(_update_count=0, _traced=False, _forward_cache=None, _computed=None, _cache=None, _is_synced=False)
        for name in own["_defaults"]:
            state = own[name]
            if isinstance(state, list):
                own[name] = []
            else:
                state.zero_()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is rebuilt; a batch value with a graph is kept without it."""
        state = super().__getstate__()
        for name in ("_forward_cache", "_computed"):
            state[name] = apply_to_collection(state[name], Tensor, Tensor.detach)
        return state

    def set_dtype(self, dst_type: str | torch.dtype) -> StatisticMetric:
        """Set the dtype of results that follow it. The statistics keep theirs, and so their exactness."""
        probe = torch.zeros(1, dtype=self._dtype).type(dst_type)
        self.__dict__["_dtype"] = probe.dtype
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Module:
        def move(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

        dtype = self.__dict__["_dtype"]  # torchmetrics forgets what `set_dtype` said
        super()._apply(move, exclude_state)
        self.__dict__["_dtype"] = dtype
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        own = self.__dict__
        own["_computed"] = None
        for name in self._defaults:
            state = own[name]
            if isinstance(state, list):
                own[name] = [value.to(self._device, copy=True) for value in state]
            else:
                own[name] = state.detach().to(self._device, copy=True)
