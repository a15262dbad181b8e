# SPDX-License-Identifier: Apache-2.0
"""What share of a device copy a kernel could reach, from its machine code alone: a model, not a measurement.

A multiprocessor needs so many clocks for each element that a kernel reads, as each of its limits has it; the greatest
binds, and the share is what the memory needs by what that one needs. The limits are taken to overlap perfectly, and
launch, tail and the final sums to be nothing. So the model is optimistic, and says what a kernel cannot exceed.

========== =================================================================================================
limit      clocks for an element
========== =================================================================================================
memory     its bytes / bytes a clock and multiprocessor of a device copy
issue      its lane instructions / 128: four schedulers issue an instruction of 32 lanes a clock
float64    its float64 instructions / 64, its conversions to and from 64 bits / 16
latency    its bytes * latency / bytes in flight on a multiprocessor (Little's law)
shared     its shared-memory atomics * passes / 32: lanes that meet in a bank take turns
L2         its global atomics / what the L2 takes a clock, for each multiprocessor
========== =================================================================================================

Where the constants come from:

- Multiprocessors, boost clock, memory: NVIDIA's data sheets of H100 SXM5 (132, 1.98 GHz, 3.35 TB/s) and H200 SXM (132,
  1.98 GHz, 4.8 TB/s). A device copy reaches nine tenths of that: 3.0 and 4.3 TB/s.
- 128 lanes, 64 float64 instructions and 16 conversions of 64 bits a clock; 65,536 registers, 2048 threads, 227 KB of
  shared memory and 32 banks a multiprocessor: CUDA C++ programming guide, compute capability 9.0.
- Latency: 479 clocks of an idle H100 (Luo et al. 2024, arXiv:2402.13499); twice that where the memory is busy, which is
  an assumption.
- Passes: an atomic reads its bank and writes it, two passes, and lanes with different cells in one bank take turns. Lanes
  that meet in a cell are folded if they add 1 each: a batch of one class needs two passes. That a pass is a clock is an
  assumption.
- Global atomics: one a clock for each of the 96 slices of the L2, which run at the clock of the multiprocessors. Both are
  assumptions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LANES = 128
DOUBLES = 64
CONVERSIONS = 16
LATENCY = 2 * 479
REGISTERS, THREADS, SHARED = 65536, 2048, 227 * 1024
THREADS_OF_BLOCK = 256
SHARED_OF_SYSTEM = 1024  # of every block
BANKS = 32
SLICES = 96


def passes(cells: int) -> float:
    """How many passes an atomic of 32 lanes takes, each lane in one of so many neighbouring cells at random.

    Twice the expected number of different cells in the fullest bank, as if cells were met independently.
    """
    met = 1 - (1 - 1 / cells) ** 32

    def at_most(most: int, of: int) -> float:
        """The chance that of the cells of a bank no more are met."""
        return sum(math.comb(of, k) * met**k * (1 - met) ** (of - k) for k in range(min(most, of) + 1))

    fewer, more = cells // BANKS, cells % BANKS
    fullest = sum(1 - at_most(k, fewer + 1) ** more * at_most(k, fewer) ** (BANKS - more) for k in range(32))
    return 2 * fullest


# Of labels of 10 classes at random, as pairs; of one class.
UNIFORM, ALIKE = passes(100), passes(1)


@dataclass(frozen=True)
class Card:
    """A card: multiprocessors, clocks in GHz, and what a device copy reads and writes in GB/s."""

    name: str
    multiprocessors: int
    clock: float
    copy: float

    @property
    def bytes_a_clock(self) -> float:
        """Of a device copy, for each multiprocessor."""
        return self.copy / (self.multiprocessors * self.clock)


H100 = Card("H100", 132, 1.98, 3000.0)
H200 = Card("H200", 132, 1.98, 4300.0)


@dataclass(frozen=True)
class Cost:
    """What a kernel does for an element, and what a block of it takes.

    Attributes:
        bytes: that it loads.
        instructions: of a lane.
        doubles: of them, float64 arithmetic.
        conversions: of them, conversions to and from 64 bits.
        shared_atomics: additions to shared memory.
        global_atomics: additions to global memory.
        in_flight: bytes that a thread waits for at a time.
        registers: of a thread.
        shared: bytes of shared memory of a block.
    """

    bytes: float
    instructions: float
    doubles: float
    conversions: float
    shared_atomics: float
    global_atomics: float
    in_flight: float
    registers: int
    shared: int

    @property
    def resident(self) -> int:
        """Threads on a multiprocessor."""
        of_warp = -(-self.registers * 32 // 256) * 256
        warps = REGISTERS // of_warp
        blocks = min(
            warps * 32 // THREADS_OF_BLOCK, THREADS // THREADS_OF_BLOCK, SHARED // (self.shared + SHARED_OF_SYSTEM)
        )
        return blocks * THREADS_OF_BLOCK

    def clocks(self, card: Card, of_atomic: float = UNIFORM) -> dict[str, float]:
        """By limit, what a multiprocessor needs for an element."""
        return {
            "memory": self.bytes / card.bytes_a_clock,
            "issue": self.instructions / LANES,
            "float64": self.doubles / DOUBLES + self.conversions / CONVERSIONS,
            "latency": self.bytes * LATENCY / (self.in_flight * self.resident),
            "shared": self.shared_atomics * of_atomic / BANKS,
            "L2": self.global_atomics * card.multiprocessors / SLICES,
        }

    def share(self, card: Card, of_atomic: float = UNIFORM) -> tuple[float, str]:
        """The share of a device copy, and the limit that binds."""
        clocks = self.clocks(card, of_atomic)
        binds = max(clocks, key=clocks.__getitem__)
        return clocks["memory"] / clocks[binds], binds
