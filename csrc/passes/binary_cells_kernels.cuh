// SPDX-License-Identifier: Apache-2.0
//
// The kernel of the binary pass over weighted elements, and over those of given rows.
//
// An element goes to one of the kCells cells of each of its rows, and label: uint32 counts or float64 sums of weights.
// When all have counted, other blocks take the cells that are meant and add them to the state (common/rounds.cuh): each
// outcome is a sum of its own, since a difference of sums would round, and could come out below zero. Where the samples
// of rows are wanted, one cell more has the valid elements that are not counted.
//
// Sums of weights are added in no fixed order.

#pragma once

#include <type_traits>

#include "common/cells.cuh"
#include "common/divisor.h"
#include "common/rounds.cuh"
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

// Where the blocks count, which is zero before and after, and the state.
template <typename Cell>
struct CellsFound {
  using State = std::conditional_t<std::is_same<Cell, double>::value, double, int64_t>;
  static constexpr int64_t kGroups = 2 * kKindsOfFault;

  Turns turns;
  int64_t* any_outside;       // whether a score lies outside [0, 1]
  int64_t* groups;            // [kGroups], those out of range as BadOnes::close writes it
  CellOfCard<Cell>* of_card;  // [rows and labels, cells of one]
  State* counts;              // [rows and labels, 4]
  int64_t* faults;            // [kFaults] or null
};

// Records what is bad of a batch, when all of it is in the scratch, and makes that zero; one thread. Out of line,
// because it has more in registers than the loops.
template <typename Cell>
__device__ __attribute__((noinline)) void finish_cells(const BinaryCells& c, const CellsFound<Cell>& found) {
  *found.any_outside = 0;
  int64_t* const faults = found.faults;
  if (faults != nullptr) {
    record_faults(faults, [&](int which, int64_t place) {
      const BinaryBatch& b = c.batch;
      const bool target = which == kBadTarget, weight = which == kBadWeight;
      const Layout& layout = b.samples;
      const int64_t at = layout.offset(place, target ? layout.b_stride : weight ? layout.d_stride : layout.a_stride);
      if (weight) return int64_t{__double_as_longlong(b.weights[at])};
      return label_at(target ? b.target : b.preds, target ? b.target_type : b.preds_type, at);
    });
    const int64_t count = found.groups[0];
    if (c.samples != nullptr && c.rows.of.slicings == 1 && count != 0) {
      if (faults[2 * kBadGroup] == 0) {
        faults[2 * kBadGroup + 1] = c.rows.of.row_of(kNoPlace - found.groups[kKindsOfFault], 0);
      }
      faults[2 * kBadGroup] += count;
    }
  }
  found.groups[0] = found.groups[kKindsOfFault] = 0;
}

// Adds the cells that are meant to the state, and makes all of them zero; all threads of the blocks that do so call it.
// Out of line, as above.
template <typename Cell>
__device__ __attribute__((noinline)) void add_cells(const BinaryCells& c, const CellsFound<Cell>& found) {
  using Total = CellOfCard<Cell>;
  using State = typename CellsFound<Cell>::State;
  const int of_place = c.cells_of_place();
  const int64_t stride = static_cast<int64_t>(found.turns.adders) * kThreads;
  const bool logits = *found.any_outside != 0;
  for (int64_t i = found.turns.current().thread(); i < c.rows.count(); i += stride) {
    Total* of = found.of_card + i * of_place;
    Total valid = 0;
    for (int cell = 0; cell < kCells; ++cell) {
      const Total sum = of[cell];
      found.counts[i * 4 + outcome_of(cell, logits)] += static_cast<State>(sum);
      valid += sum;
      of[cell] = 0;
    }
    if (c.samples == nullptr) continue;
    if constexpr (std::is_same<State, int64_t>::value) {
      atomicAdd(as_count(c.samples + i / c.rows.labels), valid + of[kCells]);
    }
    of[kCells] = 0;
  }
}

// Cells of the whole batch. replicas: a power of two up to kThreads, or 0 for no cells in shared memory.
template <typename T, typename Cell>
FM_KERNEL binary_cells_kernel(const __grid_constant__ BinaryCells c, const CellsDivisors divisors, int replicas,
                              const __grid_constant__ CellsFound<Cell> of_all) {
  const Turn turn = of_all.turns.take();
  if (turn.round == Round::kSums) {
    add_cells(c, of_all);
    if (of_all.turns.are_over() && threadIdx.x == 0) finish_cells(c, of_all);
    return;
  }
  extern __shared__ __align__(16) unsigned char shared[];
  const int of_place = c.cells_of_place();
  CellsOfBlock<Cell> cells(shared, c.rows.count() * of_place, replicas);
  const int64_t elements = c.elements(), stride = of_all.turns.threads();
  BadOnes bad, bad_groups;
  bool outside = false;
  for (int64_t i = turn.thread(); i < elements; i += stride) {
    Cell amount;
    const int found = read_element<T>(c.batch, divisors.samples, i, &amount, &outside, &bad);
    if (found < 0 || found >= of_place) continue;
    for (int64_t k = 0; k < c.rows.of.slicings; ++k) {
      const int64_t place = divisors.place_of(c.rows, i, k), cell = place * of_place + found;
      if (place < 0) {
        bad_groups.add(kBadTarget, i);
      } else {
        cells.add(cell, amount, of_all.of_card + cell);
      }
    }
  }
  cells.flush(of_all.of_card);
  outside = __syncthreads_or(outside);
  if (outside && threadIdx.x == 0) atomicMax(as_count(of_all.any_outside), Count{1});
  bad.close(of_all.faults);
  if (c.samples != nullptr) bad_groups.close(of_all.groups, of_all.groups + kKindsOfFault);
  of_all.turns.done();
}

}  // namespace fastmetrics
