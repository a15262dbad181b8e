// SPDX-License-Identifier: Apache-2.0
//
// Argmax of a block of samples, and the rank of their targets, in the order of rules/order.h.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): a long row has running maxima and their places in
// 64 lanes, so that it is read once; short rows are transposed in registers, eight at a time. Planes (the same class of
// neighbouring samples are neighbours): the running maxima of 64 samples stay in registers while the class planes go
// by. Anything else is walked score by score.

#pragma once

#include <cmath>
#include <cstdint>

#include "common/cpu.h"
#include "passes/argmax_double_cpu.h"
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
inline int32_t argmax_strided(const T* row, int64_t classes, int64_t step) {
  auto best = widen(row[0]);
  int32_t at = 0;
  for (int64_t c = 1; c < classes; ++c) {
    const auto x = widen(row[c * step]);
    const bool take = beats(x, best);
    best = take ? x : best;
    at = take ? static_cast<int32_t>(c) : at;
  }
  return at;
}

template <typename T>
inline int32_t first_nan(const T* row, int64_t classes) {
  for (int64_t c = 0; c < classes; ++c) {
    const auto x = widen(row[c]);
    if (x != x) return static_cast<int32_t>(c);
  }
  return 0;
}

// Lanes of a row: the greatest scores so far, and the places where their blocks begin.
template <typename V, typename I>
struct RowLanes {
  V best;
  I at;
};

template <typename V, typename I>
inline void see(V x, int32_t begin, RowLanes<V, I>* lanes) {
  const I take = x > lanes->best;
  lanes->best = take ? x : lanes->best;
  lanes->at = take ? I{} + begin : lanes->at;
}

// The place of the greatest score; of equal ones, the first. Lanes k of a block begin at k times their number.
template <typename V, typename I>
inline int32_t first_greatest(const RowLanes<V, I> (&lanes)[4]) {
  constexpr int kLanes = sizeof(V) / sizeof(lanes[0].best[0]);
  auto best = lanes[0].best[0];
  int64_t first = lanes[0].at[0];
  for (int k = 0; k < 4; ++k) {
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

// Lanes where a or b is NaN.
template <typename V>
inline auto nan_of(V a, V b) {
  return (a != a) | (b != b);
}

template <typename I>
inline bool any(I v) {
  int64_t lanes[sizeof(I) / 8], all = 0;
  memcpy(lanes, &v, sizeof(lanes));
  for (int64_t lane : lanes) all |= lane;
  return all != 0;
}

#ifdef __AVX512F__
inline __mmask16 nan_of(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q); }
inline bool any(__mmask16 lanes) { return lanes != 0; }

inline void see(F32x16 x, int32_t begin, RowLanes<F32x16, I32x16>* lanes) {
  const __mmask16 take = _mm512_cmp_ps_mask((__m512)x, (__m512)lanes->best, _CMP_GT_OQ);
  lanes->best = (F32x16)_mm512_max_ps((__m512)x, (__m512)lanes->best);
  lanes->at = (I32x16)_mm512_mask_set1_epi32((__m512i)lanes->at, take, begin);
}

inline int32_t first_greatest(const RowLanes<F32x16, I32x16> (&lanes)[4]) {
  const __m512 left = _mm512_max_ps((__m512)lanes[0].best, (__m512)lanes[1].best);
  const __m512 right = _mm512_max_ps((__m512)lanes[2].best, (__m512)lanes[3].best);
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(_mm512_max_ps(left, right)));
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i first = _mm512_set1_epi32(INT32_MAX);
  for (int k = 0; k < 4; ++k) {
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

// How far ahead of the vectors that are read memory is fetched; neighbouring rows follow each other.
constexpr int64_t kFetchAhead = 4096;  // bytes

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
    for (int64_t line = 0; line < kBlockSize * static_cast<int64_t>(sizeof(T)); line += 64) {
      __builtin_prefetch(reinterpret_cast<const char*>(row + c) + kFetchAhead + line, 0, 3);
    }
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
inline int32_t count_not_less(const T* row, int64_t begin, int64_t end, float own, int64_t next) {
  int32_t count = 0;
  I32x16 lanes = {};
  int64_t c = begin;
  for (; c + 16 <= end; c += 16) {
    __builtin_prefetch(row + next + c, 0, 2);
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
inline int32_t rank_of(const T* row, int64_t classes, int64_t step, int64_t target, int64_t next) {
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
      return count_not_less<false>(row, 0, target, own, next) +
             count_not_less<true>(row, target + 1, classes, own, next);
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

#ifdef __AVX2__
// The first class of eight samples, and the next one: a greater score, or the first NaN, is taken.
inline void take_greater(__m256 x, int32_t c, __m256* best, __m256i* at) {
#ifdef __AVX512VL__
  // not less or equal is also true of a NaN, unless there was one before
  const __mmask8 ordered = _mm256_cmp_ps_mask(*best, *best, _CMP_ORD_Q);
  const __mmask8 take = _mm256_mask_cmp_ps_mask(ordered, x, *best, _CMP_NLE_UQ);
  *best = _mm256_mask_mov_ps(*best, take, x);
  *at = _mm256_mask_set1_epi32(*at, take, c);
#else
  const __m256 ordered = _mm256_cmp_ps(*best, *best, _CMP_ORD_Q);
  const __m256 take = _mm256_and_ps(ordered, _mm256_cmp_ps(x, *best, _CMP_NLE_UQ));
  *best = _mm256_blendv_ps(*best, x, take);
  *at = _mm256_blendv_epi8(*at, _mm256_set1_epi32(c), _mm256_castps_si256(take));
#endif
}

// Four scores of one row, and of another.
inline __m256 load_fours(const float* a, const float* b) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
}
inline __m128i load_half_fours(const void* a, const void* b) {
  int64_t high;
  memcpy(&high, b, sizeof(high));
  return _mm_insert_epi64(_mm_loadl_epi64(static_cast<const __m128i*>(a)), high, 1);
}
inline __m256 load_fours(const BFloat16* a, const BFloat16* b) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_half_fours(a, b)), 16));
}
inline __m256 load_fours(const Half* a, const Half* b) { return _mm256_cvtph_ps(load_half_fours(a, b)); }

