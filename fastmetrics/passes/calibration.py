# SPDX-License-Identifier: Apache-2.0
"""The calibration pass: probabilities by bins, and how often what they are of is so."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.native.operators import define
from fastmetrics.passes.faults import record_faults
from fastmetrics.passes.groups import add_to_cells, by_rows, check_rows, define_by_rows, within
from fastmetrics.passes.scored_samples import label_of_elements, samples_of

SCHEMA = (
    "calibration_(Tensor preds, Tensor target, Tensor? valid, Tensor? weights, Tensor edges, Tensor(a!) counts, "
    "Tensor(b!) confidences, Tensor(c!) hits, Tensor(d!)? faults, int logits, int ignore_index, "
    "bool has_ignore_index) -> ()"
)


def calibration_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    counts: Tensor,
    confidences: Tensor,
    hits: Tensor,
    faults: Tensor | None,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add a batch to the bins of probabilities.

    With states ``[B]`` a sample has one probability, its confidence. That of a binary sample is the probability of the
    class 1, and its target is a hit if it is 1. That of a multiclass sample is the greatest of its probabilities, and
    its target is a hit if it is the class of that; the first of equal scores is the greatest. With states ``[C, B]``
    each class has bins of its own for its probability, a hit if the target is the class; or each label, and then each
    element is a sample. A probability is rounded to float32, unless scores are float64 and no class scores, and lies in
    the last bin whose edge is not above it.

    A sample that is not ``valid``, or whose target equals ``ignore_index``, is skipped. One whose target is no class is
    not counted and goes to ``faults``. So is a probability that is not in [0, 1] (NaN is not), by its place.

    Args:
        preds: scores f16/bf16/f32/f64; ``[N, ...]`` for binary, ``[N, C, ...]`` with C > 1 for multiclass, ``[N, L,
            ...]`` for multilabel.
        target: labels of any integer type or bool: ``[N, ...]``, or ``[N, L, ...]`` for multilabel.
        valid: bool, of the shape of ``target``; None if all samples are.
        weights: float64, of the shape of ``target``: what a sample counts instead of 1. One that is negative, infinite
            or NaN is not counted and goes to ``faults``.
        edges: float64 ``[B]``, ascending from 0 to 1: where each bin begins. The last bin is that of the probability 1.
        counts: int64 ``[B]`` or ``[C, B]``, float64 with weights: samples.
        confidences: float64, of the same shape: the sum of their probabilities.
        hits: int64, of the same shape, float64 with weights: those that are hits.
        faults: int64 ``[FAULTS]``; ``preds`` are recorded by their places, in the order of samples and then classes.
        logits: 1 if scores are logits, of which the sigmoid, or the softmax over classes, is taken; 0 if they are
            probabilities; -1 if they are logits where a score of any counted sample lies outside [0, 1] (NaN does).
        ignore_index: a target value.
        has_ignore_index: whether there is one.

    Probabilities of logits are computed in float64. On the CPU sums are formed in an order that depends on the sizes
    alone. The CUDA kernels add confidences of samples without weights as multiples of 2^-63, rounded down, in any order
    with the same result, and sums of weights in no fixed order.
    """
    if target.numel() == 0:
        return
    cells = calibration_cells(
        preds, target, valid, weights, edges, counts.dim() > 1, faults, logits, ignore_index, has_ignore_index
    )
    for state, amount in zip((counts, confidences, hits), cells.amounts, strict=True):
        add_to_cells(state, None, cells.place, amount)


class CalibrationCells(NamedTuple):
    """What N samples with K probabilities each add to the bins.

    Attributes:
        place: int64 ``[N, K]``: the bin of each probability, among those of all columns.
        amounts: float64 ``[N, K]`` each: what it adds to ``counts``, ``confidences`` and ``hits`` of that bin.
    """

    place: Tensor
    amounts: tuple[Tensor, Tensor, Tensor]


