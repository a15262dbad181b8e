// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "common/launch.cuh"
#include "passes/multiclass_cuda.h"
#include "passes/multiclass_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  // samples that a block should have for each of its cells in shared memory, which it adds to the state at the end
  static constexpr int kSamplesPerCell = 2;
  // classes up to which 8 lanes, and a warp, have a row
  static constexpr int kMostForLanes = 256;
  static constexpr int kMostForWarp = 4096;
};

// Cells in shared memory beside `other` bytes, and at most how many blocks then pay (0: any).
SharedCells shared_cells(const Card& card, const MulticlassBatch& b, const MulticlassStates& s, int64_t other,
                         int64_t* most_blocks) {
  SharedCells plan;
  *most_blocks = 0;
  if (b.samplewise) return plan;
  const int64_t samples = b.layout.samples(), c = b.classes;
  // two blocks a multiprocessor, each with a kilobyte for the system
  const int64_t bytes = std::min<int64_t>(card.shared_of_block, card.shared_of_multiprocessor / 2 - 1024) - other;
  auto pays = [&](int64_t cells) {
    return cells > 0 && (plan.of_replica() + cells) * 4 <= bytes &&
           samples >= cells * Tuning::kSamplesPerCell * std::max(1, card.multiprocessors / 2);
  };
  if (s.confusion != nullptr) {
    if (pays(c * c)) plan.pairs = static_cast<int>(c * c);
  } else if (s.counts != nullptr && pays(c * 3)) {
    plan.counts = static_cast<int>(c * 3);
  }
  if (s.ranks != nullptr && pays(c * s.k * 2)) plan.ranks = static_cast<int>(c * s.k * 2);
  if (s.rank_histogram != nullptr && pays(c)) plan.rank_histogram = static_cast<int>(c);
  if (plan.of_replica() == 0) return plan;
  const int64_t fit = bytes / (plan.of_replica() * int64_t{4});
  plan.replicas = static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(kThreads / kWarp, fit)));
  *most_blocks = samples / (int64_t{Tuning::kSamplesPerCell} * plan.of_replica());
  return plan;
}

struct Start {
  const Card& card;
  const MulticlassBatch& b;
  const MulticlassStates& s;
  cudaStream_t stream;

  // A kernel whose blocks take `per_block` of `work` items at a time and use `other` bytes of shared memory.
  template <typename Kernel>
  cudaError_t operator()(Kernel kernel, int64_t work, int64_t per_block, int64_t other = 0) const {
    int64_t most = 0;
    const SharedCells plan = shared_cells(card, b, s, other, &most);
    int blocks = blocks_for(card, work, per_block, Tuning::kBlocksPerMultiprocessor);
    if (most > 0) blocks = static_cast<int>(std::min<int64_t>(blocks, most));
    return launch(kernel, dim3(blocks), other + plan.bytes(), stream, b, s, plan);
  }
};

cudaError_t launch_labels(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t samples = layout.samples();
  const bool wide = layout.dims == 1 && layout.a_stride[0] == 1 && layout.b_stride[0] == 1 &&
                    b.preds_type == b.target_type && aligned_16(b.preds, 1) && aligned_16(b.target, 1);
  if (wide && b.preds_type == DType::kInt64) return start(labels_kernel<int64_t>, samples, kThreads * 4);
  if (wide && b.preds_type == DType::kInt32) return start(labels_kernel<int32_t>, samples, kThreads * 8);
  if (wide && b.preds_type == DType::kUInt8) return start(labels_kernel<uint8_t>, samples, kThreads * 32);
  return start(labels_strided_kernel, samples, kThreads * 2);
}

template <typename T, bool kRanks>
cudaError_t launch_scores(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t samples = layout.samples(), c = b.classes, size = sizeof(T);
  if (b.class_stride == 1 || c == 1) {
    if (layout.dims == 1 && layout.a_stride[0] == c && c * size <= kTileBytes && aligned_16(b.preds, 1)) {
      return start(tile_kernel<T, kRanks>, samples, kThreads, kThreads * c * size);
    }
    if (c <= Tuning::kMostForLanes) return start(rows_kernel<T, 8, kRanks>, samples, kThreads / 8);
    if (c <= Tuning::kMostForWarp) return start(rows_kernel<T, 32, kRanks>, samples, kThreads / 32);
    return start(rows_kernel<T, kThreads, kRanks>, samples, 1);
  }
  const int last = layout.dims - 1;
  constexpr int kN = kPerLoad<T>;
  bool wide = layout.a_stride[last] == 1 && layout.size[last] % kN == 0 && aligned_16(b.preds, size, b.class_stride);
  for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * size % 16 == 0;
  if (wide) return start(planes_kernel<T, kN, kRanks>, samples / kN, kThreads);
  return start(planes_kernel<T, 1, kRanks>, samples, kThreads);
}

}  // namespace

cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream) {
  if (b.layout.samples() == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const Start start{card, b, s, stream};
  if (!b.scores) return launch_labels(start);
  with_score_type(b.preds_type, [&](auto t) {
    using T = decltype(t);
    error = s.want_ranks() ? launch_scores<T, true>(start) : launch_scores<T, false>(start);
  });
  return error;
}

}  // namespace fastmetrics
