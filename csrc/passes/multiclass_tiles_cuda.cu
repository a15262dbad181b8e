// SPDX-License-Identifier: Apache-2.0
//
// How the multiclass kernels for short rows of scores are started. The figures of Tuning were chosen from the sizes of
// current cards, not measured.

#include "passes/multiclass_launch.cuh"
#include "passes/multiclass_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kSamplesPerCell = 2;
  static constexpr int kReplicas = kThreads / kWarp;
  static constexpr int kReplicaBytes = 128 * 1024;
  // of a block, beside tiles
  static constexpr int kBytesForCells = 4096;
};

using Start = MulticlassStart<Tuning, int64_t>;

int64_t bytes_of_tiles(const MulticlassBatch& b) { return kTileBytesOfClass * b.classes; }

template <typename T, Kept kKept>
cudaError_t launch_tiles(const Start& start) {
  const int64_t samples = start.b.layout.samples(), per_block = int64_t{kThreads} * kRowsOfLane<T>;
  const int64_t bytes = bytes_of_tiles(start.b);
  return start.b.classes % kPair<T> == 0 ? start(tile_kernel<T, kPair<T>, kKept>, samples, per_block, bytes)
                                         : start(tile_kernel<T, 1, kKept>, samples, per_block, bytes);
}

}  // namespace

bool multiclass_fits_tiles(const Card& card, const MulticlassBatch& b) {
  const Layout& layout = b.layout;
  const bool dense = layout.dims == 1 && layout.a_stride[0] == b.classes && layout.b_stride[0] == 1;
  // two blocks share a multiprocessor
  const bool fits = bytes_of_tiles(b) + Tuning::kBytesForCells <= card.shared_of_multiprocessor / 2;
  return (b.class_stride == 1 || b.classes == 1) && dense && aligned_16(b.preds, 1) && fits;
}

cudaError_t launch_multiclass_tiles(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                    cudaStream_t stream) {
  const Start start{card, b, s, stream};
  return with_scores(b, [&](auto t) {
    using T = decltype(t);
    // the ranks of tiles cost little where nobody asks for them
    return kept_of_scores(start, bytes_of_tiles(b)) == kPairs ? launch_tiles<T, kPairs>(start)
                                                              : launch_tiles<T, kRanked>(start);
  });
}

}  // namespace fastmetrics
