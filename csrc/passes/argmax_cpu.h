// SPDX-License-Identifier: Apache-2.0
//
// Argmax of a block of samples, and the rank of their targets, in the order of rules/order.h.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): long rows have running maxima and their places in
// lanes, and are counted against their targets' scores in the same read, four rows in step; short rows are transposed
// in registers. Planes (the same class of neighbouring samples are neighbours): the running maxima of 64 samples stay
// in registers while the class planes go by. Anything else is walked score by score.

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
  auto best = lanes[0].best[0];
  int64_t first = lanes[0].at[0];
  for (int k = 0; k < N; ++k) {
    for (int i = 0; i < kLanes; ++i) {
      const int64_t place = lanes[k].at[i] + kLanes * k + i;
      if (lanes[k].best[i] > best || (lanes[k].best[i] == best && place < first)) {
        best = lanes[k].best[i];
        first = place;
      }
    }
  }
  return static_cast<int32_t>(first);
}

#ifdef __AVX512F__
template <int N>
inline int32_t first_greatest(const RowLanes<F32x16, I32x16> (&lanes)[N]) {
  __m512 greatest = (__m512)lanes[0].best;
  for (int k = 1; k < N; ++k) greatest = _mm512_max_ps(greatest, (__m512)lanes[k].best);
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(greatest));
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i first = _mm512_set1_epi32(INT32_MAX);
  for (int k = 0; k < N; ++k) {
    const __m512i place = _mm512_add_epi32((__m512i)lanes[k].at, _mm512_add_epi32(lane, _mm512_set1_epi32(16 * k)));
    const __mmask16 equal = _mm512_cmp_ps_mask((__m512)lanes[k].best, top, _CMP_EQ_OQ);
    first = _mm512_mask_min_epi32(first, equal, first, place);
  }
  return _mm512_reduce_min_epi32(first);
}
#endif

// As many scores as a vector has lanes.
template <typename T>
inline F32x16 load_lanes(const T* from) {
  return widen16(from);
}
inline F64x8 load_lanes(const double* from) { return load<F64x8>(from); }

// Classes of four vectors.
template <typename T>
constexpr int64_t kRowBlock = sizeof(T) == 8 ? 32 : 64;

