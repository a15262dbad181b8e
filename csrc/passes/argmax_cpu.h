// SPDX-License-Identifier: Apache-2.0
//
// Argmax of a block of samples, and the rank of their targets, in the order of rules/order.h.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): a long row has running maxima and their places in
// 64 lanes, so that it is read once; short rows are transposed in registers, eight at a time. Planes (the same class of
// neighbouring samples are neighbours): the running maxima of 64 samples stay in registers while the class planes go by.
// Anything else is walked score by score.

#pragma once

#include <cmath>
#include <cstdint>

#include "common/cpu.h"
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
    if (beats(x, best)) {
      best = x;
      at = static_cast<int32_t>(c);
    }
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

// Sixteen lanes of a row: the greatest scores so far, and the places where their blocks of 64 begin.
struct RowLanes {
  F32x16 best;
  I32x16 at;
};

#ifdef __AVX512F__
// Lanes where a or b is NaN.
using NanLanes = __mmask16;
inline NanLanes nan_of(F32x16 a, F32x16 b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q); }
inline bool any(NanLanes lanes) { return lanes != 0; }

inline void see(F32x16 x, int32_t begin, RowLanes* lanes) {
  const __mmask16 take = _mm512_cmp_ps_mask((__m512)x, (__m512)lanes->best, _CMP_GT_OQ);
  lanes->best = (F32x16)_mm512_max_ps((__m512)x, (__m512)lanes->best);
  lanes->at = (I32x16)_mm512_mask_set1_epi32((__m512i)lanes->at, take, begin);
}

// The place of the greatest score; of equal ones, the first.
inline int32_t first_greatest(const RowLanes (&lanes)[4]) {
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
#else
using NanLanes = I32x16;
inline NanLanes nan_of(F32x16 a, F32x16 b) { return (a != a) | (b != b); }
inline bool any(NanLanes v) {
  int64_t lanes[8], all = 0;
  memcpy(lanes, &v, sizeof(lanes));
  for (int i = 0; i < 8; ++i) all |= lanes[i];
  return all != 0;
}

inline void see(F32x16 x, int32_t begin, RowLanes* lanes) {
  const I32x16 take = x > lanes->best;
  lanes->best = take ? x : lanes->best;
  lanes->at = take ? I32x16{} + begin : lanes->at;
}

inline int32_t first_greatest(const RowLanes (&lanes)[4]) {
  float best = -INFINITY;
  int32_t first = INT32_MAX;
  for (int k = 0; k < 4; ++k) {
    for (int i = 0; i < 16; ++i) {
      const int32_t place = lanes[k].at[i] + 16 * k + i;
      if (lanes[k].best[i] > best || (lanes[k].best[i] == best && place < first)) {
        best = lanes[k].best[i];
        first = place;
      }
    }
  }
  return first;
}
#endif

// How far ahead of the vectors that are read memory is fetched; neighbouring rows follow each other.
constexpr int64_t kFetchAhead = 4096;  // bytes

// A row of at least 64 neighbours of a type that widens to float.
template <typename T>
inline int32_t argmax_long_row(const T* row, int64_t classes) {
  RowLanes lanes[4];
  NanLanes nan = {};
  F32x16 x[4];
  auto load_block = [&](int64_t c) {
    for (int64_t line = 0; line < 64 * static_cast<int64_t>(sizeof(T)); line += 64) {
      __builtin_prefetch(reinterpret_cast<const char*>(row + c) + kFetchAhead + line, 0, 3);
    }
    for (int k = 0; k < 4; ++k) x[k] = widen16(row + c + 16 * k);
    nan |= nan_of(x[0], x[1]) | nan_of(x[2], x[3]);
  };
  load_block(0);
  for (int k = 0; k < 4; ++k) lanes[k] = {x[k], I32x16{}};
  int64_t c = 64;
  for (; c + 64 <= classes; c += 64) {
    load_block(c);
    for (int k = 0; k < 4; ++k) see(x[k], static_cast<int32_t>(c), &lanes[k]);
  }
  if (c < classes) {  // the last 64 again, whatever part of them was seen
    c = classes - 64;
    load_block(c);
    for (int k = 0; k < 4; ++k) see(x[k], static_cast<int32_t>(c), &lanes[k]);
  }
  return any(nan) ? first_nan(row, classes) : first_greatest(lanes);
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

// Eight rows of at least 4 classes, `step` apart: four classes at a time are transposed to a vector each.
template <typename T>
inline void argmax_eight_rows(const T* data, int64_t step, int32_t classes, int32_t* labels) {
  __m256 best = _mm256_set1_ps(-INFINITY);
  __m256i at = _mm256_setzero_si256();
  for (int32_t done = 0; done < classes; done += 4) {
    const int32_t c = std::min(done, classes - 4);  // the last four again, whatever part of them was seen
    __m256 row[4];
    for (int r = 0; r < 4; ++r) row[r] = load_fours(data + r * step + c, data + (r + 4) * step + c);
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(row[0], row[1]));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(row[2], row[3]));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(row[0], row[1]));
    const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(row[2], row[3]));
    take_greater(_mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23)), c, &best, &at);
    take_greater(_mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23)), c + 1, &best, &at);
    take_greater(_mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23)), c + 2, &best, &at);
    take_greater(_mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23)), c + 3, &best, &at);
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(labels), at);
}

// Rows of 4 to 63 classes; returns how many were done.
template <typename T>
inline int argmax_short_rows(const Scores<T>& s, int n, int32_t* labels) {
  const int32_t classes = static_cast<int32_t>(s.classes);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const T* rows = s.data + i * s.sample;
    const char* ahead = reinterpret_cast<const char*>(rows) + kFetchAhead;
    for (int64_t byte = 0; byte < 8 * s.sample * static_cast<int64_t>(sizeof(T)); byte += 64) {
      __builtin_prefetch(ahead + byte, 0, 3);
    }
    argmax_eight_rows(rows, s.sample, classes, labels + i);
  }
  return i;
}
#endif

template <typename T>
inline void argmax_rows(const Scores<T>& s, int n, int32_t* labels) {
  int i = 0;
  if constexpr (sizeof(T) <= 4) {
    if (s.classes >= 64) {
      for (; i < n; ++i) labels[i] = argmax_long_row(s.data + i * s.sample, s.classes);
    }
#ifdef __AVX2__
    if (s.classes >= 4 && s.classes < 64) i = argmax_short_rows(s, n, labels);
#endif
  }
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
    for (int i = 0; i < 64; ++i) labels[i] = argmax_strided(data + i, classes, klass);
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

// Ranks of the targets in [0, classes); the others are left as they are. The scores of these samples are in the cache,
// so the memory is free to fetch those that follow.
template <typename T>
inline void rank_block(const Scores<T>& s, int n, const int32_t* target, int32_t* ranks) {
  for (int i = 0; i < n; ++i) {
    if (target[i] >= 0) ranks[i] = rank_of(s.data + i * s.sample, s.classes, s.klass, target[i], n * s.sample);
  }
}

}  // namespace fastmetrics
