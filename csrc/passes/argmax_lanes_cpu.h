// SPDX-License-Identifier: Apache-2.0
//
// Steps of an argmax in vectors, in the order of rules/order.h.

#pragma once

#include <cmath>
#include <cstdint>

#include "common/cpu.h"
#include "rules/order.h"

namespace fastmetrics {

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

// Lanes of a row, or of samples: the greatest scores so far, and where they were. Who has met NaN looks for the first
// one in another way.
template <typename V, typename I>
struct RowLanes {
  V best;
  I at;
};

template <typename V, typename I>
inline void see(V x, int32_t place, RowLanes<V, I>* lanes) {
  const I take = x > lanes->best;
  lanes->best = take ? x : lanes->best;
  lanes->at = take ? I{} + place : lanes->at;
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

inline void see(F32x16 x, int32_t place, RowLanes<F32x16, I32x16>* lanes) {
  const __mmask16 take = _mm512_cmp_ps_mask((__m512)x, (__m512)lanes->best, _CMP_GT_OQ);
  lanes->best = (F32x16)_mm512_max_ps((__m512)x, (__m512)lanes->best);
  lanes->at = (I32x16)_mm512_mask_set1_epi32((__m512i)lanes->at, take, place);
}
#endif

// Lanes of a row with one target, or of samples with one each: the targets' scores, none of them NaN, the targets, and
// how many classes come before them.
template <typename V, typename I>
struct TargetLanes {
  V own;
  I target;
  I before;
};

// Whether scores of class c, or of what it stands for in each lane, come before the target: a class before it unless it
// is less, one after it unless it is less or equal.
#if defined(__AVX512F__)
inline __mmask16 precede(F32x16 x, int32_t c, const TargetLanes<F32x16, I32x16>& of) {
  const __m512 own = (__m512)of.own;
  const __mmask16 earlier = _mm512_cmpgt_epi32_mask((__m512i)of.target, _mm512_set1_epi32(c));
  return _mm512_cmp_ps_mask((__m512)x, own, _CMP_NLE_UQ) |
         _mm512_mask_cmp_ps_mask(earlier, (__m512)x, own, _CMP_NLT_UQ);
}
inline void count(__mmask16 precede, TargetLanes<F32x16, I32x16>* of) {
  const __m512i before = (__m512i)of->before;
  of->before = (I32x16)_mm512_mask_add_epi32(before, precede, before, _mm512_set1_epi32(1));
}
#elif defined(__AVX2__)
using I32x8 = int32_t __attribute__((vector_size(32)));

inline I32x8 precede(F32x8 x, int32_t c, const TargetLanes<F32x8, I32x8>& of) {
  const __m256 greater = _mm256_cmp_ps((__m256)x, (__m256)of.own, _CMP_NLE_UQ);
  const __m256 not_less = _mm256_cmp_ps((__m256)x, (__m256)of.own, _CMP_NLT_UQ);
  const __m256 earlier = _mm256_castsi256_ps(_mm256_cmpgt_epi32((__m256i)of.target, _mm256_set1_epi32(c)));
  return (I32x8)_mm256_or_ps(greater, _mm256_and_ps(not_less, earlier));
}
inline void count(I32x8 precede, TargetLanes<F32x8, I32x8>* of) { of->before -= precede; }
#endif

}  // namespace fastmetrics
