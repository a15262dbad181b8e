// SPDX-License-Identifier: Apache-2.0
//
// What the kernels of the binary and multilabel pass share: what is counted, and where.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read. So both are counted, into
// totals beside the state. Then those that are meant are added to the state: by the block that comes last, or where
// they are many by blocks that have counted nothing (common/rounds.cuh).

#pragma once

#include <type_traits>

#include "common/rounds.cuh"
#include "passes/binary.h"

namespace fastmetrics {

// What is counted of a label, as both readings: elements, positive targets, positive predictions and both positive as
// probabilities, the same as logits.
enum { kTotal, kActual, kPredicted, kTruePositive, kPredictedLogit, kTruePositiveLogit, kTotals };

template <typename T>
struct Tally {
  uint32_t of[kTotals] = {};
  bool outside = false;

  // One element.
  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t sample, int64_t label, int64_t target, T score) {
    if (b.is_valid(sample, label)) add(b, bad, target, score, [&] { return place_of(b, sample, label); });
  }

  // One that is valid; `place` says where it is.
  template <typename Place>
  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t target, T score, const Place& place) {
    using W = decltype(widen(T{}));
    const W x = widen(score);
    const bool ignored = b.has_ignore && target == b.ignore;
    const bool valid = !ignored && (target == 0 || target == 1);
    if (!valid && !ignored) bad->add(kBadTarget, place());
    if (!(x >= W(0) && x <= W(1)) && (b.ignored_decide || !ignored)) outside = true;
    if (!valid) return;
    // cutoffs are values of T, so this is exact
    const uint32_t p0 = x > static_cast<W>(b.probability), p1 = x > static_cast<W>(b.logit);
    const uint32_t positive = target != 0;
    ++of[kTotal];
    of[kActual] += positive;
    of[kPredicted] += p0;
    of[kTruePositive] += p0 & positive;
    of[kPredictedLogit] += p1;
    of[kTruePositiveLogit] += p1 & positive;
  }
};

template <>
struct Tally<Label> {
  uint32_t of[kTotals] = {};
  bool outside = false;

  __device__ void add(const BinaryBatch& b, BadOnes* bad, int64_t sample, int64_t label, int64_t target, int64_t pred) {
    if (!b.is_valid(sample, label) || (b.has_ignore && target == b.ignore)) return;
    const bool good_target = target == 0 || target == 1, good_pred = pred == 0 || pred == 1;
    if (!good_target) bad->add(kBadTarget, place_of(b, sample, label));
    if (!good_pred) bad->add(kBadPreds, place_of(b, sample, label));
    if (!good_target || !good_pred) return;
    ++of[kTotal];
    of[kActual] += target != 0;
    of[kPredicted] += pred != 0;
    of[kTruePositive] += target != 0 && pred != 0;
  }
};

// Adds what the threads of a block have of one label to its totals [kTotals], in shared memory.
template <typename T>
__device__ __forceinline__ void add_to_block(const Tally<T>& tally, uint32_t* of_block) {
  for (int k = 0; k < kTotals; ++k) {
    const uint32_t sum = sum_of_warp(tally.of[k]);
    if (threadIdx.x % kWarp == 0 && sum != 0) atomicAdd(of_block + k, sum);
  }
}

// Records what is bad of a batch, when all of it is in the scratch of faults; one thread.
__device__ __forceinline__ void record_binary(const BinaryBatch& b, int64_t* faults) {
  record_faults(faults, [&](int which, int64_t place) {
    const int64_t label = place / b.per_sample % b.labels;
    const int64_t sample = place / b.per_sample / b.labels * b.per_sample + place % b.per_sample;
    int64_t of_preds, of_target;
    b.samples.locate(sample, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target + label * b.b_label)
                               : label_at(b.preds, b.preds_type, of_preds + label * b.a_label);
  });
}

// Where the blocks count. All of it is zero before and after an update, but for the state.
struct BinaryTotals {
  int64_t* of;       // [groups, L, kTotals]
  int64_t* outside;  // whether a score lies outside [0, 1]
  int64_t* ticket;   // see comes_last; where the last block chooses
  Turns turns;       // with scratch where others do
  int64_t* counts;   // the state, [groups, L, 4]
  int64_t* faults;   // [kFaults] or null

  // Marks the batch as logits if any thread met a score outside [0, 1]; a barrier of the block.
  __device__ __forceinline__ void mark_outside(bool is_outside) const {
    if (__syncthreads_or(is_outside) && threadIdx.x == 0) atomicMax(as_count(outside), Count{1});
  }

  // Adds the totals that are meant to the state, from unit `first` on.
  __device__ __forceinline__ void choose(int64_t units, int64_t first, int64_t stride) const {
    const int shift = *outside != 0 ? kPredictedLogit - kPredicted : 0;
#pragma unroll 1
    for (int64_t i = first; i < units; i += stride) {
      int64_t* from = of + i * kTotals;
      const int64_t total = from[kTotal], actual = from[kActual];
      const int64_t predicted = from[kPredicted + shift], tp = from[kTruePositive + shift];
#pragma unroll
      for (int k = 0; k < kTotals; ++k) from[k] = 0;
      int64_t* to = counts + i * 4;
      to[0] += tp;
      to[1] += predicted - tp;
      to[2] += total - predicted - actual + tp;
      to[3] += actual - tp;
    }
  }

  // All threads of a block that counts call it, when they have counted.
  __device__ __forceinline__ void close(const BinaryBatch& b) const {
    if (turns.scratch != nullptr) return turns.done();
    if (!comes_last(turns.blocks, ticket)) return;
    choose(b.groups * b.labels, threadIdx.x, kThreads);
    __syncthreads();  // `outside` has been read
    if (threadIdx.x == 0) finish(b);
  }

  // What the other blocks do.
  __device__ __forceinline__ void add(const BinaryBatch& b) const {
    choose(b.groups * b.labels, turns.current().thread(), static_cast<int64_t>(turns.adders) * kThreads);
    if (turns.are_over() && threadIdx.x == 0) finish(b);
  }

 private:
  __device__ __forceinline__ void finish(const BinaryBatch& b) const {
    *outside = 0;
    if (faults != nullptr) record_binary(b, faults);
  }
};

}  // namespace fastmetrics
