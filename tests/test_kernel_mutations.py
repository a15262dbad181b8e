# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 - rows of a table are long
"""Kernels with a bug planted are found out: the emulator, its cases and the sanitizers can fail.

Each change is compiled in place of the source and given the cases of its passes. It must be caught, and as what it is:
a race, say, and not only because a result happened to be wrong.
"""

import pytest
from emulator import build
from emulator.build import Change
from kernel_cases import CASES, encoded, of_pass

pytestmark = pytest.mark.skipif(build.GCC is None, reason="no g++")

SINK = "passes/multiclass_sink.cuh"
MULTICLASS = "passes/multiclass_kernels.cuh"
BINARY = "passes/binary_kernels.cuh"
PAIRS = "passes/pairs_kernels.cuh"
DEVICE = "common/device.cuh"
RACE, WRONG, UNWRITTEN, OUTSIDE = "race:", "wrong result", "uninitialised:", "out of bounds:"
OVERRUN, UNALIGNED, DIVERGENT = "shared memory overrun:", "unaligned:", "divergent barrier:"

# name, source, what is there, what it becomes, passes to try, what it is caught as
MUTATIONS = [
    # what all kernels share
    ("warp sum over half the warp", DEVICE, "int offset = kWarp / 2;", "int offset = kWarp / 4;", "binary", WRONG),
    ("mask of half a warp", DEVICE, "__shfl_down_sync(kAllLanes, value", "__shfl_down_sync(0xffffu, value", "binary",
     "is not in its own mask"),
    ("faults counted plainly", DEVICE, "atomicAdd(as_count(faults + kScratchCount + which), Count{1});",
     "faults[kScratchCount + which] += 1;", "binary", RACE),
    ("last fault in place of the first", DEVICE, "static_cast<Count>(kNoPlace - place));",
     "static_cast<Count>(place));", "binary", WRONG),
    ("a block too many to wait for", DEVICE, "!= gridDim.x - 1) return;", "!= gridDim.x) return;", "multiclass", WRONG),
    ("faults read before the block is done", DEVICE, "  __syncthreads();\n  if (threadIdx.x != 0) return;",
     "  if (threadIdx.x != 0) return;", "multiclass", WRONG),
    ("barrier behind a return", DEVICE, "  __syncthreads();\n  if (threadIdx.x != 0) return;",
     "  if (threadIdx.x != 0) return;\n  __syncthreads();", "multiclass", DIVERGENT),
    # the cells of the multiclass kernels
    ("cells used before they are zero", SINK, "if (cells > 0) __syncthreads();", "", "multiclass", f"{RACE}|{UNWRITTEN}"),
    ("one replica zeroed", SINK, "const int cells = plan.of_replica() * plan.replicas;",
     "const int cells = plan.of_replica();", "multiclass", UNWRITTEN),
    ("flushed before all have counted", SINK, "if (cells == 0) return;\n    __syncthreads();", "if (cells == 0) return;",
     "multiclass", RACE),
    ("one replica too few flushed", SINK, "r < plan_.replicas; ++r", "r < plan_.replicas - 1; ++r", "multiclass", WRONG),
    ("a cell added to plainly", SINK, "atomicAdd(mine_ + target * plan_classes() + label, times);",
     "mine_[target * plan_classes() + label] += times;", "multiclass", RACE),
    ("a state added to plainly", SINK, "atomicAdd(as_count(s_.confusion + i), times);",
     "s_.confusion[i] += static_cast<int64_t>(times);", "multiclass", RACE),
    ("the majority forgotten at the end", SINK, "void close() {\n    if (times_ > 0) emit", "void close() {\n    if (false) emit",
     "multiclass", WRONG),
    ("one rank too many", SINK, "rank >= s_.k) return;", "rank > s_.k) return;", "multiclass", f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("a replica for every warp", SINK, "/ kWarp % plan.replicas *", "/ kWarp *", "multiclass", OVERRUN),
    # the multiclass kernels
    ("no tail after wide loads", MULTICLASS, "if (rest < samples) count(", "if (false) count(", "multiclass", WRONG),
    ("a load past the end", MULTICLASS, "for (; i + stride < packs;", "for (; i + stride <= packs;", "multiclass", OUTSIDE),
    ("labels not checked", MULTICLASS, "good_label = static_cast<uint64_t>(label) < classes;", "good_label = true;",
     "multiclass", f"{OVERRUN}|{WRONG}|{OUTSIDE}"),
    ("negative targets counted", MULTICLASS, "good_target = static_cast<uint64_t>(target) < classes;",
     "good_target = target < b.classes;", "multiclass", f"{OVERRUN}|{WRONG}|{OUTSIDE}"),
    ("a tile overwritten while it is read", MULTICLASS, ": 0;\n    __syncwarp();", ": 0;", "multiclass", RACE),
    ("a tile read before it is there", MULTICLASS, "    }\n    __syncwarp();\n    if (sample", "    }\n    if (sample",
     "multiclass", f"{UNWRITTEN}|{RACE}"),
    ("a wide load at the end of a tile", MULTICLASS, "at + 16 <= bytes;", "at < bytes;", "multiclass", OUTSIDE),
    ("no tail of a tile", MULTICLASS, "int at = bytes / 16 * 16 + lane", "int at = bytes + lane", "multiclass", UNWRITTEN),
    ("lanes that leave before a shuffle", MULTICLASS, "const bool here = sample < samples;",
     "const bool here = sample < samples;\n    if (!here) break;", "multiclass", f"{DIVERGENT}|deadlock|mismatched"),
    ("sums of warps overwritten", MULTICLASS, "__syncthreads();  // the row before has been read", "", "multiclass", RACE),
    ("one warp too few merged", MULTICLASS, "for (int w = 1; w < kWarps; ++w)", "for (int w = 1; w < kWarps - 1; ++w)",
     "multiclass", WRONG),
    ("wide loads from where a row starts", MULTICLASS, "int64_t head = past == 0 ? 0 : kN - past;", "int64_t head = 0;",
     "multiclass", UNALIGNED),
    ("an unrolled loop too far", MULTICLASS, "i + 3 * kLanes < packs;", "i + 2 * kLanes < packs;", "multiclass",
     f"{OUTSIDE}|{WRONG}"),
    ("wide loads whatever the address", "passes/multiclass_cuda.cu", "aligned_16(b.preds, 1) && aligned_16(b.target, 1)",
     "true", "multiclass", UNALIGNED),
    ("too little shared memory", "passes/multiclass_cuda.cu", "other + plan.bytes(), stream", "plan.bytes(), stream",
     "multiclass", OVERRUN),
    # the binary kernels
    ("counted before the cells are zero", BINARY, "of_block[i] = 0;\n  __syncthreads();", "of_block[i] = 0;", "binary", RACE),
    ("no barrier before the flush", BINARY, "= __syncthreads_or(tally.outside);", "= tally.outside;", "binary", RACE),
    ("warps add plainly", BINARY, "atomicAdd(of_block + k, sum);", "of_block[k] += sum;", "binary", RACE),
    ("threads add plainly", BINARY, "atomicAdd(of_block + column * kTotals + k, tally.of[k]);",
     "of_block[column * kTotals + k] += tally.of[k];", "binary", RACE),
    ("blocks add plainly", BINARY, "atomicAdd(as_count(totals + first_label * kTotals + i), Count{of_block[i]});",
     "totals[first_label * kTotals + i] += of_block[i];", "binary", RACE),
    ("columns past the labels", BINARY, "if (label < b.labels) {", "if (true) {", "binary", OUTSIDE),
    ("groups past the last", BINARY, "if (lane == 0 && unit < units) totals", "if (lane == 0) totals", "binary", OUTSIDE),
    ("the count of the first lane alone", BINARY, "kLanes == kWarp ? sum_of_warp(tally.of[k]) : tally.of[k];", "tally.of[k];",
     "binary", WRONG),
    ("one unit too many", BINARY, "i < units; i += stride", "i <= units; i += stride", "binary", OUTSIDE),
    ("workspace not zeroed", "passes/binary_cuda.cu",
     "if (error == cudaSuccess) error = cudaMemsetAsync(workspace, 0, binary_workspace(b) * sizeof(int64_t), stream);", "",
     "binary", UNWRITTEN),
    ("wide loads of odd rows", "passes/binary_cuda.cu", "layout.a_stride[last] == 1 && layout.size[last] % kN == 0 &&",
     "layout.a_stride[last] == 1 &&", "binary", f"{UNALIGNED}|{WRONG}|{OUTSIDE}"),
    # the pairs kernels
    ("sums read before they are there", PAIRS, "of_block[threadIdx.x] = mine;\n  __syncthreads();",
     "of_block[threadIdx.x] = mine;", "pairs", f"{RACE}|{UNWRITTEN}"),
    ("a tree without barriers", PAIRS, "of_block[threadIdx.x + width]);\n    __syncthreads();",
     "of_block[threadIdx.x + width]);", "pairs", RACE),
    ("a tree from half its leaves", PAIRS, "int width = kThreads / 2;", "int width = kThreads / 4;", "pairs", WRONG),
    ("one thread too many in a tree", PAIRS, "static_cast<int>(threadIdx.x) < width)",
     "static_cast<int>(threadIdx.x) <= width)", "pairs", f"{RACE}|{OVERRUN}"),
    ("no tail after four", PAIRS, "if (rest < pairs)", "if (false)", "pairs", WRONG),
    ("four at once whatever the address", PAIRS, "if (wide) return load_pack", "return load_pack", "pairs", UNALIGNED),
    ("outputs past the last", PAIRS, "< columns && output < b.outputs) partial", "< columns) partial", "pairs",
     f"{OUTSIDE}|{RACE}"),
    ("one part too few", PAIRS, "part < parts; part += kThreads", "part < parts - 1; part += kThreads", "pairs", WRONG),
    ("a stride too short", PAIRS, "i + stride < packs; i += 2 * stride", "i + stride < packs; i += stride", "pairs", WRONG),
    ("every block adds the count", PAIRS, "if (blockIdx.x == 0 && threadIdx.x == 0) *count", "if (threadIdx.x == 0) *count",
     "pairs", RACE),
]  # fmt: skip

# What the others are compared with.
NOTHING = Change("nothing", DEVICE, "#pragma once", "#pragma once", tuple(CASES))
CHANGES = tuple(Change(m[0].replace(" ", "_"), *m[1:4], tuple(m[4].split())) for m in MUTATIONS)


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """The file of the cases of each pass."""
    folder = tmp_path_factory.mktemp("cases")
    for name in CASES:
        (folder / name).write_bytes(encoded(of_pass(name)))
    return folder


@pytest.fixture(scope="session")
def mutants():
    return build.build((), (NOTHING, *CHANGES))


@pytest.mark.parametrize("name", CASES)
def test_the_sources_as_they_are_pass(mutants, cases, name):
    done = build.work(mutants["nothing"], cases / name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m[0].replace(" ", "_"))
def test_a_planted_bug_is_caught(mutants, cases, mutation):
    name, *_, passes, says = mutation
    for of in passes.split():
        done = build.work(mutants[name.replace(" ", "_")], cases / of)
        print(done.stdout, done.stderr)
        assert done.returncode == 1, f"not caught: {done.stderr}"
        assert any(part in done.stdout for part in says.split("|")), done.stdout


def test_a_change_that_no_longer_fits_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="0 times, not once"):
        Change("gone", DEVICE, "no such line", "", ()).write(tmp_path)
