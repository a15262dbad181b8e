// SPDX-License-Identifier: Apache-2.0
//
// The rows kernel: a warp a row, whose lanes take neighbouring columns. The order of a sum depends on the length of the
// row alone. Chosen from the sizes of current cards, not measured; a row of more than some thousands would be better
// with a block, rows shorter than a warp with a part of one.

#include "common/launch.cuh"
#include "common/real.h"
#include "passes/rows_cuda.h"

namespace fastmetrics {
namespace {

struct DeviceMath {
  using V = double;
  static __device__ V log(V x) { return ::log(x); }
  static __device__ V exp(V x) { return ::exp(x); }
};

// T: the type of both inputs; void: whatever they say.
template <typename T>
__device__ __forceinline__ double element(const void* data, DType type, int64_t offset) {
  if constexpr (std::is_void_v<T>) {
    return real_at(data, type, offset);
  } else {
    return widen(static_cast<const T*>(data)[offset]);
  }
}

// The sums over a row, in all lanes.
template <int64_t kFigure, typename T>
__device__ __forceinline__ RowSums<double> sums_of_row(const RowsBatch& b, int64_t row, double x_scale,
                                                       double y_scale) {
  RowSums<double> sums;
  for (int64_t i = threadIdx.x % kWarp; i < b.columns; i += kWarp) {
    const double x = element<T>(b.preds, b.preds_type, row * b.preds_row + i * b.preds_column);
    const double y = element<T>(b.target, b.target_type, row * b.target_row + i * b.target_column);
    add_to_row<kFigure, DeviceMath>(x, y, x_scale, y_scale, &sums);
  }
  auto of_row = [](double mine) { return __shfl_sync(kAllLanes, sum_of_warp(mine), 0); };
  return {of_row(sums.figure), of_row(sums.preds), of_row(sums.target)};
}

template <int64_t kFigure, typename T>
FM_KERNEL rows_kernel(const RowsBatch b) {
  constexpr int kRows = kThreads / kWarp;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kRows;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kWarp; row < b.rows; row += stride) {
    RowSums<double> scale{0.0, 1.0, 1.0};
    if (kFigure == kJs) scale = sums_of_row<kOnlySums, T>(b, row, 1.0, 1.0);
    const RowSums<double> sums = sums_of_row<kFigure, T>(b, row, 1.0 / scale.preds, 1.0 / scale.target);
    if (threadIdx.x % kWarp == 0) b.out[row] = figure_of<kFigure>(sums);
  }
}

template <typename T>
cudaError_t launch_for(const RowsBatch& b, dim3 blocks, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  with_figure(b.figure, [&](auto of) {
    constexpr int64_t kFigure = decltype(of)::value;
    error = launch(rows_kernel<kFigure, T>, blocks, 0, stream, b);
  });
  return error;
}

}  // namespace

cudaError_t launch_rows(const RowsBatch& b, cudaStream_t stream) {
  if (b.rows == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const dim3 blocks(static_cast<unsigned>(blocks_for(card, b.rows, kThreads / kWarp, 8)));
  if (b.preds_type == b.target_type && is_floating(b.preds_type)) {
    with_score_type(b.preds_type, [&](auto t) { error = launch_for<decltype(t)>(b, blocks, stream); });
    return error;
  }
  return launch_for<void>(b, blocks, stream);
}

}  // namespace fastmetrics
