# SPDX-License-Identifier: Apache-2.0
"""A metric over the last updates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_mean
from torchmetrics.wrappers.running import Running as _Running

from fastmetrics.metric import StatisticMetric


class Running(_Running):
    """The value of a metric over the last ``window`` updates; ``forward`` returns that of the batch alone.

    The state of each update in the window is kept, as a copy: metrics of this library empty their state in place, and
    with ``torchmetrics.wrappers.Running`` the window would be emptied with it.

    Args:
        base_metric: any metric whose ``full_state_update`` is False, of this library or of torchmetrics.
        window: how many updates.

    Raises:
        ValueError: ``base_metric`` is no such metric, or has a state that is a mean, of which windows cannot be merged;
            ``window`` is no positive integer.

    Example:
        >>> import torch
        >>> from fastmetrics import SumMetric
        >>> from fastmetrics.wrappers import Running
        >>> metric = Running(SumMetric(), window=3)
        >>> for i in range(6):
        ...     _ = metric(torch.tensor([i]))
        >>> metric.compute()
        tensor(12.)
    """

    def __init__(self, base_metric: Metric, window: int = 5) -> None:
        super().__init__(base_metric, window)
        means = [name for name, reduce in base_metric._reductions.items() if reduce is dim_zero_mean]
        if means:
            raise ValueError(
                f"Expected states that can be merged, but {means} of {type(base_metric).__name__} are means."
            )

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add an update of the metric to the window; the oldest one leaves it."""
        self._call(self.base_metric.update, *args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The same, and return the value of the batch."""
        return self._call(self.base_metric.forward, *args, **kwargs)

    def compute(self) -> Any:
        """The value over the window."""
        base, seen = self.base_metric, self._num_vals_seen
        base.reset()
        try:
            for update in range(seen - 1, max(0, seen - self.window) - 1, -1):  # lists get what is merged in front
                slot = update % self.window
                base._reduce_states({name: getattr(self, f"{name}_{slot}") for name in base._defaults})
            base._update_count = seen
            return base.compute()
        finally:
            base.reset()

    def _call(self, step: Any, *args: Any, **kwargs: Any) -> Any:
        base = self.base_metric
        try:
            value = step(*args, **kwargs)
        except Exception:
            # what was right in a batch stays counted, as without a window
            if isinstance(base, StatisticMetric) and base.update_called:
                self._keep()
            base.reset()
            raise
        self._keep()
        base.reset()
        self._computed = None
        return value

    def _keep(self) -> None:
        """Copy the state of the metric into the window."""
        base, slot = self.base_metric, self._num_vals_seen % self.window
        for name, default in base._defaults.items():
            if f"{name}_0" not in self._defaults:  # the first weighted update brings states
                for i in range(self.window):
                    self.add_state(f"{name}_{i}", default, dist_reduce_fx=base._reductions[name])
            state = getattr(base, name)
            with torch.inference_mode(False):
                setattr(self, f"{name}_{slot}", state.clone() if isinstance(state, Tensor) else list(state))
        self._num_vals_seen += 1
