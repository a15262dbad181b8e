// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary pass over weighted elements, and over those of given rows.
//
// An element goes to one of the kCells cells of each of its rows, and label: uint32 counts or float64 sums of weights.
// A small kernel takes the cells that are meant and adds them to the state: each outcome is a sum of its own, since a
// difference of sums would round, and could come out below zero. Where the samples of rows are wanted, one cell more
// has the valid elements that are not counted.
//
// Sums of weights are added in no fixed order.

#pragma once

#include <type_traits>

#include "common/cells.cuh"
#include "common/divisor.h"
#include "passes/binary_cells.h"

namespace fastmetrics {

// The sizes of a layout, to divide by.
struct Sizes {
  Divisor of[kMaxDims];

  explicit Sizes(const Layout& layout) {
    for (int d = 1; d < layout.dims; ++d) of[d] = Divisor(layout.size[d]);
  }

  // Calls f(d, index) with the indices of sample i in all dimensions.
  template <typename F>
  __device__ __forceinline__ void each(const Layout& layout, int64_t i, const F& f) const {
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
    for (int d = layout.dims - 1; d > 0; --d) {
      int64_t at;
      i = of[d].divide(i, &at);
      f(d, at);
    }
    f(0, i);
  }
};

// What the elements of a batch are divided by, to find them and their rows.
struct CellsDivisors {
  Sizes samples, rows;
  Divisor neighbours, inner, labels;

  explicit CellsDivisors(const BinaryCells& c)
      : samples(c.batch.samples),
        rows(c.rows.of.layout),
        neighbours(c.rows.of.data == nullptr ? c.rows.of.neighbours : 1),
        inner(c.rows.inner),
        labels(c.rows.labels) {}

  // What BinaryRows::place_of says.
  __device__ __forceinline__ int64_t place_of(const BinaryRows& to, int64_t i, int64_t k) const {
    int64_t row = 0, rest;
    if (to.of.data == nullptr) {
      row = neighbours.divide(i, &rest);
    } else {
      int64_t at = to.of.slicing(k);
      rows.each(to.of.layout, i, [&](int d, int64_t index) { at += index * to.of.layout.a_stride[d]; });
      row = label_at(to.of.data, to.of.type, at);
    }
    if (row < 0 || row >= to.of.count) return -1;
    if (to.labels == 1) return row;
    int64_t label;
    labels.divide(inner.divide(i, &rest), &label);
    return row * to.labels + label;
  }
};

// Which of the cells of its rows element i counts in, kCells if it is not counted, or -1 if it is not valid.
template <typename T, typename Cell>
__device__ __forceinline__ int read_element(const BinaryBatch& b, const Sizes& sizes, int64_t i, Cell* amount,
                                            bool* outside, BadOnes* bad) {
  const Layout& layout = b.samples;
  if (b.valid != nullptr) {
    int64_t at = 0;
    sizes.each(layout, i, [&](int d, int64_t index) { at += index * layout.c_stride[d]; });
    if (!b.valid[at]) return -1;
  }
  int64_t of_preds = 0, of_target = 0, of_weight = 0;
  sizes.each(layout, i, [&](int d, int64_t index) {
    of_preds += index * layout.a_stride[d];
    of_target += index * layout.b_stride[d];
    if (std::is_same<Cell, double>::value) of_weight += index * layout.d_stride[d];
  });
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
  *amount = 1;
  if (ignored) return kCells;
  const bool good_target = target == 0 || target == 1;
  bool counted = good_target && good_pred;
  if (!counted) {
    if (!good_target) bad->add(kBadTarget, i);
    if (!good_pred) bad->add(kBadPreds, i);
  }
  if constexpr (std::is_same<Cell, double>::value) {
    *amount = b.weights[of_weight];
    if (!good_weight(*amount)) {
      bad->add(kBadWeight, i);
      counted = false;
    }
  }
  return counted ? cell_of(static_cast<int32_t>(target), as_probability, as_logit) : kCells;
}

// Cells of the whole batch. replicas: a power of two up to kThreads, or 0 for no cells in shared memory.
// of_card: [rows and labels, cells of one], zero before. any_outside: zero before. groups: scratch of those out of
// range, as BadOnes::close writes it, zero before.
template <typename T, typename Cell>
FM_KERNEL binary_cells_kernel(const BinaryCells c, const CellsDivisors divisors, int replicas,
                              CellOfCard<Cell>* of_card, int64_t* any_outside, int64_t* groups, int64_t* faults) {
  extern __shared__ __align__(16) unsigned char shared[];
  const int of_place = c.cells_of_place();
  CellsOfBlock<Cell> cells(shared, c.rows.count() * of_place, replicas);
  const int64_t elements = c.elements(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  BadOnes bad, bad_groups;
  bool outside = false;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements; i += stride) {
    Cell amount;
    const int found = read_element<T>(c.batch, divisors.samples, i, &amount, &outside, &bad);
    if (found < 0 || found >= of_place) continue;
    for (int64_t k = 0; k < c.rows.of.slicings; ++k) {
      const int64_t place = divisors.place_of(c.rows, i, k), cell = place * of_place + found;
      if (place < 0) {
        bad_groups.add(kBadTarget, i);
      } else {
        cells.add(cell, amount, of_card + cell);
      }
    }
  }
  cells.flush(of_card);
  outside = __syncthreads_or(outside);
  if (outside && threadIdx.x == 0) atomicMax(as_count(any_outside), Count{1});
  bad.close(faults);
  if (c.samples != nullptr) bad_groups.close(groups, groups + kKindsOfFault);
}

// Adds the cells that are meant to the state. counts: int64, or float64 for weights, [rows and labels, 4].
template <typename Cell, typename State>
FM_KERNEL binary_cells_choose_kernel(const BinaryCells c, const Cell* of_card, const int64_t* any_outside,
                                     const int64_t* groups, State* counts, int64_t* faults) {
  const int of_place = c.cells_of_place();
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const bool logits = *any_outside != 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < c.rows.count(); i += stride) {
    const Cell* of = of_card + i * of_place;
    Cell valid = 0;
    for (int cell = 0; cell < kCells; ++cell) {
      counts[i * 4 + outcome_of(cell, logits)] += static_cast<State>(of[cell]);
      valid += of[cell];
    }
    if constexpr (std::is_same<State, int64_t>::value) {
      if (c.samples != nullptr) atomicAdd(as_count(c.samples + i / c.rows.labels), valid + of[kCells]);
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
  if (c.samples == nullptr || c.rows.of.slicings != 1 || groups[0] == 0) return;
  if (faults[2 * kBadGroup] == 0) faults[2 * kBadGroup + 1] = c.rows.of.row_of(kNoPlace - groups[kKindsOfFault], 0);
  faults[2 * kBadGroup] += groups[0];
}

}  // namespace fastmetrics
