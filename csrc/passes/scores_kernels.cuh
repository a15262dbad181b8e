// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the passes that add scores to bins: score_histogram_, whose bins lie between cuts, and count_scores_,
// whose bins are keys.
//
// Whether the scores of a batch are probabilities or logits is known only when all are read. The first round takes them
// for probabilities, and stops as soon as one says otherwise, which mostly is among the first. Then what was counted is
// added to the state, or a second round counts again, as logits. So a batch is read about once. Where the cells are
// more than the batch, the first round only looks, and the second counts.
//
// Scores of columns that are each for themselves are elements in the order of memory, a thread each; those of one
// column that are neighbours, as their targets are, come in wide loads. A sample of
// classes, whose softmax needs all, has a thread, or a warp where its scores are neighbours and many: it is read once
// as probabilities, and as logits again from the cache for the sum and for the bins.
//
// A score is added to the cells of one row, or to those of all rows of its sample or label: the same with other cells.
//
// Sums of weights are added in no fixed order.

#pragma once

#include <cmath>

#include "common/cells.cuh"
#include "passes/sample_rows_kernels.cuh"
#include "passes/scores_reader.cuh"

namespace fastmetrics {

template <typename Cell>
struct CountedRounds : ScoresRounds {
  int64_t first, cells;     // which of a column's cells a block has, and how many
  int replicas;             // of them; 0 if the block has none
  CellOfCard<Cell>* state;  // [rows, columns, bins, 2]
  CellOfCard<Cell>* guess;  // the same of the first round, zero before and after; null if it only looks

  // Where a round counts; null if it only looks. first: whether another one follows.
  __device__ __forceinline__ CellOfCard<Cell>* counted_in(bool first) const { return first ? guess : state; }

  // In a second round: makes the cells of the first one zero again, and if that was right, adds them to the state; then
  // the block has done its turn. All threads call it.
  __device__ __forceinline__ bool settle(const ScoresBatch& b, const Turn& turn, int64_t all) const {
    if (turn.round != Round::kSecond || guess == nullptr) return false;
    const bool right = are_over(b, turn.round);
#pragma unroll 1
    for (int64_t i = turn.thread(); i < all; i += turns.threads()) {
      const CellOfCard<Cell> found = guess[i];
      if (found == 0) continue;
      if (right) state[i] += found;
      guess[i] = 0;
    }
    if (right) finish_scores(b, *this, true);
    return right;
  }
};

// A probability that was computed in V as one of the type of the scores.
__device__ __forceinline__ double as_scored(DType, double x) { return x; }
__device__ __forceinline__ float as_scored(DType type, float x) {
  if (type == DType::kHalf) {
    Half rounded;
    narrow(x, &rounded);
    return widen(rounded);
  }
  if (type == DType::kBFloat16) {
    BFloat16 rounded;
    narrow(x, &rounded);
    return widen(rounded);
  }
  return x;
}

// The least V that is not below a cut: a comparison with it says what one with the cut would.
__device__ __forceinline__ void round_up(double cut, double* to) { *to = cut; }
__device__ __forceinline__ void round_up(double cut, float* to) {
  const float nearest = static_cast<float>(cut);
  *to = nearest < cut ? nextafterf(nearest, INFINITY) : nearest;
}

// How many cuts a score reaches.
struct CutFinder {
  ScoreBins bins;
  bool near;  // whether a block has a copy of the cuts, as V

  __host__ __device__ int64_t number() const { return bins.number + 1; }
  // The bins that a block counts where it has no room for all: none.
  int64_t hot() const { return 0; }
  int64_t hot_end(DType) const { return 0; }

  __device__ const double* cuts(const ScoresBatch& b, bool logits) const {
    return logits && !b.multiclass ? bins.logit_cuts : bins.cuts;
  }

  // Copies the cuts; a barrier follows.
  template <typename V>
  __device__ void prepare(const ScoresBatch& b, bool logits, V* copy) const {
    for (int i = threadIdx.x; near && i < bins.number; i += kThreads) round_up(cuts(b, logits)[i], copy + i);
  }

  template <typename V>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, DType, bool logits, const V* copy, V x) const {
    const double* far = cuts(b, logits);
    return find(b, logits, x, [&](int64_t i) { return near ? x >= copy[i] : static_cast<double>(x) >= far[i]; });
  }

