// SPDX-License-Identifier: Apache-2.0
//
// The kernel of pairs that are added to the rows of their groups; its meaning is pairs_rows_body in
// fastmetrics/passes/pairs.py.
//
// A cell is a row and an output, and a thread has a pair after another. Sums go to cells in shared memory while they
// are few, else to those of the card at once, in no fixed order.
//
// Moments are sums of distances from a pilot, which has to be the same for all pairs of a cell: the first pair that
// claims the cell, by its place, which any thread then reads again. It is as far from the mean of the batch's pairs of
// that cell as they are from each other, which neither the state nor the other cells say. When all pairs are in, as
// many blocks as the cells take make moments about the mean of them, and merge these into the state; they add the
// extremes, whose greatest keys are found by then, and make the scratch zero again.
//
// Which pair claims a cell depends on chance, as the order of the sums does.

#pragma once

#include <cmath>

#include "common/rounds.cuh"
#include "passes/pairs_values.cuh"
#include "passes/sample_rows_kernels.cuh"

namespace fastmetrics {

// What a cell has in scratch, where moments are asked for: which pair is its pilot, as 1 and its place, and the sums of
// the weights, of distances, and of their products.
constexpr int kOfMoments = 6;
// And for extremes: the greatest keys of y for the least one and for the greatest one; 0 if there is none.
constexpr int kOfExtremes = 2;

// Where the sums of a cell are: number i of cell c at to[i][c * step[i]]. In the order in which the kernel makes them.
struct NumbersOfCell {
  static constexpr int kMost = kOfMoments + 1 + kErrorKinds + 2 + 3;
  int count = 0;
  double* to[kMost];
  int64_t step[kMost];

  void put(double* first, int numbers) {
    for (int j = 0; first != nullptr && j < numbers; ++j, ++count) {
      to[count] = first + j;
      step[count] = numbers;
    }
  }

