# SPDX-License-Identifier: Apache-2.0
"""What the metrics of language models share: their inputs, and logits that are never all there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics import arguments
from fastmetrics.docstrings import Documented
from fastmetrics.metric import Batch, StatisticMetric
from fastmetrics.statistics.base import Inputs
from fastmetrics.statistics.output_layer import OutputLayer
from fastmetrics.statistics.tokens import OfTokens
from fastmetrics.text.hidden import blocks, check_hidden
from fastmetrics.text.shards import arguments_of_sync, shard_of


class TokenMetric(Documented, StatisticMetric):
    """A metric of the logits of tokens over a vocabulary.

    Logits are read once, whatever their strides: no softmax and no copy of them is made, and rows that are skipped are
    not read. Metrics of a collection that skip the same targets share the read.

    Args:
        ignore_index: targets of this value are skipped.
        shift: whether ``target`` are the tokens of the input themselves, so that the logits at a position are those of
            the next token: the last logits and the first target of each sequence are left out, without a copy.
            ``weights`` and ``valid`` are then those of the targets.
        kwargs: those of :class:`~fastmetrics.Metric`; and ``vocab_group``, the processes that have a part of the
            vocabulary each, with ``vocab_start``, the first token id of the part of this process. They are for logits
            that are split over processes, as those of a tensor-parallel output layer: ``preds`` are then the part of
            this process. Without ``vocab_start``, parts are equally large and in the order of the ranks.
            All processes of the group pass the same targets, weights and ``valid``, and get the same value, which has
            no gradient. ``process_group`` has the processes with other data: this one, and none of the others of
            ``vocab_group``.

    Inputs:
        preds: logits f16, bf16, f32 or f64, ``(B, S, V)``, ``(N, V)`` or any ``(..., V)``; -inf masks an entry.
        target: token ids ``(B, S)``, ``(N,)`` or ``(...)``, of any integer type.
        weights: of the shape of ``target`` or of its first dimensions: what a token counts instead of 1; finite and at
            least 0.
        valid: bool, of such a shape: a token that is not valid is not counted.

    Raises:
        ValueError: an argument or a shape that does not fit.
        TypeError: ``preds`` that are no floats, ``target`` that are no integers.
        RuntimeError: inputs on different devices; targets outside of the vocabulary, which are not counted.
    """

    is_differentiable = False
    higher_is_better = False
    plot_lower_bound: float | None = 0.0
    inputs_options = ("shift",)

    #: The value, float64, from the statistics by name.
    value: Callable[..., Tensor]

    example_batch = "torch.tensor([[[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 1.0, 1.0]]]), torch.tensor([[0, 1, 2]])"

    def __init__(
        self,
        statistics: OfTokens,
        ignore_index: int | None,
        shift: bool,
        vocab_group: Any = None,
        vocab_start: int | None = None,
        **kwargs: Any,
    ) -> None:
        if ignore_index is not None and not isinstance(ignore_index, int):
            raise ValueError(f"Argument `ignore_index` expected to either be `None` or an `int` but got {ignore_index}")
        arguments.one_of("shift", shift, (True, False))
        shard = shard_of(vocab_group, vocab_start)
        if shard is not None:
            kwargs = arguments_of_sync(shard, kwargs)
        statistics.shard = shard
        super().__init__(statistics, **kwargs)
        self.ignore_index = ignore_index
        self.shift = shift

    def inputs(
        self, preds: Tensor, target: Tensor, weights: Tensor | None = None, valid: Tensor | None = None
    ) -> Batch:
        """See the class."""
        if not self.shift or target.dim() == 0 or preds.dim() < 2:
            return (preds, target), weights, valid
        weights, valid = (
            value[..., 1:] if value is not None and value.dim() == target.dim() else value for value in (weights, valid)
        )
        return (preds[..., :-1, :], target[..., 1:]), weights, valid

    def _groups_read(self, groups: Tensor, inputs: Inputs) -> Tensor:
        return groups[..., 1:] if self.shift and groups.dim() == inputs[-1].dim() > 0 else groups

    def _function_dtype(self, inputs: Inputs) -> torch.dtype:
        return torch.promote_types(inputs[0].dtype, torch.float32)

    def formula(self, **statistics: Tensor) -> Tensor:
        """The value in the metric's dtype."""
        value: Tensor = self.value(**{name: statistics[name] for name in self._statistics.shapes})
        return value.to(self._dtype)

    def update_hidden(
        self,
        hidden: Tensor,
        weight: Tensor,
        target: Tensor,
        bias: Tensor | None = None,
        softcap: float | None = None,
        weights: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> None:
        """Add a batch whose logits are ``softcap * tanh((hidden @ weight.T + bias) / softcap)``.

        They are formed some at a time, in a buffer of at most 32 MB (or one row), so that N x V numbers never exist.
        The value is that of ``update`` with these logits, within the rounding of their dtype.

        Args:
            hidden: ``(..., D)``, of a floating type.
            weight: ``(V, D)``, of the same dtype; with ``vocab_group``, the rows of the tokens of this process.
            target: token ids ``(...)``.
            bias: ``(V,)``; None for none.
            softcap: the greatest magnitude that a logit can have; None for no cap.
            weights: as for ``update``.
            valid: as for ``update``.

        Raises:
            ValueError: shapes, dtypes or a ``softcap`` that do not fit.
            RuntimeError: as for ``update``.

        Example:
            >>> import torch
            >>> from fastmetrics.text import Perplexity
            >>> metric = Perplexity()
            >>> hidden, weight = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
            >>> metric.update_hidden(hidden, weight, torch.tensor([0, 1]))
            >>> metric.compute()
            tensor(1.2462)
        """
        (hidden, target), weights, valid = self.inputs(hidden, target, weights, valid)
        label = self._label()
        if self._slicing is not None:
            raise ValueError(f"{label}: `update_hidden` takes no groups. Update it with logits and `groups=`.")
        check_hidden(label, hidden, weight, target, bias, softcap)
        statistics, like = self._statistics, (hidden, target)
        assert isinstance(statistics, OfTokens)
        layer = OutputLayer(weight, bias, softcap)
        if statistics.shard is not None:  # as many parts on all processes
            hidden = hidden.reshape(-1, hidden.shape[-1])
        rows = (
            target.reshape(-1),
            None if weights is None else statistics.per_sample("weights", weights, like).reshape(-1),
            None if valid is None else statistics.per_sample("valid", valid, like).reshape(-1),
        )
        accumulator, done, traced = None, 0, is_compiling()
        with torch.no_grad():
            for block in blocks(hidden):
                ids, of_block, mask = (None if value is None else value[done : done + len(block)] for value in rows)
                assert ids is not None
                done += len(block)
                first = accumulator is None
                logits = hidden.new_empty(()).expand(len(block), len(weight))  # of which only the metadata is looked at
                accumulator, (_, of_block, mask) = self._prepare(((logits, ids), of_block, mask), traced)
                accumulator.count -= not (first or traced)
                union = accumulator.statistics
                assert isinstance(union, OfTokens)
                with union.reading(layer):
                    accumulator.add(((block, ids), of_block, mask))
        faults = None if accumulator is None or traced else accumulator.faults
        if faults is not None and faults.is_cpu:
            self._raise_faults(faults)
