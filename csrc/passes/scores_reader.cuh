// SPDX-License-Identifier: Apache-2.0
//
// How the kernels of the passes of scores read a batch: rounds, targets, scores, and the ways through a batch of
// columns that are each for themselves.

#pragma once

#include <cmath>
#include <type_traits>

#include "common/rounds.cuh"
#include "passes/scores.h"
#include "rules/hinge.h"

namespace fastmetrics {

// Scratch of a batch that may be either, int64, zero before: how many targets, preds and weights are out of range,
// where the first of each is (as kNoPlace - place), whether a score lies outside [0, 1], and that of the turns.
enum {
  kScoresFaults = 0,
  kScoresPlaces = 3,
  kScoresOutside = 6,
  kScoresTurns = 7,
  kScoresScratch = kScoresTurns + kTurnsScratch
};

// The code of a type of scores.
template <typename T>
constexpr DType kTypeOf = std::is_same<T, Half>::value       ? DType::kHalf
                          : std::is_same<T, BFloat16>::value ? DType::kBFloat16
                          : std::is_same<T, float>::value    ? DType::kFloat
                                                             : DType::kDouble;

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

// exp of what is not above 0; of floats 0 where it is less than the least normal number.
__device__ __forceinline__ double exp_of_score(double x) { return exp(x); }
__device__ __forceinline__ float exp_of_score(float x) { return x < -87.3f ? 0.0f : expf(x); }

__device__ __forceinline__ double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// A target and what it weighs. `label` is the class, or 0 or 1; negative if it is not counted.
template <typename Cell>
struct ScoredTarget {
  int64_t label;
  Cell amount;
  bool decides;  // between probabilities and logits
};

// Weights are read if Cell is double, and there are any.
template <typename Cell>
__device__ __forceinline__ ScoredTarget<Cell> read_target(const ScoresBatch& b, int64_t row, int64_t column,
                                                          int64_t of_target, bool notes, BadOnes* bad) {
  if (b.valid != nullptr && !b.valid[b.rows.offset(row, b.rows.c_stride) + column * b.c_column]) return {-1, 0, false};
  ScoredTarget<Cell> found{0, 1, true};
  if constexpr (std::is_same<Cell, double>::value) {  // not behind the target, for which it would wait
    if (b.weights != nullptr) found.amount = b.weights[b.rows.offset(row, b.rows.d_stride) + column * b.d_column];
  }
  const int64_t target = label_at(b.target, b.target_type, of_target);
  if (b.has_ignore && target == b.ignore) return {-1, 0, !b.multiclass && b.ignored_decide};
  found.label = target;
  const int64_t limit = b.multiclass ? b.columns : 2;
  if (target < 0 || target >= limit) {
    if (notes) bad->add(kBadTarget, b.place_of(row, column));
    found.label = -1;
  }
  if constexpr (std::is_same<Cell, double>::value) {
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

// What all rounds over a batch share.
struct ScoresRounds {
  Turns turns;
  int64_t* scratch;  // [kScoresScratch], zero before and after; null if there is one round alone
  int64_t* faults;   // [kFaults], or null

  // Whether scores are logits, as far as is known when a round begins.
  __device__ bool logits(const ScoresBatch& b, Round round) const {
    return round == Round::kSecond ? scratch[kScoresOutside] != 0 : b.logits == kLogits;
  }

  // Whether it is a second round that has nothing to do.
  __device__ bool are_over(const ScoresBatch& b, Round round) const {
    return round == Round::kSecond && !logits(b, round);
  }

  // What a thread found to be bad; all threads of the block call it.
  __device__ __forceinline__ void close(const BadOnes& bad) const {
    if (turns.current().round == Round::kFirst) {
      bad.close(scratch + kScoresFaults, scratch + kScoresPlaces);
    } else {
      bad.close(faults);
    }
  }
};

// The end of a block's turn; all threads call it. The last block of the last round records what is bad, and makes the
// scratch zero again. first: whether what is bad is that of the first round. Out of line, because it has more in
// registers than the loops over scores.
static __device__ __attribute__((noinline)) void finish_scores(const ScoresBatch& b, const ScoresRounds& rounds,
                                                               bool first) {
  int64_t *const scratch = rounds.scratch, *const faults = rounds.faults;
  const Round round = rounds.turns.current().round;
  if (round == Round::kFirst) return rounds.turns.done();
  if (round == Round::kSecond) {
    if (!rounds.turns.are_over()) return;
  } else if (faults == nullptr || !comes_last(rounds.turns.blocks, faults + kScratchBlocks)) {
    return;
  }
  if (threadIdx.x != 0) return;
  if (faults != nullptr) {
    for (int which = 0; first && which < kKindsOfFault; ++which) {
      faults[kScratchCount + which] = scratch[kScoresFaults + which];
      faults[kScratchPlace + which] = scratch[kScoresPlaces + which];
    }
    record_faults(faults, [&](int which, int64_t place) { return bad_value(b, which, place); });
  }
  for (int i = 0; scratch != nullptr && i < kScoresTurns; ++i) scratch[i] = 0;
}

// The elements of columns that are each for themselves: a thread has take(row, column) of one after another. by_column:
// whether one of the next column is nearer than one of the next sample. It ends where stops() says so, which all lanes
// of a warp call together.
template <typename Take, typename Stops>
__device__ __forceinline__ void walk_elements(const ScoresBatch& b, const Turns& turns, bool by_column,
                                              const Take& take, const Stops& stops) {
  const int64_t rows = b.rows.samples();
  const int64_t quick_size = by_column ? b.columns : rows, slow_size = by_column ? rows : b.columns;
  const int64_t first = turns.current().thread(), stride = turns.threads();
  // an element is the one at `quick` of those with the index `slow`
  int64_t quick = first % quick_size, slow = first / quick_size;
  const int64_t quick_step = stride % quick_size, slow_step = stride / quick_size;
  while (__any_sync(kAllLanes, slow < slow_size)) {
    if (slow < slow_size) take(by_column ? slow : quick, by_column ? quick : slow);
    if (stops()) break;
    quick += quick_step;
    slow += slow_step;
    if (quick >= quick_size) {
      quick -= quick_size;
      ++slow;
    }
  }
}

// The elements of a line: scores T and targets I that are neighbours, both 16-byte aligned, without masks and weights,
// whose ignored target is neither 0 nor 1. clean(i, x, target) has kPerLoad<T> of them from i on whose targets are all
// 0 or 1, one(i) a single one. For `stops` see walk_elements.
template <typename T, typename I, typename Clean, typename One, typename Stops>
__device__ __forceinline__ void walk_line(const ScoresBatch& b, const Turns& turns, const Clean& clean, const One& one,
                                          const Stops& stops) {
  constexpr int kN = kPerLoad<T>, kPacks = 2;
  const T* preds = static_cast<const T*>(b.preds);
  const I* target = static_cast<const I*>(b.target);
  const int64_t elements = b.rows.size[0] * b.columns, whole = elements / kN, packs = (elements + kN - 1) / kN;
  const int64_t stride = turns.threads();
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  auto one_by_one = [&](int64_t from, int64_t to) {
#pragma unroll 1
    for (int64_t i = from; i < to; ++i) one(i);
  };
  // Whether a target of a pack is neither 0 nor 1.
  auto is_odd = [&](const Pack<I, kN>& t) {
    I other = 0;
#pragma unroll
    for (int j = 0; j < kN; ++j) other |= t.at[j] & static_cast<I>(~I(1));
    return other != 0;
  };
  int64_t i = turns.current().thread();
  // as long as all lanes of the warp have whole packs
  for (; i - lane + kWarp - 1 + (kPacks - 1) * stride < whole; i += kPacks * stride) {
    Pack<T, kN> x[kPacks];
    Pack<I, kN> t[kPacks];
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      x[u] = load_pack<T, kN>(preds + (i + u * stride) * kN);
      t[u] = load_pack<I, kN>(target + (i + u * stride) * kN);
    }
    unsigned odd = 0;
#pragma unroll
    for (int u = 0; u < kPacks; ++u) {
      if (is_odd(t[u])) {
        odd |= 1u << u;
      } else {
        clean((i + u * stride) * kN, x[u], t[u]);
      }
    }
#pragma unroll 1
    for (int64_t pack = i; odd != 0; odd >>= 1, pack += stride) {
      if ((odd & 1u) != 0) one_by_one(pack * kN, pack * kN + kN);
    }
    if (stops()) return;
  }
  for (; i - lane < packs; i += stride) {
    bool odd = i < packs;
    if (i < whole) {
      const Pack<I, kN> t = load_pack<I, kN>(target + i * kN);
      odd = is_odd(t);
      if (!odd) clean(i * kN, load_pack<T, kN>(preds + i * kN), t);
    }
    if (odd) one_by_one(i * kN, i < whole ? i * kN + kN : elements);
    if (stops()) return;
  }
}

// What makes a softmax of the scores x of a sample: exp(x - most) * scale.
template <typename V>
struct SoftmaxOfRow {
  V most, scale;
};

// kLanes lanes read the scores of a sample, read(c) one of them, and all get the result. The scale is NaN where there
// is no softmax. A sum is made of sums of kPart columns.
template <typename V, int kLanes, typename Read>
__device__ __forceinline__ SoftmaxOfRow<V> softmax_of_row(int64_t columns, int lane, const Read& read) {
  constexpr int kPart = 16;
  V most = -INFINITY, sum = 0;
  bool nan = false;
  for (int64_t c = lane; c < columns; c += kLanes) {
    const V x = read(c);
    nan |= x != x;
    most = x > most ? x : most;
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) {
    const V other = __shfl_xor_sync(kAllLanes, most, offset);
    most = other > most ? other : most;
  }
  if constexpr (kLanes == kWarp) nan = __any_sync(kAllLanes, nan);
  if (nan || most - most != 0) return {0, static_cast<V>(NAN)};  // NaN, or infinite
  for (int64_t first = lane; first < columns; first += kPart * kLanes) {
    V part = 0;
    for (int64_t c = first; c < columns && c < first + kPart * kLanes; c += kLanes) {
      part += exp_of_score(read(c) - most);
    }
    sum += part;
  }
  for (int offset = kLanes / 2; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  return {most, 1 / sum};
}

}  // namespace fastmetrics
