// SPDX-License-Identifier: Apache-2.0
//
// 16-bit floats as bits. Scores only need to be widened, which is exact.

#pragma once

#include <cstdint>
#include <cstring>

#include "rules/macros.h"

namespace fastmetrics {

FM_HD float float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

struct BFloat16 {
  uint16_t bits;
};

struct Half {
  uint16_t bits;
};

FM_HD float widen(BFloat16 x) { return float_from_bits(static_cast<uint32_t>(x.bits) << 16); }

// Multiplying by 2^112 moves the exponent from a bias of 15 to 127 and normalises subnormals; what was the greatest
// exponent (infinity and NaN) is put right after. No branch, so that a loop over it vectorises.
FM_HD float widen(Half x) {
#ifdef __CUDA_ARCH__
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x.bits));
  return value;
#else
  const uint32_t magnitude = static_cast<uint32_t>(x.bits & 0x7fffu) << 13;
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16;
  const float scaled = float_from_bits(magnitude) * float_from_bits(0x77800000u);
  uint32_t bits;
  memcpy(&bits, &scaled, sizeof(bits));
  bits |= (x.bits & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
  return float_from_bits(bits | sign);
#endif
}

// Rounding to the nearest, ties to even.
FM_HD void narrow(float x, BFloat16* to) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  to->bits = static_cast<uint16_t>(nan ? 0x7fc0u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

FM_HD void narrow(float x, Half* to) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u;
  } else if (magnitude < 0x38800000u) {  // subnormal: the sum with 0.5 has the result in its last bits
    const float shifted = float_from_bits(magnitude) + 0.5f;
    memcpy(&half, &shifted, sizeof(half));
    half -= 0x3f000000u;
  } else {
    half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    half = half < 0x7c00u ? half : 0x7c00u;
  }
  to->bits = static_cast<uint16_t>(half | sign);
}

FM_HD void narrow(float x, float* to) { *to = x; }
FM_HD void narrow(double x, double* to) { *to = x; }

FM_HD float widen(float x) { return x; }
FM_HD double widen(double x) { return x; }

}  // namespace fastmetrics
