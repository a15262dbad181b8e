# SPDX-License-Identifier: Apache-2.0
"""Scores of a clustering against another, from their contingency table; float64 []."""

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
_EPS = torch.finfo(torch.float32).eps  # torchmetrics' least divisor


def mean_entropy(table: Contingency, method: str) -> Tensor:
    """The mean of the entropies of the two labelings; 1 without samples."""
    if table.cells.numel() == 0:
        return table.cells.new_ones(())
    pair = torch.stack([entropy(table.preds), entropy(table.targets)])
    if method == "geometric":
        return pair.prod().sqrt()
    if method == "arithmetic":
        return pair.mean()
    return pair.amin() if method == "min" else pair.amax()


def normalized_mutual_information(table: Contingency, method: str) -> Tensor:
    """Mutual information over the mean entropy; 0 if there is no information."""
    information = mutual_information(table)
    return torch.where(information <= _EPS, information, information / mean_entropy(table, method))


def adjusted_mutual_information(table: Contingency, method: str) -> Tensor:
    """Mutual information above that of random labelings, over the most that there could be; 1 if they are equal."""
    if 1 < table.cells.numel() == table.targets.numel() == table.preds.numel():
        return table.cells.new_ones(())  # of clusters of one sample each, even if every labeling like that is equal
    expected = expected_mutual_information(table.targets, table.preds)
    room = mean_entropy(table, method) - expected
    room = torch.where(room < 0, room.clamp(max=-_EPS), room.clamp(min=_EPS))
    return (mutual_information(table) - expected) / room


def homogeneity(table: Contingency) -> Tensor:
    """How much of the target's entropy the prediction tells; 1 for a single target, 0 without samples."""
    return _told(table, table.targets) if table.cells.numel() else table.cells.new_zeros(())


def completeness(table: Contingency) -> Tensor:
    """How much of the prediction's entropy the target tells; 1 for a single prediction and without samples."""
    return _told(table, table.preds)


def v_measure(table: Contingency, beta: float) -> Tensor:
    """The weighted harmonic mean of homogeneity and completeness; 0 if both are."""
    h, c = homogeneity(table), completeness(table)
    return torch.where(h + c == 0, 0.0, (1 + beta) * h * c / (beta * h + c))


def _told(table: Contingency, margin: Tensor) -> Tensor:
    if margin.numel() <= 1:
        return margin.new_ones(())
    return mutual_information(table) / entropy(margin)


def rand(table: Contingency) -> Tensor:
    """The share of the pairs of samples that both labelings put together, or both apart; 1 without pairs."""
    both, only_preds, only_target, neither = pairs_of_samples(table)
    agree, differ = both + neither, only_preds + only_target
    return torch.where(differ == 0, 1.0, agree / (agree + differ))


def adjusted_rand(table: Contingency) -> Tensor:
    """The Rand index above that of random labelings, over the most that there could be; 1 if no pair differs."""
    tp, fp, fn, tn = pairs_of_samples(table)
    value = 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))
    return torch.where(fp + fn == 0, 1.0, value)


def fowlkes_mallows(table: Contingency) -> Tensor:
    """The geometric mean of precision and recall over pairs of samples; 0 if no pair is together in both."""
    tp, fp, fn, _ = pairs_of_samples(table)
    return torch.where(tp == 0, 0.0, (tp / (tp + fp)).sqrt() * (tp / (tp + fn)).sqrt())
