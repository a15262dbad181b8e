# SPDX-License-Identifier: Apache-2.0
"""Binary decisions about groups of people: their rates, and how far these are apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import arguments
from fastmetrics.formulas import groups as formulas
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics import BinaryGroupStatistics

_TASKS = ("demographic_parity", "equal_opportunity", "all")


class _BinaryGroups(StatisticMetric):
    """A metric of tp, fp, tn and fn of each group."""

    is_differentiable = False
    higher_is_better = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def __init__(
        self,
        num_groups: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if validate_args:
            arguments.threshold(threshold)
            arguments.ignore_index(ignore_index)
        arguments.logits(logits)
        if not isinstance(num_groups, int) or num_groups < 1:
            raise ValueError(f"Expected argument `num_groups` to be an int larger than 0, but got {num_groups}")
        statistics = BinaryGroupStatistics(
            num_groups, threshold=threshold, logits=logits, ignore_index=ignore_index, validate=validate_args
        )
        super().__init__(statistics, **kwargs)
        self.num_groups = num_groups
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.validate_args = validate_args
        self.logits = logits

    def inputs(  # type: ignore[override]
        self,
        preds: Tensor,
        target: Tensor,
        groups: Tensor,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Batch:
        """What the statistics read of the arguments of ``update``.

        Args:
            preds: float scores or 0/1 labels ``[N, ...]``.
            target: 0/1 labels, same shape.
            groups: integers in ``[0, num_groups)``, of the shape of ``target`` or of its first dimensions.
            weights: see :meth:`fastmetrics.metric.StatisticMetric.inputs`.
            valid: likewise.
        """
        return (preds, groups, target), weights, valid


class BinaryGroupStatRates(_BinaryGroups):
    """The rates of tp, fp, tn and fn in each group: a dict of ``group_<i>``, float32 ``(4,)``.

    A group without samples has rates of NaN.

    Args:
        num_groups: how many groups there are.
        threshold: in [0, 1]; a probability above it is positive.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        logits: as of :class:`~fastmetrics.classification.base.BinaryCounts`.
        kwargs: those of :class:`fastmetrics.Metric`.

    Example:
        >>> import torch
        >>> from fastmetrics.classification import BinaryGroupStatRates
        >>> preds, target = torch.tensor([0.11, 0.84, 0.22, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> groups = torch.tensor([0, 1, 0, 1, 0, 1])
        >>> BinaryGroupStatRates(num_groups=2)(preds, target, groups)
        {'group_0': tensor([0., 0., 1., 0.]), 'group_1': tensor([1., 0., 0., 0.])}
    """

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
        super().__init__(num_groups, threshold, ignore_index, validate_args, logits, **kwargs)

    def formula(self, group_counts: Tensor) -> dict[str, Tensor]:
        """From int64 [G, 4]."""
        return formulas.rates(group_counts)


class BinaryFairness(_BinaryGroups):
    """How far the decisions about groups are apart: the lowest rate of a group over the highest.

    The value is a dict: ``DP_<a>_<b>`` for demographic parity, of the shares of positive decisions, and ``EO_<a>_<b>``
    for equal opportunity, of the true positive rates; a is the group with the lowest rate and b that with the highest.
    The figures are float32 ``()``.

    Args:
        num_groups: how many groups there are.
        task: ``demographic_parity`` (``target`` may be None), ``equal_opportunity`` or ``all``.
        threshold: in [0, 1]; a probability above it is positive.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise. Values out of range are never counted.
        logits: as of :class:`~fastmetrics.classification.base.BinaryCounts`.
        kwargs: those of :class:`fastmetrics.Metric`.

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
        super().__init__(num_groups, threshold, ignore_index, validate_args, logits, **kwargs)
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

    def formula(self, group_counts: Tensor) -> dict[str, Tensor]:
        """From int64 [G, 4]."""
        found: dict[str, Tensor] = {}
        if self.task != "equal_opportunity":
            found |= formulas.demographic_parity(group_counts)
        if self.task != "demographic_parity":
            found |= formulas.equal_opportunity(group_counts)
        return found
