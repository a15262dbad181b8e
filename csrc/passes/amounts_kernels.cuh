// SPDX-License-Identifier: Apache-2.0
//
// The kernel that adds amounts of samples to the rows of their groups. Its meaning is add_amounts_body in
// fastmetrics/passes/amounts.py.
//
// A thread has a sample and all its amounts, which are few. Sums of floats are added in no fixed order.

#pragma once

#include "common/cells.cuh"
#include "passes/amounts.h"

namespace fastmetrics {

// T: the type of rows, where a stride leads from each sample to the next one and there is one amount each; void: any.
// Cell: double, or Count for int64_t. replicas: of the cells of the state in shared memory; 0 for none.
template <typename T, typename Cell>
FM_KERNEL amounts_kernel(const Amounts<std::conditional_t<std::is_same<Cell, double>::value, double, int64_t>> a,
                         int replicas, Cell* state) {
  extern __shared__ __align__(16) unsigned char shared[];
  CellsOfBlock<Cell> cells(shared, a.rows.count * a.of_row, replicas);
  const int64_t samples = a.rows.layout.samples(), stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t k = 0; k < a.rows.slicings; ++k) {
    auto row_at = [&](int64_t i) -> int64_t {
      if constexpr (std::is_void<T>::value) {
        return a.rows.row_of(i, k);
      } else {
        return static_cast<const T*>(a.rows.data)[a.rows.slicing(k) + i * a.rows.layout.a_stride[0]];
      }
    };
    auto add = [&](int64_t row, int64_t number, Cell amount) {
      if (static_cast<uint64_t>(row) >= static_cast<uint64_t>(a.rows.count) ||
          static_cast<uint64_t>(number) >= static_cast<uint64_t>(a.of_row)) {
        return;
      }
      const int64_t cell = row * a.of_row + number;
      cells.add(cell, amount, state + cell);
    };
    int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if constexpr (!std::is_void<T>::value) {
      constexpr int kAtOnce = 4;
      for (; i + (kAtOnce - 1) * stride < samples; i += kAtOnce * stride) {
        int64_t row[kAtOnce], number[kAtOnce];
        Cell amount[kAtOnce];
#pragma unroll
        for (int j = 0; j < kAtOnce; ++j) {
          row[j] = row_at(i + j * stride);
          number[j] = a.cell(i + j * stride, 0);
          amount[j] = static_cast<Cell>(a.of_samples[i + j * stride]);
        }
#pragma unroll
        for (int j = 0; j < kAtOnce; ++j) add(row[j], number[j], amount[j]);
      }
    }
#pragma unroll 1
    for (; i < samples; i += stride) {
      const int64_t row = row_at(i);
#pragma unroll 1
      for (int64_t j = 0; j < a.width; ++j) {
        add(row, a.cell(i, j), static_cast<Cell>(a.of_samples[i * a.width + j]));
      }
    }
  }
  cells.flush(state);
}

}  // namespace fastmetrics
