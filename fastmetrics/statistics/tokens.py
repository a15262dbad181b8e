# SPDX-License-Identifier: Apache-2.0
"""Statistics of the logits of tokens over a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fastmetrics.passes import token_rows, values_, values_rows_
from fastmetrics.passes.amounts import add_amounts
from fastmetrics.passes.faults import bad_weights, record_faults
from fastmetrics.passes.token_rows import SKIPPED, TokenValues
from fastmetrics.passes.values import KEEP
from fastmetrics.statistics.base import Batch, Inputs, States, Statistics, rows_in_parts, same_device
from fastmetrics.statistics.buffers import Buffers
from fastmetrics.statistics.calibration import edges_of_bins
from fastmetrics.statistics.output_layer import OutputLayer
from fastmetrics.statistics.vocabulary import VocabularyShard


class Tokens(NamedTuple):
    """Which tokens are counted.

    Attributes:
        ids: int64 [N], the targets.
        counted: bool [N].
        weights: float64 [N], or None.
    """

    ids: Tensor
    counted: Tensor
    weights: Tensor | None

    @property
    def place(self) -> Tensor:
        """The targets as the pass takes them."""
        return torch.where(self.counted, self.ids, SKIPPED)

    @property
    def amount(self) -> Tensor:
        """What each counts."""
        return self.counted if self.weights is None else torch.where(self.counted, self.weights, 0.0)


def _wanted(target: Tensor, valid: Tensor | None, ignore_index: int | None) -> tuple[Tensor, Tensor]:
    """The ids of the targets, and which of them are to be counted."""
    ids = target.reshape(-1).to(torch.int64)
    kept = torch.ones_like(ids, dtype=torch.bool) if valid is None else valid.reshape(-1)
    return ids, kept if ignore_index is None else kept & (ids != ignore_index)


def _counted(ids: Tensor, kept: Tensor, unknown: Tensor, weights: Tensor | None, faults: Tensor | None) -> Tokens:
    bad = kept & unknown
    record_faults(faults, 0, bad, ids)
    counted = kept & ~bad
    if weights is not None:
        weights = weights.reshape(-1)
        counted = counted & ~bad_weights(faults, weights, kept)
    return Tokens(ids, counted, weights)


def negative_log_likelihood(values: TokenValues) -> Tensor:
    """Of the target, in nats: log-sum-exp less its logit; inf if that is -inf, NaN if a softmax would be."""
    return torch.where(values.sum == 0, torch.nan, values.sum.log() + (values.greatest - values.own))


def entropy(values: TokenValues) -> Tensor:
    """Of the distribution, in nats."""
    return torch.where(values.sum == 0, torch.nan, values.sum.log() - values.weighted / values.sum)


def rank(values: TokenValues) -> Tensor:
    """Of the target; 0 is the greatest logit."""
    return values.rank


def confidence(values: TokenValues) -> Tensor:
    """The greatest probability, rounded to float32; NaN if there is no softmax."""
    return torch.where(values.sum == 0, torch.nan, (1 / values.sum).clamp(max=1)).float().double()


def states_of_bins(n_bins: int) -> tuple[str, str, str]:
    """The names of samples, sums of confidences and hits in ``n_bins`` bins."""
    return f"samples_of_{n_bins}_bins", f"confidences_of_{n_bins}_bins", f"hits_of_{n_bins}_bins"


SUMS = {"total_log_probs": negative_log_likelihood, "entropy": entropy, "rank": rank}


class OfTokens(Statistics):
    """What all statistics of tokens check, read and say.

    Attributes:
        ignore_index: a target that is skipped.
        shard: which part of the vocabulary the logits are; None for the whole.
        layer: what makes the logits of what is read, in :meth:`reading`; None if these are the logits.
    """

    ignore_index: int | None
    shard: VocabularyShard | None = None
    layer: OutputLayer | None = None

    @contextmanager
    def reading(self, layer: OutputLayer) -> Iterator[None]:
        """Let hidden states be added, as those of which a layer makes the logits that were checked."""
        self.layer = layer
        try:
            yield
        finally:
            del self.layer

    def check(self, inputs: Inputs) -> None:
        """Raise ``ValueError`` on a wrong shape, ``TypeError`` on a wrong dtype, ``RuntimeError`` on other devices."""
        preds, target = inputs
        if preds.dim() != target.dim() + 1:
            raise ValueError(
                "Input tensor `preds` is expected to have one dimension more than `target`, [batch_size, seq_len,"
                f" vocab_size] and [batch_size, seq_len], but got shapes {tuple(preds.shape)} and"
                f" {tuple(target.shape)}."
            )
        if preds.shape[:-1] != target.shape:
            raise ValueError(
                "Input tensors `preds` and `target` are expected to have equaling first dimensions, [batch_size,"
                f" seq_len], but got {tuple(preds.shape[:-1])} and {tuple(target.shape)}."
            )
        if not preds.is_floating_point():
            raise TypeError(f"Input tensor `preds` is expected to be of floating point type but got {preds.dtype}.")
        if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
            raise TypeError(f"Input tensor `target` is expected to be of an integer type but got {target.dtype}.")
        same_device(preds, target)

    def explain_fault(self, which: str, count: int, first: int) -> str:
        """Say which targets were out of range."""
        known = "in [0, V) of logits [..., V]" if self.shard is None else "that one part of the vocabulary has"
        skipped = "" if self.ignore_index is None else f", or ignore_index = {self.ignore_index}"
        return f"expected `target` to be token ids {known}{skipped}, but {count} were not, the first is {first}"

    def _tokens(self, batch: Batch, vocabulary: int, faults: Tensor | None) -> Tokens:
        """The tokens of a batch; targets and weights out of range go to ``faults``."""
        (_, target), weights, valid = batch
        ids, kept = _wanted(target, valid, self.ignore_index)
        return _counted(ids, kept, (ids < 0) | (ids >= vocabulary), weights, faults)

    def _log_probs(self, batch: Batch) -> tuple[Tokens, Tensor, Tensor]:
        """The tokens, the logarithms of their probabilities, [N, V], and those of the targets, [N], with a graph."""
        preds = batch[0][0]
        v = preds.shape[-1]
        tokens = self._tokens(batch, v, None)
        # what is not counted must not reach the gradient
        log_probs = torch.where(tokens.counted.unsqueeze(1), preds.reshape(-1, v).double(), 0.0).log_softmax(1)
        own = log_probs.gather(1, torch.where(tokens.counted, tokens.ids, 0).unsqueeze(1)).squeeze(1)
        return tokens, log_probs, own

    def read(self, batch: Batch, faults: Tensor | None, entropy: bool, rank: bool) -> tuple[TokenValues, Tokens]:
        """The values of tokens, from one read of their logits."""
        (preds, target), weights, valid = batch
        read, layer = preds.detach(), self.layer
        v = preds.shape[-1] if layer is None else len(layer.weight)
        if self.shard is None:
            tokens = self._tokens(batch, v, faults)
            if layer is not None:
                return layer.values(read, tokens.place, entropy, rank), tokens
            return TokenValues(*token_rows(read, tokens.place, entropy, rank, None).unbind()), tokens
        ids, kept = _wanted(target, valid, self.ignore_index)
        if layer is None:
            values, parts = self.shard.values(read, ids, kept, entropy, rank)
        elif not rank:
            place, here = self.shard.targets(ids, kept, v)
            values, parts = self.shard.joined(torch.stack(layer.values(read, place, entropy, False)), here)
        else:
            at_once = self.shard.least(layer.tokens_at_once)  # as many parts on all processes
            found = [
                self.shard.values(logits, ids[some], kept[some], entropy, rank)
                for logits, some in layer.rows(read, at_once)
            ]
            values = TokenValues(*torch.cat([torch.stack(each) for each, _ in found], 1).unbind())
            parts = torch.cat([each for _, each in found])
        return values, _counted(ids, kept, parts != 1, weights, faults)


class TokenStatistics(OfTokens):
    """Sums over tokens, from one read of their logits; see :func:`fastmetrics.passes.token_rows.token_rows_body`.

    Args:
        names: the statistics wanted beside ``count``, the number of tokens, int64 []: ``total_log_probs``, the sum of
            the negative log-likelihoods of the targets; ``entropy``, that of the entropies, in nats; ``rank``, that of
            how many logits come before the target's; float64 [] each.
        top_k: K; ``ranks``, int64 [K], has how many targets have the rank 0, 1 … K - 1. None for none.
        token_bytes: int64 [V], how many bytes each token stands for; ``bytes``, int64 [], is their sum over the
            targets. None for none.
        n_bins: number of bins of equal width for the greatest probabilities, and one more for that of 1; the states
            :func:`states_of_bins`, [n_bins + 1], int64 but for the confidences, have the tokens of each, the sum of
            these probabilities, and the tokens whose target has the rank 0. A token without a softmax makes the sum of
            the last bin NaN. None for none.
        ignore_index: a target that is skipped.
    """

    def __init__(
        self,
        *names: str,
        top_k: int | None = None,
        token_bytes: Tensor | None = None,
        n_bins: int | None = None,
        ignore_index: int | None = None,
    ) -> None:
        self.ignore_index = ignore_index
        self.token_bytes = token_bytes
        self.n_bins = () if n_bins is None else (n_bins,)
        self.shapes = dict.fromkeys(names, ((), torch.float64))
        if top_k is not None:
            self.shapes["ranks"] = ((top_k,), torch.int64)
        if token_bytes is not None:
            self.shapes["bytes"] = ((), torch.int64)
        for bins in self.n_bins:
            for name, dtype in zip(states_of_bins(bins), (torch.int64, torch.float64, torch.int64), strict=True):
                self.shapes[name] = ((bins + 1,), dtype)
        self.shapes["count"] = ((), torch.int64)

    def __getstate__(self) -> dict[str, Any]:
        """The table as an array, since a tensor that is sent to a process shares its memory."""
        table = self.token_bytes
        return {**vars(self), "token_bytes": None if table is None else table.cpu().numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The table as a tensor again."""
        table = state["token_bytes"]
        vars(self).update(state, token_bytes=None if table is None else torch.as_tensor(table))

    @property
    def key(self) -> Any:
        """Which tokens are counted."""
        return self.options_but("token_bytes", "n_bins")

    def union(self, other: Statistics) -> Statistics | None:
        """One pass serves all that skip the same targets; bytes of tokens must be those of one table."""
        if isinstance(other, TokenStatistics) and self.token_bytes is not other.token_bytes:
            if self.token_bytes is None:
                return other.union(self) if other.token_bytes is not None else None
            if other.token_bytes is not None:
                return None
        return super().union(other)

    def _joined(self, other: Any) -> Statistics:
        self.n_bins = tuple(sorted({*self.n_bins, *other.n_bins}))
        return self

    def check(self, inputs: Inputs) -> None:
        """As all statistics of tokens; ``ValueError`` on a vocabulary for which there are no bytes."""
        super().check(inputs)
        v = inputs[0].shape[-1]
        if self.shard is not None:
            v = self.shard.least_vocabulary(v)
        if self.token_bytes is not None and len(self.token_bytes) < v:
            raise ValueError(
                f"Expected argument `bytes` to have an entry for each of the {v} tokens of the vocabulary, but it has"
                f" {len(self.token_bytes)}."
            )

    def add(self, states: States, batch: Batch, rows: Tensor | None = None) -> None:
        """Read the batch once and add it to ``states``, or to some rows of them."""
        inputs, weights, valid = batch
        target = inputs[1]
        if target.dim() == 0:
            inputs = inputs[0].unsqueeze(0), target.unsqueeze(0)
            rows = None if rows is None else rows.unsqueeze(-1)
        elif target.numel() == 0:
            return
        for part, of_part in rows_in_parts(self._kept_of_row(inputs), rows, (inputs, weights, valid)):
            self._add_part(states, part, of_part)

    def _kept_of_row(self, inputs: Inputs) -> int:
        """How many numbers are kept of an index of dimension 0; 0 if the batch is to be read at once."""
        return 0 if self.shard is not None else 5 * inputs[1][0].numel()

    def _add_part(self, states: States, batch: Batch, rows: Tensor | None) -> None:
        ranks = "rank" in states or "ranks" in states or bool(self.n_bins)
        values, tokens = self.read(batch, states.get("faults"), "entropy" in states, ranks)
        self.add_values(states, values, tokens, None if rows is None else rows.flatten(1))

    def add_values(self, states: States, values: TokenValues, tokens: Tokens, rows: Tensor | None = None) -> None:
        """Add the values of tokens to ``states``, or to the rows of them that each token has, int ``[K, N]``."""
        add, where = (values_, ()) if rows is None else (values_rows_, (rows,))
        for name, value in SUMS.items():
            if name in states:
                add(value(values), *where, tokens.weights, tokens.counted, states[name], *(None,) * 4, KEEP, 0.0)
        amount = tokens.amount
        if "ranks" in states:
            k = states["ranks"].shape[-1]
            counted = torch.where(values.rank < k, amount, 0)
            add_amounts(states["ranks"], rows, counted, values.rank.clamp(max=k - 1).to(torch.int64))
        if "bytes" in states:
            _add_up(states["bytes"], rows, self._bytes_of_each(tokens))
        for n_bins in self.n_bins:
            place, *of_each = self._binned(n_bins, values, tokens)
            for name, amounts in zip(states_of_bins(n_bins), of_each, strict=True):
                add_amounts(states[name], rows, amounts, place)
        _add_up(states["count"], rows, amount)

    def _binned(self, n_bins: int, values: TokenValues, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The bins of tokens, int64 [N], and what each adds to the states of its bin, float64 [N] each."""
        amount = tokens.amount.double()
        found = torch.where(tokens.counted, confidence(values), 0.0)
        edges = edges_of_bins(n_bins, torch.float32, found.device)
        place = torch.bucketize(found.nan_to_num(1.0), edges, right=True) - 1
        return place, amount, amount * found, torch.where(values.rank == 0, amount, 0.0)

    def _bytes_of_each(self, tokens: Tokens) -> Tensor:
        """How many bytes the targets stand for, by their weights; 0 for one that is not counted."""
        assert self.token_bytes is not None
        if self.token_bytes.device != tokens.ids.device:
            self.token_bytes = self.token_bytes.to(tokens.ids.device)
        return self.token_bytes[torch.where(tokens.counted, tokens.ids, 0)] * tokens.amount

    def differentiable(self, batch: Batch) -> dict[str, Tensor] | None:
        """The sums of one batch: those with a gradient in operations that keep the graph, others as they are counted.

        None without any, and for a part of the vocabulary.
        """
        if self.shard is not None or not self.shapes.keys() & {"total_log_probs", "entropy"}:
            return None
        tokens, log_probs, own = self._log_probs(batch)
        (preds, target), weights, valid = batch
        found = self.of_batch(((preds.detach(), target), weights, valid), None)
        if "total_log_probs" in self.shapes:
            found["total_log_probs"] = -(own * tokens.amount).sum()
        if "entropy" in self.shapes:
            likely = log_probs > -torch.inf  # the others add nothing, not even to a gradient
            terms = torch.where(likely, log_probs, 0.0)
            found["entropy"] = -(torch.where(likely, terms.exp(), 0.0) * terms).sum(1).mul(tokens.amount).sum()
        return found


def _add_up(state: Tensor, rows: Tensor | None, amounts: Tensor) -> None:
    if rows is None:
        state.add_(amounts.sum())
    else:
        add_amounts(state, rows, amounts)


class TokenLikelihoods(OfTokens, Buffers):
    """The negative log-likelihood of each token, ``nll`` float64 [N]; NaN where it is not counted.

    Args:
        ignore_index: a target that is skipped.
    """

    validate = True

    def __init__(self, ignore_index: int | None = None) -> None:
        self.ignore_index = ignore_index
        self.shapes = {"nll": ((), torch.float64)}

    def kept(self, inputs: Inputs, valid: Tensor | None, faults: Tensor | None) -> dict[str, Tensor]:
        """From the same pass."""
        values, tokens = self.read((inputs, None, valid), faults, False, False)
        return {"nll": torch.where(tokens.counted, negative_log_likelihood(values), torch.nan)}

    def differentiable(self, batch: Batch) -> dict[str, Tensor] | None:
        """The same, in operations that keep the graph; None for a part of the vocabulary."""
        if self.shard is not None:
            return None
        tokens, _, own = self._log_probs(batch)
        return {"nll": torch.where(tokens.counted, -own, torch.nan)}

    def per_sample(self, name: str, values: Tensor, inputs: Inputs) -> Tensor:
        """There are no weights."""
        if name == "weights":
            raise ValueError("Weights have no meaning without a reduction.")
        return super().per_sample(name, values, inputs)
