# SPDX-License-Identifier: Apache-2.0
"""Agreement of two labelings of the same samples, from their contingency table; float64 []."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.formulas.contingency import (
    Contingency,
    entropy,
    expected_mutual_information,
    mutual_information,
    pairs_of_samples,
)

AVERAGE_METHODS = ("min", "geometric", "arithmetic", "max")

# A mean entropy and an expected mutual information that differ by less than this share of the former are equal: the
# expectation has a relative error of about 1e-11.
_ROUNDING = 1e-10


def mean_entropy(table: Contingency, method: str) -> Tensor:
    """The mean of the entropies of the two labelings."""
    pair = torch.stack([entropy(table.preds), entropy(table.targets)])
    if method == "geometric":
        return pair.prod().sqrt()
    if method == "arithmetic":
        return pair.mean()
    return pair.amin() if method == "min" else pair.amax()


def same_partition(table: Contingency) -> bool:
    """Whether both labelings group the samples alike. A single cluster does so on both sides, and so do no samples."""
    return table.cells.numel() == table.targets.numel() == table.preds.numel()


def normalized_mutual_information(table: Contingency, method: str) -> Tensor:
    """Mutual information divided by the mean entropy; 1 for equal partitions, 0 without mutual information."""
    if same_partition(table):
        return table.cells.new_ones(())
    information = mutual_information(table)
    return torch.where(information == 0, 0.0, information / mean_entropy(table, method))


def adjusted_mutual_information(table: Contingency, method: str) -> Tensor:
    """Mutual information, chance-corrected and normalized by its maximum; 1 for equal partitions.

    0 if the mean entropy is what random labelings of the same sizes have as mutual information, so that no labeling
    could do better than chance.
    """
    if same_partition(table):
        return table.cells.new_ones(())
    maximum = mean_entropy(table, method)
    expected = expected_mutual_information(table.targets, table.preds)
    room = maximum - expected
    return torch.where(room <= _ROUNDING * maximum, 0.0, (mutual_information(table) - expected) / room)


def homogeneity(table: Contingency) -> Tensor:
    """The share of the target's entropy that the prediction explains; 1 for a single target and without samples."""
    return _explained_share(table, table.targets)


def completeness(table: Contingency) -> Tensor:
    """The share of the prediction's entropy that the target explains; 1 for a single cluster and without samples."""
    return _explained_share(table, table.preds)


def v_measure(table: Contingency, beta: float) -> Tensor:
    """The weighted harmonic mean of homogeneity and completeness; 0 if both are 0."""
    h, c = homogeneity(table), completeness(table)
    return torch.where(h + c == 0, 0.0, (1 + beta) * h * c / (beta * h + c))


def _explained_share(table: Contingency, margin: Tensor) -> Tensor:
    """Mutual information divided by the entropy of ``margin``; 1 for a single label, which needs no explanation."""
    if margin.numel() <= 1:
        return margin.new_ones(())
    return mutual_information(table) / entropy(margin)


def rand(table: Contingency) -> Tensor:
    """The share of the pairs of samples that both labelings join or both separate; 1 without pairs."""
    both, only_preds, only_target, neither = pairs_of_samples(table)
    agree, differ = both + neither, only_preds + only_target
    return torch.where(differ == 0, 1.0, agree / (agree + differ))


def adjusted_rand(table: Contingency) -> Tensor:
    """The Rand index, chance-corrected and normalized by its maximum; 1 if the labelings agree on all pairs."""
    tp, fp, fn, tn = pairs_of_samples(table)
    value = 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))
    return torch.where(fp + fn == 0, 1.0, value)


def fowlkes_mallows(table: Contingency) -> Tensor:
    """The geometric mean of precision and recall over pairs of samples; 0 if no pair is joined by both labelings."""
    tp, fp, fn, _ = pairs_of_samples(table)
    return torch.where(tp == 0, 0.0, (tp / (tp + fp)).sqrt() * (tp / (tp + fn)).sqrt())
