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
cudaError_t launch_for(const TokenRowsBatch& b, const Card& card, TokenPart* found, cudaStream_t stream) {
  const int64_t tokens = b.tokens.samples(), parts = parts_of(b), of_part = (b.vocabulary + parts - 1) / parts;
  auto blocks = [&](int64_t rows) {
    return dim3(static_cast<unsigned>(blocks_for(card, tokens * parts, rows, Tuning::kBlocksPerMultiprocessor)));
  };
  if (warp_for_row(b)) {
    return launch(token_rows_kernel<T, kWarp, kAll>, blocks(kThreads / kWarp), 0, stream, b, parts, of_part, nullptr);
  }
  TokenPart* to = parts > 1 ? found : nullptr;
  const cudaError_t error = launch(token_rows_kernel<T, kThreads, kAll>, blocks(1), 0, stream, b, parts, of_part, to);
  if (error != cudaSuccess || parts == 1) return error;
  const dim3 joiners(static_cast<unsigned>(blocks_for(card, tokens, kThreads, Tuning::kBlocksPerMultiprocessor)));
  return launch(token_parts_kernel<T>, joiners, 0, stream, b, parts, found);
}

}  // namespace

int64_t token_rows_workspace(const TokenRowsBatch& b) {
  return parts_of(b) > 1 ? b.tokens.samples() * parts_of(b) * static_cast<int64_t>(sizeof(TokenPart)) : 0;
}

cudaError_t launch_token_rows(const TokenRowsBatch& b, void* workspace, cudaStream_t stream) {
  if (b.tokens.samples() == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  TokenPart* found = static_cast<TokenPart*>(workspace);
  with_score_type(b.type, [&](auto t) {
    using T = decltype(t);
    error = b.entropy || b.rank ? launch_for<T, true>(b, card, found, stream)
                                : launch_for<T, false>(b, card, found, stream);
  });
  return error;
}

}  // namespace fastmetrics
