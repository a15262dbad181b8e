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
  // trees of sums that the last block goes through; a kernel of its own has a block for each output beyond
  static constexpr int64_t kMostTrees = 4;
};

struct Plan {
  bool neighbours;  // one output, all pairs in one run, of one floating type, and sums that such a loop has
  int columns;
  int64_t chunks, parts;
  int together;  // outputs whose parts one tree has
  int64_t blocks() const { return parts * chunks; }
  int64_t trees() const { return (columns + together - 1) / together; }
  bool is_one_launch() const { return parts == 1 || trees() <= Tuning::kMostTrees; }
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
  plan.together = kThreads;
  while (plan.together > 1 && kThreads / plan.together < plan.parts) plan.together /= 2;
  return plan;
}

template <typename Sums>
SumsOfBlocks<Sums> sums_of_blocks(const Plan& plan, const PairsBatch& b, const PairsStates& s, const Scratch& scratch) {
  auto* of = reinterpret_cast<Sums*>(scratch.others);
  return {of, plan.is_one_launch() ? scratch.zeros : nullptr, plan.parts, b.outputs, plan.together, s};
}

// Loops over neighbours of type T.
template <typename T, bool kMoments>
cudaError_t launch_neighbours(const Plan& plan, const PairsBatch& b, const PairsStates& s, const Scratch& scratch,
                              cudaStream_t stream) {
  constexpr uintptr_t kAlign = alignof(Pack<T, kPairs>);
  const bool wide =
      reinterpret_cast<uintptr_t>(b.preds) % kAlign == 0 && reinterpret_cast<uintptr_t>(b.target) % kAlign == 0;
  return launch(pairs_kernel<T, kMoments>, dim3(static_cast<unsigned>(plan.parts)), 0, stream, b, wide,
                sums_of_blocks<SimpleSums<kMoments>>(plan, b, s, scratch));
}

}  // namespace

ScratchSize pairs_scratch(const PairsBatch& b, const PairsStates& s) {
  const Plan plan = plan_of(b, s);
  if (plan.parts == 1) return {};
  const int64_t partials = plan.parts * b.outputs * static_cast<int64_t>(sizeof(PairsSums) / sizeof(int64_t));
  return {plan.is_one_launch() ? plan.chunks : 0, partials, plan.is_one_launch()};
}

cudaError_t launch_pairs(const PairsBatch& b, const PairsStates& s, const Scratch& scratch, cudaStream_t stream) {
  const int64_t pairs = b.layout.samples();
  if (pairs == 0) return cudaSuccess;
  const Plan plan = plan_of(b, s);
  cudaError_t error = cudaSuccess;
  if (plan.neighbours) {
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      error = s.moments != nullptr ? launch_neighbours<T, true>(plan, b, s, scratch, stream)
                                   : launch_neighbours<T, false>(plan, b, s, scratch, stream);
    });
    return error;
  }
  unsigned asked = 0;
  for (int kind = 0; kind < kErrorKinds; ++kind) asked |= s.errors[kind] == nullptr ? 0u : 1u << kind;
  asked |= s.moments == nullptr ? 0u : kAskMoments;
  asked |= s.extremes == nullptr ? 0u : kAskExtremes;
  asked |= s.deviance == nullptr ? 0u : kAskDeviance;
  asked |= s.events == nullptr ? 0u : kAskEvents;
  auto to = sums_of_blocks<PairsSums>(plan, b, s, scratch);
  if (b.weights == nullptr && s.deviance == nullptr) to.states.faults = nullptr;  // nothing can be bad
  const dim3 blocks(static_cast<unsigned>(plan.blocks()));
  error = launch(pairs_strided_kernel, blocks, 0, stream, b, plan.columns, plan.chunks, asked, to);
  if (error != cudaSuccess || plan.is_one_launch()) return error;
  const dim3 adders(static_cast<unsigned>((b.outputs + plan.together - 1) / plan.together));
  return launch(pairs_add_kernel, adders, 0, stream, to);
}

}  // namespace fastmetrics
