// SPDX-License-Identifier: Apache-2.0
//
// Argmax of a block of samples, and the rank of their targets, in the order of rules/order.h.
//
// Two layouts are fast. Rows (the scores of a sample are neighbours): a maximum in vectors, then the first score equal
// to it, which is still in the first cache. Planes (the same class of neighbouring samples are neighbours): the running
// maxima of 64 samples stay in registers while the class planes go by. Anything else is walked score by score.

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

// The greatest lane; no lane is NaN.
inline float greatest(F32x16 v) {
  float lanes[16], best;
  memcpy(lanes, &v, sizeof(lanes));
  best = lanes[0];
  for (int i = 1; i < 16; ++i) best = lanes[i] > best ? lanes[i] : best;
  return best;
}

inline bool any(I32x16 v) {
  int64_t lanes[8], all = 0;
  memcpy(lanes, &v, sizeof(lanes));
  for (int i = 0; i < 8; ++i) all |= lanes[i];
  return all != 0;
}

// A row of at least 64 neighbours of a type that widens to float.
template <typename T>
inline int32_t argmax_long_row(const T* row, int64_t classes) {
  F32x16 best[4];
  I32x16 nan = {};
  for (int k = 0; k < 4; ++k) {
    best[k] = widen16(row + 16 * k);
    nan |= best[k] != best[k];
  }
  int64_t c = 64;
  for (; c + 64 <= classes; c += 64) {
    for (int k = 0; k < 4; ++k) {
      const F32x16 x = widen16(row + c + 16 * k);
      nan |= x != x;
      best[k] = x > best[k] ? x : best[k];
    }
  }
  for (; c + 16 <= classes; c += 16) {
    const F32x16 x = widen16(row + c);
    nan |= x != x;
    best[0] = x > best[0] ? x : best[0];
  }
  // the last sixteen again, whatever part of them was seen
  const F32x16 tail = widen16(row + classes - 16);
  nan |= tail != tail;
  best[1] = tail > best[1] ? tail : best[1];
  if (any(nan)) return first_nan(row, classes);
  const F32x16 left = best[0] > best[1] ? best[0] : best[1];
  const F32x16 right = best[2] > best[3] ? best[2] : best[3];
  const float top = greatest(left > right ? left : right);
  for (c = 0; c + 16 <= classes; c += 16) {
    if (any(widen16(row + c) == top)) break;
  }
  while (widen(row[c]) != top) ++c;
  return static_cast<int32_t>(c);
}

#ifdef __AVX512F__
// Sixteen scores; the lanes that `mask` leaves out are minus infinity. Nothing beyond them is read.
inline __m512 load_masked(const float* from, __mmask16 mask) {
  return _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), mask, from);
}
#ifdef __AVX512VL__
inline __m512 load_masked(const BFloat16* from, __mmask16 mask) {
  const __m256i bits = _mm256_mask_loadu_epi16(_mm256_set1_epi16(static_cast<int16_t>(0xff80)), mask, from);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline __m512 load_masked(const Half* from, __mmask16 mask) {
  return _mm512_cvtph_ps(_mm256_mask_loadu_epi16(_mm256_set1_epi16(static_cast<int16_t>(0xfc00)), mask, from));
}
#endif

// A row of at most 16 neighbours: one load, one reduction and the first lane that equals it.
template <typename T>
inline int32_t argmax_short_row(const T* row, __mmask16 mask) {
  const __m512 x = load_masked(row, mask);
  const __mmask16 nan = _mm512_mask_cmp_ps_mask(mask, x, x, _CMP_UNORD_Q);
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(x));
  const __mmask16 equal = _mm512_mask_cmp_ps_mask(mask, x, top, _CMP_EQ_OQ);
  return static_cast<int32_t>(__builtin_ctz(nan != 0 ? nan : equal));
}
#endif

template <typename T>
inline void argmax_rows(const Scores<T>& s, int n, int32_t* labels) {
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__)
  if constexpr (sizeof(T) <= 4) {
    if (s.classes <= 16) {
      const __mmask16 mask = static_cast<__mmask16>((1u << s.classes) - 1u);
      for (int i = 0; i < n; ++i) labels[i] = argmax_short_row(s.data + i * s.sample, mask);
      return;
    }
  }
#endif
  if constexpr (sizeof(T) <= 4) {
    if (s.classes >= 64) {
      for (int i = 0; i < n; ++i) labels[i] = argmax_long_row(s.data + i * s.sample, s.classes);
      return;
    }
  }
  for (int i = 0; i < n; ++i) labels[i] = argmax_strided(s.data + i * s.sample, s.classes, 1);
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
