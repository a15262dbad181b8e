# SPDX-License-Identifier: Apache-2.0
"""The base of all metrics, and the metric whose state is statistics that one pass fills."""

from __future__ import annotations

import inspect
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
from fastmetrics.statistics.base import Inputs, merge_faults

# What a pass reads, weights and mask of its samples.
Batch = tuple[Inputs, Tensor | None, Tensor | None]

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
    both the batch value and the state, and ``compute`` applies the formula. The arguments of ``update`` and ``forward``
    are those of :meth:`inputs`.

    Values out of range (see the statistics) are never counted. With validation they raise ``RuntimeError``: at once on
    the CPU, at ``compute`` or ``forward`` on other devices, whose updates do not wait for the device. Once
    raised they are forgotten; the rest of the data stays counted.

    Statistics of samples with weights are float64 twins of the others, which stay exact integers. A twin is a state
    ``weighted_<name>`` from the first weighted update on; the formula sees the sum of both.

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
        self._update_signature = inspect.signature(self.inputs)
        self._statistics = statistics
        self._twins: dict[str, str] = {}  # statistic -> state of its weighted samples
        self._traced = False
        self._device = torch.empty(0, device=self._device).device  # "cuda" becomes "cuda:0"
        with torch.inference_mode(False):  # an inference tensor could not be updated outside of that mode
            self._add_states(statistics)

    def _add_states(self, statistics: Statistics) -> None:
        for name, zeros in statistics.zeros(self._device).items():
            if statistics.samplewise:
                self.add_state(name, [], dist_reduce_fx="cat")
            else:
                self.add_state(name, zeros, dist_reduce_fx=statistics.reductions.get(name, "sum"))
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

    def inputs(
        self, preds: Tensor, target: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """What the statistics read of the arguments of ``update``; a metric of other inputs has other arguments here.

        Args:
            preds: see the metric.
            target: see the metric.
            weights: of any real dtype: what a sample counts instead of 1; finite and at least 0. The shape is that of
                ``target`` or of its first dimensions: one weight a sample, or one for each of its elements.
            valid: bool, shape likewise: a sample that is not valid is not counted, whatever its values are.
        """
        return (preds, target), weights, valid

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the statistics; the arguments are those of :meth:`inputs`."""
        own = self.__dict__
        statistics: Statistics = own["_statistics"]
        inputs, weights, valid = self._check(statistics, *self.inputs(*args, **kwargs))
        self._count_update(own)
        if statistics.samplewise:
            self._append(self._batch(statistics, inputs, weights, valid))
        elif weights is None:
            statistics.add(own, inputs, None, valid)
        else:
            statistics.add(self._weighted(own), inputs, weights, valid)
        if own["_device"].type == "cpu" and not torch.compiler.is_compiling():
            self._raise_faults()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the statistics and return the value of that batch alone."""
        cls = type(self)
        if cls.update is not StatisticMetric.update or cls.compute is not StatisticMetric.compute:
            return super().forward(*args, **kwargs)  # a subclass changed what they mean
        own = self.__dict__
        if own["_is_synced"]:
            raise TorchMetricsUserError(
                "The Metric shouldn't be synced when performing ``forward``. HINT: Did you forget to call ``unsync`` ?."
            )
        statistics: Statistics = own["_statistics"]
        inputs, weights, valid = self._check(statistics, *self.inputs(*args, **kwargs))
        self._count_update(own)
        batch = self._differentiable(statistics, inputs, weights, valid)
        graph = batch is not None
        if batch is None:
            batch = self._batch(statistics, inputs, weights, valid)
        if statistics.samplewise:
            self._append(batch)
        else:
            if _shared:
                self._own_states(own)
            states = own if weights is None else self._weighted(own)
            statistics.merge(states, {n: v.detach() for n, v in batch.items()} if graph else batch)
        if not own["dist_sync_on_step"]:  # else all processes raise it, after they have met
            self._raise_faults()
        value = self._synced_formula(batch, weights is not None) if own["dist_sync_on_step"] else self.formula(**batch)
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

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The value of one batch, without touching the state: the functional form of the metric."""
        statistics = self._statistics
        inputs, weights, valid = self._check(statistics, *self.inputs(*args, **kwargs), any_device=True)
        faults = statistics.no_faults(inputs[0].device)
        batch = self._differentiable(statistics, inputs, weights, valid, faults)
        if batch is None:
            batch = self._batch(statistics, inputs, weights, valid, faults)
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

    def _check(
        self,
        statistics: Statistics,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        any_device: bool = False,
    ) -> Batch:
        """Raise if the metadata of a batch is wrong; the batch as its statistics take it."""
        statistics.check(inputs)
        device = inputs[0].device
        if device != self.__dict__["_device"] and not any_device:
            raise RuntimeError(
                f"{type(self).__name__} is on {self._device}, but its input is on {device}."
                f" Move the metric with `metric.to({str(device)!r})`."
            )
        if weights is not None:
            weights = statistics.per_sample("weights", weights, inputs)
        if valid is not None:
            valid = statistics.per_sample("valid", valid, inputs)
        return inputs, weights, valid

    def _differentiable(
        self,
        statistics: Statistics,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        faults: Tensor | None = None,
    ) -> dict[str, Tensor] | None:
        """The statistics of a batch that wants gradients, if they have any; faults as in :meth:`_batch`."""
        if not (torch.is_grad_enabled() and any(value.requires_grad for value in inputs)):
            return None
        batch = statistics.differentiable(inputs, weights, valid)
        if batch is not None and statistics.validate:  # the pass says what was out of range
            self._batch(statistics, tuple(value.detach() for value in inputs), weights, valid, faults)
        return batch

    def _batch(
        self,
        statistics: Statistics,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        faults: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The statistics of one batch; its faults go to ``faults``, else to those of the metric."""
        samples = inputs[0].shape[0] if statistics.samplewise else None
        weighted = weights is not None and not statistics.weights_in_place
        batch = statistics.zeros(inputs[0].device, samples, weighted)
        if faults is None:
            faults = self.__dict__["faults"]
        statistics.add(batch if faults is None else {**batch, "faults": faults}, inputs, weights, valid)
        return batch

    def _weighted(self, own: dict[str, Any]) -> dict[str, Tensor]:
        """Where the statistics of weighted samples are, by the names of the statistics; and the faults."""
        statistics: Statistics = own["_statistics"]
        if statistics.weights_in_place:
            return own
        if not own["_twins"]:
            with torch.inference_mode(False):
                for name, zeros in statistics.zeros(own["_device"], weighted=True).items():
                    own["_twins"][name] = f"weighted_{name}"
                    self.add_state(f"weighted_{name}", zeros, dist_reduce_fx="sum")
        return {name: own[twin] for name, twin in own["_twins"].items()} | {"faults": own["faults"]}

    def _own_states(self, own: dict[str, Any]) -> None:
        """Stop sharing states: the others of a compute group add the same batch to theirs."""
        for name in own["_defaults"]:
            state = own[name]
            if isinstance(state, Tensor) and state in _shared:
                with torch.inference_mode(False):
                    own[name] = state.clone()

    def _append(self, batch: dict[str, Tensor]) -> None:
        for name, value in batch.items():
            getattr(self, name).append(value.cpu() if self.compute_on_cpu else value)

    def _value(self) -> Any:
        self._raise_faults()
        return self.formula(**{name: self._final(name) for name in self._statistics.shapes})

    def _final(self, name: str) -> Tensor:
        state = getattr(self, name)
        if not isinstance(state, list):
            twin = self._twins.get(name)
            return state if twin is None else state + getattr(self, twin)  # type: ignore[no-any-return]
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
        counts = faults.tolist()
        if not (counts[0] or counts[2] or counts[4]):
            return
        faults.zero_()
        if self._cache is not None and "faults" in self._cache:
            self._cache["faults"].zero_()  # type: ignore[union-attr]
        found = self._statistics.explain_faults(counts)
        raise RuntimeError(f"{type(self).__name__}: {found}. They were not counted.")

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

    def _synced_formula(self, batch: dict[str, Tensor], weighted: bool) -> Any:
        own = self.__dict__
        local = {name: own[name] for name in self._defaults}
        if self._statistics.samplewise:
            own.update({name: [value] for name, value in batch.items()})
        elif weighted and self._twins:
            own.update(self._statistics.zeros(own["_device"]))
            own.update({self._twins[name]: value for name, value in batch.items()})
        else:
            own.update({twin: torch.zeros_like(own[twin]) for twin in self._twins.values()})
            own.update(batch)
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
            elif name in self._statistics.shapes or name == "faults" or name in self._twins.values():
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
        self._update_signature = inspect.signature(self.inputs)
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
        if any(f"{prefix}weighted_{name}" in state_dict for name in self._statistics.shapes):
            self._weighted(own)
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
