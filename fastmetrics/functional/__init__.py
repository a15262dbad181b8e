# SPDX-License-Identifier: Apache-2.0
"""Metrics as functions: the value of one batch. ``__init__.pyi`` lists them."""

from fastmetrics import classification as _classes
from fastmetrics.classification.family import general as _general
from fastmetrics.functional import (
    classification,
    clustering,
    nominal,
    pairwise,
    regression,
    retrieval,
    segmentation,
    shape,
    text,
)
from fastmetrics.functional.forms import snake_case as _snake_case

# as in torchmetrics: classification by the names that say no task, and all of nominal, pairwise and regression, and of
# retrieval but for `retrieval_auroc`
_names = {
    classification: [_snake_case(name) for name in _general(vars(_classes)["__all__"])],
    nominal: vars(nominal)["__all__"],
    pairwise: vars(pairwise)["__all__"],
    regression: vars(regression)["__all__"],
    retrieval: [name for name in vars(retrieval)["__all__"] if name != "retrieval_auroc"],
}
globals().update({name: getattr(module, name) for module, names in _names.items() for name in names})

__all__ = [
    "classification",
    "clustering",
    "nominal",
    "pairwise",
    "regression",
    "retrieval",
    "segmentation",
    "shape",
    "text",
]
__all__ += [name for names in _names.values() for name in names]
