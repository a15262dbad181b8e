// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel counts longer rows of scores, and how many blocks of it. The figures of Tuning were chosen
// from the sizes of current cards, not measured.

#include "passes/multiclass_launch.cuh"
#include "passes/multiclass_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kSamplesPerCell = 2;
  static constexpr int kReplicas = kThreads / kWarp;
  static constexpr int kReplicaBytes = 128 * 1024;
  // bytes of a row up to which two lanes have it, of many rows, and classes up to which a warp has, or a part of one
  static constexpr int kMostForLanes = 8192;
  static constexpr int kMostForWarp = 4096;
  // lanes of a row where those would leave the card idle, and how many threads of a multiprocessor must have work then
  static constexpr int kLanesOfFew = 16;
  static constexpr int kThreadsOfFew = 2 * kThreads;
};

using Start = MulticlassStart<Tuning, int64_t>;

template <typename T, Kept kKept>
cudaError_t launch_rows(const Start& start) {
  constexpr Kept kOther = kKept == kRanked ? kRanked : kRest;
  const int64_t samples = start.b.layout.samples(), c = start.b.classes;
  if (c * int64_t{sizeof(T)} <= Tuning::kMostForLanes &&
      samples * 2 >= int64_t{kThreads} * start.card.multiprocessors) {
    return start(rows_kernel<T, 2, kKept, int64_t>, samples, kThreads / 2);
  }
  if (c <= Tuning::kMostForWarp &&
      samples * Tuning::kLanesOfFew >= int64_t{Tuning::kThreadsOfFew} * start.card.multiprocessors) {
    return start(rows_kernel<T, Tuning::kLanesOfFew, kOther, int64_t>, samples, kThreads / Tuning::kLanesOfFew);
  }
  if (c <= Tuning::kMostForWarp) return start(rows_kernel<T, kWarp, kOther, int64_t>, samples, kThreads / kWarp);
  return start(rows_kernel<T, kThreads, kOther, int64_t>, samples, 1);
}

}  // namespace

cudaError_t launch_multiclass_score_rows(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                         cudaStream_t stream) {
  const Start start{card, b, s, stream};
  const Kept kept = kept_of_scores(start, 0);
  return with_scores(b, [&](auto t) {
    using T = decltype(t);
    if (kept == kPairs) return launch_rows<T, kPairs>(start);
    return kept == kRest ? launch_rows<T, kRest>(start) : launch_rows<T, kRanked>(start);
  });
}

}  // namespace fastmetrics
