# SPDX-License-Identifier: Apache-2.0
"""The base of all metrics, and the metric whose state is statistics that one pass fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torchmetrics
from torch import Tensor
from torch.compiler import is_compiling
from torch.nn import Module, Parameter
from torchmetrics.utilities.exceptions import TorchMetricsUserError
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics.asynchronous import Pending
from fastmetrics.distributed import Part, all_processes
from fastmetrics.lifecycle import Lifecycle
from fastmetrics.native.operators import metadata
from fastmetrics.native.transforms import differentiated, each_sample, suspended
from fastmetrics.passes.faults import is_zero, on_host
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import Inputs

if TYPE_CHECKING:
    from fastmetrics.group import Group
    from fastmetrics.pool import Pool

# What a pass reads, weights and mask of its samples.
Batch = tuple[Inputs, Tensor | None, Tensor | None]


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


class StatisticMetric(Lifecycle, Metric):
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

    #: Whether the value needs a look at the data, as what is sorted out of it does. Under ``vmap`` a function of the
    #: metric then takes one sample after the other.
    reads_values = False

    #: Names of the attributes that :meth:`inputs` reads. Metrics of a collection are read together if they have the
    #: same ``inputs`` and these are equal. A class with its own ``inputs`` that does not say is read alone.
    inputs_options: tuple[str, ...] | None = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "inputs" in vars(cls) and "inputs_options" not in vars(cls):
            cls.inputs_options = None

    def __init__(self, statistics: Statistics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._group: Group | None = None  # whose states are shared
        self._home: Pool | None = None  # with whom processes are met
        self._whole: Part | None = None  # of all processes, until the next update
        self._known: tuple[Statistics, torch.device, bytes] | None = None  # what the last batch was, and what read it
        with suspended():
            self._set_up_states(statistics)

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
        batch = self._check(*self.inputs(*args, **kwargs))
        if own["_group"] is not None:
            self._leave()
        self._settle(own, batch[0])
        self._count_update(own)
        self._add(own, batch)
        faults: Tensor | None = own["faults"]
        if faults is None or is_compiling() or is_zero(faults):
            return
        # the CPU looks at once; the tensor is asked, since the name of a device takes longer
        if faults.is_cpu and own["_statistics"].may_fault(batch[1]):
            self._raise_faults()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the statistics and return the value of that batch alone."""
        if not self._standard():
            return super().forward(*args, **kwargs)
        own = self.__dict__
        self._require_unsynced(own)
        batch = self._check(*self.inputs(*args, **kwargs))
        if own["_group"] is not None:
            self._leave()
        self._settle(own, batch[0])
        self._count_update(own)
        states = self._add_and_keep(own, batch)
        if own["dist_sync_on_step"] and self.distributed_available_fn():
            (part,) = self._reduce([self._part_of(states, batch[1] is not None)])
            self._raise_faults(part.faults)  # on all processes, after they have met
            value = self._value_of(part)
        else:
            if own["_statistics"].may_fault(batch[1]):
                self._raise_faults()
            value = self.formula(**states)
        own["_forward_cache"] = value
        return value

    def compute(self, sync: bool = True) -> Any:
        """The value of the metric over all batches, and all processes if distributed.

        Args:
            sync: False gives the value of this process; it speaks to no other one and keeps nothing.
        """
        own = self.__dict__
        if not sync:
            return self._value()
        if own["_computed"] is not None:
            return own["_computed"]
        if not self.update_called:
            rank_zero_warn(
                f"The ``compute`` method of metric {self.__class__.__name__}"
                " was called before the ``update`` method which may lead to errors,"
                " as metric states have not yet been updated.",
                UserWarning,
            )
        if not own["_to_sync"] or own["_is_synced"] or not self.distributed_available_fn():
            value = self._value()
        elif own["_home"] is not None:
            whole = own["_home"].whole(self)
            self._raise_faults(whole.faults)
            value = self._value_of(whole)
        else:
            self.sync(dist_sync_fn=self.dist_sync_fn)
            try:
                value = self._value()
            finally:
                if own["_is_synced"] and own["_should_unsync"]:
                    self.unsync()
        if own["compute_with_cache"]:
            own["_computed"] = value
        return value

    def compute_async(self) -> Pending:
        """The value of this process, on its way to the host: nothing waits until ``.result()`` is called.

        On a GPU the copy runs on a stream of its own, so that the value can be logged some steps later without a stall.
        Values out of range raise at ``.result()``. It speaks to no other process and keeps nothing.

        Example:
            >>> import torch
            >>> from fastmetrics.classification import MulticlassAccuracy
            >>> metric = MulticlassAccuracy(num_classes=2)
            >>> metric.update(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 1, 0, 0]))
            >>> pending = metric.compute_async()
            >>> metric.update(torch.tensor([0, 0]), torch.tensor([1, 1]))
            >>> pending.result()
            tensor(0.6667)
        """
        return Pending(self._value_of(self._part()), self._take_faults())

    def _take_faults(self) -> list[tuple[Tensor, Callable[[Tensor], None]]]:
        """The record of faults, if there is one, and what raises them; here they are forgotten."""
        faults: Tensor | None = self.__dict__["faults"]
        if faults is None:
            return []
        taken = faults.clone()
        faults.zero_()
        return [(taken, self._raise_found)]

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The value of one batch, without touching the state: the functional form of the metric."""
        inputs, weights, valid = self._check(*self.inputs(*args, **kwargs), any_device=True)
        if self.reads_values:
            return each_sample(self._evaluate, weights, valid, *inputs)
        return self._evaluate(weights, valid, *inputs)

    def _evaluate(self, weights: Tensor | None, valid: Tensor | None, *inputs: Tensor) -> Any:
        statistics = self._statistics
        faults = statistics.no_faults(inputs[0].device)
        states = self._differentiable(statistics, inputs, weights, valid, faults)
        if states is None:
            states = self._states_of(statistics, inputs, weights, valid, faults)
        if faults is not None:
            self._raise_found(faults)
        return self.formula(**states)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw ``val`` (a value or a sequence of them), or the present value; see ``torchmetrics``."""
        return self._plot(val, ax)

    @property
    def update_called(self) -> bool:
        """Whether ``update`` or ``forward`` has been called since the last reset."""
        return self._update_count > 0 or self._traced

    @classmethod
    def _standard(cls) -> bool:
        """Whether ``update``, ``forward`` and ``compute`` mean what they mean here; a subclass may change that."""
        return cls.update is StatisticMetric.update and cls.compute is StatisticMetric.compute

    def _require_unsynced(self, own: dict[str, Any]) -> None:
        if own["_is_synced"]:
            raise TorchMetricsUserError(
                "The Metric shouldn't be synced when performing ``forward``. HINT: Did you forget to call ``unsync`` ?."
            )

    def _count_update(self, own: dict[str, Any]) -> None:
        if is_compiling():
            # a counter in a traced function would be a constant of it, and every value a new compilation
            own["_traced"] = True
        else:
            own["_update_count"] += 1
        own["_computed"] = own["_whole"] = None

    # In a collection, the batch of all members is checked before any of them is prepared for it.

    def _accept(self, inputs: Inputs) -> None:
        """Raise if this metric does not take what its statistics would. Changes nothing."""

    def _prepare(self, inputs: Inputs) -> None:
        """Get ready for a batch that was checked. One whose states do not fit it leaves its group."""

    def _check(self, inputs: Inputs, weights: Tensor | None, valid: Tensor | None, any_device: bool = False) -> Batch:
        """Raise if the metadata of a batch is wrong; the batch as its statistics take it. Changes nothing."""
        own = self.__dict__
        statistics: Statistics = own["_statistics"]
        traced = is_compiling()
        if traced or own["_known"] != (statistics, own["_device"], metadata(*inputs)):
            if not traced:
                own["_known"] = None
            self._accept(inputs)
            statistics.check(inputs)
            device = inputs[0].device
            if device != own["_device"] and not any_device:
                raise RuntimeError(
                    f"{self._label()} is on {self._device}, but its input is on {device}."
                    f" Move the metric with `metric.to({str(device)!r})`."
                )
        if weights is not None:
            weights = statistics.per_sample("weights", weights, inputs)
        if valid is not None:
            valid = statistics.per_sample("valid", valid, inputs)
        return inputs, weights, valid

    def _settle(self, own: dict[str, Any], inputs: Inputs) -> None:
        """Get ready for a batch that was checked, and remember its kind: one that follows needs neither."""
        if is_compiling():
            self._prepare(inputs)
        elif own["_known"] is None:
            self._prepare(inputs)
            mark = metadata(*inputs)
            if mark is not None:
                own["_known"] = (own["_statistics"], own["_device"], mark)

    def _label(self) -> str:
        """How messages call the metric."""
        return type(self).__name__

    def _add(self, own: dict[str, Any], batch: Batch) -> None:
        """Add a batch to the statistics."""
        statistics: Statistics = own["_statistics"]
        inputs, weights, valid = batch
        if statistics.samplewise:
            self._append(self._states_of(statistics, inputs, weights, valid))
        elif weights is None:
            statistics.add(own, inputs, None, valid)
        else:
            statistics.add(self._weighted(own), inputs, weights, valid)

    def _add_and_keep(self, own: dict[str, Any], batch: Batch) -> dict[str, Tensor]:
        """Add a batch to the statistics, and return its own."""
        statistics: Statistics = own["_statistics"]
        inputs, weights, valid = batch
        states = self._differentiable(statistics, inputs, weights, valid)
        graph = states is not None
        if states is None:
            states = self._states_of(statistics, inputs, weights, valid)
        if statistics.samplewise:
            self._append(states)
        else:
            self._own_states(own)
            to = own if weights is None else self._weighted(own)
            statistics.merge(to, {n: v.detach() for n, v in states.items()} if graph else states)
        return states

    def _differentiable(
        self,
        statistics: Statistics,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        faults: Tensor | None = None,
    ) -> dict[str, Tensor] | None:
        """The statistics of a batch that wants gradients, if they have any; faults as in :meth:`_states_of`."""
        if not differentiated(inputs):
            return None
        states = statistics.differentiable(inputs, weights, valid)
        if states is not None and statistics.may_fault(weights):  # the pass says what was out of range
            self._states_of(statistics, tuple(value.detach() for value in inputs), weights, valid, faults)
        return states

    def _states_of(
        self,
        statistics: Statistics,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        faults: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The statistics of one batch; its faults go to ``faults``, else to those of the metric."""
        if faults is None:
            faults = self.__dict__["faults"]
        return statistics.of_batch(inputs, weights, valid, faults)

    def _append(self, states: dict[str, Tensor]) -> None:
        for name, value in states.items():
            kept = value.detach()
            getattr(self, name).append(kept.cpu() if self.compute_on_cpu else kept)

    def _value(self) -> Any:
        if self._home is None or not self._home._all_at_once:
            self._raise_faults()
        return self._value_of(self._part())

    def _value_of(self, part: Part) -> Any:
        device = self.__dict__["_device"]
        return self.formula(**{name: part.final(name, device) for name in part.statistics.shapes})

    def _reduce(self, parts: list[Part], apart: bool = False) -> list[Part]:
        """The states of all processes; see :func:`~fastmetrics.distributed.all_processes`."""
        return all_processes(parts, self._device, self.process_group, self.dist_sync_fn, apart)

    def _raise_faults(self, faults: Tensor | None = None) -> None:
        """Raise what was wrong with the values of the input, here or in ``faults`` of all processes; and forget it."""
        own = self.__dict__
        if faults is None:
            faults = own["faults"]
        if faults is None or is_zero(faults):
            return
        counts = faults.tolist()
        if counts[0] or counts[2] or counts[4]:
            faults.zero_()
            self._forget_faults(own)
            self._report(counts)

    def _raise_found(self, faults: Tensor) -> None:
        counts = on_host(faults)
        if counts[0] or counts[2] or counts[4]:
            self._report(counts)

    def _report(self, faults: list[int]) -> None:
        """Raise, or warn of, what a record of faults holds."""
        raise RuntimeError(f"{self._label()}: {self._statistics.explain_faults(faults)}. They were not counted.")
