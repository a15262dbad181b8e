// SPDX-License-Identifier: Apache-2.0
//
// exp, log and powers of doubles. On the host without a branch or a call, so that a loop over them vectorises; the
// error is that of the C library to within some units of the last place.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "rules/macros.h"

namespace fastmetrics {

FM_HD double double_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

FM_HD uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;

// exp(x) = 2^k exp(r) with |r| <= ln(2) / 2, and exp(r) by its series. An integer that is added to kInteger is found in
// the low bits of the sum. The power of two comes in two factors, since one overflows before the result does.
FM_HD double exp_of(double x) {
#ifdef __CUDA_ARCH__
  return ::exp(x);
#else
  constexpr double kInteger = 0x1.8p52, kBias = 1023.0;
  x = x < -746.0 ? -746.0 : x;
  x = x > 710.0 ? 710.0 : x;
  const double k = (x * 1.44269504088896338700e+00 + kInteger) - kInteger;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const double half = (k * 0.5 + kInteger) - kInteger;
  const double first = double_from_bits(bits_of(half + kBias + kInteger) << 52);
  const double second = double_from_bits(bits_of(k - half + kBias + kInteger) << 52);
  return p * first * second;
#endif
}

// The logarithm as in FreeBSD's e_log.c: x = 2^k (1 + f) with 1 + f near 1.
FM_HD double log_of(double x) {
#ifdef __CUDA_ARCH__
  return ::log(x);
#else
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool subnormal = x < std::numeric_limits<double>::min();
  const uint64_t bits = bits_of(subnormal ? x * 0x1p54 : x);
  double k = double_from_bits((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0) - (subnormal ? 54.0 : 0.0);
  double m = double_from_bits((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  const bool high = m > 1.41421356237309504880;
  m = high ? m * 0.5 : m;
  k = high ? k + 1.0 : k;
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
  double r = 1.479819860511658591e-01;
  r = r * z + 1.531383769920937332e-01;
  r = r * z + 1.818357216161805012e-01;
  r = r * z + 2.222219843214978396e-01;
  r = r * z + 2.857142874366239149e-01;
  r = r * z + 3.999999999940941908e-01;
  r = r * z + 6.666666666666735130e-01;
  double value = k * kLn2High - ((half - (s * (half + z * r) + k * kLn2Low)) - f);
  value = x > 0.0 ? value : (x == 0.0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN());
  return x == kInfinity ? x : value;
#endif
}

FM_HD double log1p_of(double x) {
#ifdef __CUDA_ARCH__
  return ::log1p(x);
#else
  const double w = 1.0 + x;
  const double lost = (x - (w - 1.0)) / w;  // of x in the rounding of w
  const double value = log_of(w);
  return w > 0.0 && w <= std::numeric_limits<double>::max() ? value + lost : value;
#endif
}

// x to the power e, for x of at least 0.
FM_HD double power_of(double x, double e) {
#ifdef __CUDA_ARCH__
  return ::pow(x, e);
#else
  return e == 0.0 ? 1.0 : exp_of(e * log_of(x));
#endif
}

}  // namespace fastmetrics
