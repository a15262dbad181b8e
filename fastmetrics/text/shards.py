# SPDX-License-Identifier: Apache-2.0
"""Which processes have parts of one vocabulary, and which have other data."""

from __future__ import annotations

from typing import Any

import torch.distributed as dist

from fastmetrics.statistics.vocabulary import VocabularyShard


def shard_of(vocab_group: Any, vocab_start: int | None) -> VocabularyShard | None:
    """The part of the vocabulary that this process has; None without ``vocab_group``.

    Raises:
        ValueError: ``vocab_start`` is no id, or given alone; this process is not of the group.
    """
    if vocab_start is not None and (isinstance(vocab_start, bool) or not isinstance(vocab_start, int)):
        raise ValueError(f"Expected argument `vocab_start` to be None or an int, but got {vocab_start}")
    if vocab_group is None:
        if vocab_start is not None:
            raise ValueError(
                "Expected argument `vocab_group` with `vocab_start`: the processes that have the other parts."
            )
        return None
    if vocab_start is not None and vocab_start < 0:
        raise ValueError(f"Expected argument `vocab_start` to be at least 0, but got {vocab_start}")
    if not (dist.is_available() and dist.is_initialized()) or dist.get_rank(vocab_group) < 0:
        raise ValueError("Expected argument `vocab_group` to be a process group of which this process is a member.")
    return VocabularyShard(vocab_group, vocab_start)


def arguments_of_sync(shard: VocabularyShard, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a metric, such that its processes are those that have other data.

    The processes of a part each count the same tokens: their sums must not be added.

    Raises:
        ValueError: ``process_group`` has another process of the group, or is missing where there are others.
    """
    together = set(dist.get_process_group_ranks(shard.group))
    data = kwargs.get("process_group")
    if data is not None:
        twice = sorted(together & set(dist.get_process_group_ranks(data)) - {dist.get_rank()})
        if twice:
            raise ValueError(
                "Expected argument `process_group` to have one process of `vocab_group`, since all of them count the"
                f" same tokens, but got ranks {twice} too."
            )
    elif len(together) == dist.get_world_size():
        return {"distributed_available_fn": _no_other_data, **kwargs}
    elif kwargs.get("sync_on_compute", True) or kwargs.get("dist_sync_on_step", False):
        raise ValueError(
            "Expected argument `process_group` with `vocab_group`: the processes that have other data and the same part"
            " of the vocabulary, or `sync_on_compute=False`. Those of `vocab_group` all count the same tokens."
        )
    return kwargs


def _no_other_data() -> bool:
    return False
