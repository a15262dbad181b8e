// SPDX-License-Identifier: Apache-2.0
//
// Where the multiclass kernels count, or add weights.
//
// Every thread keeps the sample that it meets most (target, label, rank) in registers with how often it came, or the
// sum of its weights, found by majority vote, so that a batch of one class costs no more than any other. The rest goes
// to cells in shared memory, in replicas that some threads share, which are added to the states once a block; or
// straight to the states, where the cells are too many for shared memory or for the batch. Adding to a state without
// reading it back does not wait.
//
// Counts have uint32 cells, and a replica is that of a few warps. Weights have float64 cells. An addition to one of
// them is a loop of compare and swap, in which the lanes of a warp that meet take turns; so a replica is that of a few
// lanes of every warp. The order of these additions is no fixed one.

#pragma once

#include <type_traits>

#include "common/device.cuh"
#include "passes/multiclass.h"

namespace fastmetrics {

// Of states that are int64, or double for weighted samples: what a sample adds, which is what a cell in shared memory
// holds, and what a block adds.
template <typename State>
struct Adds {
  static constexpr bool kWeights = std::is_same<State, double>::value;
  using Amount = std::conditional_t<kWeights, double, uint32_t>;
  using Sum = std::conditional_t<kWeights, double, Count>;
};

__device__ __forceinline__ void add_to(int64_t* state, Count times) { atomicAdd(as_count(state), times); }
__device__ __forceinline__ void add_to(double* state, double weight) { atomicAdd(state, weight); }

// What a block keeps in shared memory: cells of each statistic, 0 if it goes straight to the state.
struct SharedCells {
  int pairs = 0;           // [C, C], feeds confusion and counts
  int counts = 0;          // [C, 3]
  int ranks = 0;           // [C, K, 2]
  int rank_histogram = 0;  // [C]
  int replicas = 1;

  FM_HD int of_replica() const { return pairs + counts + ranks + rank_histogram; }
  FM_HD int cells() const { return of_replica() * replicas; }
};

template <typename State>
class Sink {
 public:
  using Amount = typename Adds<State>::Amount;
  using Sum = typename Adds<State>::Sum;

  // cells_of_block: [replicas, of_replica()]. All threads of the block call it.
  __device__ Sink(const MulticlassBatch& batch, const MulticlassCells<State>& states, const SharedCells& plan,
                  unsigned char* cells_of_block)
      : b_(batch), s_(states), plan_(plan), block_(reinterpret_cast<Amount*>(cells_of_block)) {
    const int cells = plan.cells();
    for (int i = threadIdx.x; i < cells; i += kThreads) block_[i] = 0;
    if (cells > 0) __syncthreads();
    constexpr int kNeighbours = Adds<State>::kWeights ? 1 : kWarp;
    mine_ = block_ + static_cast<int>(threadIdx.x) / kNeighbours % plan.replicas * plan.of_replica();
  }

  // Count a sample of dimension 0's index `group`; target and label are classes. The rank is read if it was asked for.
  __device__ void add(int64_t group, int32_t target, int32_t label, int32_t rank, Amount amount) {
    if (target == target_ && label == label_ && rank == rank_ && group == group_) {
      amount_ += amount;
      ++votes_;
      return;
    }
    if (--votes_ >= 0) {
      emit(group, target, label, rank, amount);
      return;
    }
    if (amount_ > 0) emit(group_, target_, label_, rank_, amount_);
    group_ = group;
    target_ = target;
    label_ = label;
    rank_ = rank;
    amount_ = amount;
    votes_ = 1;
  }

  // All threads of the block call it, once.
  __device__ void close() {
    if (amount_ > 0) emit(group_, target_, label_, rank_, amount_);
    const int cells = plan_.of_replica();
    if (cells == 0) return;
    __syncthreads();
    for (int i = threadIdx.x; i < cells; i += kThreads) {
      Sum sum = 0;
      for (int r = 0; r < plan_.replicas; ++r) sum += block_[r * cells + i];
      if (sum != 0) flush(i, sum);
    }
  }

 private:
  __device__ void emit(int64_t group, int32_t target, int32_t label, int32_t rank, Amount amount) {
    const int64_t c = b_.classes, row = group * c;
    if (plan_.pairs > 0) {
      atomicAdd(mine_ + target * plan_classes() + label, amount);
    } else {
      if (s_.confusion != nullptr) add_to(s_.confusion + target * c + label, amount);
      if (plan_.counts > 0) {
        Amount* counts = mine_;
        if (target == label) atomicAdd(counts + target * 3, amount);
        atomicAdd(counts + label * 3 + 1, amount);
        atomicAdd(counts + target * 3 + 2, amount);
      } else if (s_.counts != nullptr) {
        if (target == label) add_to(s_.counts + (row + target) * 3, amount);
        add_to(s_.counts + (row + label) * 3 + 1, amount);
        add_to(s_.counts + (row + target) * 3 + 2, amount);
      }
    }
    if (plan_.rank_histogram > 0) {
      atomicAdd(mine_ + plan_.pairs + plan_.counts + plan_.ranks + rank, amount);
    } else if (s_.rank_histogram != nullptr) {
      add_to(s_.rank_histogram + rank, amount);
    }
    if (s_.ranks == nullptr || rank >= s_.k) return;
    if (plan_.ranks > 0) {
      Amount* ranks = mine_ + plan_.pairs + plan_.counts;
      const int k = static_cast<int>(s_.k);
      atomicAdd(ranks + (target * k + rank) * 2, amount);
      atomicAdd(ranks + (label * k + rank) * 2 + 1, amount);
    } else {
      add_to(s_.ranks + ((row + target) * s_.k + rank) * 2, amount);
      add_to(s_.ranks + ((row + label) * s_.k + rank) * 2 + 1, amount);
    }
  }

  // Cells in shared memory are few enough for 32 bits.
  __device__ int plan_classes() const { return static_cast<int>(b_.classes); }

  // Add cell `i` of the shared ones to the states.
  __device__ void flush(int i, Sum amount) {
    if (i < plan_.pairs) {
      const int target = i / plan_classes(), label = i % plan_classes();
      if (s_.confusion != nullptr) add_to(s_.confusion + i, amount);
      if (s_.counts == nullptr) return;
      if (target == label) add_to(s_.counts + target * 3, amount);
      add_to(s_.counts + label * 3 + 1, amount);
      add_to(s_.counts + target * 3 + 2, amount);
      return;
    }
    i -= plan_.pairs;
    if (i < plan_.counts) {
      add_to(s_.counts + i, amount);
      return;
    }
    i -= plan_.counts;
    if (i < plan_.ranks) {
      add_to(s_.ranks + i, amount);
    } else {
      add_to(s_.rank_histogram + (i - plan_.ranks), amount);
    }
  }

  const MulticlassBatch& b_;
  const MulticlassCells<State>& s_;
  const SharedCells plan_;
  Amount* block_;
  Amount* mine_;
  int64_t group_ = -1;
  int32_t target_ = -1, label_ = -1, rank_ = -1, votes_ = 0;
  Amount amount_ = 0;
};

}  // namespace fastmetrics
