# SPDX-License-Identifier: Apache-2.0
"""What metrics of pairs share: the dtype of values, and outputs that only the data tell."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from fastmetrics.formulas.moments import MULTIOUTPUT
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics import PairsStatistics
from fastmetrics.statistics.base import Inputs


def positive_outputs(num_outputs: object) -> None:
    """A positive integer."""
    if not (isinstance(num_outputs, int) and num_outputs > 0):
        raise ValueError(f"Expected num_outputs to be a positive integer but got {num_outputs}")


def spread(values: Tensor | None, target: Tensor) -> Tensor | None:
    """What comes per sample, in the shape of the target; what does not fit is left to the check of the statistics."""
    if values is None or values.shape != target.shape[: values.dim()]:
        return values
    return values.reshape(*values.shape, *(1 for _ in target.shape[values.dim() :])).expand(target.shape)


class PairsMetric(StatisticMetric):
    """A formula of the statistics of pairs.

    Sums are float64. Values have the metric's dtype (``set_dtype``), those of a function the dtype of its inputs, or
    the default dtype if they are integers.

    Attributes:
        by_column: the function of the metric takes ``(N, D)`` as D outputs, though it has no argument that says so.
        at_most_2d: inputs are ``(N,)`` or ``(N, D)``.
        wrong_columns: the error if D is another one.
        widens: once a float64 batch of at least so many dimensions came, values are float64; None if never.
    """

    is_differentiable = True
    higher_is_better: bool | None = False
    plot_lower_bound: float | None = 0.0

    by_column = False
    at_most_2d = False
    wrong_columns: type[Exception] = ValueError
    widens: int | None = None

    _statistics: PairsStatistics
    count: Tensor  # [D]

    def __init__(self, asked: dict[str, Any], num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(PairsStatistics(num_outputs, **asked), **kwargs)
        self._wide = False
        self._siblings: dict[tuple[int, ...], PairsMetric] = {}

    def _result(self, value: Tensor) -> Tensor:
        return value.to(torch.float64 if self._wide else self._dtype)

    def _check(
        self,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        any_device: bool = False,
    ) -> Batch:
        preds, target = inputs
        if self.at_most_2d and preds.shape == target.shape:
            if preds.dim() not in (1, 2):
                raise ValueError(
                    f"Expected both predictions and target to be 1- or 2-dimensional, but got {tuple(preds.shape)}."
                )
            if preds.dim() == 2 and preds.shape[1] != self._statistics.num_outputs:
                raise self.wrong_columns(
                    "Expected argument `num_outputs` to match the second dimension of the input, but got"
                    f" {self._statistics.num_outputs} and {preds.shape[1]}."
                )
        checked = super()._check(inputs, weights, valid, any_device)
        if self.widens is not None and torch.float64 in (preds.dtype, target.dtype) and preds.dim() >= self.widens:
            self._wide = True
        return checked

    def reset(self) -> None:
        """Empty the statistics in place; values have the metric's dtype again."""
        super().reset()
        self._wide = False

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch in the dtype of the inputs, or the default dtype if they are integers."""
        (preds, target), _, _ = self.inputs(*args, **kwargs)
        row = tuple(preds.shape[1:])
        if self.by_column and not self._takes(row) and preds.shape == target.shape:
            return self._sibling(row).evaluate(*args, **kwargs)
        value = self._of_function(super().evaluate(*args, **kwargs))
        dtype = torch.promote_types(preds.dtype, target.dtype)
        return value.to(dtype if dtype.is_floating_point else torch.get_default_dtype())

    def _of_function(self, value: Tensor) -> Tensor:
        """The value in the shape that it has as that of a function."""
        return value

    def _takes(self, row: tuple[int, ...]) -> bool:
        """Whether inputs ``(N, *row)`` have the outputs that the statistics have."""
        return prod(row) == self._statistics.num_outputs

    def _sibling(self, row: tuple[int, ...]) -> PairsMetric:
        """The same metric, without data, for inputs ``(N, *row)``."""
        if row not in self._siblings:
            sibling = copy.deepcopy(self)
            sibling._siblings = {}
            sibling._fit(row)
            self._siblings[row] = sibling
        return self._siblings[row]

    def _fit(self, row: tuple[int, ...]) -> None:
        """Take inputs ``(N, *row)`` from now on, with empty statistics if the number of outputs changes."""
        outputs = prod(row)
        if outputs == self._statistics.num_outputs:
            return
        self._statistics.fit(outputs)
        own = self.__dict__
        with torch.inference_mode(False):
            for name, zeros in self._statistics.zeros(self._device).items():
                own[name] = zeros
                own["_defaults"][name] = zeros.clone()


class MultioutputMetric(PairsMetric):
    """A metric of inputs ``(N, ...)`` whose first batch tells the shape of a row, which are its outputs.

    Until then there is one output. A process without data takes part in whatever the others have.
    """

    by_column = True
    widens = 1

    def __init__(self, asked: dict[str, Any], multioutput: str, **kwargs: Any) -> None:
        if multioutput not in MULTIOUTPUT:
            raise ValueError(f"Invalid input to argument `multioutput`. Choose one of the following: {MULTIOUTPUT}")
        super().__init__(asked, 1, **kwargs)
        self.multioutput = multioutput
        self._row: tuple[int, ...] = ()

    def _takes(self, row: tuple[int, ...]) -> bool:
        return row == self._row

    def _fit(self, row: tuple[int, ...]) -> None:
        if prod(row) != self._statistics.num_outputs and self.count.any():
            raise RuntimeError(
                f"{type(self).__name__} has data of {self._statistics.num_outputs} outputs, but now got rows of shape"
                f" {row}. Call `reset` before."
            )
        super()._fit(row)
        self._row = row

    def _check(
        self,
        inputs: Inputs,
        weights: Tensor | None,
        valid: Tensor | None,
        any_device: bool = False,
    ) -> Batch:
        preds, target = inputs
        if preds.shape == target.shape:
            if preds.dim() == 0:
                raise ValueError("Expected both predictions and target to have a dimension of samples.")
            if preds.dim() > 2 and not self.at_most_2d:
                weights, valid = spread(weights, target), spread(valid, target)
                inputs = (preds.flatten(1), target.flatten(1))
                weights, valid = (v if v is None or v.dim() < 2 else v.flatten(1) for v in (weights, valid))
            row = tuple(preds.shape[1:])
            if row != self._row and not (self.at_most_2d and len(row) > 1):
                self._fit(row)
        return super()._check(inputs, weights, valid, any_device)

    def _over_outputs(self, value: Tensor) -> Tensor:
        """A value of all outputs as it is, one of each output [D] in the shape of a row; as a scalar if it is one."""
        row = (-1,) if self._row == () else self._row  # a process without data has seen no row
        return self._result(value.reshape(row) if value.numel() > 1 else value.reshape(()))

    def _of_function(self, value: Tensor) -> Tensor:
        return value.reshape(self._row) if self.multioutput == "raw_values" else value

    # States of other places, whose rows may have another shape than the batches of this one.

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        outputs = incoming_state["count"].shape[0] if "count" in incoming_state else self._statistics.num_outputs
        if outputs != self._statistics.num_outputs:
            if incoming_state["count"].any():
                self._fit((outputs,))
            else:
                incoming_state = {**incoming_state, **self._statistics.zeros(self._device)}
        super()._reduce_states(incoming_state)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        count = state_dict.get(f"{prefix}count")
        if count is not None and count.shape[0] != self._statistics.num_outputs:
            self.reset()
            self._fit((count.shape[0],))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _sync_dist(self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: Any = None) -> None:
        def gather(state: Tensor, *args: Any, **kwargs: Any) -> list[Tensor]:
            gathered = dist_sync_fn(state, *args, **kwargs)
            outputs = max(len(other) for other in gathered)
            if any(len(other) != outputs and other.any() for other in gathered):
                raise RuntimeError(f"{type(self).__name__} has data of different numbers of outputs on its processes.")
            return [o if len(o) == outputs else o.new_zeros((outputs, *o.shape[1:])) for o in gathered]

        super()._sync_dist(gather, process_group)
