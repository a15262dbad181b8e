// SPDX-License-Identifier: Apache-2.0
//
// Argmax of short rows of scores, and the ranks of their targets, in the order of rules/order.h: as many rows at a time
// as a register has lanes, four classes of each transposed to a register each.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "passes/argmax_lanes_cpu.h"

namespace fastmetrics {

#if defined(__AVX512VL__)
#define FM_SHORT_ROWS

// Four scores of a row and of those four, eight and twelve rows on, `step` scores apart, as floats.
inline F32s load_fours(const float* from, int64_t step) {
  __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
  x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(from + 4 * step));
  x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(from + 8 * step));
  return (F32s)_mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(from + 12 * step));
}
template <typename T>
inline F32s load_fours(const T* from, int64_t step) {
  auto four = [&](int64_t row) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + row * step)); };
  __m256i x = _mm256_castsi128_si256(four(0));
  x = _mm256_mask_broadcastq_epi64(x, 2, four(4));
  x = _mm256_mask_broadcastq_epi64(x, 4, four(8));
  return widen_floats<T>(_mm256_mask_broadcastq_epi64(x, 8, four(12)));
}

inline F32s unpack_low(F32s a, F32s b) { return (F32s)_mm512_unpacklo_ps((__m512)a, (__m512)b); }
inline F32s unpack_high(F32s a, F32s b) { return (F32s)_mm512_unpackhi_ps((__m512)a, (__m512)b); }
inline F32s unpack_low(F64s a, F64s b) { return (F32s)_mm512_unpacklo_pd((__m512d)a, (__m512d)b); }
inline F32s unpack_high(F64s a, F64s b) { return (F32s)_mm512_unpackhi_pd((__m512d)a, (__m512d)b); }
#elif defined(__AVX2__) && !defined(__AVX512F__)
#define FM_SHORT_ROWS

// Four scores of a row and of that four rows on, `step` scores apart, as floats.
inline F32s load_fours(const float* from, int64_t step) {
  return (F32s)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)), _mm_loadu_ps(from + 4 * step), 1);
}
inline __m128i load_half_fours(const void* a, const void* b) {
  int64_t high;
  memcpy(&high, b, sizeof(high));
  return _mm_insert_epi64(_mm_loadl_epi64(static_cast<const __m128i*>(a)), high, 1);
}
inline F32s load_fours(const BFloat16* from, int64_t step) {
  return (F32s)_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_half_fours(from, from + 4 * step)), 16);
}
inline F32s load_fours(const Half* from, int64_t step) {
  return (F32s)_mm256_cvtph_ps(load_half_fours(from, from + 4 * step));
}

inline F32s unpack_low(F32s a, F32s b) { return (F32s)_mm256_unpacklo_ps((__m256)a, (__m256)b); }
inline F32s unpack_high(F32s a, F32s b) { return (F32s)_mm256_unpackhi_ps((__m256)a, (__m256)b); }
inline F32s unpack_low(F64s a, F64s b) { return (F32s)_mm256_unpacklo_pd((__m256d)a, (__m256d)b); }
inline F32s unpack_high(F64s a, F64s b) { return (F32s)_mm256_unpackhi_pd((__m256d)a, (__m256d)b); }
#endif

#ifdef FM_SHORT_ROWS
constexpr int kShortRows = kFloats;

using ShortRanks = TargetLanes<F32s, I32s>;

// kShortRows rows, `step` apart. ranks: of the targets, if kRanks.
template <bool kRanks, typename T>
inline void argmax_short_rows(const T* data, int64_t step, int32_t classes, int32_t* labels, ShortRanks* ranks) {
  RowLanes<F32s, I32s> rows{F32s{} - INFINITY, {}};
  decltype(nan_of(rows.best, rows.best)) nan{};
  int32_t seen = 0;
  auto take = [&](F32s x, F32s next, int32_t c) __attribute__((always_inline)) {
    nan |= nan_of(x, next);
    see(x, c, &rows);
    see(next, c + 1, &rows);
    if (!kRanks) return;
    if (c >= seen) count(precede(x, c, *ranks), ranks);
    if (c + 1 >= seen) count(precede(next, c + 1, *ranks), ranks);
  };
  if (classes >= 4) {
    for (int32_t done = 0; done < classes; done += 4) {
      const int32_t c = std::min(done, classes - 4);  // the last four again, whatever part of them was seen
      F32s row[4];
      for (int r = 0; r < 4; ++r) row[r] = load_fours(data + r * step + c, step);
      const F64s low01 = (F64s)unpack_low(row[0], row[1]), low23 = (F64s)unpack_low(row[2], row[3]);
      const F64s high01 = (F64s)unpack_high(row[0], row[1]), high23 = (F64s)unpack_high(row[2], row[3]);
      take(unpack_low(low01, low23), unpack_high(low01, low23), c);
      take(unpack_low(high01, high23), unpack_high(high01, high23), c + 2);
      seen = c + 4;
    }
  } else {
    for (int32_t done = 0; done < classes; done += 2) {
      const int32_t c = std::max(0, std::min(done, classes - 2));
      const int32_t next = std::min(c + 1, classes - 1);
      F32s x, y;
      for (int r = 0; r < kShortRows; ++r) {
        x[r] = widen(data[r * step + c]);
        y[r] = widen(data[r * step + next]);
      }
      take(x, y, c);
      seen = c + 2;
    }
  }
  memcpy(labels, &rows.at, sizeof(rows.at));
  for (int r = 0; r < kShortRows && any(nan); ++r) labels[r] = argmax_strided(data + r * step, classes, 1);
}
#endif

}  // namespace fastmetrics
