// SPDX-License-Identifier: Apache-2.0
//
// The row pairs kernel: a warp a row, whose lanes take neighbouring columns. The order of a sum depends on the length
// of the row alone.

#pragma once

#include "common/device.cuh"
#include "common/real.h"
#include "passes/row_pairs.h"

namespace fastmetrics {

// T: the type of both inputs; void: whatever they say.
template <typename T>
__device__ __forceinline__ double row_element(const void* data, DType type, int64_t offset) {
  if constexpr (std::is_void_v<T>) {
    return real_at(data, type, offset);
  } else {
    return widen(static_cast<const T*>(data)[offset]);
  }
}

// The sums over a row, in all lanes.
template <int64_t kFigure, typename T>
__device__ __forceinline__ RowSums<double> sums_of_row(const RowPairsBatch& b, int64_t row, double x_scale,
                                                       double y_scale) {
  RowSums<double> sums;
  LibraryMath math;
  for (int64_t i = threadIdx.x % kWarp; i < b.columns; i += kWarp) {
    const double x = row_element<T>(b.preds, b.preds_type, row * b.preds_row + i * b.preds_column);
    const double y = row_element<T>(b.target, b.target_type, row * b.target_row + i * b.target_column);
    double term = 0.0;
    if constexpr (has_terms(kFigure)) term = term_of<kFigure>(x, y, x_scale, y_scale, math);
    add_to_row<kFigure>(x, y, term, &sums);
  }
  auto of_row = [](double mine) { return __shfl_sync(kAllLanes, sum_of_warp(mine), 0); };
  return {of_row(sums.figure), of_row(sums.preds), of_row(sums.target)};
}

template <int64_t kFigure, typename T>
FM_KERNEL row_pairs_kernel(const RowPairsBatch b) {
  constexpr int kRows = kThreads / kWarp;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kRows;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kWarp; row < b.rows; row += stride) {
    RowSums<double> scale{0.0, 1.0, 1.0};
    if (kFigure == kJs) scale = sums_of_row<kOnlySums, T>(b, row, 1.0, 1.0);
    const RowSums<double> sums = sums_of_row<kFigure, T>(b, row, 1.0 / scale.preds, 1.0 / scale.target);
    if (threadIdx.x % kWarp == 0) b.out[row] = figure_of<kFigure>(sums);
  }
}

}  // namespace fastmetrics
