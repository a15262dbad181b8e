# SPDX-License-Identifier: Apache-2.0
"""What the kernels do for an element is what is promised, as docs/kernel_costs.md says and as a compiler makes it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.roofline import ALIKE, H100, H200, UNIFORM, Cost, passes
from fastmetrics.native.parameters import cuda_home
from tests.support import kernel_costs, kernel_resources
from tests.support.kernel_costs import BARS, Bar, disassembler, kept, lost, table
from tests.support.machine_code import all_hot_loops, functions, hot_loop, loops, nest

SOURCES = kernel_resources.SOURCES
# Compilers of one release differ by a little.
MOST_TIMES = 1.05


def test_the_table_holds_what_is_promised():
    found = kept()
    assert found.keys() == {Path(source).name for source in SOURCES}
    assert [what for rows in found.values() for what in lost(rows)] == []


def test_every_promise_is_about_a_kernel():
    kernels = [kernel for rows in kept().values() for kernel in rows]
    assert [bar.kernels for bar in BARS if not any(re.fullmatch(bar.kernels, kernel) for kernel in kernels)] == []


def test_the_table_is_as_it_is_written():
    assert table(kept()) == kernel_costs.TABLE.read_text()


@pytest.mark.slow
@pytest.mark.skipif(cuda_home() is None or disassembler() is None, reason="needs nvcc and nvdisasm")
@pytest.mark.parametrize("source", SOURCES, ids=lambda s: Path(s).stem)
def test_what_the_compiler_makes_holds_it_too(source):
    found, before = kernel_costs.rows(source), kept()[Path(source).name]
    assert lost(found) == []
    assert found.keys() == before.keys(), "other kernels: run make kernel-resources"
    for kernel, row in found.items():
        assert row.cost.instructions <= before[kernel].cost.instructions * MOST_TIMES, kernel


COST = Cost(16, 28, 0, 0, 1, 0, 64, 46, 3248)


def test_a_promise_can_be_broken():
    row = kernel_costs.Row("pair", COST, 4096, 0, ("ATOMS",))
    bar = Bar("", 30, code=4096, in_flight=64, divides=False, skew=1.0)
    assert bar.lost(row) == []
    worse = (
        replace(row, cost=replace(COST, instructions=30.5)),
        replace(row, code=4112),
        replace(row, divisions=1),
        replace(row, cost=replace(COST, in_flight=48)),
        replace(row, cost=replace(COST, shared_atomics=20)),
    )
    assert [len(bar.lost(one)) for one in worse] == [1] * len(worse)


def test_the_model_by_hand():
    assert COST.resident == 5 * 256  # 46 registers: 1536 a warp, 42 warps
    clocks = COST.clocks(H200)
    assert clocks["memory"] == pytest.approx(16 / 16.45, rel=1e-3)
    assert clocks["issue"] == 28 / 128
    assert clocks["latency"] == pytest.approx(16 * 958 / (64 * 1280))
    assert COST.share(H200) == (1.0, "memory")
    assert replace(COST, instructions=256).share(H200) == (pytest.approx(16 / 16.45 / 2, rel=1e-3), "issue")
    assert replace(COST, in_flight=4).share(H100)[1] == "latency"
    assert (ALIKE, passes(2)) == (2.0, 2.0)
    assert 2 * 2 < UNIFORM < 2 * 3 < passes(10_000) < 2 * 4


LISTING = """
.text._Z1k:
        /*0000*/                   S2R R0, SR_TID.X ;
.L_x_1:
        /*0010*/                   LDG.E.128.CONSTANT R4, desc[UR4][R2.64] ;
        /*0020*/                   LDG.E.128.CONSTANT R8, desc[UR4][R2.64+0x10] ;
        /*0030*/                   IADD3 R12, R4, R8, RZ ;
        /*0040*/              @!P0 BRA `(.L_x_2) ;
        /*0050*/                   ATOMS.POPC.INC.32 RZ, [R12] ;
.L_x_2:
        /*0060*/                   LDG.E R13, desc[UR4][R2.64] ;
        /*0070*/               @P1 BRA `(.L_x_1) ;
.L_x_3:
        /*0080*/                   LDG.E.U8 R14, desc[UR4][R2.64] ;
        /*0090*/                   CALL.REL.NOINC `($__internal_0_$__cuda_sm20_div_s64) ;
        /*00a0*/               @P2 BRA `(.L_x_3) ;
        /*00b0*/                   RED.E.ADD.64.STRONG.GPU desc[UR4][R2.64], R4 ;
        /*00c0*/                   EXIT ;
"""


def test_the_hot_loop_of_a_listing():
    [loop] = all_hot_loops(LISTING).values()
    assert (loop.path.loaded, loop.path.instructions, loop.path.shared_atomics) == (36, 7, 1)
    assert (loop.bytes_of_code, loop.divisions, loop.in_flight, loop.enclosing) == (112, 0, 32, None)
    assert loop.atomics == ("ATOMS", "RED")


NESTED = """
.text.k:
.L_x_0:
        /*0000*/                   LDG.E.64 R2, [R0.64] ;
