// SPDX-License-Identifier: Apache-2.0
//
// Which kernel of the proper scores pass runs, and how many blocks of it. That number depends on the sizes alone,
// because the order of the sums does. The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "passes/proper_scores_cuda.h"

#include "common/launch.cuh"
#include "passes/proper_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int64_t kMostBlocks = 1024;
  static constexpr int64_t kMostThreads = kMostBlocks * kThreads;
  // samples that a thread should have at least
  static constexpr int64_t kSamplesPerThread = 8;
  // neighbouring scores of a sample from which a warp has it
  static constexpr int64_t kFewestForWarp = 16;
};

int64_t blocks_of(int64_t work, int64_t per_block) {
  return std::max<int64_t>(1, std::min(Tuning::kMostBlocks, (work + per_block - 1) / per_block));
}

ProperLanes lanes_of(const RowsBatch& b, const LabelsOfElements& label) {
  ProperLanes lanes{};
  lanes.labels = label.labels;
  lanes.inner = label.inner;
  lanes.groups = b.rows.samples() / (lanes.labels * lanes.inner);
  lanes.width = std::min(lanes.inner, std::max<int64_t>(1, Tuning::kMostThreads / lanes.labels));
  const int64_t of_part = lanes.of_part();
  lanes.units = of_part <= kThreads / 2 ? static_cast<int>(kThreads / of_part) : 0;
  const int64_t most = std::max<int64_t>(1, Tuning::kMostThreads / of_part);
  const int64_t wanted = (lanes.groups + Tuning::kSamplesPerThread - 1) / Tuning::kSamplesPerThread;
  lanes.parts = std::max<int64_t>(1, std::min(most, wanted));
  if (lanes.units > 0) lanes.parts = (lanes.parts + lanes.units - 1) / lanes.units * lanes.units;
  return lanes;
}

bool warps_for(const RowsBatch& b) { return b.a_score == 1 && b.scores >= Tuning::kFewestForWarp; }

int64_t blocks_of_rows(const RowsBatch& b) {
  return blocks_of(b.rows.samples(), warps_for(b) ? kThreads / kWarp : kThreads);
}

int64_t partials_of(const RowsBatch& b, const ProperScoresOptions& options) {
  return options.multiclass ? blocks_of_rows(b) : lanes_of(b, options.label).partials();
}

template <typename T>
cudaError_t launch_round(const RowsBatch& b, const ProperScoresOptions& options, const ProperRound& round,
                         cudaStream_t stream) {
  if (options.multiclass) {
    const dim3 blocks(static_cast<unsigned>(blocks_of_rows(b)));
    return warps_for(b) ? launch(proper_rows_kernel<T, kWarp>, blocks, 0, stream, b, options, round)
                        : launch(proper_rows_kernel<T, 1>, blocks, 0, stream, b, options, round);
  }
  const ProperLanes lanes = lanes_of(b, options.label);
  const int64_t threads = lanes.parts * lanes.of_part();
  const dim3 blocks(static_cast<unsigned>((threads + lanes.threads() - 1) / lanes.threads()));
  const bool plain = b.target_type == DType::kInt64 && b.rows.dims == 1 && b.valid == nullptr && b.weights == nullptr;
  return plain ? launch(proper_elements_kernel<T, true>, blocks, 0, stream, b, options, lanes, round)
               : launch(proper_elements_kernel<T, false>, blocks, 0, stream, b, options, lanes, round);
}

}  // namespace

int64_t proper_scores_workspace(const RowsBatch& b, const ProperScoresOptions& options) {
  if (b.rows.samples() == 0) return 0;
  return 2 * kRowsScratch + partials_of(b, options) * static_cast<int64_t>(sizeof(ProperSums) / sizeof(int64_t));
}

cudaError_t launch_proper_scores(const RowsBatch& b, const ProperScoresOptions& options, const ProperScoresSums& sums,
                                 int64_t* faults, int64_t* workspace, cudaStream_t stream) {
  if (b.rows.samples() == 0) return cudaSuccess;
  cudaError_t error = cudaMemsetAsync(workspace, 0, 2 * kRowsScratch * sizeof(int64_t), stream);
  const bool either = options.logits < 0;
  int64_t *outside = workspace + kRowsOutside, *second = workspace + kRowsScratch;
  auto* partial = reinterpret_cast<ProperSums*>(workspace + 2 * kRowsScratch);
  auto start = [&](Round round, int64_t* scratch) {
    const ProperRound given{round, scratch, outside, partial, sums.log_loss.real != nullptr};
    cudaError_t started = cudaSuccess;
    with_score_type(b.preds_type, [&](auto t) { started = launch_round<decltype(t)>(b, options, given, stream); });
    return started;
  };
  if (error == cudaSuccess) error = start(either ? Round::kFirst : Round::kOnly, workspace);
  if (error == cudaSuccess && either) error = start(Round::kSecond, second);
  if (error != cudaSuccess) return error;
  const int64_t labels = options.label.labels, width = options.multiclass ? 1 : lanes_of(b, options.label).width;
  return launch(proper_scores_add_kernel, dim3(static_cast<unsigned>(blocks_of(labels, 1))), 0, stream, b, sums,
                partial, partials_of(b, options) / (labels * width), labels, width, workspace, second,
                either ? outside : nullptr, faults);
}

}  // namespace fastmetrics
