// SPDX-License-Identifier: Apache-2.0
//
// Cells that a block counts in: in shared memory, in as many replicas as it has room for, because an addition to a
// double there is a loop that repeats when threads meet; then they are added to those of the card. Cells that are too
// many for shared memory, or for the batch, are those of the card at once.

#pragma once

#include <type_traits>

#include "common/device.cuh"

namespace fastmetrics {

// A cell of the card, of which a block has Cell: uint32_t, or double for sums of weights.
template <typename Cell>
using CellOfCard = std::conditional_t<std::is_same<Cell, double>::value, double, Count>;

template <typename Cell>
class CellsOfBlock {
 public:
  // Makes the cells zero; all threads of the block call it. memory: [cells, replicas], so that the lanes of a warp,
  // which have other replicas, meet in no bank. replicas: a power of two up to kThreads, or 0 for none.
  __device__ __forceinline__ CellsOfBlock(void* memory, int64_t cells, int replicas)
      : memory_(static_cast<Cell*>(memory)), cells_(replicas > 0 ? static_cast<int>(cells) : 0), replicas_(replicas) {
    for (int i = threadIdx.x; i < cells_ * replicas_; i += kThreads) memory_[i] = 0;
    __syncthreads();
  }

  // of_card: where this cell is on the card.
  __device__ __forceinline__ void add(int64_t cell, Cell amount, CellOfCard<Cell>* of_card) {
    if (replicas_ > 0) {
      add_near(cell, amount);
    } else {
      atomicAdd(of_card, CellOfCard<Cell>{amount});
    }
  }

  // The same where the block has cells.
  template <typename Place>
  __device__ __forceinline__ void add_near(Place cell, Cell amount) {
    atomicAdd(memory_ + (static_cast<int>(threadIdx.x) & (replicas_ - 1)) + cell * replicas_, amount);
  }

  // Adds the cells to those of the card, when all have counted; all threads of the block call it. of_card + i is where
  // cell i is.
  template <typename Card>
  __device__ __forceinline__ void flush(const Card& of_card) {
    __syncthreads();
    for (int half = replicas_ / 2; half > 0; half /= 2) {
      for (int i = threadIdx.x; i < cells_ * half; i += kThreads) {
        Cell* to = memory_ + i / half * replicas_ + i % half;
        *to += to[half];
      }
      __syncthreads();
    }
    for (int i = threadIdx.x; i < cells_; i += kThreads) {
      const Cell sum = memory_[i * replicas_];
      if (sum != 0) atomicAdd(of_card + i, CellOfCard<Cell>{sum});
    }
  }

 private:
  Cell* memory_;
  int cells_, replicas_;
};

}  // namespace fastmetrics
