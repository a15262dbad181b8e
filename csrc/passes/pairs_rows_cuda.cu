// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel of pairs of groups run, and where its sums are. The figures of Tuning were chosen from
// the sizes of current cards, not measured.

#include "passes/pairs_rows_cuda.h"

#include "common/launch.cuh"
#include "passes/pairs_rows_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 2;
  // pairs that a thread should see before the cells of its block are added to those of the card
  static constexpr int64_t kPairsPerThread = 16;
};

}  // namespace

ScratchSize pairs_rows_scratch(const PairsBatch& b, const ColumnRows& rows, const PairsStates& s) {
  const int64_t each = (s.moments != nullptr ? 1 + kOfMoments : 0) + (s.extremes != nullptr ? kOfExtremes : 0);
  return {each == 0 ? 0 : kTurnsScratch + each * rows.of_first.count * b.outputs};
}

cudaError_t launch_pairs_rows(const PairsBatch& b, const ColumnRows& rows, const PairsStates& s, const Scratch& scratch,
                              cudaStream_t stream) {
  const int64_t pairs = b.layout.samples() * b.outputs;
  if (pairs == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  constexpr int kBlocks = Tuning::kBlocksPerMultiprocessor;
  RowsOfPairs to{};
  to.cells = rows.of_first.count * b.outputs;
  to.states = s;
  if (b.weights == nullptr && s.deviance == nullptr) to.states.faults = nullptr;  // nothing can be bad
  to.turns.blocks = blocks_for(card, pairs, kThreads * Tuning::kPairsPerThread, kBlocks);
  unsigned asked = 0;
  if (s.moments != nullptr || s.extremes != nullptr) {
    to.turns.scratch = scratch.zeros;
    to.turns.adders = blocks_for(card, to.cells, kThreads, kBlocks);
    int64_t* next = scratch.zeros + kTurnsScratch;
    if (s.moments != nullptr) {
      to.pilots = next;
      to.moments = reinterpret_cast<double*>(next + to.cells);
      next += (1 + kOfMoments) * to.cells;
      to.numbers.put(to.moments, kOfMoments);
      asked |= kAskMoments;
    }
    if (s.extremes != nullptr) {
      to.ends = next;
      asked |= kAskExtremes;
    }
  }
  if (s.count != nullptr && s.moments == nullptr) {  // with moments it is their weight
    to.numbers.put(s.count, 1);
    asked |= kAskCount;
  }
  for (int kind = 0; kind < kErrorKinds; ++kind) {
    to.numbers.put(s.errors[kind], 1);
    asked |= s.errors[kind] == nullptr ? 0u : 1u << kind;
  }
  to.numbers.put(s.deviance, 2);
  asked |= s.deviance == nullptr ? 0u : kAskDeviance;
  to.numbers.put(s.events, 3);
  asked |= s.events == nullptr ? 0u : kAskEvents;
  const int64_t all = to.cells * to.numbers.count;
  if (all > 0) {
    const int64_t additions = pairs * rows.of_first.slicings * to.numbers.count;
    to.replicas = replicas_of<double>(card, all, additions, to.turns.blocks, kBlocks, 0);
  }
  const int64_t shared = all * to.replicas * static_cast<int64_t>(sizeof(double));
  const dim3 grid(static_cast<unsigned>(to.turns.grid()));
  return launch(s.only_simple() ? pairs_rows_kernel<true> : pairs_rows_kernel<false>, grid, shared, stream, b, rows, to,
                asked);
}

}  // namespace fastmetrics
