# SPDX-License-Identifier: Apache-2.0
"""What the kernels do for each element that they read, and what of that is promised.

Compiled for sm_90 and disassembled; ``make kernel-resources`` keeps it in docs/kernel_costs.md. How the hot loop is
found: machine_code.py. What share of a device copy follows: bench/roofline.py.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from bench.roofline import ALIKE, H100, H200, Cost
from fastmetrics.native.parameters import cuda_home
from tests.support import ROOT, machine_code
from tests.support.kernel_resources import SOURCES, compile_kernels, names_of, resources, run
from tests.support.machine_code import HotLoop, Nest, functions, hot_loop, nest

ARCHITECTURE = "90"
TABLE = ROOT / "docs" / "kernel_costs.md"

SIZES = {"double": 8, "long": 8, "float": 4, "int": 4, "Half": 2, "BFloat16": 2, "void": 4, "Label": 8}


@dataclass(frozen=True)
class Work:
    """What a kernel's loops read.

    Attributes:
        element: what an element is.
        size: its bytes, of which the hot loop reads as many elements as fit in what it loads; None: see ``elements``.
        elements: of one round of the hot loop, if ``size`` is None.
        around: elements of a lane in one round of the loop that encloses the hot one; None: that one is rare.
        shared: bytes of dynamic shared memory of a block.
    """

    element: str
    size: int | None = None
    elements: int = 1
    around: float | None = None
    shared: int = 0


@dataclass(frozen=True)
class Rows:
    """What the loops over the rows of a kernel read; see :class:`~tests.support.machine_code.Nest`.

    Attributes:
        size: bytes of a score.
        classes: of a row.
        lanes: that have a row together.
        at_once: rows that a lane has at a time.
        rounds: of the loop over scores; a part of one for what it does not read.
        singles: scores of a lane that are read one by one.
        copies: to shared memory of a lane besides those of the loop over scores, of 16 bytes each.
        shared: bytes of dynamic shared memory of a block.
    """

    size: int
    classes: int
    lanes: int = 1
    at_once: int = 1
    rounds: float = 1.0
    singles: int = 0
    copies: int = 0
    shared: int = 0

    @property
    def scores(self) -> float:
        """Of a lane, in a round of the loop over rows."""
        return self.classes * self.at_once / self.lanes


def size(name: str) -> int:
    """Bytes of an element type."""
    return SIZES.get(name, 1)


# Classes that the figures of rows are of, by lanes of a row; of planes, and of tiles, by scores that are read at once.
CLASSES = {"2": 100, "16": 1000, "32": 1000, "256": 32000}
PLANES = 19
TILES = {"1": 9, "2": 10}
UNROLLED = 4  # of the loops over scores
# Shared memory of cells: as many replicas as fit in this; or one of more.
CELLS = 10 * 10 * 4 * 8
ROW_LABELS = 40
LINES = {"4": 40, "32": 1000}


def tiles(score: int, together: int) -> Rows:
    """Short rows in shared memory: of the classes that are read at once, the last ones are read behind the loop."""
    classes = TILES[str(together)]
    rounds = (classes - together) // (UNROLLED * together)
    return Rows(
        *(score, classes),
        at_once=8 // score,
        rounds=rounds,
        copies=1,
        shared=2 * 256 * 8 * classes + CELLS,
    )


def long_rows(score: int, lanes: int) -> Rows:
    """Rows of several lanes, read by 16 bytes and what is left one by one."""
    classes, wide = CLASSES[str(lanes)], 16 // score
    packs = classes // wide
    rounds, singles = -(-packs // lanes) / UNROLLED, -(-(classes - packs * wide) // lanes)
    return Rows(score, classes, lanes, rounds=rounds, singles=singles, shared=CELLS)


# Kernel name -> (its template arguments) -> its work. The figures of what is not here are of a round.
WORK: dict[str, Callable[..., Work | Rows]] = {
    "labels_kernel": lambda t, kept, masked: Work("pair", 2 * size(t) + (masked == "true"), shared=CELLS),
    "labels_strided_kernel": lambda _: Work("pair", shared=CELLS),
    "tile_kernel": lambda t, together, _: tiles(size(t), int(together)),
    "rows_kernel": lambda t, lanes, *_: long_rows(size(t), int(lanes)),
    "planes_kernel": lambda t, n, *_: Rows(size(t), PLANES, at_once=int(n), rounds=PLANES // UNROLLED, shared=CELLS),
    "binary_wide_kernel": lambda t, i, *_: Work("element", size(t) + size(i)),
    "binary_lines_kernel": lambda t, i, _, lanes: Work("element", size(t) + size(i), around=LINES[lanes] / int(lanes)),
    "binary_kernel": lambda _, n: Work("element", elements=int(n)),
    "binary_groups_kernel": lambda _, lanes: Work("element", around=ROW_LABELS / int(lanes)),
    "binary_cells_kernel": lambda *_: Work("round"),
    "multiclass_rows_kernel": lambda *_: Work("round"),
    "amounts_kernel": lambda t, _: Work("sample", elements=1 if t == "void" else 4),
    "groups_kernel": lambda t, _: Work("sample", elements=1 if t == "void" else 4),
    "calibration_kernel": lambda *_: Work("round"),
    "proper_elements_kernel": lambda *_: Work("score"),
    "proper_rows_kernel": lambda t, *_: Work("score", size(t) if t != "void" else None),
    "score_elements_kernel": lambda *_: Work("score"),
    "score_line_kernel": lambda t, i: Work("score", size(t) + size(i)),
    "keep_elements_kernel": lambda _: Work("score"),
    "keep_line_kernel": lambda t, i: Work("score", size(t) + size(i)),
    "keep_rows_kernel": lambda t, _: Work("score", size(t)),
    "score_rows_kernel": lambda _, v, *rest: Work("score", size(v)),
    "token_rows_kernel": lambda t, *_: Work("logit", size(t)),
    "values_kernel": lambda t: Work("value", size(t)),
    "values_strided_kernel": lambda: Work("value"),
    "pairs_kernel": lambda t, _: Work("pair", 2 * size(t)),
    "pairs_strided_kernel": lambda: Work("pair"),
    "pairs_rows_kernel": lambda _: Work("pair"),
    "values_rows_kernel": lambda: Work("value"),
    "row_pairs_kernel": lambda _, t: Work("pair", 2 * size(t)),
}


@dataclass(frozen=True)
class Row:
    """A kernel in the table.

    Attributes:
        element: what an element is.
        cost: of an element.
        code: bytes of code of the hot loop and of what encloses it.
        divisions: of 64-bit integers there, on the hot path or not.
        atomics: kinds of them in the kernel.
    """

    element: str
    cost: Cost
    code: int
    divisions: int
    atomics: tuple[str, ...]


def parts_of(kernel: str) -> tuple[str, list[str]]:
    """The name and the template arguments of a kernel as it is in the table."""
    name, _, rest = kernel.partition("<")
    return name, [part.strip() for part in rest.rstrip(">").split(",")] if rest else []


def work_of(kernel: str) -> Work | Rows:
    """What the loops of a kernel read."""
    name, given = parts_of(kernel)
    return WORK[name](*given) if name in WORK else Work("round")


def row_of_rows(work: Rows, loops: Nest, registers: int, static: int) -> Row:
    """The row of a kernel of rows."""

    def each(what: str) -> float:
        single = getattr(loops.single, what) if loops.single else 0
        done = getattr(loops.own, what) + work.rounds * getattr(loops.main, what) + work.singles * single
        return round(float(done / work.scores), 2)

    names = ("instructions", "doubles", "conversions", "shared_atomics", "global_atomics")
    in_flight = loops.copied * work.rounds + work.copies * 16 if loops.copied else loops.in_flight
    loaded = round(work.size + 8 / work.classes, 2)
    found = {name: each(name) for name in names}
    cost = Cost(loaded, **found, in_flight=in_flight, registers=registers, shared=static + work.shared)
    return Row("score", cost, loops.bytes_of_code, loops.divisions, loops.atomics)


def row_of(work: Work, loop: HotLoop, registers: int, static: int) -> Row:
    """The row of any other kernel."""
    of_loop = work.elements if work.size is None else loop.path.loaded / work.size
    around = loop.enclosing if work.around else None

    def each(what: str) -> float:
        found = getattr(loop.path, what) / of_loop
        if around is not None and work.around:
            found += getattr(around, what) / work.around
        return round(float(found), 2)

    found = {
        field.name: each(field.name) for field in fields(machine_code.Path) if field.name not in ("loaded", "entered")
    }
    loaded = each("loaded") if work.size is None else float(work.size)
    cost = Cost(loaded, **found, in_flight=loop.in_flight, registers=registers, shared=static + work.shared)
    return Row(work.element, cost, loop.bytes_of_code, loop.divisions, loop.atomics)


def disassembler() -> str | None:
    """``nvdisasm`` of the toolkit, of the path, or of the package nvidia-cuda-nvdisasm."""
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    found = [Path(cuda_home() or "") / "bin" / "nvdisasm", *packages.glob("*/bin/nvdisasm")]
    return shutil.which("nvdisasm") or next((str(path) for path in found if path.is_file()), None)


def rows(source: str) -> dict[str, Row]:
    """Compile a source; the row of each of its kernels that has a hot loop."""
    tool = disassembler()
    assert tool, "needs nvdisasm: it is in the CUDA toolkit and in the package nvidia-cuda-nvdisasm"
    with tempfile.TemporaryDirectory() as folder:
        cubin = f"{folder}/x.cubin"
        used = resources(compile_kernels(source, (ARCHITECTURE,), ("-cubin", "-o", cubin)))
        mangled, codes = zip(*functions(run([tool, "-c", cubin])), strict=True)
    found = {}
    for kernel, code in sorted(zip(names_of(list(mangled)), codes, strict=True)):
        work, of_kernel = work_of(kernel), used[kernel, ARCHITECTURE]
        if isinstance(work, Rows):
            loops = nest(code, work.size, work.at_once, work.copies)
            found[kernel] = row_of_rows(work, loops, *of_kernel) if loops else None
        else:
            loop = hot_loop(code)
            found[kernel] = row_of(work, loop, *of_kernel) if loop else None
    return {kernel: row for kernel, row in found.items() if row}


INTRODUCTION = f"""# What the kernels do for an element

