// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel counts labels, and how many blocks of it; which source has those for scores. The figures of
// Tuning were chosen from the sizes of current cards, not measured.

#include "passes/multiclass_cuda.h"

#include "passes/multiclass_kernels.cuh"
#include "passes/multiclass_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kSamplesPerCell = 2;
  static constexpr int kReplicas = kThreads / kWarp;
  static constexpr int kReplicaBytes = 128 * 1024;
};

using Start = MulticlassStart<Tuning, int64_t>;

template <typename T, Kept kKept>
cudaError_t launch_wide(const Start& start) {
  const int64_t samples = start.b.layout.samples(), per_block = int64_t{kThreads} * 2 * kPerLoad<T>;
  return start.b.valid == nullptr ? start(labels_kernel<T, kKept, false>, samples, per_block)
                                  : start(labels_kernel<T, kKept, true>, samples, per_block);
}

template <typename T>
cudaError_t launch_wide(const Start& start, Kept kept) {
  if (kept == kPairs) return launch_wide<T, kPairs>(start);
  if (kept == kCounts) return launch_wide<T, kCounts>(start);
  if (kept == kTotals) return launch_wide<T, kTotals>(start);
  return launch_wide<T, kDiagonal>(start);
}

// What a block keeps of labels.
Kept kept_of(const Start& start) {
  if (start.s.totals != nullptr) return kTotals;
  int64_t most = 0;
  const SharedCells plan = shared_cells<Tuning>(start.card, start.b, start.s, 0, &most);
  if (plan.pairs > 0) return kPairs;
  if (plan.diagonal == 0 || (start.s.counts != nullptr && plan.margins == 0)) return kRest;
  return start.s.confusion == nullptr ? kCounts : kDiagonal;
}

cudaError_t launch_labels(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const Kept kept = kept_of(start);
  bool wide = layout.dims == 1 && layout.a_stride[0] == 1 && layout.b_stride[0] == 1 && kept != kRest &&
              b.preds_type == b.target_type && aligned_16(b.preds, 1) && aligned_16(b.target, 1);
  if (b.valid != nullptr) wide = wide && layout.c_stride[0] == 1 && aligned_16(b.valid, 1);
  if (wide && b.preds_type == DType::kInt64) return launch_wide<int64_t>(start, kept);
  if (wide && b.preds_type == DType::kInt32) return launch_wide<int32_t>(start, kept);
  if (wide && b.preds_type == DType::kUInt8) return launch_wide<uint8_t>(start, kept);
  return start(labels_strided_kernel<int64_t>, layout.samples(), kThreads * 2);
}

}  // namespace

cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream) {
  if (b.layout.samples() == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  if (!b.scores) return launch_labels({card, b, s, stream});
  if (multiclass_fits_tiles(card, b)) return launch_multiclass_tiles(card, b, s, stream);
  return b.class_stride == 1 || b.classes == 1 ? launch_multiclass_score_rows(card, b, s, stream)
                                               : launch_multiclass_planes(card, b, s, stream);
}

}  // namespace fastmetrics
