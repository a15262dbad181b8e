# SPDX-License-Identifier: Apache-2.0
"""What gives the values of the functions of :class:`~fastmetrics.classification.BinaryFairness`."""

from __future__ import annotations

import torch
from torch import Tensor

from fastmetrics.classification import BinaryFairness
from fastmetrics.functional.evaluation import Options, metric

_NAMES = ("num_groups", "task", "threshold", "ignore_index", "validate_args", "logits")


def binary_fairness(
    options: Options,
    preds: Tensor,
    target: Tensor | None,
    groups: Tensor,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """The result numbers the groups in the ascending order of their identifiers. To find them it waits for the device.

    Inputs:
        groups: integers of any values, of the shape of ``target`` or of its first dimensions.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import binary_fairness
        >>> preds, target = torch.tensor([0.11, 0.84, 0.22, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> binary_fairness(preds, target, torch.tensor([0, 1, 0, 1, 0, 1]))
        {'DP_0_1': tensor(0.), 'EO_0_1': tensor(0.)}
    """
    found, numbered = torch.unique(groups, return_inverse=True)
    of_groups = metric(BinaryFairness, "binary_fairness", _NAMES, (max(1, found.numel()), *options))
    return of_groups.evaluate(preds, target, numbered, weights, valid)  # type: ignore[no-any-return]


def demographic_parity(
    options: Options, preds: Tensor, groups: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
) -> dict[str, Tensor]:
    """It is the lowest share of positive decisions in a group over the highest.

    Inputs:
        groups: integers of any values, of the shape of ``preds`` or of its first dimensions.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import demographic_parity
        >>> demographic_parity(torch.tensor([0.11, 0.84, 0.72, 0.73]), torch.tensor([0, 1, 0, 1]))
        {'DP_0_1': tensor(0.5000)}
    """
    return binary_fairness(("demographic_parity", *options), preds, None, groups, weights, valid)


def equal_opportunity(
    options: Options,
    preds: Tensor,
    target: Tensor,
    groups: Tensor,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """It is the lowest true positive rate of a group over the highest.

    Inputs:
        target: 0/1 labels of the same shape.
        groups: integers of any values, of the shape of ``target`` or of its first dimensions.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import equal_opportunity
        >>> preds, target = torch.tensor([0.11, 0.84, 0.72, 0.73]), torch.tensor([1, 1, 1, 0])
        >>> equal_opportunity(preds, target, torch.tensor([0, 1, 0, 1]))
        {'EO_0_1': tensor(0.5000)}
    """
    return binary_fairness(("equal_opportunity", *options), preds, target, groups, weights, valid)
