// SPDX-License-Identifier: Apache-2.0
//
// What the CPU passes share: vectors, threads, the record of faults and the widening of labels.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
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

// Vectors of 64 bytes, and half ones. The compiler splits them where registers are narrower.
using F32x8 = float __attribute__((vector_size(32)));
using F32x16 = float __attribute__((vector_size(64)));
using I32x16 = int32_t __attribute__((vector_size(64)));
using U32x16 = uint32_t __attribute__((vector_size(64)));
using U16x16 = uint16_t __attribute__((vector_size(32)));
using F64x8 = double __attribute__((vector_size(64)));
using I64x8 = int64_t __attribute__((vector_size(64)));

template <typename V, typename T>
inline V load(const T* from) {
  V v;
  memcpy(&v, from, sizeof(V));
  return v;
}

// Sixteen scores as floats; exact.
inline F32x16 widen16(const float* from) { return load<F32x16>(from); }
#ifdef __AVX512F__
template <typename T>
F32x16 widen16(__m256i bits);
template <>
inline F32x16 widen16<BFloat16>(__m256i bits) {
  return (F32x16)_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
}
template <>
inline F32x16 widen16<Half>(__m256i bits) {
  return (F32x16)_mm512_cvtph_ps(bits);
}
template <typename T>
inline F32x16 widen16(const T* from) {
  return widen16<T>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
#else
inline F32x16 widen16(const BFloat16* from) {
  const U32x16 bits = __builtin_convertvector(load<U16x16>(from), U32x16) << 16;
  return (F32x16)bits;
}
inline F32x16 widen16(const Half* from) {
  const U32x16 bits = __builtin_convertvector(load<U16x16>(from), U32x16);
  const F32x16 scaled = (F32x16)((bits & 0x7fffu) << 13) * float_from_bits(0x77800000u);
  const U32x16 special = (U32x16)((bits & 0x7c00u) == 0x7c00u) & 0x7f800000u;
  return (F32x16)((U32x16)scaled | special | ((bits & 0x8000u) << 16));
}
#endif

// Brings neighbours to the second cache: what a block will read while the one before it is counted, which reads no
// memory. Nothing has to be there.
inline void fetch(const void* data, DType type, int64_t offset, int64_t n) {
  const char* from = static_cast<const char*>(data) + offset * size_of(type);
  for (int64_t byte = 0; byte < n * size_of(type); byte += 64) __builtin_prefetch(from + byte, 0, 2);
}

using HalfF32s = float __attribute__((vector_size(kRegister / 2)));

// Exact. The compiler would take these conversions apart, too.
#if defined(__AVX512F__)
inline F64x8 as_doubles(F32x8 values) { return (F64x8)_mm512_cvtps_pd((__m256)values); }
#else
inline F64x8 as_doubles(F32x8 values) { return __builtin_convertvector(values, F64x8); }
#if defined(__AVX2__)
inline F64s as_doubles(HalfF32s values) { return (F64s)_mm256_cvtps_pd((__m128)values); }
#else
inline F64s as_doubles(HalfF32s values) { return __builtin_convertvector(values, F64s); }
#endif
#endif

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

// Labels to int32: in [0, classes) as they are, `ignore` (if any) as kIgnored, all else as kBad. Returns whether there
// was any kBad.
template <typename T>
inline bool narrow_labels(const T* from, int64_t stride, int n, int64_t classes, const int64_t* ignore, int32_t* to) {
  int32_t bad = 0;
  const uint64_t limit = static_cast<uint64_t>(classes);
  auto narrow = [&](auto step) {
    if (ignore == nullptr) {
      for (int i = 0; i < n; ++i) {
        const int64_t v = static_cast<int64_t>(from[i * step]);
        const int32_t label = static_cast<uint64_t>(v) < limit ? static_cast<int32_t>(v) : kBad;
        to[i] = label;
        bad |= label;
      }
      return;
    }
    const int64_t skip = *ignore;
    for (int i = 0; i < n; ++i) {
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
