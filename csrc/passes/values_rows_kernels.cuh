// SPDX-License-Identifier: Apache-2.0
//
// The kernel of values that are added to the rows of their groups; its meaning is values_rows_body in
// fastmetrics/passes/values.py.
//
// A thread has a value after another. Sums go to cells in shared memory while they are few, else to the states at once,
// in no fixed order. Extremes are those of the states from the first: most values are none, which a look at them says,
// and one that is takes their place if nothing else has come in between.

#pragma once

#include "common/cells.cuh"
#include "common/real.h"
#include "passes/sample_rows_kernels.cuh"
#include "passes/values.h"

namespace fastmetrics {

// Makes a state the better of it and x: better(x, state), which is the state itself where x changes nothing.
template <typename Better>
__device__ __forceinline__ void improve(double* state, double x, const Better& better) {
  auto* const at = reinterpret_cast<int64_t*>(state);
  auto seen = static_cast<Count>(shared_value(at));
#pragma unroll 1
  for (;;) {
    const Count wanted = __double_as_longlong(better(x, __longlong_as_double(static_cast<int64_t>(seen))));
    if (wanted == seen) return;
    const Count before = atomicCAS(as_count(at), seen, wanted);
    if (before == seen) return;
    seen = before;
  }
}

// The sums of a row that are asked for, one after another in the cells of a block.
struct SumsOfValues {
  double* to[2];
  int count;

  __device__ __forceinline__ double* operator+(int i) const { return to[i % count] + i / count; }
};

FM_KERNEL values_rows_kernel(const __grid_constant__ ValuesBatch b, const __grid_constant__ SampleRows rows,
                             const __grid_constant__ SumsOfValues sums, int replicas, const ValuesStates s) {
  extern __shared__ __align__(16) unsigned char shared[];
  CellsOfBlock<double> cells(shared, rows.count * sums.count, replicas);
  const int64_t n = b.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  int64_t nans = 0;
#pragma unroll 1
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < n; i += stride) {
    if (b.valid != nullptr && !b.valid[b.layout.offset(i, b.layout.c_stride)]) continue;
    int64_t values_at, weights_at;
    b.layout.locate(i, &values_at, &weights_at);
    const double weight = b.weights == nullptr ? 1.0 : real_at(b.weights, b.weights_type, weights_at);
    Extent one;
    one.add(real_at(b.values, b.values_type, values_at), weight, b.nans);
    nans += one.nans;
    each_row(rows, find_rows(rows, i), [&](int64_t row) {
      int64_t cell = row * sums.count;
      if (s.sum != nullptr) cells.add(cell++, one.sum, s.sum + row);
      if (s.weight != nullptr) cells.add(cell, one.weight, s.weight + row);
      if (s.minimum != nullptr) improve(s.minimum + row, one.low, lesser);
      if (s.maximum != nullptr) improve(s.maximum + row, one.high, greater);
    });
  }
  cells.flush(sums);
  if (s.faults == nullptr) return;
  nans = sum_of_warp(nans);
  if (threadIdx.x % kWarp == 0 && nans != 0) atomicAdd(as_count(s.faults + 2 * kBadPreds), static_cast<Count>(nans));
}

}  // namespace fastmetrics
