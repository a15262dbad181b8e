// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary pass over weighted elements, and of the one over groups.
//
// An element goes to one of the kCells cells of its group: uint32 counts or float64 sums of weights. A small kernel
// takes the cells that are meant and adds them to the state: each outcome is a sum of its own, since a difference of
// sums would round, and could come out below zero.
//
// Sums of weights are added in no fixed order.

#pragma once

#include <type_traits>

#include "common/cells.cuh"
#include "passes/binary_cells.h"

namespace fastmetrics {

// The cell that element i counts in, or -1 if it is not counted.
template <typename T, typename Cell>
__device__ __forceinline__ int64_t read_element(const BinaryCells& c, int64_t i, Cell* amount, bool* outside,
                                                BadOnes* bad) {
  const BinaryBatch& b = c.batch;
  if (!b.is_valid(i, 0)) return -1;
  int64_t of_preds, of_target;
  b.samples.locate(i, &of_preds, &of_target);
  const int64_t target = label_at(b.target, b.target_type, of_target);
  const bool ignored = b.has_ignore && target == b.ignore;
  const auto pred = element(b, T{}, of_preds);
  bool as_probability, as_logit, good_pred = true;
  if constexpr (std::is_same<T, Label>::value) {
    good_pred = pred == 0 || pred == 1;
    as_probability = as_logit = pred == 1;
  } else {
    const auto x = widen(pred);
    using W = decltype(widen(pred));
    if (!(x >= W(0) && x <= W(1)) && (b.ignored_decide || !ignored)) *outside = true;
    // cutoffs are values of T, so this is exact
    as_probability = x > static_cast<W>(b.probability);
    as_logit = x > static_cast<W>(b.logit);
  }
  if (ignored) return -1;
  const int64_t group = c.group_of(i);
  const bool good_target = target == 0 || target == 1, good_group = group >= 0 && group < c.groups.count;
  bool counted = good_target && good_group && good_pred;
  if (!counted) {
    if (!good_target) bad->add(kBadTarget, i);
    if (!good_pred) bad->add(kBadPreds, i);
  }
  *amount = 1;
  if constexpr (std::is_same<Cell, double>::value) {
    *amount = b.weights[b.samples.offset(i, b.samples.d_stride)];
    if (!good_weight(*amount)) {
      bad->add(kBadWeight, i);
      counted = false;
    }
  }
  return counted ? group * kCells + cell_of(static_cast<int32_t>(target), as_probability, as_logit) : -1;
}

// Cells of the whole batch. replicas: a power of two up to kThreads, or 0 for no cells in shared memory.
// of_card: [groups, kCells], zero before. any_outside: zero before.
template <typename T, typename Cell>
FM_KERNEL binary_cells_kernel(const BinaryCells c, int replicas, CellOfCard<Cell>* of_card, int64_t* any_outside,
                              int64_t* faults) {
  extern __shared__ __align__(16) unsigned char shared[];
  CellsOfBlock<Cell> cells(shared, c.groups.count * kCells, replicas);
  const int64_t elements = c.elements(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  BadOnes bad;
  bool outside = false;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements; i += stride) {
    Cell amount;
    const int64_t cell = read_element<T>(c, i, &amount, &outside, &bad);
    if (cell < 0) continue;
    cells.add(cell, amount, of_card + cell);
  }
  cells.flush(of_card);
  outside = __syncthreads_or(outside);
  if (outside && threadIdx.x == 0) atomicMax(as_count(any_outside), Count{1});
  bad.close(faults);
}

// Adds the cells that are meant to the state. counts: int64, or float64 for weights, [groups, 4].
template <typename Cell, typename State>
FM_KERNEL binary_cells_choose_kernel(const BinaryCells c, const Cell* of_card, const int64_t* any_outside,
                                     State* counts, int64_t* faults) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const bool logits = *any_outside != 0;
  for (int64_t g = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; g < c.groups.count; g += stride) {
    for (int cell = 0; cell < kCells; ++cell) {
      counts[g * 4 + outcome_of(cell, logits)] += static_cast<State>(of_card[g * kCells + cell]);
    }
  }
  if (faults == nullptr || blockIdx.x != 0 || threadIdx.x != 0) return;
  record_faults(faults, [&](int which, int64_t place) {
    const BinaryBatch& b = c.batch;
    if (which == kBadWeight) {
      return int64_t{__double_as_longlong(b.weights[b.samples.offset(place, b.samples.d_stride)])};
    }
    int64_t of_preds, of_target;
    b.samples.locate(place, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target)
                               : label_at(b.preds, b.preds_type, of_preds);
  });
}

}  // namespace fastmetrics
