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
// Scores of columns that are each for themselves are elements in the order of memory, a thread each. A sample of
// classes, whose softmax needs all, has a thread, or a warp where its scores are neighbours and many: it is read once
// as probabilities, and as logits again from the cache for the sum and for the bins.
//
// Sums of weights are added in no fixed order.

#pragma once

#include <cmath>

#include "common/cells.cuh"
#include "common/rounds.cuh"
#include "passes/scores.h"
#include "rules/hinge.h"

namespace fastmetrics {

// Scratch of a batch that may be either, int64, zero before: how many targets, preds and weights are out of range,
// where the first of each is (as kNoPlace - place), and whether a score lies outside [0, 1].
enum { kScoresFaults = 0, kScoresPlaces = 3, kScoresOutside = 6, kScoresScratch = 8 };

template <typename Cell>
struct ScoresRound {
  Round round;
  int replicas;             // of the cells of a block
  CellOfCard<Cell>* state;  // [columns, bins, 2]
  CellOfCard<Cell>* guess;  // the same of the first round, zero before; null if it only looks
  int64_t* scratch;
  int64_t* faults;

  // Whether scores are logits, as far as is known when the round begins.
  __device__ bool logits(const ScoresBatch& b) const {
    return round == Round::kSecond ? scratch[kScoresOutside] != 0 : b.logits == kLogits;
  }
  // Whether what this round would count is there already.
  __device__ bool guessed(const ScoresBatch& b) const {
    return round == Round::kSecond && guess != nullptr && !logits(b);
  }
};

// One score, exactly. V is float, for scores of up to 32 bits, or double. The type is looked up score by score: every
// kernel would be compiled four times otherwise.
template <typename V>
__device__ __forceinline__ V score_of(const ScoresBatch& b, int64_t offset) {
  if constexpr (sizeof(V) == 8) {
    return static_cast<const double*>(b.preds)[offset];
  } else {
    if (b.preds_type == DType::kFloat) return static_cast<const float*>(b.preds)[offset];
    if (b.preds_type == DType::kHalf) return widen(static_cast<const Half*>(b.preds)[offset]);
    return widen(static_cast<const BFloat16*>(b.preds)[offset]);
  }
}

// A probability that was computed in V as one of the type of the scores.
__device__ __forceinline__ double as_scored(const ScoresBatch&, double x) { return x; }
__device__ __forceinline__ float as_scored(const ScoresBatch& b, float x) {
  if (b.preds_type == DType::kHalf) {
    Half rounded;
    narrow(x, &rounded);
    return widen(rounded);
  }
  if (b.preds_type == DType::kBFloat16) {
    BFloat16 rounded;
    narrow(x, &rounded);
    return widen(rounded);
  }
  return x;
}

// exp of what is not above 0; of floats 0 where it is less than the least normal number.
__device__ __forceinline__ double exp_of_score(double x) { return exp(x); }
__device__ __forceinline__ float exp_of_score(float x) { return x < -87.3f ? 0.0f : expf(x); }

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

  __device__ const double* cuts(const ScoresBatch& b, bool logits) const {
    return logits && !b.multiclass ? bins.logit_cuts : bins.cuts;
  }

  // Copies the cuts; a barrier follows.
  template <typename V>
  __device__ void prepare(const ScoresBatch& b, bool logits, V* copy) const {
    for (int i = threadIdx.x; near && i < bins.number; i += kThreads) round_up(cuts(b, logits)[i], copy + i);
  }

