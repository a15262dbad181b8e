# SPDX-License-Identifier: Apache-2.0
"""The metric that is a formula of one accumulator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_compiling
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import dtypes, host, tensors
from fastmetrics.accumulator import Accumulator, Part, of_batch
from fastmetrics.base import Metric
from fastmetrics.checks import require_dense, require_tensors
from fastmetrics.intervals import IntervalMethods, interval_of, intervals_by_group, requested
from fastmetrics.native.operators import metadata
from fastmetrics.native.transforms import each_sample, suspended
from fastmetrics.passes.faults import holds_any, is_zero, on_host
from fastmetrics.pending import Pending
from fastmetrics.reader import Reader, whole_of
from fastmetrics.slices import Slicing, values_by_group, with_groups, worst
from fastmetrics.states import AccumulatedMetric
from fastmetrics.statistics import Statistics
from fastmetrics.statistics.base import GROUP_SAMPLES, Batch, Inputs
from fastmetrics.statistics.grouped import MOST_BYTES, Grouped
from fastmetrics.sync import Meeting, all_processes

__all__ = ["Batch", "Metric", "StatisticMetric"]


class StatisticMetric(AccumulatedMetric):
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
        # whether the arguments of an update are what the statistics read
        self._plain_inputs = self._slicing is None and type(self).inputs is StatisticMetric.inputs
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
        traced, weights = is_compiling(), None
        accumulator: Accumulator = self.__dict__["_reader"].accumulator
        if traced or kwargs or not accumulator.add_again(args):
            accumulator, batch = self._receive(args, kwargs, traced)
            accumulator.add(batch)
            weights = batch[1]
        faults = accumulator.faults
        if faults is None or traced or is_zero(faults):
            return
        # the CPU looks at once; the tensor is asked, since the name of a device takes longer
        if faults.is_cpu and accumulator.statistics.may_fault(weights):
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
            value = self._sound_value(part)  # raises on all processes, after they have met
        elif not traced and accumulator.statistics.may_fault(batch[1]):
            value = self._sound_value(part)
        else:
            value = self._value_of(part)
        self.__dict__["_forward_cache"] = value
        return value

    @classmethod
    def _standard(cls) -> bool:
        """Whether ``update`` and ``compute`` are those of the base; a subclass may have its own."""
        return cls.update is StatisticMetric.update and cls.compute is StatisticMetric.compute

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
                accumulator.checked, accumulator.again = metadata(*inputs), None
        elif accumulator.again is None and self._plain_inputs:
            accumulator.prepare(batch)
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
            value = self._sound_value(self._meeting.part(self._reader, self.compute_with_cache))
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
        return self._reader.current().explain()

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
            ends = intervals_by_group(self, self._for_intervals(sync), request, method, which=which)
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
            return self._reader.part()
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
        clusters: Mapping[str, str] | None = None,
        draws: int = 10_000,
        seed: int = 0,
        sync: bool = True,
    ) -> Any:
        """The confidence interval of the value of each group: that of the metric alone on the samples of the group.

        Args:
            level: as the others, that of :meth:`interval`.
            method: see there.
            clusters: what is independent within the groups, by the names of slicings: ``{"country": "user"}`` takes
                countries, and draws their users. The users of a country are groups of their own then: of G countries
                with up to U users each there are G * U, and user u of country g is number ``g * U + u``.
            draws: see there.
            seed: see there; the same for each group.
            sync: see there.

        Returns:
            the lower and the upper ends, each with a first dimension of G, the number of groups; NaN for a group
            without samples, or with a single cluster. Of several slicings a dictionary; of those in ``clusters``, if
            there are any.

        Raises:
            ValueError: no ``num_groups``; clusters that are not of one group; see :meth:`interval`.

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
        return slicing.spread(intervals_by_group(self, self._for_intervals(sync), request, method, clusters))

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
        return self._sound_value(self._reader.part())

    def _sound_value(self, part: Part) -> Any:
        """The value from statistics, unless values of the input were out of range, which is raised."""
        device = host.device_to_wait_for([part])
        if device is None:
            self._raise_faults(part.faults)
            return self._value_of(part)
        (copy,) = host.copies([part], [not host.holds_tensors(self)], device)
        self._raise_faults(part.faults, copy)
        if copy is None or copy.part is None:
            return self._value_of(part)
        return host.moved(self._value_of(copy.part), device)

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

    def _raise_faults(self, faults: Tensor | None, copy: host.Copy | None = None) -> None:
        """Raise what a record says was wrong with the values of the input, and clear it and that of the metric.

        Args:
            faults: the record.
            copy: of the record, if there is one on the host.
        """
        if faults is None or is_zero(faults):
            return
        counts = on_host(faults if copy is None else copy.faults)
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
