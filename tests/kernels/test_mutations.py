# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 - rows of a table are long
"""Kernels with a bug planted are found out: the emulator, its cases and the sanitizers can fail.

Each change is compiled in place of the source and given the cases of a pass. It must be caught, and as what it is:
a race, say, and not only because a result happened to be wrong.
"""

import pytest

from tests.support.emulator import build
from tests.support.emulator.build import Change
from tests.support.kernel_cases import CASES, encoded, launcher, of_pass

pytestmark = [pytest.mark.slow, pytest.mark.skipif(build.GCC is None, reason="no g++")]

SINK = "passes/multiclass_sink.cuh"
MULTICLASS, LAUNCH_MULTICLASS = "passes/multiclass_kernels.cuh", "passes/multiclass_launch.cuh"
MULTICLASS_SCORES, SCAN = "passes/multiclass_scores_kernels.cuh", "passes/multiclass_scan.cuh"
BINARY, NEIGHBOURS, TOTALS = (f"passes/binary_{name}.cuh" for name in ("kernels", "neighbours_kernels", "totals"))
LAUNCH_BINARY = "passes/binary_cuda.cu"
ROUNDS, CELLS, BINARY_CELLS = "common/rounds.cuh", "common/cells.cuh", "passes/binary_cells_kernels.cuh"
SCORES, LAUNCH_SCORES = "passes/scores_kernels.cuh", "passes/scores_launch.cuh"
READER, KEPT, LAUNCH_KEPT = (f"passes/scores_{name}" for name in ("reader.cuh", "kept_kernels.cuh", "kept_cuda.cu"))
PROPER, LAUNCH_PROPER = "passes/proper_scores_kernels.cuh", "passes/proper_scores_cuda.cu"
CALIBRATION, LAUNCH_CALIBRATION = "passes/calibration_kernels.cuh", "passes/calibration_cuda.cu"
PARTS, SAMPLE_ROWS = "common/parts.cuh", "passes/sample_rows_kernels.cuh"
TOKENS = "passes/token_rows_kernels.cuh"
GROUPS = "passes/multiclass_rows_kernels.cuh"
COUNTED = "passes/groups_kernels.cuh"
PAIRS = "passes/pairs_kernels.cuh"
VALUES = "passes/values_kernels.cuh"
ROW_PAIRS = "passes/row_pairs_kernels.cuh"
ROWS, LAUNCH_ROWS = "passes/rows_kernels.cuh", "passes/rows_cuda.cu"
HINGE, RANKING, EXACT = (f"passes/{name}_kernels.cuh" for name in ("hinge", "ranking", "exact_match"))
DEVICE = "common/device.cuh"
RACE, WRONG, UNWRITTEN, OUTSIDE = "race:", "wrong result", "uninitialised:", "out of bounds:"
OVERRUN, UNALIGNED, DIVERGENT = "shared memory overrun:", "unaligned:", "divergent barrier:"
LEFT = "left over:"

