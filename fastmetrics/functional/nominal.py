# SPDX-License-Identifier: Apache-2.0
"""Metrics of nominal variables as functions, made from their classes; ``nominal.pyi`` lists them.

Categories may be any numbers here: they are found in the data.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from fastmetrics import nominal
from fastmetrics.functional.evaluation import Options
from fastmetrics.functional.forms import Function, functional, of_columns, publish

# what is printed in the examples of matrices
_MATRICES = {
    nominal.CramersV: "[[1.0000, 0.0000, 0.7071], [0.0000, 1.0000, 0.0000], [0.7071, 0.0000, 1.0000]]",
    nominal.TschuprowsT: "[[1.0000, 0.0000, 0.7071], [0.0000, 1.0000, 0.0000], [0.7071, 0.0000, 1.0000]]",
    nominal.PearsonsContingencyCoefficient: (
        "[[1.0000, 0.7454, 0.7071], [0.7454, 1.0000, 0.5774], [0.7071, 0.5774, 1.0000]]"
    ),
    nominal.TheilsU: "[[1.0000, 0.6667, 0.6667], [0.6667, 1.0000, 0.3333], [1.0000, 0.5000, 1.0000]]",
}


def _fleiss_kappa(options: Options, ratings: Tensor, weights: Tensor | None, valid: Tensor | None) -> Tensor:
    (mode,) = options
    return nominal.FleissKappa(mode, ratings.shape[1] if ratings.dim() > 1 else None).evaluate(ratings, weights, valid)


def _all() -> Iterator[Function]:
    for cls in (getattr(nominal, name) for name in vars(nominal)["__all__"]):
        if cls is nominal.FleissKappa:
            yield functional(cls, without=("num_categories",), value=_fleiss_kappa, operator=True)
        else:
            pair = functional(cls, without=("num_classes",), value=cls.of_any_categories, operator=True)
            yield from (pair, of_columns(pair, cls is not nominal.TheilsU, _MATRICES[cls]))


publish(__name__, _all())