// A row of at least kRowBlock neighbours.
template <typename T>
inline int32_t argmax_long_row(const T* row, int64_t classes) {
  using V = decltype(load_lanes(row));
  using I = std::conditional_t<sizeof(T) == 8, I64x8, I32x16>;
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

// Lanes that are true.
inline int32_t count_true(I32x16 mask) {
  int32_t lanes[16], sum = 0;
  memcpy(lanes, &mask, sizeof(lanes));
  for (int i = 0; i < 16; ++i) sum -= lanes[i];
  return sum;
}

// Classes [begin, end) of a row that are not less than `own`, or (kOrEqual) not less or equal.
template <bool kOrEqual, typename T>
inline int32_t count_not_less(const T* row, int64_t begin, int64_t end, float own) {
  int32_t count = 0;
  I32x16 lanes = {};
  int64_t c = begin;
  for (; c + 16 <= end; c += 16) {
    const F32x16 x = widen16(row + c);
    lanes += kOrEqual ? ~(x <= own) : ~(x < own);
  }
  for (; c < end; ++c) {
    const float x = widen(row[c]);
    count += kOrEqual ? !(x <= own) : !(x < own);
  }
  return count + count_true(lanes);
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
// Rows of fewer than kRowBlock<T> classes, kShortRows at a time; returns how many were done. target and ranks, [n], are
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
      of.target = load<ShortPlaces>(target + i);
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

#ifdef __AVX512F__
// Rows of at least kRowBlock<T> classes, of four ranges in step; returns how many were done. Arguments are as above.
template <bool kRanks, typename T>
inline int long_rows(const Scores<T>& s, int n, int32_t* labels, const int32_t* target, int32_t* ranks) {
  constexpr int kRows = 4, kSoon = 4;
  constexpr int64_t kStep = 32;
  const I32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const int length = n / kRows;
  for (int i = 0; i < length; ++i) {
    const T* row[kRows];
    RowLanes<F32x16, I32x16> lanes[kRows][1];
    TargetLanes<F32x16, I32x16> of[kRows];
    __mmask16 nan[kRows] = {};
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      row[r] = s.data + at * s.sample;
      lanes[r][0] = RowLanes<F32x16, I32x16>{F32x16{} - INFINITY, I32x16{}};
      if (!kRanks) continue;
      of[r].own = F32x16{} + widen(row[r][std::max(0, target[at])]);
      of[r].target = target[at] - lane;
      of[r].before = I32x16{};
      if (i + kSoon < length) __builtin_prefetch(row[r] + kSoon * s.sample + std::max(0, target[at + kSoon]));
    }
    auto look = [&](int64_t c, uint32_t fresh) __attribute__((always_inline)) {
      for (int r = 0; r < kRows; ++r) {
        fetch_ahead(row[r] + c, kStep);
        const F32x16 x[2] = {widen16(row[r] + c), widen16(row[r] + c + 16)};
        nan[r] |= nan_of(x[0], x[1]);
        for (int half = 0; half < 2; ++half) {
          const int32_t first = static_cast<int32_t>(c) + 16 * half;
          see(x[half], first, &lanes[r][0]);
          if (kRanks) count(precede(x[half], first, of[r]) & static_cast<__mmask16>(fresh >> 16 * half), &of[r]);
        }
      }
    };
    int64_t c = 0;
    for (; c + kStep <= s.classes; c += kStep) look(c, UINT32_MAX);
    if (c < s.classes) look(s.classes - kStep, UINT32_MAX << (c - s.classes + kStep));  // what was not seen counts
    for (int r = 0; r < kRows; ++r) {
      const int at = i + r * length;
      labels[at] = any(nan[r]) ? first_nan(row[r], s.classes) : first_greatest(lanes[r]);
      if (!kRanks || target[at] < 0) continue;
      const bool ordered = of[r].own[0] == of[r].own[0];
      ranks[at] = ordered ? _mm512_reduce_add_epi32((__m512i)of[r].before) : rank_of(row[r], s.classes, 1, target[at]);
    }
  }
  return kRows * length;
}
#endif

template <typename T>
inline void argmax_rows(const Scores<T>& s, int n, int32_t* labels) {
  int i = 0;
  if (s.classes >= kRowBlock<T>) {
#ifdef __AVX512F__
    if constexpr (sizeof(T) <= 4) i = long_rows<false>(s, n, labels, nullptr, nullptr);
#endif
    for (; i < n; ++i) labels[i] = argmax_long_row(s.data + i * s.sample, s.classes);
  }
#ifdef FM_SHORT_ROWS
  if constexpr (sizeof(T) <= 4) {
    if (s.classes < kRowBlock<T>) i = short_rows<false>(s, n, labels, nullptr, nullptr);
  } else if (s.classes > 1 && s.classes < kRowBlock<T>) {
    i = short_double_rows(s.data, s.sample, s.classes, n, labels);
  }
#endif
  for (; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, 1);
}

// kSamples neighbours, whose next class is `klass` further.
template <int kSamples, typename T>
inline void argmax_planes(const T* data, int64_t klass, int64_t classes, int32_t* labels) {
  if constexpr (sizeof(T) <= 4) {
    constexpr int kVectors = kSamples / 16;
    RowLanes<F32x16, I32x16> samples[kVectors];
    decltype(nan_of(samples[0].best, samples[0].best)) nan{};
    for (int k = 0; k < kVectors; ++k) {
      samples[k].best = widen16(data + 16 * k);
      samples[k].at = I32x16{};
      nan |= nan_of(samples[k].best, samples[k].best);
    }
    for (int64_t c = 1; c < classes; ++c) {
      const T* plane = data + c * klass;
      F32x16 x[kVectors];
      for (int k = 0; k < kVectors; ++k) {
        __builtin_prefetch(plane + 256 + 16 * k, 0, 2);
        x[k] = widen16(plane + 16 * k);
        see(x[k], static_cast<int32_t>(c), &samples[k]);
      }
      for (int k = 0; k < kVectors; k += 2) nan |= nan_of(x[k], x[std::min(k + 1, kVectors - 1)]);
    }
    for (int k = 0; k < kVectors; ++k) memcpy(labels + 16 * k, &samples[k].at, sizeof(samples[k].at));
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
    for (; i + 64 <= n; i += 64) argmax_planes<64>(s.data + i, s.klass, s.classes, labels + i);
    for (; i + 16 <= n; i += 16) argmax_planes<16>(s.data + i, s.klass, s.classes, labels + i);
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
    if (s.klass == 1 && s.classes < kRowBlock<T>) i = short_rows<true>(s, n, labels, target, ranks);
#endif
#ifdef __AVX512F__
    if (s.klass == 1 && s.classes >= kRowBlock<T>) i = long_rows<true>(s, n, labels, target, ranks);
#endif
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
