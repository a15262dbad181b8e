// SPDX-License-Identifier: Apache-2.0
//
// How the binary kernels for short lines are started. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "passes/binary_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 4;
  // lanes that have a line together: of many lines, and of fewer, with which those would leave the card idle
  static constexpr int kLanes = 4;
  static constexpr int kLanesOfFew = 32;
  // threads of a multiprocessor from which lines are many
  static constexpr int kThreadsOfMany = 2 * kThreads;
};

template <int kLanes, bool kIgnores, typename T, typename I>
cudaError_t launch_lines(const BinaryStart& start, const Cutoffs<T, I>& than) {
  const int64_t lines = start.b.groups * start.b.labels;
  const int blocks = blocks_for(start.card, lines, kThreads / kLanes, Tuning::kBlocksPerMultiprocessor);
  return start(binary_lines_kernel<T, I, kIgnores, kLanes>, blocks, than);
}

}  // namespace

cudaError_t launch_binary_lines(const BinaryStart& start) {
  const int64_t threads = start.b.groups * start.b.labels * Tuning::kLanes;
  const bool many = threads >= int64_t{start.card.multiprocessors} * Tuning::kThreadsOfMany;
  return with_neighbours(start.b, [&](const auto& than, auto ignores) {
    constexpr bool kIgnores = decltype(ignores)::value;
    return many ? launch_lines<Tuning::kLanes, kIgnores>(start, than)
                : launch_lines<Tuning::kLanesOfFew, kIgnores>(start, than);
  });
}

}  // namespace fastmetrics