Written by `make kernel-resources`, from the machine code for sm_90; none of it is measured.
`tests/kernels/test_costs.py` compares it with what is promised of each kernel, and with a fresh compilation where nvcc
and nvdisasm are there.

- *element*: what the figures are of; a round of the loop where it says so. Of labels, a pair of them; of scores, one:
  of {TILES["2"]} classes where a lane has several rows from shared memory ({TILES["1"]} where their number is odd), of
  {CLASSES["2"]} where two lanes have a row, {CLASSES["32"]} where a warp or half of one has, {CLASSES["256"]} where a
  block has, of {PLANES} for planes. A kernel of scores adds to one cell for each sample. Of short lines, {LINES["4"]}
  elements where four lanes have one, {LINES["32"]} where a warp has.
- *instructions* of a lane, *bytes* loaded, arithmetic of *float64*, *conversions* to and from 64 bits, and *atomics*:
  of an element, on the hot path: no sample is masked, ignored or bad, and all is asked for that the kernel has.
- *in flight*: bytes that a thread waits for at a time. *registers* of a thread, bytes of *shared* memory of a block.
- *code*: bytes of the hot loop and of the loop around it. *divisions*: calls of a 64-bit division in there.
  *kinds* of atomics in the kernel.
- *H100*, *H200*: the share of a device copy that the model in `bench/roofline.py` lets it have at most, for labels at
  random (10 classes), and the *limit* that binds on an H200.
