// SPDX-License-Identifier: Apache-2.0
//
// Argmax of float64 scores in the layouts that passes/argmax_cpu.h has loops of its own for, in the order of
// rules/order.h: short rows, and class planes.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "common/cpu.h"
#include "common/math_cpu.h"

namespace fastmetrics {

#ifdef __AVX2__
// The first class of four samples, and the next one: a greater score, or the first NaN, is taken.
inline void take_greater(__m256d x, int64_t c, __m256d* best, __m256i* at) {
  const __m256d ordered = _mm256_cmp_pd(*best, *best, _CMP_ORD_Q);
  const __m256d take = _mm256_and_pd(ordered, _mm256_cmp_pd(x, *best, _CMP_NLE_UQ));
  *best = _mm256_blendv_pd(*best, x, take);
  *at = _mm256_blendv_epi8(*at, _mm256_set1_epi64x(c), _mm256_castpd_si256(take));
}

// Two scores of one row, and of another.
inline __m256d load_twos(const double* a, const double* b) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(a)), _mm_loadu_pd(b), 1);
}

// Rows of at least two classes, `step` apart, four at a time; returns how many were done. Two classes at a time are
// transposed to a vector each.
inline int short_double_rows(const double* data, int64_t step, int64_t classes, int n, int32_t* labels) {
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    const double* row = data + i * step;
    fetch_ahead(row, 4 * step);
    __m256d best = _mm256_set1_pd(-INFINITY);
    __m256i at = _mm256_setzero_si256();
    for (int64_t done = 0; done < classes; done += 2) {
      const int64_t c = std::min(done, classes - 2);  // the last two again, whatever part of them was seen
      const __m256d even = load_twos(row + c, row + 2 * step + c);
      const __m256d odd = load_twos(row + step + c, row + 3 * step + c);
      take_greater(_mm256_unpacklo_pd(even, odd), c, &best, &at);
      take_greater(_mm256_unpackhi_pd(even, odd), c + 1, &best, &at);
    }
    const __m256i low = _mm256_permutevar8x32_epi32(at, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(labels + i), _mm256_castsi256_si128(low));
  }
  return i;
}
#endif

// kSamples neighbours, whose next class is `klass` further.
template <int kSamples>
inline void argmax_double_planes(const double* data, int64_t klass, int64_t classes, int32_t* labels) {
  constexpr int kVectors = std::min(4, kSamples / kDoubles);
  for (int i = 0; i < kSamples; i += kVectors * kDoubles) {
    Doubles best[kVectors];
    Words at[kVectors] = {};
    memcpy(best, data + i, sizeof(best));
    for (int64_t c = 1; c < classes; ++c) {
      const double* plane = data + c * klass + i;
      for (int k = 0; k < kVectors; ++k) {
        Doubles x;
        memcpy(&x, plane + k * kDoubles, sizeof(x));
        __builtin_prefetch(plane + 128 + k * kDoubles, 0, 2);
        const Words take = (x > best[k]) | ((x != x) & (best[k] == best[k]));
        best[k] = take ? x : best[k];
        at[k] = take ? Words{} + c : at[k];
      }
    }
    int64_t found[kVectors * kDoubles];
    memcpy(found, at, sizeof(found));
    for (int j = 0; j < kVectors * kDoubles; ++j) labels[i + j] = static_cast<int32_t>(found[j]);
  }
}

}  // namespace fastmetrics
