// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernels of binary cells run, and where these cells are. The figures of Tuning were chosen from
// the sizes of current cards, not measured.

#include "common/launch.cuh"
#include "passes/binary_cells_cuda.h"
#include "passes/binary_cells_kernels.cuh"

namespace fastmetrics {
namespace {

struct Tuning {
  // that share its shared memory
  static constexpr int kBlocksPerMultiprocessor = 4;
  // elements that a thread should see before the cells of its block are added to those of the card
  static constexpr int kElementsPerThread = 16;
};

constexpr int64_t kGroups = 2 * kKindsOfFault;  // of the workspace, for groups out of range

template <typename Cell, typename State>
cudaError_t launch_cells(const BinaryCells& c, State* counts, int64_t* faults, int64_t* workspace,
                         cudaStream_t stream) {
  const int64_t elements = c.elements(), places = c.rows.count(), cells = places * c.cells_of_place();
  if (elements == 0 || places == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error == cudaSuccess) error = cudaMemsetAsync(workspace, 0, binary_cells_workspace(c) * sizeof(int64_t), stream);
  if (error != cudaSuccess) return error;
  int64_t* groups = workspace + 1;
  auto* of_card = reinterpret_cast<CellOfCard<Cell>*>(groups + kGroups);
  const CellsDivisors divisors(c);
  auto start = [&](auto type) {
    const int blocks =
        blocks_for(card, elements, kThreads * Tuning::kElementsPerThread, Tuning::kBlocksPerMultiprocessor);
    const int replicas =
        replicas_of<Cell>(card, cells, elements * c.rows.of.slicings, blocks, Tuning::kBlocksPerMultiprocessor, 0);
    const int64_t shared = cells * replicas * static_cast<int64_t>(sizeof(Cell));
    error = launch(binary_cells_kernel<decltype(type), Cell>, dim3(blocks), shared, stream, c, divisors, replicas,
                   of_card, workspace, groups, faults);
  };
  if (is_floating(c.batch.preds_type)) {
    with_score_type(c.batch.preds_type, start);
  } else {
    start(Label{});
  }
  if (error != cudaSuccess) return error;
  const dim3 blocks(blocks_for(card, places, kThreads, Tuning::kBlocksPerMultiprocessor));
  return launch(binary_cells_choose_kernel<CellOfCard<Cell>, State>, blocks, 0, stream, c, of_card, workspace, groups,
                counts, faults);
}

}  // namespace

int64_t binary_cells_workspace(const BinaryCells& c) { return c.rows.count() * c.cells_of_place() + 1 + kGroups; }

cudaError_t launch_binary_cells(const BinaryCells& c, int64_t* counts, int64_t* faults, int64_t* workspace,
                                cudaStream_t stream) {
  return launch_cells<uint32_t>(c, counts, faults, workspace, stream);
}

cudaError_t launch_binary_cells(const BinaryCells& c, double* counts, int64_t* faults, int64_t* workspace,
                                cudaStream_t stream) {
  return launch_cells<double>(c, counts, faults, workspace, stream);
}

}  // namespace fastmetrics