def calibration_cells(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    apart: bool,
    faults: Tensor | None,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> CalibrationCells:
    """The bins of a batch.

    The arguments are those of :func:`calibration_body`; ``apart`` says whether each class or label has its own bins.
    """
    preds = preds.detach()
    multiclass = preds.dim() > target.dim()
    samples = samples_of(preds, target, valid, weights, faults, ignore_index, has_ignore_index)
    if multiclass and not apart:
        scores, label = samples.greatest(logits)
    else:
        scores = samples.probabilities(logits)
        label = torch.arange(scores.shape[1], device=scores.device) if multiclass else target.new_ones(())
    hit = samples.target.unsqueeze(1) == label
    if apart:
        column = label.expand_as(scores) if multiclass else label_of_elements(target).unsqueeze(1)
    else:
        column = torch.zeros_like(hit, dtype=torch.int64)
    if multiclass or preds.dtype != torch.float64:
        scores = scores.float().double()
    counted = samples.counted.unsqueeze(1).expand_as(scores)
    bad = counted & ~((scores >= 0) & (scores <= 1))
    record_faults(faults, 2, bad, torch.arange(bad.numel(), device=bad.device).reshape(bad.shape))
    counted = counted & ~bad
    scores = torch.where(counted, scores, 0.0)
    amount = torch.where(counted, samples.amount.unsqueeze(1), 0.0)
    place = column * edges.numel() + torch.bucketize(scores.contiguous(), edges, right=True) - 1
    return CalibrationCells(place, (amount, amount * scores, torch.where(hit, amount, 0.0)))


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    counts: Tensor,
    confidences: Tensor,
    hits: Tensor,
    *rest: Any,
) -> None:
    torch._check(preds.dim() - target.dim() in (0, 1), lambda: "calibration_: preds must be [N, C, ...] or as target")
    torch._check(preds.is_floating_point(), lambda: "calibration_: preds must be scores")
    torch._check(edges.dtype == torch.float64, lambda: "calibration_: edges must be float64")
    torch._check(confidences.dtype == torch.float64, lambda: "calibration_: confidences must be float64")
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(counts.dtype == dtype, lambda: f"calibration_: counts must be {dtype}")
    torch._check(hits.dtype == dtype, lambda: f"calibration_: hits must be {dtype}")


calibration_ = define(SCHEMA, calibration_body, _fake, library="probabilities")

ROWS_SCHEMA = (
    "calibration_rows_(Tensor preds, Tensor target, Tensor rows, Tensor? valid, Tensor? weights, Tensor edges, "
    "Tensor(a!) counts, Tensor(b!) confidences, Tensor(c!) hits, Tensor(d!)? faults, int logits, int ignore_index, "
    "bool has_ignore_index) -> ()"
)


@by_rows(ROWS_SCHEMA)
def calibration_rows_body(
    preds: Tensor,
    target: Tensor,
    rows: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    edges: Tensor,
    counts: Tensor,
    confidences: Tensor,
    hits: Tensor,
    faults: Tensor | None,
    logits: int,
    ignore_index: int,
    has_ignore_index: bool,
) -> None:
    """Add each sample of a batch to the bins of its rows.

    What is counted is that of :func:`calibration_body`. Scores are read as logits or as probabilities for the whole
    batch.

    Args:
        preds: see there.
        target: see there.
        rows: of any integer type or bool ``[K, *target.shape]``: K rows of each sample, or of each element of
            multilabel samples. One that lies outside of [0, S) is left out, without a fault.
        valid: see there.
        weights: see there.
        edges: see there.
        counts: int64 ``[S, B]`` or ``[S, C, B]``, float64 with weights.
        confidences: float64, of the same shape.
        hits: int64, of the same shape, float64 with weights.
        faults: see there.
        logits: see there.
        ignore_index: see there.
        has_ignore_index: see there.

    The CPU kernel takes as much memory as the states beside them at most, or about 32 MB if they take less, and forms
    sums in an order that depends on the sizes alone. The CUDA kernels take up to twice as much memory as the states, or
    four times where values decide about logits, and add as those of that pass do.
    """
    if target.numel() == 0:
        return
    apart = counts.dim() > 2
    cells = calibration_cells(
        preds, target, valid, weights, edges, apart, faults, logits, ignore_index, has_ignore_index
    )
    bins = counts[0].numel()
    for of_slicing in rows:
        row, inside = within(of_slicing.reshape(-1, 1), counts.shape[0])
        place = torch.where(inside, row * bins + cells.place, 0).reshape(-1)
        for state, amount in zip((counts, confidences, hits), cells.amounts, strict=True):
            flat = state.view(-1)
            flat.index_add_(0, place, torch.where(inside, amount, 0.0).reshape(-1).to(flat.dtype))


def _rows_fake(preds: Tensor, target: Tensor, rows: Tensor, *rest: Any) -> None:
    _fake(preds, target, *rest)
    check_rows(rows, target, "calibration_rows_")


calibration_rows_ = define_by_rows(ROWS_SCHEMA, calibration_rows_body, _rows_fake, library="probabilities")
