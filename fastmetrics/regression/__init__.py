# SPDX-License-Identifier: Apache-2.0
"""Regression metrics."""

from fastmetrics.regression.errors import MeanAbsoluteError, MeanSquaredError

__all__ = ["MeanAbsoluteError", "MeanSquaredError"]
