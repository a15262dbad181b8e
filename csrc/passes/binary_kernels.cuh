// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the binary and multilabel pass that take any layout.

#pragma once

#include "passes/binary_totals.cuh"

namespace fastmetrics {

// Totals of the whole batch. A block is `columns` labels (a power of two) by kThreads / columns samples; `chunks`
// blocks in a row have all labels. kN neighbouring samples a thread; more than one if they are in one run, and aligned.
template <typename T, int kN>
FM_KERNEL binary_kernel(const BinaryBatch b, int columns, int64_t chunks, const BinaryTotals to) {
  const Turn turn = to.turns.take();
  if (turn.round == Round::kSums) return to.add(b);
  __shared__ uint32_t of_block[kThreads * kTotals];  // [columns, kTotals]
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) of_block[i] = 0;
  __syncthreads();
  const int column = static_cast<int>(threadIdx.x) % columns, rows = kThreads / columns;
  const int64_t first_label = turn.block % chunks * columns, label = first_label + column;
  const int64_t packs = b.samples.samples() / kN, stride = to.turns.blocks / chunks * rows;
  const int64_t b_step = b.samples.b_stride[b.samples.dims - 1];
  Tally<T> tally;
  BadOnes bad;
  if (label < b.labels) {
    for (int64_t i = turn.block / chunks * rows + static_cast<int>(threadIdx.x) / columns; i < packs; i += stride) {
      int64_t of_preds, of_target;
      b.samples.locate(i * kN, &of_preds, &of_target);
      of_preds += label * b.a_label;
      of_target += label * b.b_label;
      if constexpr (kN == 1) {
        const int64_t target = label_at(b.target, b.target_type, of_target);
        tally.add(b, &bad, i, label, target, element(b, T{}, of_preds));
      } else {
        const auto x = load_pack<T, kN>(static_cast<const T*>(b.preds) + of_preds);
        int64_t target[kN];
#pragma unroll
        for (int j = 0; j < kN; ++j) target[j] = label_at(b.target, b.target_type, of_target + j * b_step);
#pragma unroll
        for (int j = 0; j < kN; ++j) tally.add(b, &bad, i * kN + j, label, target[j], x.at[j]);
      }
    }
  }
  if (columns == 1) {
    add_to_block(tally, of_block);
  } else {
    for (int k = 0; k < kTotals; ++k) {
      if (tally.of[k] != 0) atomicAdd(of_block + column * kTotals + k, tally.of[k]);
    }
  }
  to.mark_outside(tally.outside);
  for (int i = threadIdx.x; i < columns * kTotals; i += kThreads) {
    if (of_block[i] != 0) atomicAdd(as_count(to.of + first_label * kTotals + i), Count{of_block[i]});
  }
  bad.close(to.faults);
  to.close(b);
}

// Totals of each index of dimension 0: kLanes lanes have the elements of one index and one label.
template <typename T, int kLanes>
FM_KERNEL binary_groups_kernel(const BinaryBatch b, const BinaryTotals to) {
  const Turn turn = to.turns.take();
  if (turn.round == Round::kSums) return to.add(b);
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  constexpr int kUnits = kThreads / kLanes;
  const int64_t units = b.groups * b.labels;
  bool outside = false;
  BadOnes bad;
  // all lanes of a warp go round together, so that they meet in the shuffles
  for (int64_t first = static_cast<int64_t>(turn.block) * kUnits; first < units;
       first += static_cast<int64_t>(to.turns.blocks) * kUnits) {
    const int64_t unit = first + static_cast<int>(threadIdx.x) / kLanes;
    const int64_t group = unit / b.labels, label = unit % b.labels;
    Tally<T> tally;
    if (unit < units) {
      for (int64_t i = lane; i < b.per_sample; i += kLanes) {
        int64_t of_preds, of_target;
        const int64_t sample = group * b.per_sample + i;
        b.samples.locate(sample, &of_preds, &of_target);
        const int64_t target = label_at(b.target, b.target_type, of_target + label * b.b_label);
        tally.add(b, &bad, sample, label, target, element(b, T{}, of_preds + label * b.a_label));
      }
    }
    outside |= tally.outside;
    for (int k = 0; k < kTotals; ++k) {
      const uint32_t sum = kLanes == kWarp ? sum_of_warp(tally.of[k]) : tally.of[k];
      if (lane == 0 && unit < units) to.of[unit * kTotals + k] = sum;
    }
  }
  to.mark_outside(outside);
  bad.close(to.faults);
  to.close(b);
}

}  // namespace fastmetrics
