// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the row pairs kernel run. The figures of Tuning were chosen from the sizes of current cards, not
// measured; a row of more than some thousands would be better with a block, rows shorter than a warp with a part of
// one.

#include "common/launch.cuh"
#include "passes/row_pairs_cuda.h"
#include "passes/row_pairs_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
};

template <typename T>
cudaError_t launch_for(const RowPairsBatch& b, dim3 blocks, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  with_figure(b.figure, [&](auto of) {
    constexpr int64_t kFigure = decltype(of)::value;
    error = launch(row_pairs_kernel<kFigure, T>, blocks, 0, stream, b);
  });
  return error;
}

}  // namespace

cudaError_t launch_row_pairs(const RowPairsBatch& b, cudaStream_t stream) {
  if (b.rows == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const dim3 blocks(
      static_cast<unsigned>(blocks_for(card, b.rows, kThreads / kWarp, Tuning::kBlocksPerMultiprocessor)));
  if (b.preds_type == b.target_type && is_floating(b.preds_type)) {
    with_score_type(b.preds_type, [&](auto t) { error = launch_for<decltype(t)>(b, blocks, stream); });
    return error;
  }
  return launch_for<void>(b, blocks, stream);
}

}  // namespace fastmetrics
