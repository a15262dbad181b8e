# SPDX-License-Identifier: Apache-2.0
"""Metrics of shapes."""

from fastmetrics.shape.procrustes import ProcrustesDisparity

__all__ = ["ProcrustesDisparity"]
