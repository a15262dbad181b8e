# SPDX-License-Identifier: Apache-2.0
"""The columns of the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.slices import Sliced
from bench.specs import FromHidden, Many, One

SAME = "the same as ours"
CALLS = ("update", "forward", "compute", "interval", "reset", "sync")
M = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One row.

    Attributes:
        name: what is computed from what.
        inputs: the batch, see :mod:`bench.inputs`.
        ours: the metric. A row whose metric does not exist yet is listed so.
        theirs: that of torchmetrics; None if it has none, or needs too much of something (``note`` says what).
        torcheval: that of torcheval, if it has one.
        eager: the best expression in PyTorch, from the batch to the value.
        peers: name -> another way to the value, from the batch, or a part of the work, which returns None.
        alone: another metric of ours, with the same call on the same batch, which the row is compared with.
        call: what is timed. ``compute``, ``interval`` and ``reset`` follow one update; ``sync`` is ``compute`` of two
            processes.
        prepare: what torchmetrics needs done to the batch in each call; it is timed.
        shares: contestant -> share of the samples that it gets, where the whole batch would take it too long; its
            time is multiplied accordingly. None of them grows slower than the batch does, and a part of it may fit a
            cache that the batch does not, so this is kind to them. ``unchecked`` has that of torchmetrics, ``compile``
            that of ``eager``.
        reference: from the batch to the value, if torchmetrics' is not exact enough to compare with. Its value is
            then compared, and a difference is reported, but is no failure.
        tolerance: relative, of every comparison.
        bars: of a CPU, see ``bench.bars``; for a batch of full size.
        cuda_bars: of a GPU.
        devices: where it runs.
        headline: part of ``--quick`` and of the README.
        sweep: also timed at smaller sizes.
        note: what a reader has to know.
    """

    name: str
    inputs: Any
    ours: One | Many | Sliced | FromHidden
    theirs: Any = SAME
    torcheval: One | None = None
    eager: Callable | None = None
    peers: Mapping[str, Callable] = field(default_factory=dict)
    alone: One | Many | Sliced | None = None
    call: str = "update"
    prepare: Callable | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    reference: Callable | None = None
    tolerance: float = 2e-4
    bars: Mapping[str, float] = field(default_factory=dict)
    cuda_bars: Mapping[str, float] = field(default_factory=dict)
    devices: tuple = ("cpu", "cuda")
    headline: bool = False
    sweep: bool = False
    note: str = ""

    def __post_init__(self):
        if self.call not in CALLS:
            raise ValueError(f"{self.name}: call must be one of {', '.join(CALLS)}, but is {self.call!r}")

    def share(self, name):
        """Of the samples that a contestant gets."""
        return self.shares.get({"unchecked": "torchmetrics", "compile": "eager"}.get(name, name), 1.0)

    @property
    def their_spec(self):
        return self.ours if self.theirs == SAME else self.theirs
