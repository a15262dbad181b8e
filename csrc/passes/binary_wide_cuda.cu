// SPDX-License-Identifier: Apache-2.0
//
// How the binary kernels for long lines of one label are started. The figures of Tuning were chosen from the sizes of
// current cards, not measured.

#include "passes/binary_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 4;
  // samples that a thread should see before its counters are added to those of the card
  static constexpr int kSamplesPerThread = 16;
};

template <bool kIgnores, typename T, typename I>
cudaError_t launch_wide(const BinaryStart& start, const Cutoffs<T, I>& than) {
  const Layout& layout = start.b.samples;
  const int64_t lines = layout.dims == 1 ? 1 : layout.size[0] * start.b.labels, length = layout.size[layout.dims - 1];
  const int64_t per_block = int64_t{kThreads} * std::max(2 * kPerLoad<T>, Tuning::kSamplesPerThread);
  const int64_t of_card = blocks_for(start.card, lines * length, per_block, Tuning::kBlocksPerMultiprocessor);
  const int64_t chunks = (of_card + lines - 1) / lines;
  return start(binary_wide_kernel<T, I, kIgnores, 1>, chunks * lines, than, length, static_cast<int>(chunks),
               chunks * kThreads);
}

}  // namespace

cudaError_t launch_binary_wide(const BinaryStart& start) {
  return with_neighbours(
      start.b, [&](const auto& than, auto ignores) { return launch_wide<decltype(ignores)::value>(start, than); });
}

}  // namespace fastmetrics
