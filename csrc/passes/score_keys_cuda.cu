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
};

template <typename Cell, typename State>
cudaError_t launch_keys(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, State* counts,
                        int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  const KeyFinder finder{keys, keys.number()};
  return with_rows(rows, [&](const auto& rows_of) {
    return launch_score_cells<Tuning, float, Cell>(b, finder, rows_of, 0, counts, faults, scratch, stream);
  });
}

}  // namespace

ScratchSize count_scores_scratch(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys) {
  return scores_scratch(b, keys.number(), states_of(rows));
}

cudaError_t launch_count_scores(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, int64_t* counts,
                                int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return launch_keys<uint32_t>(b, rows, keys, counts, faults, scratch, stream);
}

cudaError_t launch_count_scores(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, double* counts,
                                int64_t* faults, const Scratch& scratch, cudaStream_t stream) {
  return launch_keys<double>(b, rows, keys, counts, faults, scratch, stream);
}

}  // namespace fastmetrics
