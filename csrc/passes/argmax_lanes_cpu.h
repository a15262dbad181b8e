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

// 0, 1, 2 and so on.
inline I32s lane_numbers() {
  I32s numbers;
  for (int j = 0; j < kFloats; ++j) numbers[j] = j;
  return numbers;
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

#if defined(__AVX512F__)
inline __mmask16 nan_of(F32s a, F32s b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q); }
inline bool any(__mmask16 lanes) { return lanes != 0; }

inline void see(F32s x, int32_t place, RowLanes<F32s, I32s>* lanes) {
  const __mmask16 take = _mm512_cmp_ps_mask((__m512)x, (__m512)lanes->best, _CMP_GT_OQ);
  lanes->best = (F32s)_mm512_max_ps((__m512)x, (__m512)lanes->best);
  lanes->at = (I32s)_mm512_mask_set1_epi32((__m512i)lanes->at, take, place);
}
#elif defined(__AVX2__)
inline I32s nan_of(F32s a, F32s b) { return (I32s)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_UNORD_Q); }
#endif

// Lanes of a row with one target, or of samples with one each: the targets' scores, none of them NaN, the targets, and
// how many classes come before them.
template <typename V, typename I>
struct TargetLanes {
  V own;
  I target;
  I before;
};

using Ranking = TargetLanes<F32s, I32s>;

// Whether scores of class c, or of what it stands for in each lane, come before the target: a class before it unless it
// is less, one after it unless it is less or equal.
#if defined(__AVX512F__)
using Marks = __mmask16;  // of lanes

inline Marks precede(F32s x, int32_t c, const Ranking& of) {
  const __m512 own = (__m512)of.own;
  const __mmask16 earlier = _mm512_cmpgt_epi32_mask((__m512i)of.target, _mm512_set1_epi32(c));
  return _mm512_cmp_ps_mask((__m512)x, own, _CMP_NLE_UQ) |
         _mm512_mask_cmp_ps_mask(earlier, (__m512)x, own, _CMP_NLT_UQ);
}
inline void count(Marks precede, Ranking* of) {
  const __m512i before = (__m512i)of->before;
  of->before = (I32s)_mm512_mask_add_epi32(before, precede, before, _mm512_set1_epi32(1));
}
// The last `n` lanes, or all of them.
inline Marks last_lanes(int64_t n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<Marks>(0xffff << (16 - n)); }
#else
using Marks = I32s;

inline Marks precede(F32s x, int32_t c, const Ranking& of) {
  return ~(x <= of.own) | (~(x < of.own) & (of.target > c));
}
inline void count(Marks precede, Ranking* of) { of->before -= precede; }
inline Marks last_lanes(int64_t n) {
  Marks marks;
  for (int j = 0; j < kFloats; ++j) marks[j] = j >= kFloats - n ? -1 : 0;
  return marks;
}
#endif

}  // namespace fastmetrics
