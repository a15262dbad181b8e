// SPDX-License-Identifier: Apache-2.0
//
// Logarithm and exponential of eight doubles at once, within 2 units in the last place. The compiler does not vectorise
// those of the C library, which would be most of the time of a divergence.

#pragma once

#include <limits>

#include "common/cpu.h"

namespace fastmetrics {

// log x = e log 2 + log m with m in [sqrt 1/2, sqrt 2), and log m = 2 artanh((m - 1) / (m + 1)) as a power series.
inline F64x8 log_of(F64x8 x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kLog2High = 0x1.62e42fefa38p-1, kLog2Low = 0x1.ef35793c7673p-45;
  const I64x8 small = x < std::numeric_limits<double>::min();
  const F64x8 normal = small ? x * 0x1p54 : x;
  constexpr int64_t kHalfRoot = 0x3fe6a09e667f3bcd;  // the bits of sqrt 1/2
  const I64x8 bits = (I64x8)normal, shifted = bits - kHalfRoot;
  const I64x8 exponent = shifted >> 52;
  const F64x8 m = (F64x8)(bits - (exponent << 52));
  const F64x8 e = __builtin_convertvector(exponent, F64x8) - (small ? F64x8{} + 54.0 : F64x8{});
  const F64x8 f = m - 1.0, s = f / (m + 1.0), s2 = s * s;
  F64x8 series = F64x8{} + 2.0 / 23;
  for (int k = 21; k >= 3; k -= 2) series = series * s2 + 2.0 / k;
  // 2 s = f - s f, so that the leading term is exact
  const F64x8 value = e * kLog2High + (f - s * (f - s2 * series) + e * kLog2Low);
  F64x8 result = x == kInfinity ? x : value;
  result = x == 0.0 ? F64x8{} - kInfinity : result;
  return (x < 0.0) | (x != x) ? F64x8{} + std::numeric_limits<double>::quiet_NaN() : result;
}

// exp x = 2^k exp r with |r| <= log 2 / 2, and exp r as a power series. What is below the least normal number is 0.
inline F64x8 exp_of(F64x8 x) {
  constexpr double kLog2High = 0x1.62e42fefa38p-1, kLog2Low = 0x1.ef35793c7673p-45, kRound = 0x1.8p52;
  const F64x8 low = F64x8{} - 708.0, high = F64x8{} + 709.0;
  F64x8 inside = x < low ? low : x;
  inside = inside > high ? high : inside;
  const F64x8 shifted = inside * 0x1.71547652b82fep0 + kRound;  // the integer is in the low bits
  const F64x8 k = shifted - kRound;
  const F64x8 r = (inside - k * kLog2High) - k * kLog2Low;
  constexpr double kInverse[] = {
      1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  F64x8 series = F64x8{} + kInverse[13];
  for (int i = 12; i >= 0; --i) series = series * r + kInverse[i];
  F64x8 value = (F64x8)((I64x8)series + ((I64x8)shifted << 52));
  value = x < low ? F64x8{} : value;
  value = x > high ? F64x8{} + std::numeric_limits<double>::infinity() : value;
  return x != x ? x : value;
}

struct VectorMath {
  using V = F64x8;
  static V log(V x) { return log_of(x); }
  static V exp(V x) { return exp_of(x); }
};

}  // namespace fastmetrics
