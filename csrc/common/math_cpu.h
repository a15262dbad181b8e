// SPDX-License-Identifier: Apache-2.0
//
// Logarithms, exponentials and powers of as many doubles at once as a vector has: those of the C library would be most
// of the time of a divergence.

#pragma once

#include <algorithm>
#include <limits>

#include "common/simd.h"
#include "rules/elementary.h"

namespace fastmetrics {

using Doubles = F64s;
using Words = I64s;

// As LibraryMath, for almost every double; a lane of `out_of_domain` is negative if its argument is not in the domain.
// The error of exp and log is within 3 units in the last place, that of a difference of log1p within 5, and that of a
// power within 3 and two for each unit of its logarithm.
struct FastMath {
  Words out_of_domain = {};

  bool any_out_of_domain() const { return any(greater(Words{}, out_of_domain)); }

  static Doubles absolute(Doubles x) { return (Doubles)((Words)x & INT64_MAX); }

  // What is below the least normal number is 0.
  Doubles exp(Doubles x) {
    out_of_domain |= ~(x <= 709.0);
    const Words low = x < -708.0;
    return low ? Doubles{} : scaled_exp(low ? Doubles{} : x);
  }

  __attribute__((always_inline)) Doubles log_of_ratio(Doubles a, Doubles b) { return log_of_ratio(a, b, a - b); }

  Doubles relative_entropy(Doubles a, Doubles b) {
    const Words zero = a == 0.0;
    return a * log_of_ratio(zero ? Doubles{} + 1.0 : a, zero ? Doubles{} + 1.0 : b);
  }

  Doubles log1p_of_ratio(Doubles x, Doubles y) { return log_of_ratio(1.0 + x, 1.0 + y, x - y); }

  // log(1 + e) = 2 artanh(e / (2 + e))
  Doubles log1p_of_exp(Doubles x) {
    const Doubles e = exp(x), s = e / (2.0 + e), z = s * s;
    constexpr double kSeries[] = {0x1.5555555555555p-1, 0x1.99999999999fcp-2, 0x1.24924924882fep-2,
                                  0x1.c71c71d3ec60dp-3, 0x1.745d132761a2bp-3, 0x1.3b147364a43c9p-3,
                                  0x1.10fb644cbee63p-3, 0x1.e4db3ce7072dep-4, 0x1.9006eaac0a4c8p-4,
                                  0x1.1a2ac3caa3b51p-3};  // for x of at most -1/4
    return s * (z * polynomial(kSeries, z)) + (s + s);
  }

  Doubles power(Doubles x, double e) {
    const double of_zero = e == 0.0 ? 1.0 : e > 0.0 ? 0.0 : std::numeric_limits<double>::infinity();
    const Words zero = x <= 0.0;
    const Doubles one = Doubles{} + 1.0, exponent = e * log_of_ratio(zero ? one : x, one);
    out_of_domain |= ~(absolute(exponent) <= 708.0);
    return zero ? Doubles{} + of_zero : scaled_exp(exponent);
  }

 private:
  static constexpr double kLog2High = 6.93147180369123816490e-01, kLog2Low = 1.90821492927058770002e-10;

  // The coefficient of the least power is the first.
  template <int N>
  static Doubles polynomial(const double (&coefficient)[N], Doubles x) {
    Doubles sum = Doubles{} + coefficient[N - 1];
    for (int i = N - 2; i >= 0; --i) sum = sum * x + coefficient[i];
    return sum;
  }

  // exp(x) = 2^k exp(r) with |r| <= log(2) / 2, for |x| of at most 709. An integer that is added to kInteger is found
  // in the low bits of the sum.
  static Doubles scaled_exp(Doubles x) {
    constexpr double kInteger = 0x1.8p52;
    const Doubles shifted = x * 1.44269504088896338700e+00 + kInteger, k = shifted - kInteger;
    const Doubles r = (x - k * kLog2High) - k * kLog2Low;
    constexpr double kSeries[] = {1.0,
                                  1.0,
                                  0x1.0000000000001p-1,
                                  0x1.5555555555556p-3,
                                  0x1.5555555553d63p-5,
                                  0x1.11111111109b3p-7,
                                  0x1.6c16c1788bd90p-10,
                                  0x1.a01a01a7c41d5p-13,
                                  0x1.a019b90d2ae7ap-16,
                                  0x1.71de0dae63bb3p-19,
                                  0x1.289185613a3d6p-22,
                                  0x1.af38a9b0ec855p-26};
    return (Doubles)((Words)polynomial(kSeries, r) + ((Words)shifted << 52));
  }

