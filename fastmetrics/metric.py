# SPDX-License-Identifier: Apache-2.0
"""The base of all metrics, and the metric that is a formula of one accumulator."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torch.compiler import is_compiling
from torch.nn import Module, Parameter
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.exceptions import TorchMetricsUserError
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import dtypes, tensors
from fastmetrics.accumulator import TWIN, Accumulator, Part, of_batch
from fastmetrics.checks import require_dense, require_tensors
from fastmetrics.intervals import IntervalMethods, interval_of, intervals_by_group, requested
from fastmetrics.native.operators import metadata
from fastmetrics.native.transforms import each_sample, suspended
from fastmetrics.passes.faults import holds_any, is_zero, on_host
from fastmetrics.pending import Pending
from fastmetrics.reader import Reader, whole_of
from fastmetrics.slices import Slicing, values_by_group, with_groups, worst
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, Inputs
from fastmetrics.statistics.grouped import MOST_BYTES, Grouped
from fastmetrics.sync import Meeting, all_processes

__all__ = ["Batch", "Metric", "StatisticMetric"]


class Metric(torchmetrics.Metric):
    """Base class of metrics, for those of this library and those that users write.

    It is a ``torchmetrics.Metric``: ``add_state``, ``update``, ``compute``, ``reset``, ``forward``, ``dist_reduce_fx``
    and everything that takes such an object work as they do there. A process that receives one, as an argument of
    ``torch.multiprocessing`` or through a queue, has states of its own.

    Keyword arguments are those of ``torchmetrics.Metric``: ``compute_on_cpu``, ``dist_sync_on_step``,
    ``process_group``, ``dist_sync_fn``, ``distributed_available_fn``, ``sync_on_compute``, ``compute_with_cache``. The
    metrics of this library take ``intervals`` besides: True keeps what :meth:`StatisticMetric.interval` needs beyond
    the value.

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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # TorchScript skips metrics that a module holds, but looks at their properties and annotated attributes
        properties = {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, property)}
        annotated = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", ())}
        cls.__jit_unused_properties__ = sorted(properties)
        cls.__jit_ignored_attributes__ = sorted(properties | annotated)

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        # with the import swapped, `isinstance(metric, torchmetrics.Metric)` of a program asks this class
        return torchmetrics.Metric in other.__mro__ if cls is Metric else NotImplemented

    def __setattr__(self, name: str, value: Any) -> None:
        # nn.Module looks through its parameters, buffers and modules on every assignment, which costs more than a
        # small update. A name that is already a plain attribute, and stays one, needs none of that.
        if name in self.__dict__ and not isinstance(value, (Parameter, Module)):
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is rebuilt, with copies of the states and values."""
        state = super().__getstate__()
        kept = {*self._defaults, "_computed", "_forward_cache", "_cache", "_defaults"} & state.keys()
        frozen = {name: tensors.frozen(state.pop(name)) for name in sorted(kept)}
        return {**state, "_frozen": frozen}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Own the states."""
        state = dict(state)
        frozen = state.pop("_frozen")
        super().__setstate__({**state, **{name: tensors.thawed(value) for name, value in frozen.items()}})


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

    #: Names of the attributes that :meth:`inputs` reads. Metrics of a collection are read together if they have the
    #: same ``inputs`` and these are equal. A class with its own ``inputs`` that does not say is read alone.
    inputs_options: tuple[str, ...] | None = ()

    #: Whether the value needs a look at the data, as a value of sorted samples does. Under ``vmap`` a function of the
    #: metric then takes one sample after the other.
    reads_values = False

    #: Statistics that are kept for intervals only; the formula takes none of them.
    _beside: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "inputs" in vars(cls) and "inputs_options" not in vars(cls):
            cls.inputs_options = None

    #: Whether the formula takes the statistics of all groups, and not those of one.
    formula_of_groups = False

    _slicing: Slicing | None = None

    def __init__(self, statistics: Statistics, *, intervals: bool = False, **kwargs: Any) -> None:
        num_groups, limit = kwargs.pop("num_groups", None), kwargs.pop("max_state_bytes", MOST_BYTES)
        super().__init__(**kwargs)
        if not isinstance(intervals, bool):
            raise ValueError(f"Expected argument `intervals` to be a bool, but got {intervals}")
        if intervals:
            asked, statistics = statistics, statistics.for_intervals()
            self._beside = frozenset(statistics.shapes.keys() - asked.shapes.keys())
        self._device = torch.empty(0, device=self._device).device  # "cuda" becomes "cuda:0"
        self._update_signature = inspect.signature(self.inputs)
        if num_groups is not None:
            self._slicing = Slicing(num_groups, self._update_signature)
            self._update_signature = self._slicing.signature(self._update_signature)
            statistics = Grouped(statistics, self._slicing.num_groups, limit)
        self._meeting: Meeting | None = None  # with whom processes are met; None for this metric alone
        self._computed_version = -1  # of the accumulator
        with suspended():
            self.__dict__["_reader"] = Reader(Accumulator(statistics, self._device, self.compute_on_cpu))
        self._list_states()

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
            valid: bool, of such a shape: a sample that is not valid is not counted, whatever its values are.
        """
        return (preds, target), weights, valid

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the statistics; the arguments are those of :meth:`inputs`."""
        traced = is_compiling()
        accumulator, batch = self._receive(args, kwargs, traced)
        accumulator.add(batch)
        faults = accumulator.faults
        if faults is None or traced or is_zero(faults):
            return
        # the CPU looks at once; the tensor is asked, since the name of a device takes longer
        if faults.is_cpu and accumulator.statistics.may_fault(batch[1]):
            self._raise_faults(faults)

    @torch.jit.unused
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the statistics and return the value of that batch alone."""
        if not self._standard():
            return super().forward(*args, **kwargs)
        self._require_unsynced()
        traced = is_compiling()
        accumulator, batch = self._receive(args, kwargs, traced)
        part = accumulator.add_and_keep(batch, traced)
        if self.dist_sync_on_step and self.distributed_available_fn():
            (part,) = self._reduce([part])
            self._raise_faults(part.faults)  # on all processes, after they have met
        elif not traced and accumulator.statistics.may_fault(batch[1]):
            self._raise_faults(part.faults)
        value = self._value_of(part)
        self.__dict__["_forward_cache"] = value
        return value

    def _receive(self, args: tuple[Any, ...], kwargs: dict[str, Any], traced: bool) -> tuple[Accumulator, Batch]:
        """Check a batch and get ready to add it; one that is refused changes nothing."""
        return self._prepare(self._read(args, kwargs), traced)

    def _prepare(self, batch: Batch, traced: bool) -> tuple[Accumulator, Batch]:
        """The same of what :meth:`inputs` gave."""
        reader: Reader = self.__dict__["_reader"]
        accumulator = reader.accumulator
        inputs, weights, valid = batch
        checked = None if traced else accumulator.checked
        known = checked is not None and checked == metadata(*inputs)
        if not known or weights is not None or valid is not None:
            batch = self._check(reader, batch, known)
        if accumulator.arena is not None:
            accumulator, known = reader.own(), False
        if not known:
            reader.fit(inputs)
            accumulator.note(inputs)
            if not traced:
                accumulator.checked = metadata(*inputs)
        if weights is not None and accumulator.lacks_twins:
            accumulator.weighted()
            self._list_states()
        if traced:
            accumulator.counted_in_trace()
        else:
            accumulator.counted()
        return accumulator, batch

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Batch:
        """What :meth:`inputs` makes of the arguments of an update."""
        if self._slicing is not None or "groups" in kwargs:
            return self._read_groups(args, kwargs)
        try:
            return self.inputs(*args, **kwargs)
        except (AttributeError, TypeError, RuntimeError):
            require_tensors(self._label(), self._update_signature, args, kwargs)
            raise

    def _read_groups(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Batch:
        """The same with groups."""
        slicing = self._slicing
        if slicing is None:
            raise TypeError(
                f"{self._label()}: `groups` need `num_groups`: construct it with"
                f" {type(self).__name__}(..., num_groups=...)."
            )
        rest = dict(kwargs)
        groups = None if slicing.in_inputs else slicing.tensors(rest.pop("groups", None), self._label())
        try:
            batch = self.inputs(*args, **rest)
        except (AttributeError, TypeError, RuntimeError):
            require_tensors(self._label(), self._update_signature, args, kwargs)
            raise
        if groups is None:
            return batch
        return with_groups(batch, tuple(self._groups_read(each, batch[0]) for each in groups))

    def _groups_read(self, groups: Tensor, inputs: Inputs) -> Tensor:
        """Those of the groups that :meth:`inputs` reads, which may leave some of the batch out."""
        return groups

    def _check(self, reader: Reader, batch: Batch, known: bool = False) -> Batch:
        """Raise if the metadata of a batch is wrong; the batch as its statistics take it. Changes nothing.

        Args:
            reader: of the statistics.
            batch: what :meth:`inputs` gave.
            known: whether there was such a batch, but for its weights and mask.
        """
        inputs, weights, valid = batch
        if not known:
            require_dense(self._label(), self._update_signature, inputs)
            self._accept(reader.asked.samples(inputs), reader.asked.plain)
            reader.accumulator.check(inputs, self._label, reader.asked)
        weights, valid = per_sample(reader.asked, batch)
        if not known and reader.asked.size_from_data:
            reader.check_size(inputs, self._label)
        return inputs, weights, valid

    def _accept(self, inputs: Inputs, statistics: Statistics) -> None:
        """Raise if this metric does not take what its statistics would. Changes nothing."""

    # Values.

    def compute(self, sync: bool = True) -> Any:
        """The value of the metric over all batches, and all processes if distributed.

        Args:
            sync: False gives the value of this process; it speaks to no other one and keeps nothing.
        """
        if not sync:
            return self._value()
        accumulator = self._reader.current()
        version = accumulator.version
        if self._computed is not None and self._computed_version == version:
            return self._computed
        if not (accumulator.count or accumulator.traced):
            self._warn_unless_updated()
        if not self._to_sync or self._is_synced or not self.distributed_available_fn():
            value = self._value()
        elif self._meeting is not None:
            part = self._meeting.part(self._reader, self.compute_with_cache)
            self._raise_faults(part.faults)
            value = self._value_of(part)
        else:
            self.sync(dist_sync_fn=self.dist_sync_fn)
            try:
                value = self._value()
            finally:
                if self._is_synced and self._should_unsync:
                    self.unsync()
        return self._remember(value, version)

    def _warn_unless_updated(self) -> None:
        if not self.update_called:
            rank_zero_warn(
                f"The ``compute`` method of metric {self.__class__.__name__}"
                " was called before the ``update`` method which may lead to errors,"
                " as metric states have not yet been updated.",
                UserWarning,
            )

    def _remember(self, value: Any, version: int) -> Any:
        """Keep the value of a version of the accumulator."""
        if self.compute_with_cache:
            self.__dict__.update(_computed=value, _computed_version=version)
        return value

    @property
    def keeps_groups(self) -> bool:
        """Whether :meth:`by_group` has values."""
        return self._slicing is not None and not self.formula_of_groups

    def explain(self) -> str:
        """Which statistics the metric has, and how many bytes of states they take."""
        return self._reader.current().explain()  # type: ignore[no-any-return]

    def by_group(self, sync: bool = True) -> Any:
        """The value of each group over all batches, and all processes if distributed.

        Args:
            sync: False gives the values of this process; it speaks to no other one.

        Returns:
            what :meth:`compute` returns with a first dimension of G, the number of groups; NaN for a group without
            samples, but for integers. Of several slicings, a dictionary.

        Raises:
            ValueError: the metric was constructed without ``num_groups``.
        """
        slicing, part = self._groups(sync)
        if self.formula_of_groups:
            raise ValueError(f"{self._label()}: `compute` gives what it says of groups.")
        assert isinstance(part.statistics, Grouped)
        states = self._without_beside(part.finals(self._device))
        return slicing.spread(values_by_group(self.formula, part.statistics, states, self.reads_values))

    def group_counts(self, sync: bool = True) -> Any:
        """The samples of each group, int64 [G]; of several slicings, a dictionary. See :meth:`by_group`."""
        slicing, part = self._groups(sync)
        assert isinstance(part.statistics, Grouped)
        counts = part.finals(self._device)[GROUP_SAMPLES].to(torch.int64)
        return slicing.spread({name: counts[where].clone() for name, where in part.statistics.slicings()})

    def worst_groups(
        self,
        n: int = 1,
        sync: bool = True,
        *,
        level: float | None = None,
        method: str | None = None,
        draws: int = 10_000,
        seed: int = 0,
    ) -> Any:
        """The ``n`` groups whose values are worst, the worst first; those without a value are left out.

        Args:
            n: how many.
            sync: see :meth:`by_group`.
            level: of the intervals of their values; None gives none.
            method: of the intervals, as the others; see :meth:`interval_by_group`.
            draws: see there.
            seed: see there.

        Returns:
            a tuple of ``groups`` int64 [n], ``values`` [n], ``counts`` int64 [n], their samples, and ``interval``, both
            ends [n] or None; of several slicings, a dictionary.

        Raises:
            ValueError: no ``num_groups``; a group has several values; the metric does not say what is better.
        """
        request = None if level is None else requested(level, draws, seed)
        values, counts, slicing = self.by_group(sync), self.group_counts(sync), self._sliced()
        if slicing.single:
            values, counts = {"groups": values}, {"groups": counts}
        better, label = self.higher_is_better, self._label()
        found = {name: worst(values[name], counts[name], n, better, label) for name in slicing.num_groups}
        if request is not None:
            which = {name: one.groups for name, one in found.items()}
            ends = intervals_by_group(self, self._for_intervals(sync), request, method, which)
            found = {name: one._replace(interval=ends[name]) for name, one in found.items()}
        return slicing.spread(found)

    def _sliced(self) -> Slicing:
        """The slicings."""
        if self._slicing is None:
            raise ValueError(
                f"{self._label()} has no groups: construct it with {type(self).__name__}(..., num_groups=...) and"
                " update it with `groups=`."
            )
        return self._slicing

    def _groups(self, sync: bool) -> tuple[Slicing, Part]:
        """The slicings, and the states, of this process or of all; raises what was wrong with values."""
        slicing = self._sliced()
        part = self._reduced() if sync else self._reader.part()
        self._raise_faults(part.faults)
        return slicing, part

    def _reduced(self) -> Part:
        """The states of all processes."""
        if not self._to_sync or self._is_synced or not self.distributed_available_fn():
            return self._reader.part()  # type: ignore[no-any-return]
        if self._meeting is not None:
            return self._meeting.part(self._reader, self.compute_with_cache)
        (part,) = self._reduce([self._reader.part()])
        return part

    def _formula(self) -> Callable[..., Any]:
        """What gives the value of :meth:`compute` from all statistics."""
        return self.formula if self._slicing is None else self._of_groups

    def _of_groups(self, **states: Tensor) -> Any:
        """The value from statistics of groups: that of all samples, unless the formula takes those of the groups."""
        statistics = self._reader.asked
        if self.formula_of_groups:
            return self.formula(**{name: states[name] for name in statistics.plain.shapes})
        assert isinstance(statistics, Grouped)
        return self.formula(**statistics.overall(states))

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
        faults = self._reader.current().faults
        value = self._value_of(self._reader.part())
        return Pending(value, [] if faults is None else [(taken(faults), self._raise_found)])

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The value of one batch, without touching the state: the functional form of the metric."""
        statistics, batch = self._for_function(args, kwargs, self._of_function)
        inputs, weights, valid = batch

        def value(weights: Tensor | None, valid: Tensor | None, *inputs: Tensor) -> Any:
            return self._formula()(**self._states_of(statistics, (inputs, weights, valid)))

        found = each_sample(value, weights, valid, *inputs) if self.reads_values else value(weights, valid, *inputs)
        return dtypes.rounded(found, self._function_dtype(inputs))

    def _of_function(self, statistics: Statistics, inputs: Inputs) -> Statistics:
        """The statistics of the functional form."""
        return statistics

    def _function_dtype(self, inputs: Inputs) -> torch.dtype | None:
        """What the functional form rounds values of float64 to; None leaves them as they are."""
        return None

    def evaluate_by_group(self, *args: Any, **kwargs: Any) -> Any:
        """The value of each group of one batch, without touching the state; see :meth:`by_group`.

        The metric is one with ``num_groups``. Values that are formed in float64 have the dtype of the function, or that
        of the inputs, or the default dtype if they are integers.
        """
        slicing = self._slicing
        assert slicing is not None

        def of(statistics: Statistics, inputs: Inputs) -> Statistics:
            assert isinstance(statistics, Grouped)
            plain = self._of_function(statistics.plain, statistics.samples(inputs))
            return statistics if plain is statistics.plain else statistics.like(plain)

        statistics, batch = self._for_function(args, kwargs, of)
        assert isinstance(statistics, Grouped)
        states = self._states_of(statistics, batch)
        values = values_by_group(self.formula, statistics, states, self.reads_values)
        inputs = statistics.samples(batch[0])
        return slicing.spread(dtypes.rounded(values, self._function_dtype(inputs) or dtypes.of_values(inputs)))

    def _for_function(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        of: Callable[[Statistics, Inputs], Statistics],
    ) -> tuple[Statistics, Batch]:
        """The statistics of the functional form, and the batch as they take it; raises if its metadata is wrong.

        Args:
            args: those of :meth:`inputs`.
            kwargs: those of :meth:`inputs`.
            of: takes the statistics of the metric and the inputs, and gives the statistics that are wanted.
        """
        batch = self._read(args, kwargs)
        inputs = batch[0]
        require_dense(self._label(), self._update_signature, inputs)
        statistics = of(self._reader.asked, inputs)
        self._accept(statistics.samples(inputs), statistics.plain)
        statistics.check(inputs)
        return statistics.fitted(inputs), (inputs, *per_sample(statistics, batch))

    def _states_of(self, statistics: Statistics, batch: Batch) -> dict[str, Tensor]:
        """The statistics of one batch alone; raises what was wrong with its values."""
        faults = statistics.no_faults(batch[0][0].device)
        states, _ = of_batch(statistics, batch, faults)
        if faults is not None and not is_compiling():  # a graph cannot raise what the values decide
            self._raise_found(faults)
        if statistics.samplewise:
            states = dict(statistics.finals(states))
        return self._without_beside(states) if self._beside else states

    def _without_beside(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The statistics that the formula takes."""
        return {name: state for name, state in states.items() if name not in self._beside}

    def _names_of_formula(self) -> list[str]:
        """The names of these."""
        return [name for name in self._statistics.shapes if name not in self._beside]

    # Intervals.

    def interval(
        self,
        level: float = 0.95,
        method: str | None = None,
        *,
        clusters: str | None = None,
        draws: int = 10_000,
        seed: int = 0,
        sync: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """A confidence interval of the value, from the statistics alone: no second pass, no samples that are kept.

        Samples are taken for independent, and each element that is counted is one, unless ``clusters`` says otherwise.
        The guide to intervals says which methods a metric has, and what of it is exact.

        Args:
            level: how often such intervals are to hold the true value, in (0, 1).
            method: ``"wilson"`` or ``"exact"`` (Clopper and Pearson) where the value is a proportion; ``"bootstrap"``,
                over samples, or ``"margins"``, a bootstrap that takes what the states do not decide for independent;
                ``"delta"``, ``"fisher"``, ``"delong"``. None takes the first that the metric has.
            clusters: the name of a slicing in ``num_groups``, ``"groups"`` if it has none: its groups, as users or
                documents, are independent, and what is in one of them is not. The methods are ``"bootstrap"``, which
                draws them as a whole, and ``"jackknife"``, which leaves out one after the other.
            draws: of a bootstrap.
            seed: of the draws; the same seed and states give the same interval on the same kind of device.
            sync: False is of the data of this process; it speaks to no other one.

        Returns:
            the lower and the upper ends, each of the shape of the value; NaN where there is no data, and of a single
            cluster.

        Raises:
            ValueError: an argument that does not fit; a metric that has no interval, or whose states do not decide it,
                with what would do. The states stay as they are.

        Example:
            >>> import torch
            >>> from fastmetrics.classification import BinaryAccuracy
            >>> metric = BinaryAccuracy()
            >>> metric.update(torch.tensor([0.9, 0.8, 0.3, 0.6]), torch.tensor([1, 1, 0, 0]))
            >>> metric.interval(0.9)
            (tensor(0.3562), tensor(0.9421))
        """
        request = requested(level, draws, seed)
        return interval_of(self, self._for_intervals(sync), request, method, clusters)

    def interval_by_group(
        self,
        level: float = 0.95,
        method: str | None = None,
        *,
        draws: int = 10_000,
        seed: int = 0,
        sync: bool = True,
    ) -> Any:
        """The confidence interval of the value of each group: that of the metric alone on the samples of the group.

        Args:
            level: as the others, that of :meth:`interval`.
            method: see there.
            draws: see there.
            seed: see there; the same for each group.
            sync: see there.

        Returns:
            the lower and the upper ends, each with a first dimension of G, the number of groups; NaN for a group
            without samples. Of several slicings, a dictionary.

        Raises:
            ValueError: no ``num_groups``; see :meth:`interval`.

        Example:
            >>> import torch
            >>> from fastmetrics.classification import BinaryAccuracy
            >>> metric = BinaryAccuracy(num_groups=2)
            >>> preds, target = torch.tensor([0.9, 0.8, 0.3, 0.6]), torch.tensor([1, 1, 0, 0])
            >>> metric.update(preds, target, groups=torch.tensor([0, 0, 0, 1]))
            >>> metric.interval_by_group(0.9)
            (tensor([0.5258, 0.0000]), tensor([1.0000, 0.7301]))
        """
        request, slicing = requested(level, draws, seed), self._sliced()
        return slicing.spread(intervals_by_group(self, self._for_intervals(sync), request, method))

    def _for_intervals(self, sync: bool) -> Part:
        """The states that intervals are made of; raises what was wrong with values."""
        if not self._reader.current().updated:
            self._warn_unless_updated()
        part = self._whole(sync)
        self._raise_faults(part.faults)
        return part

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        """How intervals are found from the statistics, which may hold more than was asked for; none by default."""
        return {}

    def _whole(self, sync: bool) -> Part:
        """The states, with those that other readers of the accumulator ask for; of all processes if distributed."""
        reader = self._reader
        if not (sync and self._to_sync and self.distributed_available_fn()) or self._is_synced:
            accumulator = reader.current()
            return whole_of(reader.asked, accumulator.part())
        if self._meeting is not None:
            return self._meeting.whole(reader, self.compute_with_cache)
        (part,) = self._reduce([reader.part()])
        return part

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw ``val`` (a value or a sequence of them), or the present value; see ``torchmetrics``."""
        return self._plot(val, ax)

    def _value(self) -> Any:
        part = self._reader.part()
        self._raise_faults(part.faults)
        return self._value_of(part)

    def _value_of(self, part: Part) -> Any:
        """The value from statistics; it shares no memory with them."""
        states = part.finals(self._device)
        if self._beside:
            states = self._without_beside(states)
        formula = self.formula if self._slicing is None else self._of_groups
        return tensors.unaliased(formula(**states), states.values())

    def _reduce(self, parts: list[Part]) -> list[Part]:
        """The states of all processes."""
        return all_processes(parts, self._device, self.process_group, self.dist_sync_fn)

    # Faults.

    def _label(self) -> str:
        """How messages call the metric."""
        return type(self).__name__

    def _raise_faults(self, faults: Tensor | None) -> None:
        """Raise what a record says was wrong with the values of the input, and clear it and that of the metric."""
        if faults is None or is_zero(faults):
            return
        counts = on_host(faults)
        if holds_any(counts):
            faults.zero_()
            for reader in (self._reader, self._local):
                if reader is not None and reader.accumulator.faults is not None:
                    reader.accumulator.faults.zero_()
            self._report(counts, self._label())

    def _raise_found(self, faults: Tensor) -> None:
        """Raise if a record of faults holds any."""
        counts = on_host(faults)
        if holds_any(counts):
            self._report(counts, self._label())

    def _report(self, faults: list[int], label: str) -> None:
        """Raise, or warn of, what a record of faults holds."""
        raise RuntimeError(f"{label}: {self._reader.asked.explain_faults(faults)}. They were not counted.")

    # States, by the names under which torchmetrics has them.

    @property
    def _statistics(self) -> Statistics:
        """What the formula reads."""
        return self._reader.asked.plain  # type: ignore[no-any-return]

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

    @classmethod
    def _standard(cls) -> bool:
        """Whether ``update`` and ``compute`` are those of the base; a subclass may have its own."""
        return cls.update is StatisticMetric.update and cls.compute is StatisticMetric.compute

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
        """Add the state of another metric, or its ``metric_state``, to this one."""
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

    def set_dtype(self, dst_type: str | torch.dtype) -> StatisticMetric:
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


def per_sample(statistics: Statistics, batch: Batch) -> tuple[Tensor | None, Tensor | None]:
    """Weights and mask of a batch as its statistics take them; raises if their metadata is wrong."""
    inputs, weights, valid = batch
    if weights is not None:
        weights = statistics.per_sample("weights", weights, inputs)
    if valid is not None:
        valid = statistics.per_sample("valid", valid, inputs)
    return weights, valid


def taken(faults: Tensor) -> Tensor:
    """A copy of a record of faults, which is cleared."""
    copy = faults.clone()
    faults.zero_()
    return copy