.L_x_1:
        /*0010*/                   LDG.E.128 R4, [R2.64] ;
        /*0020*/                   LDG.E.128 R8, [R2.64] ;
        /*0030*/               @P1 BRA `(.L_x_1) ;
        /*0040*/                   CALL.REL.NOINC `($__internal_0_$__cuda_sm20_div_s64) ;
        /*0050*/               @P0 BRA `(.L_x_0) ;
"""


def test_a_loop_within_a_loop():
    [(_, code)] = functions(NESTED)
    loop = hot_loop(code)
    assert (loop.path.loaded, loop.path.instructions) == (32, 3)
    assert (loop.enclosing.loaded, loop.enclosing.instructions, loop.divisions) == (8, 102, 1)


TICKET = """
.text.k:
.L_x_0:
        /*0000*/                   LDG.E.128 R4, [R2.64] ;
        /*0010*/               @P0 BRA `(.L_x_0) ;
        /*0020*/              @!P1 BRA `(.L_x_1) ;
        /*0030*/                   ATOMG.E.ADD.64.STRONG.GPU PT, R2, [R2.64], R4 ;
        /*0040*/                   CCTL.IVALL ;
.L_x_1:
        /*0050*/                   LDG.E.128 R4, [R2.64] ;
        /*0060*/                   LDG.E.128 R8, [R2.64+0x10] ;
        /*0070*/               @P0 BRA `(.L_x_1) ;
        /*0080*/                   EXIT ;
"""


def test_what_the_last_block_does_is_not_hot():
    [(_, code)] = functions(TICKET)
    assert (hot_loop(code).path.loaded, hot_loop(code).atomics) == (16, ("ATOMG",))


WAIT = """
.text.k:
        /*0000*/                   ATOMG.E.ADD.64.STRONG.GPU PT, R2, [R2.64], R4 ;
.L_x_0:
        /*0010*/                   LDG.E.64.STRONG.GPU R6, [R2.64+0x8] ;
        /*0020*/                   CCTL.IVALL ;
        /*0030*/               @P0 BRA `(.L_x_0) ;
.L_x_1:
        /*0040*/                   LDG.E.128 R4, [R2.64] ;
        /*0050*/               @P0 BRA `(.L_x_1) ;
        /*0060*/                   EXIT ;
"""


def test_what_a_block_does_after_it_has_waited_is_hot():
    [(_, code)] = functions(WAIT)
    assert hot_loop(code).path.loaded == 16


ROWS = """
.text.k:
        /*0000*/                   BRA `(.L_x_0) ;
.L_x_0:
        /*0010*/                   DEPBAR.LE SB0, 0x0 ;
        /*0020*/                   BRA.DIV UR4, `(.L_x_9) ;
.L_x_8:
        /*0030*/                   LDG.E.64 R2, desc[UR4][R2.64] ;
.L_x_1:
        /*0040*/                   LDGSTS.E.BYPASS.128 [R9], desc[UR4][R6.64] ;
        /*0050*/              @!P1 BRA `(.L_x_2) ;
        /*0060*/                   LDS.64 R4, [R8] ;
.L_x_2:
        /*0070*/               @P1 BRA `(.L_x_1) ;
        /*0080*/               @P2 BRA `(.L_x_4) ;
        /*0090*/                   LDG.E.U8 R5, desc[UR4][R2.64] ;
        /*00a0*/                   ATOMS.POPC.INC.32 RZ, [R12] ;
        /*00b0*/                   ATOMS.POPC.INC.32 RZ, [R14] ;
        /*00c0*/                   BRA `(.L_x_5) ;
.L_x_4:
        /*00d0*/                   LDGSTS.E.BYPASS.128 [R9], desc[UR4][R6.64] ;
        /*00e0*/                   ATOMS.POPC.INC.32 RZ, [R12] ;
.L_x_5:
        /*00f0*/               @P0 BRA `(.L_x_0) ;
        /*0100*/                   EXIT ;
.L_x_9:
        /*0110*/                   WARPSYNC.COLLECTIVE R5, `(.L_x_7) ;
.L_x_7:
        /*0120*/                   BRA `(.L_x_8) ;
"""


def test_loops_over_rows_and_their_scores():
    [(_, code)] = functions(ROWS)
    assert len(loops(code)) == 2, "what lanes do that are not together is no loop"
    found = nest(code, size=4, atomics=1, copies=1)
    assert (found.own.instructions, found.own.loaded, found.own.shared_atomics) == (7, 24, 1)
    assert (found.main.instructions, found.main.loaded, found.copied, found.single) == (4, 16, 16, None)
    assert nest(code, size=4, atomics=2, copies=0).own.shared_atomics == 2
