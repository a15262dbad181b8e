# SPDX-License-Identifier: Apache-2.0
"""Metrics of clusterings, against a target or of the points themselves. ``__init__.pyi`` lists them."""

from fastmetrics.clustering import cluster_accuracy, information, pairs, points
from fastmetrics.docstrings import export

export(__name__)
