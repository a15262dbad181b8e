# SPDX-License-Identifier: Apache-2.0
"""Binary decisions about groups of people: their rates, and how far these are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import arguments
from fastmetrics.classification.base import BinaryTask
from fastmetrics.formulas import groups as formulas
from fastmetrics.intervals import IntervalMethods
from fastmetrics.metric import Batch
from fastmetrics.statistics import BinaryStatistics

_TASKS = ("demographic_parity", "equal_opportunity", "all")


class _BinaryGroups(BinaryTask):
    """A metric of tp, fp, tn and fn of each group.

    Args:
        num_groups: how many groups there are.

    Inputs:
        groups: integers in ``[0, num_groups)``, of the shape of ``target`` or of its first dimensions.
    """

    higher_is_better = False
    formula_of_groups = True

    def __init__(
        self,
        num_groups: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
        arguments.logits(logits)
        if not isinstance(num_groups, int) or num_groups < 1:
            raise ValueError(f"Expected argument `num_groups` to be an int larger than 0, but got {num_groups}")
        statistics = BinaryStatistics(
            threshold=threshold, logits=logits, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, ignore_index, validate_args, num_groups=num_groups, **kwargs)
        self.num_groups = num_groups
        self.threshold = threshold
        self.logits = logits

    def inputs(  # type: ignore[override]
        self,
        preds: Tensor,
        target: Tensor,
        groups: Tensor,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Batch:
        """What the statistics read of the arguments of ``update``; see the class."""
        return (preds, target, groups), weights, valid

    def _interval_methods(self, states: Mapping[str, Tensor]) -> IntervalMethods:
        """There is none of groups."""
        return {}


class BinaryGroupStatRates(_BinaryGroups):
    """The rates of tp, fp, tn and fn in each group.

    Returns:
        a dict of ``group_<i>``, float32 ``(4,)``; NaN for a group without samples.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryGroupStatRates
        >>> from fastmetrics.functional.classification import binary_groups_stat_rates
        >>> preds, target = torch.tensor([0.11, 0.84, 0.22, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> groups = torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryGroupStatRates(num_groups=2)(preds, target, groups)
        {'group_0': tensor([0., 0., 1., 0.]), 'group_1': tensor([1., 0., 0., 0.])}
        >>> binary_groups_stat_rates(preds, target, groups, num_groups=2)
        {'group_0': tensor([0., 0., 1., 0.]), 'group_1': tensor([1., 0., 0., 0.])}
    """

    def formula(self, counts: Tensor) -> dict[str, Tensor]:
        """From int64 [G, 1, 4]."""
        return formulas.rates(counts.squeeze(1))


class BinaryFairness(_BinaryGroups):
    """How far the decisions about groups differ: the lowest rate of a group over the highest.

    Args:
        task: ``demographic_parity``, of the shares of positive decisions; ``equal_opportunity``, of the true positive
            rates; or ``all``.

    Inputs:
        target: 0/1 labels of the same shape; None for demographic parity.

    Returns:
        a dict of float32 ``()``: ``DP_<a>_<b>`` for demographic parity and ``EO_<a>_<b>`` for equal opportunity, where
        a is the group with the lowest rate and b that with the highest.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryFairness
        >>> preds, target = torch.tensor([0.11, 0.84, 0.22, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> groups = torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryFairness(num_groups=2)(preds, target, groups)
        {'DP_0_1': tensor(0.), 'EO_0_1': tensor(0.)}
    """

    def __init__(
        self,
        num_groups: int,
        task: str = "all",
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if task not in _TASKS:
            raise ValueError(
                "Expected argument `task` to either be ``demographic_parity``, ``equal_opportunity`` or ``all`` but got"
                f" {task}."
            )
        super().__init__(num_groups, threshold, ignore_index, validate_args, logits=logits, **kwargs)
        self.task = task

    def inputs(  # type: ignore[override]
        self,
        preds: Tensor,
        target: Tensor | None,
        groups: Tensor,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Batch:
        """What the statistics read of the arguments of ``update``; demographic parity looks at no ``target``."""
        if self.task == "demographic_parity":
            if target is not None:
                rank_zero_warn("The task demographic_parity does not require a target.", UserWarning)
            target = torch.zeros_like(preds, dtype=torch.int64)
        if target is None:
            raise ValueError(f"Expected a `target`: the task {self.task} compares decisions with it.")
        return super().inputs(preds, target, groups, weights, valid)

    def formula(self, counts: Tensor) -> dict[str, Tensor]:
        """From int64 [G, 1, 4]."""
        group_counts = counts.squeeze(1)
        found: dict[str, Tensor] = {}
        if self.task != "equal_opportunity":
            found |= formulas.demographic_parity(group_counts)
        if self.task != "demographic_parity":
            found |= formulas.equal_opportunity(group_counts)
        return found
