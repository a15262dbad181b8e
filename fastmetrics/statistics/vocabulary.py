# SPDX-License-Identifier: Apache-2.0
"""A vocabulary that is split over processes: the values of tokens from the logits that each of them has."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from fastmetrics.passes.token_rows import ELSEWHERE, SKIPPED, TokenValues, token_rows


class VocabularyShard(NamedTuple):
    """The part of a vocabulary whose logits this process has, one of a group of processes.

    All of them read the same tokens in the same order, and get the same values: those of the logits of all parts, added
    in the order of the ranks.

    Attributes:
        group: the processes that have a part each.
        start: the id of the first token of the part; None if the parts are equally large, in the order of the ranks.
    """

    group: Any
    start: int | None

    def __deepcopy__(self, memo: dict[int, Any]) -> VocabularyShard:
        """Itself: a process group cannot be copied."""
        return self

    def first(self, size: int) -> int:
        """The id of the first token of this part, which has ``size``."""
        return dist.get_rank(self.group) * size if self.start is None else self.start

    def least_vocabulary(self, size: int) -> int:
        """How many tokens there are at least, if this part has ``size``; that many if the parts are equally large."""
        return dist.get_world_size(self.group) * size if self.start is None else self.start + size

    def least(self, number: int) -> int:
        """The least number of any process."""
        found = torch.tensor(number, device=self._device)
        dist.all_reduce(found, dist.ReduceOp.MIN, group=self.group)
        return int(found)

    @property
    def _device(self) -> torch.device:
        """Where the group takes what need not be on the device of the logits."""
        return torch.device("cuda" if dist.get_backend(self.group) == "nccl" else "cpu")

    def values(
        self, logits: Tensor, ids: Tensor, kept: Tensor, entropy: bool, rank: bool
    ) -> tuple[TokenValues, Tensor]:
        """Read the logits of this part once.

        There is one collective, a gather of six numbers for each token and process. Ranks need the targets' logits
        before the read, which is a sum of one number for each token.

        Args:
            logits: ``[..., V]``, this part.
            ids: int64 ``[N]``, the targets in the whole vocabulary.
            kept: bool ``[N]``, which tokens are read.
            entropy: see :func:`fastmetrics.passes.token_rows.token_rows_body`.
            rank: likewise.

        Returns:
            the values of the whole, and the number of parts that have the target, ``[N]``; it should be 1.
        """
        size = logits.shape[-1]
        target, here = self.targets(ids, kept, size)
        own = None
        if rank and ids.numel():
            index = torch.where(here, target, 0).reshape(*logits.shape[:-1], 1)
            read = logits.gather(-1, index).reshape(-1).double() if size else ids.double()
            own = torch.where(here, read, 0.0)
            dist.all_reduce(own, group=self.group)
        return self.joined(token_rows(logits, target, entropy, rank, own), here)

    def targets(self, ids: Tensor, kept: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The targets as the pass takes them of this part, which has ``size``, and whether they are in it; ``[N]``."""
        place = ids - self.first(size)
        here = kept & (place >= 0) & (place < size)
        return torch.where(kept, torch.where(place < 0, ELSEWHERE, place), SKIPPED), here

    def joined(self, values: Tensor, here: Tensor) -> tuple[TokenValues, Tensor]:
        """What :meth:`values` returns, from the values of this part, ``[5, N]``, and which targets are in it."""
        mine = torch.cat([values, here.double().unsqueeze(0)])
        each = [mine]
        if here.numel():
            each = [torch.empty_like(mine) for _ in range(dist.get_world_size(self.group))]
            dist.all_gather(each, mine, group=self.group)
        *of_parts, parts = torch.stack(each, 1).unbind()
        return whole(TokenValues(*of_parts)), parts.sum(0)


def whole(parts: TokenValues) -> TokenValues:
    """The values of the logits of all parts, from those of each, ``[parts, N]``."""
    greatest = parts.greatest.amax(0)
    # a part without logits, or with none but -inf, adds nothing
    shift = torch.where(parts.sum == 0, 0.0, parts.greatest - greatest)
    factor = shift.exp()
    # where the factor vanishes, the shift may be infinite
    weighted = torch.where(factor == 0, 0.0, (parts.weighted + parts.sum * shift) * factor)
    return TokenValues(greatest, (parts.sum * factor).sum(0), weighted.sum(0), parts.own.amax(0), parts.rank.sum(0))
