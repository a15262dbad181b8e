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

int64_t cells_of(const CalibrationOptions& options, bool weighted) {
  const int64_t bins = std::max<int64_t>(1, options.columns) * options.bins;
  return bins * (weighted ? kCellsOfBin<double> : kCellsOfBin<uint32_t>);
}

// Of one round.
int64_t workspace_of(const CalibrationOptions& options, bool weighted) {
  return kRowsScratch + cells_of(options, weighted);
}

template <typename Cell>
cudaError_t launch_cells(const RowsBatch& b, const CalibrationOptions& options, const CalibrationSums& sums,
                         int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  constexpr bool kWeighted = std::is_same<Cell, double>::value;
  const int64_t rows = b.rows.samples(), cells = cells_of(options, kWeighted);
  if (rows == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error == cudaSuccess) {
    error = cudaMemsetAsync(workspace, 0, calibration_workspace(b, options) * sizeof(int64_t), stream);
  }
  if (error != cudaSuccess) return error;
  const bool warps = options.multiclass && b.a_score == 1 && b.scores >= Tuning::kFewestForWarp;
  // a sample adds to a cell once
  const int64_t added = rows * (options.columns > 0 && options.multiclass ? b.scores : 1);
  const int blocks =
      std::max(blocks_for(card, rows * b.scores, kThreads * Tuning::kScoresPerThread, Tuning::kBlocksPerMultiprocessor),
               static_cast<int>((rows + kMostOfBlock - 1) / kMostOfBlock));
  const int edges = options.bins <= Tuning::kMostOfEdges ? static_cast<int>((options.bins + 1) / 2 * 16) : 0;
  const int replicas = replicas_of<Cell>(card, cells, added, blocks, Tuning::kBlocksPerMultiprocessor, edges);
  const int64_t shared = edges + cells * replicas * static_cast<int64_t>(sizeof(Cell));
  auto found_in = [&](int64_t* place) {
    return CalibrationFound<Cell>{reinterpret_cast<CellOfCard<Cell>*>(place + kRowsScratch), place};
  };
  auto start = [&](Round round, const CalibrationFound<Cell>& found) {
    const CalibrationRound<Cell> given{round, replicas, workspace + kRowsOutside, found};
    return warps ? launch(calibration_kernel<Cell, kWarp>, dim3(blocks), shared, stream, b, options, given, edges)
                 : launch(calibration_kernel<Cell, 1>, dim3(blocks), shared, stream, b, options, given, edges);
  };
  const bool either = options.logits < 0;
  const CalibrationFound<Cell> first = found_in(workspace);
  const CalibrationFound<Cell> second = either ? found_in(workspace + workspace_of(options, kWeighted)) : first;
  error = start(either ? Round::kFirst : Round::kOnly, first);
  if (error == cudaSuccess && either) error = start(Round::kSecond, second);
  if (error != cudaSuccess) return error;
  const int64_t bins = std::max<int64_t>(1, options.columns) * options.bins;
  const dim3 adders(blocks_for(card, bins, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(calibration_close_kernel<Cell>, adders, 0, stream, b, options, sums, first, second,
                either ? workspace + kRowsOutside : nullptr, faults);
}

}  // namespace

int64_t calibration_workspace(const RowsBatch& b, const CalibrationOptions& options) {
  return workspace_of(options, b.weights != nullptr) * (options.logits < 0 ? 2 : 1);
}

cudaError_t launch_calibration(const RowsBatch& b, const CalibrationOptions& options, const CalibrationSums& sums,
                               int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  return b.weights != nullptr ? launch_cells<double>(b, options, sums, faults, workspace, stream)
                              : launch_cells<uint32_t>(b, options, sums, faults, workspace, stream);
}

}  // namespace fastmetrics
