// SPDX-License-Identifier: Apache-2.0
//
// Argmax of a block of samples, and the rank of their targets, in the order of rules/order.h.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): long rows have running maxima and their places in
// lanes, and are counted against their targets' scores in the same read, four rows in step; short rows are transposed
// in registers. Planes (the same class of neighbouring samples are neighbours): the running maxima of four registers of
// samples stay there while the class planes go by. Anything else is walked score by score.

#pragma once

#include <cmath>
#include <cstdint>

#include "common/cpu.h"
#include "passes/argmax_double_cpu.h"
#include "passes/argmax_lanes_cpu.h"
#include "passes/argmax_short_cpu.h"
#include "rules/order.h"

namespace fastmetrics {

// Scores of `n` samples: sample i has its class c at data[i * sample + c * klass].
template <typename T>
struct Scores {
  const T* data;
  int64_t sample;
  int64_t klass;
  int64_t classes;
};

template <typename T>
inline int32_t first_nan(const T* row, int64_t classes) {
  for (int64_t c = 0; c < classes; ++c) {
    const auto x = widen(row[c]);
    if (x != x) return static_cast<int32_t>(c);
  }
  return 0;
}

// The place of the greatest score; of equal ones, the first. Lanes k of a block begin at k times their number.
template <typename V, typename I, int N>
inline int32_t first_greatest(const RowLanes<V, I> (&lanes)[N]) {
  constexpr int kLanes = sizeof(V) / sizeof(lanes[0].best[0]);
  V best = lanes[0].best;
  I at = lanes[0].at;
  for (int k = 1; k < N; ++k) {
    const I place = lanes[k].at + kLanes * k;
    const I take = (lanes[k].best > best) | ((lanes[k].best == best) & (place < at));
    best = take ? lanes[k].best : best;
    at = take ? place : at;
  }
  auto greatest = best[0];
  int64_t first = at[0];
  for (int i = 1; i < kLanes; ++i) {
    const int64_t place = at[i] + i;
    const bool take = best[i] > greatest || (best[i] == greatest && place < first);
    greatest = take ? best[i] : greatest;
    first = take ? place : first;
  }
  return static_cast<int32_t>(first);
}

#ifdef __AVX512F__
template <int N>
inline int32_t first_greatest(const RowLanes<F32s, I32s> (&lanes)[N]) {
  __m512 greatest = (__m512)lanes[0].best;
  for (int k = 1; k < N; ++k) greatest = _mm512_max_ps(greatest, (__m512)lanes[k].best);
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(greatest));
  __m512i first = _mm512_set1_epi32(INT32_MAX);
  for (int k = 0; k < N; ++k) {
    const __m512i place = (__m512i)(lanes[k].at + lane_numbers() + kFloats * k);
    const __mmask16 equal = _mm512_cmp_ps_mask((__m512)lanes[k].best, top, _CMP_EQ_OQ);
    first = _mm512_mask_min_epi32(first, equal, first, place);
  }
  return _mm512_reduce_min_epi32(first);
}
#endif

// As many scores as a register has lanes.
template <typename T>
inline F32s load_lanes(const T* from) {
  return widen_floats(from);
}
inline F64s load_lanes(const double* from) { return load<F64s>(from); }

// Classes of four vectors.
template <typename T>
constexpr int64_t kRowBlock = 4 * kRegister / std::max<int64_t>(4, sizeof(T));

// Of how many classes rows are long: shorter ones are transposed where that can be done.
#ifdef FM_SHORT_ROWS
template <typename T>
constexpr int64_t kLongRow = sizeof(T) == 8 ? 32 : 64;
#else
template <typename T>
constexpr int64_t kLongRow = kRowBlock<T>;
#endif

// A row of at least kRowBlock neighbours.
template <typename T>
inline int32_t argmax_long_row(const T* row, int64_t classes) {
  using V = decltype(load_lanes(row));
  using I = std::conditional_t<sizeof(T) == 8, I64s, I32s>;
  constexpr int64_t kBlockSize = kRowBlock<T>, kLanes = kBlockSize / 4;
  RowLanes<V, I> lanes[4];
  V x[4];
  decltype(nan_of(x[0], x[1])) nan{};
  auto load_block = [&](int64_t c) {
    fetch_ahead(row + c, kBlockSize);
    for (int k = 0; k < 4; ++k) x[k] = load_lanes(row + c + kLanes * k);
    nan |= nan_of(x[0], x[1]) | nan_of(x[2], x[3]);
  };
  load_block(0);
  for (int k = 0; k < 4; ++k) lanes[k] = {x[k], I{}};
  int64_t c = kBlockSize;
  for (; c + kBlockSize <= classes; c += kBlockSize) {
    load_block(c);
    for (int k = 0; k < 4; ++k) see(x[k], static_cast<int32_t>(c), &lanes[k]);
  }
  if (c < classes) {  // the last block again, whatever part of it was seen
    c = classes - kBlockSize;
    load_block(c);
    for (int k = 0; k < 4; ++k) see(x[k], static_cast<int32_t>(c), &lanes[k]);
  }
  return any(nan) ? first_nan(row, classes) : first_greatest(lanes);
}

