// SPDX-License-Identifier: Apache-2.0
//
// Which values kernel runs, and how many blocks of it. That number depends on the sizes alone, because the order of the
// sums does. The figures of Tuning were chosen from the sizes of current cards, not measured.

#include "common/launch.cuh"
#include "passes/values_cuda.h"
#include "passes/values_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  static constexpr int64_t kValuesPerThread = 16;
  static constexpr int64_t kMostBlocks = 1024;
};

// An Extent has initial values, which shared variables may not: the memory is dynamic.
constexpr int64_t kShared = kThreads * sizeof(Extent);

int64_t blocks_of(const ValuesBatch& b) {
  constexpr int64_t kPerBlock = kThreads * Tuning::kValuesPerThread;
  return std::max<int64_t>(1, std::min(Tuning::kMostBlocks, (b.layout.samples() + kPerBlock - 1) / kPerBlock));
}

}  // namespace

ScratchSize values_scratch(const ValuesBatch& b) {
  static_assert(sizeof(Extent) % sizeof(int64_t) == 0);
  const int64_t blocks = blocks_of(b);
  if (blocks == 1) return {};
  return {1, blocks * static_cast<int64_t>(sizeof(Extent) / sizeof(int64_t))};
}

cudaError_t launch_values(const ValuesBatch& b, const ValuesStates& states, const Scratch& scratch,
                          cudaStream_t stream) {
  if (b.layout.samples() == 0) return cudaSuccess;
  const dim3 blocks(static_cast<unsigned>(blocks_of(b)));
  const ExtentsOfBlocks to{reinterpret_cast<Extent*>(scratch.others), scratch.zeros, states};
  const bool neighbours = b.layout.dims == 1 && b.layout.a_stride[0] == 1 && b.weights == nullptr &&
                          b.valid == nullptr && is_floating(b.values_type);
  cudaError_t error = cudaSuccess;
  if (neighbours) {
    with_score_type(b.values_type, [&](auto t) {
      using T = decltype(t);
      const bool wide = reinterpret_cast<uintptr_t>(b.values) % alignof(Pack<T, kValues>) == 0;
      error = launch(values_kernel<T>, blocks, kShared, stream, b, wide, to);
    });
  } else {
    error = launch(values_strided_kernel, blocks, kShared, stream, b, to);
  }
  return error;
}

}  // namespace fastmetrics
