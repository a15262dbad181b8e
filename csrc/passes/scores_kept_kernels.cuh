// SPDX-License-Identifier: Apache-2.0
//
// The kernels of keep_scores_; its meaning is keep_scores_body in fastmetrics/passes/scores.py.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read. The first round writes
// them as probabilities, and stops as soon as one says otherwise, which mostly is among the first; then the second one
// writes all again, as logits. How a batch is read is in scores_reader.cuh.

#pragma once

#include <cstring>

#include "passes/scores_reader.cuh"

namespace fastmetrics {

// Where the scores of a batch are kept, [samples, columns]. labels: likewise, or null: then scores have them as signs.
template <typename T>
struct KeptScores {
  T* scores;
  int8_t* labels;
};

// What a thread does with scores in a round.
template <typename T>
class ScoresKeeper {
 public:
  using V = WidenedTo<T>;
  using Bits = BitsOf<T>;

  __device__ __forceinline__ ScoresKeeper(const ScoresBatch& b, const ScoresRounds& rounds, const Turn& turn,
                                          const KeptScores<T>& to)
      : b_(b),
        rounds_(rounds),
        to_(to),
        logits_(rounds.logits(b, turn.round)),
        lookout_(turn.round, rounds.scratch + kScoresOutside) {}

  __device__ bool logits() const { return logits_; }
  __device__ BadOnes* bad() { return &bad_; }
  __device__ bool with_labels() const { return to_.labels != nullptr; }

  __device__ __forceinline__ void look(V x) { lookout_.look(is_outside(x)); }

  // See Lookout.
  __device__ __forceinline__ bool stops() { return lookout_.stops(); }

  // The probability that a score means by itself.
  __device__ __forceinline__ T probability(T x) const {
    if (logits_) narrow(sigmoid(widen(x)), &x);
    return x;
  }

  // What is kept of the probability of a label of 0 or 1. place: that of a NaN, which is bad.
  template <typename Place>
  __device__ __forceinline__ Bits kept(T p, int label, const Place& place) {
    if (widen(p) != widen(p)) bad_.add(kBadPreds, place());
    Bits bits;
    memcpy(&bits, &p, sizeof(bits));
    if (bits == kSign) bits = 0;  // -0 is 0
    return label == 0 && !with_labels() ? static_cast<Bits>(bits | kSign) : bits;
  }

  // Keeps a score at `at`: its probability, if its label is 0 or 1.
  __device__ __forceinline__ void keep(int64_t at, int64_t row, int64_t column, T p, int label, bool weighs) {
    Bits bits = kNone;
    if (label >= 0) {
      const Bits found = kept(p, label, [&] { return b_.score_at(row, column); });
      if (weighs) bits = found;
    }
    memcpy(to_.scores + at, &bits, sizeof(bits));
    if (with_labels()) to_.labels[at] = static_cast<int8_t>(label >= 0 && weighs ? label : -1);
  }

  // All threads of the block call it, once each has done its part.
  __device__ __forceinline__ void close() {
    rounds_.close(bad_);
    finish_scores(b_, rounds_, false);
  }

 private:
  static constexpr Bits kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  // NaN: the greatest exponent, and the first bit behind it
  static constexpr Bits kNone = static_cast<Bits>(std::is_same<T, Half>::value       ? 0x7e00
                                                  : std::is_same<T, BFloat16>::value ? 0x7fc0
                                                  : sizeof(T) == 4                   ? 0x7fc00000
                                                                                     : 0x7ff8000000000000);

