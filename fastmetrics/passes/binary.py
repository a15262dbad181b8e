# SPDX-License-Identifier: Apache-2.0
"""The binary and multilabel pass: a score or a 0/1 label, and a 0/1 target, for each of L labels."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from fastmetrics.native.operators import constant_in_graphs, eager_on_cpu
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.groups import add_to_cells, by_rows, count_groups_body, define_by_rows
from fastmetrics.tensors import differs

SCHEMA = (
    "binary_(Tensor preds, Tensor target, Tensor? valid, Tensor(a!) counts, Tensor(b!)? faults, "
    "float probability_cutoff, float logit_cutoff, int ignore_index, bool has_ignore_index, bool ignored_decide, "
    "Tensor? weights=None, Tensor? rows=None, Tensor(c!)? samples=None) -> ()"
)

_BITS = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}


@constant_in_graphs
def cutoffs(threshold: float, dtype: torch.dtype) -> tuple[float, float]:
    """The values of ``dtype`` above which a probability, and a logit, is positive.

    A probability is positive if it exceeds the threshold rounded to ``dtype``. A logit is positive if ``torch.sigmoid``
    of it does. The sigmoid grows, so that is ``x > c`` with ``c`` the greatest value whose sigmoid does not exceed the
    threshold, and a pass takes no sigmoid per element.

    Args:
        threshold: in [0, 1].
        dtype: a key of ``_BITS``.
    """
    return _cutoffs(threshold, dtype)


@lru_cache(maxsize=256)
def _cutoffs(threshold: float, dtype: torch.dtype) -> tuple[float, float]:
    bits = _BITS[dtype]
    probability = torch.tensor(threshold, dtype=dtype, device="cpu")
    # Order-preserving integers: key k >= 0 is the float with bits k, key k < 0 is its negative, -k.
    top = int(torch.tensor(math.inf, dtype=dtype, device="cpu").view(bits))
    low, high = -top, top  # keys of -inf, whose sigmoid is 0, and of +inf
    while low < high:
        step = max(1, (high - low + 1023) // 1024)
        keys = torch.tensor(range(low, high + 1, step), device="cpu")
        values = torch.where(keys < 0, -(keys.abs().to(bits).view(dtype)), keys.abs().to(bits).view(dtype))
        below = int((values.sigmoid() <= probability).sum()) - 1
        low, high = int(keys[below]), min(high, int(keys[below]) + step - 1)
    value = torch.tensor(abs(low), device="cpu").to(bits).view(dtype).item()
    return probability.item(), -value if low < 0 else value


def decisions(preds: Tensor, deciding: Tensor, probability_cutoff: float, logit_cutoff: float) -> Tensor:
    """Which scores are positive, bool; those marked by ``deciding`` say whether all are probabilities or logits."""
    outside = (~((preds >= 0) & (preds <= 1)) & deciding).any()
    # compared in float64, where every dtype and both cutoffs are exact
    return preds.double() > torch.where(outside, logit_cutoff, probability_cutoff).double()


@by_rows(SCHEMA)
def binary_body(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    probability_cutoff: float,
    logit_cutoff: float,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
    weights: Tensor | None = None,
    rows: Tensor | None = None,
    samples: Tensor | None = None,
) -> None:
    """Add a batch to the true positives, false positives, true negatives and false negatives of each label.

    Scores are probabilities, unless any score of the batch lies outside [0, 1] (NaN does): then all are logits. See
    :func:`cutoffs` for when either is positive. An element that is not ``valid``, or whose target equals
    ``ignore_index``, is skipped. One whose target, or label, is neither 0 nor 1 is not counted and goes to ``faults``.

    Args:
        preds: scores f16/bf16/f32/f64, or 0/1 labels of any integer type or bool; ``[N, ...]``, or ``[N, L, ...]`` of
            several labels.
        target: 0/1 of any integer type or bool, same shape as ``preds``.
        valid: bool, same shape; None if all elements are.
        counts: int64 ``[L, 4]``: tp, fp, tn, fn; L is 1 of one label. ``[S, L, 4]`` has a row for each index of
            dimension 0, or those of ``rows``.
        faults: int64 ``[FAULTS]``.
        probability_cutoff: the greatest probability that is negative; a value of the dtype of ``preds``.
        logit_cutoff: the greatest logit that is negative; likewise.
        ignore_index: a target value.
        has_ignore_index: whether there is one.
        ignored_decide: whether the scores of ignored elements take part in deciding between probabilities and logits.
            Those of elements that are not valid never do.
        weights: float64, same shape as ``preds``: what an element adds instead of 1; ``counts`` is float64 then. One
            that is negative, infinite or NaN is not counted and goes to ``faults``. On the CPU the sums are formed in
            an order that depends on the sizes alone; on a GPU in no fixed order, so the last bits may differ
            from run to run.
        rows: of any integer type or bool ``[K, *shape]``: K rows that each element is added to. One that lies outside
            of [0, S) takes part in deciding between probabilities and logits, but is not counted.
        samples: int64 ``[S]``: the elements of each row that are valid; rows out of range go to ``faults`` then, if
            each element has one alone. None if they are not wanted, or if there are weights.
    """
    if samples is not None and rows is not None:
        count_groups_body(rows, valid, samples, faults if rows.shape[0] == 1 else None)
    if target.numel() == 0:
        return
    if weights is None and counts.shape == (1, 4) and eager_on_cpu(preds, target):
        kept = valid
        if has_ignore_index:
            kept = differs(target, ignore_index) if valid is None else valid & differs(target, ignore_index)
        deciding = valid if ignored_decide else kept
        if _add_decisions(preds, target, kept, deciding, counts, probability_cutoff, logit_cutoff):
            return
    n, labels = target.shape[0], counts.shape[-2]
    preds = preds.reshape(n, labels, -1)
    target = target.reshape(n, labels, -1)
    seen = torch.ones_like(target, dtype=torch.bool) if valid is None else valid.reshape(n, labels, -1)
    kept = seen & differs(target, ignore_index) if has_ignore_index else seen
    bad_target = kept & (target != 0) & (target != 1)
    record_faults(faults, 0, bad_target, target)
    counted = kept & ~bad_target
    if preds.is_floating_point():
        positive = decisions(preds, seen if ignored_decide else kept, probability_cutoff, logit_cutoff)
    else:
        bad_label = kept & (preds != 0) & (preds != 1)
        record_faults(faults, 2, bad_label, preds)
        counted = counted & ~bad_label
        positive = preds != 0
    amount = counted
    if weights is not None:
        weights = weights.reshape(n, labels, -1)
        amount = torch.where(counted & ~bad_weights(faults, weights, kept), weights, 0.0)
    actual = target != 0
    if rows is not None:
        label = torch.arange(labels, device=target.device).unsqueeze(-1)
        outcome = torch.where(positive, (~actual).long(), 2 + actual.long())
        add_to_cells(counts, rows.reshape(len(rows), *target.shape), label * 4 + outcome, amount)
        return
    outcomes = (positive & actual, positive & ~actual, ~positive & ~actual, ~positive & actual)
    over = 2 if counts.dim() == 3 else (0, 2)
    counts += torch.stack([(amount * outcome).sum(over) for outcome in outcomes], -1)


def _add_decisions(
    preds: Tensor,
    target: Tensor,
    kept: Tensor | None,
    deciding: Tensor | None,
    counts: Tensor,
    probability_cutoff: float,
    logit_cutoff: float,
) -> bool:
    """Count decisions on one label, with looks at the data; False, and nothing is counted, if any is out of range.

    The other arguments are those of :func:`binary_body`.

    Args:
        preds: scores or 0/1 labels ``[N, ...]``.
        target: same shape.
        kept: bool, same shape: which elements count; None if all do.
        deciding: bool, same shape: which scores decide between probabilities and logits; None if all do.
        counts: int64 ``[1, 4]``.
        probability_cutoff: the greatest probability that is negative.
        logit_cutoff: the greatest logit that is negative.
    """
    if preds.is_floating_point():
        some = preds if deciding is None else preds[deciding]
        low, high = some.aminmax() if some.numel() else (0.0, 1.0)
        preds = preds > (probability_cutoff if bool(low >= 0) and bool(high <= 1) else logit_cutoff)
    if kept is not None:
        preds, target = preds[kept], target[kept]
        if not target.numel():
            return True
    positive, actual = _zero_or_one(preds), _zero_or_one(target)
    if positive is None or actual is None:
        return False
    tp, predicted, wanted = (int(values.count_nonzero()) for values in (positive & actual, positive, actual))
    cells = [tp, predicted - tp, target.numel() - predicted - wanted + tp, wanted - tp]
    counts += torch.tensor([cells], device=counts.device)
    return True


def _zero_or_one(values: Tensor) -> Tensor | None:
    """Labels as bool, or None if any is neither 0 nor 1."""
    if values.dtype != torch.bool:
        low, high = values.to(torch.int64).aminmax()
        if low.item() < 0 or high.item() > 1:
            return None
    return values.to(torch.bool)


def _fake(
    preds: Tensor,
    target: Tensor,
    valid: Tensor | None,
    counts: Tensor,
    faults: Tensor | None,
    probability_cutoff: float,
    logit_cutoff: float,
    ignore_index: int,
    has_ignore_index: bool,
    ignored_decide: bool,
    weights: Tensor | None = None,
    rows: Tensor | None = None,
    samples: Tensor | None = None,
) -> None:
    dtype = torch.int64 if weights is None else torch.float64
    torch._check(preds.dim() == target.dim(), lambda: "binary_: preds and target must have the same shape")
    torch._check(counts.dtype == dtype, lambda: f"binary_: counts must be {dtype}")
    if rows is not None:
        torch._check(rows.dim() == target.dim() + 1, lambda: "binary_: rows must be [K, ...], as target is")
        torch._check(counts.dim() == 3, lambda: "binary_: counts must be [S, L, 4]")
    torch._check(samples is None or weights is None, lambda: "binary_: weighted samples are counted apart")


binary_ = define_by_rows(SCHEMA, binary_body, _fake)
