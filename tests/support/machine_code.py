# SPDX-License-Identifier: Apache-2.0
"""What the machine code of a kernel does in its hot loop, from a disassembly by ``nvdisasm -c``.

A *loop* is what a branch back encloses. Its *hot path* goes once round: of all ways, the one that loads most bytes from
global memory, then enters the fewest loops within it, then does most atomic additions, in the fewest instructions. A
loop within it counts as one round of instructions, and nothing else of it counts. So the hot path is what a batch
without masked, ignored or bad samples executes.

The *hot loop* of a kernel is the one whose hot path loads most, of the loops that have none within them that loads
WIDE bytes or more; of several, the shortest. What comes behind a ticket, an atomic with the order of an acquire, is
done by the last block alone and is none of them. What *encloses* it, if anything, is the innermost loop around it:
there, the hot loop itself is left out.

Kernels of rows have a loop over rows with loops over their scores in it, which rows of a given length go round so many
times: see `Nest`.

A call of a division of 64-bit integers counts as DIVISION instructions, about what that function has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

LABEL = re.compile(r"^(\.L_x_\d+|\$\S+):")
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(@!?U?P[T\d]\s+)?([A-Z][A-Z0-9_.]*)(.*?);?\s*$")
TARGETS = re.compile(r"\.L_x_\d+")
FUNCTION = re.compile(r"^\.text\.(\S+):")
PREDICATE = re.compile(r"\bU?P\d")
DIVIDES = re.compile(r"cuda_sm20_(?:div|rem)_[us]64")
INSTRUCTION_BYTES = 16
WIDE = 32
DIVISION = 100


@dataclass(frozen=True)
class Instruction:
    """One instruction; ``guarded`` if a predicate decides whether it is carried out."""

    name: str
    operands: str
    guarded: bool

    @property
    def loaded(self) -> int:
        """Bytes that a lane loads from global memory, to a register or to shared memory."""
        if not self.name.startswith("LDG"):
            return 0
        for part in self.name.split("."):
            if part in ("128", "64", "256"):
                return int(part) // 8
            if part in ("U8", "S8"):
                return 1
            if part in ("U16", "S16"):
                return 2
        return 4

    @property
    def copies(self) -> bool:
        """Whether it copies to shared memory without waiting."""
        return self.name.startswith("LDGSTS")

    @property
    def atomic(self) -> str | None:
        """Which kind of atomic it is: ``RED`` and ``ATOMG`` on global memory, ``ATOMS`` on shared memory."""
        kind = self.name.split(".")[0]
        return {"REDG": "RED"}.get(kind, kind) if kind in ("RED", "REDG", "ATOMG", "ATOMS", "ATOM") else None

    @property
    def acquires(self) -> bool:
        """Whether it drops what the cache holds, as behind an atomic with the order of an acquire."""
        return self.name.startswith("CCTL.IVALL")

    @property
    def divides(self) -> bool:
        """Whether it calls a division of 64-bit integers."""
        return self.name.startswith("CALL") and bool(DIVIDES.search(self.operands))

    @property
    def doubles(self) -> bool:
        """Whether it is arithmetic of float64."""
        return self.name.split(".")[0] in ("DADD", "DMUL", "DFMA", "DSETP", "DMNMX")

    @property
    def converts(self) -> bool:
        """Whether it converts to or from 64 bits."""
        return self.name.startswith(("I2F", "F2I", "F2F", "I2I")) and "64" in self.name


@dataclass
class Block:
    """Instructions without a branch between them, and the blocks that may follow."""

    code: list[Instruction] = field(default_factory=list)
    next: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Path:
    """A hot path, or some of it.

    Attributes:
        loaded: bytes that a lane loads from global memory.
        shared_atomics: how many atomics on shared memory a lane does.
        global_atomics: how many on global memory.
        doubles: how many instructions of float64 arithmetic it executes.
        conversions: how many conversions to or from 64 bits.
        instructions: how many instructions it executes.
        entered: blocks of loops within the loop.
    """

    loaded: int = 0
    shared_atomics: int = 0
    global_atomics: int = 0
    doubles: int = 0
    conversions: int = 0
    instructions: int = 0
    entered: int = 0

    @property
    def worth(self) -> tuple[int, int, int, int]:
        """What is compared between paths."""
        return self.loaded, -self.entered, self.shared_atomics + self.global_atomics, -self.instructions

    def then(self, block: Block) -> Path:
        """This path and a block of the loop."""
        kinds = [i.atomic for i in block.code if i.atomic]
        return Path(
            self.loaded + sum(i.loaded for i in block.code),
            self.shared_atomics + kinds.count("ATOMS"),
            self.global_atomics + len(kinds) - kinds.count("ATOMS"),
            self.doubles + sum(i.doubles for i in block.code),
            self.conversions + sum(i.converts for i in block.code),
            self.instructions + instructions_of(block),
            self.entered,
        )

    def through(self, block: Block, free: bool) -> Path:
        """This path and a block of a loop within the loop; ``free`` if it costs nothing."""
        cost = 0 if free else instructions_of(block)
        return replace(self, instructions=self.instructions + cost, entered=self.entered + 1)


@dataclass(frozen=True)
class HotLoop:
    """The hot loop of a kernel; see the module.

    Attributes:
        path: its hot path.
        enclosing: the hot path of the loop that encloses it, without it; None if there is none.
        bytes_of_code: of the loop and of what encloses it.
        divisions: calls of 64-bit divisions there.
        atomics: kinds of atomics in the whole kernel.
        in_flight: bytes that a lane loads before it first waits for one of them.
    """

    path: Path
    enclosing: Path | None
    bytes_of_code: int
    divisions: int
    atomics: tuple[str, ...]
    in_flight: int


def instructions_of(block: Block) -> int:
    """How many instructions a block executes."""
    return sum(DIVISION if i.divides else 1 for i in block.code)


def functions(text: str) -> Iterator[tuple[str, list[Block]]]:
    """Each function of a disassembly by ``nvdisasm -c``: its name and its blocks, in the order of their addresses."""
    name, lines = "", list[str]()
    for line in text.splitlines():
        start = FUNCTION.match(line)
        if start:
            if name:
                yield name, blocks(lines)
            name, lines = start[1], []
        elif name:
            lines.append(line)
    if name:
        yield name, blocks(lines)


def blocks(lines: list[str]) -> list[Block]:
    """The blocks of a function."""
    found, starts, targets = [Block()], dict[str, int](), list[tuple[int, list[str], bool]]()
    for line in lines:
        label = LABEL.match(line)
        if label:
            if found[-1].code:
                found.append(Block())
            starts[label[1]] = len(found) - 1
            continue
        match = INSTRUCTION.match(line)
        if not match:
            continue
        one = Instruction(match[3], match[4], match[2] is not None)
        found[-1].code.append(one)
        kind = one.name.split(".")[0]
        if kind in ("BRA", "BRX", "JMP", "EXIT", "RET"):
            # BRA.DIV: where the lanes of a warp are not together, which is rare
            conditional = one.guarded or "DIV" in one.name or (kind == "BRA" and bool(PREDICATE.search(one.operands)))
            targets.append((len(found) - 1, TARGETS.findall(one.operands), conditional))
            found.append(Block())
    leaves = {at: conditional for at, _, conditional in targets}
    for at in range(len(found) - 1):
        if leaves.get(at, True):
            found[at].next.append(at + 1)
    for at, labels, _ in targets:
        found[at].next += [starts[label] for label in labels if label in starts]
    return found


def loops(code: list[Block]) -> list[tuple[int, int]]:
    """First and last block of each loop: those that a branch back encloses to where every way to it comes from."""
    back = {(to, at) for at, block in enumerate(code) for to in block.next if to <= at}
    return sorted((to, at) for to, at in back if not reached(code, at, to))


def reached(code: list[Block], end: int, without: int) -> bool:
    """Whether the first block has a way to ``end`` without a block."""
    seen, left = {without}, [0]
    while left:
        at = left.pop()
        if at not in seen:
            seen.add(at)
            left += code[at].next
    return end != without and end in seen


def own_blocks(loop: tuple[int, int], every: list[tuple[int, int]]) -> set[int]:
    """The blocks of a loop that are in no loop within it."""
    inner = [one for one in every if one != loop and loop[0] <= one[0] and one[1] <= loop[1]]
    return {at for at in range(loop[0], loop[1] + 1) if not any(a <= at <= b for a, b in inner)}


def hot_path(code: list[Block], loop: tuple[int, int], own: set[int], free: range = range(0)) -> Path | None:
    """The hot path of a loop, or None if it has none. own: its blocks in no loop within it; free: blocks that cost
    nothing."""
    first, last = loop
    best: dict[int, Path] = {}

    def offer(at: int, before: Path) -> None:
        path = before.then(code[at]) if at in own else before.through(code[at], at in free)
        if at not in best or path.worth > best[at].worth:
            best[at] = path

    offer(first, Path())
    for at in range(first, last):
        if at in best:
            for to in code[at].next:
                if at < to <= last:
                    offer(to, best[at])
    return best.get(last)


@dataclass(frozen=True)
class Nest:
    """A loop over rows and the loops over scores in it.

    Attributes:
        own: the hot path of the outer loop without loops in it, through the one over scores. Of ways that do as many
            atomic additions and copies to shared memory as they should, the one that loads most (single bytes, which
            are masks, do not count), then enters the fewest other loops, in the fewest instructions.
        main: the longest path once round the loop over scores, which loads most.
        single: that of the first loop that loads one score a round; None if there is none.
        copied: bytes that a round of the main loop copies to shared memory; 0 if it loads them.
        in_flight: bytes that a lane loads in the main loop before it first waits for one of them.
        bytes_of_code, divisions: of all of it.
        atomics: kinds of atomics in the whole kernel.
    """

    own: Path
    main: Path
    single: Path | None
    copied: int
    in_flight: int
    bytes_of_code: int
    divisions: int
    atomics: tuple[str, ...]


def longest_path(code: list[Block], loop: tuple[int, int]) -> Path:
    """Of the ways once round a loop without loops in it, the one with most instructions."""
    first, last = loop
    best = {first: Path().then(code[first])}
    for at in range(first, last):
        for to in code[at].next if at in best else ():
            if at < to <= last:
                path = best[at].then(code[to])
                if to not in best or path.instructions > best[to].instructions:
                    best[to] = path
    return best[last]


def nest(code: list[Block], size: int, atomics: int, copies: int) -> Nest | None:
    """The rows of a kernel, whose scores have ``size`` bytes; None if it has no loop over scores.

    A way once round the outer loop does so many atomic additions and copies.
    """
    every = loops(code)
    inner = [loop for loop in every if any(within(loop, o) for o in every) and not any(within(o, loop) for o in every)]
    paths = {loop: longest_path(code, loop) for loop in inner}
    main = max(inner, key=lambda loop: paths[loop].loaded, default=None)
    if main is None:
        return None
    outer = max((loop for loop in every if within(main, loop)), key=lambda loop: loop[1] - loop[0])
    first, last = outer
    in_loop = {at for a, b in every if within((a, b), outer) for at in range(a, b + 1)}

    def counted(block: Block) -> tuple[int, int]:
        return sum(i.atomic is not None for i in block.code), sum(i.copies for i in block.code)

    def worth(way: tuple[bool, int, Path]) -> tuple[bool, int, int, int]:
        met, wide, path = way
        return met, wide, -path.entered, -path.instructions

    # block -> (atomics, copies) until there -> (whether through the main loop, bytes, path)
    ways: dict[int, dict[tuple[int, int], tuple[bool, int, Path]]] = {}

    def offer(at: int, done: tuple[int, int], before: tuple[bool, int, Path]) -> None:
        met, wide, path = before
        if at in in_loop:
            way = (met or main[0] <= at <= main[1], wide, path.through(code[at], free=True))
        else:
            more = counted(code[at])
            done = done[0] + more[0], done[1] + more[1]
            way = (met, wide + sum(i.loaded for i in code[at].code if i.loaded > 1), path.then(code[at]))
        there = ways.setdefault(at, {})
        if done[0] <= atomics and done[1] <= copies and (done not in there or worth(way) > worth(there[done])):
            there[done] = way

    offer(first, (0, 0), (False, 0, Path()))
    for at in range(first, last):
        for done, way in list(ways.get(at, {}).items()):
            for to in code[at].next:
                if at < to <= last:
                    offer(to, done, way)
    body = [i for block in code[first : last + 1] for i in block.code]
    of_main = [i for block in code[main[0] : main[1] + 1] for i in block.code]
    single = next((paths[loop] for loop in inner if paths[loop].loaded == size and loop[0] > first), None)
    return Nest(
        max(ways[last].items(), key=lambda way: (way[0], worth(way[1])))[1][2],
        paths[main],
        single,
        sum(i.loaded for i in of_main if i.copies),
        in_flight(paths[main], code, *main),
        len(body) * INSTRUCTION_BYTES,
        sum(i.divides for i in body),
        kinds_of_atomics(code),
    )


def in_flight(path: Path, code: list[Block], first: int, last: int) -> int:
    """Bytes that the loop loads in its longest run of loads that do not wait for each other.

    A run ends where a register that one of them loads is read.
    """
    most = run = 0
    waiting: set[str] = set()
    for block in code[first : last + 1]:
        for one in block.code:
            registers = re.findall(r"\bR\d+", one.operands)
            read = registers[1:] if one.loaded else registers
            if waiting.intersection(read):
                run, waiting = 0, set()
            if one.loaded and registers:
                run += one.loaded
                start = int(registers[0][1:])
                waiting.update(f"R{start + k}" for k in range(max(1, one.loaded // 4)))
                most = max(most, run)
    return min(most, path.loaded)


def kinds_of_atomics(code: list[Block]) -> tuple[str, ...]:
    """Of a whole kernel."""
    return tuple(sorted({i.atomic for block in code for i in block.code if i.atomic}))


def within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    """Whether a loop is another one's, and not the same."""
    return inner != outer and outer[0] <= inner[0] and inner[1] <= outer[1]


