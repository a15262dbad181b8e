// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel of groups run, and where their cells are. The figures of Tuning were chosen from the
// sizes of current cards, not measured.

#include "passes/multiclass_rows_cuda.h"

#include "common/launch.cuh"
#include "passes/multiclass_rows_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 4;
  // samples that lanes of one should see before the cells of their block are added to those of the card
  static constexpr int64_t kSamplesPerThread = 16;
  // neighbouring scores of a sample from which a warp has it
  static constexpr int64_t kFewestForWarp = 16;
};

template <typename State>
cudaError_t launch_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<State>& s,
                        State* samples, const Scratch& scratch, cudaStream_t stream) {
  const int64_t n = b.layout.samples(), c = b.classes;
  if (n == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  using Cell = typename Adds<State>::Amount;
  const bool totals = s.totals != nullptr;
  RowCellsOfStates<State> states{{s.confusion, totals ? s.totals : s.counts, s.ranks, s.rank_histogram, samples}, {}};
  const int64_t of_row[] = {c * c, totals ? 3 : c * 3, c * s.k * 2, c, 1};
  for (int i = 0; i < states.kStates; ++i) {
    states.first[i + 1] = states.first[i] + (states.state[i] == nullptr ? 0 : rows.count * of_row[i]);
  }
  const bool warps = b.scores && b.class_stride == 1 && c >= Tuning::kFewestForWarp;
  const int64_t at_once = warps ? kThreads / kWarp : kThreads;
  const int blocks = blocks_for(card, n, at_once * Tuning::kSamplesPerThread, Tuning::kBlocksPerMultiprocessor);
  const int64_t cells = states.first[states.kStates];
  const int replicas = replicas_of<Cell>(card, cells, n * rows.slicings, blocks, Tuning::kBlocksPerMultiprocessor, 0);
  const int64_t shared = cells * replicas * static_cast<int64_t>(sizeof(Cell));
  const auto kernel = warps ? multiclass_rows_kernel<State, kWarp> : multiclass_rows_kernel<State, 1>;
  return launch(kernel, dim3(blocks), shared, stream, b, rows, s, states, replicas, scratch.zeros);
}

}  // namespace

ScratchSize multiclass_rows_scratch(const SampleRows& rows, bool samples) {
  return {samples && rows.slicings == 1 ? kGroupsScratch : 0};
}

cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<int64_t>& s,
                                   int64_t* samples, const Scratch& scratch, cudaStream_t stream) {
  return launch_rows(b, rows, s, samples, scratch, stream);
}

cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<double>& s,
                                   double* samples, const Scratch& scratch, cudaStream_t stream) {
  return launch_rows(b, rows, s, samples, scratch, stream);
}

}  // namespace fastmetrics
