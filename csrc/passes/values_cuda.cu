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

}  // namespace

int64_t values_workspace(const ValuesBatch& b) {
  constexpr int64_t kPerBlock = kThreads * Tuning::kValuesPerThread;
  return std::max<int64_t>(1, std::min(Tuning::kMostBlocks, (b.layout.samples() + kPerBlock - 1) / kPerBlock));
}

cudaError_t launch_values(const ValuesBatch& b, const ValuesStates& states, Extent* workspace, cudaStream_t stream) {
  if (b.layout.samples() == 0) return cudaSuccess;
  const int64_t parts = values_workspace(b);
  const dim3 blocks(static_cast<unsigned>(parts));
  const bool neighbours = b.layout.dims == 1 && b.layout.a_stride[0] == 1 && b.weights == nullptr &&
                          b.valid == nullptr && is_floating(b.values_type);
  cudaError_t error = cudaSuccess;
  if (neighbours) {
    with_score_type(b.values_type, [&](auto t) {
      using T = decltype(t);
      const bool wide = reinterpret_cast<uintptr_t>(b.values) % alignof(Pack<T, kValues>) == 0;
      error = launch(values_kernel<T>, blocks, kShared, stream, b, wide, workspace);
    });
  } else {
    error = launch(values_strided_kernel, blocks, kShared, stream, b, workspace);
  }
  if (error != cudaSuccess) return error;
  return launch(values_add_kernel, dim3(1), kShared, stream, workspace, parts, states);
}

}  // namespace fastmetrics
