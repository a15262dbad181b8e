// SPDX-License-Identifier: Apache-2.0
//
// What the CPU passes share: vectors, threads, the record of faults and the widening of labels.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#ifdef __AVX2__
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/dtype.h"
#include "common/faults.h"
#include "common/registers.h"
#include "common/stable.h"

namespace fastmetrics {

template <typename V, typename T>
inline V load(const T* from) {
  V v;
  memcpy(&v, from, sizeof(V));
  return v;
}

// As many scores as a register has floats, as floats; exact.
inline F32s widen_floats(const float* from) { return load<F32s>(from); }
#if defined(__AVX512F__)
template <typename T>
F32s widen_floats(__m256i bits);
template <>
inline F32s widen_floats<BFloat16>(__m256i bits) {
  return (F32s)_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
}
template <>
inline F32s widen_floats<Half>(__m256i bits) {
  return (F32s)_mm512_cvtph_ps(bits);
}
template <typename T>
inline F32s widen_floats(const T* from) {
  return widen_floats<T>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
#elif defined(__AVX2__) && defined(__F16C__)
inline F32s widen_floats(const BFloat16* from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return (F32s)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
}
inline F32s widen_floats(const Half* from) {
  return (F32s)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
#else
template <typename T>
inline F32s widen_floats(const T* from) {
  F32s values;
  for (int j = 0; j < kFloats; ++j) values[j] = widen(from[j]);
  return values;
}
#endif

using HalfF32s = float __attribute__((vector_size(kRegister / 2)));

// Exact. The compiler would take these conversions apart.
inline F64s as_doubles(HalfF32s values) {
#if defined(__AVX512F__)
  return (F64s)_mm512_cvtps_pd((__m256)values);
#elif defined(__AVX2__)
  return (F64s)_mm256_cvtps_pd((__m128)values);
#else
  return __builtin_convertvector(values, F64s);
#endif
}

// As many scores as a register has doubles, as doubles; exact.
inline F64s widen_doubles(const double* from) { return load<F64s>(from); }
inline F64s widen_doubles(const float* from) { return as_doubles(load<HalfF32s>(from)); }
#if defined(__AVX512F__)
inline F64s widen_doubles(const BFloat16* from) {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return as_doubles((HalfF32s)_mm256_slli_epi32(bits, 16));
}
inline F64s widen_doubles(const Half* from) {
  return as_doubles((HalfF32s)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
#elif defined(__AVX2__) && defined(__F16C__)
inline F64s widen_doubles(const BFloat16* from) {
  const __m128i bits = _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  return as_doubles((HalfF32s)_mm_slli_epi32(bits, 16));
}
inline F64s widen_doubles(const Half* from) {
  return as_doubles((HalfF32s)_mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
#else
template <typename T>
inline F64s widen_doubles(const T* from) {
  F64s values;
  for (int j = 0; j < kDoubles; ++j) values[j] = widen(from[j]);
  return values;
}
#endif

// Brings neighbours to the second cache: what a block will read while the one before it is counted, which reads no
// memory. Nothing has to be there.
inline void fetch(const void* data, DType type, int64_t offset, int64_t n) {
  const char* from = static_cast<const char*>(data) + offset * size_of(type);
  for (int64_t byte = 0; byte < n * size_of(type); byte += 64) __builtin_prefetch(from + byte, 0, 2);
}

// How many threads share `work` elements; a small batch is not worth waking one.
inline int threads_for(int64_t work) {
#ifdef _OPENMP
  constexpr int64_t kPerThread = 32768;
  const int64_t wanted = work / kPerThread;
  if (wanted <= 1 || omp_in_parallel()) return 1;
  return static_cast<int>(std::min<int64_t>(wanted, torch::stable::get_num_threads()));
#else
  (void)work;
  return 1;
#endif
}

// Calls f(thread, begin, end) on consecutive parts of [0, n), in the order of the thread numbers.
template <typename F>
inline void split(int64_t n, int threads, const F& f) {
  if (threads <= 1) {
    f(0, int64_t{0}, n);
    return;
  }
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
  {
    // fewer threads may have come than were asked for
    const int64_t team = omp_get_num_threads(), id = omp_get_thread_num();
    const int64_t part = (n + team - 1) / team;
    const int64_t begin = std::min(n, id * part), end = std::min(n, begin + part);
    if (begin < end) f(static_cast<int>(id), begin, end);
  }
#endif
}

// Calls f(begin) for the whole units of [0, n), of kStreams ranges in turn; returns how many elements they are. A CPU
// fetches ahead up to the end of a page: with several of them under way there is always one to fetch.
template <typename F>
inline int64_t in_streams(int64_t n, int64_t unit, const F& f) {
  constexpr int64_t kStreams = 4;
  const int64_t units = n / unit, whole = units * unit;
  const int64_t length = (units + kStreams - 1) / kStreams * unit;
  for (int64_t i = 0; i < length; i += unit) {
    for (int64_t at = i; at < whole; at += length) f(at);
  }
  return whole;
}

// Fetches what lies a little behind the next n elements of a stream: streams alone are slower where there is much to do
// with what was read.
template <typename T>
inline void fetch_ahead(const T* from, int64_t n) {
  constexpr int64_t kAhead = 1024;  // bytes
  const char* ahead = reinterpret_cast<const char*>(from) + kAhead;
  for (int64_t byte = 0; byte < n * static_cast<int64_t>(sizeof(T)); byte += 64) __builtin_prefetch(ahead + byte, 0, 3);
}

// Values out of range met by one thread.
struct Faults {
  int64_t count[kKindsOfFault] = {};
  int64_t order[kKindsOfFault] = {INT64_MAX, INT64_MAX, INT64_MAX};  // of the first, its place in the batch
  int64_t first[kKindsOfFault] = {};

  void add(int which, int64_t place, int64_t value) {
    ++count[which];
    if (place < order[which]) {
      order[which] = place;
      first[which] = value;
    }
  }

  // faults: int64 [kFaults] or null; a first value that is already there stays.
  static void record(const std::vector<Faults>& threads, int64_t* faults) {
    if (faults == nullptr) return;
    for (int which = 0; which < kKindsOfFault; ++which) {
      Faults all;
      for (const Faults& t : threads) {
        if (t.count[which] == 0) continue;
        all.add(which, t.order[which], t.first[which]);
        all.count[which] += t.count[which] - 1;
      }
      if (all.count[which] == 0) continue;
      if (faults[2 * which] == 0) faults[2 * which + 1] = all.first[which];
      faults[2 * which] += all.count[which];
    }
  }
};

constexpr int32_t kIgnored = -1;
constexpr int32_t kBad = -2;
constexpr int32_t kInvalid = -3;

#if defined(__AVX2__) && !defined(__AVX512F__)
// Neighbours eight at a time, as below; returns how many were done. AVX2 knows neither unsigned comparisons nor a
// conversion of int64, so the compiler makes much of a loop that is little by their halves.
inline int narrow_eights(const int64_t* from, int n, int64_t classes, const int64_t* ignore, int32_t* to,
                         int32_t* any_bad) {
  const __m256i last = _mm256_set1_epi32(static_cast<int32_t>(classes - 1));
  const __m256i skip = _mm256_set1_epi64x(ignore == nullptr ? 0 : *ignore);
  __m256i all_good = _mm256_set1_epi32(-1);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i + 4));
    const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
    const __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88));
    const __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd));
    __m256i good = _mm256_cmpeq_epi32(_mm256_max_epu32(low, last), last);  // the greater is the last class
    good = _mm256_and_si256(good, _mm256_cmpeq_epi32(high, _mm256_setzero_si256()));
    __m256i label = _mm256_blendv_epi8(_mm256_set1_epi32(kBad), low, good);
    if (ignore != nullptr) {
      const __m256 skip_a = _mm256_castsi256_ps(_mm256_cmpeq_epi64(a, skip));
      const __m256 skip_b = _mm256_castsi256_ps(_mm256_cmpeq_epi64(b, skip));
      const __m256i skipped = _mm256_castps_si256(_mm256_shuffle_ps(skip_a, skip_b, 0x88));
      label = _mm256_blendv_epi8(label, _mm256_set1_epi32(kIgnored), skipped);
      good = _mm256_or_si256(good, skipped);
    }
    all_good = _mm256_and_si256(all_good, good);
    const __m256i in_order = _mm256_permute4x64_epi64(label, 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), in_order);
  }
  if (_mm256_movemask_epi8(all_good) != -1) *any_bad = -1;
  return i;
}
#endif

