// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the calibration pass; its meaning is calibration_body in fastmetrics/passes/calibration.py.
//
// A thread, or a warp where the scores of a sample are many neighbours, has a sample; logits are read again, from the
// cache, for the sum of their exponentials. What the first round of a batch (common/rounds.cuh) found as probabilities
// is added to the state, or what a second one found as logits.
//
// Confidences of samples without weights are added as whole multiples of 2^-63, see common/parts.cuh: any order gives
// the same bits. Sums of weights are added in no fixed order.
//
// A sample is added to the bins of one row, or to those of all its rows: the same with other cells.

#pragma once

#include "common/parts.cuh"
#include "common/rounds.cuh"
#include "passes/rows_kernels.cuh"
#include "passes/sample_rows_kernels.cuh"
#include "rules/hinge.h"
#include "rules/order.h"

namespace fastmetrics {

// The cells of a bin: samples, hits, and confidences; of these the parts, or sums.
enum { kBinSamples, kBinHits, kBinConfidences };
using ConfidenceParts = Parts<4, 63>;
template <typename Cell>
constexpr int kCellsOfBin = kBinConfidences + (std::is_same<Cell, double>::value ? 1 : ConfidenceParts::kParts);

template <typename Cell>
struct CalibrationRounds {
  Turns turns;
  int replicas;                    // of the cells of a block
  RoundFound<Cell> first, second;  // cells: [rows, columns, bins, kCellsOfBin]; the same if there is one round alone
  int64_t bins;                    // of all rows and columns
  CalibrationSums to;
  int64_t* faults;

  // Whether a score lies outside [0, 1].
  __device__ __forceinline__ int64_t* outside() const { return first.scratch + kRowsOutside; }
  __device__ __forceinline__ const RoundFound<Cell>& found_in(Round round) const {
    return round == Round::kSecond ? second : first;
  }
};

// Adds what was found to the state, by the second round where scores lie outside [0, 1], and makes all of it zero
// again. Out of line, because the loops over samples have other registers.
template <typename Cell>
__device__ __attribute__((noinline)) void add_calibration(const RowsBatch& b, const CalibrationRounds<Cell>& rounds) {
  const RoundFound<Cell> found = rounds.turns.either && *rounds.outside() != 0 ? rounds.second : rounds.first;
  const int64_t stride = static_cast<int64_t>(rounds.turns.adders) * kThreads;
#pragma unroll 1
  for (int64_t i = rounds.turns.current().thread(); i < rounds.bins; i += stride) {
    const CellOfCard<Cell>* of_bin = found.cells + i * kCellsOfBin<Cell>;
    if (of_bin[kBinSamples] != 0) {
      double sum;
      if constexpr (std::is_same<Cell, double>::value) {
        sum = of_bin[kBinConfidences];
      } else {
        sum = ConfidenceParts::sum(of_bin + kBinConfidences);
      }
      rounds.to.counts.add(i, static_cast<double>(of_bin[kBinSamples]));
      rounds.to.hits.add(i, static_cast<double>(of_bin[kBinHits]));
      rounds.to.confidences.add(i, sum);
    }
    for (int cell = 0; cell < kCellsOfBin<Cell>; ++cell) {
      rounds.first.cells[i * kCellsOfBin<Cell> + cell] = rounds.second.cells[i * kCellsOfBin<Cell> + cell] = 0;
    }
  }
  if (!rounds.turns.are_over() || threadIdx.x != 0) return;
  record_scored_faults(b, found.scratch, rounds.faults);
  rounds.first.clear_scratch();
  rounds.second.clear_scratch();
}

// Which bin has a confidence in [0, 1]: the last one whose edge is not above it.
class BinFinder {
 public:
  // Copies the edges if there is `room`; all threads of the block call it.
  __device__ __forceinline__ BinFinder(const CalibrationOptions& options, bool room, double* copy)
      : edges_(options.edges), copy_(copy), last_(static_cast<int>(options.bins) - 1), near_(room) {
    if (!room) return;
    bool even = true;
    for (int i = threadIdx.x; i <= last_; i += kThreads) {
      copy[i] = edges_[i];
      even &= fabs(copy[i] * last_ - i) < 0.25;
    }
    even_ = __syncthreads_and(even) != 0;
  }

  __device__ __forceinline__ int operator()(double confidence) const {
    if (even_) {
      const int step = static_cast<int>(confidence * last_), guess = step < last_ ? step : last_ - 1;
      return guess + (copy_[guess + 1] <= confidence) - (copy_[guess] > confidence);
    }
    int base = 0;  // the first edge is never above
    for (int left = last_ + 1; left > 1;) {
      const int half = left / 2;
      if ((near_ ? copy_[base + half] : edges_[base + half]) <= confidence) base += half;
      left -= half;
    }
    return base;
  }

 private:
  const double* edges_;
  const double* copy_;
  int last_;
  bool near_, even_ = false;  // even: so near to equal steps that a guess is at most one bin away
};

template <typename Cell, typename Rows>
class CalibrationCounter {
 public:
  __device__ __forceinline__ CalibrationCounter(const CalibrationOptions& options, const Rows& rows,
                                                const CalibrationRounds<Cell>& rounds, Round round,
                                                unsigned char* shared, int cells_at)
      : options_(options),
        rows_(rows),
        found_(rounds.found_in(round)),
        columns_(options.columns > 0 ? options.columns : 1),
        bins_(options, cells_at > 0, reinterpret_cast<double*>(shared)),
        cells_(shared + cells_at, count_of(rows) * columns_ * options.bins * kCellsOfBin<Cell>, rounds.replicas) {}

  __device__ BadOnes* bad() { return &bad_; }

