// SPDX-License-Identifier: Apache-2.0
//
// The kernel of the multiclass pass over samples of given rows; its meaning is multiclass_body in
// fastmetrics/passes/multiclass.py.
//
// A thread, or a warp where the scores of a sample are many neighbours, has a sample: it finds the label and the rank
// in one read, and adds to the rows of all its groups. The cells of all states are those of a block one behind another,
// where they are few.

#pragma once

#include "common/cells.cuh"
#include "passes/multiclass_kernels.cuh"
#include "passes/sample_rows.h"
#include "rules/order.h"

namespace fastmetrics {

// Scratch, int64, zero before and after: as BadOnes::close writes it, with groups in place of targets.
enum { kRowsOfGroups = 0, kPlacesOfGroups = kKindsOfFault, kGroupsScratch = 2 * kKindsOfFault };

// The cells of the states, [count of rows, ...] each, one behind another; those that were not asked for are none.
template <typename State>
struct RowCellsOfStates {
  using Card = CellOfCard<std::conditional_t<std::is_same<State, double>::value, double, uint32_t>>;
  static constexpr int kStates = 5;
  State* state[kStates];       // confusion, counts or totals, ranks, rank_histogram, samples
  int64_t first[kStates + 1];  // of the cells of each; behind the last one, how many there are

  __device__ __forceinline__ Card* operator+(int64_t cell) const {
    State* base = state[0];
    int64_t from = 0;
#pragma unroll
    for (int which = 1; which < kStates; ++which) {
      if (cell < first[which]) continue;
      base = state[which];
      from = first[which];
    }
    return reinterpret_cast<Card*>(base) + (cell - from);
  }
};

// One score, exactly.
__device__ __forceinline__ double score_at(const MulticlassBatch& b, int64_t offset) {
  double value = 0.0;
  with_score_type(b.preds_type, [&](auto t) { value = widen(static_cast<const decltype(t)*>(b.preds)[offset]); });
  return value;
}

struct RankedLabel {
  int64_t label, rank;
};

// The label of the scores that begin at `at`, and how many come before the target, read by kLanes lanes; for lane 0.
template <int kLanes>
__device__ __forceinline__ RankedLabel read_scores_of(const MulticlassBatch& b, int64_t at, int64_t target, int lane) {
  const bool ranked = target >= 0 && target < b.classes;
  const double own = ranked ? score_at(b, at + target * b.class_stride) : 0.0;
  double best = -INFINITY;
  int64_t label = INT64_MAX, rank = 0;
  auto see = [&](double x, int64_t klass) {
    if (beats(x, best) || (klass < label && !beats(best, x))) {
      best = x;
      label = klass;
    }
  };
  for (int64_t c = lane; c < b.classes; c += kLanes) {
    const double x = score_at(b, at + c * b.class_stride);
    see(x, c);
    rank += ranked && precedes(x, c, own, target);
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) {
    const double other = __shfl_down_sync(kAllLanes, best, offset);
    see(other, __shfl_down_sync(kAllLanes, label, offset));
    rank += __shfl_down_sync(kAllLanes, rank, offset);
  }
  return {label, rank};
}

// Records what is out of range, and groups if they have a scratch, which is zero again; one thread. Out of line,
// because it has more in registers than the loop.
template <typename State>
__device__ __attribute__((noinline)) void record_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows,
                                                                 int64_t* faults, int64_t* scratch) {
  record_faults(faults, [&](int which, int64_t place) -> int64_t {
    if constexpr (Adds<State>::kWeights) {
      if (which == kBadWeight) return __double_as_longlong(b.weights[b.layout.offset(place, b.layout.d_stride)]);
    }
    int64_t of_preds, of_target;
    b.layout.locate(place, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target)
                               : label_at(b.preds, b.preds_type, of_preds);
  });
  if (scratch == nullptr || scratch[kRowsOfGroups] == 0) return;
  const int64_t place = kNoPlace - scratch[kPlacesOfGroups];
  if (faults[2 * kBadGroup] == 0) {
    faults[2 * kBadGroup + 1] = label_at(rows.data, rows.type, rows.layout.offset(place, rows.layout.a_stride));
  }
  faults[2 * kBadGroup] += scratch[kRowsOfGroups];
  scratch[kRowsOfGroups] = scratch[kPlacesOfGroups] = 0;
}

// scratch: [kGroupsScratch], or null if groups out of range are not recorded.
template <typename State, int kLanes>
FM_KERNEL multiclass_rows_kernel(const __grid_constant__ MulticlassBatch b, const __grid_constant__ SampleRows rows,
                                 const MulticlassCells<State> s, const RowCellsOfStates<State> states, int replicas,
                                 int64_t* scratch) {
  static_assert(kLanes == 1 || kLanes == kWarp, "a thread or a warp");
  extern __shared__ __align__(16) unsigned char shared[];
  using Cell = typename Adds<State>::Amount;
  CellsOfBlock<Cell> cells(shared, states.first[states.kStates], replicas);
  BadOnes bad, groups;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  constexpr int kRows = kThreads / kLanes;
  const int64_t samples = b.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kRows, c = b.classes;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kLanes; i < samples; i += stride) {
    if (!b.is_valid(i)) continue;
    int64_t of_preds, of_target;
    b.layout.locate(i, &of_preds, &of_target);
    const int64_t target = label_at(b.target, b.target_type, of_target);
    const RankedLabel found = b.scores ? read_scores_of<kLanes>(b, of_preds, target, lane)
                                       : RankedLabel{label_at(b.preds, b.preds_type, of_preds), 0};
    if (lane != 0) continue;
    Cell amount;
    const bool counted = accept<State>(b, i, target, found.label, &bad, &amount);
    const int64_t label = found.label, rank = found.rank;
    for (int64_t k = 0; k < rows.slicings; ++k) {
      const int64_t at = rows.slicing(k) + rows.layout.offset(i, rows.layout.a_stride);
      const int64_t row = label_at(rows.data, rows.type, at);
      if (row < 0 || row >= rows.count) {
        groups.add(kBadTarget, i);
        continue;
      }
      auto add = [&](int which, int64_t cell, Cell times) {
        cells.add(states.first[which] + cell, times, reinterpret_cast<CellOfCard<Cell>*>(states.state[which]) + cell);
      };
      if (states.state[4] != nullptr) add(4, row, 1);
      if (!counted) continue;
      const int64_t own = row * c + target, of_label = row * c + label;
      if (s.confusion != nullptr) add(0, own * c + label, amount);
      if (s.counts != nullptr) {
        if (target == label) add(1, own * 3, amount);
        add(1, of_label * 3 + 1, amount);
        add(1, own * 3 + 2, amount);
      }
      if (s.totals != nullptr) {
        if (target == label) add(1, row * 3, amount);
        add(1, row * 3 + 1, amount);
        add(1, row * 3 + 2, amount);
      }
      if (s.ranks != nullptr && rank < s.k) {
        add(2, (own * s.k + rank) * 2, amount);
        add(2, (of_label * s.k + rank) * 2 + 1, amount);
      }
      if (s.rank_histogram != nullptr) add(3, row * c + rank, amount);
    }
  }
  cells.flush(states);
  if (s.faults == nullptr) return;
  bad.close(s.faults);
  if (scratch != nullptr) groups.close(scratch + kRowsOfGroups, scratch + kPlacesOfGroups);
  if (!comes_last(gridDim.x, s.faults + kScratchBlocks) || threadIdx.x != 0) return;
  record_multiclass_rows<State>(b, rows, s.faults, scratch);
}

}  // namespace fastmetrics
