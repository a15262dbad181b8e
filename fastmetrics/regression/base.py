# SPDX-License-Identifier: Apache-2.0
"""What metrics of pairs share: the dtype of values, and outputs that the first batch fixes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor

from fastmetrics import dtypes
from fastmetrics.formulas.errors import mean_error
from fastmetrics.formulas.intervals import Pair, normal
from fastmetrics.formulas.moments import MULTIOUTPUT
from fastmetrics.intervals import ClosedForm, IntervalMethods, gradients
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.regression import delta
from fastmetrics.statistics import PairsStatistics, Statistics
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
        by_column: the functional form takes ``(N, D)`` as D outputs, though it has no argument that says so.
        at_most_2d: inputs are ``(N,)`` or ``(N, D)``.
        wrong_columns: the error if D is another one.
        float64_from: once a float64 batch of at least so many dimensions came, values are float64; None if never.
    """

    is_differentiable = True
    higher_is_better: bool | None = False
    plot_lower_bound: float | None = 0.0
    plot_upper_bound: float | None = None

    by_column = False
    at_most_2d = False
    wrong_columns: type[Exception] = ValueError
    float64_from: int | None = None

    count: Tensor  # [D]

    def __init__(self, asked: dict[str, Any], num_outputs: int | None = 1, **kwargs: Any) -> None:
        super().__init__(PairsStatistics(num_outputs, **asked), **kwargs)

    def _result(self, value: Tensor) -> Tensor:
        wide = self.float64_from is not None and self._reader.accumulator.float64_dims >= self.float64_from
        return value.to(torch.float64 if wide else self._dtype)

    def _accept(self, inputs: Inputs, statistics: Statistics) -> None:
        preds, target = inputs
        if not self.at_most_2d or preds.shape != target.shape:
            return
        if preds.dim() not in (1, 2):
            raise ValueError(
                f"Expected both predictions and target to be 1- or 2-dimensional, but got {tuple(preds.shape)}."
            )
        if preds.dim() == 2 and not statistics.size_from_data and preds.shape[1] != statistics.size:
            raise self.wrong_columns(
                "Expected argument `num_outputs` to match the second dimension of the input, but got"
                f" {statistics.size} and {preds.shape[1]}."
            )

    #: Whether the value is the same of data that is there twice.
    of_means = True

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        kept = "monomials" in states or "squares" in states
        return {"delta": ClosedForm(partial(self._delta, states), self._ends)} if kept and self.of_means else {}

    def _delta(self, states: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The value and its standard error, which is that of its first-order change by each pair."""
        value, slopes = gradients(self.formula, states, self._names_of_formula())
        outputs = len(states["count"])
        if value.numel() != outputs:
            raise ValueError(
                f"{self._label()}: there is no interval of a mean over {outputs} outputs, since how they go together is"
                " not kept. A metric of each output has one, and so have groups of samples that are resampled, with"
                " `clusters`."
            )
        statistics = self._statistics
        assert isinstance(statistics, PairsStatistics)
        variance = delta.variance(states, slopes, [*statistics.asked])
        return value.double(), variance.clamp(min=0).sqrt().reshape(value.shape)

    def _ends(self, value: Tensor, error: Tensor, level: float) -> Pair:
        low, high = normal(value, error, level)
        least, greatest = self.plot_lower_bound, self.plot_upper_bound
        return low if least is None else low.clamp(min=least), high if greatest is None else high.clamp(max=greatest)

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return dtypes.of_values(inputs)

    def _of_function(self, statistics: Statistics, inputs: Inputs) -> Statistics:
        """The statistics that the functional form has: with ``by_column``, an output for each column."""
        preds, target = inputs
        if not self.by_column or statistics.size_from_data or preds.shape != target.shape:
            return statistics
        outputs = prod(preds.shape[1:])
        return statistics if outputs == statistics.size else statistics.resized(outputs)


class MeanOfErrors(PairsMetric):
    """The mean of errors of one kind, over all pairs."""

    #: The statistic that is their sum.
    error: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({self.error: True}, **kwargs)

    def formula(self, count: Tensor, **errors: Tensor) -> Tensor:
        """The mean."""
        return self._result(mean_error(errors[self.error], count))


class ErrorsOfOutputs(MeanOfErrors):
    """The same of each output."""

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        positive_outputs(num_outputs)
        super().__init__(num_outputs=num_outputs, **kwargs)
        self.num_outputs = num_outputs


class TargetsMetric(PairsMetric):
    """A metric of pairs that calls its target ``targets``, as torchmetrics does."""

    inputs_options = ()

    def inputs(
        self, preds: Tensor, targets: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See :meth:`StatisticMetric.inputs`."""
        return (preds, targets), weights, valid


class MultioutputMetric(PairsMetric):
    """A metric of inputs ``(N, ...)`` whose first batch fixes the shape of a row, which are its outputs.

    Until then there is one output. A process without data takes part in whatever the others have.
    """

    by_column = True
    float64_from = 1

    def __init__(self, asked: dict[str, Any], multioutput: str, **kwargs: Any) -> None:
        if multioutput not in MULTIOUTPUT:
            raise ValueError(f"Invalid input to argument `multioutput`. Choose one of the following: {MULTIOUTPUT}")
        super().__init__(asked, None, **kwargs)
        self.multioutput = multioutput

    def _accept(self, inputs: Inputs, statistics: Statistics) -> None:
        super()._accept(inputs, statistics)
        if inputs[0].dim() == 0 == inputs[1].dim():
            raise ValueError("Expected both predictions and target to have a dimension of samples.")

    def _over_outputs(self, value: Tensor) -> Tensor:
        """A value of all outputs as it is, one of each output [D] in the shape of a row; as a scalar if it is one."""
        if value.numel() == 1:
            return self._result(value.reshape(()))
        # a process without data has seen no row, or other ones
        row = self._reader.accumulator.row
        return self._result(value.reshape(row if prod(row) == value.numel() else (-1,)))

    def evaluate(self, *args: Any, **kwargs: Any) -> Tensor:
        """The value of one batch; that of each output has the shape of a sample."""
        value: Tensor = super().evaluate(*args, **kwargs)
        preds = self.inputs(*args, **kwargs)[0][0]
        return value.reshape(preds.shape[1:]) if self.multioutput == "raw_values" else value
