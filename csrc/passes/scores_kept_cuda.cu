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
cudaError_t launch_round(const Card& card, const ScoresBatch& b, const ScoresTurn& turn, const KeptScores<T>& to,
                         cudaStream_t stream) {
  const int64_t rows = b.rows.samples(), elements = rows * b.columns;
  auto blocks = [&](int64_t work, int64_t per_thread) {
    return dim3(blocks_for(card, work, kThreads * per_thread, Tuning::kBlocksPerMultiprocessor));
  };
  if (b.multiclass) {
    if (b.a_column == 1 && b.columns >= Tuning::kFewestForWarp) {
      return launch(keep_rows_kernel<T, kWarp>, blocks(elements, Tuning::kScoresPerThread), 0, stream, b, turn, to);
    }
    const int64_t per_thread = (Tuning::kScoresPerThread + b.columns - 1) / b.columns;
    return launch(keep_rows_kernel<T, 1>, blocks(rows, per_thread), 0, stream, b, turn, to);
  }
  if (aligned_16(to.scores, 1) && aligned_16(to.labels, 1)) {
    cudaError_t error = cudaSuccess;
    const bool wide = with_line<WidenedTo<T>>(b, [&](auto t, auto i) {
      if constexpr (std::is_same<decltype(t), T>::value) {
        error = launch(keep_line_kernel<T, decltype(i)>, blocks(elements, Tuning::kScoresPerThread), 0, stream, b, turn,
                       to);
      }
    });
    if (wide) return error;
  }
  return launch(keep_elements_kernel<T>, blocks(elements, Tuning::kScoresPerThread), 0, stream, b, turn, to,
                columns_are_near(b));
}

template <typename T>
cudaError_t launch_kept(const ScoresBatch& b, const KeptScores<T>& to, int64_t* faults, int64_t* workspace,
                        cudaStream_t stream) {
  Card card;
  cudaError_t error = current_card(&card);
  const bool either = b.logits == kEither;
  auto turn = [&](Round round) { return ScoresTurn{round, workspace, faults}; };
  if (error == cudaSuccess && either) {
    error = cudaMemsetAsync(workspace, 0, kScoresScratch * sizeof(int64_t), stream);
  }
  if (error == cudaSuccess) error = launch_round(card, b, turn(either ? Round::kFirst : Round::kOnly), to, stream);
  if (error == cudaSuccess && either) error = launch_round(card, b, turn(Round::kSecond), to, stream);
  if (error != cudaSuccess || faults == nullptr) return error;
  return launch(keep_close_kernel, dim3(1), 0, stream, b, turn(either ? Round::kSecond : Round::kOnly));
}

}  // namespace

int64_t keep_scores_workspace(const ScoresBatch& b) { return b.logits == kEither ? kScoresScratch : 0; }

cudaError_t launch_keep_scores(const ScoresBatch& b, void* scores, int8_t* labels, int64_t* faults, int64_t* workspace,
                               cudaStream_t stream) {
  if (b.rows.samples() * b.columns == 0) return cudaSuccess;
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) {
    using T = decltype(t);
    error = launch_kept(b, KeptScores<T>{static_cast<T*>(scores), labels}, faults, workspace, stream);
  });
  return error;
}

}  // namespace fastmetrics
