// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel of amounts run. The figures of Tuning were chosen from the sizes of current cards, not
// measured.

#include "passes/amounts_cuda.h"

#include "common/launch.cuh"
#include "passes/amounts_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 4;
  // samples that a thread should see before the cells of its block are added to those of the card
  static constexpr int64_t kSamplesPerThread = 16;
};

template <typename Cell, typename T>
cudaError_t launch_all(const Amounts<T>& a, T* state, cudaStream_t stream) {
  const int64_t samples = a.rows.layout.samples(), cells = a.rows.count * a.of_row;
  if (samples * a.width * a.rows.slicings == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  constexpr int kBlocks = Tuning::kBlocksPerMultiprocessor;
  const int blocks = blocks_for(card, samples, kThreads * Tuning::kSamplesPerThread, kBlocks);
  const int replicas = replicas_of<Cell>(card, cells, samples * a.width * a.rows.slicings, blocks, kBlocks, 0);
  const int64_t shared = cells * replicas * static_cast<int64_t>(sizeof(Cell));
  auto start = [&](auto kernel) {
    return launch(kernel, dim3(blocks), shared, stream, a, replicas, reinterpret_cast<Cell*>(state));
  };
  if (a.width == 1 && a.rows.type == DType::kInt64) return start(amounts_kernel<int64_t, Cell>);
  if (a.width == 1 && a.rows.type == DType::kInt32) return start(amounts_kernel<int32_t, Cell>);
  return start(amounts_kernel<void, Cell>);
}

}  // namespace

cudaError_t launch_amounts(const Amounts<int64_t>& a, int64_t* state, cudaStream_t stream) {
  return launch_all<Count>(a, state, stream);
}

cudaError_t launch_amounts(const Amounts<double>& a, double* state, cudaStream_t stream) {
  return launch_all<double>(a, state, stream);
}

}  // namespace fastmetrics