// Labels to int32: in [0, classes) as they are, `ignore` (if any) as kIgnored, all else as kBad. Returns whether there
// was any kBad.
template <typename T>
inline bool narrow_labels(const T* from, int64_t stride, int n, int64_t classes, const int64_t* ignore, int32_t* to) {
  int32_t bad = 0;
  int done = 0;
  const uint64_t limit = static_cast<uint64_t>(classes);
#if defined(__AVX2__) && !defined(__AVX512F__)
  if constexpr (std::is_same<T, int64_t>::value) {
    if (stride == 1 && classes > 0 && classes <= INT32_MAX) done = narrow_eights(from, n, classes, ignore, to, &bad);
  }
#endif
  auto narrow = [&](auto step) {
    if (ignore == nullptr) {
      for (int i = done; i < n; ++i) {
        const int64_t v = static_cast<int64_t>(from[i * step]);
        const int32_t label = static_cast<uint64_t>(v) < limit ? static_cast<int32_t>(v) : kBad;
        to[i] = label;
        bad |= label;
      }
      return;
    }
    const int64_t skip = *ignore;
    for (int i = done; i < n; ++i) {
      const int64_t v = static_cast<int64_t>(from[i * step]);
      const int32_t label = static_cast<uint64_t>(v) < limit ? static_cast<int32_t>(v) : kBad;
      to[i] = v == skip ? kIgnored : label;
      bad |= v == skip ? 0 : label;
    }
  };
  if (stride == 1) {
    narrow(std::integral_constant<int64_t, 1>{});
  } else {
    narrow(stride);
  }
  return bad < 0;
}

inline bool narrow_labels(const void* data, DType type, int64_t offset, int64_t stride, int n, int64_t classes,
                          const int64_t* ignore, int32_t* to) {
  bool bad = false;
  with_label_type(type, [&](auto t) {
    using T = decltype(t);
    bad = narrow_labels(static_cast<const T*>(data) + offset, stride, n, classes, ignore, to);
  });
  return bad;
}

// Marks the samples that `valid` (null: all are) leaves out.
inline void mask_labels(const bool* valid, int64_t offset, int64_t stride, int n, int32_t* labels) {
  if (valid == nullptr) return;
  for (int i = 0; i < n; ++i) {
    if (!valid[offset + i * stride]) labels[i] = kInvalid;
  }
}

// Whether a sample can be counted with this weight.
inline bool is_weight(double weight) { return weight >= 0.0 && weight <= std::numeric_limits<double>::max(); }

}  // namespace fastmetrics
