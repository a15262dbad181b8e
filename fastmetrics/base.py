# SPDX-License-Identifier: Apache-2.0
"""The base of all metrics."""

from __future__ import annotations

from typing import Any

import torchmetrics
from torch.nn import Module, Parameter

from fastmetrics import tensors


class Metric(torchmetrics.Metric):
    """Base class of metrics, for those of this library and those that users write.

    It is a ``torchmetrics.Metric``: ``add_state``, ``update``, ``compute``, ``reset``, ``forward``, ``dist_reduce_fx``
    and everything that takes such an object work as they do there. A process that receives one, as an argument of
    ``torch.multiprocessing`` or through a queue, has states of its own.

    Keyword arguments are those of ``torchmetrics.Metric``: ``compute_on_cpu``, ``dist_sync_on_step``,
    ``process_group``, ``dist_sync_fn``, ``distributed_available_fn``, ``sync_on_compute``, ``compute_with_cache``. The
    metrics of this library take ``intervals`` besides: True keeps what
    :meth:`~fastmetrics.metric.StatisticMetric.interval` needs beyond the value.

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
