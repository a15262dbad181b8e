// SPDX-License-Identifier: Apache-2.0
//
// How the binary kernels for short lines are started. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "passes/binary_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 4;
  // lanes that have a line together
  static constexpr int kLanes = 8;
};

template <bool kIgnores, typename T, typename I>
cudaError_t launch_lines(const BinaryStart& start, const Cutoffs<T, I>& than) {
  const BinaryBatch& b = start.b;
  const int blocks =
      blocks_for(start.card, b.groups * b.labels, kThreads / Tuning::kLanes, Tuning::kBlocksPerMultiprocessor);
  return launch(binary_lines_kernel<T, I, kIgnores, Tuning::kLanes>, dim3(static_cast<unsigned>(blocks)), 0,
                start.stream, b, than, start.to);
}

}  // namespace

cudaError_t launch_binary_lines(const BinaryStart& start) {
  return with_neighbours(
      start.b, [&](const auto& than, auto ignores) { return launch_lines<decltype(ignores)::value>(start, than); });
}

}  // namespace fastmetrics
