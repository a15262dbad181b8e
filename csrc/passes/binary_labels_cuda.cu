// SPDX-License-Identifier: Apache-2.0
//
// How the binary kernels for samples whose labels are neighbours are started. The figures of Tuning were chosen from
// the sizes of current cards, not measured.

#include <numeric>

#include "passes/binary_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 4;
  // elements that a thread should see before its counters are added to those of the card
  static constexpr int kElementsPerThread = 16;
};

template <bool kIgnores, typename T, typename I>
cudaError_t launch_labels(const BinaryStart& start, const Cutoffs<T, I>& than) {
  constexpr int kN = kPerLoad<T>;
  const int64_t labels = start.b.labels, length = start.b.samples.size[0] * labels;
  const int64_t per_block = int64_t{kThreads} * std::max(2 * kN, Tuning::kElementsPerThread);
  // a thread of the kernel has fewer than 2^16 packs
  const int64_t fewest = length / kN / (int64_t{kThreads} << 15) + 1;
  const int64_t of_card = blocks_for(start.card, length, per_block, Tuning::kBlocksPerMultiprocessor);
  const int64_t blocks = std::max(fewest, of_card), threads = blocks * kThreads;
  // each of a thread's neighbours has the same label again
  const int64_t round = labels / std::gcd(labels, int64_t{kN}), step = threads / round * round;
  return start(binary_wide_kernel<T, I, kIgnores, kN>, blocks, than, length, static_cast<int>(blocks), step);
}

}  // namespace

cudaError_t launch_binary_labels(const BinaryStart& start) {
  return with_neighbours(
      start.b, [&](const auto& than, auto ignores) { return launch_labels<decltype(ignores)::value>(start, than); });
}

}  // namespace fastmetrics
