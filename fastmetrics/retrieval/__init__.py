# SPDX-License-Identifier: Apache-2.0
"""Metrics of retrieval and recommendation. ``__init__.pyi`` lists them."""

from fastmetrics.docstrings import export
from fastmetrics.retrieval import auroc, curve, first, gains, shares

export(__name__)
