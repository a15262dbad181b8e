# SPDX-License-Identifier: Apache-2.0
"""Statistics of class scores, or labels, and a target."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fastmetrics.passes import multiclass_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.faults import bad_weights
from fastmetrics.passes.groups import Rows, as_passes_take
from fastmetrics.statistics.base import (
    GROUP_SAMPLES,
    Batch,
    Call,
    Inputs,
    States,
    Statistics,
    as_batch,
    as_labels,
    real_on_one_device,
    rows_in_parts,
    shown,
)
from fastmetrics.statistics.resampling import (
    Resampling,
    cells,
    confusion_matrix,
    margins,
    one_against_all,
    right_and_wrong,
)

#: The most classes of which the confusion matrix is kept for intervals: 128 MiB.
JOINT_CLASSES = 4096


class MulticlassStatistics(Statistics):
    """Confusion matrix, per-class counts and target ranks; see :func:`fastmetrics.passes.multiclass.multiclass_body`.

    Args:
        num_classes: C. None reads labels of any range, or scores of any number of classes, and has only the sums of
            the counts over all classes: ``counts`` is ``[1, 3]``.
        confusion: ask for ``confusion`` [C, C].
        counts: ask for ``counts`` [C, 3].
        totals: ask for the sums of ``counts`` over all classes, [1, 3]; where nothing else is asked for, and samples
            are not counted separately. Else there are ``counts`` [C, 3], which have the sums.
        top_k: above 1, ask for ``ranks`` [C, top_k, 2].
        rank_histogram: ask for ``rank_histogram`` [C].
        ignore_index: a target that is skipped.
        samplewise: count each sample of dimension 0 separately.
        validate: record labels out of range.
    """

    lacks_joint = (
        "Counts of classes do not say which errors occur: `intervals=True` keeps the confusion matrix, of at most"
        f" {JOINT_CLASSES} classes, and so does a collection with a metric of it; `method='margins'` takes the wrong"
        " predictions for independent of their targets. With `top_k` above 1 only `average='micro'` has intervals."
    )

    def __init__(
        self,
        num_classes: int | None,
        *,
        confusion: bool = False,
        counts: bool = False,
        totals: bool = False,
        top_k: int = 1,
        rank_histogram: bool = False,
        ignore_index: int | None = None,
        samplewise: bool = False,
        validate: bool = True,
    ) -> None:
        self.num_classes = num_classes
        self.top_k = top_k
        self.ignore_index = ignore_index
        self.samplewise = samplewise
        self.validate = validate
        c = 1 if num_classes is None else num_classes
        self.shapes = {}
        if confusion:
            self.shapes["confusion"] = ((c, c), torch.int64)
        if counts or totals:
            others = counts or confusion or top_k > 1 or rank_histogram or samplewise
            self.shapes["counts"] = ((c if others else 1, 3), torch.int64)
        if top_k > 1:
            self.shapes["ranks"] = ((c, top_k, 2), torch.int64)
        if rank_histogram:
            self.shapes["rank_histogram"] = ((c,), torch.int64)

    @property
    def key(self) -> Any:
        """Every option but which statistics are asked for."""
        return self.options_but("top_k")

    def _joined(self, other: Any) -> Statistics:
        """Scores are needed where either needs them, and sums over all classes are counted alone."""
        self.top_k = max(self.top_k, other.top_k)
        if self.has_totals and len(self.shapes) > 1:
            self.shapes["counts"] = ((self.num_classes or 1, 3), torch.int64)
        return self

    @property
    def has_totals(self) -> bool:
        """Whether ``counts`` are asked for as sums over all classes, which may be one."""
        return "counts" in self.shapes and self.shapes["counts"][0][0] == 1

    def fits(self, name: str, state: Tensor) -> bool:
        """Counts of classes have their sums."""
        of_classes = name == "counts" and self.has_totals and tuple(state.shape) == (self.num_classes, 3)
        return of_classes or super().fits(name, state)

    def view(self, name: str, state: Tensor) -> Tensor:
        """Counts of classes as they are: formulas sum them."""
        return state if name == "counts" else super().view(name, state)

    def exactly(self, name: str, state: Tensor) -> Tensor:
        """Counts of classes summed, if that is asked for."""
        if name == "counts" and self.has_totals and state.shape[-2] != 1:
            return state.sum(-2, keepdim=True)
        return self.view(name, state)

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` on wrong shapes or dtypes, ``RuntimeError`` on different devices."""
        preds, target = inputs
        preds_shape, target_shape = preds.shape, target.shape
        if len(preds_shape) == len(target_shape) + 1:
            if not preds.is_floating_point():
                raise ValueError(
                    "If `preds` have one dimension more than `target`, `preds` should be a float tensor,"
                    f" but got {preds.dtype}."
                )
            if len(preds_shape) < 2 or (self.num_classes is not None and preds_shape[1] != self.num_classes):
                raise ValueError(
                    "If `preds` have one dimension more than `target`, `preds.shape[1]` should be equal to number of"
                    f" classes, {self.num_classes}, but got `preds` with shape={tuple(preds_shape)}."
                )
            if preds_shape[0] != target_shape[0] or preds_shape[2:] != target_shape[1:]:
                raise ValueError(
                    "If `preds` have one dimension more than `target`, the shape of `preds` should be (N, C, ...), and"
                    f" the shape of `target` should be (N, ...), but got `preds` with shape={tuple(preds_shape)} and"
                    f" `target` with shape={tuple(target_shape)}."
                )
            if self.samplewise and len(preds_shape) < 3:
                raise ValueError(
                    "If `preds` have one dimension more than `target`, the shape of `preds` should be at least 3D when"
                    " multidim_average is set to `samplewise`"
                )
        elif len(preds_shape) == len(target_shape):
            if preds_shape != target_shape:
                raise ValueError(
                    "The `preds` and `target` should have the same shape, got `preds` with"
                    f" shape={tuple(preds_shape)} and `target` with shape={tuple(target_shape)}."
                )
            one_hot = len(preds_shape) > 1 and preds_shape[1] == self.num_classes
            if one_hot and preds.is_floating_point() and not target.is_floating_point():
                raise ValueError(
                    f"Expected `target` to be class indices of shape {(preds_shape[0], *preds_shape[2:])} for scores of"
                    f" shape {tuple(preds_shape)}, but got that shape. One-hot targets become indices by"
                    " `target.argmax(1)`."
                )
            if self.samplewise and len(preds_shape) < 2:
                raise ValueError(
                    "When `preds` and `target` have the same shape, the shape of `preds` should be at least 2D when"
                    " multidim_average is set to `samplewise`"
                )
            if "ranks" in self.shapes or "rank_histogram" in self.shapes:
                why = f"`top_k={self.top_k}`" if self.top_k > 1 else "The metric"
                raise ValueError(
                    f"{why} ranks the classes of a sample: `preds` should be scores of shape"
                    f" (N, C, ...), but got labels with shape={tuple(preds_shape)}."
                )
        else:
            raise ValueError(
                "Either `preds` and `target` both should have the (same) shape (N, ...), or `target` should be"
                f" (N, ...) and `preds` should be (N, C, ...), but got `preds` with shape={tuple(preds_shape)} and"
                f" `target` with shape={tuple(target_shape)}."
            )
        real_on_one_device(preds, target)

    def call(self, states: States, batch: Batch, rows: Rows | None = None) -> Call | None:
        """The multiclass pass, where labels are integers of a known range."""
        ((preds, target), weights, valid), rows = as_batch(batch, rows)
        labels = preds.dim() == target.dim()
        if self.num_classes is None or target.is_floating_point() or (labels and preds.is_floating_point()):
            return None
        options = self._options(states)
        if weights is None and rows is None:
            return multiclass_, (preds, target, valid, *options)
        given, *others = (None,) if rows is None else as_passes_take(rows, target.shape)
        return multiclass_, (preds, target, valid, *options, weights, given, states.get(GROUP_SAMPLES), *others)

    def _options(self, states: States) -> tuple[Any, ...]:
        """The states and options, as the passes take them."""
        ignore_index = self.ignore_index
        return (
            states.get("confusion"),
            states.get("counts"),
            states.get("ranks"),
            states.get("faults"),
            self.num_classes,
            0 if ignore_index is None else ignore_index,
            ignore_index is not None,
            states.get("rank_histogram"),
        )

    def counts_groups(self, inputs: Inputs) -> bool:
        """Where labels are integers of a known range."""
        preds, target = inputs
        converted = target.is_floating_point() or (preds.dim() == target.dim() and preds.is_floating_point())
        return self.num_classes is not None and not converted and target.dim() > 0

    def reads_slicings(self, inputs: Inputs) -> bool:
        """Likewise."""
        return self.counts_groups(inputs)

    def _add_otherwise(self, states: States, batch: Batch, rows: Any) -> None:
        """Of labels that are floats, or of any number of classes."""
        batch, rows = as_batch(batch, rows)
        preds, target = batch[0]
        kept = 0 if self.samplewise else 3 * target.numel() // max(1, target.shape[0])
        add = self._add_without_classes if self.num_classes is None else self.add
        for (some, amounts, counted), of_some in rows_in_parts(kept, rows, batch):
            labels = some[0] if preds.dim() > target.dim() else as_labels(some[0])
            add(states, ((labels, as_labels(some[1])), amounts, counted), of_some)

    def _add_without_classes(self, states: States, batch: Batch, rows: Tensor | None) -> None:
        (preds, target), weights, valid = batch
        if preds.dim() == target.dim() + 1:
            preds = preds.argmax(1)
        kept = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
        if self.ignore_index is not None:
            kept = kept & (target != self.ignore_index)
        if weights is not None:
            kept = torch.where(kept & ~bad_weights(states.get("faults"), weights, kept), weights, 0.0)
        if rows is not None:
            amount = torch.stack([kept * (preds == target), kept, kept], -1)
            add_amounts(states["counts"], rows, amount.unsqueeze(-2))
            return
        over = tuple(range(1, target.dim())) if self.samplewise else tuple(range(target.dim()))
        correct, total = (kept * (preds == target)).sum(over), kept.sum(over)
        states["counts"].add_(torch.stack([correct, total, total], -1).unsqueeze(-2))

    def for_intervals(self) -> MulticlassStatistics:
        """With the confusion matrix, where counts of classes are asked for.

        Raises:
            ValueError: there are more than ``JOINT_CLASSES`` classes; samples are counted separately.
        """
        if self.samplewise:
            raise ValueError("`intervals=True` keeps one table of all samples, but `multidim_average` is `samplewise`.")
        if "counts" not in self.shapes or self.has_totals:
            return self
        c = self.num_classes or 1
        if c > JOINT_CLASSES:
            raise ValueError(
                f"`intervals=True` keeps the confusion matrix, of at most {JOINT_CLASSES} classes, but got {c}, which"
                f" takes {8 * c * c} bytes. Without it there is `method='margins'`."
            )
        other = copy.copy(self)
        other.shapes = {**self.shapes, "confusion": ((c, c), torch.int64)}
        return other

    def resampling(self, states: States, names: Sequence[str], how: str = "joint") -> Resampling | None:
        """From the confusion matrix, or the histogram of ranks. Those of counts alone do not say which errors occur."""
        if "ranks" in names:
            return None  # in no table together with the labels
        if "rank_histogram" in names:
            return cells("rank_histogram", states["rank_histogram"])
        if "confusion" in states and how != "margins":
            return confusion_matrix(states["confusion"], names)
        if "confusion" in names:
            return None
        if states["counts"].shape[-2] == 1:
            return right_and_wrong(states["counts"])
        if how == "joint":
            return None
        return margins(states["counts"]) if how == "margins" else one_against_all(states["counts"])

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which labels were out of range."""
        assert self.num_classes is not None
        ignored = "" if self.ignore_index is None or which == "preds" else f" or ignore_index={self.ignore_index}"
        return (
            f"expected `{which}` values in [0, {self.num_classes - 1}]{ignored}, but {count} lay outside,"
            f" the first is {shown(first)}"
        )
