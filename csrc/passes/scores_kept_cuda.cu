// SPDX-License-Identifier: Apache-2.0
//
// Which kernel of keep_scores_ runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of
// current cards, not measured.

#include "passes/scores_kept_kernels.cuh"

#include "passes/scores_cuda.h"
#include "passes/scores_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int64_t kScoresPerThread = 16;
  static constexpr int64_t kFewestForWarp = 16;
};

template <typename T>
cudaError_t launch_kept(const ScoresBatch& b, const KeptScores<T>& to, int64_t* faults, const Scratch& scratch,
                        cudaStream_t stream) {
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const int64_t rows = b.rows.samples(), elements = rows * b.columns;
  auto start = [&](auto kernel, int64_t work, int64_t per_thread, const auto&... more) {
    const int blocks = blocks_for(card, work, kThreads * per_thread, Tuning::kBlocksPerMultiprocessor);
    const ScoresRounds rounds = scores_rounds(b, blocks, faults, scratch);
    return launch(kernel, dim3(static_cast<unsigned>(rounds.turns.grid())), 0, stream, b, rounds, to, more...);
  };
  if (b.multiclass) {
    if (b.a_column == 1 && b.columns >= Tuning::kFewestForWarp) {
      return start(keep_rows_kernel<T, kWarp>, elements, Tuning::kScoresPerThread);
    }
    return start(keep_rows_kernel<T, 1>, rows, (Tuning::kScoresPerThread + b.columns - 1) / b.columns);
  }
  if (aligned_16(to.scores, 1) && aligned_16(to.labels, 1)) {
    const bool wide = with_line<WidenedTo<T>>(b, [&](auto t, auto i) {
      if constexpr (std::is_same<decltype(t), T>::value) {
        error = start(keep_line_kernel<T, decltype(i)>, elements, Tuning::kScoresPerThread);
      }
    });
    if (wide) return error;
  }
  return start(keep_elements_kernel<T>, elements, Tuning::kScoresPerThread, columns_are_near(b));
}

}  // namespace

ScratchSize keep_scores_scratch(const ScoresBatch& b) { return {b.logits == kEither ? kScoresScratch : 0}; }

cudaError_t launch_keep_scores(const ScoresBatch& b, void* scores, int8_t* labels, int64_t* faults,
                               const Scratch& scratch, cudaStream_t stream) {
  if (b.rows.samples() * b.columns == 0) return cudaSuccess;
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) {
    using T = decltype(t);
    error = launch_kept(b, KeptScores<T>{static_cast<T*>(scores), labels}, faults, scratch, stream);
  });
  return error;
}

}  // namespace fastmetrics
