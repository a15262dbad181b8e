// SPDX-License-Identifier: Apache-2.0
//
// How many lanes have a row of logits, and in how many parts it is read. Both depend on the sizes alone, because the
// order of the sums does. The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "passes/token_rows_cuda.h"

#include "common/launch.cuh"
#include "passes/token_rows_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  // logits up to which a warp has a row
  static constexpr int64_t kMostForWarp = 2048;
  // blocks that should have work, and logits that a part should have at least
  static constexpr int64_t kWantedBlocks = 512;
  static constexpr int64_t kFewestOfPart = 8192;
};

bool warp_for_row(const TokenRowsBatch& b) { return b.vocabulary <= Tuning::kMostForWarp; }

int64_t parts_of(const TokenRowsBatch& b) {
  const int64_t wanted = Tuning::kWantedBlocks / std::max<int64_t>(1, b.tokens.samples());
  return std::max<int64_t>(1, std::min(wanted, b.vocabulary / Tuning::kFewestOfPart));
}

template <typename T, bool kAll>
cudaError_t launch_for(const TokenRowsBatch& b, const Card& card, const Scratch& scratch, cudaStream_t stream) {
  const int64_t tokens = b.tokens.samples(), number = parts_of(b);
  TokenPart* const of = number > 1 ? reinterpret_cast<TokenPart*>(scratch.others) : nullptr;
  const TokenParts parts{of, scratch.zeros, number, (b.vocabulary + number - 1) / number};
  auto start = [&](auto kernel, int64_t rows) {
    const int blocks = blocks_for(card, tokens * number, rows, Tuning::kBlocksPerMultiprocessor);
    return launch(kernel, dim3(static_cast<unsigned>(blocks)), 0, stream, b, parts);
  };
  return warp_for_row(b) ? start(token_rows_kernel<T, kWarp, kAll>, kThreads / kWarp)
                         : start(token_rows_kernel<T, kThreads, kAll>, 1);
}

}  // namespace

ScratchSize token_rows_scratch(const TokenRowsBatch& b) {
  static_assert(sizeof(TokenPart) % sizeof(int64_t) == 0);
  const int64_t tokens = b.tokens.samples(), parts = parts_of(b);
  if (tokens == 0 || parts == 1) return {};
  return {tokens, tokens * parts * static_cast<int64_t>(sizeof(TokenPart) / sizeof(int64_t))};
}

cudaError_t launch_token_rows(const TokenRowsBatch& b, const Scratch& scratch, cudaStream_t stream) {
  if (b.tokens.samples() == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  with_score_type(b.type, [&](auto t) {
    using T = decltype(t);
    error = b.entropy || b.rank ? launch_for<T, true>(b, card, scratch, stream)
                                : launch_for<T, false>(b, card, scratch, stream);
  });
  return error;
}

}  // namespace fastmetrics