inline int32_t sum_of(I32s lanes) {
#ifdef __AVX512F__
  return _mm512_reduce_add_epi32((__m512i)lanes);
#else
  int32_t sum = 0;
  for (int i = 0; i < kFloats; ++i) sum += lanes[i];
  return sum;
#endif
}

// Classes [begin, end) of a row that are not less than `own`, or (kOrEqual) not less or equal.
template <bool kOrEqual, typename T>
inline int32_t count_not_less(const T* row, int64_t begin, int64_t end, float own) {
  int32_t count = 0;
  I32s lanes = {};
  int64_t c = begin;
  for (; c + kFloats <= end; c += kFloats) {
    const F32s x = widen_floats(row + c);
    lanes += kOrEqual ? ~(x <= own) : ~(x < own);
  }
  for (; c < end; ++c) {
    const float x = widen(row[c]);
    count += kOrEqual ? !(x <= own) : !(x < own);
  }
  return count - sum_of(lanes);
}

// How many classes come before the target. Classes before it precede unless they are less, classes after it unless they
// are less or equal; NaN is never less, unless the target's own score is NaN.
template <typename T>
inline int32_t rank_of(const T* row, int64_t classes, int64_t step, int64_t target) {
  const auto own = widen(row[target * step]);
  if (own != own) {
    int32_t rank = 0;
    for (int64_t c = 0; c < target; ++c) {
      const auto x = widen(row[c * step]);
      rank += x != x;
    }
    return rank;
  }
  if constexpr (sizeof(T) <= 4) {
    if (step == 1) {
      return count_not_less<false>(row, 0, target, own) + count_not_less<true>(row, target + 1, classes, own);
    }
  }
  auto count = [&](auto stride) {
    int32_t rank = 0;
    for (int64_t c = 0; c < target; ++c) rank += !(widen(row[c * stride]) < own);
    for (int64_t c = target + 1; c < classes; ++c) rank += !(widen(row[c * stride]) <= own);
    return rank;
  };
  return step == 1 ? count(std::integral_constant<int64_t, 1>{}) : count(step);
}

#ifdef FM_SHORT_ROWS
// Rows of fewer than kLongRow<T> classes, kShortRows at a time; returns how many were done. target and ranks, [n], are
// for kRanks; the rank of a negative target is not written.
template <bool kRanks, typename T>
inline int short_rows(const Scores<T>& s, int n, int32_t* labels, const int32_t* target, int32_t* ranks) {
  const int32_t classes = static_cast<int32_t>(s.classes);
  int i = 0;
  for (; i + kShortRows <= n; i += kShortRows) {
    const T* rows = s.data + i * s.sample;
    ShortRanks of{};
    fetch_ahead(rows, kShortRows * s.sample);
    if (kRanks) {
      for (int r = 0; r < kShortRows; ++r) of.own[r] = widen(rows[r * s.sample + std::max(0, target[i + r])]);
      of.target = load<I32s>(target + i);
    }
    argmax_short_rows<kRanks>(rows, s.sample, classes, labels + i, &of);
    for (int r = 0; kRanks && r < kShortRows; ++r) {
      const int32_t t = target[i + r];
      if (t >= 0) ranks[i + r] = of.own[r] == of.own[r] ? of.before[r] : rank_of(rows + r * s.sample, classes, 1, t);
    }
  }
  return i;
}
#endif

// Rows of at least kLongRow<T> classes, of four ranges in step; returns how many were done. Arguments are as above.
template <bool kRanks, typename T>
inline int long_rows(const Scores<T>& s, int n, int32_t* labels, const int32_t* target, int32_t* ranks) {
  constexpr int kRows = 4, kSoon = 4;
  constexpr int64_t kStep = 2 * kFloats;
  const int length = n / kRows;
  for (int i = 0; i < length; ++i) {
    const T* row[kRows];
    RowLanes<F32s, I32s> lanes[kRows][1];
    Ranking of[kRows];
    decltype(nan_of(F32s{}, F32s{})) nan[kRows] = {};
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      row[r] = s.data + at * s.sample;
      lanes[r][0] = RowLanes<F32s, I32s>{F32s{} - INFINITY, I32s{}};
      if (!kRanks) continue;
      of[r].own = F32s{} + widen(row[r][std::max(0, target[at])]);
      of[r].target = target[at] - lane_numbers();
      of[r].before = I32s{};
      if (i + kSoon < length) __builtin_prefetch(row[r] + kSoon * s.sample + std::max(0, target[at + kSoon]));
    }
    // fresh: how many of the classes were not seen before; the last ones
    auto look = [&](int64_t c, auto fresh) __attribute__((always_inline)) {
      for (int r = 0; r < kRows; ++r) {
        fetch_ahead(row[r] + c, kStep);
        const F32s x[2] = {widen_floats(row[r] + c), widen_floats(row[r] + c + kFloats)};
        nan[r] |= nan_of(x[0], x[1]);
        for (int half = 0; half < 2; ++half) {
          const int32_t first = static_cast<int32_t>(c) + kFloats * half;
          see(x[half], first, &lanes[r][0]);
          if (kRanks) count(precede(x[half], first, of[r]) & last_lanes(fresh - (1 - half) * kFloats), &of[r]);
        }
      }
    };
    int64_t c = 0;
    for (; c + kStep <= s.classes; c += kStep) look(c, std::integral_constant<int64_t, kStep>{});
    if (c < s.classes) look(s.classes - kStep, s.classes - c);
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      labels[at] = any(nan[r]) ? first_nan(row[r], s.classes) : first_greatest(lanes[r]);
      if (!kRanks || target[at] < 0) continue;
      const bool ordered = of[r].own[0] == of[r].own[0];
      ranks[at] = ordered ? sum_of(of[r].before) : rank_of(row[r], s.classes, 1, target[at]);
    }
  }
  return kRows * length;
}

