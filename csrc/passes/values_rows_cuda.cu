// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel of values of groups run. The figures of Tuning were chosen from the sizes of current
// cards, not measured.

#include "passes/values_rows_cuda.h"

#include "common/launch.cuh"
#include "passes/values_rows_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 4;
  // values that a thread should see before the cells of its block are added to those of the card
  static constexpr int64_t kValuesPerThread = 16;
};

}  // namespace

cudaError_t launch_values_rows(const ValuesBatch& b, const SampleRows& rows, const ValuesStates& s,
                               cudaStream_t stream) {
  const int64_t n = b.layout.samples();
  if (n == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  constexpr int kBlocks = Tuning::kBlocksPerMultiprocessor;
  const int blocks = blocks_for(card, n, kThreads * Tuning::kValuesPerThread, kBlocks);
  SumsOfValues sums{{}, 0};
  for (double* state : {s.sum, s.weight}) {
    if (state != nullptr) sums.to[sums.count++] = state;
  }
  const int64_t cells = rows.count * sums.count;
  const int64_t additions = n * rows.slicings * sums.count;
  const int replicas = cells > 0 ? replicas_of<double>(card, cells, additions, blocks, kBlocks, 0) : 0;
  return launch(values_rows_kernel, dim3(static_cast<unsigned>(blocks)),
                cells * replicas * static_cast<int64_t>(sizeof(double)), stream, b, rows, sums, replicas, s);
}

}  // namespace fastmetrics
