// SPDX-License-Identifier: Apache-2.0
//
// Which multiclass kernel counts scores whose classes are far apart, and how many blocks of it. The figures of Tuning
// were chosen from the sizes of current cards, not measured.

#include "passes/multiclass_launch.cuh"
#include "passes/multiclass_scores_kernels.cuh"

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
cudaError_t launch_planes(const Start& start) {
  const MulticlassBatch& b = start.b;
  const Layout& layout = b.layout;
  const int64_t samples = layout.samples(), size = sizeof(T);
  const int last = layout.dims - 1;
  constexpr int kN = kPerLoad<T>;
  constexpr Kept kOther = kKept == kRanked ? kRanked : kRest;
  bool wide = layout.a_stride[last] == 1 && layout.size[last] % kN == 0 && aligned_16(b.preds, size, b.class_stride);
  for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * size % 16 == 0;
  if (wide) return start(planes_kernel<T, kN, kKept, int64_t>, samples / kN, kThreads);
  return start(planes_kernel<T, 1, kOther, int64_t>, samples, kThreads);
}

}  // namespace

cudaError_t launch_multiclass_planes(const Card& card, const MulticlassBatch& b, const MulticlassStates& s,
                                     cudaStream_t stream) {
  const Start start{card, b, s, stream};
  const Kept kept = kept_of_scores(start, 0);
  return with_scores(b, [&](auto t) {
    using T = decltype(t);
    if (kept == kPairs) return launch_planes<T, kPairs>(start);
    return kept == kRest ? launch_planes<T, kRest>(start) : launch_planes<T, kRanked>(start);
  });
}

}  // namespace fastmetrics
