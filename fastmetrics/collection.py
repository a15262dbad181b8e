# SPDX-License-Identifier: Apache-2.0
"""Many metrics of the same input, at the cost of one read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torch.compiler import is_compiling
from torch.nn import Module
from torchmetrics.utilities.data import _flatten_dict

from fastmetrics.metric import StatisticMetric
from fastmetrics.pending import Pending
from fastmetrics.sharing import Plan, inner, outer
from fastmetrics.statistics.base import Batch


class MetricCollection(torchmetrics.MetricCollection):
    """Metrics that are called as one; those that read their input in the same way share one pass and their states.

    It takes a metric, a list (names are class names), a dict, or collections of them, and has the methods of
    ``torchmetrics.MetricCollection``, whose type it is. What is different:

    - ``update`` and ``forward`` read a batch once for each kind of input, whatever the number of metrics.
    - ``compute`` over processes needs one collective per reduction and dtype, whatever the number of metrics.
    - Metrics share states because of what they read, not because their values were equal after a first update; those
      in a ``ClasswiseWrapper`` too.
    - A metric that is updated, reset, moved or loaded by itself gets its own copy of what it shared.

    torchmetrics' metrics and those that users write may be among them and work as they do there.

    Args:
        metrics: a metric, a list, a dict, or a collection.
        additional_metrics: more of them, after a metric or a list.
        prefix: put before the names of results.
        postfix: put after them.
        compute_groups: False reads every metric by itself. The groups are found from what the metrics read; lists of
            names are accepted, and checked, as in torchmetrics.

    Raises:
        ValueError: two metrics of one name; something that is no metric.

    Example:
        >>> import torch
        >>> from fastmetrics import MetricCollection
        >>> from fastmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score
        >>> collection = MetricCollection(
        ...     {"acc": MulticlassAccuracy(3), "f1": MulticlassF1Score(3), "confusion": MulticlassConfusionMatrix(3)},
        ...     prefix="val/",
        ... )
        >>> preds, target = torch.tensor([2, 1, 0, 1]), torch.tensor([2, 1, 0, 0])
        >>> collection(preds, target)["val/acc"]
        tensor(0.8333)
        >>> collection.update(preds, target, valid=torch.tensor([True, True, True, False]))
        >>> collection.compute()["val/confusion"]
        tensor([[2, 1, 0],
                [0, 2, 0],
                [0, 0, 2]])
        >>> print(collection.explain())
        MulticlassStatistics: counts int64 [3, 3], confusion int64 [3, 3], faults int64 [15]; 264 bytes
            acc (MulticlassAccuracy), confusion (MulticlassConfusionMatrix), f1 (MulticlassF1Score)
    """

    __jit_unused_properties__ = [*torchmetrics.MetricCollection.__jit_unused_properties__, "compute_groups"]

    __jit_ignored_attributes__ = ["_plan", "_others"]
    _plan: Plan | None = None
    _others: list[torchmetrics.Metric]  # what is read by itself

    def __init__(
        self,
        metrics: Any,
        *additional_metrics: torchmetrics.Metric,
        prefix: str | None = None,
        postfix: str | None = None,
        compute_groups: bool | list[list[str]] = True,
    ) -> None:
        super().__init__(metrics, *additional_metrics, prefix=prefix, postfix=postfix, compute_groups=compute_groups)

    # The plan.

    def _ready(self) -> Plan:
        """The plan of the metrics that are here now."""
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is None or plan.stale:
            share = self._enable_compute_groups is not False
            modules = [*self._modules.values()]
            plan = Plan(modules, share, replaces=plan)
            self.__dict__["_plan"] = plan
            self.__dict__["_others"] = [module for module in modules if id(module) not in plan.grouped]
        return plan

    def _ensure_plan(self) -> None:
        """Build the plan if missing. A stale one stays: it fixes the collectives."""
        if self.__dict__.get("_plan") is None and self._modules:
            self._ready()

    def add_metrics(self, metrics: Any, *additional_metrics: torchmetrics.Metric) -> None:
        """Add metrics, as the constructor takes them."""
        super().add_metrics(metrics, *additional_metrics)
        self.__dict__["_plan"] = None
        self._ready()

    def __setitem__(self, key: str, module: Module) -> None:
        if key in self._modules:
            self._release(key)
        super().__setitem__(key, module)
        self.__dict__["_plan"] = None

    def __delitem__(self, key: str) -> None:
        self._release(key)
        super().__delitem__(key)
        self.__dict__["_plan"] = None

    def clear(self) -> None:
        """Remove all metrics."""
        for key in [*self._modules]:
            del self[key]

    def _release(self, key: str) -> None:
        """Give a metric that is to be removed its own states."""
        metric = inner(self._modules[key])
        if isinstance(metric, StatisticMetric):
            metric._reader.own()
            metric._meeting = None

    @property
    def compute_groups(self) -> dict[int, list[str]]:
        """The names of the metrics that share states; the others alone."""
        plan = self._ready()
        names = self._names()
        groups = [[name for member in group.members for name in names[id(member)]] for group in plan.groups]
        groups += [names[id(inner(module))] for module in self._others]
        return dict(enumerate(groups))

    def _names(self) -> dict[int, list[str]]:
        """The names of each metric, by its id."""
        names: dict[int, list[str]] = {}
        for name, module in self._modules.items():
            names.setdefault(id(inner(module)), []).append(name)
        return names

    def explain(self) -> str:
        """Which statistics are filled for which metrics, in which passes, and how many bytes of states they take."""
        plan = self._ready()
        names = self._names()

        def shown(metrics: Iterable[Module]) -> str:
            found = ((name, metric) for metric in metrics for name in names[id(inner(metric))])
            return ", ".join(f"{name} ({type(metric).__name__})" for name, metric in found)

        lines = []
        for group in plan.groups:
            lines += [group.accumulator.explain(), f"    {shown(group.members)}"]
        if self._others:
            lines += ["read by themselves:", f"    {shown(self._others)}"]
        return "\n".join(lines)

    # The hot path.

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any], traced: bool) -> tuple[Plan, list[Batch]]:
        """The plan and the batch as it takes it."""
        plan = self._ready()
        batches = plan.check(args, kwargs, traced)
        if plan.stale:  # members have another size now than those that they were read with
            plan = self._ready()
            batches = plan.check(args, kwargs, traced)
        return plan, batches

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to all metrics: positional arguments to each, keywords to those that take them."""
        traced = is_compiling()
        plan, batches = self._read(args, kwargs, traced)
        for metric in self._others:
            metric.update(*args, **metric._filter_kwargs(**kwargs))
        plan.update(batches, traced)

    @torch.jit.unused
    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add a batch to all metrics and return the value of that batch for each."""
        traced = is_compiling()
        self._ready().require_unsynced()
        plan, batches = self._read(args, kwargs, traced)
        others = {id(metric): metric(*args, **metric._filter_kwargs(**kwargs)) for metric in self._others}
        return self._named(plan.forward(batches, traced), others)

    def compute(self, sync: bool = True) -> dict[str, Any]:
        """The value of each metric over all batches, and all processes if distributed.

        Args:
            sync: False gives the values of this process; it speaks to no other one and keeps nothing.
        """
        plan = self._ready()
        if sync:
            return self._named(plan.compute(), {id(metric): metric.compute() for metric in self._others})
        plan.raise_faults()
        return self._named(plan.local_values(), self._local_values_of_others())

    def interval(self, level: float = 0.95, method: str | None = None, **options: Any) -> dict[str, Any]:
        """A confidence interval of each value, ``(low, high)``; see ``StatisticMetric.interval``.

        Metrics that share states share what intervals need of them, as the confusion matrix.

        Args:
            level: of all of them.
            method: the same for all; None takes the first of each metric.
            options: see there.

        Raises:
            ValueError: an argument that does not fit; a metric that has no interval, by its name in the message.

        Example:
            >>> import torch
            >>> from fastmetrics import MetricCollection
            >>> from fastmetrics.classification import BinaryPrecision, BinaryRecall
            >>> collection = MetricCollection([BinaryPrecision(), BinaryRecall()])
            >>> collection.update(torch.tensor([0.9, 0.8, 0.3, 0.6]), torch.tensor([1, 1, 0, 0]))
            >>> collection.interval(0.9)["BinaryPrecision"]
            (tensor(0.2535), tensor(0.9217))
        """
        self._ready()
        found = {id(module): _interval(module, level, method, options) for module in self._modules.values()}
        return self._named({}, found)

    def by_group(self, sync: bool = True) -> dict[str, Any]:
        """The values by group of the metrics constructed with ``num_groups``; see ``StatisticMetric.by_group``."""
        return self._of_groups(lambda metric: metric.by_group(sync))

    def group_counts(self, sync: bool = True) -> dict[str, Any]:
        """The samples of each group, of each of these metrics; see ``StatisticMetric.group_counts``."""
        return self._of_groups(lambda metric: metric.group_counts(sync))

    def interval_by_group(self, level: float = 0.95, method: str | None = None, **options: Any) -> dict[str, Any]:
        """The intervals by group of each of these metrics; see ``StatisticMetric.interval_by_group``."""
        return self._of_groups(lambda metric: metric.interval_by_group(level, method, **options))

    def worst_groups(self, n: int = 1, sync: bool = True, **options: Any) -> dict[str, Any]:
        """The worst groups of each of these metrics; see ``StatisticMetric.worst_groups``."""
        return self._of_groups(lambda metric: metric.worst_groups(n, sync, **options))

    def _of_groups(self, asked: Callable[[StatisticMetric], Any]) -> dict[str, Any]:
        """What is asked of each metric that keeps groups, by full names."""
        self._ensure_plan()
        found = {
            f"{self.prefix or ''}{name}{self.postfix or ''}": asked(module)
            for name, module in self._modules.items()
            if isinstance(module, StatisticMetric) and module.keeps_groups
        }
        if not found:
            raise ValueError("No metric of the collection has groups: construct some with `num_groups=`.")
        return found

    def compute_async(self) -> Pending:
        """The values of this process, on their way to the host; see ``StatisticMetric.compute_async``.

        A metric that is not of this library may wait for the device.
        """
        plan = self._ready()
        values = self._named(plan.local_values(), self._local_values_of_others())
        return Pending(values, plan.take_faults())

    def _local_values_of_others(self) -> dict[int, Any]:
        """The values on this process of metrics that are read by themselves, by their ids."""
        values = {}
        for metric in self._others:
            kept = {key: metric.__dict__.get(key) for key in ("_to_sync", "_computed")}
            metric.__dict__.update(_to_sync=False, _computed=None)
            try:
                values[id(metric)] = metric.compute()
            finally:
                metric.__dict__.update(kept)
        return values

    def reset(self) -> None:
        """Empty all metrics, in place."""
        plan = self._ready()
        plan.reset()
        for metric in self._others:
            metric.reset()
        if plan.split:  # what was by itself for its history has none now
            self.__dict__["_plan"] = None
            self._ready()

    def _compute_and_reduce(self, method_name: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self.compute() if method_name == "compute" else self.forward(*args, **kwargs)

    def _named(self, grouped: dict[int, Any], others: dict[int, Any]) -> dict[str, Any]:
        """Results by their full names; those of a metric with several are spread.

        Args:
            grouped: of the metrics in groups, by their ids.
            others: of the modules that are read by themselves, by their ids.
        """
        values = {
            name: others[id(module)] if id(module) in others else outer(module, grouped)
            for name, module in self._modules.items()
        }
        prefix, postfix = self.prefix or "", self.postfix or ""
        if not any(isinstance(value, dict) for value in values.values()):
            if not (prefix or postfix):
                return values
            return {f"{prefix}{name}{postfix}": value for name, value in values.items()}
        _, duplicates = _flatten_dict(values)
        found: dict[str, Any] = {}
        for name, value in values.items():
            if not isinstance(value, dict):
                found[name] = value
                continue
            metric = self._modules[name]
            before, after = getattr(metric, "prefix", None) or "", getattr(metric, "postfix", None) or ""
            for key, one in value.items():
                full = f"{name.replace(before, '').replace(after, '')}_{key}" if duplicates else key
                nested = getattr(metric, "_from_collection", None)
                found[f"{before}{full}{after}" if nested else full] = one
        return {f"{prefix}{name}{postfix}": value for name, value in found.items()}

    # The mapping. No state is copied: a metric that is changed by itself takes its copy then.

    def items(  # type: ignore[override]
        self, keep_base: bool = False, copy_state: bool = True
    ) -> Iterable[tuple[str, Any]]:
        """Names, with prefix and postfix unless ``keep_base``, and metrics; ``copy_state`` is accepted."""
        self._ensure_plan()
        return self._modules.items() if keep_base else self._to_renamed_dict().items()

    def values(self, copy_state: bool = True) -> Iterable[Any]:  # type: ignore[override]
        """The metrics; ``copy_state`` is accepted."""
        self._ensure_plan()
        return self._modules.values()

    def __getitem__(self, key: str, copy_state: bool = True) -> Any:
        """A metric, by its name with or without prefix and postfix."""
        self._ensure_plan()
        if self.prefix:
            key = key.removeprefix(self.prefix)
        if self.postfix:
            key = key.removesuffix(self.postfix)
        return self._modules[key]

    # Lifecycle.

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any) -> MetricCollection:
        plan = self._ready()
        plan.move(fn)  # first, so that members find their states moved
        super()._apply(fn, *args)  # type: ignore[no-untyped-call]
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the plan; the metrics with their own states."""
        return {**self.__dict__, "_plan": None, "_others": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._ready()


def _interval(module: Module, level: float, method: str | None, options: dict[str, Any]) -> Any:
    """Both ends, or a dict of both for the classes of a wrapper."""
    metric = inner(module)
    if not isinstance(metric, StatisticMetric):
        raise ValueError(f"{type(metric).__name__} has no interval: it is no metric of statistics of this library.")
    ends = metric.interval(level, method, **options)
    if module is metric:
        return ends
    low, high = (outer(module, {id(metric): end}) for end in ends)
    return {name: (low[name], high[name]) for name in low}
