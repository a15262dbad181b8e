# SPDX-License-Identifier: Apache-2.0
"""The values of tokens from hidden states: the logits are formed some at a time, and never all of them are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from fastmetrics.passes.token_rows import ELSEWHERE, TokenValues, token_rows
from fastmetrics.statistics.vocabulary import whole

BUFFER = 32 << 20  # bytes of logits that are there at a time, or one row of them
AT_ONCE = 2048  # tokens, where the logits are formed some columns at a time


class OutputLayer(NamedTuple):
    """What makes logits of hidden states: ``softcap * tanh((hidden @ weight.T + bias) / softcap)``.

    A matrix product packs its right operand anew in every call. So all tokens are multiplied with some rows of
    ``weight`` after the other, as long as the values of parts of a vocabulary can be put together; ranks need the
    target's logit before, and all logits of some tokens at a time.

    Attributes:
        weight: ``[V, D]``.
        bias: ``[V]``, or None.
        softcap: the greatest magnitude of a logit, or None.
    """

    weight: Tensor
    bias: Tensor | None
    softcap: float | None

    @property
    def tokens_at_once(self) -> int:
        """Of how many tokens all logits fit into the buffer; at least one."""
        return max(1, BUFFER // max(1, len(self.weight) * self.weight.element_size()))

    def values(self, hidden: Tensor, target: Tensor, entropy: bool, rank: bool) -> TokenValues:
        """The values of tokens; see :func:`fastmetrics.passes.token_rows.token_rows_body`.

        Args:
            hidden: ``[N, D]``, of the dtype of ``weight``.
            target: int64 ``[N]``.
            entropy: see there.
            rank: see there.
        """
        if rank:
            found = [
                token_rows(logits, target[some], entropy, True, None)
                for logits, some in self.rows(hidden, self.tokens_at_once)
            ]
        else:
            found = [
                self._of_columns(hidden[at : at + AT_ONCE], target[at : at + AT_ONCE], entropy)
                for at in range(0, len(hidden), AT_ONCE)
            ]
        return TokenValues(*torch.cat(found, 1).unbind())

    def rows(self, hidden: Tensor, at_once: int) -> Iterator[tuple[Tensor, slice]]:
        """The logits of some tokens after the other, ``[n, V]``, and which tokens they are.

        Args:
            hidden: ``[N, D]``.
            at_once: of how many tokens at most; the parts are about equally large, and there is at least one.

        Yields:
            logits in a buffer that the next ones overwrite; and a slice.
        """
        buffer = hidden.new_empty(min(at_once, len(hidden)) * len(self.weight))
        done = 0
        for some in hidden.tensor_split(max(1, -(-len(hidden) // at_once))):
            yield self._logits(some, slice(None), buffer), slice(done, done + len(some))
            done += len(some)

    def _of_columns(self, hidden: Tensor, target: Tensor, entropy: bool) -> Tensor:
        """The values as the pass gives them, of parts of the vocabulary."""
        v = len(self.weight)
        at_once = max(1, min(v, BUFFER // (len(hidden) * hidden.element_size())))
        buffer = hidden.new_empty(len(hidden) * at_once)
        found = []
        for first in range(0, max(1, v), at_once):  # a part of a split vocabulary may be empty
            logits = self._logits(hidden, slice(first, first + at_once), buffer)
            place = torch.where((target >= first) & (target < first + at_once), target - first, ELSEWHERE)
            found.append(token_rows(logits, torch.where(target < 0, target, place), entropy, False, None))
        return torch.stack(whole(TokenValues(*torch.stack(found, 1).unbind())))

    def _logits(self, hidden: Tensor, some: slice, buffer: Tensor) -> Tensor:
        """Those of some rows of ``weight``, in a buffer."""
        weight = self.weight[some]
        logits = buffer[: len(hidden) * len(weight)].view(len(hidden), len(weight))
        if self.bias is None:
            torch.mm(hidden, weight.t(), out=logits)
        else:
            torch.addmm(self.bias[some], hidden, weight.t(), out=logits)
        if self.softcap is not None:
            logits.div_(self.softcap).tanh_().mul_(self.softcap)
        return logits