def acquires_by_atomic(block: Block) -> bool:
    """Whether an atomic of the block has the order of an acquire, and not a load that waits for other blocks."""
    return any(one.atomic == "ATOMG" and after.acquires for one, after in pairwise(block.code))


def hot_loop(code: list[Block]) -> HotLoop | None:
    """The hot loop of a kernel, or None if no loop loads from global memory."""
    # what is behind a ticket is for the last block
    ticket = next((at for at, block in enumerate(code) if acquires_by_atomic(block)), len(code))
    every = [loop for loop in loops(code) if loop[0] <= ticket]
    own = {loop: own_blocks(loop, every) for loop in every}
    paths = {loop: path for loop in every if (path := hot_path(code, loop, own[loop])) and path.loaded}
    wide = [loop for loop, path in paths.items() if path.loaded >= WIDE]
    paths = {loop: path for loop, path in paths.items() if not any(within(inner, loop) for inner in wide)}
    if not paths:
        return None
    hot = max(paths, key=lambda loop: (paths[loop].loaded, loop[0] - loop[1]))
    around = min((loop for loop in every if within(hot, loop)), key=lambda loop: loop[1] - loop[0], default=None)
    first, last = around or hot
    body = [i for block in code[first : last + 1] for i in block.code]
    return HotLoop(
        paths[hot],
        hot_path(code, around, own[around], range(hot[0], hot[1] + 1)) if around else None,
        len(body) * INSTRUCTION_BYTES,
        sum(i.divides for i in body),
        kinds_of_atomics(code),
        in_flight(paths[hot], code, *hot),
    )


def all_hot_loops(text: str) -> dict[str, HotLoop]:
    """The hot loop of each kernel of a disassembly that has one, by its mangled name."""
    return {name: loop for name, code in functions(text) if (loop := hot_loop(code))}
