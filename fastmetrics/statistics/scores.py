# SPDX-License-Identifier: Apache-2.0
"""Statistics of scores that are compared with many thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.prints import rank_zero_warn

from fastmetrics import tensors
from fastmetrics.native import transforms
from fastmetrics.native.operators import constant_in_graphs
from fastmetrics.native.transforms import suspended
from fastmetrics.passes import count_scores_, keep_scores_, score_histogram_
from fastmetrics.passes.groups import within
from fastmetrics.passes.score_keys import KEYS, number_of_keys, scores_of_keys
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
        "Scores of each class do not say which ones a sample has for all: areas under curves have intervals with"
        " `average=None`, and AUROC without `thresholds` one of an average."
    )

    def __init__(
        self, task: str, columns: int, *, logits: bool | None, ignore_index: int | None, validate: bool
    ) -> None:
        self.task = task
        self.columns = columns
        if columns == 1:
            self.lacks_joint = Statistics.lacks_joint
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


class CountedScores(ScoresOfTask):
    """How many scores of each column have each key, by the label: ``scores`` int64 [C, 2^bits, 2].

    Args:
        bits: leading bits of a key, see :func:`fastmetrics.passes.score_keys.score_keys`.
        task: see above; so the others.
    """

    def __init__(self, bits: int, task: str, columns: int, **options: Any) -> None:
        super().__init__(task, columns, **options)
        self.bits = bits
        self.shapes = {"scores": ((columns, number_of_keys(bits, False), 2), torch.int64)}

    def check(self, inputs: Inputs) -> None:
        """Raise as well ``ValueError`` for float64 scores, which keys do not tell apart."""
        super().check(inputs)
        if inputs[0].dtype == torch.float64:
            raise ValueError("Expected `preds` of at most 32 bits with `bins`, but got torch.float64.")

    def add(self, states: States, inputs: Inputs, weights: Tensor | None = None, valid: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``."""
        preds, target, valid = _samples(inputs, valid)
        faults = states.get("faults")
        count_scores_(preds.detach(), target, valid, states["scores"], faults, self.bits, *self._options())

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A mask; counted scores have no weights."""
        _no_weights(name)
        return super().per_sample(name, values, inputs)


class KeptScores(ScoresOfTask, Buffers):
    """The probabilities of all scores, [N, C], in the dtype in which they came.

    ``scores`` has their labels as signs, and NaN for what does not count. Of probabilities that are not looked at
    (``logits=False``) the signs are their own, and ``labels`` int8 has the labels, -1 for what does not count.

    Scores of 16 bits, once they are many, are counted instead: ``counts`` int64 [1, C, K, 2] has how many there are of
    each value and label, which is all that a curve depends on, however many come.
    """

    instead_of_groups = "At all distinct scores this metric keeps the scores themselves: give `thresholds`."

    def __init__(self, task: str, columns: int, **options: Any) -> None:
        super().__init__(task, columns, **options)
        self.shapes = {"scores": ((columns,), torch.float32)}
        self.signed = self.logits is False
        if self.signed:
            self.shapes["labels"] = ((columns,), torch.int8)
        self.shapes["counts"] = ((columns, number_of_keys(0, self.signed), 2), torch.int64)
        self._warned = False

    @property
    def key(self) -> Any:
        """Every option."""
        return self.options_but("_decisions", "_warned")

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """The scores of a batch, or what was counted of it."""
        preds, target, valid = _samples(inputs, valid)
        preds = preds.detach()
        samples = preds.numel() // self.columns
        if preds.dtype in KEYS and samples >= MANY and not transforms.active():
            counts = self._no_counts(preds)
            count_scores_(preds, target, valid, counts[0], faults, 0, *self._options())
            return {"counts": counts}
        try:
            kept = {"scores": preds.new_empty(samples, self.columns)}
            if self.signed:
                kept["labels"] = preds.new_empty((samples, self.columns), dtype=torch.int8)
        except RuntimeError as error:
            size = preds.numel() * (preds.element_size() + self.signed)
            raise RuntimeError(
                f"There is no memory for the scores of a batch, {size:,} bytes, which a curve at all scores keeps; what"
                f" was kept before is as it was. {LESS_MEMORY}"
            ) from error
        keep_scores_(preds, target, valid, kept["scores"], kept.get("labels"), faults, *self._options())
        return kept

    def _no_counts(self, like: Tensor) -> Tensor:
        return torch.zeros((1, *self.shapes["counts"][0]), dtype=torch.int64, device=like.device)

    def tidy(self, states: Mapping[str, list[Tensor]]) -> None:
        """Count scores of 16 bits that are many, add counts up, and join what is kept."""
        counts, scores = states["counts"], states["scores"]
        if len(counts) > 1:
            counts[:] = [torch.cat(counts).sum(0, keepdim=True)]
        super().tidy(states)
        if not scores:
            return
        if scores[-1].dtype in KEYS:
            halves = [i for i, part in enumerate(scores) if part.dtype in KEYS]
            if sum(len(scores[i]) for i in halves) >= MANY:
                self._count(states, halves)
        elif len(scores[-1]) >= MANY and not self._warned:
            size = sum(part.numel() * (part.element_size() + self.signed) for part in scores)
            if size > WARN_FROM:
                self._warned = True
                rank_zero_warn(f"The scores that a curve at all scores keeps take {size:,} bytes. {LESS_MEMORY}")

    def _count(self, states: Mapping[str, list[Tensor]], which: list[int]) -> None:
        """Count what is kept in some tensors, and keep it no more."""
        scores, labels, counts = states["scores"], states.get("labels"), states["counts"]
        for i in which:
            self._count_kept(scores[i], None if labels is None else labels[i], counts)
        counts[:] = [torch.cat(counts).sum(0, keepdim=True)]
        for parts in (scores, labels):
            if parts is not None:
                parts[:] = [part for i, part in enumerate(parts) if i not in which]

    def _count_kept(self, scores: Tensor, labels: Tensor | None, counts: list[Tensor]) -> None:
        """Append the counts of kept scores of 16 bits."""
        found = self._no_counts(scores)
        label = (~scores.signbit()).to(torch.int8) if labels is None else labels
        label = torch.where(scores.isnan(), -1, label)
        score = scores if self.signed else scores.abs()
        if self.task == "binary":
            score, label = score[:, 0], label[:, 0]
        options = self.task != "binary", PROBABILITIES if self.signed else EITHER, -1, True, False
        count_scores_(score, label, None, found[0], None, 0, *options)
        counts.append(found)

    def finals(self, states: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The scores and their labels, or the counts [C, K, 2] as ``scores`` if there are no others."""
        counts = states.get("counts")
        kept = {name: states[name] for name in ("scores", "labels") if name in states}
        if counts is None or len(counts) == 0:
            return kept
        if "scores" not in kept or len(kept["scores"]) == 0:
            return {"scores": counts.sum(0)}
        if kept["scores"].dtype in KEYS:
            found = [counts]
            self._count_kept(kept["scores"], kept.get("labels"), found)
            return {"scores": torch.cat(found).sum(0)}
        scores, labels = expanded(counts.sum(0), self.signed)
        rows = {"scores": scores} if labels is None else {"scores": scores, "labels": labels}
        return {name: torch.cat([rows[name], kept[name]]) for name in kept}

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """A mask; kept scores have no weights."""
        _no_weights(name)
        return super().per_sample(name, values, inputs)


#: Samples of 16-bit scores from which on they are counted, which takes about as much memory as to keep so many.
MANY = 1 << 17
WARN_FROM = 10**9  # bytes
LESS_MEMORY = "With `bins=2**20`, or with `thresholds`, memory does not grow with the data; 16-bit scores are counted."


def expanded(counts: Tensor, signed: bool) -> tuple[Tensor, Tensor | None]:
    """Counts [C, K, 2] of 16-bit scores as the scores that :class:`KeptScores` would have kept, in no order."""
    values = scores_of_keys(0, signed, counts.device)
    size = int(counts.sum((1, 2)).max())
    scores = values.new_full((size, len(counts)), torch.nan)
    labels = torch.full(scores.shape, -1, dtype=torch.int8, device=scores.device) if signed else None
    for column, of_column in enumerate(counts):
        end = 0
        for label, of_label in enumerate(of_column.T):
            found = values.repeat_interleave(of_label)
            some = slice(end, end + len(found))
            scores[some, column] = found if signed or label else -found
            if labels is not None:
                labels[some, column] = label
            end += len(found)
    return scores, labels


def _no_weights(name: str) -> None:
    if name == "weights":
        raise ValueError("`weights` need `thresholds`: curves at all distinct scores have none.")


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
