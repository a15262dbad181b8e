// SPDX-License-Identifier: Apache-2.0
//
// Which binary kernel runs, and how many blocks of it. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include <numeric>
#include <type_traits>

#include "common/launch.cuh"
#include "passes/binary_cuda.h"
#include "passes/binary_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int kBlocksPerMultiprocessor = 8;
  static constexpr int kBlocksOfLines = 4;
  // elements of a line from which a block has it, and the lanes that have a shorter one
  static constexpr int kFewestForBlock = 2048;
  static constexpr int kLanesOfLine = 8;
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

// How a batch lies whose elements are neighbours, without a mask.
enum class Lines { kNone, kWhole, kOfLabels, kLong, kShort };

template <typename T>
Lines lines_of(const BinaryBatch& b) {
  const Layout& layout = b.samples;
  if (b.valid != nullptr || (b.has_ignore && (b.ignore == 0 || b.ignore == 1))) return Lines::kNone;
  const int64_t of_target = size_of(b.target_type);
  const bool aligned = aligned_16(b.preds, 1) && aligned_16(b.target, 1);
  if (layout.dims == 1 && b.groups == 1) {
    if (!aligned || layout.a_stride[0] != b.labels || layout.b_stride[0] != b.labels) return Lines::kNone;
    if (b.labels == 1) return Lines::kWhole;
    return b.a_label == 1 && b.b_label == 1 && b.labels <= kMostLabels ? Lines::kOfLabels : Lines::kNone;
  }
  if (layout.dims != 2 || layout.a_stride[1] != 1 || layout.b_stride[1] != 1) return Lines::kNone;
  const int64_t length = layout.size[1];
  if (aligned && length >= Tuning::kFewestForBlock && aligned_16(b.preds, sizeof(T), layout.a_stride[0], b.a_label) &&
      aligned_16(b.target, of_target, layout.b_stride[0], b.b_label)) {
    return Lines::kLong;
  }
  const bool countable = length < 1 << 16 && b.groups * b.labels < int64_t{1} << 32;  // as the kernel needs
  return b.groups > 1 && countable && length >= Tuning::kLanesOfLine ? Lines::kShort : Lines::kNone;
}

// Lines of targets of the size of I.
template <typename T, typename I, bool kIgnores>
cudaError_t launch_lines(const Card& card, const BinaryBatch& b, Lines lines, const BinaryTotals& to,
                         cudaStream_t stream) {
  constexpr int kN = kPerLoad<T>;
  const Cutoffs<T, I> than{static_cast<WidenedTo<T>>(b.probability), static_cast<WidenedTo<T>>(b.logit),
                           static_cast<I>(b.ignore)};
  if (lines == Lines::kShort) {
    const int blocks = blocks_for(card, b.groups * b.labels, kThreads / Tuning::kLanesOfLine, Tuning::kBlocksOfLines);
    return launch(binary_lines_kernel<T, I, kIgnores, Tuning::kLanesOfLine>, dim3(static_cast<unsigned>(blocks)), 0,
                  stream, b, than, to);
  }
  const int64_t count = lines == Lines::kLong ? b.samples.size[0] * b.labels : 1;
  const int64_t length = lines == Lines::kLong       ? b.samples.size[1]
                         : lines == Lines::kOfLabels ? b.samples.size[0] * b.labels
                                                     : b.samples.size[0];
  const int64_t per_block = int64_t{kThreads} * std::max(2 * kN, Tuning::kSamplesPerThread);
  // a thread of the kernel has fewer than 2^16 packs
  const int64_t fewest = lines == Lines::kOfLabels ? length / kN / (int64_t{kThreads} << 15) + 1 : 1;
  const int64_t of_card = blocks_for(card, count * length, per_block, Tuning::kBlocksOfLines);
  const int64_t chunks = std::max(fewest, (of_card + count - 1) / count), threads = chunks * kThreads;
  const dim3 blocks(static_cast<unsigned>(chunks * count));
  if (lines != Lines::kOfLabels) {
    return launch(binary_wide_kernel<T, I, kIgnores, 1>, blocks, 0, stream, b, than, length, static_cast<int>(chunks),
                  threads, to);
  }
  // each of a thread's neighbours has the same label again
  const int64_t round = b.labels / std::gcd(b.labels, int64_t{kN}), step = threads / round * round;
  return launch(binary_wide_kernel<T, I, kIgnores, kN>, blocks, 0, stream, b, than, length, static_cast<int>(chunks),
                step, to);
}

template <typename T, typename I>
cudaError_t launch_lines(const Card& card, const BinaryBatch& b, Lines lines, const BinaryTotals& to,
                         cudaStream_t stream) {
  const I ignore = static_cast<I>(b.ignore);
  const bool ignores = b.has_ignore && label_at(&ignore, b.target_type, 0) == b.ignore;  // else no target is it
  return ignores ? launch_lines<T, I, true>(card, b, lines, to, stream)
                 : launch_lines<T, I, false>(card, b, lines, to, stream);
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
cudaError_t launch_type(const Card& card, const BinaryBatch& b, const BinaryTotals& to, cudaStream_t stream) {
  if constexpr (!std::is_same<T, Label>::value) {
    const Lines lines = lines_of<T>(b);
    if (lines != Lines::kNone) {
      const int64_t size = size_of(b.target_type);
      if (size == 8) return launch_lines<T, int64_t>(card, b, lines, to, stream);
      if (size == 4) return launch_lines<T, int32_t>(card, b, lines, to, stream);
      if (size == 1) return launch_lines<T, uint8_t>(card, b, lines, to, stream);
    }
  }
  return b.groups > 1 ? launch_groups<T>(card, b, to, stream) : launch_totals<T>(card, b, to, stream);
}

// Of the scratch, besides the totals.
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
  if (is_floating(b.preds_type)) {
    with_score_type(b.preds_type, [&](auto t) { error = launch_type<decltype(t)>(card, b, to, stream); });
  } else {
    error = launch_type<Label>(card, b, to, stream);
  }
  if (error != cudaSuccess || is_one_launch(b)) return error;
  const dim3 blocks(blocks_for(card, b.groups * b.labels, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_choose_kernel, blocks, 0, stream, b, to);
}

}  // namespace fastmetrics