# name, source, what is there, what it becomes, pass to try, what it is caught as
MUTATIONS = [
    # what all kernels share
    ("warp sum over half the warp", DEVICE, "int offset = kWarp / 2;", "int offset = kWarp / 4;", "binary", WRONG),
    ("mask of half a warp", DEVICE, "__shfl_down_sync(kAllLanes, value", "__shfl_down_sync(0xffffu, value", "binary",
     "is not in its own mask"),
    ("faults of blocks counted plainly", DEVICE, "atomicAdd(as_count(counts + which), of_block[2 * which]);",
     "counts[which] += of_block[2 * which];", "groups", RACE),
    ("faults of threads counted plainly", DEVICE, "atomicAdd(of_block + 2 * which, Count{count_[which]});",
     "of_block[2 * which] += count_[which];", "groups", RACE),
    ("faults of a block before they are zero", DEVICE, "of_block[threadIdx.x] = 0;\n    __syncthreads();",
     "of_block[threadIdx.x] = 0;", "groups", f"{RACE}|{UNWRITTEN}"),
    ("faults of a block before they are in", DEVICE, "    }\n    __syncthreads();\n    if (threadIdx.x != 0) return;",
     "    }\n    if (threadIdx.x != 0) return;", "groups", RACE),
    ("last fault in place of the first", DEVICE, "static_cast<Count>(kNoPlace - first_[which]));",
     "static_cast<Count>(first_[which]));", "groups", f"{WRONG}|{OUTSIDE}"),
    ("the last fault of a thread", DEVICE, "if (place < first_[which]) first_", "first_", "groups", WRONG),
    ("a block too many to wait for", DEVICE, "!= gridDim.x - 1) return;", "!= gridDim.x) return;", "multiclass", WRONG),
    ("a ticket without order", DEVICE, "#else\n  __threadfence();", "#else", "groups", RACE),
    ("faults recorded before they are seen", DEVICE, "Count{1});\n  __threadfence();", "Count{1});", "groups", RACE),
    ("a ticket that is not zero again", DEVICE, "if (last) atomicExch(as_count(ticket), Count{0});", "", "values", LEFT),
    ("a ticket that is zero again too early", DEVICE, "if (last) atomicExch(", "atomicExch(", "values", f"{LEFT}|{WRONG}"),
    ("a block too few to wait for", DEVICE, "static_cast<Count>(blocks - 1);", "static_cast<Count>(blocks - 2);", "values",
     f"{RACE}|{UNWRITTEN}|{WRONG}"),
    ("a ticket before the block is done", DEVICE, "  __syncthreads();  // what the block did is done before thread 0 says so\n", "",
     "pairs", RACE),
    ("a last block of one thread", DEVICE, "return __syncthreads_or(last) != 0;", "return last;", "values", f"{DIVERGENT}|{WRONG}|{RACE}"),
    ("parts of values added by every block", VALUES, "if (!comes_last(gridDim.x, ticket)) return;", "", "values",
     f"{RACE}|{UNWRITTEN}"),
    ("barrier behind a return", DEVICE, "    __syncthreads();\n    if (threadIdx.x != 0) return;",
     "    if (threadIdx.x != 0) return;\n    __syncthreads();", "groups", DIVERGENT),
    # the cells of the multiclass kernels
    ("cells used before they are zero", SINK, "if (cells > 0) __syncthreads();", "", "multiclass", f"{RACE}|{UNWRITTEN}"),
    ("flushed before all have counted", SINK, "if (cells == 0) return;\n    __syncthreads();", "if (cells == 0) return;",
     "multiclass", RACE),
    ("one replica too few flushed", SINK, "r < plan_.replicas; ++r", "r < plan_.replicas - 1; ++r", "multiclass", WRONG),
    ("a cell added to plainly", SINK, "atomicAdd(mine_ + target * plan_classes() + label, amount);",
     "mine_[target * plan_classes() + label] += amount;", "multiclass", RACE),
    ("a pair added plainly", SINK, "atomicAdd(mine_ + target * plan_classes() + label, Amount{1});",
     "mine_[target * plan_classes() + label] += 1;", "multiclass", RACE),
    ("a hit added plainly", SINK, "atomicAdd(mine_ + target, Amount{1});", "mine_[target] += 1;", "multiclass", RACE),
    ("a diagonal added twice", SINK, "s_.confusion != nullptr && !(hit && plan_.diagonal > 0)", "s_.confusion != nullptr",
     "multiclass", WRONG),
    ("a diagonal without its counts", SINK, "if (s_.counts != nullptr) add_to(s_.counts + i * 3, amount);", "", "multiclass",
     WRONG),
    ("a diagonal along a row", SINK, "i * (b_.classes + 1), amount", "i, amount", "multiclass", WRONG),
    ("margins exchanged", SINK, "i / 2 * 3 + 1 + i % 2", "i / 2 * 3 + 2 - i % 2", "multiclass", WRONG),
    ("samples in a row forgotten at the end", SINK, "void close() {\n    emit();", "void close() {", "multiclass_tiles", WRONG),
    ("samples of other ranks as if in a row", SINK, "label == label_ && rank == rank_ &&", "label == label_ &&", "multiclass_planes",
     WRONG),
    ("one rank too many", SINK, "plan_.ranks > 0 && rank < s_.k)", "plan_.ranks > 0 && rank <= s_.k)", "multiclass_tiles",
     f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("a histogram of ranks over the ranks", SINK, "atomicAdd(ranks + plan_.ranks + rank, amount);", "atomicAdd(ranks + rank, amount);",
     "multiclass_tiles", WRONG),
    ("totals of threads counted plainly", SINK, "atomicAdd(mine_ + 1, all_);", "mine_[1] += all_;", "multiclass", RACE),
    ("totals of no actual samples", SINK, "if (i == 1) add_to(s_.totals + 2, amount);", "", "multiclass", WRONG),
    ("totals of right samples alone", SINK, "all_ += amount;", "all_ += right ? amount : Amount{0};", "multiclass", WRONG),
    ("totals of weights as if of one", SINK, "add_total(target == label, amount);", "add_total(target == label, 1);",
     "multiclass_weighted", WRONG),
    ("totals in cells that were not asked for", LAUNCH_MULTICLASS, "    plan.totals = 2;\n", "    plan.totals = 1;\n", "multiclass",
     f"{OVERRUN}|{WRONG}"),
    ("totals of the first group", GROUPS, "add(1, row * 3 + 1, amount);", "add(1, 1, amount);", "multiclass_rows", WRONG),
    # the multiclass kernels
    ("masked samples counted", MULTICLASS, "!b.is_valid(place) || ", "", "multiclass", WRONG),
    ("no tail after wide loads", MULTICLASS, "if (rest < samples) {", "if (false) {", "multiclass", WRONG),
    ("a load past the end", MULTICLASS, "for (; i + stride < packs;", "for (; i + stride <= packs;", "multiclass", OUTSIDE),
    ("bad labels not named", MULTICLASS, "if (any_bad) name_bad(", "if (false) name_bad(", "multiclass", WRONG),
    ("masked labels named", MULTICLASS, "if ((kMasked && !b.valid[i]) || ", "if (", "multiclass", WRONG),
    ("an ignored label that is cut to 32 bits", MULTICLASS, "b.has_ignore && int64_t{ignore} == b.ignore;", "b.has_ignore;",
     "multiclass", WRONG),
    ("negative targets counted", MULTICLASS, "good_target = static_cast<uint64_t>(target) < classes;",
     "good_target = target < b.classes;", "multiclass", f"{OVERRUN}|{WRONG}|{OUTSIDE}"),
    # the multiclass kernels of scores
    ("a tile read before the copies of all lanes", MULTICLASS_SCORES, "    __syncwarp();\n    const bool more", "    const bool more",
     "multiclass_tiles", f"{UNWRITTEN}|{RACE}"),
    ("a wait for copies left out", MULTICLASS_SCORES, "__pipeline_wait_prior(0);", "", "multiclass_tiles", f"{UNWRITTEN}|{WRONG}"),
    ("a wait for one group too few", MULTICLASS_SCORES, "__pipeline_wait_prior(0);", "__pipeline_wait_prior(1);", "multiclass_tiles",
     f"{UNWRITTEN}|{WRONG}"),
    ("copies in the group that follows", MULTICLASS_SCORES, "    __pipeline_commit();\n    from += between;", "    from += between;",
     "multiclass_tiles", f"{UNWRITTEN}|{WRONG}"),
    ("a stage reused too early", MULTICLASS_SCORES, "int at = now + lane * 16,", "int at = both - now + lane * 16,", "multiclass_tiles",
     f"{RACE}|{UNWRITTEN}|{WRONG}"),
    ("stages that are not exchanged", MULTICLASS_SCORES, "now = both - now;", "", "multiclass_tiles", f"{RACE}|{UNWRITTEN}|{WRONG}"),
    ("stages of two warps in one place", MULTICLASS_SCORES, "stages = warp * kStages * tile_bytes,", "stages = warp * tile_bytes,",
     "multiclass_tiles", RACE),
    ("a tile of the next stage too few", MULTICLASS_SCORES, "more = left > 1;", "more = left > 2;", "multiclass_tiles",
     f"{UNWRITTEN}|{WRONG}"),
    ("targets of the stage that follows", MULTICLASS_SCORES, "    sample += step;\n    if (more) FetchedTarget",
     "    if (more) FetchedTarget", "multiclass_tiles", WRONG),
    ("the rows that follow copied twice", MULTICLASS_SCORES, "    from += between;\n", "", "multiclass_tiles", f"{WRONG}|{OUTSIDE}"),
    ("a tile copied past its end", MULTICLASS_SCORES, "at < tile_bytes; at += kChunk", "at <= tile_bytes; at += kChunk", "multiclass_tiles",
     f"{OUTSIDE}|{RACE}|{OVERRUN}"),
    ("a class copied by the whole warp", MULTICLASS_SCORES, "(kBytes % kChunk == 0 || lane * 16 < kBytes)", "true", "multiclass_tiles",
     f"{OUTSIDE}|{RACE}|{OVERRUN}"),
    ("no rows behind the last tile", MULTICLASS_SCORES, "if (rest < samples) {", "if (false) {", "multiclass_tiles", WRONG),
    ("a lane with a NaN in one of its rows", MULTICLASS_SCORES, "if (plain & !any_nan) {", "if (plain) {", "multiclass_tiles", WRONG),
    ("pixels with a NaN that are not scanned again", MULTICLASS_SCORES, "if (scan[j].has_nan())", "if (false)", "multiclass_planes", WRONG),
    ("rows with a NaN that are not scanned again", MULTICLASS_SCORES, "if (best != best) {", "if (false) {", "multiclass_score_rows", WRONG),
    ("the last NaN of a row", SCAN, "if (x != x && at == kNoClass) at = c;", "if (x != x) at = c;", "multiclass_score_rows", WRONG),
    ("equal scores before the target", SCAN, "c < target ? below : own, &rank", "own, &rank", "multiclass_planes", WRONG),
    ("minus infinity for a target", SCAN, "*count += !(x <= limit);\n#endif", "*count += x > limit;\n#endif", "multiclass_tiles", WRONG),
    ("a NaN that a greater score hides", SCAN, "  return a > b || a != a ? a : b;\n#endif", "  return a > b ? a : b;\n#endif", "multiclass_planes",
     WRONG),
    ("ignored classes counted without a look", SCAN, "return is_below(limit) & (low_ != ignored);", "return is_below(limit);",
     "multiclass_tiles", WRONG),
    ("the lower half of a target", SCAN, "return (high_ == 0) & (low_ < limit);", "return low_ < limit;", "multiclass_tiles", WRONG),
    ("classes that are not counted on", MULTICLASS_SCORES, "scan->move(kPacks * kStep);", "", "multiclass_score_rows",
     f"{WRONG}|{OUTSIDE}|{OVERRUN}"),
    ("the class of a lane whose score is not the greatest", MULTICLASS_SCORES, "} else if (scan.best != best) {", "} else if (false) {",
     "multiclass_score_rows", WRONG),
    ("a fold over lanes of two rows", MULTICLASS_SCORES, "int offset = kLanes / 2;", "int offset = kLanes;", "multiclass_score_rows", WRONG),
    ("a fold over half the lanes", MULTICLASS_SCORES, "int offset = kLanes / 2;", "int offset = kLanes / 4;", "multiclass_score_rows", WRONG),
    ("the class of one lane of a warp", MULTICLASS_SCORES, "return __reduce_min_sync(kAllLanes, mine);", "return mine;", "multiclass_score_rows",
     WRONG),
    ("the rank of one lane of a warp", MULTICLASS_SCORES, "return __reduce_add_sync(kAllLanes, mine);", "return mine;", "multiclass_score_rows",
     WRONG),
    ("lanes that leave before a shuffle", MULTICLASS_SCORES, "    Scan<W, kRanks> scan;\n    scan.at = kNoClass;",
     "    if (!here) break;\n    Scan<W, kRanks> scan;\n    scan.at = kNoClass;", "multiclass_score_rows", f"{DIVERGENT}|deadlock|mismatched"),
    ("the target of another row", MULTICLASS_SCORES, "of_target += step_of_target;", "of_target += 1;", "multiclass_score_rows", WRONG),
    ("scores of warps before they are there", MULTICLASS_SCORES, "best_of_warp[warp] = best;\n      __syncthreads();",
     "best_of_warp[warp] = best;", "multiclass_score_rows", f"{RACE}|{UNWRITTEN}"),
    ("classes of warps before they are there", MULTICLASS_SCORES, "      }\n      __syncthreads();\n", "      }\n", "multiclass_score_rows",
     f"{RACE}|{UNWRITTEN}"),
    ("wide loads from where a row starts", MULTICLASS_SCORES, "int32_t head = past == 0 ? 0 : kN - past;", "int32_t head = 0;",
     "multiclass_score_rows", UNALIGNED),
    ("a pack past the last of a row", MULTICLASS_SCORES, "if (first + u * kStep < end) x[u]", "if (first < end) x[u]", "multiclass_score_rows",
     OUTSIDE),
    ("packs that were not read", MULTICLASS_SCORES, "if (first + u * kStep >= end) break;", "", "multiclass_score_rows", WRONG),
    ("too little shared memory", LAUNCH_MULTICLASS, "const int64_t bytes = other + ", "const int64_t bytes = ", "multiclass_tiles",
     OVERRUN),
    # the multiclass kernels with weights
    ("weights added plainly", SINK, "double* state, double weight) { atomicAdd(state, weight); }",
     "double* state, double weight) { *state += weight; }", "multiclass_weighted", RACE),
    ("cells of weights as small as counts", LAUNCH_MULTICLASS, "int64_t{sizeof(typename Adds<State>::Amount)} * plan.cells()",
     "int64_t{sizeof(uint32_t)} * plan.cells()", "multiclass_weighted", OVERRUN),
    ("weights in a row as if of one", SINK, "amount_ += amount;", "amount_ += 1;", "multiclass_weighted", WRONG),
    ("the weight of the last samples kept", SINK, "    amount_ = amount;\n", "    amount_ += amount;\n", "multiclass_weighted", WRONG),
    ("infinite weights added", DEVICE, "weight >= 0.0 && weight <= 1.7976931348623157e308;", "weight >= 0.0;",
     "multiclass_weighted", WRONG),
    ("bad weights added", MULTICLASS, "kBadWeight, place);\n      return false;", "kBadWeight, place);", "multiclass_weighted",
     WRONG),
    ("a bad target in place of a bad weight", MULTICLASS, "if (which == kBadWeight) return", "if (false) return",
     "multiclass_weighted", WRONG),
    ("weights where the mask is", MULTICLASS, "*amount = b.weights[b.layout.offset(place, b.layout.d_stride)];",
     "*amount = b.weights[b.layout.offset(place, b.layout.c_stride)];", "multiclass_weighted", f"{WRONG}|{OUTSIDE}"),
    # the binary kernels
    ("targets that are neither 0 nor 1 counted", NEIGHBOURS, "if (other != 0) return false;", "", "binary_wide", WRONG),
    ("ignored neighbours counted", NEIGHBOURS, "if (ignored) one = 0;", "", "binary_wide", WRONG),
    ("the target of a neighbour", NEIGHBOURS, "j % 4 << 8);", "j % 2 << 8);", "binary_wide", WRONG),
    ("bytes of targets not looked at", NEIGHBOURS, "0xfefefefeu", "0xfefefeu", "binary_wide", WRONG),
    ("a zero with a sign as a logit", NEIGHBOURS, "if (most > 0x3f800000u && !*outside) {  // or a zero has a sign",
     "if (most > 0x3f800000u) *outside = true;\n  if (false) {", "binary_wide", WRONG),
    ("logits among neighbours not seen", NEIGHBOURS, "if (most > 0x3f800000u && !*outside)", "if (false)", "binary_wide", WRONG),
    ("a pack past the last", NEIGHBOURS, "i + (kPacks - 1) * stride < packs;", "i + (kPacks - 2) * stride < packs;", "binary_wide",
     f"{OUTSIDE}|{WRONG}"),
    ("no tail after packs", NEIGHBOURS, "if (rest < length) one_by_one", "if (false) one_by_one", "binary_wide", WRONG),
    ("packs of one thread alone looked at again", NEIGHBOURS, "if (others >> u & 1) one_by_one", "if (others & 1) one_by_one", "binary_wide", WRONG),
    ("a step that is no multiple of the labels", "passes/binary_labels_cuda.cu", "threads / round * round", "threads", "binary_labels", WRONG),
    ("neighbours of the label before", NEIGHBOURS, "* kN + j) % ", "* kN) % ", "binary_labels", WRONG),
    ("threads beyond the step", NEIGHBOURS, "first < stride ? first : packs;", "first;", "binary_labels", WRONG),
    ("labels add plainly", NEIGHBOURS, "atomicAdd(of_block + at * kTotals + k, amount);", "of_block[at * kTotals + k] += amount;",
     "binary_labels", RACE),
    ("an ignored target that no target holds", "passes/binary_launch.cuh", " && label_at(&than.ignore, b.target_type, 0) == b.ignore;", ";",
     "binary_lines", WRONG),
    ("lines past the last", NEIGHBOURS, "int unseen = in_block < left ? length - lane : 0;", "int unseen = length - lane;", "binary_lines", f"{OUTSIDE}|{WRONG}"),
    ("half of the lanes of a line", NEIGHBOURS, "offset = kLanes / 2; offset > 0; offset /= 2) {", "offset = kLanes / 4; offset > 0; offset /= 2) {",
     "binary_lines", WRONG),
    ("lines of a sample that follow it", NEIGHBOURS, "      preds += preds_more;\n", "", "binary_lines", f"{WRONG}|{OUTSIDE}"),
    ("lines from where the last one ended", NEIGHBOURS, "* of_label - behind);", "* of_label);", "binary_lines", f"{WRONG}|{OUTSIDE}"),
    ("totals of lines past the last", NEIGHBOURS, "lane < kTotals / 2 && in_block < left", "lane < kTotals / 2", "binary_lines",
     f"{OUTSIDE}|{RACE}|{WRONG}|{LEFT}"),
    ("totals in the places of others", NEIGHBOURS, "kTotals} + 2 * lane;", "kTotals} + lane;", "binary_lines", f"{WRONG}|{RACE}|{LEFT}|{UNALIGNED}"),
    ("a long line where its label is", NEIGHBOURS, "(b.groups > 1 ? line : label) * kTotals", "label * kTotals", "binary_wide", WRONG),
    ("a line of the label before", NEIGHBOURS, "line % b.labels;", "0;", "binary_wide", WRONG),
    ("the place of an element in its line", NEIGHBOURS, "return line * length + i; });", "return i; });", "binary_lines", f"{WRONG}|{OUTSIDE}"),
    ("the place of an element in its long line", NEIGHBOURS, "return place + i; });", "return i; });", "binary_wide", f"{WRONG}|{OUTSIDE}"),
    ("masked elements counted", TOTALS, "if (b.is_valid(sample, label)) add(b, bad, target", "add(b, bad, target", "binary", WRONG),
    ("counted before the cells are zero", BINARY, "of_block[i] = 0;\n  __syncthreads();", "of_block[i] = 0;", "binary", RACE),
    ("no barrier before the flush", TOTALS, "__syncthreads_or(is_outside) && threadIdx.x == 0", "is_outside && threadIdx.x == 0", "binary",
     f"{RACE}|{WRONG}"),
    ("warps add plainly", TOTALS, "atomicAdd(of_block + k, sum);", "of_block[k] += sum;", "binary", RACE),
    ("blocks add plainly", BINARY, "atomicAdd(as_count(to.of + first_label * kTotals + i), Count{of_block[i]});",
     "to.of[first_label * kTotals + i] += of_block[i];", "binary", RACE),
    ("columns past the labels", BINARY, "if (label < b.labels) {", "if (true) {", "binary", OUTSIDE),
    ("the count of the first lane alone", BINARY, "kLanes == kWarp ? sum_of_warp(tally.of[k]) : tally.of[k];", "tally.of[k];",
     "binary", WRONG),
    ("scratch that is kept and not restored", LAUNCH_BINARY, "totals, 0, is_one_launch(b)};", "totals, 0, true};", "binary",
     LEFT),
    ("totals that are not zero again", TOTALS, "from[k] = 0;", "from[k] += 0;", "binary", LEFT),
    ("a batch of logits for ever", TOTALS, "    *outside = 0;\n", "", "binary", LEFT),
    ("logits forgotten before all know", TOTALS, "    __syncthreads();  // `outside` has been read\n", "", "binary", RACE),
    ("totals chosen by every block", TOTALS, "if (ticket == nullptr || !comes_last(gridDim.x, ticket)) return;",
     "if (ticket == nullptr) return;", "binary", f"{RACE}|{WRONG}"),
    ("totals of one thread alone", TOTALS, "b.labels, threadIdx.x, kThreads);", "b.labels, 0, kThreads);", "binary", f"{RACE}|{WRONG}"),
    ("wide loads of odd rows", LAUNCH_BINARY, "layout.a_stride[last] == 1 && layout.size[last] % kN == 0 &&",
     "layout.a_stride[last] == 1 &&", "binary", f"{UNALIGNED}|{WRONG}|{OUTSIDE}"),
    # the kernels of binary cells
    ("masked elements in cells", BINARY_CELLS, "if (!b.is_valid(i, 0)) return -1;", "", "binary_cells", WRONG),
    ("elements that do not count among samples", BINARY_CELLS, "found >= of_place", "found >= kCells", "binary_cells", WRONG),
    ("samples of a label for those of a row", BINARY_CELLS, "c.samples + i / c.rows.labels", "c.samples + i % c.rows.of.count",
     "binary_cells", WRONG),
    ("bad groups of several slicings recorded", BINARY_CELLS, "c.rows.of.slicings != 1 || ", "", "binary_cells", WRONG),
    ("cells counted in before they are zero", CELLS, "memory_[i] = 0;\n    __syncthreads();", "memory_[i] = 0;",
     "binary_cells", f"{RACE}|{UNWRITTEN}"),
    ("replicas folded before all have counted", CELLS, "of_card) {\n    __syncthreads();", "of_card) {", "binary_cells", RACE),
    ("replicas folded without a barrier", CELLS, "*to += to[half];\n      }\n      __syncthreads();",
     "*to += to[half];\n      }", "binary_cells", RACE),
    ("threads of a replica add plainly", CELLS,
     "atomicAdd(memory_ + (static_cast<int>(threadIdx.x) & (replicas_ - 1)) + cell * replicas_, amount);",
     "memory_[(static_cast<int>(threadIdx.x) & (replicas_ - 1)) + cell * replicas_] += amount;", "binary_cells", RACE),
    ("elements added to the card plainly", CELLS, "atomicAdd(of_card, CellOfCard<Cell>{amount});",
     "*of_card += amount;", "binary_cells", RACE),
    ("cells of blocks added plainly", CELLS, "if (sum != 0) atomicAdd(of_card + i, CellOfCard<Cell>{sum});",
     "of_card[i] += sum;", "binary_cells", RACE),
    ("ignored elements decide", BINARY_CELLS, "(b.ignored_decide || !ignored)) *outside", "true) *outside", "binary_cells",
     WRONG),
    ("shared memory for counts alone", "passes/binary_cells_cuda.cu", "replicas * static_cast<int64_t>(sizeof(Cell));",
     "replicas * static_cast<int64_t>(sizeof(uint32_t));", "binary_cells", OVERRUN),
    # the kernels of scores
    ("a guess that was wrong", READER, "return round == Round::kSecond && !logits(b);", "return round == Round::kSecond;", "score_keys", WRONG),
    ("a guess without its faults", READER, "first && which < kKindsOfFault", "false", "score_keys", WRONG),
    ("a guess added by every block", SCORES, "blockIdx.x) * kThreads + threadIdx.x; i < cells;", "0) + threadIdx.x; i < cells;",
     "score_keys", f"{RACE}|{WRONG}"),
    ("a guess that was not zero", LAUNCH_SCORES, "error = cudaMemsetAsync(", "if (false) cudaMemsetAsync(", "score_keys",
     UNWRITTEN),
    ("lanes that stop alone", ROUNDS, "if (!__any_sync(kAllLanes, outside_ || others)) return false;",
     "if (!(outside_ || others)) return false;", "score_keys", WRONG),
    ("lanes that leave before a vote", READER, "; i - lane < elements;", "; i < elements;", "score_keys",
     f"{DIVERGENT}|deadlock|mismatched|is not"),
    ("ignored classes decide", READER, "!b.multiclass && b.ignored_decide", "true", "scores", WRONG),
    ("negative targets of scores counted", READER, "target < 0 || target >= limit", "target >= limit", "score_keys", WRONG),
    ("a NaN for a key", SCORES, "if (x != x) return -1;", "if (x != x) return 0;", "score_keys", WRONG),
    ("a column that does not end", READER, "quick -= quick_size;\n      ++slow;", "quick -= quick_size;", "score_keys",
     f"{WRONG}|{OUTSIDE}"),
    ("half a sum of exponentials", READER, "kLanes / 2; offset > 0; offset /= 2) sum +=", "kLanes / 4; offset > 0; offset /= 2) sum +=",
     "score_keys", WRONG),
    ("the nearest cut reached", SCORES, "return nearest + reaches(nearest);", "return nearest + 1;", "scores", WRONG),
    ("cuts rounded to the nearest", SCORES, "nearest < cut ? nextafterf(nearest, INFINITY) : nearest", "nearest", "scores", WRONG),
    ("cells over the cuts", SCORES, "cells_(shared + cells_at,", "cells_(shared,", "scores", f"{RACE}|{WRONG}"),
    # scores that are a line
    ("a pack past the last of a line", READER, "(kPacks - 1) * stride < whole;", "(kPacks - 2) * stride < whole;", "scores_kept",
     f"{OUTSIDE}|{WRONG}"),
    ("targets of a line that are neither 0 nor 1", READER, "static_cast<I>(~I(1));", "static_cast<I>(~I(3));", "scores_kept", WRONG),
    ("odd packs in one place", READER, "odd >>= 1, pack += stride", "odd >>= 1", "scores_kept", WRONG),
    ("no tail of a line", READER, "bool odd = i < packs;", "bool odd = false;", "scores", WRONG),
    ("lanes of a line that leave before a vote", READER, "for (; i - lane < packs;", "for (; i < packs;", "scores_kept",
     f"{DIVERGENT}|deadlock|mismatched|is not"),
    ("a label of a line that is ignored", LAUNCH_SCORES, "(b.has_ignore && (b.ignore == 0 || b.ignore == 1))", "false", "scores",
     WRONG),
    ("cells of the card as if of a block", LAUNCH_SCORES, "b.columns == 1 && replicas > 0 && finder.near", "b.columns == 1 && finder.near",
     "scores", f"{OVERRUN}|{WRONG}|{RACE}"),
    # the kernels that keep scores
    ("scores written where nothing is aligned", LAUNCH_KEPT, "if (aligned_16(to.scores, 1) && aligned_16(to.labels, 1)) {", "if (true) {",
     "scores_kept", UNALIGNED),
    ("a scratch that is not zero", LAUNCH_KEPT, "error = cudaMemsetAsync(", "if (false) cudaMemsetAsync(", "scores_kept", UNWRITTEN),
    ("labels that are not kept", KEPT, "return label == 0 && !with_labels() ?", "return false ?", "scores_kept", WRONG),
    ("a zero that keeps its sign", KEPT, "if (bits == kSign) bits = 0;", "", "scores_kept", WRONG),
    ("scores that weigh nothing kept", KEPT, "if (weighs) bits = found;", "bits = found;", "scores_kept", WRONG),
    ("logits kept as they are", KEPT, "if (logits_) narrow(sigmoid", "if (false) narrow(sigmoid", "scores_kept", WRONG),
    ("bad scores of the first round forgotten", KEPT, "turn.record(b, turn.is_over(b));", "turn.record(b, false);", "scores_kept",
     WRONG),
    ("classes kept that do not count", KEPT, "counted ? static_cast<int>(c == target.label) : -1", "static_cast<int>(c == target.label)",
     "scores_kept", WRONG),
    ("one class for all lanes", KEPT, "for (int64_t c = lane; c < b.columns; c += kLanes) {\n        T p", "for (int64_t c = 0; c < b.columns; c += kLanes) {\n        T p",
     "scores_kept", f"{RACE}|{WRONG}"),
    # the kernels of proper scores
    ("parts of a block that are not folded", PROPER, "units > 1; units =", "units > 2; units =", "proper_scores", WRONG),
    ("parts folded without barriers", PROPER, ".add(of_block[from]);\n      __syncthreads();", ".add(of_block[from]);", "proper_scores",
     RACE),
    ("parts folded before they are there", PROPER, "= sums;\n    __syncthreads();", "= sums;", "proper_scores",
     f"{RACE}|{UNWRITTEN}"),
    ("samples of the next label", PROPER, "label = thread % of_part / width", "label = thread % of_part", "proper_scores",
     f"{WRONG}|{OUTSIDE}"),
    ("threads without samples leave", PROPER, "while (__any_sync(kAllLanes, group < lanes.groups)) {", "while (group < lanes.groups) {",
     "proper_scores", f"{DIVERGENT}|deadlock|mismatched|is not"),
    ("probabilities read as logits after all", PROPER, "round == Round::kSecond && *outside == 0;", "false;", "proper_scores", WRONG),
    ("bad samples of the first round", PROPER, "*outside != 0 ? second : first, faults", "false ? second : first, faults", "proper_scores", WRONG),
    ("probabilities that are not clipped", PROPER, "-log(least < most ? least : most)", "-log(p)", "proper_scores", WRONG),
    ("samples without a softmax", PROPER, " || greatest - greatest != 0.0;", ";", "proper_scores", WRONG),
    ("what is infinite times nothing", PROPER, "} else if (weight != 0.0) {", "} else {", "proper_scores", WRONG),
    ("the target among the others", PROPER, "if (c != target) see(e);", "see(e);", "proper_scores", WRONG),
    ("every lane adds a score", PROPER, "if (lane == 0) counter.add_logits(", "counter.add_logits(", "proper_scores", WRONG),
    ("sums of a part past its width", PROPER, "if (at >= width) {\n        at -= width;", "if (false) {\n        at -= width;", "proper_scores",
     f"{WRONG}|{OUTSIDE}"),
    ("the second scratch not cleared", LAUNCH_PROPER, "2 * kRowsScratch * sizeof(int64_t)", "kRowsScratch * sizeof(int64_t)",
     "proper_scores", UNWRITTEN),
    # the kernels of calibration
    ("edges used before all are even", CALIBRATION, "__syncthreads_and(even) != 0", "even", "calibration", f"{RACE}|{WRONG}"),
    ("a guess of a bin that is not compared", CALIBRATION, "return guess + (copy_[guess + 1] <= confidence) - (copy_[guess] > confidence);",
     "return guess;", "calibration", f"{WRONG}|mismatched"),
    ("the last class that has the greatest score", CALIBRATION, "klass < label && !beats", "klass > label && !beats",
     "calibration", WRONG),
    ("the sums of the first round", CALIBRATION, "*outside != 0 ? second : first;", "false ? second : first;", "calibration", WRONG),
    ("the lowest part of confidences", PARTS, "part * kPartBits - kFraction", "(part - 1) * kPartBits - kFraction", "calibration", WRONG),
    ("confidences that are not rounded", CALIBRATION, "options_.rounds ?", "false ?", "calibration", WRONG),
    ("every lane adds a confidence", CALIBRATION, "if (lane == 0) counter.add(", "counter.add(", "calibration", WRONG),
    ("no room for the second round", LAUNCH_CALIBRATION, "(options.logits < 0 ? 2 : 1);", "1;", "calibration",
     f"{OUTSIDE}|{UNWRITTEN}|{WRONG}"),
    # samples that are added to several rows
    ("all samples in the first row", CALIBRATION, "((row * columns_ + column)", "(column", "calibration_rows", WRONG),
    ("rows of the next column", CALIBRATION, "row * columns_ + column", "row + column", "calibration_rows", WRONG),
    ("cells of one row alone", CALIBRATION, "count_of(rows) * columns_", "columns_", "calibration_rows", f"{OVERRUN}|{WRONG}|{UNWRITTEN}"),
    ("rows that are out of range", SAMPLE_ROWS, "if (static_cast<uint64_t>(row) < static_cast<uint64_t>(rows.count)) f", "f",
     "calibration_rows", f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("the first slicing many times over", SAMPLE_ROWS, "rows.slicing(k) + at", "at", "calibration_rows", WRONG),
    ("rows of samples in a line", SAMPLE_ROWS, "return rows.layout.offset(sample, rows.layout.a_stride);", "return sample;",
     "calibration_rows", f"{OUTSIDE}|{WRONG}"),
    ("bins of one row added", LAUNCH_CALIBRATION, "0, stream, b, bins, sums", "0, stream, b, bins / count_of(rows), sums",
     "calibration_rows", WRONG),
    ("labels of a row in one", PROPER, "(row * to_.labels + label)", "row * to_.labels", "proper_scores_rows", WRONG),
    ("cells of one label of each row", PROPER, "to.rows.count * to.labels", "to.rows.count", "proper_scores_rows",
     f"{OVERRUN}|{WRONG}|{UNWRITTEN}"),
    ("parts of what has none", PROPER, "if (loss < ProperParts::kLimit) {", "if (true) {", "proper_scores_rows", WRONG),
    ("a loss without parts added plainly", PROPER, "atomicAdd(reinterpret_cast<double*>(to_.cells + first + kProperLarge), loss);",
     "*reinterpret_cast<double*>(to_.cells + first + kProperLarge) += loss;", "proper_scores_rows", RACE),
    ("rows of the first round", PROPER, "*outside != 0 ? second : first;", "false ? second : first;", "proper_scores_rows", WRONG),
    ("every lane adds to the rows", PROPER, "if (lane == 0) counter.add_classes(", "counter.add_classes(", "proper_scores_rows", WRONG),
    ("one word twice", PARTS, "part < kOfWord ? low : high", "low", "proper_scores_rows", WRONG),
    ("the upper word forgotten below", PARTS, "(scaled - static_cast<double>(high)) * 0x1p64", "scaled", "proper_scores_rows", WRONG),
    ("no room for the second round of rows", LAUNCH_PROPER, "(options.logits < 0 ? 2 : 1);", "1;", "proper_scores_rows",
     f"{OUTSIDE}|{UNWRITTEN}|{WRONG}"),
    # the kernels of token rows
    ("logits past the end", TOKENS, "i + kPacks * kStep <= end;", "i < end;", "token_rows", OUTSIDE),
    ("wide loads of rows that begin anywhere", TOKENS, "begin + (past == 0 ? 0 : kN - past)", "begin", "token_rows", UNALIGNED),
    ("parts of warps overwritten", TOKENS, "    __syncthreads();\n    if (threadIdx.x % kWarp == 0)",
     "    if (threadIdx.x % kWarp == 0)", "token_rows", RACE),
    ("parts of warps before they are there", TOKENS, "= part;\n    __syncthreads();", "= part;", "token_rows",
     f"{RACE}|{UNWRITTEN}"),
    ("sums that are not scaled", TOKENS, "part_.sums = moved(part_.sums, static_cast<double>(most), exp_of_double);",
     "part_.sums.greatest = most;", "token_rows", WRONG),
    ("exponentials of minus infinity", TOKENS, "distance > kLeastDistance<W> ? distance : kLeastDistance<W>", "distance",
     "token_rows", WRONG),
    ("equal logits behind the target", TOKENS, ": earlier ? !(x[j] < rival_)", ": false ? !(x[j] < rival_)", "token_rows", WRONG),
    ("ranks of targets that are elsewhere", TOKENS, "(here || b.own != nullptr);", "true;", "token_rows", WRONG),
    ("a NaN that is not seen", TOKENS, "part_.bad |= static_cast<int64_t>(!finite);", "", "token_rows", WRONG),
    ("one part of a row too few", TOKENS, "k < parts; ++k", "k < parts - 1; ++k", "token_rows", WRONG),
    # the kernels of groups
    ("groups out of range counted", GROUPS, "row < 0 || row >= rows.count", "row < 0", "multiclass_rows",
     f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("samples out of range counted in groups", GROUPS, "if (!counted) continue;", "", "multiclass_rows",
     f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("cells of the state before", GROUPS, "if (cell < first[which]) continue;", "if (cell <= first[which]) continue;",
     "multiclass_rows", f"{OUTSIDE}|{WRONG}"),
    ("the rank that one lane found", GROUPS, "rank += __shfl_down_sync(kAllLanes, rank, offset);", "", "multiclass_rows", WRONG),
    ("the first group of all", GROUPS, "rows.slicing(k) + rows.layout", "rows.layout", "multiclass_rows", WRONG),
    ("bad groups of several slicings", "passes/multiclass_rows_cuda.cu", " && rows.slicings == 1;", ";", "multiclass_rows", WRONG),
    # the kernel over the groups of samples
    ("a group after the last", COUNTED, "(group) < static_cast<uint64_t>(groups.count);", "(group) <= static_cast<uint64_t>(groups.count);", "groups", f"{OUTSIDE}|{OVERRUN}|{WRONG}"),
    ("masked groups out of range", COUNTED, "if (valid && !inside) bad", "if (!inside) bad", "groups", WRONG),
    ("groups counted plainly", COUNTED, "atomicAdd(counts_ + group, Card{1});", "counts_[group] += 1;", "groups", RACE),
    ("no groups behind the rounds of four", COUNTED, "for (; i < samples; i += stride) take(", "for (; false;) take(", "groups", WRONG),
    ("a round of four groups past the end", COUNTED, "i + (kAtOnce - 1) * stride < samples", "i < samples", "groups", f"{OUTSIDE}|{WRONG}"),
    ("rows of one slicing for a sample without any", COUNTED, "k < to_.slicing; ++k) to_", "k < to_.slicing - 1; ++k) to_", "groups", WRONG),
    ("a row for a sample that had none", COUNTED, "valid && inside && !left_out", "valid && inside", "groups", WRONG),
    ("bad groups of all slicings as of the first", COUNTED, "bad.add(kBadTarget, k * samples + i);", "bad.add(kBadTarget, i);", "groups",
     WRONG),
    ("bad groups kept for the next call", COUNTED, "= faults[kScratchPlace + kBadTarget] = 0;", "= 0;", "groups", WRONG),
    # the pairs kernels
    ("a tree without barriers", PAIRS, "+ width, of_block + threadIdx.x);\n    __syncthreads();", "+ width, of_block + threadIdx.x);",
     "pairs", RACE),
    ("one thread too many in a tree", PAIRS, "static_cast<int>(threadIdx.x) < width)",
     "static_cast<int>(threadIdx.x) <= width)", "pairs", f"{RACE}|{OVERRUN}"),
    ("four at once whatever the address", PAIRS, "if (wide) return load_pack", "return load_pack", "pairs", UNALIGNED),
    ("outputs past the last", PAIRS, "< columns && output < outputs;", "< columns;", "pairs",
     f"{OUTSIDE}|{RACE}"),
    ("one part too few", PAIRS, "part < parts; part += kThreads", "part < parts - 1; part += kThreads", "pairs", WRONG),
    ("sums read before they are there", PAIRS, "Sums* of_block) {\n  __syncthreads();", "Sums* of_block) {", "pairs",
     f"{RACE}|{UNWRITTEN}"),
    ("no tail after four", PAIRS, "if (rest < pairs) add(", "if (false) add(", "pairs", WRONG),
    ("every block has the count", PAIRS, "if (threadIdx.x == 0 && blockIdx.x == 0) of_block[0].count", "if (threadIdx.x == 0) of_block[0].count", "pairs",
     WRONG),
    ("a pilot for every pair", PAIRS, "if (sums.n == 0.0) sums.start(x, y);", "sums.start(x, y);", "pairs", WRONG),
    ("masked pairs counted", PAIRS, "if (b.valid != nullptr && !b.valid", "if (false && !b.valid", "pairs", WRONG),
    ("bad pairs counted plainly", PAIRS, "atomicAdd(bad + 2 * which, Count{1});", "bad[2 * which] += 1;", "pairs", RACE),
    ("bad pairs of blocks counted plainly", PAIRS, "atomicAdd(as_count(faults + kScratchCount + which), bad[2 * which]);",
     "faults[kScratchCount + which] += bad[2 * which];", "pairs", RACE),
    ("the first bad pair of the last block", PAIRS, "atomicMax(as_count(faults + kScratchPlace", "atomicExch(as_count(faults + kScratchPlace",
     "pairs", WRONG),
    ("bad pairs recorded by every block", PAIRS, "if (!comes_last(gridDim.x, faults + kScratchBlocks) || threadIdx.x != 0) return;",
     "if (threadIdx.x != 0) return;", "pairs", f"{RACE}|{WRONG}"),
    ("parts of pairs added by every block", PAIRS, "if (tickets == nullptr || !comes_last(parts, tickets + ticket)) return;",
     "if (tickets == nullptr) return;", "pairs", f"{RACE}|{UNWRITTEN}"),
    ("one ticket for all outputs", PAIRS, "tickets + ticket)", "tickets)", "pairs", f"{RACE}|{UNWRITTEN}|{WRONG}|{LEFT}"),
    ("parts of one output after another", PAIRS, "add_rows(together, of_block);", "add_rows(1, of_block);", "pairs", WRONG),
    # the values kernels
    ("a tree of extents without barriers", VALUES, "of_block[threadIdx.x + width]);\n    __syncthreads();",
     "of_block[threadIdx.x + width]);", "values", RACE),
    ("four values whatever the address", VALUES, "if (wide) return load_pack", "return load_pack", "values", UNALIGNED),
    ("what NaN stands for forgotten", VALUES, "if (nans_ == 0) return all;", "return all;", "values", WRONG),
    ("NaN added to the sum", VALUES, "nan ? W(0) : x", "x", "values", WRONG),
    ("NaN in the number of values", VALUES, "static_cast<double>(seen - nans_)", "static_cast<double>(seen)", "values", WRONG),
    ("a pack of values past the last", VALUES, "i + 3 * stride < packs;", "i + 2 * stride < packs;", "values", OUTSIDE),
    ("no tail after four packs of values", VALUES, "for (; i < packs; i += stride) add(load(i));", "", "values", WRONG),
    ("masked values counted", VALUES, "if (b.valid != nullptr && !b.valid", "if (false && !b.valid", "values", WRONG),
    ("one part of values too few", VALUES, "part < gridDim.x; part += kThreads", "part < gridDim.x - 1; part += kThreads", "values",
     WRONG),
    ("shared memory for half a block", "passes/values_cuda.cu", "kThreads * sizeof(Extent)", "kThreads / 2 * sizeof(Extent)",
     "values", OVERRUN),
    # the row pairs kernel
    ("one column too many", ROW_PAIRS, "i < b.columns;", "i <= b.columns;", "row_pairs", OUTSIDE),
    ("one row too many", ROW_PAIRS, "row < b.rows;", "row <= b.rows;", "row_pairs", OUTSIDE),
    ("the scale in the first lane alone", ROW_PAIRS, "__shfl_sync(kAllLanes, sum_of_warp(mine), 0)", "sum_of_warp(mine)",
     "row_pairs", WRONG),
    ("every lane writes", ROW_PAIRS, "if (threadIdx.x % kWarp == 0) b.out", "b.out", "row_pairs", RACE),
    # what the kernels of hinge, ranking and exact match share
    ("a tree before its leaves", ROWS, "of_block[threadIdx.x] = mine;\n  __syncthreads();", "of_block[threadIdx.x] = mine;",
     "hinge", f"{RACE}|{UNWRITTEN}"),
    ("logits if the first thread says so", ROWS, "__syncthreads_or(outside) && threadIdx.x == 0", "outside && threadIdx.x == 0",
     "hinge", WRONG),
    ("bad rows not added to the scratch", ROWS, "bad.close(scratch + kRowsFaults, scratch + kRowsPlaces);", "", "exact_match",
     WRONG),
    ("places of bad rows where their number is", ROWS, "bad.close(scratch + kRowsFaults, scratch + kRowsPlaces);",
     "bad.close(scratch + kRowsPlaces, scratch + kRowsFaults);", "hinge", f"{WRONG}|{OUTSIDE}"),
    ("every lane writes a group", ROWS, "if (lane == 0) partial[g] = sums;", "partial[g] = sums;", "exact_match", RACE),
    ("rows added by every block", ROWS, "  if (!comes_last(gridDim.x, scratch + kRowsTicket)) return;\n", "", "hinge",
     f"{RACE}|{UNWRITTEN}"),
    ("a part of rows too few", ROWS, "part < gridDim.x; part", "part < gridDim.x - 1; part", "ranking", WRONG),
    ("scratch of rows that is not zero again", ROWS, "i < kRowsTicket; ++i) scratch[i] = 0;", "i < 0; ++i) scratch[i] = 0;", "hinge", LEFT),
    ("scratch of groups zero before it is read", ROWS, "  __syncthreads();  // the scratch has been read\n", "", "exact_match", RACE),
    ("groups added by every block", ROWS, "if (!alone || !comes_last(gridDim.x, scratch + kRowsTicket)) return;", "if (!alone) return;",
     "exact_match", f"{RACE}|{UNWRITTEN}|{WRONG}"),
    # the hinge kernels
    ("masked rows counted", ROWS, "if (b.valid != nullptr && !b.valid", "if (false && !b.valid", "hinge", WRONG),
    ("the runner-up of one lane", HINGE, "row.other = greater_of(__shfl_xor_sync(kAllLanes, row.other, offset), row.other);", "",
     "hinge", WRONG),
    ("sums of classes not zeroed", HINGE, "c += kWarp) mine[c] = mine[classes + c] = 0.0;", "c += kWarp) mine[c] = 0.0;", "hinge",
     UNWRITTEN),
    ("a bad target for every lane", ROWS, "if (lane == 0 && bad) faults", "if (bad) faults", "hinge", WRONG),
    # the ranking kernel
    ("keys read before they are there", RANKING, "    __syncthreads();\n    if (any_row) {", "    if (any_row) {", "ranking",
     f"{RACE}|{UNWRITTEN}"),
    ("warps read before they are there", RANKING, "of_warp[threadIdx.x / kWarp] = mine;\n    __syncthreads();",
     "of_warp[threadIdx.x / kWarp] = mine;", "ranking", f"{RACE}|{UNWRITTEN}"),
    ("one warp too few", RANKING, "w < kWarps; ++w", "w < kWarps - 1; ++w", "ranking", WRONG),
    ("masked labels ranked", RANKING, "if (b.valid != nullptr && !b.valid", "if (false && !b.valid", "ranking", WRONG),
    ("keys of a row anywhere", LAUNCH_ROWS, "+ 1) + 7) / 8 * 8;", "+ 1));", "ranking", UNALIGNED),
    ("keys of one row alone", LAUNCH_ROWS, "blocks, bytes * kRows, stream", "blocks, bytes, stream", "ranking", OVERRUN),
    ("more keys than the card has room for", LAUNCH_ROWS, "if (kLanes == kWarp || fits) {", "if (true) {", "ranking",
     "more shared memory than a block may have"),
    # the rows of exact match
    ("masked places compared", EXACT, "if (b.valid != nullptr && !b.valid", "if (false && !b.valid", "exact_match", WRONG),
    ("what one lane found", EXACT, "    wrong = any_of<kLanes>(wrong);\n", "", "exact_match", WRONG),
    ("every lane counts the row", EXACT, "if (lane != 0 || !present) return;", "if (!present) return;", "exact_match", WRONG),
    ("one place too many", EXACT, "i < places;", "i <= places;", "exact_match", f"{OUTSIDE}|{WRONG}"),
]  # fmt: skip

# What the others are compared with.
NOTHING = Change("nothing", DEVICE, "#pragma once", "#pragma once", tuple(build.launchers()))
CHANGES = tuple(
    Change(m[0].replace(" ", "_"), *m[1:4], (launcher(m[4]),), alignment=UNALIGNED in m[5]) for m in MUTATIONS
)


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
    done = build.work(mutants["nothing"], cases / name, orders=("forward",))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m[0].replace(" ", "_"))
def test_a_planted_bug_is_caught(mutants, cases, mutation):
    name, *_, of, says = mutation
    done = build.work(mutants[name.replace(" ", "_")], cases / of)
    assert done.returncode == 1, f"not caught: {done.stderr}"
    assert any(part in done.stdout for part in says.split("|")), done.stdout


def test_a_change_that_no_longer_fits_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="0 times, not once"):
        Change("gone", DEVICE, "no such line", "", ()).write(tmp_path)
