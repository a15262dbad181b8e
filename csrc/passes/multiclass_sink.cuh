// SPDX-License-Identifier: Apache-2.0
//
// Where the multiclass kernels count.
//
// Every thread keeps the sample that it meets most (target, label, rank) in registers with how often it came, found by
// majority vote, so that a batch of one class costs no more than any other. The rest goes to uint32 cells in shared
// memory, in replicas that a few warps share, which are added to the states once a block; or straight to the states,
// where the cells are too many for shared memory or for the batch. Adding to a state without reading it back does not
// wait.

#pragma once

#include "common/device.cuh"
#include "passes/multiclass.h"

namespace fastmetrics {

// What a block keeps in shared memory: cells of each statistic, 0 if it goes straight to the state.
struct SharedCells {
  int pairs = 0;           // [C, C], feeds confusion and counts
  int counts = 0;          // [C, 3]
  int ranks = 0;           // [C, K, 2]
  int rank_histogram = 0;  // [C]
  int replicas = 1;

  FM_HD int of_replica() const { return pairs + counts + ranks + rank_histogram; }
  FM_HD int64_t bytes() const { return static_cast<int64_t>(of_replica()) * replicas * sizeof(uint32_t); }
};

class Sink {
 public:
  // cells_of_block: uint32 [replicas, of_replica()]. All threads of the block call it.
  __device__ Sink(const MulticlassBatch& batch, const MulticlassStates& states, const SharedCells& plan,
                  uint32_t* cells_of_block)
      : b_(batch), s_(states), plan_(plan), block_(cells_of_block) {
    const int cells = plan.of_replica() * plan.replicas;
    for (int i = threadIdx.x; i < cells; i += kThreads) block_[i] = 0;
    if (cells > 0) __syncthreads();
    mine_ = block_ + static_cast<int>(threadIdx.x) / kWarp % plan.replicas * plan.of_replica();
  }

  // Count a sample of dimension 0's index `group`; target and label are classes. The rank is read if it was asked for.
  __device__ void add(int64_t group, int32_t target, int32_t label, int32_t rank) {
    if (target == target_ && label == label_ && rank == rank_ && group == group_) {
      ++times_;
      ++votes_;
      return;
    }
    if (--votes_ >= 0) {
      emit(group, target, label, rank, 1);
      return;
    }
    if (times_ > 0) emit(group_, target_, label_, rank_, times_);
    group_ = group;
    target_ = target;
    label_ = label;
    rank_ = rank;
    times_ = votes_ = 1;
  }

  // All threads of the block call it, once.
  __device__ void close() {
    if (times_ > 0) emit(group_, target_, label_, rank_, times_);
    const int cells = plan_.of_replica();
    if (cells == 0) return;
    __syncthreads();
    for (int i = threadIdx.x; i < cells; i += kThreads) {
      Count sum = 0;
      for (int r = 0; r < plan_.replicas; ++r) sum += block_[r * cells + i];
      if (sum != 0) flush(i, sum);
    }
  }

 private:
  __device__ void emit(int64_t group, int32_t target, int32_t label, int32_t rank, uint32_t times) {
    const int64_t c = b_.classes, row = group * c;
    if (plan_.pairs > 0) {
      atomicAdd(mine_ + target * plan_classes() + label, times);
    } else {
      if (s_.confusion != nullptr) atomicAdd(as_count(s_.confusion + target * c + label), Count{times});
      if (plan_.counts > 0) {
        uint32_t* counts = mine_;
        if (target == label) atomicAdd(counts + target * 3, times);
        atomicAdd(counts + label * 3 + 1, times);
        atomicAdd(counts + target * 3 + 2, times);
      } else if (s_.counts != nullptr) {
        if (target == label) atomicAdd(as_count(s_.counts + (row + target) * 3), Count{times});
        atomicAdd(as_count(s_.counts + (row + label) * 3 + 1), Count{times});
        atomicAdd(as_count(s_.counts + (row + target) * 3 + 2), Count{times});
      }
    }
    if (plan_.rank_histogram > 0) {
      atomicAdd(mine_ + plan_.pairs + plan_.counts + plan_.ranks + rank, times);
    } else if (s_.rank_histogram != nullptr) {
      atomicAdd(as_count(s_.rank_histogram + rank), Count{times});
    }
    if (s_.ranks == nullptr || rank >= s_.k) return;
    if (plan_.ranks > 0) {
      uint32_t* ranks = mine_ + plan_.pairs + plan_.counts;
      const int k = static_cast<int>(s_.k);
      atomicAdd(ranks + (target * k + rank) * 2, times);
      atomicAdd(ranks + (label * k + rank) * 2 + 1, times);
    } else {
      atomicAdd(as_count(s_.ranks + ((row + target) * s_.k + rank) * 2), Count{times});
      atomicAdd(as_count(s_.ranks + ((row + label) * s_.k + rank) * 2 + 1), Count{times});
    }
  }

  // Cells in shared memory are few enough for 32 bits.
  __device__ int plan_classes() const { return static_cast<int>(b_.classes); }

  // Add cell `i` of the shared ones to the states.
  __device__ void flush(int i, Count times) {
    if (i < plan_.pairs) {
      const int target = i / plan_classes(), label = i % plan_classes();
      if (s_.confusion != nullptr) atomicAdd(as_count(s_.confusion + i), times);
      if (s_.counts == nullptr) return;
      if (target == label) atomicAdd(as_count(s_.counts + target * 3), times);
      atomicAdd(as_count(s_.counts + label * 3 + 1), times);
      atomicAdd(as_count(s_.counts + target * 3 + 2), times);
      return;
    }
    i -= plan_.pairs;
    if (i < plan_.counts) {
      atomicAdd(as_count(s_.counts + i), times);
      return;
    }
    i -= plan_.counts;
    if (i < plan_.ranks) {
      atomicAdd(as_count(s_.ranks + i), times);
    } else {
      atomicAdd(as_count(s_.rank_histogram + (i - plan_.ranks)), times);
    }
  }

  const MulticlassBatch& b_;
  const MulticlassStates& s_;
  const SharedCells plan_;
  uint32_t* block_;
  uint32_t* mine_;
  int64_t group_ = -1;
  int32_t target_ = -1, label_ = -1, rank_ = -1, votes_ = 0;
  uint32_t times_ = 0;
};

}  // namespace fastmetrics
