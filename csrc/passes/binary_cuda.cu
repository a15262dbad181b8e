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
cudaError_t launch_groups(const BinaryStart& start) {
  const int64_t units = start.b.groups * start.b.labels;
  auto blocks = [&](int of_block) { return blocks_for(start.card, units, of_block, Tuning::kBlocksPerMultiprocessor); };
  return start.b.per_sample >= Tuning::kFewestForWarp ? start(binary_groups_kernel<T, kWarp>, blocks(kThreads / kWarp))
                                                      : start(binary_groups_kernel<T, 1>, blocks(kThreads));
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
cudaError_t launch_totals(const BinaryStart& start) {
  const BinaryBatch& b = start.b;
  const Layout& layout = b.samples;
  const int64_t samples = layout.samples();
  // threads lie along the labels where those are the neighbours
  int columns = 1;
  if (b.a_label == 1 && b.labels > 1) {
    while (columns < b.labels && columns < kThreads) columns *= 2;
  }
  const int64_t chunks = (b.labels + columns - 1) / columns;
  auto start_for = [&](auto kernel, int64_t work) {
    const int64_t per_block = int64_t{kThreads} / columns * Tuning::kSamplesPerThread;
    const int most = static_cast<int>(std::max<int64_t>(1, Tuning::kBlocksPerMultiprocessor / chunks));
    return start(kernel, blocks_for(start.card, work, per_block, most) * chunks, columns, chunks);
  };
  if constexpr (!std::is_same<T, Label>::value) {
    constexpr int kN = kPerLoad<T>;
    const int last = layout.dims - 1;
    bool wide = columns == 1 && layout.a_stride[last] == 1 && layout.size[last] % kN == 0 &&
                aligned_16(b.preds, sizeof(T), b.a_label);
    for (int d = 0; d < last; ++d) wide = wide && layout.a_stride[d] * sizeof(T) % 16 == 0;
    if (wide) return start_for(binary_kernel<T, kN>, samples / kN);
  }
  return start_for(binary_kernel<T, 1>, samples);
}

template <typename T>
cudaError_t launch_any(const BinaryStart& start) {
  return start.b.groups > 1 ? launch_groups<T>(start) : launch_totals<T>(start);
}

cudaError_t launch_totals_of(const BinaryStart& start) {
  const BinaryBatch& b = start.b;
  switch (lines_of(b)) {
    case Lines::kLong:
      return launch_binary_wide(start);
    case Lines::kOfLabels:
      return launch_binary_labels(start);
    case Lines::kShort:
      return launch_binary_lines(start);
    case Lines::kNone:
      break;
  }
  if (!is_floating(b.preds_type)) return launch_any<Label>(start);
  cudaError_t error = cudaSuccess;
  with_score_type(b.preds_type, [&](auto t) { error = launch_any<decltype(t)>(start); });
  return error;
}

// Of the scratch, besides the totals, which must be 16-byte aligned: that of the turns, and whether scores lie outside.
constexpr int64_t kBesides = kTurnsScratch + 1;
static_assert(kBesides % 2 == 0, "16 bytes");

}  // namespace

ScratchSize binary_scratch(const BinaryBatch& b) { return {kBesides + b.groups * b.labels * kTotals}; }

cudaError_t launch_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults, const Scratch& scratch,
                          cudaStream_t stream) {
  if (b.samples.samples() == 0 || b.labels == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const int64_t units = b.groups * b.labels;
  Turns turns{};
  if (units > Tuning::kMostOfLastBlock) {
    turns = {false, 0, blocks_for(card, units, kThreads, Tuning::kBlocksPerMultiprocessor), scratch.zeros};
  }
  int64_t* const outside = scratch.zeros + kTurnsScratch;
  const BinaryTotals to{scratch.zeros + kBesides, outside, scratch.zeros, turns, counts, faults};
  return launch_totals_of({card, b, to, stream});
}

}  // namespace fastmetrics
