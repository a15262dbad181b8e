# SPDX-License-Identifier: Apache-2.0
"""Clustering metrics as functions, made from their classes; ``clustering.pyi`` lists them."""

from fastmetrics import clustering
from fastmetrics.functional.forms import functional, publish

publish(__name__, (functional(getattr(clustering, name), operator=True) for name in vars(clustering)["__all__"]))
