// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

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
  // classes up to which 8 lanes, and a warp, have a row
  static constexpr int kMostForLanes = 256;
  static constexpr int kMostForWarp = 4096;
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
  return launch_wide<T, kDiagonal>(start);
}

// What a block keeps of labels.
Kept kept_of(const Start& start) {
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

template <typename T, bool kRanks>
cudaError_t launch_scores(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t samples = layout.samples(), c = b.classes, size = sizeof(T);
  if (b.class_stride == 1 || c == 1) {
    if (layout.dims == 1 && layout.a_stride[0] == c && c * size <= kTileBytes && aligned_16(b.preds, 1)) {
      return start(tile_kernel<T, kRanks>, samples, kThreads, kThreads * c * size);
    }
    if (c <= Tuning::kMostForLanes) return start(rows_kernel<T, 8, kRanks, int64_t>, samples, kThreads / 8);
    if (c <= Tuning::kMostForWarp) return start(rows_kernel<T, 32, kRanks, int64_t>, samples, kThreads / 32);
    return start(rows_kernel<T, kThreads, kRanks, int64_t>, samples, 1);
  }
  const int last = layout.dims - 1;
  constexpr int kN = kPerLoad<T>;
  bool wide = layout.a_stride[last] == 1 && layout.size[last] % kN == 0 && aligned_16(b.preds, size, b.class_stride);
  for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * size % 16 == 0;
  if (wide) return start(planes_kernel<T, kN, kRanks, int64_t>, samples / kN, kThreads);
  return start(planes_kernel<T, 1, kRanks, int64_t>, samples, kThreads);
}

}  // namespace

cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream) {
  return start_multiclass<Tuning>(b, s, stream, launch_labels, [](const Start& start, auto t, auto ranks) {
    return launch_scores<decltype(t), decltype(ranks)::value>(start);
  });
}

}  // namespace fastmetrics
