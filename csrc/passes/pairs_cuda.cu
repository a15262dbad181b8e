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
  static constexpr int64_t kMostPartials = int64_t{1} << 16;
};

struct Plan {
  bool neighbours;  // one output, all pairs in one run, of one floating type, and sums that such a loop has
  int columns;
  int64_t chunks, parts;
  int64_t blocks() const { return parts * chunks; }
};

Plan plan_of(const PairsBatch& b, const PairsStates& s) {
  const Layout& layout = b.layout;
  Plan plan{};
  plan.neighbours = b.outputs == 1 && layout.dims == 1 && layout.a_stride[0] == 1 && layout.b_stride[0] == 1 &&
                    b.preds_type == b.target_type && is_floating(b.preds_type) && b.valid == nullptr &&
                    b.weights == nullptr && s.only_simple();
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

constexpr int64_t kPartial = sizeof(PairsSums) / sizeof(double);

}  // namespace

int64_t pairs_workspace(const PairsBatch& b, const PairsStates& s) {
  const Plan plan = plan_of(b, s);
  return plan.parts * b.outputs * kPartial + plan.blocks() * kBlockFaults;
}

cudaError_t launch_pairs(const PairsBatch& b, const PairsStates& s, double* workspace, cudaStream_t stream) {
  const int64_t pairs = b.layout.samples();
  if (pairs == 0) return cudaSuccess;
  const Plan plan = plan_of(b, s);
  PairsSums* partial = reinterpret_cast<PairsSums*>(workspace);
  Count* faults = nullptr;
  cudaError_t error = cudaSuccess;
  const dim3 blocks(static_cast<unsigned>(plan.blocks()));
  if (plan.neighbours) {
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      constexpr uintptr_t kAlign = alignof(Pack<T, kPairs>);
      const bool wide =
          reinterpret_cast<uintptr_t>(b.preds) % kAlign == 0 && reinterpret_cast<uintptr_t>(b.target) % kAlign == 0;
      const auto kernel = s.moments != nullptr ? pairs_kernel<T, true> : pairs_kernel<T, false>;
      error = launch(kernel, blocks, 0, stream, b, wide, partial);
    });
  } else {
    if (b.weights != nullptr || s.deviance != nullptr) {
      faults = reinterpret_cast<Count*>(workspace + plan.parts * b.outputs * kPartial);
    }
    unsigned asked = 0;
    for (int kind = 0; kind < kErrorKinds; ++kind) asked |= s.errors[kind] == nullptr ? 0u : 1u << kind;
    asked |= s.moments == nullptr ? 0u : kAskMoments;
    asked |= s.extremes == nullptr ? 0u : kAskExtremes;
    asked |= s.deviance == nullptr ? 0u : kAskDeviance;
    asked |= s.events == nullptr ? 0u : kAskEvents;
    error = launch(pairs_strided_kernel, blocks, 0, stream, b, plan.columns, plan.chunks, asked, partial, faults);
  }
  if (error != cudaSuccess) return error;
  const dim3 adders(static_cast<unsigned>(std::min<int64_t>(b.outputs, Tuning::kMostBlocks)));
  error = launch(pairs_add_kernel, adders, 0, stream, partial, plan.parts, b.outputs, s);
  if (error != cudaSuccess || faults == nullptr || s.faults == nullptr) return error;
  return launch(pairs_faults_kernel, dim3(1), 0, stream, b, faults, plan.blocks(), s.faults);
}

}  // namespace fastmetrics
