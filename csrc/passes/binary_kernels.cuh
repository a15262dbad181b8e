// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary and multilabel pass.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read. So both are counted, into
// totals beside the state, and a small kernel takes those that are meant and adds them to the state.

#pragma once

#include "common/device.cuh"
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
  __device__ void add(const BinaryBatch& b, int64_t* faults, int64_t sample, int64_t label, int64_t target, T score) {
    if (!b.is_valid(sample, label)) return;
    using W = decltype(widen(T{}));
    const W x = widen(score);
    const bool ignored = b.has_ignore && target == b.ignore;
    const bool valid = !ignored && (target == 0 || target == 1);
    if (!valid && !ignored) add_fault(faults, kBadTarget, place_of(b, sample, label));
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

  __device__ void add(const BinaryBatch& b, int64_t* faults, int64_t sample, int64_t label, int64_t target,
                      int64_t pred) {
    if (!b.is_valid(sample, label) || (b.has_ignore && target == b.ignore)) return;
    const bool good_target = target == 0 || target == 1, good_pred = pred == 0 || pred == 1;
    if (!good_target) add_fault(faults, kBadTarget, place_of(b, sample, label));
    if (!good_pred) add_fault(faults, kBadPreds, place_of(b, sample, label));
    if (!good_target || !good_pred) return;
    ++of[kTotal];
    of[kActual] += target != 0;
    of[kPredicted] += pred != 0;
    of[kTruePositive] += target != 0 && pred != 0;
  }
};

// Totals of the whole batch. A block is `columns` labels (a power of two) by kThreads / columns samples; `chunks`
// blocks in a row have all labels. kN neighbouring samples a thread; more than one if they are in one run, and aligned.
// totals: int64 [L, kTotals], zero before. any_outside: zero before.
template <typename T, int kN>
FM_KERNEL binary_kernel(const BinaryBatch b, int columns, int64_t chunks, int64_t* totals, int64_t* any_outside,
                        int64_t* faults) {
  __shared__ uint32_t of_block[kThreads * kTotals];  // [columns, kTotals]
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) of_block[i] = 0;
  __syncthreads();
  const int column = static_cast<int>(threadIdx.x) % columns, rows = kThreads / columns;
  const int64_t first_label = blockIdx.x % chunks * columns, label = first_label + column;
  const int64_t packs = b.samples.samples() / kN, stride = gridDim.x / chunks * rows;
  const int64_t b_step = b.samples.b_stride[b.samples.dims - 1];
  Tally<T> tally;
  if (label < b.labels) {
    for (int64_t i = blockIdx.x / chunks * rows + static_cast<int>(threadIdx.x) / columns; i < packs; i += stride) {
      int64_t of_preds, of_target;
      b.samples.locate(i * kN, &of_preds, &of_target);
      of_preds += label * b.a_label;
      of_target += label * b.b_label;
      if constexpr (kN == 1) {
        const int64_t target = label_at(b.target, b.target_type, of_target);
        tally.add(b, faults, i, label, target, element(b, T{}, of_preds));
      } else {
        const auto x = load_pack<T, kN>(static_cast<const T*>(b.preds) + of_preds);
        int64_t target[kN];
#pragma unroll
        for (int j = 0; j < kN; ++j) target[j] = label_at(b.target, b.target_type, of_target + j * b_step);
#pragma unroll
        for (int j = 0; j < kN; ++j) tally.add(b, faults, i * kN + j, label, target[j], x.at[j]);
      }
    }
  }
  if (columns == 1) {
    for (int k = 0; k < kTotals; ++k) {
      const uint32_t sum = sum_of_warp(tally.of[k]);
      if (threadIdx.x % kWarp == 0 && sum != 0) atomicAdd(of_block + k, sum);
    }
  } else {
    for (int k = 0; k < kTotals; ++k) {
      if (tally.of[k] != 0) atomicAdd(of_block + column * kTotals + k, tally.of[k]);
    }
  }
  const int outside = __syncthreads_or(tally.outside);
  if (outside && threadIdx.x == 0) atomicMax(as_count(any_outside), Count{1});
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) {
    if (of_block[i] != 0) atomicAdd(as_count(totals + first_label * kTotals + i), Count{of_block[i]});
  }
}

// Totals of each index of dimension 0: kLanes lanes have the elements of one index and one label.
// totals: int64 [N, L, kTotals].
template <typename T, int kLanes>
FM_KERNEL binary_groups_kernel(const BinaryBatch b, int64_t* totals, int64_t* any_outside, int64_t* faults) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  constexpr int kUnits = kThreads / kLanes;
  const int64_t units = b.groups * b.labels;
  bool outside = false;
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * kUnits; first < units;
       first += static_cast<int64_t>(gridDim.x) * kUnits) {
    const int64_t unit = first + static_cast<int>(threadIdx.x) / kLanes;
    const int64_t group = unit / b.labels, label = unit % b.labels;
    Tally<T> tally;
    if (unit < units) {
      for (int64_t i = lane; i < b.per_sample; i += kLanes) {
        int64_t of_preds, of_target;
        const int64_t sample = group * b.per_sample + i;
        b.samples.locate(sample, &of_preds, &of_target);
        const int64_t target = label_at(b.target, b.target_type, of_target + label * b.b_label);
        tally.add(b, faults, sample, label, target, element(b, T{}, of_preds + label * b.a_label));
      }
    }
    outside |= tally.outside;
    for (int k = 0; k < kTotals; ++k) {
      const uint32_t sum = kLanes == kWarp ? sum_of_warp(tally.of[k]) : tally.of[k];
      if (lane == 0 && unit < units) totals[unit * kTotals + k] = sum;
    }
  }
  if (__syncthreads_or(outside) && threadIdx.x == 0) atomicMax(as_count(any_outside), Count{1});
}

// Adds the totals that are meant to the state. counts: int64 [groups, L, 4].
FM_KERNEL
binary_choose_kernel(const BinaryBatch b, const int64_t* totals, const int64_t* any_outside, int64_t* counts,
                     int64_t* faults) {
  const int64_t units = b.groups * b.labels, stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int shift = *any_outside != 0 ? kPredictedLogit - kPredicted : 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < units; i += stride) {
    const int64_t* of = totals + i * kTotals;
    const int64_t predicted = of[kPredicted + shift], tp = of[kTruePositive + shift];
    int64_t* to = counts + i * 4;
    to[0] += tp;
    to[1] += predicted - tp;
    to[2] += of[kTotal] - predicted - of[kActual] + tp;
    to[3] += of[kActual] - tp;
  }
  if (faults == nullptr || blockIdx.x != 0 || threadIdx.x != 0) return;
  record_faults(faults, [&](int which, int64_t place) {
    const int64_t label = place / b.per_sample % b.labels;
    const int64_t sample = place / b.per_sample / b.labels * b.per_sample + place % b.per_sample;
    int64_t of_preds, of_target;
    b.samples.locate(sample, &of_preds, &of_target);
    return which == kBadTarget ? label_at(b.target, b.target_type, of_target + label * b.b_label)
                               : label_at(b.preds, b.preds_type, of_preds + label * b.a_label);
  });
}

}  // namespace fastmetrics
