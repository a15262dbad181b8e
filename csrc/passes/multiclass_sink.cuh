// SPDX-License-Identifier: Apache-2.0
//
// Where the multiclass kernels count, or add weights.
//
// A sample goes to cells in shared memory, in replicas that some threads share, which are added to the states once a
// block; or straight to the states, where the cells are too many for shared memory or for the batch. Of a confusion
// matrix that is too large, the diagonal stays in shared memory, where most samples of a good model are. Adding to a
// state without reading it back does not wait.
//
// Sums of the counts over all classes are kept in registers, and meet in shared memory at the end.
//
// The card folds additions of 1 by lanes that meet in a cell of shared memory. It does not fold others, so a thread
// that has any keeps equal samples in a row (target, label, rank) in registers, with their number or the sum of their
// weights: a batch of one class costs no more than any other.
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
  int diagonal = 0;        // [C], feeds the diagonal of confusion and the true positives of counts; without pairs
  int margins = 0;         // [C, 2], feeds the predicted and actual of counts; without pairs
  int ranks = 0;           // [C, K, 2]
  int rank_histogram = 0;  // [C]
  int totals = 0;          // [2], right and all; without the others
  int replicas = 1;
  bool all = false;  // whether nothing goes straight to a state
  // Targets below the one that are not the other are counted without a second look.
  uint32_t limit = 0, ignored = UINT32_MAX;

  FM_HD int of_counts() const { return diagonal + margins; }
  FM_HD int of_replica() const { return pairs + diagonal + margins + ranks + rank_histogram + totals; }
  FM_HD int cells() const { return of_replica() * replicas; }
};

// What a block keeps of samples without ranks; or that there are ranks.
using Kept = int;
constexpr Kept kPairs = 0;     // all cells
constexpr Kept kCounts = 1;    // counts, and no confusion is asked for
constexpr Kept kDiagonal = 2;  // the diagonal, and the margins if counts are asked for
constexpr Kept kRest = 3;      // anything else
constexpr Kept kRanked = 4;    // anything, with ranks
constexpr Kept kTotals = 5;    // the sums over all classes

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
    if (plan_.totals > 0) {
      add_total(target == label, amount);
      return;
    }
    if (!Adds<State>::kWeights && plan_.all) {
      add_shared(target, label, rank, 1);
      return;
    }
    if (target == target_ && label == label_ && rank == rank_ && group == group_) {
      amount_ += amount;
      return;
    }
    emit();
    group_ = group;
    target_ = target;
    label_ = label;
    rank_ = rank;
    amount_ = amount;
  }

  // Count a sample of which no rank is asked, where the block keeps what kKept says.
  template <Kept kKept>
  __device__ __forceinline__ void add_pair(int32_t target, int32_t label) {
    if constexpr (kKept == kTotals) {
      add_total(target == label, 1);
    } else if constexpr (kKept == kPairs) {
      atomicAdd(mine_ + target * plan_classes() + label, Amount{1});
    } else {
      if (target == label) {
        atomicAdd(mine_ + target, Amount{1});
      } else if constexpr (kKept == kDiagonal) {
        add_to(s_.confusion + (target * b_.classes + label), Sum{1});
      }
      if (kKept == kCounts || plan_.margins > 0) {
        atomicAdd(mine_ + plan_classes() + label * 2, Amount{1});
        atomicAdd(mine_ + plan_classes() + target * 2 + 1, Amount{1});
      }
    }
  }

  // All threads of the block call it, once.
  __device__ void close() {
    emit();
    if (plan_.totals > 0) {
      atomicAdd(mine_, right_);
      atomicAdd(mine_ + 1, all_);
    }
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
  __device__ __forceinline__ void add_total(bool right, Amount amount) {
    right_ += right ? amount : Amount{0};
    all_ += amount;
  }

  // Add the samples in a row that were alike.
  __device__ void emit() {
    if (!(amount_ > 0)) return;
    const int64_t c = b_.classes, row = group_ * c;
    const bool hit = target_ == label_;
    add_shared(target_, label_, rank_, amount_);
    if (plan_.pairs == 0) {
      if (s_.confusion != nullptr && !(hit && plan_.diagonal > 0)) {
        add_to(s_.confusion + target_ * c + label_, amount_);
      }
      if (s_.counts != nullptr) {
        if (hit && plan_.diagonal == 0) add_to(s_.counts + (row + target_) * 3, amount_);
        if (plan_.margins == 0) {
          add_to(s_.counts + (row + label_) * 3 + 1, amount_);
          add_to(s_.counts + (row + target_) * 3 + 2, amount_);
        }
      }
    }
    if (s_.rank_histogram != nullptr && plan_.rank_histogram == 0) add_to(s_.rank_histogram + rank_, amount_);
    if (s_.ranks != nullptr && plan_.ranks == 0 && rank_ < s_.k) {
      add_to(s_.ranks + ((row + target_) * s_.k + rank_) * 2, amount_);
      add_to(s_.ranks + ((row + label_) * s_.k + rank_) * 2 + 1, amount_);
    }
  }

  // Add to the cells that there are.
  __device__ __forceinline__ void add_shared(int32_t target, int32_t label, int32_t rank, Amount amount) {
    if (plan_.pairs > 0) {
      atomicAdd(mine_ + target * plan_classes() + label, amount);
    } else {
      if (plan_.diagonal > 0 && target == label) atomicAdd(mine_ + target, amount);
      if (plan_.margins > 0) {
        Amount* margins = mine_ + plan_.diagonal;
        atomicAdd(margins + label * 2, amount);
        atomicAdd(margins + target * 2 + 1, amount);
      }
    }
    Amount* ranks = mine_ + plan_.pairs + plan_.diagonal + plan_.margins;
    if (plan_.rank_histogram > 0) atomicAdd(ranks + plan_.ranks + rank, amount);
    if (plan_.ranks > 0 && rank < s_.k) {
      const int k = static_cast<int>(s_.k);
      atomicAdd(ranks + (target * k + rank) * 2, amount);
      atomicAdd(ranks + (label * k + rank) * 2 + 1, amount);
    }
  }

  // Cells in shared memory are few enough for 32 bits.
  __device__ int plan_classes() const { return static_cast<int>(b_.classes); }

  // Add cell `i` of the shared ones to the states.
  __device__ void flush(int i, Sum amount) {
    if (plan_.totals > 0) {
      add_to(s_.totals + i, amount);
      if (i == 1) add_to(s_.totals + 2, amount);
      return;
    }
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
    if (i < plan_.diagonal) {
      if (s_.confusion != nullptr) add_to(s_.confusion + i * (b_.classes + 1), amount);
      if (s_.counts != nullptr) add_to(s_.counts + i * 3, amount);
      return;
    }
    i -= plan_.diagonal;
    if (i < plan_.margins) {
      add_to(s_.counts + i / 2 * 3 + 1 + i % 2, amount);
      return;
    }
    i -= plan_.margins;
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
  int32_t target_ = -1, label_ = -1, rank_ = -1;
  Amount amount_ = 0;
  Amount right_ = 0, all_ = 0;  // of totals
};

}  // namespace fastmetrics