 protected:
  // reaches(i): whether the score reaches a cut.
  template <typename V, typename Reaches>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, bool logits, V x, const Reaches& reaches) const {
    if (bins.uniform && (b.multiclass || !logits)) {
      // The nearest step is found by a product that is wrong by much less than half a step: those below it are reached.
      const V at_least_0 = x > V(0) ? x : V(0), within = at_least_0 < V(1) ? at_least_0 : V(1);  // 0 for NaN
      const int nearest = static_cast<int>(within * static_cast<V>(bins.number - 1) + V(0.5));
      return nearest + reaches(nearest);
    }
    int64_t base = 0;
    for (int64_t left = bins.number; left > 1;) {
      const int64_t half = left / 2;
      if (reaches(base + half - 1)) base += half;
      left -= half;
    }
    return base + reaches(base);
  }
};

// The same where a block has a copy of the cuts.
struct NearCutFinder : CutFinder {
  template <typename V>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, DType, bool logits, const V* copy, V x) const {
    return CutFinder::find(b, logits, x, [&](int64_t i) { return x >= copy[i]; });
  }
};

// The key of a score, negative for NaN.
struct KeyFinder {
  ScoreKeys keys;
  int64_t of_column;

  __host__ __device__ int64_t number() const { return of_column; }

  // The keys that a block counts where it has no room for all: those of the greatest probabilities, which many scores
  // of a model have that is sure. Of scores of 16 bits they are as dense as these, so of uniform ones in bfloat16 all
  // but one in 256 have such a key, and half of those in float16.
  int64_t hot() const { return keys.bits == 0 && keys.signed_ ? 0 : 1024; }
  int64_t hot_end(DType type) const {
    return keys.bits == 0 && type == DType::kBFloat16 ? ScoreKeys::kOfBFloat16 : of_column;
  }

  template <typename V>
  __device__ void prepare(const ScoresBatch&, bool, V*) const {}

  template <typename V>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, DType type, bool logits, const V*, V x) const {
    if (logits && !b.multiclass) x = as_scored(type, sigmoid(x));
    if (x != x) return -1;
    if (keys.bits != 0) return leading_bits(static_cast<float>(x));
    const bool half = type == DType::kHalf;
    const int32_t bits = sixteen_bits(half, static_cast<float>(x) + 0.0f);  // -0 is 0
    if (keys.signed_) return (half ? ScoreKeys::kOfSigned : 0) + (bits & 0x8000 ? 0xffff - bits : bits | 0x8000);
    const int32_t of_one = half ? 0x3c00 : 0x3f80;
    return (half ? ScoreKeys::kOfBFloat16 : 0) + (bits < of_one ? bits : of_one);
  }

 private:
  static __device__ __forceinline__ int32_t sixteen_bits(bool half, float x) {
    if (half) {
      Half score;
      narrow(x, &score);
      return score.bits;
    }
    return static_cast<int32_t>(__float_as_uint(x) >> 16);
  }

  __device__ __forceinline__ int64_t leading_bits(float x) const {
    const int shift = 31 - keys.bits;
    const int32_t before = (int32_t{1} << shift) - 1;  // what has 0 to itself, and 1
    const float at_least_0 = x > 0.0f ? x : 0.0f, within = at_least_0 < 1.0f ? at_least_0 : 1.0f;
    const int32_t whole =
        within < 0.5f ? __float_as_int(within) : 2 * ScoreKeys::kHalfway - __float_as_int(1.0f - within);
    return (whole + before) >> shift;
  }
};

// The cells of all rows.
template <typename Finder, typename Rows>
__device__ __forceinline__ int64_t cells_of(const ScoresBatch& b, const Finder& finder, const Rows& rows) {
  return count_of(rows) * b.columns * finder.number() * 2;
}