// How many classes come before the target, of eight samples whose targets have the scores `own`, none of them NaN.
struct EightRanks {
  __m256 own;
  __m256i target;
  __m256i count;

  void see(__m256 x, int32_t c) {
    // a class before the target precedes it unless it is less, one after it unless it is less or equal
    const __m256 greater = _mm256_cmp_ps(x, own, _CMP_NLE_UQ), not_less = _mm256_cmp_ps(x, own, _CMP_NLT_UQ);
    const __m256i before = _mm256_cmpgt_epi32(target, _mm256_set1_epi32(c));
    const __m256i precedes =
        _mm256_or_si256(_mm256_castps_si256(greater), _mm256_and_si256(_mm256_castps_si256(not_less), before));
    count = _mm256_sub_epi32(count, precedes);
  }
};

// Eight rows, `step` apart: four classes at a time are transposed to a vector each. ranks: null, or aimed at the
// targets.
template <typename T>
inline void argmax_eight_rows(const T* data, int64_t step, int32_t classes, int32_t* labels, EightRanks* ranks) {
  __m256 best = _mm256_set1_ps(-INFINITY);
  __m256i at = _mm256_setzero_si256();
  int32_t seen = 0;
  auto take = [&](__m256d pair, int32_t c) {
    const __m256 x = _mm256_castpd_ps(pair);
    take_greater(x, c, &best, &at);
    if (ranks != nullptr && c >= seen) ranks->see(x, c);
  };
  for (int32_t c = 0; c < classes && classes < 4; ++c) {
    alignas(32) float x[8];
    for (int r = 0; r < 8; ++r) x[r] = widen(data[r * step + c]);
    take(_mm256_castps_pd(_mm256_load_ps(x)), c);
  }
  for (int32_t done = 0; done < classes && classes >= 4; done += 4) {
    const int32_t c = std::min(done, classes - 4);  // the last four again, whatever part of them was seen
    __m256 row[4];
    for (int r = 0; r < 4; ++r) row[r] = load_fours(data + r * step + c, data + (r + 4) * step + c);
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(row[0], row[1]));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(row[2], row[3]));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(row[0], row[1]));
    const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(row[2], row[3]));
    take(_mm256_unpacklo_pd(low01, low23), c);
    take(_mm256_unpackhi_pd(low01, low23), c + 1);
    take(_mm256_unpacklo_pd(high01, high23), c + 2);
    take(_mm256_unpackhi_pd(high01, high23), c + 3);
    seen = c + 4;
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(labels), at);
}

