// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the calibration kernel run, and where its cells are. The figures of Tuning were chosen from the
// sizes of current cards, not measured.

#include "passes/calibration_cuda.h"

#include "common/launch.cuh"
#include "passes/calibration_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 4;
  // scores that a thread should see before the cells of its block are added to those of the card
  static constexpr int64_t kScoresPerThread = 32;
  // neighbouring scores of a sample from which a warp has it
  static constexpr int64_t kFewestForWarp = 16;
  // edges of which a block has a copy
  static constexpr int64_t kMostOfEdges = 1024;
};

// Bins of all rows and columns.
int64_t bins_of(int64_t rows, const CalibrationOptions& options) {
  return rows * std::max<int64_t>(1, options.columns) * options.bins;
}

template <typename Cell>
int64_t scratch_of(int64_t bins, const CalibrationOptions& options) {
  return kTurnsScratch + RoundFound<Cell>::words(bins * kCellsOfBin<Cell>) * (options.logits < 0 ? 2 : 1);
}

template <typename Cell, typename Rows>
cudaError_t launch_cells(const RowsBatch& b, const Rows& rows, const CalibrationOptions& options,
                         const CalibrationSums& sums, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  constexpr bool kWeighted = std::is_same<Cell, double>::value;
  const int64_t samples = b.rows.samples(), bins = bins_of(count_of(rows), options), cells = bins * kCellsOfBin<Cell>;
  if (samples == 0) return cudaSuccess;
  const bool either = options.logits < 0;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const bool warps = options.multiclass && b.a_score == 1 && b.scores >= Tuning::kFewestForWarp;
  // a sample adds to a cell of each of its rows once, and these may be one row
  const int64_t slicings = std::max<int64_t>(1, slicings_of(rows));
  const int64_t added = samples * slicings * (options.columns > 0 && options.multiclass ? b.scores : 1);
  const int64_t most_of_block = kMostOfParts / slicings / kThreads * kThreads;
  const bool fits = kWeighted || most_of_block > 0;
  int blocks =
      blocks_for(card, samples * b.scores, kThreads * Tuning::kScoresPerThread, Tuning::kBlocksPerMultiprocessor);
  if (!kWeighted && fits) blocks = std::max(blocks, static_cast<int>((samples + most_of_block - 1) / most_of_block));
  const int edges = options.bins <= Tuning::kMostOfEdges ? static_cast<int>((options.bins + 1) / 2 * 16) : 0;
  const int replicas =
      fits ? replicas_of<Cell>(card, cells, added, blocks, Tuning::kBlocksPerMultiprocessor, edges) : 0;
  const int64_t shared = edges + cells * replicas * static_cast<int64_t>(sizeof(Cell));
  const int adders = blocks_for(card, bins, kThreads, Tuning::kBlocksPerMultiprocessor);
  int64_t* const of_rounds = scratch.zeros + kTurnsScratch;
  const auto first = RoundFound<Cell>::at(of_rounds);
  const auto second = either ? RoundFound<Cell>::at(of_rounds + RoundFound<Cell>::words(cells)) : first;
  const CalibrationRounds<Cell> rounds{
      {either, blocks, adders, scratch.zeros}, replicas, first, second, bins, sums, faults};
  const auto kernel = warps ? calibration_kernel<Cell, kWarp, Rows> : calibration_kernel<Cell, 1, Rows>;
  return launch(kernel, dim3(static_cast<unsigned>(rounds.turns.grid())), shared, stream, b, rows, options, rounds,
                edges);
}

template <typename Rows>
cudaError_t launch_rows(const RowsBatch& b, const Rows& rows, const CalibrationOptions& options,
                        const CalibrationSums& sums, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return b.weights != nullptr ? launch_cells<double>(b, rows, options, sums, faults, scratch, stream)
                              : launch_cells<uint32_t>(b, rows, options, sums, faults, scratch, stream);
}

}  // namespace

ScratchSize calibration_scratch(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options) {
  const int64_t bins = bins_of(rows == nullptr ? 1 : rows->count, options);
  return {b.weights != nullptr ? scratch_of<double>(bins, options) : scratch_of<uint32_t>(bins, options)};
}

cudaError_t launch_calibration(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options,
                               const CalibrationSums& sums, int64_t* faults, const Scratch& scratch,
                               cudaStream_t stream) {
  return rows == nullptr ? launch_rows(b, OneRow{}, options, sums, faults, scratch, stream)
                         : launch_rows(b, *rows, options, sums, faults, scratch, stream);
}

}  // namespace fastmetrics