// What a thread does with scores in a round. Rows: OneRow, or ColumnRows. kOfBlock: whether it counts in cells of its
// block in any case.
template <typename Finder, typename V, typename Cell, typename Rows, bool kOfBlock = false>
class ScoresCounter {
 public:
  // cells_at: where in shared memory the cells begin, behind the copy of the cuts.
  __device__ __forceinline__ ScoresCounter(const ScoresBatch& b, const Finder& finder, const Rows& rows,
                                           const CountedRounds<Cell>& rounds, const Turn& turn, unsigned char* shared,
                                           int cells_at)
      : b_(b),
        finder_(finder),
        rows_(rows),
        rounds_(rounds),
        logits_(rounds.logits(b, turn.round)),
        lookout_(turn.round, rounds.scratch + kScoresOutside),
        first_(turn.round == Round::kFirst),
        copy_(prepared(shared)),
        cells_(shared + cells_at, rounds.cells, counts() ? rounds.replicas : 0) {}

  __device__ bool logits() const { return logits_; }
  __device__ bool counts() const { return rounds_.counted_in(first_) != nullptr; }
  __device__ BadOnes* bad() { return &bad_; }

  __device__ __forceinline__ void look(V x) { lookout_.look(is_outside(x)); }

  // A score of a sample, whose rows are at `at`. label: 0 or 1. type: of the scores. place: that of a NaN, which may be
  // bad.
  template <typename Place>
  __device__ __forceinline__ void count(int64_t at, int64_t column, V x, DType type, int label, Cell amount,
                                        const Place& place) {
    const int64_t bin = finder_.find(b_, type, logits_, copy_, x);
    if (bin < 0) {
      bad_.add(kBadPreds, place());
      return;
    }
    each_row(rows_, at, [&](int64_t row) {
      const int64_t cell = ((row * b_.columns + column) * finder_.number() + bin) * 2 + label;
      if constexpr (kOfBlock) {
        cells_.add_near(static_cast<int>(cell), amount);
      } else {
        const int64_t near = cell - rounds_.first;
        if (static_cast<uint64_t>(near) < static_cast<uint64_t>(rounds_.cells)) {
          cells_.add_near(near, amount);
        } else {
          atomicAdd(rounds_.counted_in(first_) + cell, CellOfCard<Cell>{amount});
        }
      }
    });
  }

  // See Lookout.
  __device__ __forceinline__ bool stops() { return lookout_.stops(); }

  // All threads of the block call it, once each has done its part.
  __device__ __forceinline__ void close() {
    if (counts()) {
      cells_.flush(rounds_.counted_in(first_) + rounds_.first);
      rounds_.close(bad_);
    }
    finish_scores(b_, rounds_, false);
  }

 private:
  __device__ __forceinline__ V* prepared(unsigned char* shared) {
    V* copy = reinterpret_cast<V*>(shared);
    if (counts()) finder_.prepare(b_, logits_, copy);
    return copy;  // the barrier is that of the cells
  }

  const ScoresBatch& b_;
  const Finder& finder_;
  const Rows& rows_;
  const CountedRounds<Cell>& rounds_;
  bool logits_;
  Lookout lookout_;
  bool first_;  // whether another round follows
  const V* copy_;
  CellsOfBlock<Cell> cells_;
  BadOnes bad_;
};

// Scores of columns that are each for themselves; see walk_elements. Four blocks share a multiprocessor: its loads are
// few, and waited for.
template <typename Finder, typename V, typename Cell, typename Rows>
FM_KERNEL_OF(4)
score_elements_kernel(const __grid_constant__ ScoresBatch b, const Finder finder,
                      const __grid_constant__ CountedRounds<Cell> rounds, int cells_at, bool by_column,
                      const __grid_constant__ Rows rows_of) {
  extern __shared__ __align__(16) unsigned char shared[];
  const Turn turn = rounds.turns.take();
  if (rounds.settle(b, turn, cells_of(b, finder, rows_of))) return;
  ScoresCounter<Finder, V, Cell, Rows> counter(b, finder, rows_of, rounds, turn, shared, cells_at);
  walk_elements(
      b, rounds.turns, by_column,
      [&](int64_t row, int64_t column) {
        int64_t of_score, of_target;
        b.rows.locate(row, &of_score, &of_target);
        const V x = score_of<V>(b, of_score + column * b.a_column);  // not behind the target, for which it would wait
        const auto target = read_target<Cell>(b, row, column, of_target + column * b.b_column, true, counter.bad());
        if (target.decides) counter.look(x);
        if (target.label < 0 || !counter.counts()) return;
        counter.count(find_rows(rows_of, row, column), column, x, b.preds_type, static_cast<int>(target.label),
                      target.amount, [&] { return b.score_at(row, column); });
      },
      [&] { return counter.stops(); });
  counter.close();
}