  // Cells of a block one after another, as CellsOfBlock adds them to the card.
  __device__ __forceinline__ double* operator+(int i) const { return at(i / count, i % count); }
  __device__ __forceinline__ double* at(int64_t cell, int number) const { return to[number] + cell * step[number]; }
};

struct RowsOfPairs {
  Turns turns;  // its scratch is null if there are neither moments nor extremes
  int replicas;
  int64_t cells;
  NumbersOfCell numbers;
  int64_t* pilots;  // [cells]
  double* moments;  // [cells, kOfMoments]
  int64_t* ends;    // [cells, kOfExtremes]
  PairsStates states;
};

// Keys of numbers in their order, none of which is 0; that of NaN is the greatest, and so is that of its opposite.
constexpr Count kKeyOfNan = ~Count{0}, kSignOfKey = Count{1} << 63;
__device__ __forceinline__ Count key_of(double y) {
  const Count bits = bits_of(y);
  return bits & kSignOfKey ? ~bits : bits | kSignOfKey;
}
__device__ __forceinline__ double number_of(Count key) {
  return double_from_bits(key & kSignOfKey ? key & ~kSignOfKey : ~key);
}

// Raises a key that other threads may raise, too; most numbers are no extremes, and then it is only looked at.
__device__ __forceinline__ void raise(int64_t* key, Count to) {
  if (static_cast<Count>(shared_value(key)) < to) atomicMax(as_count(key), to);
}

// Adds the sums of cells to the states, when all pairs are in, and makes the scratch zero again.
static __device__ __attribute__((noinline)) void add_cells(const RowsOfPairs& to, int64_t outputs,
                                                           const PairsBatch& b) {
  const int64_t stride = static_cast<int64_t>(to.turns.adders) * kThreads;
#pragma unroll 1
  for (int64_t cell = to.turns.current().thread(); cell < to.cells; cell += stride) {
    if (to.moments != nullptr && to.pilots[cell] != 0) {
      double* const sums = to.moments + cell * kOfMoments;
      ShiftedSums all;
      pilot_of(b, to.pilots[cell] - 1, cell % outputs, &all);
      all.n = sums[0];
      all.x = sums[1];
      all.y = sums[2];
      all.xx = sums[3];
      all.yy = sums[4];
      all.xy = sums[5];
      double* const state = to.states.moments + 6 * cell;
      store(merged(moments_at(state), all.moments_or_nan()), state);
      if (to.states.count != nullptr) to.states.count[cell] += all.n;
      to.pilots[cell] = 0;
      for (int i = 0; i < kOfMoments; ++i) sums[i] = 0.0;
    }
    if (to.ends != nullptr && to.ends[kOfExtremes * cell] != 0) {
      int64_t* const ends = to.ends + kOfExtremes * cell;
      const auto low = static_cast<Count>(ends[0]), high = static_cast<Count>(ends[1]);
      const double found[] = {1.0, low == kKeyOfNan ? static_cast<double>(NAN) : number_of(~low),
                              high == kKeyOfNan ? static_cast<double>(NAN) : number_of(high)};
      add_extremes(found, to.states.extremes + 3 * cell);
      ends[0] = ends[1] = 0;
    }
  }
  to.turns.are_over();
}

// kSimple: whether no more is asked for than count, moments, squared and absolute errors.
template <bool kSimple>
FM_KERNEL pairs_rows_kernel(const __grid_constant__ PairsBatch b, const __grid_constant__ ColumnRows rows,
                            const __grid_constant__ RowsOfPairs to, unsigned asked) {
  extern __shared__ __align__(16) unsigned char shared[];
  const Turn turn = to.turns.take();
  if (turn.round == Round::kSums) return add_cells(to, b.outputs, b);
  const NumbersOfCell& numbers = to.numbers;
  CellsOfBlock<double> cells(shared, to.cells * numbers.count, to.replicas);
  BadOnes bad;
  const int64_t pairs = b.layout.samples(), first = turn.thread(), stride = to.turns.threads();
  const int64_t step = stride / b.outputs, step_of_output = stride % b.outputs;
  int64_t pair = first / b.outputs, output = first % b.outputs;
#pragma unroll 1
  for (; pair < pairs; pair += step) {
    const int64_t i = pair, d = output;
    output += step_of_output;
    if (output >= b.outputs) {
      output -= b.outputs;
      ++pair;
    }
    if (b.valid != nullptr && !b.valid[b.layout.offset(i, b.layout.c_stride) + d * b.c_output]) continue;
    double w = 1.0;
    if (b.weights != nullptr) w = b.weights[b.layout.offset(i, b.layout.d_stride) + d * b.d_output];
    int64_t of_preds, of_target;
    b.layout.locate(i, &of_preds, &of_target);
    // all are asked for before one is looked at
    const uint64_t of_x = bits_at(b.preds, b.preds_type, of_preds + d * b.a_output);
    const uint64_t of_y = bits_at(b.target, b.target_type, of_target + d * b.b_output);
    if (!good_weight(w)) bad.add(kBadWeight, i * b.outputs + d);
    if (!good_weight(w) || w == 0.0) continue;
    const double x = value_of(of_x, b.preds_type), y = value_of(of_y, b.target_type);
    bool of_domain = true;
    if (!kSimple && (asked & kAskDeviance)) {
      const bool bad_x = outside_of_preds(x, b.power), bad_y = outside_of_target(y, b.power);
      if (bad_x) bad.add(kBadPreds, i * b.outputs + d);
      if (bad_y) bad.add(kBadTarget, i * b.outputs + d);
      of_domain = !bad_x && !bad_y;
    }
    each_row(rows, find_rows(rows, i, d), [&](int64_t row) {
      const int64_t cell = row * b.outputs + d;
      int number = 0;
      auto add = [&](double amount) {
        cells.add(cell * numbers.count + number, amount, numbers.at(cell, number));
        ++number;
      };
      if (asked & kAskMoments) {
        int64_t* const claim = to.pilots + cell;
        int64_t pilot = shared_value(claim);
        if (pilot == 0) {
          const auto before = static_cast<int64_t>(atomicCAS(as_count(claim), Count{0}, static_cast<Count>(i + 1)));
          pilot = before == 0 ? i + 1 : before;
        }
        ShiftedSums from;
        pilot_of(b, pilot - 1, d, &from);
        const double dx = x - from.pilot_x, dy = y - from.pilot_y, wx = w * dx, wy = w * dy;
        add(w);
        add(wx);
        add(wy);
        add(wx * dx);
        add(wy * dy);
        add(wx * dy);
      }
      if (asked & kAskCount) add(w);
      const double apart = x - y;
      if (asked & (1u << kSquaredError)) add(w * (apart * apart));
      if (asked & (1u << kAbsoluteError)) add(w * fabs(apart));
      if constexpr (!kSimple) {
        LibraryMath math;
#pragma unroll 1
        for (int kind = kSquaredLogError; kind < kErrorKinds; ++kind) {
          if (!(asked >> kind & 1u)) continue;
          double error = 0.0;
          with_rule(kind, b.p, [&](auto rule) { error = error_of<decltype(rule)::value>(x, y, b.p, math); });
          add(w * error);
        }
        if (asked & kAskDeviance) {
          double value = 0.0;
          if (of_domain) {
            with_form(b.power, [&](auto form) { value = deviance_of<decltype(form)::value>(x, y, b.power, math); });
          }
          add(of_domain ? w * value : 0.0);
          add(of_domain ? w : 0.0);
        }
        if (asked & kAskEvents) {
          const bool predicted = x >= b.preds_threshold, happened = y >= b.target_threshold;
          add(predicted && happened ? w : 0.0);
          add(!predicted && happened ? w : 0.0);
          add(predicted && !happened ? w : 0.0);
        }
        if (asked & kAskExtremes) {
          const bool nan = y != y;
          raise(to.ends + kOfExtremes * cell, nan ? kKeyOfNan : ~key_of(y));
          raise(to.ends + kOfExtremes * cell + 1, nan ? kKeyOfNan : key_of(y));
        }
      }
    });
  }
  cells.flush(numbers);
  int64_t* const faults = to.states.faults;
  if (faults != nullptr) {
    bad.close(faults);
    if (comes_last(to.turns.blocks, faults + kScratchBlocks) && threadIdx.x == 0) record_bad_pairs(b, faults);
  }
  if (to.turns.scratch != nullptr) to.turns.done();
}

}  // namespace fastmetrics
