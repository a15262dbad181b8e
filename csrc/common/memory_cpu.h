// SPDX-License-Identifier: Apache-2.0
//
// Memory of the CPU: pages, and writes past the caches.

#pragma once

#include <cstdint>

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

// Writes a line of 64 bytes, which is not read before: the CPU need not fetch it first. Both begin at multiples of 64.
// Other threads see it after streams_written().
inline void stream_line(const void* line, void* to) {
#if defined(FM_AVX512)
  _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_load_si512(line));
#elif defined(FM_AVX2)
  for (int i = 0; i < 2; ++i) {
    _mm256_stream_si256(static_cast<__m256i*>(to) + i, _mm256_load_si256(static_cast<const __m256i*>(line) + i));
  }
#elif defined(FM_SSE2)
  for (int i = 0; i < 4; ++i) {
    _mm_stream_si128(static_cast<__m128i*>(to) + i, _mm_load_si128(static_cast<const __m128i*>(line) + i));
  }
#else
  memcpy(to, line, 64);
#endif
}

inline void streams_written() {
#if defined(FM_AVX512) || defined(FM_AVX2) || defined(FM_SSE2)
  _mm_sfence();
#endif
}

}  // namespace fastmetrics
