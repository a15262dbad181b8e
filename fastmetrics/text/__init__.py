# SPDX-License-Identifier: Apache-2.0
"""Metrics of language models. ``__init__.pyi`` lists them."""

from fastmetrics.docstrings import export
from fastmetrics.text import calibration, perplexity, tokens

export(__name__)