template <typename T>
inline void argmax_rows(const Scores<T>& s, int n, int32_t* labels) {
  int i = 0;
  if (s.classes >= kLongRow<T>) {
    if constexpr (sizeof(T) <= 4) i = long_rows<false>(s, n, labels, nullptr, nullptr);
    for (; i < n; ++i) labels[i] = argmax_long_row(s.data + i * s.sample, s.classes);
  }
#ifdef FM_SHORT_ROWS
  if constexpr (sizeof(T) <= 4) {
    if (s.classes < kLongRow<T>) i = short_rows<false>(s, n, labels, nullptr, nullptr);
  } else if (s.classes > 1 && s.classes < kLongRow<T>) {
    i = short_double_rows(s.data, s.sample, s.classes, n, labels);
  }
#endif
  for (; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, 1);
}

// kSamples neighbours, whose next class is `klass` further.
template <int kSamples, typename T>
inline void argmax_planes(const T* data, int64_t klass, int64_t classes, int32_t* labels) {
  if constexpr (sizeof(T) <= 4) {
    constexpr int kVectors = kSamples / kFloats;
    RowLanes<F32s, I32s> samples[kVectors];
    decltype(nan_of(samples[0].best, samples[0].best)) nan{};
    for (int k = 0; k < kVectors; ++k) {
      samples[k].best = widen_floats(data + kFloats * k);
      samples[k].at = I32s{};
      nan |= nan_of(samples[k].best, samples[k].best);
    }
    for (int64_t c = 1; c < classes; ++c) {
      const T* plane = data + c * klass;
      F32s x[kVectors];
      for (int k = 0; k < kVectors; ++k) {
        __builtin_prefetch(plane + 256 + kFloats * k, 0, 2);
        x[k] = widen_floats(plane + kFloats * k);
        see(x[k], static_cast<int32_t>(c), &samples[k]);
      }
      for (int k = 0; k < kVectors; k += 2) nan |= nan_of(x[k], x[std::min(k + 1, kVectors - 1)]);
    }
    for (int k = 0; k < kVectors; ++k) memcpy(labels + kFloats * k, &samples[k].at, sizeof(samples[k].at));
    for (int i = 0; i < kSamples && any(nan); ++i) labels[i] = argmax_strided(data + i, classes, klass);
  } else {
    argmax_double_planes<kSamples>(data, klass, classes, labels);
  }
}

template <typename T>
inline void argmax_block(const Scores<T>& s, int n, int32_t* labels) {
  if (s.klass == 1) {
    argmax_rows(s, n, labels);
    return;
  }
  int i = 0;
  if (s.sample == 1) {
    constexpr int kMany = 4 * kFloats;
    for (; i + kMany <= n; i += kMany) argmax_planes<kMany>(s.data + i, s.klass, s.classes, labels + i);
    for (; i + kFloats <= n; i += kFloats) argmax_planes<kFloats>(s.data + i, s.klass, s.classes, labels + i);
  }
  for (; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, s.klass);
}

// Labels, and ranks of the targets in [0, classes); the other ranks are left as they are. A few samples at a time,
// where the scores are looked at again, so that they are found in the cache.
template <typename T>
inline void rank_block(const Scores<T>& s, int n, const int32_t* target, int32_t* labels, int32_t* ranks) {
  int i = 0;
  if constexpr (sizeof(T) <= 4) {
#ifdef FM_SHORT_ROWS
    if (s.klass == 1 && s.classes < kLongRow<T>) i = short_rows<true>(s, n, labels, target, ranks);
#endif
    if (s.klass == 1 && s.classes >= kLongRow<T>) i = long_rows<true>(s, n, labels, target, ranks);
  }
  const int step = s.klass == 1 ? static_cast<int>(std::max<int64_t>(1, 4096 / s.classes)) : 64;
  for (; i < n; i += step) {
    const int m = std::min(step, n - i);
    const Scores<T> some{s.data + i * s.sample, s.sample, s.klass, s.classes};
    argmax_block(some, m, labels + i);
    for (int j = 0; j < m; ++j) {
      if (target[i + j] < 0) continue;
      ranks[i + j] = rank_of(some.data + j * s.sample, s.classes, s.klass, target[i + j]);
    }
  }
}

}  // namespace fastmetrics
