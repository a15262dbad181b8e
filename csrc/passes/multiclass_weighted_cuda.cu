// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel adds weights, and how many blocks of it. Those that take any layout do, so that there are few
// to compile. The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "passes/multiclass_cuda.h"
#include "passes/multiclass_kernels.cuh"
#include "passes/multiclass_launch.cuh"
#include "passes/multiclass_scores_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kSamplesPerCell = 2;
  static constexpr int kReplicas = kWarp;
  static constexpr int kReplicaBytes = 24 * 1024;
  // bytes of a row that one thread walks: what a warp has of such rows stays in the first cache until it is read
  static constexpr int kMostForThread = 128;
  // bytes of a row up to which two lanes have it, of many rows
  static constexpr int kMostForLanes = 8192;
};

using Start = MulticlassStart<Tuning, double>;

template <typename T, Kept kKept>
cudaError_t launch_scores(const Start& start) {
  const int64_t samples = start.b.layout.samples(), c = start.b.classes;
  if (start.b.class_stride != 1 || c * int64_t{sizeof(T)} <= Tuning::kMostForThread) {
    return start(planes_kernel<T, 1, kKept, double>, samples, kThreads);
  }
  if (c * int64_t{sizeof(T)} <= Tuning::kMostForLanes &&
      samples * 2 >= int64_t{kThreads} * start.card.multiprocessors) {
    return start(rows_kernel<T, 2, kKept, double>, samples, kThreads / 2);
  }
  return start(rows_kernel<T, 32, kKept, double>, samples, kThreads / 32);
}

}  // namespace

cudaError_t launch_multiclass_weighted(const MulticlassBatch& b, const MulticlassCells<double>& s,
                                       cudaStream_t stream) {
  if (b.layout.samples() == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const Start start{card, b, s, stream};
  if (!b.scores) return start(labels_strided_kernel<double>, b.layout.samples(), kThreads * 2);
  return with_scores(b, [&](auto t) {
    using T = decltype(t);
    return s.want_ranks() ? launch_scores<T, kRanked>(start) : launch_scores<T, kRest>(start);
  });
}

}  // namespace fastmetrics