  // A probability of a column, of a sample whose rows are at `at`; place: where it is among those of all samples.
  __device__ __forceinline__ void add(int64_t at, int64_t column, double x, bool hit, double weight, int64_t place) {
    const double confidence = options_.rounds ? static_cast<double>(static_cast<float>(x)) : x;
    if (is_outside(confidence)) {
      bad_.add(kBadPreds, place);
      return;
    }
    const int bin = bins_(confidence);
    each_row(rows_, at, [&](int64_t row) {
      const int64_t first = ((row * columns_ + column) * options_.bins + bin) * kCellsOfBin<Cell>;
      auto add_to = [&](int64_t cell, Cell amount) { cells_.add(first + cell, amount, found_.cells + first + cell); };
      if constexpr (std::is_same<Cell, double>::value) {
        add_to(kBinSamples, weight);
        if (hit) add_to(kBinHits, weight);
        add_to(kBinConfidences, weight * confidence);
      } else {
        add_to(kBinSamples, 1);
        if (hit) add_to(kBinHits, 1);
        ConfidenceParts::split(confidence, [&](int part, uint32_t bits) { add_to(kBinConfidences + part, bits); });
      }
    });
  }

  // All threads of the block call it, once each has done its part.
  __device__ __forceinline__ void close() {
    cells_.flush(found_.cells);
    bad_.close(found_.scratch + kRowsFaults, found_.scratch + kRowsPlaces);
  }

 private:
  const CalibrationOptions& options_;
  const Rows& rows_;
  const RoundFound<Cell>& found_;
  int64_t columns_;
  BinFinder bins_;
  CellsOfBlock<Cell> cells_;
  BadOnes bad_;
};

// Of the scores of a sample the greatest and the first class that has it.
struct GreatestOfRow {
  double most = -INFINITY;
  int64_t label = INT64_MAX;

  __device__ __forceinline__ void see(double x, int64_t klass) {
    if (beats(x, most) || (klass < label && !beats(most, x))) {
      most = x;
      label = klass;
    }
  }
};

// kLanes lanes read the scores of the sample that begins at `at`; all get the result.
template <int kLanes>
__device__ __forceinline__ GreatestOfRow greatest_of_row(const RowsBatch& b, int64_t at, int lane, Lookout* lookout) {
  GreatestOfRow found;
  for (int64_t c = lane; c < b.scores; c += kLanes) {
    const double x = score_at(b, at + c * b.a_score);
    lookout->look(is_outside(x));
    found.see(x, c);
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) {
    const double most = __shfl_xor_sync(kAllLanes, found.most, offset);
    found.see(most, __shfl_xor_sync(kAllLanes, found.label, offset));
  }
  return found;
}

// The sum of exp(score - most) over the scores of a sample, for all lanes.
template <int kLanes>
__device__ __forceinline__ double sum_of_row(const RowsBatch& b, int64_t at, double most, int lane) {
  double sum = 0.0;
  for (int64_t c = lane; c < b.scores; c += kLanes) sum += exp(score_at(b, at + c * b.a_score) - most);
  for (int offset = kLanes / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  return sum;
}

// cells_at: where in shared memory the cells begin, behind a copy of the edges; 0 for no copy.
template <typename Cell, int kLanes, typename Rows>
FM_KERNEL calibration_kernel(const __grid_constant__ RowsBatch b, const Rows rows_of, const CalibrationOptions options,
                             const __grid_constant__ CalibrationRounds<Cell> rounds, int cells_at) {
  static_assert(kLanes == 1 || kLanes == kWarp, "a thread or a warp");
  extern __shared__ __align__(16) unsigned char shared[];
  const Turn turn = rounds.turns.take();
  if (turn.round == Round::kSums) return add_calibration(b, rounds);
  const bool logits = turn.round == Round::kSecond || options.logits == 1;
  if (turn.round == Round::kSecond && *rounds.outside() == 0) return rounds.turns.done();
  CalibrationCounter<Cell, Rows> counter(options, rows_of, rounds, turn.round, shared, cells_at);
  Lookout lookout(turn.round, rounds.outside());
  constexpr int kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), stride = static_cast<int64_t>(rounds.turns.blocks) * kRows;
  const int64_t classes = options.multiclass ? b.scores : 2;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row_of_warp = static_cast<int>(threadIdx.x) % kWarp / kLanes;
  for (int64_t row = static_cast<int64_t>(turn.block) * kRows + threadIdx.x / kLanes; row - row_of_warp < rows;
       row += stride) {
    double weight = 1.0;
    const int64_t target = row < rows ? counted_target(b, row, classes, lane, &weight, counter.bad()) : -1;
    if (target >= 0) {
      const int64_t at = b.rows.offset(row, b.rows.a_stride), of_rows = find_rows(rows_of, row);
      if (!options.multiclass) {
        const double x = score_at(b, at);
        lookout.look(is_outside(x));
        counter.add(of_rows, options.label(row), logits ? 1.0 / (1.0 + exp(-x)) : x, target == 1, weight, row);
      } else {
        const GreatestOfRow greatest = greatest_of_row<kLanes>(b, at, lane, &lookout);
        const double sum = logits ? sum_of_row<kLanes>(b, at, greatest.most, lane) : 1.0;
        if (options.columns == 0) {
          const double confidence = logits ? 1.0 / sum : greatest.most;
          if (lane == 0) counter.add(of_rows, 0, confidence, target == greatest.label, weight, row);
        } else {
          for (int64_t c = lane; c < b.scores; c += kLanes) {
            const double x = score_at(b, at + c * b.a_score);
            counter.add(of_rows, c, logits ? exp(x - greatest.most) / sum : x, target == c, weight, row * b.scores + c);
          }
        }
      }
    }
    if (lookout.stops()) break;
  }
  counter.close();
  rounds.turns.done();
}

}  // namespace fastmetrics