"""

COLUMNS = (
    *("kernel", "element", "instructions", "bytes", "float64", "conversions", "shared atomics", "global atomics"),
    *("in flight", "registers", "shared", "code", "divisions", "kinds", "H100", "H200", "limit"),
)
WORDS = ("kernel", "element", "kinds", "limit")


def cells(kernel: str, row: Row) -> list[str]:
    """A line of the table."""
    cost = row.cost
    of_element = (cost.instructions, cost.bytes, cost.doubles, cost.conversions)
    atomics = (cost.shared_atomics, cost.global_atomics)
    of_kernel = (cost.in_flight, cost.registers, cost.shared, row.code, row.divisions)
    numbers = [f"{x:.10g}" for x in (*of_element, *atomics, *of_kernel)]
    shares = [f"{cost.share(card)[0]:.0%}" for card in (H100, H200)]
    return [f"`{kernel}`", row.element, *numbers, ", ".join(row.atomics) or "–", *shares, cost.share(H200)[1]]


def table(of_source: dict[str, dict[str, Row]]) -> str:
    """The page docs/kernel_costs.md."""
    lines = [INTRODUCTION]
    for source, found in of_source.items():
        ruler = ["---" if column in WORDS else "---:" for column in COLUMNS]
        rows = [list(COLUMNS), ruler, *(cells(kernel, row) for kernel, row in found.items())]
        lines += [f"## {source}", "", *("| " + " | ".join(row) + " |" for row in rows), ""]
    return "\n".join(lines[:-1]) + "\n"


def kept() -> dict[str, dict[str, Row]]:
    """By source and kernel, the table as it is kept."""
    found: dict[str, dict[str, Row]] = {}
    source = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            source = line[3:]
            found[source] = {}
        elif line.startswith("| `"):
            kernel, element, *given = (part.strip() for part in line.strip("|").split(" | "))
            numbers, kinds = [float(cell) for cell in given[:11]], given[11]
            instructions, loaded, doubles, conversions, shared, on_card, in_flight, registers, of_block = numbers[:9]
            atomics = () if kinds == "–" else tuple(kinds.split(", "))
            sums = (loaded, instructions, doubles, conversions, shared, on_card)
            cost = Cost(*sums, in_flight, int(registers), int(of_block))
            found[source][kernel.strip("`")] = Row(element, cost, int(numbers[9]), int(numbers[10]), atomics)
    return found


@dataclass(frozen=True)
class Bar:
    """What is promised of the kernels whose names match.

    Attributes:
        kernels: a regular expression, of the whole name.
        instructions: for an element, at most.
        code: bytes, at most.
        in_flight: bytes of a thread, at least.
        divides: whether 64-bit divisions are allowed in the hot loop and in what encloses it.
        skew: how many times longer than a uniform batch one of a single class may take, in the model, or the reverse.
    """

    kernels: str
    instructions: float
    code: float = float("inf")
    in_flight: int = 0
    divides: bool = True
    skew: float = float("inf")

    def lost(self, row: Row) -> list[str]:
        """What of it does not hold."""
        cost = row.cost
        uniform, alike = (max(cost.clocks(H200, *passes).values()) for passes in ((), (ALIKE,)))
        skew = max(uniform / alike, alike / uniform)
        found = [
            (cost.instructions > self.instructions, f"{cost.instructions} instructions, {self.instructions} allowed"),
            (row.code > self.code, f"{row.code} bytes of code, {self.code} allowed"),
            (cost.in_flight < self.in_flight, f"{cost.in_flight} bytes in flight, {self.in_flight} wanted"),
            (row.divisions > 0 and not self.divides, f"{row.divisions} divisions of 64-bit integers, none allowed"),
            (skew > self.skew, f"uniform and one class differ {skew:.2f} times, {self.skew} allowed"),
        ]
        return [what for bad, what in found if bad]


BARS = (
    Bar(r"labels_kernel<.*, 0, false>", 30, code=16 * 1024, in_flight=32, divides=False, skew=1.2),
    Bar(r"labels_kernel<.*, 0, true>", 34, code=16 * 1024, in_flight=48, divides=False, skew=1.2),
    # sums over all classes
    Bar(r"labels_kernel<.*, 5, false>", 24, code=12 * 1024, in_flight=64, divides=False, skew=1.2),
    Bar(r"labels_kernel<.*, 5, true>", 28, code=16 * 1024, in_flight=48, divides=False, skew=1.2),
    # short rows, a confusion matrix or counts of C = 10
    Bar(r"tile_kernel<(float|Half|BFloat16), 2, 0>", 9, code=20 * 1024, in_flight=80),
    # rows of 100, many of them: two lanes have one
    Bar(r"rows_kernel<(float|Half|BFloat16), 2, (0|3), long>", 8, code=16 * 1024, in_flight=64),
    # rows of 1000, few of them: half a warp has one; a warp, of so few that threads are short; rows of 32000
    Bar(r"rows_kernel<(float|Half|BFloat16), 16, 3, long>", 8, in_flight=64),
    Bar(r"rows_kernel<(float|Half|BFloat16), 32, 3, long>", 10, in_flight=64),
    Bar(r"rows_kernel<(float|Half|BFloat16), 256, 3, long>", 8, in_flight=64),
    Bar(r"planes_kernel<(float, 4|Half, 8|BFloat16, 8), 0, long>", 7, in_flight=64),
    # with ranks
    Bar(r"planes_kernel<(float, 4|Half, 8|BFloat16, 8), 4, long>", 12, in_flight=64),
    # binary and multilabel; with an ignored target it is one comparison more for each
    Bar(r"binary_wide_kernel<(float|Half|BFloat16), .*, false, .*>", 11, in_flight=64),
    Bar(r"binary_wide_kernel<(float|Half|BFloat16), .*, true, .*>", 18, in_flight=48),
    Bar(r"binary_wide_kernel<.*, 1>", 23, divides=False),
    # lines of 40, many of them
    Bar(r"binary_lines_kernel<(float|Half|BFloat16), .*, false, 4>", 19, in_flight=24, divides=False),
    Bar(r"binary_lines_kernel<(float|Half|BFloat16), .*, true, 4>", 30, in_flight=24, divides=False),
    # weighted elements, and those of given rows
    Bar(r"binary_cells_kernel<.*, unsigned int>", 99, code=12 * 1024, divides=False),
    Bar(r"binary_cells_kernel<.*, double>", 141, code=13 * 1024, divides=False),
    # one by one: latency binds, so that no load may wait for another without need
    Bar(r"(score|keep)_elements_kernel<(?!.*, ColumnRows).*>", 255, in_flight=12),
    # and to find its rows
    Bar(r"score_elements_kernel<.*, ColumnRows>", 260, in_flight=12),
    # of any types, with moments
    Bar(r"pairs_rows_kernel<true>", 305, in_flight=12),
    Bar(r"values_rows_kernel", 150, in_flight=12),
    # a histogram of scores: to find the bin takes half of them
    Bar(r"score_line_kernel<(float|Half|BFloat16), .*>", 37, in_flight=24),
    Bar(r"keep_line_kernel<(float|Half|BFloat16), .*>", 19, in_flight=24),
    # the groups of samples, typed and in a line
    Bar(r"groups_kernel<(long|int), .*>", 51, code=10 * 1024, in_flight=20, divides=False),
    Bar(r"values_kernel<float>", 10, in_flight=64, divides=False),
    Bar(r"values_kernel<(Half|BFloat16)>", 11, in_flight=32, divides=False),
    Bar(r"values_kernel<double>", 14, in_flight=64, divides=False),
    Bar(r"token_rows_kernel<float, .*>", 18, in_flight=64),
    Bar(r"token_rows_kernel<(Half|BFloat16), .*>", 19, in_flight=32),
    Bar(r"pairs_kernel<(float|double), .*>", 16, in_flight=64, divides=False),
    # a sixteenth of a clock for each of two conversions: float64 binds, not issue
    Bar(r"pairs_kernel<(Half|BFloat16), .*>", 19, in_flight=32, divides=False),
)


def lost(found: dict[str, Row]) -> list[str]:
    """Which bars the kernels of a source miss."""
    return [
        f"{kernel}: {what}"
        for kernel, row in found.items()
        for bar in BARS
        if re.fullmatch(bar.kernels, kernel)
        for what in bar.lost(row)
    ]


def main(sources: list[str]) -> None:
    """Write the table."""
    TABLE.write_text(table({Path(source).name: rows(source) for source in sources}))


if __name__ == "__main__":
    main(SOURCES)
