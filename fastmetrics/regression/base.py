# SPDX-License-Identifier: Apache-2.0
"""What metrics of pairs share: the dtype of values, and outputs that only the data tell."""

from __future__ import annotations

import copy
from math import prod
from typing import Any

import torch
from torch import Tensor

from fastmetrics.formulas.moments import MULTIOUTPUT
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics import PairsStatistics
from fastmetrics.statistics.base import Inputs


def positive_outputs(num_outputs: object) -> None:
    """A positive integer."""
    if not (isinstance(num_outputs, int) and num_outputs > 0):
        raise ValueError(f"Expected num_outputs to be a positive integer but got {num_outputs}")


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

    def __init__(self, asked: dict[str, Any], num_outputs: int | None = 1, **kwargs: Any) -> None:
        super().__init__(PairsStatistics(num_outputs, **asked), **kwargs)
        self._wide = False
        self._siblings: dict[tuple[int, ...], PairsMetric] = {}

    def _result(self, value: Tensor) -> Tensor:
        return value.to(torch.float64 if self._wide else self._dtype)

    def _accept(self, inputs: Inputs) -> None:
        preds, target = inputs
        if not self.at_most_2d or preds.shape != target.shape:
            return
        if preds.dim() not in (1, 2):
            raise ValueError(
                f"Expected both predictions and target to be 1- or 2-dimensional, but got {tuple(preds.shape)}."
            )
        statistics = self._statistics
        if preds.dim() == 2 and not statistics.outputs_from_data and preds.shape[1] != statistics.num_outputs:
            raise self.wrong_columns(
                "Expected argument `num_outputs` to match the second dimension of the input, but got"
                f" {statistics.num_outputs} and {preds.shape[1]}."
            )

    def _prepare(self, inputs: Inputs) -> None:
        preds, target = inputs
        if self.widens is not None and torch.float64 in (preds.dtype, target.dtype) and preds.dim() >= self.widens:
            self._wide = True

    def _forget(self, own: dict[str, Any]) -> None:
        super()._forget(own)
        own["_wide"] = False

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
            sibling.reset()
            sibling._siblings = {}
            sibling._fit(row)
            self._siblings[row] = sibling
        return self._siblings[row]

    def _fit(self, row: tuple[int, ...]) -> None:
        """Take inputs ``(N, *row)`` from now on, with empty statistics if the number of outputs changes."""
        outputs = prod(row)
        if outputs != self._statistics.num_outputs:
            self._leave()
            self._statistics = self._statistics.resized(outputs)
            own = self.__dict__
            with torch.inference_mode(False):
                for name, zeros in self._statistics.zeros(self._device).items():
                    own[name] = zeros
                    own["_defaults"][name] = zeros.clone()
        self._statistics.told = True


class TargetsMetric(PairsMetric):
    """A metric of pairs that calls its target ``targets``, as torchmetrics does."""

    inputs_options = ()

    def inputs(
        self, preds: Tensor, targets: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See :meth:`StatisticMetric.inputs`."""
        return (preds, targets), weights, valid


class MultioutputMetric(PairsMetric):
    """A metric of inputs ``(N, ...)`` whose first batch tells the shape of a row, which are its outputs.

    Until then there is one output. A process without data takes part in whatever the others have.
    """

    by_column = True
    widens = 1

    def __init__(self, asked: dict[str, Any], multioutput: str, **kwargs: Any) -> None:
        if multioutput not in MULTIOUTPUT:
            raise ValueError(f"Invalid input to argument `multioutput`. Choose one of the following: {MULTIOUTPUT}")
        super().__init__(asked, None, **kwargs)
        self.multioutput = multioutput
        self._row: tuple[int, ...] = ()

    def _takes(self, row: tuple[int, ...]) -> bool:
        return row == self._row and self._statistics.told and super()._takes(row)

    def _accept(self, inputs: Inputs) -> None:
        super()._accept(inputs)
        preds, target = inputs
        if preds.shape != target.shape:
            return
        if preds.dim() == 0:
            raise ValueError("Expected both predictions and target to have a dimension of samples.")
        self._require_room(tuple(preds.shape[1:]))

    def _require_room(self, row: tuple[int, ...]) -> None:
        """Raise if there is data of another number of outputs than that of a row."""
        if prod(row) != self._statistics.num_outputs and self.count.any():
            raise RuntimeError(
                f"{type(self).__name__} has data of {self._statistics.num_outputs} outputs, but now got rows of shape"
                f" {row}. Call `reset` before."
            )

    def _prepare(self, inputs: Inputs) -> None:
        super()._prepare(inputs)
        row = tuple(inputs[0].shape[1:])
        if not self._takes(row):
            self._fit(row)

    def _fit(self, row: tuple[int, ...]) -> None:
        self._require_room(row)
        super()._fit(row)
        self._row = row

    def _over_outputs(self, value: Tensor) -> Tensor:
        """A value of all outputs as it is, one of each output [D] in the shape of a row; as a scalar if it is one."""
        if value.numel() == 1:
            return self._result(value.reshape(()))
        # a process without data has seen no row, or other ones
        return self._result(value.reshape(self._row if prod(self._row) == value.numel() else (-1,)))

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
            self._leave()
            self.reset()
            self._fit((count.shape[0],))
        super()._load_from_state_dict(state_dict, prefix, *args)
