# SPDX-License-Identifier: Apache-2.0
"""Classification metrics as functions, made from their classes; ``classification.pyi`` lists them."""

from __future__ import annotations

from collections.abc import Iterator

from fastmetrics import classification
from fastmetrics.classification.base import TaskMetric
from fastmetrics.classification.family import Family
from fastmetrics.functional import fairness
from fastmetrics.functional.forms import Function, functional, of_family, publish

# The arguments that come first, in torchmetrics' order, which is another one than that of the classes.
_FIRST = (
    "beta",
    "num_groups",
    "task",
    "num_classes",
    "k",
    "num_labels",
    "threshold",
    "n_bins",
    "norm",
    "average",
    "top_k",
    "multidim_average",
    "normalize",
    "weights",
    "squared",
    "multiclass_mode",
    "ignore_index",
    "validate_args",
    "zero_division",
)


def _all() -> Iterator[Function]:
    classes = [getattr(classification, name) for name in vars(classification)["__all__"]]
    families = [cls for cls in classes if Family in cls.__mro__]  # issubclass of an abstract class asks all the others
    in_families = {cls for family in families for cls in family.tasks.values()}
    for family in families:
        yield from of_family(family, () if family.ordered else _FIRST)
    for cls in classes:
        if TaskMetric in cls.__mro__ and cls not in in_families and cls is not classification.BinaryFairness:
            yield functional(cls, first=_FIRST)
    for value, lacks in (
        (fairness.binary_fairness, ("num_groups",)),
        (fairness.demographic_parity, ("num_groups", "task", "target")),
        (fairness.equal_opportunity, ("num_groups", "task")),
    ):
        yield functional(classification.BinaryFairness, value.__name__, _FIRST, lacks, value)


publish(__name__, _all())
