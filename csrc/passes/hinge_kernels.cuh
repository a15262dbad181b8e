// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the hinge pass; its meaning is hinge_body in fastmetrics/passes/hinge.py.
//
// A thread, or a warp where the scores of a sample are many neighbours, has a sample: it reads the row for the greatest
// scores, and again, from the cache, for the sum of the exponentials. One-vs-all has a sum for each class: a warp goes
// through the samples of its part, and each lane adds to the sums of its classes, which no one else touches. Then other
// blocks add the sums of all parts to the state (common/rounds.cuh).

#pragma once

#include "passes/rows_kernels.cuh"
#include "rules/hinge.h"
#include "rules/order.h"

namespace fastmetrics {

// What the softmax of a row of scores needs.
struct RowOfScores {
  double most = -INFINITY;   // the greatest score
  double other = -INFINITY;  // the greatest but for the target
  double sum = 0.0;          // of exp(score - most)
};

__device__ __forceinline__ double greater_of(double a, double b) { return beats(a, b) ? a : b; }

// Reads the scores of the sample that begins at `at` by kLanes lanes; all of them get the result.
template <int kLanes>
__device__ __forceinline__ RowOfScores read_scores(const RowsBatch& b, int64_t at, int64_t target, int lane,
                                                   bool* outside) {
  RowOfScores row;
  for (int64_t c = lane; c < b.scores; c += kLanes) {
    const double v = score_at(b, at + c * b.a_score);
    if (is_outside(v)) *outside = true;
    row.most = greater_of(v, row.most);
    if (c != target) row.other = greater_of(v, row.other);
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) {
    row.most = greater_of(__shfl_xor_sync(kAllLanes, row.most, offset), row.most);
    row.other = greater_of(__shfl_xor_sync(kAllLanes, row.other, offset), row.other);
  }
  for (int64_t c = lane; c < b.scores; c += kLanes) row.sum += exp(score_at(b, at + c * b.a_score) - row.most);
  for (int offset = kLanes / 2; offset > 0; offset /= 2) row.sum += __shfl_xor_sync(kAllLanes, row.sum, offset);
  return row;
}

// Binary, and multiclass by Crammer and Singer. Sums: loss of probabilities, loss of logits, count.
struct HingePass {
  static constexpr int kSums = 3;
  RowsBatch b;
  HingeOptions options;
  HingeSums to;

  template <int kLanes>
  __device__ void add(int64_t row, int lane, RowSums<kSums>* sums, bool* outside, BadOnes* faults) const {
    double weight;
    const int64_t target = counted_target(b, row, options.multiclass ? b.scores : 2, lane, &weight, faults);
    if (target < 0) return;
    const int64_t at = b.rows.offset(row, b.rows.a_stride);
    double as_probability, as_logit;
    if (options.multiclass) {
      const RowOfScores scores = read_scores<kLanes>(b, at, target, lane, outside);
      const double own = score_at(b, at + target * b.a_score);
      as_probability = own - scores.other;
      as_logit = exp(own - scores.most) / scores.sum - exp(scores.other - scores.most) / scores.sum;
    } else {
      const double v = score_at(b, at);
      if (is_outside(v)) *outside = true;
      const double p = 1.0 / (1.0 + exp(-v));
      as_probability = target != 0 ? v : -v;
      as_logit = target != 0 ? p : -p;
    }
    if (lane != 0) return;
    sums->of[0] += weight * hinge_of(as_probability, options.squared);
    sums->of[1] += weight * hinge_of(as_logit, options.squared);
    sums->of[2] += weight;
  }

  __device__ void finish(int64_t i, const double* sums, bool logits) const {
    to.hinge.add(i, logits ? sums[1] : sums[0]);
    to.count.add(i, sums[2]);
  }
};

// The sums of one against all. partial: float64 [parts, 2 C + 1]: losses of probabilities, losses of logits, count.
struct HingeClasses {
  Turns turns;
  int64_t parts;
  double* partial;
  int64_t* scratch;  // [kRowsScratch]
  HingeSums to;
  int64_t* faults;
};

// Adds the sums of all parts to the state; a block has one class, or the count, after another. All threads of the
// blocks that do so call it. Out of line, because the loops over samples have other registers.
__device__ inline __attribute__((noinline)) void add_hinge_classes(const RowsBatch& b, const HingeClasses& of) {
  __shared__ RowSums<1> of_block[kThreads];
  const int64_t classes = b.scores, width = 2 * classes + 1;
  const bool logits = of.scratch[kRowsOutside] != 0;
  for (int64_t cell = of.turns.current().block; cell <= classes; cell += of.turns.adders) {
    const int64_t at = cell == classes ? 2 * classes : cell + (logits ? classes : 0);
    RowSums<1> sums;
    for (int64_t part = threadIdx.x; part < of.parts; part += kThreads) sums.of[0] += of.partial[part * width + at];
    sums = sum_of_block(sums, of_block);
    if (threadIdx.x == 0) {
      if (cell == classes) {
        of.to.count.add(0, sums.of[0]);
      } else {
        of.to.hinge.add(cell, sums.of[0]);
      }
    }
    __syncthreads();  // of_block has been read
  }
  if (of.turns.are_over() && threadIdx.x == 0) finish_rows(b, of.scratch, of.faults);
}

// Multiclass, one against all: a warp has a part of the samples.
FM_KERNEL
hinge_classes_kernel(const __grid_constant__ RowsBatch b, bool squared, const __grid_constant__ HingeClasses of) {
  const Turn turn = of.turns.take();
  if (turn.round == Round::kSums) return add_hinge_classes(b, of);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t part = static_cast<int64_t>(turn.block) * (kThreads / kWarp) + threadIdx.x / kWarp, parts = of.parts;
  const int64_t rows = b.rows.samples(), classes = b.scores;
  bool outside = false;
  BadOnes bad;
  if (part < parts) {
    double* mine = of.partial + part * (2 * classes + 1);
    for (int64_t c = lane; c < classes; c += kWarp) mine[c] = mine[classes + c] = 0.0;
    double count = 0.0;
    for (int64_t row = part; row < rows; row += parts) {
      double weight;
      const int64_t target = counted_target(b, row, classes, lane, &weight, &bad);
      if (target < 0) continue;
      const int64_t at = b.rows.offset(row, b.rows.a_stride);
      const RowOfScores scores = read_scores<kWarp>(b, at, target, lane, &outside);
      for (int64_t c = lane; c < classes; c += kWarp) {
        const double v = score_at(b, at + c * b.a_score), p = exp(v - scores.most) / scores.sum;
        mine[c] += weight * hinge_of(c == target ? v : -v, squared);
        mine[classes + c] += weight * hinge_of(c == target ? p : -p, squared);
      }
      count += weight;
    }
    if (lane == 0) mine[2 * classes] = count;
  }
  close_rows(bad, outside, of.scratch);
  of.turns.done();
}

}  // namespace fastmetrics
