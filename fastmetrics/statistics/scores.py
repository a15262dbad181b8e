# SPDX-License-Identifier: Apache-2.0
"""Statistics of scores that are compared with many thresholds."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fastmetrics import tensors
from fastmetrics.native.operators import constant_in_graphs
from fastmetrics.native.transforms import suspended
from fastmetrics.passes import keep_scores_, score_histogram_
from fastmetrics.passes.groups import within
from fastmetrics.passes.scores import EITHER, LOGITS, PROBABILITIES, histogram_cells, logit_cuts
from fastmetrics.statistics.base import Inputs, States, Statistics, as_labels, at_least_1d
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.buffers import Buffers
from fastmetrics.statistics.hinge import scores_needed
from fastmetrics.statistics.multiclass import MulticlassStatistics


class ScoresOfTask(Statistics):
    """How scores of one task are read.

    Args:
        task: ``binary`` for scores ``[N, ...]``, ``multiclass`` or ``multilabel`` for ``[N, C, ...]``.
        columns: C; 1 if binary.
        logits: whether scores are logits, or probabilities; None decides for each batch.
        ignore_index: a target that is skipped.
        validate: record what is out of range.
    """

    lacks_joint = (
        "A histogram of each class does not say which scores a sample has for all: `average=None` gives an interval of"
        " each, and AUROC without `thresholds` one of an average."
    )

    def __init__(
        self, task: str, columns: int, *, logits: bool | None, ignore_index: int | None, validate: bool
    ) -> None:
        self.task = task
        self.columns = columns
        self.logits = logits
        self.ignore_index = ignore_index
        self.validate = validate
        # what is a wrong shape, or a wrong target, is the same for metrics of counts
        self._decisions: Statistics
        if task == "multiclass":
            self._decisions = MulticlassStatistics(columns, ignore_index=ignore_index)
        else:
            self._decisions = BinaryStatistics(columns if task == "multilabel" else None, ignore_index=ignore_index)

    @property
    def key(self) -> Any:
        """Every option."""
        return self.options_but("_decisions")

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` unless ``preds`` are scores, and as the statistics of counts do."""
        preds, target = inputs
        self._decisions.check(inputs)
        scores_needed(preds)
        if self.task == "multiclass" and preds.dim() == target.dim():
            raise ValueError(
                f"Expected `preds` to be scores of shape (N, C, ...), but got shape {tuple(preds.shape)}, that of"
                " `target`."
            )

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which targets were out of range, or which scores were NaN."""
        if which == "preds":
            return f"`preds` had {count} NaN, the first at place {first} of the batch"
        return self._decisions.explain_fault(which, count, first)

    def _options(self) -> tuple[bool, int, int, bool, bool]:
        """The last arguments of the passes."""
        logits = EITHER if self.logits is None else LOGITS if self.logits else PROBABILITIES
        ignore_index = self.ignore_index
        return (
            self.task != "binary",
            logits,
            0 if ignore_index is None else ignore_index,
            ignore_index is not None,
            self.task == "multilabel",  # torchmetrics drops ignored samples first, but for labels
        )


class ScoreHistogram(ScoresOfTask):
    """How many scores of each column reach how many of the thresholds: ``histogram`` int64 [C, T + 1, 2], by the label.

    Args:
        thresholds: T numbers, float32 in their values, in any order.
        uniform: whether they are T equal steps from 0 to 1.
        task: see above; so the others.
    """

    def __init__(self, thresholds: tuple[float, ...], uniform: bool, task: str, columns: int, **options: Any) -> None:
        super().__init__(task, columns, **options)
        self.thresholds = thresholds
        self.uniform = uniform
        self.shapes = {"histogram": ((columns, len(thresholds) + 1, 2), torch.int64)}

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``."""
        preds, target, valid = _samples(inputs, valid)
        place = preds.device.type, preds.device.index
        score_histogram_(
            preds,
            target,
            valid,
            at_least_1d(weights),
            _cuts(self.thresholds, None, *place),
            _cuts(self.thresholds, preds.dtype, *place),
            states["histogram"],
            states.get("faults"),
            self.uniform,
            *self._options(),
        )

    def add_rows(
        self, states: States, rows: Tensor, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> None:
        """See the base; the batch is read once."""
        preds, target, valid = _samples(inputs, valid)
        rows = rows if rows.dim() > 1 else rows.unsqueeze(-1)
        if preds.numel() == 0:
            return
        place = preds.device.type, preds.device.index
        cells, amount = histogram_cells(
            preds.detach(),
            target,
            valid,
            at_least_1d(weights),
            _cuts(self.thresholds, None, *place),
            _cuts(self.thresholds, preds.dtype, *place),
            states.get("faults"),
            *self._options(),
        )
        histogram = states["histogram"]
        flat, cells_of_row = histogram.view(-1), histogram[0].numel()
        for of_slicing in rows:
            row, inside = within(of_slicing, histogram.shape[0])
            row, inside = (
                v.movedim(1, -1).reshape(cells.shape) if self.task == "multilabel" else v.reshape(-1, 1)
                for v in (row, inside)
            )
            counted = torch.where(inside, amount, 0).to(histogram.dtype)
            flat.index_add_(0, (row * cells_of_row + cells).reshape(-1), counted.reshape(-1))


class KeptScores(ScoresOfTask, Buffers):
    """The probabilities of all scores, [N, C], in the dtype in which they came.

    ``scores`` has their labels as signs, and NaN for what does not count. Of probabilities that are not looked at
    (``logits=False``) the signs are their own, and ``labels`` int8 has the labels, -1 for what does not count.
    """

    instead_of_groups = "At all distinct scores this metric keeps the scores themselves: give `thresholds`."

    def __init__(self, task: str, columns: int, **options: Any) -> None:
        super().__init__(task, columns, **options)
        self.shapes = {"scores": ((columns,), torch.float32)}
        if self.logits is False:
            self.shapes["labels"] = ((columns,), torch.int8)

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """The scores of a batch."""
        preds, target, valid = _samples(inputs, valid)
        samples = preds.numel() // self.columns
        kept = {"scores": preds.new_empty(samples, self.columns)}
        if "labels" in self.shapes:
            kept["labels"] = preds.new_empty((samples, self.columns), dtype=torch.int8)
        keep_scores_(preds.detach(), target, valid, kept["scores"], kept.get("labels"), faults, *self._options())
        return kept

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A mask; kept scores have no weights."""
        if name == "weights":
            raise ValueError("`weights` need `thresholds`: curves at all distinct scores have none.")
        return super().per_sample(name, values, inputs)


def _samples(inputs: Inputs, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    preds, target = inputs
    if target.is_floating_point():
        target = as_labels(target)
    if target.dim() == 0:
        return preds.reshape(1), target.reshape(1), at_least_1d(valid)
    return preds, target, valid


_known: dict[Any, Tensor] = {}


@constant_in_graphs
def _cuts(thresholds: tuple[float, ...], logits: torch.dtype | None, device: str, index: int | None) -> Tensor:
    """The thresholds, ascending, float64, or those of logits of a dtype; they are looked up once."""
    key = thresholds, logits, device, index
    found = _known.get(key)
    if found is None:
        with suspended(), tensors.ordinary():
            cuts = torch.tensor(sorted(thresholds), dtype=torch.float64, device="cpu")
            cuts = cuts if logits is None else logit_cuts(cuts, logits)
            found = _known[key] = cuts.to(torch.device(device) if index is None else torch.device(device, index))
    return found
