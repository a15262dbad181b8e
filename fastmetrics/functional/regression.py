# SPDX-License-Identifier: Apache-2.0
"""Regression metrics as functions."""

from fastmetrics import regression
from fastmetrics.functional.forms import functional

mean_squared_error = functional(regression.MeanSquaredError, "mean_squared_error", "squared", "num_outputs")
mean_absolute_error = functional(regression.MeanAbsoluteError, "mean_absolute_error", "num_outputs")

__all__ = ["mean_absolute_error", "mean_squared_error"]
