// SPDX-License-Identifier: Apache-2.0
//
// Which binary kernel runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "passes/binary_cuda.h"

#include <type_traits>

#include "passes/binary_kernels.cuh"
#include "passes/binary_launch.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  // elements of a line from which a block has it, and some lanes
  static constexpr int kFewestForBlock = 2048;
  static constexpr int kFewestForLanes = 8;
  // elements of one index and label from which a warp has them
  static constexpr int kFewestForWarp = 32;
  // samples that a thread should see before its counters are added to those of the card
  static constexpr int kSamplesPerThread = 16;
  // labels, of all indices that are apart, up to which the last block adds the totals to the state
  static constexpr int64_t kMostOfLastBlock = 1024;
};

template <typename T>
cudaError_t launch_groups(const Card& card, const BinaryBatch& b, const BinaryTotals& to, cudaStream_t stream) {
  const int64_t units = b.groups * b.labels;
  if (b.per_sample >= Tuning::kFewestForWarp) {
    const dim3 blocks(blocks_for(card, units, kThreads / kWarp, Tuning::kBlocksPerMultiprocessor));
    return launch(binary_groups_kernel<T, kWarp>, blocks, 0, stream, b, to);
  }
  const dim3 blocks(blocks_for(card, units, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_groups_kernel<T, 1>, blocks, 0, stream, b, to);
}

// How a batch lies whose scores are neighbours, as are their targets, without a mask.
enum class Lines { kNone, kLong, kOfLabels, kShort };

Lines lines_of(const BinaryBatch& b) {
  const Layout& layout = b.samples;
  const int64_t of_preds = size_of(b.preds_type), of_target = size_of(b.target_type);
  if (!is_floating(b.preds_type) || of_target == 2 || b.valid != nullptr ||
      (b.has_ignore && (b.ignore == 0 || b.ignore == 1))) {
    return Lines::kNone;
  }
  const bool aligned = aligned_16(b.preds, 1) && aligned_16(b.target, 1);
  if (layout.dims == 1 && b.groups == 1) {
    if (!aligned || layout.a_stride[0] != b.labels || layout.b_stride[0] != b.labels) return Lines::kNone;
    if (b.labels == 1) return Lines::kLong;
    return b.a_label == 1 && b.b_label == 1 && b.labels <= kMostLabels ? Lines::kOfLabels : Lines::kNone;
  }
  if (layout.dims != 2 || layout.a_stride[1] != 1 || layout.b_stride[1] != 1) return Lines::kNone;
  const int64_t length = layout.size[1];
  if (aligned && length >= Tuning::kFewestForBlock && aligned_16(b.preds, of_preds, layout.a_stride[0], b.a_label) &&
      aligned_16(b.target, of_target, layout.b_stride[0], b.b_label)) {
    return Lines::kLong;
  }
  const bool countable = length < 1 << 16 && b.groups * b.labels < int64_t{1} << 32;  // as the kernel needs
  return b.groups > 1 && countable && length >= Tuning::kFewestForLanes ? Lines::kShort : Lines::kNone;
}

template <typename T>
cudaError_t launch_totals(const Card& card, const BinaryBatch& b, const BinaryTotals& to, cudaStream_t stream) {
  const Layout& layout = b.samples;
  const int64_t samples = layout.samples();
  // threads lie along the labels where those are the neighbours
  int columns = 1;
  if (b.a_label == 1 && b.labels > 1) {
    while (columns < b.labels && columns < kThreads) columns *= 2;
  }
  const int64_t chunks = (b.labels + columns - 1) / columns;
  auto start = [&](auto kernel, int64_t work) {
    const int64_t per_block = int64_t{kThreads} / columns * Tuning::kSamplesPerThread;
    const int most = static_cast<int>(std::max<int64_t>(1, Tuning::kBlocksPerMultiprocessor / chunks));
    const int64_t blocks = blocks_for(card, work, per_block, most) * chunks;
    return launch(kernel, dim3(static_cast<unsigned>(blocks)), 0, stream, b, columns, chunks, to);
  };
  if constexpr (!std::is_same<T, Label>::value) {
    constexpr int kN = kPerLoad<T>;
    const int last = layout.dims - 1;
    bool wide = columns == 1 && layout.a_stride[last] == 1 && layout.size[last] % kN == 0 &&
                aligned_16(b.preds, sizeof(T), b.a_label);
    for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * sizeof(T) % 16 == 0;
    if (wide) return start(binary_kernel<T, kN>, samples / kN);
  }
  return start(binary_kernel<T, 1>, samples);
}

template <typename T>
cudaError_t launch_any(const Card& card, const BinaryBatch& b, const BinaryTotals& to, cudaStream_t stream) {
  return b.groups > 1 ? launch_groups<T>(card, b, to, stream) : launch_totals<T>(card, b, to, stream);
}

cudaError_t launch_totals_of(const Card& card, const BinaryBatch& b, const BinaryTotals& to, cudaStream_t stream) {
  switch (lines_of(b)) {
    case Lines::kLong:
      return launch_binary_wide({card, b, to, stream});
    case Lines::kOfLabels:
      return launch_binary_labels({card, b, to, stream});
    case Lines::kShort:
      return launch_binary_lines({card, b, to, stream});
    case Lines::kNone:
      break;
  }
  if (!is_floating(b.preds_type)) return launch_any<Label>(card, b, to, stream);
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) { error = launch_any<decltype(t)>(card, b, to, stream); });
  return error;
}

// Of the scratch, besides the totals, which must be 16-byte aligned.
constexpr int64_t kBesides = 2;

bool is_one_launch(const BinaryBatch& b) { return b.groups * b.labels <= Tuning::kMostOfLastBlock; }

}  // namespace

ScratchSize binary_scratch(const BinaryBatch& b) {
  const int64_t totals = b.groups * b.labels * kTotals;
  return {kBesides + totals, 0, is_one_launch(b)};
}

cudaError_t launch_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults, const Scratch& scratch,
                          cudaStream_t stream) {
  if (b.samples.samples() == 0 || b.labels == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  int64_t *outside = scratch.zeros, *ticket = is_one_launch(b) ? scratch.zeros + 1 : nullptr;
  const BinaryTotals to{scratch.zeros + kBesides, outside, ticket, counts, faults};
  error = launch_totals_of(card, b, to, stream);
  if (error != cudaSuccess || is_one_launch(b)) return error;
  const dim3 blocks(blocks_for(card, b.groups * b.labels, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_choose_kernel, blocks, 0, stream, b, to);
}

}  // namespace fastmetrics
