// SPDX-License-Identifier: Apache-2.0
//
// How many blocks of the kernel of binary cells run, and where these cells are. The figures of Tuning were chosen from
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

template <typename Cell>
cudaError_t launch_cells(const BinaryCells& c, typename CellsFound<Cell>::State* counts, int64_t* faults,
                         const Scratch& scratch, cudaStream_t stream) {
  const int64_t elements = c.elements(), places = c.rows.count(), cells = places * c.cells_of_place();
  if (elements == 0 || places == 0) return cudaSuccess;
  Card card;
  cudaError_t error = current_card(&card);
  if (error != cudaSuccess) return error;
  const int blocks =
      blocks_for(card, elements, kThreads * Tuning::kElementsPerThread, Tuning::kBlocksPerMultiprocessor);
  const int adders = blocks_for(card, places, kThreads, Tuning::kBlocksPerMultiprocessor);
  const int replicas =
      replicas_of<Cell>(card, cells, elements * c.rows.of.slicings, blocks, Tuning::kBlocksPerMultiprocessor, 0);
  const int64_t shared = cells * replicas * static_cast<int64_t>(sizeof(Cell));
  int64_t* const outside = scratch.zeros + kTurnsScratch;
  auto* of_card = reinterpret_cast<CellOfCard<Cell>*>(outside + 1 + CellsFound<Cell>::kGroups);
  const CellsFound<Cell> found{{false, blocks, adders, scratch.zeros}, outside, outside + 1, of_card, counts, faults};
  const dim3 grid(static_cast<unsigned>(found.turns.grid()));
  const CellsDivisors divisors(c);
  auto start = [&](auto type) {
    error = launch(binary_cells_kernel<decltype(type), Cell>, grid, shared, stream, c, divisors, replicas, found);
  };
  if (is_floating(c.batch.preds_type)) {
    with_score_type(c.batch.preds_type, start);
  } else {
    start(Label{});
  }
  return error;
}

}  // namespace

ScratchSize binary_cells_scratch(const BinaryCells& c) {
  return {kTurnsScratch + 1 + CellsFound<double>::kGroups + c.rows.count() * c.cells_of_place()};
}

cudaError_t launch_binary_cells(const BinaryCells& c, int64_t* counts, int64_t* faults, const Scratch& scratch,
                                cudaStream_t stream) {
  return launch_cells<uint32_t>(c, counts, faults, scratch, stream);
}

cudaError_t launch_binary_cells(const BinaryCells& c, double* counts, int64_t* faults, const Scratch& scratch,
                                cudaStream_t stream) {
  return launch_cells<double>(c, counts, faults, scratch, stream);
}

}  // namespace fastmetrics
