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
  static constexpr int kBlocksOfNeighbours = 4;
  // elements of one index and label from which a warp has them
  static constexpr int kFewestForWarp = 32;
  // samples that a thread should see before its counters are added to those of the card
  static constexpr int kSamplesPerThread = 16;
};

template <typename T>
cudaError_t launch_groups(const Card& card, const BinaryBatch& b, int64_t* totals, int64_t* outside, int64_t* faults,
                          cudaStream_t stream) {
  const int64_t units = b.groups * b.labels;
  if (b.per_sample >= Tuning::kFewestForWarp) {
    const dim3 blocks(blocks_for(card, units, kThreads / kWarp, Tuning::kBlocksPerMultiprocessor));
    return launch(binary_groups_kernel<T, kWarp>, blocks, 0, stream, b, totals, outside, faults);
  }
  const dim3 blocks(blocks_for(card, units, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_groups_kernel<T, 1>, blocks, 0, stream, b, totals, outside, faults);
}

// Neighbours whose targets are I.
template <typename T, typename I>
cudaError_t launch_wide(const Card& card, const BinaryBatch& b, int64_t* totals, int64_t* outside, int64_t* faults,
                        cudaStream_t stream) {
  constexpr int kN = kPerLoad<T>;
  const int64_t per_block = int64_t{kThreads} * std::max(2 * kN, Tuning::kSamplesPerThread);
  constexpr int64_t kMostPacks = int64_t{kThreads} << 15;  // of a block, as the kernel needs
  const int64_t elements = b.samples.size[0] * b.labels;
  const int64_t blocks = std::max<int64_t>(blocks_for(card, elements, per_block, Tuning::kBlocksOfNeighbours),
                                           elements / kN / kMostPacks + 1);
  // each of a thread's neighbours has the same label again
  const int64_t threads = blocks * kThreads, round = b.labels / std::gcd(b.labels, int64_t{kN});
  const auto of_one = b.has_ignore ? binary_wide_kernel<T, I, true, 1> : binary_wide_kernel<T, I, false, 1>;
  const auto of_many = b.has_ignore ? binary_wide_kernel<T, I, true, kN> : binary_wide_kernel<T, I, false, kN>;
  const auto probability = static_cast<WidenedTo<T>>(b.probability), logit = static_cast<WidenedTo<T>>(b.logit);
  return launch(b.labels == 1 ? of_one : of_many, dim3(static_cast<unsigned>(blocks)), 0, stream, b, probability, logit,
                threads / round * round, totals, outside, faults);
}

// Whether elements are neighbours, and those of all labels of a sample, without a mask or an ignored 0 or 1.
bool neighbours(const BinaryBatch& b) {
  const Layout& layout = b.samples;
  const bool labels = b.labels == 1 || (b.a_label == 1 && b.b_label == 1 && b.labels <= kMostLabels);
  return labels && layout.dims == 1 && layout.a_stride[0] == b.labels && layout.b_stride[0] == b.labels &&
         b.valid == nullptr && aligned_16(b.preds, 1) && aligned_16(b.target, 1) &&
         !(b.has_ignore && (b.ignore == 0 || b.ignore == 1));
}

template <typename T>
cudaError_t launch_totals(const Card& card, const BinaryBatch& b, int64_t* totals, int64_t* outside, int64_t* faults,
                          cudaStream_t stream) {
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
    return launch(kernel, dim3(static_cast<unsigned>(blocks)), 0, stream, b, columns, chunks, totals, outside, faults);
  };
  if constexpr (!std::is_same<T, Label>::value) {
    if (neighbours(b)) {
      if (b.target_type == DType::kInt64) return launch_wide<T, int64_t>(card, b, totals, outside, faults, stream);
      if (b.target_type == DType::kInt32) return launch_wide<T, int32_t>(card, b, totals, outside, faults, stream);
      if (size_of(b.target_type) == 1) {
        return b.target_type == DType::kInt8 ? launch_wide<T, int8_t>(card, b, totals, outside, faults, stream)
                                             : launch_wide<T, uint8_t>(card, b, totals, outside, faults, stream);
      }
    }
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
cudaError_t launch_type(const Card& card, const BinaryBatch& b, int64_t* totals, int64_t* outside, int64_t* faults,
                        cudaStream_t stream) {
  return b.groups > 1 ? launch_groups<T>(card, b, totals, outside, faults, stream)
                      : launch_totals<T>(card, b, totals, outside, faults, stream);
}

}  // namespace

int64_t binary_workspace(const BinaryBatch& b) { return b.groups * b.labels * kTotals + 1; }

cudaError_t launch_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults, int64_t* workspace,
                          cudaStream_t stream) {
  if (b.samples.samples() == 0 || b.labels == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  int64_t* totals = workspace + 1;
  if (error == cudaSuccess) error = cudaMemsetAsync(workspace, 0, binary_workspace(b) * sizeof(int64_t), stream);
  if (error != cudaSuccess) return error;
  if (is_floating(b.preds_type)) {
    with_score_type(b.preds_type,
                    [&](auto t) { error = launch_type<decltype(t)>(card, b, totals, workspace, faults, stream); });
  } else {
    error = launch_type<Label>(card, b, totals, workspace, faults, stream);
  }
  if (error != cudaSuccess) return error;
  const dim3 blocks(blocks_for(card, b.groups * b.labels, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_choose_kernel, blocks, 0, stream, b, totals, workspace, counts, faults);
}

}  // namespace fastmetrics