  const ScoresBatch& b_;
  const ScoresRounds& rounds_;
  const KeptScores<T>& to_;
  bool logits_;
  Lookout lookout_;
  BadOnes bad_;
};

// Scores of columns that are each for themselves; see walk_elements.
template <typename T>
FM_KERNEL_OF(4)
keep_elements_kernel(const __grid_constant__ ScoresBatch b, const __grid_constant__ ScoresRounds rounds,
                     const KeptScores<T> to, bool by_column) {
  const Turn turn = rounds.turns.take();
  if (rounds.are_over(b, turn.round)) return finish_scores(b, rounds, true);
  ScoresKeeper<T> keeper(b, rounds, turn, to);
  walk_elements(
      b, rounds.turns, by_column,
      [&](int64_t row, int64_t column) {
        int64_t of_score, of_target;
        b.rows.locate(row, &of_score, &of_target);
        const T x = static_cast<const T*>(b.preds)[of_score + column * b.a_column];
        const auto target = read_target<double>(b, row, column, of_target + column * b.b_column, true, keeper.bad());
        if (target.decides) keeper.look(widen(x));
        keeper.keep(row * b.columns + column, row, column, keeper.probability(x), static_cast<int>(target.label),
                    target.amount != 0.0);
      },
      [&] { return keeper.stops(); });
  keeper.close();
}

// Scores T and targets I that are a line, which is written as it lies; see walk_line. What is written is 16-byte
// aligned as well.
template <typename T, typename I>
FM_KERNEL keep_line_kernel(const __grid_constant__ ScoresBatch b, const __grid_constant__ ScoresRounds rounds,
                           const KeptScores<T> to) {
  constexpr int kN = kPerLoad<T>;
  using Bits = BitsOf<T>;
  const Turn turn = rounds.turns.take();
  if (rounds.are_over(b, turn.round)) return finish_scores(b, rounds, true);
  ScoresKeeper<T> keeper(b, rounds, turn, to);
  walk_line<T, I>(
      b, rounds.turns,
      [&](int64_t i, const Pack<T, kN>& x, const Pack<I, kN>& target) {
        Pack<Bits, kN> kept;
#pragma unroll
        for (int j = 0; j < kN; ++j) {
          keeper.look(widen(x.at[j]));
          const int label = static_cast<int>(target.at[j]);
          kept.at[j] = keeper.kept(keeper.probability(x.at[j]), label, [&] { return i + j; });
        }
        *reinterpret_cast<Pack<Bits, kN>*>(to.scores + i) = kept;
        if (!keeper.with_labels()) return;
        Pack<int8_t, kN> labels;
#pragma unroll
        for (int j = 0; j < kN; ++j) labels.at[j] = static_cast<int8_t>(target.at[j]);
        *reinterpret_cast<Pack<int8_t, kN>*>(to.labels + i) = labels;
      },
      [&](int64_t i) {
        const int64_t row = i / b.columns, column = i % b.columns;
        const auto target = read_target<uint32_t>(b, row, column, i, true, keeper.bad());
        const T x = static_cast<const T*>(b.preds)[i];
        if (target.decides) keeper.look(widen(x));
        keeper.keep(i, row, column, keeper.probability(x), static_cast<int>(target.label), true);
      },
      [&] { return keeper.stops(); });
  keeper.close();
}

// Samples of classes: kLanes lanes, 1 or a warp, have one.
template <typename T, int kLanes>
FM_KERNEL keep_rows_kernel(const __grid_constant__ ScoresBatch b, const __grid_constant__ ScoresRounds rounds,
                           const KeptScores<T> to) {
  static_assert(kLanes == 1 || kLanes == kWarp, "a thread or a warp");
  using V = WidenedTo<T>;
  const Turn turn = rounds.turns.take();
  if (rounds.are_over(b, turn.round)) return finish_scores(b, rounds, true);
  ScoresKeeper<T> keeper(b, rounds, turn, to);
  constexpr int kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), stride = static_cast<int64_t>(rounds.turns.blocks) * kRows;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row_of_warp = static_cast<int>(threadIdx.x) % kWarp / kLanes;
  for (int64_t row = static_cast<int64_t>(turn.block) * kRows + threadIdx.x / kLanes; row - row_of_warp < rows;
       row += stride) {
    if (row < rows) {
      int64_t of_scores, of_target;
      b.rows.locate(row, &of_scores, &of_target);
      const T* scores = static_cast<const T*>(b.preds) + of_scores;
      const auto target = read_target<double>(b, row, 0, of_target, lane == 0, keeper.bad());
      const bool counted = target.label >= 0, weighs = target.amount != 0.0;
      auto read = [&](int64_t c) { return widen(scores[c * b.a_column]); };
      SoftmaxOfRow<V> softmax{};
      if (counted && keeper.logits()) softmax = softmax_of_row<V, kLanes>(b.columns, lane, read);
      for (int64_t c = lane; c < b.columns; c += kLanes) {
        T p = scores[c * b.a_column];
        if (target.decides) keeper.look(widen(p));
        if (keeper.logits()) narrow(exp_of_score(widen(p) - softmax.most) * softmax.scale, &p);
        keeper.keep(row * b.columns + c, row, c, p, counted ? static_cast<int>(c == target.label) : -1, weighs);
      }
    }
    if (keeper.stops()) break;
  }
  keeper.close();
}

}  // namespace fastmetrics
