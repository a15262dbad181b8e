# SPDX-License-Identifier: Apache-2.0
"""Statistics of nominal variables."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics.native.transforms import like_inputs
from fastmetrics.passes import multiclass_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.groups import within
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, rows_in_parts
from fastmetrics.statistics.multiclass import MulticlassStatistics


class NominalStatistics(MulticlassStatistics):
    """``confusion`` of two variables whose missing values are NaN.

    Args:
        num_classes: C.
        replacement: the category of a missing value; None skips the sample.
    """

    def __init__(self, num_classes: int, replacement: float | None) -> None:
        super().__init__(num_classes, confusion=True)
        self.replacement = replacement

    def add(self, states: States, batch: Batch, rows: Any = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        inputs = batch[0]
        labels = inputs if inputs[0].dim() == inputs[1].dim() else inputs[1:]
        kept = sum(value.is_floating_point() for value in labels)
        for (some, amounts, counted), of_some in rows_in_parts(kept, rows, batch):
            preds, target, mask = *some, counted
            if preds.dim() == target.dim():
                preds, mask = self._without_nan(preds, mask)
            target, mask = self._without_nan(target, mask)
            super().add(states, ((preds, target), amounts, mask), of_some)

    def counts_groups(self, inputs: Inputs) -> bool:
        """No: a sample whose value is missing is one of its group."""
        return False

    def _without_nan(self, values: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if not values.is_floating_point():
            return values, valid
        missing = values.isnan()
        if self.replacement is not None:
            return torch.where(missing, self.replacement, values), valid
        return torch.where(missing, 0.0, values), ~missing if valid is None else valid & ~missing


def _greatest(stacked: Tensor) -> Tensor:
    return stacked.amax(0)


class RatingStatistics(Statistics):
    """Sums over subjects that were rated by several raters, float64.

    ``categories`` [K]: ratings of each category. ``squares`` []: the squared numbers of ratings that a subject has of a
    category. ``subjects`` []. ``raters`` []: the most ratings of a subject.

    Args:
        num_categories: K. None takes it from the first batch.
        probabilities: read scores [N, K, raters], whose argmax is the rating, instead of counts [N, K].
    """

    weights_in_place = True
    reductions = {"raters": _greatest}
    sized_by = ("categories", "subjects")
    size_name = "categories"
    wrong_size = ValueError

    def __init__(self, num_categories: int | None, probabilities: bool) -> None:
        self.probabilities = probabilities
        self._start(num_categories)

    def _set_size(self, size: int) -> None:
        self.num_categories = self.size = size
        self.shapes = dict.fromkeys(("squares", "subjects", "raters"), ((), torch.float64))
        self.shapes["categories"] = ((size,), torch.float64)

    def size_in(self, inputs: Inputs) -> int:
        """Dimension 1 of the ratings are the categories."""
        return inputs[0].shape[1]

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` on wrong shapes or dtypes."""
        (ratings,) = inputs
        if self.probabilities and (ratings.dim() != 3 or not ratings.is_floating_point()):
            raise ValueError(
                "If argument ``mode`` is 'probs', ratings must have 3 dimensions with the format"
                " [n_samples, n_categories, n_raters] and be floating point."
            )
        if not self.probabilities and (ratings.dim() != 2 or ratings.is_floating_point() or ratings.is_complex()):
            raise ValueError(
                "If argument ``mode`` is `counts`, ratings must have 2 dimensions with the format"
                " [n_samples, n_categories] and be none floating point."
            )
        if ratings.shape[1] == 0:
            raise ValueError(f"Expected ratings of at least one category, but got shape {tuple(ratings.shape)}.")
        if not self.size_from_data and ratings.shape[1] != self.num_categories:
            raise ValueError(
                f"Expected `ratings.shape[1]` to be the number of categories, {self.num_categories}, but got `ratings`"
                f" with shape {tuple(ratings.shape)}."
            )

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """``weights`` or ``valid`` [N], one for each subject."""
        (ratings,) = inputs
        subjects = ratings.new_empty(()).expand(ratings.shape[0])
        return super().per_sample(name, values, (subjects,))

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        kept = (3 if rows is None else 5) * self.num_categories
        for part, of_part in rows_in_parts(kept, rows, batch):
            self._add_subjects(states, part, of_part)

    def _add_subjects(self, states: States, batch: Batch, rows: Tensor | None) -> None:
        (ratings,), weights, valid = batch
        counts, faults = self._counts(ratings), states.get("faults")
        kept = torch.ones_like(counts[:, 0], dtype=torch.bool) if valid is None else valid
        bad = kept.unsqueeze(1) & (counts < 0)
        record_faults(faults, 0, bad, counts)
        kept = kept & ~bad.any(1)
        amount = kept.double()
        if weights is not None:
            amount = torch.where(kept & ~bad_weights(faults, weights, kept), weights, 0.0)
        of_subjects = counts.double()
        if rows is not None:
            add_amounts(states["categories"], rows, amount.unsqueeze(1) * of_subjects)
            add_amounts(states["squares"], rows, amount * of_subjects.square().sum(1))
            add_amounts(states["subjects"], rows, amount)
            for of_slicing in rows:
                row, inside = within(of_slicing, states["raters"].shape[0])
                most = torch.where((amount > 0) & inside, of_subjects.sum(1), 0.0)
                states["raters"].scatter_reduce_(0, row, most, "amax")
            return
        states["categories"].add_(amount @ of_subjects)
        states["squares"].add_((amount * of_subjects.square().sum(1)).sum())
        states["subjects"].add_(amount.sum())
        if counts.shape[0]:
            most = torch.where(amount > 0, of_subjects.sum(1), 0.0).amax()
            states["raters"].copy_(torch.maximum(states["raters"], most))

    def _counts(self, ratings: Tensor) -> Tensor:
        """int64 [N, K]: how many raters chose each category."""
        if not self.probabilities:
            return ratings.to(torch.int64)
        # each rating is a prediction, and its target does not matter
        shape = (ratings.shape[0], self.num_categories, 3)
        counts = like_inputs(torch.zeros(shape, dtype=torch.int64, device=ratings.device), ratings)
        target = torch.zeros(1, dtype=torch.int64, device=ratings.device).expand(ratings.shape[0], ratings.shape[2])
        multiclass_(ratings, target, None, None, counts, None, None, self.num_categories, 0, False)
        return counts[..., 1]

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which counts were negative."""
        return f"expected `ratings` of at least 0, but {count} were not, the first is {first}"
