# SPDX-License-Identifier: Apache-2.0
"""Many metrics of the same input, at the cost of one read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torchmetrics
from torch import Tensor
from torch.nn import Module
from torchmetrics.utilities.data import _flatten_dict

from fastmetrics.asynchronous import Pending
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.pool import Pool


class MetricCollection(torchmetrics.MetricCollection):
    """Metrics that are called as one; those that read their input in the same way share one pass and their states.

    It takes a metric, a list (names are class names), a dict, or collections of them, and has the methods of
    ``torchmetrics.MetricCollection``, whose type it is. What is different:

    - ``update`` and ``forward`` read a batch once for each kind of input, whatever the number of metrics.
    - ``compute`` over processes needs one collective per reduction and dtype, whatever the number of metrics.
    - Metrics share states because of what they read, not because their values were equal after a first update.
    - A metric that is updated, reset, moved or loaded by itself gets its own copy of what it shared.

    torchmetrics' metrics and those that users write may be among them and work as they do there.

    Args:
        metrics: a metric, a list, a dict, or a collection.
        additional_metrics: more of them, after a metric or a list.
        prefix: put before the names of results.
        postfix: put after them.
        compute_groups: False keeps all metrics apart. The groups are found from what the metrics read; lists of names
            are accepted, and checked, as in torchmetrics.

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
        MulticlassStatistics: counts int64 [3, 3], confusion int64 [3, 3], faults int64 [13]; 248 bytes
            acc (MulticlassAccuracy), confusion (MulticlassConfusionMatrix), f1 (MulticlassF1Score)
    """

    _pool: Pool | None = None
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

    def _ready(self) -> Pool:
        """The pool of the metrics that are here now."""
        own = self.__dict__
        pool: Pool | None = own.get("_pool")
        if pool is None or pool.stale:
            share = self._enable_compute_groups is not False
            pool = own["_pool"] = Pool(list(self._modules.values()), share, replaces=pool)
            grouped = {id(member) for group in pool.groups for member in group.members}
            own["_others"] = [metric for metric in self._modules.values() if id(metric) not in grouped]
        return pool

    def _planned(self) -> None:
        """Make the plan, on which depends what processes say to each other, if there is none; a stale one stays."""
        if self.__dict__.get("_pool") is None and self._modules:
            self._ready()

    def add_metrics(self, metrics: Any, *additional_metrics: torchmetrics.Metric) -> None:
        """Add metrics, as the constructor takes them."""
        super().add_metrics(metrics, *additional_metrics)
        self.__dict__["_pool"] = None
        self._ready()

    def __setitem__(self, key: str, module: Module) -> None:
        super().__setitem__(key, module)
        self.__dict__["_pool"] = None

    def __delitem__(self, key: str) -> None:
        metric = self._modules[key]
        super().__delitem__(key)
        self.__dict__["_pool"] = None
        if isinstance(metric, StatisticMetric):
            metric._leave()
            metric._home = None

    @property
    def compute_groups(self) -> dict[int, list[str]]:
        """The names of the metrics that share states; the others alone."""
        names = {id(metric): name for name, metric in self._modules.items()}
        self._ready()
        groups = [[names[id(member)] for member in group.members] for group in self._ready().groups]
        groups += [[names[id(metric)]] for metric in self._others]
        return dict(enumerate(groups))

    def explain(self) -> str:
        """Which statistics are filled for which metrics, in which passes, and how many bytes of states they take."""
        names = {id(metric): name for name, metric in self._modules.items()}

        def shown(metrics: Iterable[Module]) -> str:
            return ", ".join(f"{names[id(metric)]} ({type(metric).__name__})" for metric in metrics)

        def kind(state: Any) -> str:
            return "list" if isinstance(state, list) else f"{str(state.dtype).removeprefix('torch.')} {[*state.shape]}"

        lines = []
        for group in self._ready().groups:
            states = {name: group.__dict__[name] for name in group._defaults}
            listed = ", ".join(f"{name} {kind(state)}" for name, state in states.items())
            tensors = [tensor for s in states.values() for tensor in (s if isinstance(s, list) else [s])]
            size = sum(tensor.numel() * tensor.itemsize for tensor in tensors)
            lines += [f"{type(group._statistics).__name__}: {listed}; {size} bytes", f"    {shown(group.members)}"]
        if self._others:
            lines += ["read by themselves:", f"    {shown(self._others)}"]
        return "\n".join(lines)

    # The hot path.

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Pool, list[Batch]]:
        """The plan and the batch as it takes it."""
        pool = self._ready()
        batches = pool.check(args, kwargs)
        if pool.stale:  # the batch told a metric that it has other outputs than those that it was read with
            pool = self._ready()
            batches = pool.check(args, kwargs)
        return pool, batches

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to all metrics: positional arguments to each, keywords to those that take them."""
        pool, batches = self._read(args, kwargs)
        for metric in self._others:
            metric.update(*args, **metric._filter_kwargs(**kwargs))
        pool.update(batches)

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add a batch to all metrics and return the value of that batch for each."""
        pool, batches = self._read(args, kwargs)
        others = {id(metric): metric(*args, **metric._filter_kwargs(**kwargs)) for metric in self._others}
        values = {**pool.forward(batches), **others}
        return self._named({name: values[id(metric)] for name, metric in self._modules.items()})

    def compute(self, sync: bool = True) -> dict[str, Any]:
        """The value of each metric over all batches, and all processes if distributed.

        Args:
            sync: False gives the values of this process; it speaks to no other one and keeps nothing.
        """
        pool = self._ready()
        if sync:
            with pool.all_at_once():
                values = {name: metric.compute() for name, metric in self._modules.items()}
            return self._named(values)
        pool.raise_faults()
        return self._named(self._values_here())

    def compute_async(self) -> Pending:
        """The values of this process, on their way to the host; see ``StatisticMetric.compute_async``.

        A metric that is not of this library may wait for the device.
        """
        pool = self._ready()
        values = self._named(self._values_here())
        return Pending(values, [record for group in pool.groups for record in group._take_faults()])

    def _values_here(self) -> dict[str, Any]:
        """The values of this process."""
        values = {}
        for name, metric in self._modules.items():
            if any(metric is other for other in self._others):
                kept = {key: metric.__dict__.get(key) for key in ("_to_sync", "_computed")}
                metric.__dict__.update(_to_sync=False, _computed=None)
                try:
                    values[name] = metric.compute()
                finally:
                    metric.__dict__.update(kept)
            else:
                values[name] = metric._value_of(metric._part())  # type: ignore[operator]
        return values

    def reset(self) -> None:
        """Empty all metrics, in place."""
        pool = self._ready()
        pool.reset()
        for metric in self._others:
            metric.reset()
        if pool.split:  # what was kept apart for its history has none now
            self.__dict__["_pool"] = None
            self._ready()

    def _compute_and_reduce(self, method_name: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self.compute() if method_name == "compute" else self.forward(*args, **kwargs)

    def _named(self, values: dict[str, Any]) -> dict[str, Any]:
        """Results by their full names; those of a metric with several are spread."""
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
        self._planned()
        return self._modules.items() if keep_base else self._to_renamed_dict().items()

    def values(self, copy_state: bool = True) -> Iterable[Any]:  # type: ignore[override]
        """The metrics; ``copy_state`` is accepted."""
        self._planned()
        return self._modules.values()

    def __getitem__(self, key: str, copy_state: bool = True) -> Any:
        """A metric, by its name with or without prefix and postfix."""
        self._planned()
        if self.prefix:
            key = key.removeprefix(self.prefix)
        if self.postfix:
            key = key.removesuffix(self.postfix)
        return self._modules[key]

    # Lifecycle.

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any) -> MetricCollection:
        pool = self._ready()
        for group in pool.groups:
            group.moves = True
        try:
            super()._apply(fn, *args)  # type: ignore[no-untyped-call]
            pool.move(fn)
        finally:
            for group in pool.groups:
                group.moves = False
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the plan; the metrics with their own states."""
        return {**self.__dict__, "_pool": None, "_others": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._ready()
