// SPDX-License-Identifier: Apache-2.0
//
// The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "passes/scores_cuda.h"

#include "passes/scores_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 4;
  static constexpr int64_t kScoresPerThread = 16;
  static constexpr int64_t kFewestForWarp = 16;
  // bytes of cuts of which a block has a copy
  static constexpr int64_t kMostOfCuts = 8 * 1024;
};

template <typename V, typename Cell, typename State>
cudaError_t launch_cuts(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins, State* histogram,
                        int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  const int64_t bytes = bins.number * static_cast<int64_t>(sizeof(V));
  const bool near = bytes <= Tuning::kMostOfCuts;
  return with_rows(rows, [&](const auto& rows_of) {
    return launch_score_cells<Tuning, V, Cell>(b, CutFinder{bins, near}, rows_of, near ? bytes : 0, histogram, faults,
                                               scratch, stream);
  });
}

template <typename Cell, typename State>
cudaError_t launch_histogram(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins, State* histogram,
                             int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return b.preds_type == DType::kDouble ? launch_cuts<double, Cell>(b, rows, bins, histogram, faults, scratch, stream)
                                        : launch_cuts<float, Cell>(b, rows, bins, histogram, faults, scratch, stream);
}

}  // namespace

ScratchSize score_histogram_scratch(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins) {
  return scores_scratch(b, bins.number + 1, states_of(rows));
}

cudaError_t launch_score_histogram(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins,
                                   int64_t* histogram, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return launch_histogram<uint32_t>(b, rows, bins, histogram, faults, scratch, stream);
}

cudaError_t launch_score_histogram(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins,
                                   double* histogram, int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return launch_histogram<double>(b, rows, bins, histogram, faults, scratch, stream);
}

}  // namespace fastmetrics