  // log(a / b) = k log(2) + log(m) with a = 2^k m b and m within a factor of 1.502 of 1; with s = (m - 1) / (m + 1),
  // log(m) = 2 artanh(s). k is the difference of the bits of a and b, rounded: between two powers of two, bits and
  // logarithms differ by less than 0.09. Where k is 0, log(m) is all, and a - b is better known than a and b.
  __attribute__((always_inline)) Doubles log_of_ratio(Doubles a, Doubles b, Doubles difference) {
    constexpr int64_t kLeast = int64_t{3} << 52, kMost = int64_t{0x7fd} << 52;  // bits of 2^-1020 and 2^1022
    const Words bits_a = (Words)a, bits_b = (Words)b;
    // of a number that is not between them, a difference is negative
    out_of_domain |= (bits_a - kLeast) | (kMost - bits_a) | (bits_b - kLeast) | (kMost - bits_b);
    constexpr uint64_t kExponent = 0xfff0000000000000u, kHalf = 0x0008000000000000u, kSign = 0x8000000000000000u;
    const U64s rounded = ((U64s)(bits_a - bits_b) + kHalf) & kExponent;  // k in sign and exponent
    const Doubles k = (Doubles)(((rounded ^ kSign) >> 52) | 0x4330000000000000u) - (0x1p52 + 2048.0);
    const Doubles near = (Doubles)(bits_a - (Words)rounded);
    const Doubles s = (k == 0.0 ? difference : near - b) / (near + b), z = s * s;
    constexpr double kSeries[] = {0x1.5555555555555p-1, 0x1.9999999999f4ep-2, 0x1.24924923d8543p-2,
                                  0x1.c71c72e74818dp-3, 0x1.745ca9d5177bbp-3, 0x1.3b2a31660106cp-3,
                                  0x1.0e84e02f7e5f9p-3, 0x1.16d57bf6260d4p-3};
    return k * kLog2High + ((s + s) + (s * (z * polynomial(kSeries, z)) + k * kLog2Low));
  }
};

// 2^f for |f| <= 1/2, with a relative error of at most 1.6e-7, and exactly 1 for 0.
inline F32s exp2_of_fraction(F32s f) {
  F32s p = F32s{} + 0x1.5bba14p-10f;
  p = p * f + 0x1.3cea88p-7f;
  p = p * f + 0x1.c6b752p-5f;
  p = p * f + 0x1.ebf9bcp-3f;
  p = p * f + 0x1.62e42ap-1f;
  return p * f + 1.0f;
}

// An exponential of floats: a power of two times what is near 1. A sum takes the product in its own step.
struct ExpFactors {
  F32s power, fraction;
};

// exp(x) for x in [-87.3, 87]: 2^k 2^f with |f| <= 1/2. An integer that is added to kInteger is found in the low bits
// of the sum; here it is the exponent of 2^k. The relative error is about 1.6e-7, and 2e-8 |x| more unless `far`, which
// hardly counts in a sum relative to its greatest term.
template <bool far>
inline ExpFactors exp_factors(F32s x) {
#if defined(__FMA__) || defined(FM_NEON)
  constexpr bool kFused = true;  // so that k is taken from an exact product
#else
  constexpr bool kFused = false;
#endif
  constexpr float kLog2E = 1.44269504088896341f, kInteger = 0x1.8p23f + 127.0f;
  constexpr float kLn2 = 0x1.63p-1f, kLn2Rest = -0x1.bd0106p-13f;  // k kLn2 is exact, and so is its difference from x
  const F32s shifted = x * kLog2E + kInteger, k = shifted - kInteger, power = (F32s)((I32s)shifted << 23);
  const F32s f = kFused && !far ? x * kLog2E - k : ((x - k * kLn2) - k * kLn2Rest) * kLog2E;
  return {power, exp2_of_fraction(f)};
}

// values[i] = of(x[i], y[i], math) for i < n: by FastMath, and those again by LibraryMath that it is not for. Inputs
// are read twice: values are none of them.
template <typename F>
void compute(const double* x, const double* y, int n, double* values, const F& of) {
  auto vector_at = [&](const double* of_x, const double* of_y, double* to, FastMath math) {
    store(of(load<Doubles>(of_x), load<Doubles>(of_y), math), to);
    return math;
  };
  FastMath math;
  int i = 0;
  for (; i + kDoubles <= n; i += kDoubles) math = vector_at(x + i, y + i, values + i, math);
  if (i < n) {  // ones fill the last vector
    double rest[3][kDoubles];
    std::fill_n(rest[0], 2 * kDoubles, 1.0);
    std::copy(x + i, x + n, rest[0]);
    std::copy(y + i, y + n, rest[1]);
    math = vector_at(rest[0], rest[1], rest[2], math);
    std::copy_n(rest[2], n - i, values + i);
  }
  if (!math.any_out_of_domain()) return;
  for (i = 0; i < n; ++i) {
    FastMath once;
    LibraryMath library;
    of(Doubles{} + x[i], Doubles{} + y[i], once);
    if (once.any_out_of_domain()) values[i] = of(x[i], y[i], library);
  }
}

}  // namespace fastmetrics
