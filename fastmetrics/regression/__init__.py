# SPDX-License-Identifier: Apache-2.0
"""Regression metrics. ``__init__.pyi`` lists them."""

from fastmetrics.docstrings import export
from fastmetrics.regression import correlation, deviance, errors, events, explained, ranks, relative, rows

export(__name__)
