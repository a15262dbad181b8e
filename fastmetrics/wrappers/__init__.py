# SPDX-License-Identifier: Apache-2.0
"""Metrics around other metrics."""

from fastmetrics.wrappers.paired import PairedComparison
from fastmetrics.wrappers.running import Running

__all__ = ["PairedComparison", "Running"]
