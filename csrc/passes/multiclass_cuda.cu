// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "passes/multiclass_cuda.h"
#include "passes/multiclass_launch.cuh"
#include "passes/multiclass_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kSamplesPerCell = 2;
  static constexpr int kReplicas = kThreads / kWarp;
  static constexpr int kReplicaBytes = 128 * 1024;
  // bytes of a row up to which two lanes have it, of many rows, and classes up to which a warp has
  static constexpr int kMostForLanes = 8192;
  static constexpr int kMostForWarp = 4096;
  // of a block, beside tiles
  static constexpr int kBytesForCells = 4096;
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

// Bytes that a block has for the tiles of short rows, of which two share a multiprocessor; 0 if the rows are others.
int64_t bytes_of_tiles(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t bytes = kTileBytesOfClass * b.classes;
  const bool dense = layout.dims == 1 && layout.a_stride[0] == b.classes && layout.b_stride[0] == 1;
  const bool fits = bytes + Tuning::kBytesForCells <= start.card.shared_of_multiprocessor / 2;
  return (b.class_stride == 1 || b.classes == 1) && dense && aligned_16(b.preds, 1) && fits ? bytes : 0;
}

template <typename T, Kept kKept>
cudaError_t launch_tiles(const Start& start, int64_t bytes) {
  const int64_t samples = start.b.layout.samples(), per_block = int64_t{kThreads} * kRowsOfLane<T>;
  return start.b.classes % kPair<T> == 0 ? start(tile_kernel<T, kPair<T>, kKept>, samples, per_block, bytes)
                                         : start(tile_kernel<T, 1, kKept>, samples, per_block, bytes);
}

template <typename T, Kept kKept>
cudaError_t launch_rows(const Start& start) {
  constexpr Kept kOther = kKept == kRanked ? kRanked : kRest;
  const int64_t samples = start.b.layout.samples(), c = start.b.classes;
  if (c * int64_t{sizeof(T)} <= Tuning::kMostForLanes &&
      samples * 2 >= int64_t{kThreads} * start.card.multiprocessors) {
    return start(rows_kernel<T, 2, kKept, int64_t>, samples, kThreads / 2);
  }
  if (c <= Tuning::kMostForWarp) return start(rows_kernel<T, kWarp, kOther, int64_t>, samples, kThreads / kWarp);
  return start(rows_kernel<T, kThreads, kOther, int64_t>, samples, 1);
}

template <typename T, Kept kKept>
cudaError_t launch_planes(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t samples = layout.samples(), size = sizeof(T);
  const int last = layout.dims - 1;
  constexpr int kN = kPerLoad<T>;
  bool wide = layout.a_stride[last] == 1 && layout.size[last] % kN == 0 && aligned_16(b.preds, size, b.class_stride);
  for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * size % 16 == 0;
  if (wide) return start(planes_kernel<T, kN, kKept, int64_t>, samples / kN, kThreads);
  return start(planes_kernel < T, 1, kKept == kRanked ? kRanked : kRest, int64_t >, samples, kThreads);
}

template <typename T, Kept kKept>
cudaError_t launch_scores(const Start& start) {
  return start.b.class_stride == 1 || start.b.classes == 1 ? launch_rows<T, kKept>(start)
                                                           : launch_planes<T, kKept>(start);
}

template <typename T>
cudaError_t launch_scores(const Start& start) {
  const int64_t tiles = bytes_of_tiles(start);
  const Kept kept = kept_of_scores(start, tiles);
  // the ranks of tiles cost little where nobody asks for them
  if (tiles > 0) return kept == kPairs ? launch_tiles<T, kPairs>(start, tiles) : launch_tiles<T, kRanked>(start, tiles);
  if (kept == kPairs) return launch_scores<T, kPairs>(start);
  return kept == kRest ? launch_scores<T, kRest>(start) : launch_scores<T, kRanked>(start);
}

}  // namespace

cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream) {
  return start_multiclass<Tuning>(b, s, stream, launch_labels,
                                  [](const Start& start, auto t) { return launch_scores<decltype(t)>(start); });
}

}  // namespace fastmetrics