  template <typename V>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, bool logits, const V* copy, V x) const {
    const double* far = cuts(b, logits);
    auto reaches = [&](int64_t i) { return near ? x >= copy[i] : static_cast<double>(x) >= far[i]; };
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

// The key of a score, negative for NaN.
struct KeyFinder {
  ScoreKeys keys;
  int64_t of_column;

  __host__ __device__ int64_t number() const { return of_column; }

  template <typename V>
  __device__ void prepare(const ScoresBatch&, bool, V*) const {}

  template <typename V>
  __device__ __forceinline__ int64_t find(const ScoresBatch& b, bool logits, const V*, V x) const {
    if (logits && !b.multiclass) x = as_scored(b, sigmoid(x));
    if (x != x) return -1;
    if (keys.bits != 0) return leading_bits(static_cast<float>(x));
    const bool half = b.preds_type == DType::kHalf;
    const int32_t bits = sixteen_bits(half, static_cast<float>(x) + 0.0f);  // -0 is 0
    if (keys.signed_) return (half ? ScoreKeys::kOfSigned : 0) + (bits & 0x8000 ? 0xffff - bits : bits | 0x8000);
    const int32_t of_one = half ? 0x3c00 : 0x3f80;
    return (half ? ScoreKeys::kOfBFloat16 : 0) + (bits < of_one ? bits : of_one);
  }

 private:
  static __device__ __forceinline__ double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
  static __device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

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

// A target and what it weighs. `label` is the class, or 0 or 1; negative if it is not counted.
template <typename Cell>
struct ScoredTarget {
  int64_t label;
  Cell amount;
  bool decides;  // between probabilities and logits
};

template <typename Cell>
__device__ __forceinline__ ScoredTarget<Cell> read_target(const ScoresBatch& b, int64_t row, int64_t column,
                                                          int64_t of_target, bool notes, BadOnes* bad) {
  if (b.valid != nullptr && !b.valid[b.rows.offset(row, b.rows.c_stride) + column * b.c_column]) return {-1, 0, false};
  const int64_t target = label_at(b.target, b.target_type, of_target);
  if (b.has_ignore && target == b.ignore) return {-1, 0, !b.multiclass && b.ignored_decide};
  ScoredTarget<Cell> found{target, 1, true};
  const int64_t limit = b.multiclass ? b.columns : 2;
  if (target < 0 || target >= limit) {
    if (notes) bad->add(kBadTarget, b.place_of(row, column));
    found.label = -1;
  }
  if constexpr (std::is_same<Cell, double>::value) {
    found.amount = b.weights[b.rows.offset(row, b.rows.d_stride) + column * b.d_column];
    if (!good_weight(found.amount)) {
      if (notes) bad->add(kBadWeight, b.place_of(row, column));
      found.label = -1;
    }
  }
  return found;
}

// The value at a place that is bad; of a score, the place.
__device__ inline int64_t bad_value(const ScoresBatch& b, int which, int64_t place) {
  if (which == kBadPreds) return place;
  int64_t row = place, column = 0;
  if (!b.multiclass) {
    row = place / (b.inner * b.columns) * b.inner + place % b.inner;
    column = place / b.inner % b.columns;
  }
  if (which == kBadTarget) {
    return label_at(b.target, b.target_type, b.rows.offset(row, b.rows.b_stride) + column * b.b_column);
  }
  return int64_t{__double_as_longlong(b.weights[b.rows.offset(row, b.rows.d_stride) + column * b.d_column])};
}

// What a thread does with scores in a round.
template <typename Finder, typename V, typename Cell>
class ScoresCounter {
 public:
  // cells_at: where in shared memory the cells begin, behind the copy of the cuts.
  __device__ __forceinline__ ScoresCounter(const ScoresBatch& b, const Finder& finder, const ScoresRound<Cell>& round,
                                           unsigned char* shared, int cells_at)
      : b_(b),
        finder_(finder),
        round_(round),
        logits_(round.logits(b)),
        lookout_(round.round, round.scratch + kScoresOutside),
        to_(round.round == Round::kFirst ? round.guess : round.state),
        copy_(prepared(shared)),
        cells_(shared + cells_at, b.columns * finder.number() * 2, round.replicas) {}

  __device__ bool logits() const { return logits_; }
  __device__ bool counts() const { return to_ != nullptr; }
  __device__ BadOnes* bad() { return &bad_; }

  __device__ __forceinline__ void look(V x) { lookout_.look(is_outside(x)); }

  // label: 0 or 1.
  __device__ __forceinline__ void count(int64_t row, int64_t column, V x, int label, Cell amount) {
    const int64_t bin = finder_.find(b_, logits_, copy_, x);
    if (bin < 0) {
      bad_.add(kBadPreds, b_.score_at(row, column));
    } else {
      const int64_t cell = (column * finder_.number() + bin) * 2 + label;
      cells_.add(cell, amount, to_ + cell);
    }
  }

  // See Lookout.
  __device__ __forceinline__ bool stops() { return lookout_.stops(); }

  // All threads of the block call it, once each has done its part.
  __device__ __forceinline__ void close() {
    if (!counts()) return;
    cells_.flush(to_);
    if (round_.round == Round::kFirst) {
      bad_.close(round_.scratch + kScoresFaults, round_.scratch + kScoresPlaces);
    } else {
      bad_.close(round_.faults);
    }
  }

 private:
  __device__ __forceinline__ V* prepared(unsigned char* shared) {
    V* copy = reinterpret_cast<V*>(shared);
    if (counts()) finder_.prepare(b_, logits_, copy);
    return copy;  // the barrier is that of the cells
  }

  const ScoresBatch& b_;
  const Finder& finder_;
  const ScoresRound<Cell>& round_;
  bool logits_;
  Lookout lookout_;
  CellOfCard<Cell>* to_;
  const V* copy_;
  CellsOfBlock<Cell> cells_;
  BadOnes bad_;
};

// Scores of columns that are each for themselves. by_column: whether one of the next column is nearer than one of the
// next sample.
template <typename Finder, typename V, typename Cell>
FM_KERNEL score_elements_kernel(const ScoresBatch b, const Finder finder, const ScoresRound<Cell> round, int cells_at,
                                bool by_column) {
  extern __shared__ __align__(16) unsigned char shared[];
  if (round.guessed(b)) return;
  ScoresCounter<Finder, V, Cell> counter(b, finder, round, shared, cells_at);
  const int64_t rows = b.rows.samples(), elements = rows * b.columns, quick_size = by_column ? b.columns : rows;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  // an element is the one at `quick` of those with the index `slow`
  int64_t quick = i % quick_size, slow = i / quick_size;
  const int64_t quick_step = stride % quick_size, slow_step = stride / quick_size;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (; i - lane < elements; i += stride) {
    if (i < elements) {
      const int64_t row = by_column ? slow : quick, column = by_column ? quick : slow;
      int64_t of_score, of_target;
      b.rows.locate(row, &of_score, &of_target);
      const auto target = read_target<Cell>(b, row, column, of_target + column * b.b_column, true, counter.bad());
      if (target.decides || target.label >= 0) {
        const V x = score_of<V>(b, of_score + column * b.a_column);
        if (target.decides) counter.look(x);
        if (target.label >= 0 && counter.counts()) {
          counter.count(row, column, x, static_cast<int>(target.label), target.amount);
        }
      }
    }
    if (counter.stops()) break;
    quick += quick_step;
    slow += slow_step;
    if (quick >= quick_size) {
      quick -= quick_size;
      ++slow;
    }
  }
  counter.close();
}

// What makes a softmax of the scores x of a sample: exp(x - most) * scale.
template <typename V>
struct SoftmaxOfRow {
  V most, scale;
};

// kLanes lanes read the scores of a sample, and all get the result. at: of its first score. The scale is NaN where
// there is no softmax. A sum is made of sums of kPart columns.
template <typename V, int kLanes>
__device__ __forceinline__ SoftmaxOfRow<V> softmax_of_row(const ScoresBatch& b, int64_t at, int lane) {
  constexpr int kPart = 16;
  V most = -INFINITY, sum = 0;
  bool nan = false;
  for (int64_t c = lane; c < b.columns; c += kLanes) {
    const V x = score_of<V>(b, at + c * b.a_column);
    nan |= x != x;
    most = x > most ? x : most;
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) {
    const V other = __shfl_xor_sync(kAllLanes, most, offset);
    most = other > most ? other : most;
  }
  if constexpr (kLanes == kWarp) nan = __any_sync(kAllLanes, nan);
  if (nan || most - most != 0) return {0, static_cast<V>(NAN)};  // NaN, or infinite
  for (int64_t first = lane; first < b.columns; first += kPart * kLanes) {
    V part = 0;
    for (int64_t c = first; c < b.columns && c < first + kPart * kLanes; c += kLanes) {
      part += exp_of_score(score_of<V>(b, at + c * b.a_column) - most);
    }
    sum += part;
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  return {most, 1 / sum};
}

// Samples of classes: kLanes lanes, 1 or a warp, have one.
template <typename Finder, typename V, typename Cell, int kLanes>
FM_KERNEL score_rows_kernel(const ScoresBatch b, const Finder finder, const ScoresRound<Cell> round, int cells_at) {
  static_assert(kLanes == 1 || kLanes == kWarp, "a thread or a warp");
  extern __shared__ __align__(16) unsigned char shared[];
  if (round.guessed(b)) return;
  ScoresCounter<Finder, V, Cell> counter(b, finder, round, shared, cells_at);
  constexpr int kRows = kThreads / kLanes;
  const int64_t rows = b.rows.samples(), stride = static_cast<int64_t>(gridDim.x) * kRows;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row_of_warp = static_cast<int>(threadIdx.x) % kWarp / kLanes;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kLanes; row - row_of_warp < rows;
       row += stride) {
    if (row < rows) {
      int64_t of_scores, of_target;
      b.rows.locate(row, &of_scores, &of_target);
      const auto target = read_target<Cell>(b, row, 0, of_target, lane == 0, counter.bad());
      const bool counted = target.label >= 0 && counter.counts();
      if (counted && counter.logits()) {
        const SoftmaxOfRow<V> softmax = softmax_of_row<V, kLanes>(b, of_scores, lane);
        for (int64_t c = lane; c < b.columns; c += kLanes) {
          const V e = exp_of_score(score_of<V>(b, of_scores + c * b.a_column) - softmax.most);
          counter.count(row, c, as_scored(b, e * softmax.scale), c == target.label, target.amount);
        }
      } else if (counted || target.decides) {
        for (int64_t c = lane; c < b.columns; c += kLanes) {
          const V x = score_of<V>(b, of_scores + c * b.a_column);
          counter.look(x);
          if (counted) counter.count(row, c, x, c == target.label, target.amount);
        }
      }
    }
    if (counter.stops()) break;
  }
  counter.close();
}

// Records the faults, of the first round if that was right, whose cells are then added to the state.
template <typename Finder, typename Cell>
FM_KERNEL score_close_kernel(const ScoresBatch b, const Finder finder, const ScoresRound<Cell> round) {
  const bool guessed = round.guessed(b);
  const int64_t cells = guessed ? b.columns * finder.number() * 2 : 0;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < cells; i += stride) {
    if (round.guess[i] != 0) round.state[i] += round.guess[i];
  }
  if (round.faults == nullptr || blockIdx.x != 0 || threadIdx.x != 0) return;
  for (int which = 0; guessed && which < kKindsOfFault; ++which) {
    round.faults[kScratchCount + which] = round.scratch[kScoresFaults + which];
    round.faults[kScratchPlace + which] = round.scratch[kScoresPlaces + which];
  }
  record_faults(round.faults, [&](int which, int64_t place) { return bad_value(b, which, place); });
}

}  // namespace fastmetrics