// Rows of less than 64 classes, eight at a time; returns how many were done. target and ranks: null, or [n]; the rank
// of a negative target is not written.
template <typename T>
inline int short_rows(const Scores<T>& s, int n, int32_t* labels, const int32_t* target, int32_t* ranks) {
  const int32_t classes = static_cast<int32_t>(s.classes);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const T* rows = s.data + i * s.sample;
    const char* ahead = reinterpret_cast<const char*>(rows) + kFetchAhead;
    for (int64_t byte = 0; byte < 8 * s.sample * static_cast<int64_t>(sizeof(T)); byte += 64) {
      __builtin_prefetch(ahead + byte, 0, 3);
    }
    if (ranks == nullptr) {
      argmax_eight_rows(rows, s.sample, classes, labels + i, nullptr);
      continue;
    }
    alignas(32) float own[8];
    alignas(32) int32_t count[8];
    for (int r = 0; r < 8; ++r) own[r] = widen(rows[r * s.sample + std::max(0, target[i + r])]);
    const __m256i targets = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(target + i));
    EightRanks eight{_mm256_load_ps(own), targets, _mm256_setzero_si256()};
    argmax_eight_rows(rows, s.sample, classes, labels + i, &eight);
    _mm256_store_si256(reinterpret_cast<__m256i*>(count), eight.count);
    for (int r = 0; r < 8; ++r) {
      const int32_t t = target[i + r];
      if (t >= 0) ranks[i + r] = own[r] == own[r] ? count[r] : rank_of(rows + r * s.sample, classes, 1, t, 0);
    }
  }
  return i;
}
#endif

template <typename T>
inline void argmax_rows(const Scores<T>& s, int n, int32_t* labels) {
  int i = 0;
  if (s.classes >= kRowBlock<T>) {
    for (; i < n; ++i) labels[i] = argmax_long_row(s.data + i * s.sample, s.classes);
  }
#ifdef __AVX2__
  if constexpr (sizeof(T) <= 4) {
    if (s.classes < kRowBlock<T>) i = short_rows(s, n, labels, nullptr, nullptr);
  } else if (s.classes > 1 && s.classes < kRowBlock<T>) {
    i = short_double_rows(s.data, s.sample, s.classes, n, kFetchAhead, labels);
  }
#endif
  for (; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, 1);
}

// The first class of 64 neighbouring samples, and the next one: a greater score, or the first NaN, is taken.
#ifdef __AVX512F__
inline void take_greater(F32x16 x, int32_t c, F32x16* best, I32x16* at) {
  const __m512 v = (__m512)x, b = (__m512)*best;
  // not less or equal is also true of a NaN, unless there was one before
  const __mmask16 take = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(b, b, _CMP_ORD_Q), v, b, _CMP_NLE_UQ);
  *best = (F32x16)_mm512_mask_mov_ps(b, take, v);
  *at = (I32x16)_mm512_mask_set1_epi32((__m512i)*at, take, c);
}
#else
inline void take_greater(F32x16 x, int32_t c, F32x16* best, I32x16* at) {
  const I32x16 take = (x > *best) | ((x != x) & (*best == *best));
  *best = take ? x : *best;
  *at = take ? I32x16{} + c : *at;
}
#endif

template <typename T>
inline void argmax_planes_64(const T* data, int64_t klass, int64_t classes, int32_t* labels) {
  if constexpr (sizeof(T) <= 4) {
    F32x16 best[4];
    I32x16 at[4] = {};
    for (int k = 0; k < 4; ++k) best[k] = widen16(data + 16 * k);
    for (int64_t c = 1; c < classes; ++c) {
      const T* plane = data + c * klass;
      for (int k = 0; k < 4; ++k) {
        __builtin_prefetch(plane + 256 + 16 * k, 0, 2);
        take_greater(widen16(plane + 16 * k), static_cast<int32_t>(c), &best[k], &at[k]);
      }
    }
    memcpy(labels, at, sizeof(at));
  } else {
    argmax_double_planes(data, klass, classes, labels);
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
    for (; i + 64 <= n; i += 64) argmax_planes_64(s.data + i, s.klass, s.classes, labels + i);
  }
  for (; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, s.klass);
}

// Labels, and ranks of the targets in [0, classes); the other ranks are left as they are. A few samples at a time, so
// that the second look at their scores finds them in the cache; memory is then free to fetch those that follow.
template <typename T>
inline void rank_block(const Scores<T>& s, int n, const int32_t* target, int32_t* labels, int32_t* ranks) {
  int i = 0;
#ifdef __AVX2__
  if constexpr (sizeof(T) <= 4) {
    if (s.klass == 1 && s.classes < kRowBlock<T>) i = short_rows(s, n, labels, target, ranks);
  }
#endif
  const int step = s.klass == 1 ? static_cast<int>(std::max<int64_t>(1, 4096 / s.classes)) : 64;
  for (; i < n; i += step) {
    const int m = std::min(step, n - i);
    const Scores<T> some{s.data + i * s.sample, s.sample, s.klass, s.classes};
    argmax_block(some, m, labels + i);
    for (int j = 0; j < m; ++j) {
      if (target[i + j] < 0) continue;
      ranks[i + j] = rank_of(some.data + j * s.sample, s.classes, s.klass, target[i + j], m * s.sample);
    }
  }
}

}  // namespace fastmetrics
