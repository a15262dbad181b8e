// SPDX-License-Identifier: Apache-2.0
//
// The kernels that the hinge, ranking and exact match passes share: sums of figures of rows.
//
// Sums are float64, in an order that depends on the sizes alone: which thread has which rows, then lanes, warps and
// blocks in order. So the same data gives the same bits on every card. Whether the scores of a batch are probabilities
// or logits is known only when all are read; so both are summed, and whoever adds them to the state chooses.
//
// A pass is a struct with its batch `b`, the number of its sums `kSums`, and
//   add<kLanes>(row, lane, sums, outside, bad): kLanes lanes add one row; lane 0 has the sums. All lanes of a warp
//     call it together if kLanes is a warp.
//   finish(i, sums, logits): adds sums [kSums] to cell i of the state.

#pragma once

#include "common/rounds.cuh"
#include "passes/rows.h"

namespace fastmetrics {

// One score of a floating type, exactly. The type is looked up score by score: what is done with a score costs more
// than that, and every kernel would be compiled four times otherwise.
__device__ __forceinline__ double score_at(const RowsBatch& b, int64_t offset) {
  switch (b.preds_type) {
    case DType::kHalf:
      return widen(static_cast<const Half*>(b.preds)[offset]);
    case DType::kBFloat16:
      return widen(static_cast<const BFloat16*>(b.preds)[offset]);
    case DType::kFloat:
      return static_cast<const float*>(b.preds)[offset];
    default:
      return static_cast<const double*>(b.preds)[offset];
  }
}

// The target of a sample, or -1 if it is not counted; lane 0 notes faults. classes: 2 for binary.
__device__ __forceinline__ int64_t counted_target(const RowsBatch& b, int64_t row, int64_t classes, int lane,
                                                  double* weight, BadOnes* faults) {
  if (b.valid != nullptr && !b.valid[b.rows.offset(row, b.rows.c_stride)]) return -1;
  const int64_t target = label_at(b.target, b.target_type, b.rows.offset(row, b.rows.b_stride));
  if (b.has_ignore && target == b.ignore) return -1;
  const bool bad = target < 0 || target >= classes;
  *weight = b.weight(row);
  const bool bad_weight = !good_weight(*weight);
  if (lane == 0 && bad) faults->add(kBadTarget, row);
  if (lane == 0 && bad_weight) faults->add(kBadWeight, row);
  return bad || bad_weight ? -1 : target;
}

// Scratch of a launch, int64, zero before: how many targets, preds and weights are out of range, where the first of
// each is (as kNoPlace - place), whether a score lies outside [0, 1], and how many blocks are done.
enum { kRowsFaults = 0, kRowsPlaces = 3, kRowsOutside = 6, kRowsTicket = 7, kRowsScratch = 8 };

// Move what is in the scratch to the record of faults; one thread, when all faults are in.
__device__ __forceinline__ void record_row_faults(const RowsBatch& b, const int64_t* scratch, int64_t* faults) {
  if (faults == nullptr) return;
  const int64_t places = b.places.samples();
  for (int which = 0; which < kKindsOfFault; ++which) {
    const int64_t count = scratch[kRowsFaults + which], place = kNoPlace - scratch[kRowsPlaces + which];
    if (count == 0) continue;
    if (faults[2 * which] == 0) {
      int64_t value;
      if (which == kBadTarget) {
        value = label_at(b.target, b.target_type, b.offset_of(place, places, b.rows.b_stride, b.places.b_stride));
      } else if (which == kBadPreds) {
        value = label_at(b.preds, b.preds_type, b.offset_of(place, places, b.rows.a_stride, b.places.a_stride));
      } else {
        value = __double_as_longlong(b.weight(place));
      }
      faults[2 * which + 1] = value;
    }
    faults[2 * which] += count;
  }
}

// The same where a bad score is named by its place.
__device__ __forceinline__ void record_scored_faults(const RowsBatch& b, const int64_t* scratch, int64_t* faults) {
  if (faults == nullptr) return;
  for (int which = 0; which < kKindsOfFault; ++which) {
    faults[kScratchCount + which] = scratch[kRowsFaults + which];
    faults[kScratchPlace + which] = scratch[kRowsPlaces + which];
  }
  record_faults(faults, [&](int which, int64_t place) {
    if (which == kBadPreds) return place;
    if (which == kBadWeight) return int64_t{__double_as_longlong(b.weight(place))};
    return label_at(b.target, b.target_type, b.rows.offset(place, b.rows.b_stride));
  });
}

template <int kSums>
struct RowSums {
  double of[kSums] = {};

  __device__ void add(const RowSums& other) {
#pragma unroll
    for (int k = 0; k < kSums; ++k) of[k] += other.of[k];
  }
};

// The sum over the threads of the block, in order, for all of them. of_block: [kThreads].
template <int kSums>
__device__ __forceinline__ RowSums<kSums> sum_of_block(const RowSums<kSums>& mine, RowSums<kSums>* of_block) {
  of_block[threadIdx.x] = mine;
  __syncthreads();
  for (int width = kThreads / 2; width > 0; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) of_block[threadIdx.x].add(of_block[threadIdx.x + width]);
    __syncthreads();
  }
  return of_block[0];
}

