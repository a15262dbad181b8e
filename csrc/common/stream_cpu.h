// SPDX-License-Identifier: Apache-2.0
//
// Writes past the caches of the CPU.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "common/simd.h"

namespace fastmetrics {

// Writes a line of 64 bytes, which begins at a multiple of that, past the caches: the CPU need not fetch it first.
inline void stream_line(const char* from, char* to) {
#if defined(FM_AVX512)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(FM_AVX2)
  for (int i = 0; i < 64; i += 32) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
  }
#elif defined(FM_SSE2)
  for (int i = 0; i < 64; i += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#else
  memcpy(to, from, 64);
#endif
}

// Copies bytes past the caches, but for lines of 64 that are not whole. Other threads see them after streams_written().
inline void stream(const void* from, int64_t bytes, void* to) {
  constexpr int64_t kLine = 64;
  const char* next = static_cast<const char*>(from);
  char* out = static_cast<char*>(to);
  char* const end = out + bytes;
  const int64_t before = std::min<int64_t>(bytes, -reinterpret_cast<uintptr_t>(to) % kLine);
  memcpy(out, next, before);
  out += before;
  next += before;
  for (; end - out >= kLine; out += kLine, next += kLine) stream_line(next, out);
  memcpy(out, next, end - out);
}

inline void streams_written() {
#if defined(FM_AVX512) || defined(FM_AVX2) || defined(FM_SSE2)
  _mm_sfence();
#endif
}

}  // namespace fastmetrics
