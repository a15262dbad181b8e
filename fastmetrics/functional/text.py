# SPDX-License-Identifier: Apache-2.0
"""Metrics of language models as functions, made from their classes; ``text.pyi`` lists them."""

from fastmetrics import text
from fastmetrics.functional.forms import functional, publish

publish(__name__, (functional(getattr(text, name)) for name in vars(text)["__all__"]))