// Whether any of the kLanes lanes says so; all of them take part.
template <int kLanes>
__device__ __forceinline__ bool any_of(bool mine) {
  if constexpr (kLanes == 1) {
    return mine;
  } else {
    static_assert(kLanes == kWarp, "a thread or a warp");
    return __any_sync(kAllLanes, mine) != 0;
  }
}

// Adds to the scratch what is bad, and marks the batch as logits if any thread of the block met a score outside
// [0, 1]; all threads call it.
__device__ __forceinline__ void close_rows(const BadOnes& bad, bool outside, int64_t* scratch) {
  bad.close(scratch + kRowsFaults, scratch + kRowsPlaces);
  if (__syncthreads_or(outside) && threadIdx.x == 0) atomicMax(as_count(scratch + kRowsOutside), Count{1});
}

// Records what is bad and makes the scratch zero again; one thread of the last block, when it has been read. Out of
// line, because it has more in registers than the loops over rows.
__device__ inline __attribute__((noinline)) void finish_rows(const RowsBatch& b, int64_t* scratch, int64_t* faults) {
  record_row_faults(b, scratch, faults);
  for (int i = 0; i < kRowsTicket; ++i) scratch[i] = 0;
}

// Calls finish(sums, logits) with the sums of all blocks, in their order, by one thread of the last block; closes the
// scratch. All threads of all blocks call it, after close_rows. sum: of the block, for thread 0. partial: [gridDim.x].
// of_block: [kThreads].
template <int kSums, typename Finish>
__device__ __forceinline__ void add_rows(const RowsBatch& b, const RowSums<kSums>& sum, RowSums<kSums>* partial,
                                         int64_t* scratch, int64_t* faults, RowSums<kSums>* of_block,
                                         const Finish& finish) {
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
  if (!comes_last(gridDim.x, scratch + kRowsTicket)) return;
  RowSums<kSums> sums;
#pragma unroll 1
  for (unsigned part = threadIdx.x; part < gridDim.x; part += kThreads) sums.add(partial[part]);
  sums = sum_of_block(sums, of_block);
  if (threadIdx.x != 0) return;
  finish(sums.of, scratch[kRowsOutside] != 0);
  finish_rows(b, scratch, faults);
}

// Sums over all rows, which the last block adds to the state. partial: [gridDim.x].
template <typename Pass, int kLanes>
FM_KERNEL rows_sum_kernel(const __grid_constant__ Pass pass, int64_t rows, RowSums<Pass::kSums>* partial,
                          int64_t* scratch, int64_t* faults) {
  __shared__ RowSums<Pass::kSums> of_block[kThreads];
  constexpr int kRows = kThreads / kLanes;
  RowSums<Pass::kSums> sums;
  bool outside = false;
  BadOnes bad;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kRows;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kLanes; row < rows; row += stride) {
    pass.template add<kLanes>(row, static_cast<int>(threadIdx.x) % kLanes, &sums, &outside, &bad);
  }
  close_rows(bad, outside, scratch);
  sums = sum_of_block(sums, of_block);
  add_rows(pass.b, sums, partial, scratch, faults, of_block,
           [&](const double* all, bool logits) { pass.finish(0, all, logits); });
}

// Adds the sums of each group of rows to the state, from group `first` on.
template <typename Pass>
__device__ __forceinline__ void add_groups(const Pass& pass, const RowSums<Pass::kSums>* partial, int64_t groups,
                                           const int64_t* scratch, int64_t first, int64_t stride) {
  const bool logits = scratch[kRowsOutside] != 0;
  for (int64_t g = first; g < groups; g += stride) pass.finish(g, partial[g].of, logits);
}

// Sums of each group of `b.inner` rows: kLanes lanes have a group. partial: [groups]. turns: with scratch if other
// blocks add them to the state, and not the last one.
template <typename Pass, int kLanes>
FM_KERNEL rows_apart_kernel(const __grid_constant__ Pass pass, int64_t groups, RowSums<Pass::kSums>* partial,
                            int64_t* scratch, const Turns turns, int64_t* faults) {
  const Turn turn = turns.take();
  if (turn.round == Round::kSums) {
    add_groups(pass, partial, groups, scratch, turn.thread(), static_cast<int64_t>(turns.adders) * kThreads);
    if (turns.are_over() && threadIdx.x == 0) finish_rows(pass.b, scratch, faults);
    return;
  }
  constexpr int kGroups = kThreads / kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  bool outside = false;
  BadOnes bad;
  const int64_t stride = static_cast<int64_t>(turns.blocks) * kGroups, inner = pass.b.inner;
  for (int64_t g = static_cast<int64_t>(turn.block) * kGroups + threadIdx.x / kLanes; g < groups; g += stride) {
    RowSums<Pass::kSums> sums;
    for (int64_t i = 0; i < inner; ++i) pass.template add<kLanes>(g * inner + i, lane, &sums, &outside, &bad);
    if (lane == 0) partial[g] = sums;
  }
  close_rows(bad, outside, scratch);
  if (turns.scratch != nullptr) return turns.done();
  if (!comes_last(turns.blocks, scratch + kRowsTicket)) return;
  add_groups(pass, partial, groups, scratch, threadIdx.x, kThreads);
  __syncthreads();  // the scratch has been read
  if (threadIdx.x == 0) finish_rows(pass.b, scratch, faults);
}

}  // namespace fastmetrics
