// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel over the groups of samples run. The figures of Tuning were chosen from the sizes of
// current cards, not measured.

#include "passes/groups_cuda.h"

#include "common/launch.cuh"
#include "passes/groups_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory; with four groups of a thread in flight they are enough
  static constexpr int kBlocksPerMultiprocessor = 4;
  // samples that a thread should see before the cells of its block are added to those of the card
  static constexpr int64_t kSamplesPerThread = 16;
};

int blocks_of(const Card& card, const SampleRows& groups) {
  return blocks_for(card, groups.layout.samples(), kThreads * Tuning::kSamplesPerThread,
                    Tuning::kBlocksPerMultiprocessor);
}

template <typename Sink>
cudaError_t launch_groups(const SampleRows& groups, const GroupsMask& mask, const typename Sink::To& to, int blocks,
                          int64_t shared, int64_t* faults, cudaStream_t stream) {
  const bool line = groups.layout.dims == 1 && (mask.valid == nullptr || mask.layout.dims == 1);
  auto start = [&](auto kernel) { return launch(kernel, dim3(blocks), shared, stream, groups, mask, to, faults); };
  if (line && groups.type == DType::kInt64) return start(groups_kernel<int64_t, Sink>);
  if (line && groups.type == DType::kInt32) return start(groups_kernel<int32_t, Sink>);
  return start(groups_kernel<void, Sink>);
}

template <typename State>
cudaError_t count(const SampleRows& rows, const GroupsMask& mask, State* counts, int64_t* faults, cudaStream_t stream) {
  const int64_t elements = rows.layout.samples() * rows.slicings;
  if (elements == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const int blocks = blocks_of(card, rows);
  const int replicas = replicas_of<uint32_t>(card, rows.count, elements, blocks, Tuning::kBlocksPerMultiprocessor, 0);
  const int64_t shared = rows.count * replicas * static_cast<int64_t>(sizeof(uint32_t));
  return launch_groups<GroupCounter<State>>(rows, mask, {counts, replicas}, blocks, shared, faults, stream);
}

}  // namespace

cudaError_t launch_count_groups(const SampleRows& rows, const GroupsMask& mask, int64_t* counts, int64_t* faults,
                                cudaStream_t stream) {
  return count(rows, mask, counts, faults, stream);
}

cudaError_t launch_count_groups(const SampleRows& rows, const GroupsMask& mask, double* counts, int64_t* faults,
                                cudaStream_t stream) {
  return count(rows, mask, counts, faults, stream);
}

cudaError_t launch_place_groups(const SampleRows& groups, const GroupsMask& mask, int32_t* rows, int64_t slicing,
                                int32_t start, int64_t* faults, cudaStream_t stream) {
  const int64_t samples = groups.layout.samples();
  if (samples == 0) return cudaSuccess;
  Card card;
  const cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  return launch_groups<GroupPlacer>(groups, mask, {rows, slicing, samples, start}, blocks_of(card, groups), 0, faults,
                                    stream);
}

}  // namespace fastmetrics
