// SPDX-License-Identifier: Apache-2.0
//
// Which pairs kernel runs, and how many blocks of it. That number depends on the sizes alone, because the order of the
// sums does. The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "common/launch.cuh"
#include "passes/pairs_cuda.h"
#include "passes/pairs_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int64_t kPairsPerThread = 16;
  static constexpr int64_t kMostBlocks = 1024;
  // partial sums beyond which there is only one part
  static constexpr int64_t kMostPartials = int64_t{1} << 20;
};

struct Plan {
  bool neighbours;  // one output, all pairs in one run, of one floating type
  int columns;
  int64_t chunks, parts;
};

Plan plan_of(const PairsBatch& b) {
  const Layout& layout = b.layout;
  Plan plan{};
  plan.neighbours = b.outputs == 1 && layout.dims == 1 && layout.a_stride[0] == 1 && layout.b_stride[0] == 1 &&
                    b.preds_type == b.target_type && is_floating(b.preds_type);
  plan.columns = 1;
  // a row of outputs that are neighbours is shared by threads side by side
  if (b.a_output == 1 || b.b_output == 1) {
    while (plan.columns < b.outputs && plan.columns < kThreads) plan.columns *= 2;
  }
  plan.chunks = (b.outputs + plan.columns - 1) / plan.columns;
  const int64_t per_block = kThreads / plan.columns * Tuning::kPairsPerThread;
  const int64_t most = std::min(Tuning::kMostBlocks / plan.chunks, Tuning::kMostPartials / b.outputs);
  plan.parts = std::max<int64_t>(1, std::min(most, (layout.samples() + per_block - 1) / per_block));
  return plan;
}

}  // namespace

int64_t pairs_workspace(const PairsBatch& b) { return plan_of(b).parts * b.outputs * 2; }

cudaError_t launch_pairs(const PairsBatch& b, int64_t* count, const PairsSums& sums, double* workspace,
                         cudaStream_t stream) {
  const int64_t pairs = b.layout.samples();
  if (pairs == 0) return cudaSuccess;
  const Plan plan = plan_of(b);
  ErrorSums* partial = reinterpret_cast<ErrorSums*>(workspace);
  cudaError_t error = cudaSuccess;
  if (plan.neighbours) {
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      constexpr uintptr_t kAlign = alignof(Pack<T, kPairs>);
      const bool wide =
          reinterpret_cast<uintptr_t>(b.preds) % kAlign == 0 && reinterpret_cast<uintptr_t>(b.target) % kAlign == 0;
      error = launch(pairs_kernel<T>, dim3(static_cast<unsigned>(plan.parts)), 0, stream, b, wide, partial);
    });
  } else {
    const dim3 blocks(static_cast<unsigned>(plan.parts * plan.chunks));
    error = launch(pairs_strided_kernel, blocks, 0, stream, b, plan.columns, plan.chunks, partial);
  }
  if (error != cudaSuccess) return error;
  const dim3 blocks(static_cast<unsigned>(std::min<int64_t>(b.outputs, Tuning::kMostBlocks)));
  return launch(pairs_add_kernel, blocks, 0, stream, partial, plan.parts, b.outputs, pairs, count, sums);
}

}  // namespace fastmetrics
