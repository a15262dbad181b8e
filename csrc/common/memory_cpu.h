// SPDX-License-Identifier: Apache-2.0
//
// Memory of the CPU: pages, and writes past the caches.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "common/simd.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace fastmetrics {

// Asks for large pages where nothing was written yet: the first write to each page is an interrupt. Only advice.
inline void prefer_huge_pages(void* memory, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = 4096;
  constexpr int64_t kWorthwhile = int64_t{2} << 20;
  if (bytes < kWorthwhile) return;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + kPage - 1) & ~(kPage - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + static_cast<uintptr_t>(bytes)) & ~(kPage - 1);
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

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