// One column whose scores T and targets I are a line, see walk_line, counted in cells of blocks.
template <typename T, typename I>
FM_KERNEL score_line_kernel(const __grid_constant__ ScoresBatch b, const NearCutFinder finder,
                            const __grid_constant__ CountedRounds<uint32_t> rounds, int cells_at) {
  extern __shared__ __align__(16) unsigned char shared[];
  using V = WidenedTo<T>;
  constexpr int kN = kPerLoad<T>;
  const Turn turn = rounds.turns.take();
  const OneRow rows_of;
  if (rounds.settle(b, turn, cells_of(b, finder, rows_of))) return;
  ScoresCounter<NearCutFinder, V, uint32_t, OneRow, true> counter(b, finder, rows_of, rounds, turn, shared, cells_at);
  auto take = [&](int64_t i, V x, int label) {
    counter.look(x);
    if (counter.counts()) counter.count(0, 0, x, kTypeOf<T>, label, 1, [&] { return i; });
  };
  walk_line<T, I>(
      b, rounds.turns,
      [&](int64_t i, const Pack<T, kN>& x, const Pack<I, kN>& target) {
#pragma unroll
        for (int j = 0; j < kN; ++j) take(i + j, widen(x.at[j]), static_cast<int>(target.at[j]));
      },
      [&](int64_t i) {
        const auto target = read_target<uint32_t>(b, i, 0, i, true, counter.bad());
        const V x = widen(static_cast<const T*>(b.preds)[i]);
        if (target.label >= 0) {
          take(i, x, static_cast<int>(target.label));
        } else if (target.decides) {
          counter.look(x);
        }
      },
      [&] { return counter.stops(); });
  counter.close();
}

// Samples of classes: kLanes lanes, 1 or a warp, have one.
template <typename Finder, typename V, typename Cell, int kLanes, typename Rows>
FM_KERNEL score_rows_kernel(const __grid_constant__ ScoresBatch b, const Finder finder,
                            const __grid_constant__ CountedRounds<Cell> rounds, int cells_at,
                            const __grid_constant__ Rows rows_of) {
  static_assert(kLanes == 1 || kLanes == kWarp, "a thread or a warp");
  extern __shared__ __align__(16) unsigned char shared[];
  const Turn turn = rounds.turns.take();
  if (rounds.settle(b, turn, cells_of(b, finder, rows_of))) return;
  ScoresCounter<Finder, V, Cell, Rows> counter(b, finder, rows_of, rounds, turn, shared, cells_at);
  constexpr int kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), stride = static_cast<int64_t>(rounds.turns.blocks) * kRows;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row_of_warp = static_cast<int>(threadIdx.x) % kWarp / kLanes;
  for (int64_t row = static_cast<int64_t>(turn.block) * kRows + threadIdx.x / kLanes; row - row_of_warp < rows;
       row += stride) {
    if (row < rows) {
      int64_t of_scores, of_target;
      b.rows.locate(row, &of_scores, &of_target);
      const auto target = read_target<Cell>(b, row, 0, of_target, lane == 0, counter.bad());
      const bool counted = target.label >= 0 && counter.counts();
      const int64_t at = counted ? find_rows(rows_of, row, 0) : 0;
      if (counted && counter.logits()) {
        auto read = [&](int64_t c) { return score_of<V>(b, of_scores + c * b.a_column); };
        const SoftmaxOfRow<V> softmax = softmax_of_row<V, kLanes>(b.columns, lane, read);
        for (int64_t c = lane; c < b.columns; c += kLanes) {
          const V p = as_scored(b.preds_type, exp_of_score(read(c) - softmax.most) * softmax.scale);
          counter.count(at, c, p, b.preds_type, c == target.label, target.amount, [&] { return b.score_at(row, c); });
        }
      } else if (counted || target.decides) {
        for (int64_t c = lane; c < b.columns; c += kLanes) {
          const V x = score_of<V>(b, of_scores + c * b.a_column);
          counter.look(x);
          if (!counted) continue;
          counter.count(at, c, x, b.preds_type, c == target.label, target.amount, [&] { return b.score_at(row, c); });
        }
      }
    }
    if (counter.stops()) break;
  }
  counter.close();
}

}  // namespace fastmetrics
