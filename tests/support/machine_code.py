# SPDX-License-Identifier: Apache-2.0
"""What the machine code of a kernel does in its hot loop, from a disassembly by ``nvdisasm -c``.

A *loop* is what a branch back encloses. Its *hot path* goes once round: of all ways, the one that loads most bytes from
global memory, then enters the fewest loops within it, then does most atomic additions, in the fewest instructions. A
loop within it counts as one round of instructions, and nothing else of it counts. So the hot path is what a batch
without masked, ignored or bad samples executes.

The *hot loop* of a kernel is the one whose hot path loads most, of the loops that have none within them that loads
WIDE bytes or more; of several, the shortest. What *encloses* it, if anything, is the innermost loop around it: there,
the hot loop itself is left out.

A call of a division of 64-bit integers counts as DIVISION instructions, about what that function has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

LABEL = re.compile(r"^(\.L_x_\d+|\$\S+):")
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(@!?U?P[T\d]\s+)?([A-Z][A-Z0-9_.]*)(.*?);?\s*$")
TARGETS = re.compile(r"\.L_x_\d+")
FUNCTION = re.compile(r"^\.text\.(\S+):")
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
    def atomic(self) -> str | None:
        """Which kind of atomic it is: ``RED`` and ``ATOMG`` on global memory, ``ATOMS`` on shared memory."""
        kind = self.name.split(".")[0]
        return {"REDG": "RED"}.get(kind, kind) if kind in ("RED", "REDG", "ATOMG", "ATOMS", "ATOM") else None

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
            conditional = one.guarded or (kind == "BRA" and re.search(r"\bU?P\d", one.operands) is not None)
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
    """First and last block of each loop: those that a branch back encloses."""
    return sorted({(to, at) for at, block in enumerate(code) for to in block.next if to <= at})


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


def within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    """Whether a loop is another one's, and not the same."""
    return inner != outer and outer[0] <= inner[0] and inner[1] <= outer[1]


def hot_loop(code: list[Block]) -> HotLoop | None:
    """The hot loop of a kernel, or None if no loop loads from global memory."""
    every = loops(code)
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
        tuple(sorted({i.atomic for block in code for i in block.code if i.atomic})),
        in_flight(paths[hot], code, *hot),
    )


def all_hot_loops(text: str) -> dict[str, HotLoop]:
    """The hot loop of each kernel of a disassembly that has one, by its mangled name."""
    return {name: loop for name, code in functions(text) if (loop := hot_loop(code))}
